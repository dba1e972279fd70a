// JSON text and claims: the scanner against a plain recursive reader, claims changed in place against
// a list of members.

import MartletBytes
import MartletToken

@Sendable func fuzzJSON(_ input: Span<UInt8>) {
  let octets = Octets(input)
  var reader = Reader(octets)
  let isJSON = reader.isText() && String(validating: octets, as: UTF8.self) != nil
  check(JSON.isValid(input) == isJSON, "JSON is what RFC 8259 says")
  check(input.isUTF8 == (String(validating: octets, as: UTF8.self) != nil), "UTF-8 is UTF-8")
  checkString(octets)
  guard isJSON, octets.count <= 0xFFFF, octets.first(where: { !isBlank($0) }) == UInt8(ascii: "{")
  else {
    check(octets.count > 0xFFFF || JSONObject(input) == nil, "only an object is an object")
    return
  }
  let members = members(input)
  check(members.count == reader.outerMemberCount, "every member is found")
  checkClaims(input, members)
  checkChanges(octets, members)
}

private func isBlank(_ octet: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(octet) }

/// JSON read as RFC 8259's grammar is written.
private struct Reader {
  private let text: Octets
  private var i = 0
  private var depth = 0
  private(set) var outerMemberCount = 0

  init(_ text: Octets) { self.text = text }

  private var next: UInt8? { i < text.count ? text[i] : nil }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    i += 1
    return true
  }

  private mutating func blanks() {
    while let octet = next, isBlank(octet) { i += 1 }
  }

  mutating func isText() -> Bool {
    blanks()
    guard value() else { return false }
    blanks()
    return i == text.count
  }

  private mutating func value() -> Bool {
    switch next {
    case UInt8(ascii: "{"): list("{", "}") { $0.member() }
    case UInt8(ascii: "["): list("[", "]") { $0.value() }
    case UInt8(ascii: "\""): string()
    case UInt8(ascii: "t"): word("true")
    case UInt8(ascii: "f"): word("false")
    case UInt8(ascii: "n"): word("null")
    default: number()
    }
  }

  private mutating func list(
    _ open: Unicode.Scalar, _ close: Unicode.Scalar, _ element: (inout Reader) -> Bool
  ) -> Bool {
    guard take(open), depth < Limits.jsonDepthMax else { return false }
    depth += 1
    defer { depth -= 1 }
    blanks()
    if take(close) { return true }
    while true {
      blanks()
      guard element(&self) else { return false }
      blanks()
      if take(close) { return true }
      guard take(",") else { return false }
    }
  }

  private mutating func member() -> Bool {
    if depth == 1 { outerMemberCount += 1 }
    guard string() else { return false }
    blanks()
    guard take(":") else { return false }
    blanks()
    return value()
  }

  private mutating func string() -> Bool {
    guard take("\"") else { return false }
    while let octet = next {
      i += 1
      if octet == UInt8(ascii: "\"") { return true }
      if octet < 0x20 { return false }
      guard octet == UInt8(ascii: "\\") else { continue }
      guard let escape = next else { return false }
      i += 1
      if escape == UInt8(ascii: "u") {
        for _ in 0..<4 {
          guard let digit = next, Character(Unicode.Scalar(digit)).isHexDigit, digit < 0x80
          else { return false }
          i += 1
        }
      } else if !Octets("\"\\/bfnrt").contains(escape) {
        return false
      }
    }
    return false
  }

  private mutating func word(_ word: StaticString) -> Bool {
    guard text[i...].starts(with: Octets(word)) else { return false }
    i += word.utf8CodeUnitCount
    return true
  }

  private mutating func digits() -> Bool {
    let start = i
    while let octet = next, (0x30...0x39).contains(octet) { i += 1 }
    return i > start
  }

  private mutating func number() -> Bool {
    _ = take("-")
    if !take("0"), !digits() { return false }
    if take("."), !digits() { return false }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      return digits()
    }
    return true
  }
}

/// A member as it is remembered: its name decoded, its value as it stands.
private struct Member: Equatable {
  let name: Octets
  let kind: JSONKind
  let value: Octets
}

/// The members of a checked object, in their order.
private func members(_ text: Span<UInt8>) -> [Member] {
  guard let object = JSONObject(text) else {
    check(false, "an object is an object")
    return []
  }
  var found: [Member] = []
  var end = 0
  var member = object.member(after: nil)
  while let current = member {
    check(Int(current.range.offset) >= end && current.range.end <= text.count, "members in order")
    check(
      Int(current.name.offset) == Int(current.range.offset) + 1
        && current.name.end < Int(current.value.range.offset)
        && current.value.range.end <= current.range.end, "a name, a colon, a value")
    found.append(
      Member(
        name: decoded(text[current.name]), kind: current.value.kind,
        value: Octets(text[current.value.range])))
    end = current.range.end
    member = object.member(after: current)
  }
  return found
}

private func decoded(_ raw: Span<UInt8>) -> Octets {
  var decoder = JSONStringDecoder(raw)
  var octets = Octets()
  while let octet = decoder.next() { octets.append(octet) }
  check(octets.span.isUTF8, "a string is UTF-8, whatever its escapes say")
  check(octets.count <= raw.count, "a string is not longer than its text")
  return octets
}

/// Any octets written as a string are a string; well-formed ones come back.
private func checkString(_ octets: Octets) {
  guard octets.count <= 4_096 else { return }
  guard let text = written(capacity: 6 * octets.count + 2, { $0.append(jsonString: octets.span) })
  else { return check(false, "a string fits six times its octets") }
  check(JSON.isValid(text.span), "a written string is JSON")
  let again = decoded(text.span.extracting(1..<text.count - 1))
  check(
    again == Octets(String(decoding: octets, as: UTF8.self).utf8), "a string comes back, repaired")
  if octets.span.isUTF8 { check(JSON.stringSize(octets.span) == text.count, "its size is known") }
}

