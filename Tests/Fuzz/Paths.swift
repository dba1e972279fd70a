// Path patterns: two patterns and a path, each in a line of its own.

import MartletBytes
import MartletHTTP

@Sendable func fuzzPaths(_ input: Span<UInt8>) {
  let lines = Octets(input).split(separator: 0x0A, maxSplits: 2, omittingEmptySubsequences: false)
  guard lines.count == 3 else { return }
  let path = Octets(lines[2])
  withLiteral(Octets(lines[0])) { first in
    withLiteral(Octets(lines[1])) { second in
      withExactCopy(path) { checkPath(PathPattern(first), PathPattern(second), $0) }
    }
  }
}

/// Runs `body` with a literal that the program does not hold: a pattern is one.
private func withLiteral(_ octets: Octets, _ body: (StaticString) -> Void) {
  withExactCopy(octets) { span in
    span.withUnsafeBufferPointer { buffer in
      // A literal is its address, its count and flags; an address of 1 stands for no octets.
      let address = buffer.baseAddress.map { Int(bitPattern: $0) } ?? 1
      body(unsafeBitCast((address, buffer.count, UInt8(0)), to: StaticString.self))
    }
  }
}

/// The application's own types: a name of one letter, whose values consist of that letter.
private func isOwnType(_ type: Span<UInt8>) -> Bool { type.count == 1 }

private func isOwn(_ type: Span<UInt8>, _ value: Span<UInt8>) -> Bool {
  guard isOwnType(type) else { return false }
  for i in value.indices where value[i] != type[0] { return false }
  return true
}

private func checkPath(_ first: PathPattern, _ second: PathPattern, _ path: Span<UInt8>) {
  let match = first.match(path, isOwn: isOwn)
  let other = second.match(path, isOwn: isOwn)
  let isChecked = first.check(isOwnType: isOwnType) == nil
  if let match { checkValues(match, path) }
  guard isChecked else { return }
  let expected = simple(Octets(first.text.octets), Octets(path))
  check(found(match, path) == expected, "a path is matched as a simple matcher does")
  check(PathPattern.isSame(first, first), "a pattern is the same as itself")
  guard second.check(isOwnType: isOwnType) == nil else { return }
  let isSame = PathPattern.isSame(first, second)
  check(isSame == PathPattern.isSame(second, first), "to be the same is so in both directions")
  // An encoded slash may stand for one of the pattern, which shadows leave out of account.
  let lower = Octets(path).map(ASCII.lowercased)
  guard !lower.indices.contains(where: { lower[$0...].starts(with: Octets("%2f")) }) else { return }
  if PathPattern.shadows(first, second), other != nil {
    check(match != nil, "a pattern matches what a pattern matches that it shadows")
  }
  if isSame { check((match == nil) == (other == nil), "patterns that are the same match the same") }
}

private func checkValues(_ match: PathMatch, _ path: Span<UInt8>) {
  var index = 0
  while let value = match.value(index, in: path) {
    check(value.encoded.count > 0, "no value is empty")
    let text = plain(Octets(value.encoded))
    let spelled = String(validating: text, as: UTF8.self)
    check(value.kind != .int || value.integer != nil, "an int is a number")
    if let number = value.integer {
      let digits = spelled.map { $0.hasPrefix("-") ? String($0.dropFirst()) : $0 } ?? ""
      check(spelled.flatMap { Int64($0) } == number, "a number is the one that is spelled")
      check(digits.utf8.allSatisfy { (0x30...0x39).contains($0) }, "a number is spelled in digits")
    }
    check(value.equals(text.span), "a value equals its octets")
    let room = written(capacity: text.count) { writer in
      var target = writer.roomSpan
      let count = value.decode(into: &target)
      writer.advance(by: count ?? 0)
    }
    check(room == text, "a value is decoded into just enough room")
    index += 1
  }
  check(index == match.count && match.value(index, in: path) == nil, "each parameter has a value")
}

/// The values that a match has found, still encoded.
private func found(_ match: PathMatch?, _ path: Span<UInt8>) -> [Octets]? {
  guard let match else { return nil }
  var values: [Octets] = []
  while let value = match.value(values.count, in: path) { values.append(Octets(value.encoded)) }
  return values
}

/// The same in the simplest way: octet by octet of the pattern, with a copy of what is left of the path.
private func simple(_ pattern: Octets, _ path: Octets) -> [Octets]? {
  var found: [Octets] = []
  var path = path[...]
  var pattern = pattern[...]
  while let first = pattern.first {
    guard first == UInt8(ascii: "<"), let close = pattern.firstIndex(of: UInt8(ascii: ">")) else {
      guard let (octet, size) = unit(path), octet == first else { return nil }
      path = path.dropFirst(size)
      pattern = pattern.dropFirst()
      continue
    }
    let words = pattern[..<close].dropFirst().split(separator: UInt8(ascii: ":"))
    let type = words.count == 2 ? String(decoding: words[0], as: UTF8.self) : "text"
    pattern = pattern[(close + 1)...]
    let value = Octets(type == "path" ? path : path.prefix { $0 != UInt8(ascii: "/") })
    path = path.dropFirst(value.count)
    guard isValue(type, value) else { return nil }
    found.append(value)
  }
  return path.isEmpty ? found : nil
}

private func isValue(_ type: String, _ value: Octets) -> Bool {
  let octets = plain(value)
  guard let text = String(validating: octets, as: UTF8.self), !text.isEmpty else { return false }
  if type == "int" { return !text.hasPrefix("+") && Int64(text) != nil }
  // A percent sign that is no encoding has become itself; one that is encoded has not.
  var rest = value[...]
  while let (octet, size) = unit(rest) {
    if octet == UInt8(ascii: "%"), size == 1 { return false }
    rest = rest.dropFirst(size)
  }
  let isPlain = text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
  let segments = octets.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
  let hasDots = segments.contains { Octets($0) == Octets(".") || Octets($0) == Octets("..") }
  let isOfType = type == "text" || type == "path" || value.allSatisfy { [$0] == Octets(type.utf8) }
  return isPlain && !hasDots && isOfType
}

/// The octet that an encoded text begins with, and how many octets spell it.
private func unit(_ text: ArraySlice<UInt8>) -> (octet: UInt8, size: Int)? {
  guard let first = text.first else { return nil }
  let digits = text.dropFirst().prefix(2)
  guard first == UInt8(ascii: "%"), digits.count == 2,
    digits.allSatisfy({ ASCII.hexadecimalDigit($0) != nil })
  else { return (first, 1) }
  return (digits.reduce(0) { $0 << 4 | ASCII.hexadecimalDigit($1)! }, 3)
}

private func plain(_ encoded: Octets) -> Octets {
  var octets = Octets()
  var rest = encoded[...]
  while let (octet, size) = unit(rest) {
    octets.append(octet)
    rest = rest.dropFirst(size)
  }
  return octets
}
