// Everything of a request that comes before its content, as ranges into the octets it was read
// from. The one entrance for what peers send: what this lets through, every later step may rely on.
//
//     HTTP-message = request-line CRLF *( field-line CRLF ) CRLF [ message-body ]   ; RFC 9112 §2.1

public import MartletBytes

/// A request head: what is asked for, and what the server must know to answer.
public struct RequestHead: Equatable, Sendable {
  /// What to do with the target; never CONNECT.
  public let method: Method
  /// Path and query.
  public let target: RequestTarget
  /// 0 for HTTP/1.0, 1 for everything later.
  public let minorVersion: UInt8
  /// The field lines, each with its CRLF, without the empty line.
  public let fieldSection: ByteRange
  /// Of them the lines from the first Cookie field on; none without one.
  public let cookieSection: ByteRange
  /// Octets of the head with the empty line that ends it: where the content begins.
  public let size: Int
  /// How the content is delimited.
  public let framing: BodyFraming
  /// Whether the peer may send another request: HTTP/1.1 without `Connection: close`. HTTP/1.0
  /// always closes.
  public let keepsAlive: Bool
  /// Whether the peer waits for `100 Continue` before it sends the content; never without content.
  public let expectsContinue: Bool
  /// Host and port: of an absolute-form target, or else of the Host field. HTTP/1.0 may have none.
  public let host: ByteRange?

  /// Parses one request head.
  ///
  /// The server calls this each time more has arrived, always from the first octet. No state is
  /// kept between calls, so none can be wrong; `Limits.requestHeadSizeMax` bounds the repetition.
  /// Nothing is copied: the result holds ranges into `octets`.
  ///
  ///     guard let head = try RequestHead.parse(received) else { return .needsMore }
  ///
  /// - Parameter octets: All that has been received and not yet consumed; more may follow the head.
  ///   One empty line before it is skipped (RFC 9112 §2.2) and counts for its size.
  /// - Returns: The head, or `nil` while its end is still to come. An unfinished head is not an
  ///   error: every request passes through that state.
  /// - Throws: The reason why it can never become a request, at the first octet that shows it; the
  ///   peer is owed its `status`, after which the connection closes. Whatever two recipients could
  ///   read differently is refused rather than repaired (request smuggling, RFC 9112 §11.2).
  /// - Complexity: O(n), n = `octets.count`, at most `Limits.requestHeadSizeMax`.
  public static func parse(_ octets: Span<UInt8>) throws(Refusal) -> RequestHead? {
    let sizeMax = Limits.requestHeadSizeMax
    if let head = try parseBounded(octets.extracting(first: min(octets.count, sizeMax))) {
      return head
    }
    guard octets.count < sizeMax else { throw .headTooLarge }
    return nil
  }

  /// The index after the empty line that ends a head, wherever in `octets` it begins.
  ///
  /// For a server that wants to know whether parsing is worth while before it parses.
  ///
  /// - Parameter start: How many octets an earlier search has seen; the last three of them are
  ///   looked at again, because the end may lie across the seam.
  public static func endOfHead(_ octets: Span<UInt8>, from start: Int = 0) -> Int? {
    var i = max(0, start - 3)
    while i + 4 <= octets.count {
      if octets.extracting(i..<i + 4).equals("\r\n\r\n") { return i + 4 }
      i &+= 1
    }
    return nil
  }

  /// The fields of this head.
  ///
  /// - Parameter octets: What the head was parsed from.
  @_lifetime(copy octets)
  public func fields(in octets: Span<UInt8>) -> FieldSection { FieldSection(octets[fieldSection]) }

  /// The fields of this head among which its cookies are.
  ///
  /// - Parameter octets: What the head was parsed from.
  @_lifetime(copy octets)
  public func cookieFields(in octets: Span<UInt8>) -> FieldSection {
    FieldSection(octets[cookieSection])
  }

  private static func parseBounded(_ octets: Span<UInt8>) throws(Refusal) -> RequestHead? {
    var start = 0
    if octets.count > 0, octets[0] == "\r" {
      guard try hasLineEnd(octets, at: 0, orElse: .lineEndMalformed) else { return nil }
      start = 2
    }
    guard let line = try RequestLine.parse(octets, from: start) else { return nil }
    var fields = HeadFields(minorVersion: line.minorVersion)
    var position = line.end
    while let step = try FieldLine.parse(octets, from: position) {
      switch step {
      case .line(let field):
        try fields.take(field, of: octets)
        position = field.end
      case .end(let end):
        return try RequestHead(line, fields, fieldSection: line.end..<position, size: end)
      }
    }
    return nil
  }

  private init(
    _ line: RequestLine, _ fields: HeadFields, fieldSection: Range<Int>, size: Int
  ) throws(Refusal) {
    guard line.minorVersion == 0 || fields.host != nil else { throw .hostMissing }
    method = line.method
    target = line.target
    minorVersion = line.minorVersion
    self.fieldSection = ByteRange(fieldSection)
    let end = fieldSection.upperBound
    cookieSection = ByteRange((fields.cookieStart > 0 ? Int(fields.cookieStart) : end)..<end)
    self.size = size
    framing = try BodyFraming(
      contentLength: fields.contentLength, isChunked: fields.isChunked,
      minorVersion: line.minorVersion)
    keepsAlive = line.minorVersion > 0 && !fields.asksToClose
    expectsContinue = fields.expectsContinue && framing != .none
    host = line.authority ?? fields.host
  }
}
