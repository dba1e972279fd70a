// Parses the head of a request: everything before its content. The result holds ranges into the octets of
// the request. Everything that peers send passes this parser first, so every later step may rely on its
// checks.
//
//     HTTP-message = request-line CRLF *( field-line CRLF ) CRLF [ message-body ]   ; RFC 9112 §2.1

public import MartletBytes

/// A request head: method, target, fields, and how the connection goes on.
public struct RequestHead: Equatable, Sendable {
  /// The method; never CONNECT.
  public let method: Method
  /// Path and query.
  public let target: RequestTarget
  /// 0 for HTTP/1.0, 1 for every later version of HTTP/1.
  public let minorVersion: UInt8
  /// The field lines, each with its CRLF, without the empty line.
  public let fieldSection: ByteRange
  /// The field lines from the first Cookie field on; empty without a Cookie field.
  public let cookieSection: ByteRange
  /// Octets of the head, with the empty line that ends it. The content begins at this index.
  public let size: Int
  /// How the content is delimited.
  public let framing: BodyFraming
  /// Whether the peer may send another request: true for HTTP/1.1 without `Connection: close`. HTTP/1.0
  /// connections always close.
  public let keepsAlive: Bool
  /// Whether the peer waits for `100 Continue` before it sends the content. `false` without content.
  public let expectsContinue: Bool
  /// Host and port of an absolute-form target, otherwise of the Host field. HTTP/1.0 may have none.
  public let host: ByteRange?

  /// Parses one request head.
  ///
  /// The server calls this function each time octets have arrived, always from the head's first octet. The
  /// parser keeps no state between calls. `Limits.requestHeadSizeMax` bounds how often octets are parsed
  /// again. Nothing is copied: the result holds ranges into `octets`.
  ///
  ///     guard let head = try RequestHead.parse(received) else { return .needsMore }
  ///
  /// - Parameter octets: All octets that have been received and not yet consumed; more may follow the head.
  ///   One empty line before the head is skipped (RFC 9112 §2.2) and is part of the head's `size`.
  /// - Returns: The head, or `nil` while its end has not arrived. An unfinished head is no error, because
  ///   every request passes through that state.
  /// - Throws: The reason why the octets cannot become a request, at the first octet that shows the reason.
  ///   The server answers with the reason's `status` and closes the connection. Octets that two recipients
  ///   could read differently are refused, not repaired (request smuggling, RFC 9112 §11.2).
  /// - Complexity: O(n), n = `octets.count`, at most `Limits.requestHeadSizeMax`.
  public static func parse(_ octets: Span<UInt8>) throws(Refusal) -> RequestHead? {
    let sizeMax = Limits.requestHeadSizeMax
    if let head = try parseBounded(octets.extracting(first: min(octets.count, sizeMax))) {
      return head
    }
    guard octets.count < sizeMax else { throw .headTooLarge }
    return nil
  }

  /// The index after the empty line that ends a head, wherever in `octets` the head begins.
  ///
  /// The server calls this function first, so that it parses only complete heads.
  ///
  /// - Parameter start: How many octets an earlier call has searched. The last three of them are searched
  ///   again, because the head's end may lie across that index.
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
  /// - Parameter octets: The octets from which the head was parsed.
  @_lifetime(copy octets)
  public func fields(in octets: Span<UInt8>) -> FieldSection { FieldSection(octets[fieldSection]) }

  /// The fields of this head from the first Cookie field on. They hold all cookies of the request.
  ///
  /// - Parameter octets: The octets from which the head was parsed.
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
        try fields.parse(field, of: octets)
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
