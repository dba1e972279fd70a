// Splits a request-target (RFC 9112 §3.2) into path and query, both still encoded.
//
//     origin-form   = absolute-path [ "?" query ]         ; /login?next=/
//     absolute-form = absolute-URI                       ; http://host/login: served like the above
//     asterisk-form = "*"                                 ; with OPTIONS only
//     authority-form                                      ; with CONNECT only, so never
//
// The results are ranges into the request's octets. A route sees the same kind of path for every form.

public import MartletBytes

/// The path and the query of a request.
public struct RequestTarget: Equatable, Sendable {
  /// The path, encoded as it was sent: the path begins with `/`, or is `*`. Two hexadecimal digits follow
  /// every `%`. The path holds no octet over 127, no control, no blank and no `#`.
  public let path: ByteRange
  /// The query without its `?`, or `nil` without a query. The query holds no control, no blank, no `#` and no
  /// octet over 127. Nothing else has been checked.
  public let query: ByteRange?

  /// Parses the target at `range`.
  ///
  /// A fragment and an octet over 127 are refused, because no form allows them (RFC 9112 §3.2, RFC 3986 §2).
  /// Recipients that drop or convert them would answer for another target.
  ///
  /// - Returns: The target, and the range of the authority when the target is in absolute-form.
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
    // User information before an "@" is dropped, because it has no meaning here (RFC 9110 §4.2.4).
    var host = start
    for i in start..<end where octets[i] == "@" { host = i &+ 1 }
    guard Host.isValid(octets.extracting(host..<end)) else { throw .targetMalformed }
    let authority = ByteRange(host..<end)
    if end < range.upperBound, octets[end] == "/" {
      return (try RequestTarget(octets, end, range.upperBound), authority)
    }
    // An empty path means "/" (RFC 9110 §4.2.3). The range is that of the second slash in the scheme's "//".
    let slash = ByteRange(start - 1..<start)
    let query = end < range.upperBound ? ByteRange(end + 1..<range.upperBound) : nil
    return (RequestTarget(path: slash, query: query), authority)
  }

  /// The index after `http://` or `https://`, in upper or lower case. `nil` for every other scheme.
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