private func checkClaims(_ text: Span<UInt8>, _ members: [Member]) {
  guard let claims = try? ClaimsSet(text) else {
    return check(text.count > Limits.tokenSizeMax, "an object is a claims set")
  }
  let last = members.last { $0.name == Octets("exp") }
  check(claims.kind(of: "exp") == last?.kind, "the last member of a name counts")
  check(copied(claims.raw(of: "exp")) == last?.value, "a claim as it stands")
  let text: Text<16>? = claims.text(of: "exp")
  let string = last?.kind == .string ? last.map { decoded($0.value.span) } : nil
  check(
    text.map { Octets($0.span) } == string.flatMap { $0.count <= 16 ? $0 : nil }, "a text fits or not")
  check(
    claims.boolean(of: "exp") == (last?.kind == .true ? true : last?.kind == .false ? false : nil),
    "only true and false are booleans")
  let number = last?.kind == .number ? last?.value : nil
  let integer = number.flatMap { Int64(String(decoding: $0, as: UTF8.self)) }
  check(claims.integer(of: "exp") == integer, "an integer is digits within 64 bits")
  if let number { checkFloor(number) }
  checkTimes(claims, members)
}

/// A number rounded down, compared where a Double is exact enough to tell.
private func checkFloor(_ number: Octets) {
  let floor = JSON.floor(number.span)
  let exponentStart = number.firstIndex { $0 | 0x20 == UInt8(ascii: "e") } ?? number.count
  guard exponentStart <= 15, number.count - exponentStart <= 4,
    let value = Double(String(decoding: number, as: UTF8.self))
  else { return }
  let exact = value.rounded(.down)
  if abs(exact) < 1e15 {
    check(floor == Int64(exact), "a number is rounded down")
  } else if abs(exact) > 1e19 {
    check(floor == (exact < 0 ? .min : .max), "a number beyond 64 bits is the nearest one")
  }
}

/// Which claims hold when.
private func checkTimes(_ claims: borrowing ClaimsSet, _ members: [Member]) {
  func last(_ name: StaticString) -> Member? { members.last { $0.name == Octets(name) } }
  for now in [0, 1_800_000_000] as [Int64] {
    do throws(TokenRefusal) {
      try claims.check(now: now)
      check(last("aud") == nil, "who names an audience is refused")
      for name in ["exp", "nbf", "iat"] as [StaticString] {
        check(last(name).map { $0.kind == .number } ?? true, "times are numbers")
      }
      if let exp = last("exp") { check(JSON.floor(exp.value.span) > now, "not expired") }
      if let nbf = last("nbf") { check(JSON.floor(nbf.value.span) <= now, "already valid") }
    } catch {
      check(
        ["exp", "nbf", "iat", "aud", "iss", "sub", "jti"].contains { last($0) != nil },
        "only a registered claim is a reason to refuse")
    }
  }
}

/// Claims changed in place hold what a list of members would.
private func checkChanges(_ octets: Octets, _ members: [Member]) {
  var draw = Draw(octets)
  // Often just enough room, or a little less or more than that.
  let capacity = max(2, octets.count) + [0, 0, 3, 9, 40, 300][draw.below(6)]
  let storage = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: capacity)
  defer { storage.deallocate() }
  storage.initialize(repeating: 0xA5)
  for (i, octet) in octets.enumerated() { storage[i] = octet }
  var claims = SessionClaims(storage.mutableSpan, count: 0)
  check(claims.adopt(octets.count), "an object is adopted")
  var expected = members
  checkEqual(claims, expected)
  let names: [StaticString] = ["a", "exp", "_user_id", "", "\"\\\n", "é"]
  for _ in 0..<4 {
    let name = names[draw.below(names.count)]
    let others = expected.filter { $0.name != Octets(name) }
    let before = claims.count
    var fits = true
    var added: Member?
    switch draw.below(5) {
    case 0:
      let text = Octets(octets.suffix(draw.below(octets.count + 1)).prefix(64))
      fits = claims.set(name, text: text.span)
      added = written(capacity: 1_024) { $0.append(jsonString: text.span) }.map {
        Member(name: Octets(name), kind: .string, value: Octets($0.dropFirst().dropLast()))
      }
      if !text.span.isUTF8 { check(!fits, "only UTF-8 is taken") }
    case 1:
      let integer = Int64(bitPattern: draw.next()) >> Int64(draw.below(64))
      fits = claims.set(name, integer: integer)
      added = Member(name: Octets(name), kind: .number, value: Octets(String(integer).utf8))
    case 2:
      let boolean = draw.below(2) == 0
      fits = claims.set(name, boolean: boolean)
      added = Member(
        name: Octets(name), kind: boolean ? .true : .false,
        value: Octets((boolean ? "true" : "false").utf8))
    case 3:
      fits = claims.setNull(name)
      added = Member(name: Octets(name), kind: .null, value: Octets("null"))
    default:
      claims.remove(name)
    }
    if fits {
      expected = others + [added].compactMap { $0 }
    } else {
      check(claims.count == before, "what does not fit changes nothing")
    }
    checkEqual(claims, expected)
  }
}

private func checkEqual(_ claims: borrowing SessionClaims, _ expected: [Member]) {
  check(claims.count <= claims.capacity, "claims are within their memory")
  check(members(claims.span) == expected, "claims are their members")
  check(claims.isEmpty == expected.isEmpty, "no member, no claims")
}
