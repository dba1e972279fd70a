// One line of a field section, read as far as it has arrived:
//
//     field-line   = field-name ":" OWS field-value OWS CRLF            ; RFC 9112 §5
//     field-name   = token
//     field-value  = *( field-vchar / SP / HTAB / obs-text )            ; RFC 9110 §5.5
//
// Heads and trailer sections are both made of it. Nothing is repaired: no blank before the colon,
// no folded line, no control octet, no bare CR or LF.

import MartletBytes

struct FieldLine {
  let name: Range<Int>
  /// The value without the blanks around it.
  let value: Range<Int>
  /// The index after its CRLF.
  let end: Int

  /// What stands at a line's beginning.
  enum Step {
    case line(FieldLine)
    /// The empty line that ends the section, and the index after it.
    case end(Int)
  }

  /// Reads the line that begins at `start`; `nil` while its end has not arrived.
  @inline(__always)
  static func parse(_ octets: Span<UInt8>, from start: Int) throws(Refusal) -> Step? {
    guard start < octets.count else { return nil }
    if octets[start] == "\r" || octets[start] == "\n" {
      guard try hasLineEnd(octets, at: start, orElse: .lineEndMalformed) else { return nil }
      return .end(start + 2)
    }
    if ASCII.isBlank(octets[start]) { throw .fieldLineFolded }
    guard let colon = try endOfName(octets, start) else { return nil }
    guard let valueEnd = try endOfValue(octets, colon + 1) else { return nil }
    guard try hasLineEnd(octets, at: valueEnd, orElse: .lineEndMalformed) else { return nil }
    return .line(
      FieldLine(
        name: start..<colon, value: octets.trimmed(colon + 1..<valueEnd), end: valueEnd + 2))
  }

  /// The index of the colon.
  private static func endOfName(_ octets: Span<UInt8>, _ start: Int) throws(Refusal) -> Int? {
    var i = start
    while i < octets.count {
      if octets[i] == ":", i > start { return i }
      // Some recipients would drop the blank and others the line (RFC 9112 §5.1).
      if ASCII.isBlank(octets[i]) { throw .spaceBeforeColon }
      guard ASCII.isTokenCharacter(octets[i]) else { throw .fieldNameMalformed }
      i &+= 1
    }
    return nil
  }

  /// The index of the CR or LF after the value.
  private static func endOfValue(_ octets: Span<UInt8>, _ start: Int) throws(Refusal) -> Int? {
    var i = start
    while let control = octets.firstControl(from: i) {
      if octets[control] == "\r" || octets[control] == "\n" { return control }
      guard ASCII.isFieldValueOctet(octets[control]) else { throw .fieldValueMalformed }
      i = control &+ 1
    }
    return nil
  }
}
