// Parses one line of a field section, as far as the line has arrived:
//
//     field-line   = field-name ":" OWS field-value OWS CRLF            ; RFC 9112 §5
//     field-name   = token
//     field-value  = *( field-vchar / SP / HTAB / obs-text )            ; RFC 9110 §5.5
//
// Heads and trailer sections consist of such lines. The parser refuses a blank before the colon, a folded
// line, a control octet, a bare CR and a bare LF. It repairs none of these.

import MartletBytes

struct FieldLine {
  let name: Range<Int>
  /// The value without the blanks around it.
  let value: Range<Int>
  /// The index after the line's CRLF.
  let end: Int

  /// What was found at the start of a line.
  enum Step {
    case line(FieldLine)
    /// The empty line that ends the section, and the index after that line.
    case end(Int)
  }

  /// Parses the line that begins at `start`. Returns `nil` while the line's end has not arrived.
  @inline(never)
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
      // Some recipients drop the blank and some drop the line, so both see different fields (RFC 9112 §5.1).
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
