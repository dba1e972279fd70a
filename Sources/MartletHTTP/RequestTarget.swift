// What a request is for: the request-target (RFC 9112 §3.2) as path and query, still encoded.
//
//     origin-form   = absolute-path [ "?" query ]         ; /login?next=/
//     absolute-form = absolute-URI                       ; http://host/login: served like the above
//     asterisk-form = "*"                                 ; with OPTIONS only
//     authority-form                                      ; with CONNECT only, so never
//
// Ranges into the request's octets; whoever routes sees one kind of path, whatever the form was.

public import MartletBytes

/// The path and the query of a request.
public struct RequestTarget: Equatable, Sendable {
  /// The path, encoded as it came: it begins with `/`, or it is `*`. Every `%` in it is followed by
  /// two hexadecimal digits; octets over 127, controls, blanks and `#` are not in it.
  public let path: ByteRange
  /// The query without its `?`, or `nil` when there is none. Nothing in it has been checked but
  /// that it holds no control, no blank, no `#` and no octet over 127.
  public let query: ByteRange?

  /// Takes the target at `range` apart.
  ///
  /// Neither a fragment nor an octet over 127 is part of any form (RFC 9112 §3.2, RFC 3986 §2): a
  /// recipient that drops or converts one asks for something else than a recipient that does not.
  ///
  /// - Returns: The target, and of an absolute-form the range of its authority.
  /// - Throws: `.targetMalformed` or `.pathMalformed`.
  static func parse(
    _ octets: Span<UInt8>, _ range: Range<Int>, _ method: Method
  ) throws(Refusal) -> (target: RequestTarget, authority: ByteRange?) {
    let end = range.upperBound
    guard range.lowerBound < end else { throw .targetMalformed }
    let text = octets.extracting(range)
    for i in text.indices where text[i] > 0x7F || text[i] == "#" { throw .targetMalformed }
    if text[0] == "/" { return (try RequestTarget(octets, range.lowerBound, end), nil) }
    if text.equals("*") {
      guard method == .options else { throw .targetMalformed }
      let asterisk = ByteRange(range.lowerBound..<end)
      return (RequestTarget(path: asterisk, query: nil), nil)
    }
    return try absoluteForm(octets, range.lowerBound..<end)
  }

  private static func absoluteForm(
    _ octets: Span<UInt8>, _ range: Range<Int>
  ) throws(Refusal) -> (target: RequestTarget, authority: ByteRange?) {
    guard let start = endOfScheme(octets, range) else { throw .targetMalformed }
    var end = start
    while end < range.upperBound, octets[end] != "/", octets[end] != "?" { end &+= 1 }
    // User information before an "@" names nobody here and is left out (RFC 9110 §4.2.4).
    var host = start
    for i in start..<end where octets[i] == "@" { host = i &+ 1 }
    guard Host.isValid(octets.extracting(host..<end)) else { throw .targetMalformed }
    let authority = ByteRange(host..<end)
    if end < range.upperBound, octets[end] == "/" {
      return (try RequestTarget(octets, end, range.upperBound), authority)
    }
    // An empty path means "/" (RFC 9110 §4.2.3): the second slash of the scheme's "//" stands in.
    let slash = ByteRange(start - 1..<start)
    let query = end < range.upperBound ? ByteRange(end + 1..<range.upperBound) : nil
    return (RequestTarget(path: slash, query: query), authority)
  }

  /// The index after `http://` or `https://` in any case, or `nil` for everything else.
  private static func endOfScheme(_ octets: Span<UInt8>, _ range: Range<Int>) -> Int? {
    for scheme in 0..<2 {
      let prefix: StaticString = scheme == 0 ? "http://" : "https://"
      let end = range.lowerBound + prefix.utf8CodeUnitCount
      guard end <= range.upperBound else { continue }
      if octets.extracting(range.lowerBound..<end).equalsIgnoringCase(prefix) { return end }
    }
    return nil
  }

  private init(path: ByteRange, query: ByteRange?) {
    self.path = path
    self.query = query
  }

  /// The target whose path begins with the `/` at `start`.
  private init(_ octets: Span<UInt8>, _ start: Int, _ end: Int) throws(Refusal) {
    let mark = octets.extracting(0..<end).firstIndex(of: 0x3F, from: start)
    path = ByteRange(start..<(mark ?? end))
    query = mark.map { ByteRange($0 + 1..<end) }
    guard PercentDecoder.isWellFormed(octets[path]) else { throw .pathMalformed }
  }
}
