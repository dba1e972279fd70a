// The reasons why a request is refused. Each case is a reason that a test can provoke. One table gives
// each reason a status, and a sentence for the person who reads the answer. After a refusal the server
// closes the connection, because the start of the next request is no longer certain (RFC 9112 §9.6).

import MartletBytes

/// The reason why a request is refused, before any page has seen it.
public enum Refusal: UInt8, Error, Equatable, Sendable {
  // MARK: Request line (RFC 9112 §3)

  /// The line is not `method SP request-target SP HTTP-version CRLF`.
  case requestLineMalformed
  /// A token that is none of `Method`'s cases, or CONNECT, which is for proxies.
  case methodUnknown
  /// A target in none of the four forms, or in a form that the method does not allow. Also a target with a
  /// fragment, or with an octet over 127.
  case targetMalformed
  /// A target beyond `Limits.requestTargetSizeMax`.
  case targetTooLong
  /// A `%` in the path without two hexadecimal digits behind it.
  case pathMalformed
  /// The version is not `HTTP/` digit `.` digit.
  case versionMalformed
  /// A well-formed version other than 1.x.
  case versionUnsupported

  // MARK: Field section (RFC 9112 §5)

  /// A CR without LF, or a LF without CR.
  case lineEndMalformed
  /// An empty name, a name with an octet that is no tchar, or a line without a colon.
  case fieldNameMalformed
  /// A blank between name and colon. Some recipients drop the blank and some drop the line, which attackers
  /// use.
  case spaceBeforeColon
  /// A line that begins with a blank (obs-fold).
  case fieldLineFolded
  /// A control octet in a value.
  case fieldValueMalformed
  /// A head beyond `Limits.requestHeadSizeMax`.
  case headTooLarge
  /// More field lines than `Limits.fieldLineCountMax`.
  case tooManyFieldLines
  /// An HTTP/1.1 request without Host.
  case hostMissing
  /// More than one Host line.
  case hostRepeated
  /// A Host that is neither `uri-host [ ":" port ]` nor empty.
  case hostMalformed
  /// More than one line of Authorization, Content-Type, Origin or Sec-Fetch-Site.
  case fieldRepeated
  /// An expectation other than `100-continue`.
  case expectationUnknown

  // MARK: Framing (RFC 9112 §6 and §7)

  /// A Content-Length that holds other octets than digits.
  case contentLengthMalformed
  /// Several Content-Length lines, even with equal values.
  case contentLengthRepeated
  /// A Transfer-Encoding other than exactly `chunked`.
  case transferEncodingMalformed
  /// Several Transfer-Encoding lines.
  case transferEncodingRepeated
  /// Transfer-Encoding in HTTP/1.0, which does not define that field.
  case transferEncodingInOldVersion
  /// Content-Length together with Transfer-Encoding, the best-known way to smuggle a request.
  case framingAmbiguous
  /// Content beyond `Limits.requestContentSizeMax`, whether declared or sent.
  case contentTooLarge
  /// A chunk size that is not 1 to 16 hexadecimal digits.
  case chunkSizeMalformed
  /// A chunk without CR LF behind its data.
  case chunkEndMissing
  /// Octets after a chunk size that are no chunk extension.
  case chunkExtensionMalformed
  /// Chunk extensions of one content that have more than `Limits.chunkExtensionSizeMax` octets together.
  case chunkExtensionsTooLarge
  /// A trailer section beyond `Limits.chunkExtensionSizeMax`.
  case trailerSectionTooLarge
  /// A trailer field that would change framing or routing (RFC 9110 §6.5.1).
  case trailerFieldForbidden

  // MARK: Time

  /// The head was not complete within `Limits.headTimeoutMilliseconds`.
  case headTimeout
  /// The content did not arrive in time.
  case contentTimeout

  /// A line for each case, in the order of the cases: the status of the answer, and the reason.
  private static var table: StaticString {
    """
    400 The request line is malformed.
    501 The method is not implemented.
    400 The request target is malformed.
    414 The request target is too long.
    400 The path has an invalid percent-encoding.
    400 The HTTP version is malformed.
    505 The HTTP version is not supported.
    400 A line does not end in CR LF.
    400 A field name is malformed.
    400 A field name is followed by a space.
    400 A field line is folded.
    400 A field value holds a control character.
    431 The request head is too large. Most likely cookies fill it: delete the cookies of this host, the \
    name in the address line, in your browser, and try again.
    431 The request has too many field lines.
    400 The Host field is missing.
    400 The Host field is repeated.
    400 The Host field is malformed.
    400 Authorization, Content-Type, Origin or Sec-Fetch-Site is repeated.
    417 The expectation cannot be met.
    400 The Content-Length is malformed.
    400 The Content-Length is repeated.
    400 The Transfer-Encoding is not chunked.
    400 The Transfer-Encoding is repeated.
    400 HTTP/1.0 has no Transfer-Encoding.
    400 Content-Length and Transfer-Encoding contradict each other.
    413 The content is too large.
    400 A chunk size is malformed.
    400 A chunk does not end in CR LF.
    400 A chunk extension is malformed.
    413 The chunk extensions are too large.
    431 The trailer section is too large.
    400 A trailer field is not allowed there.
    408 The request head did not arrive in time.
    408 The content did not arrive in time.
    """
  }

  /// The status of the answer.
  public var status: Status {
    let line = Self.table.line(Int(rawValue))
    return Status(UInt16(line.extracting(first: 3).decimal() ?? 400))
  }

  /// The reason in words for a person. The words repeat nothing of the request.
  public var reason: Span<UInt8> {
    @_lifetime(immortal)
    get {
      let line = Self.table.line(Int(rawValue))
      return line.extracting(4..<line.count)
    }
  }
}
