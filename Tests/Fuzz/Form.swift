// application/x-www-form-urlencoded: fields found in place, decoded in bounds.

import MartletBytes
import MartletHTTP

@Sendable func fuzzForm(_ input: Span<UInt8>) {
  let octets = Octets(input)
  let expected = pairs(octets)
  checkFields(input, expected, each: checkValue)
  // Encoded again, the same fields come out; the first of a name counts.
  let again = encoded(expected)
  withExactCopy(again) { span in
    checkFields(span, expected) { check(decoded($0) == $1, "what is encoded comes back") }
  }
  let form = FormFields(input)
  let first = expected.first { $0.name == Octets("username") }?.value
  if let found = form["username"] {
    check(decoded(found) == first, "the first field of a name is found")
  } else {
    check(first == nil, "a field that is there is found")
  }
  check(PercentDecoder.isWellFormed(again.span), "what is encoded is well encoded")
}

private typealias Pair = (name: Octets, value: Octets)

/// The parser of the WHATWG's URL standard (§5.1), step by step, without its decoding of UTF-8.
private func pairs(_ octets: Octets) -> [Pair] {
  octets.split(separator: UInt8(ascii: "&")).map { piece in
    let equals = piece.firstIndex(of: UInt8(ascii: "=")) ?? piece.endIndex
    return (plain(Octets(piece[..<equals])), plain(Octets(piece[equals...].dropFirst())))
  }
}

private func plain(_ encoded: Octets) -> Octets {
  var result = Octets()
  var i = 0
  while i < encoded.count {
    let octet = encoded[i]
    if octet == UInt8(ascii: "%"), i + 2 < encoded.count, let high = digit(encoded[i + 1]),
      let low = digit(encoded[i + 2])
    {
      result.append(high * 16 + low)
      i += 3
    } else {
      result.append(octet == UInt8(ascii: "+") ? 0x20 : octet)
      i += 1
    }
  }
  return result
}

private func digit(_ octet: UInt8) -> UInt8? {
  UInt8(Character(Unicode.Scalar(octet)).hexDigitValue ?? 99) < 16 && octet < 0x80
    ? UInt8(Character(Unicode.Scalar(octet)).hexDigitValue!) : nil
}

private func encoded(_ pairs: [Pair]) -> Octets {
  var octets = Octets()
  for (i, pair) in pairs.enumerated() {
    if i > 0 { octets.append(UInt8(ascii: "&")) }
    for (part, text) in [pair.name, pair.value].enumerated() {
      if part == 1 { octets.append(UInt8(ascii: "=")) }
      octets +=
        written(capacity: 3 * text.count) { writer in
          for octet in text { writer.append(percentEncoded: octet) }
        } ?? []
    }
  }
  return octets
}

private func decoded(_ value: borrowing FormValue) -> Octets {
  var octets = Octets()
  var decoder = value.decoder
  while let octet = decoder.next() { octets.append(octet) }
  return octets
}

/// - Parameter checkValue: What must hold for each name and value.
private func checkFields(
  _ span: Span<UInt8>, _ expected: [Pair], each checkValue: (borrowing FormValue, Octets) -> Void
) {
  var fields = FormFields(span)
  var pairs = expected.makeIterator()
  while let field = fields.next() {
    guard let pair = pairs.next() else { return check(false, "there are no more fields") }
    checkValue(field.name, pair.name)
    checkValue(field.value, pair.value)
  }
  check(pairs.next() == nil, "no field hides another")
}

/// Every way of reading a value gives the same octets, and none more than there is room for.
private func checkValue(_ value: borrowing FormValue, _ expected: Octets) {
  check(value.equals(expected.span), "a value equals its octets")
  let text: Text<8>? = value.text()
  check(
    text.map { $0.span.equals(expected.span) } ?? (expected.count > 8), "a text fits or not")
  let target = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: expected.count)
  defer { target.deallocate() }
  target.initialize(repeating: 0xA5)
  guard let last = expected.last else { return }
  check(!value.equals(expected.span.extracting(0..<expected.count - 1)), "and no fewer")
  var less = target.mutableSpan
  less = less._consumingExtracting(0..<expected.count - 1)
  check(value.decode(into: &less) == nil, "a value is decoded whole or not")
  var room = target.mutableSpan
  check(value.decode(into: &room) == expected.count, "a value is decoded into just enough room")
  check(room.span.equals(expected.span), "a value is decoded as the standard says")
  target[expected.count - 1] = last ^ 1
  check(!value.equals(UnsafeBufferPointer(target).span), "a value equals no similar octets")
}
