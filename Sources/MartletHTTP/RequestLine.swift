// Parses the first line of a request, as far as the line has arrived:
//
//     request-line = method SP request-target SP HTTP-version CRLF      ; RFC 9112 §3
//     HTTP-version = %s"HTTP" "/" DIGIT "." DIGIT                       ; RFC 9112 §2.3
//
// Each SP is exactly one space. A line is refused at the first wrong octet, so that a peer that speaks
// another protocol, such as TLS, is answered at once.

import MartletBytes

struct RequestLine {
  let method: Method
  let target: RequestTarget
  /// The authority of an absolute-form target. It replaces the Host field (RFC 9112 §3.2.2).
  let authority: ByteRange?
  /// 0 or 1.
  let minorVersion: UInt8
  /// The index after the line's CRLF.
  let end: Int

  /// Parses the line that begins at `start`. Returns `nil` while the line's end has not arrived.
  static func parse(_ octets: Span<UInt8>, from start: Int) throws(Refusal) -> RequestLine? {
    guard let methodEnd = try endOfMethod(octets, start) else { return nil }
    guard let method = Method.parse(octets.extracting(start..<methodEnd)), method != .connect
    else { throw .methodUnknown }
    guard let targetEnd = try endOfTarget(octets, methodEnd + 1) else { return nil }
    let parts = try RequestTarget.parse(octets, methodEnd + 1..<targetEnd, method)
    guard let minorVersion = try minorVersion(octets, targetEnd + 1) else { return nil }
    let versionEnd = targetEnd + 1 + 8
    guard try hasLineEnd(octets, at: versionEnd, orElse: .requestLineMalformed) else { return nil }
    return RequestLine(
      method: method, target: parts.target, authority: parts.authority,
      minorVersion: minorVersion, end: versionEnd + 2)
  }

  /// The index of the space after the method.
  private static func endOfMethod(_ octets: Span<UInt8>, _ start: Int) throws(Refusal) -> Int? {
    var i = start
    while i < octets.count {
      if octets[i] == " ", i > start { return i }
      guard ASCII.isTokenCharacter(octets[i]) else { throw .requestLineMalformed }
      i &+= 1
      guard i - start <= Method.sizeMax else { throw .methodUnknown }
    }
    return nil
  }

  /// The index of the space after the target. Controls and blanks are refused. Octets that a client should
  /// have percent-encoded are accepted and stand for themselves.
  private static func endOfTarget(_ octets: Span<UInt8>, _ start: Int) throws(Refusal) -> Int? {
    let end = octets.firstIndex(of: 0x20, from: start)
    let seen = octets.extracting(first: end ?? octets.count)
    let sizeMax = Limits.requestTargetSizeMax
    // A target with a control octet and too many octets is refused for the fault that comes first.
    if let control = seen.firstControl(from: start), control - start <= sizeMax {
      throw .requestLineMalformed
    }
    guard seen.count - start <= sizeMax else { throw .targetTooLong }
    if let end { return end }
    return nil
  }

  /// The minor version, at most 1, because HTTP/1.2 and later are answered as HTTP/1.1 (RFC 9110 §2.5).
  /// Returns `nil` while the version has not arrived.
  private static func minorVersion(_ octets: Span<UInt8>, _ start: Int) throws(Refusal) -> UInt8? {
    let name = ("HTTP/" as StaticString).octets
    var digits = InlineArray<2, UInt8>(repeating: 0)
    for position in 0..<8 {
      let i = start + position
      guard i < octets.count else { return nil }
      switch position {
      case 0..<5: guard octets[i] == name[position] else { throw .versionMalformed }
      case 6: guard octets[i] == "." else { throw .versionMalformed }
      default:
        guard let digit = ASCII.digit(octets[i]) else { throw .versionMalformed }
        digits[position == 5 ? 0 : 1] = digit
      }
    }
    guard digits[0] == 1 else { throw .versionUnsupported }
    return min(digits[1], 1)
  }
}
