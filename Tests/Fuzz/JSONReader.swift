// JSON by type: what a reader says against Foundation-free facts about the same text.

import MartletBytes

@Sendable func fuzzJSONReader(_ input: Span<UInt8>) {
  let isJSON = JSON.isValid(input) && input.count <= Limits.jsonSizeMax
  guard let document = try? JSONDocument(input) else {
    return check(!isJSON, "every JSON text is read")
  }
  check(isJSON, "only JSON is read")
  var budget = 2_000
  walk(document.root, 0, &budget)
}

/// What a reader has thrown, or `nil`.
private func refusal(_ body: () throws(JSONError) -> Void) -> JSONError.Kind? {
  do throws(JSONError) {
    try body()
    return nil
  } catch {
    let error = error
    let sentence = written(capacity: 512) { $0.append(error) }
    check(sentence != nil && sentence?.isEmpty == false, "a refusal is a sentence")
    return error.kind
  }
}

/// - Parameter budget: Values that are still looked at, so that many levels of many values take no time.
private func walk(_ item: borrowing JSONItem, _ depth: Int, _ budget: inout Int) {
  guard budget > 0 else { return }
  budget -= 1
  check(depth < Limits.jsonDepthMax + 1, "a text is not deeper than allowed")
  checkScalar(item)
  if let object = try? item.object() {
    check(item.kind == .object, "only an object is an object")
    checkMembers(object)
    var member = object.member(after: nil)
    var names: [Octets: Int] = [:]
    while let current = member {
      names[decoded(item.octets[current.name]), default: 0] += 1
      member = object.member(after: current)
    }
    let count = names[Octets("a")] ?? 0
    let presence = refusal { () throws(JSONError) in
      let presence = try object.presence(of: "a")
      check((presence == .absent) == (count == 0), "a member that is there is found")
    }
    check((presence == .duplicate) == (count > 1), "what is there twice is refused")
    check(
      (refusal { () throws(JSONError) in _ = try object.value("a") } == .missing) == (count == 0),
      "a member that is missing is told")
    if let inner = try? object.value("a") { walk(inner, depth + 1, &budget) }
  } else {
    check(item.kind != .object, "an object is an object")
  }
  if var array = try? item.array() {
    let count = array.count
    var given = 0
    while let element = array.next() {
      given += 1
      walk(element, depth + 1, &budget)
    }
    check(given == count, "every element is counted")
    check(given > 0 || !item.octets.extracting(1..<item.octets.count - 1).hasText, "no element is lost")
  } else {
    check(item.kind != .array, "an array is an array")
  }
}

private func decoded(_ raw: Span<UInt8>) -> Octets {
  var result = Octets()
  var decoder = JSONStringDecoder(raw)
  while let octet = decoder.next() { result.append(octet) }
  return result
}

extension Span where Element == UInt8 {
  fileprivate var hasText: Bool {
    for i in indices where ![0x20, 0x09, 0x0A, 0x0D].contains(self[i]) { return true }
    return false
  }
}

/// Each reader throws for a value of another kind, and for no other reason than its own.
private func checkScalar(_ item: borrowing JSONItem) {
  let boolean = (try? item.boolean()) != nil
  check(boolean == (item.kind == .true || item.kind == .false), "a boolean is one of two words")
  let text: Text<16>? = try? item.text()
  if item.kind == .string {
    let octets = decoded(item.octets)
    check(octets.span.isUTF8, "a text is UTF-8")
    check((text == nil) == (octets.count > 16), "a text fits or not")
    if let text { check(text.span.equals(octets.span), "a text is what its escapes say") }
  } else {
    check(text == nil, "only a string is a text")
  }
  guard item.kind == .number else {
    check((try? item.double()) == nil && (try? item.decimal(digits: 1)) == nil, "only a number is a number")
    return
  }
  let value = Double(String(decoding: Octets(item.octets), as: UTF8.self)) ?? .nan
  if let double = try? item.double() {
    check(double == value, "a double is the nearest")
  } else {
    check(value.isInfinite, "a number within range is read")
  }
  if let integer = try? item.integer() as Int64 {
    check(Double(integer) == value && JSON.floor(item.octets) == integer, "a whole number is exact")
  } else if JSON.isInteger(item.octets) {
    check(abs(value) >= 0x1p63, "a whole number within range is read")
  }
  if let octet = try? item.integer() as UInt8 { check(Double(octet) == value, "a small number is exact") }
}

private func checkMembers(_ object: borrowing JSONObject) {
  _ = refusal { () throws(JSONError) in _ = try object.integer("a", in: 1...9) }
  _ = refusal { () throws(JSONError) in _ = try object.decimal("b", digits: 2) }
  _ = refusal { () throws(JSONError) in _ = try object.text("c") as Text<8> }
  _ = refusal { () throws(JSONError) in _ = try object.boolean("d") }
  _ = refusal { () throws(JSONError) in _ = try object.doubleIfPresent("e") }
  _ = refusal { () throws(JSONError) in
    var array = try object.array("f")
    while let element = array.next() { _ = try element.integer(in: 0...9) as Int }
  }
  _ = refusal { () throws(JSONError) in _ = try object.object("g").object("a") }
}
