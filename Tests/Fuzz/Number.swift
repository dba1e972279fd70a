// Numbers: decimal digits to fixed point and to doubles and back, against the standard library.

import MartletBytes

@Sendable func fuzzNumber(_ input: Span<UInt8>) {
  let octets = Octets(input)
  checkReading(input, octets)
  if octets.count == 8 {
    checkWriting(Double(bitPattern: octets.reduce(0) { $0 << 8 | UInt64($1) }))
  }
}

/// Whether the octets are what HTML calls a valid floating-point number.
private func isNumber(_ octets: Octets) -> Bool {
  var rest = octets[...]
  func digits() -> Int {
    let count = rest.prefix { 0x30...0x39 ~= $0 }.count
    rest = rest.dropFirst(count)
    return count
  }
  if rest.first == UInt8(ascii: "-") { rest.removeFirst() }
  let integers = digits()
  if rest.first == UInt8(ascii: ".") {
    rest.removeFirst()
    guard digits() > 0 else { return false }
  } else if integers == 0 {
    return false
  }
  if let octet = rest.first, octet | 0x20 == UInt8(ascii: "e") {
    rest.removeFirst()
    if let sign = rest.first, Octets("+-").contains(sign) { rest.removeFirst() }
    guard digits() > 0 else { return false }
  }
  return rest.isEmpty
}

/// What was read, or why nothing was.
private func outcome<Value>(
  _ body: () throws(NumberRefusal) -> Value
) -> Result<Value, NumberRefusal> {
  do throws(NumberRefusal) { return .success(try body()) } catch { return .failure(error) }
}

private func checkReading(_ input: Span<UInt8>, _ octets: Octets) {
  let double = outcome { () throws(NumberRefusal) in try Double(parsing: input) }
  guard isNumber(octets) else {
    check(double == .failure(.malformed), "what is no number is no double")
    check(
      outcome { () throws(NumberRefusal) in try FixedPoint(parsing: input, digits: 2) }
        == .failure(.malformed), "what is no number has no decimals")
    return
  }
  let expected = Double(String(decoding: octets, as: UTF8.self)) ?? .nan
  switch double {
  case .success(let value): check(value == expected, "a number becomes the nearest double")
  case .failure(let error):
    check(error == .outOfRange && expected.isInfinite, "a number within range is read")
  }
  for digits in [0, 2, 18] {
    let fixed = outcome { () throws(NumberRefusal) in try FixedPoint(parsing: input, digits: digits) }
    guard case .success(let number) = fixed else {
      check(fixed != .failure(.malformed), "a number is well formed")
      continue
    }
    // Written and read again it is the same number, and near the double.
    let text = written { $0.append(number) } ?? []
    let again = outcome { () throws(NumberRefusal) in
      try FixedPoint(parsing: text.span, digits: digits)
    }
    check(again == fixed, "a number with decimals comes back")
    let value = Double(String(decoding: text, as: UTF8.self)) ?? .nan
    check(value == expected, "a number with decimals is exact")
  }
}

private func checkWriting(_ number: Double) {
  let shortest = written { $0.append(shortest: number) } ?? []
  let text = String(decoding: shortest, as: UTF8.self)
  check(shortest.count <= 25, "a double is short")
  guard number.isFinite else {
    check(Double(text)?.isFinite == false, "what is no number is named")
    return
  }
  check(Double(text) == number, "a double comes back")
  check(
    outcome { () throws(NumberRefusal) in try Double(parsing: shortest.span) } == .success(number),
    "a double is read again")
  for digits in [0, 1, 9, 18] {
    let fixed = written { $0.append(number, digits: digits) } ?? []
    let value = Double(String(decoding: fixed, as: UTF8.self)) ?? .nan
    let unit = (0..<digits).reduce(1.0) { unit, _ in unit / 10 }
    check(abs(value - number) <= unit * 0.500001 + number.ulp, "a double is rounded to the nearest")
    check(isNumber(fixed), "a double with decimals is a number")
  }
}
