// Why a request is refused. One case for each reason that a test can provoke, one table from reason
// to status, one sentence for the person who reads the answer. After a refusal the connection
// closes: where the next request would begin is no longer certain (RFC 9112 §9.6).

/// The reason why a request is refused, before any page has seen it.
public enum Refusal: Error, Equatable, Sendable {
  // MARK: Request line (RFC 9112 §3)

  /// Not `method SP request-target SP HTTP-version CRLF`.
  case requestLineMalformed
  /// A token that is no method we know, or CONNECT, which is for proxies.
  case methodUnknown
  /// A target in none of the four forms, or in one that its method does not take.
  case targetMalformed
  /// A target beyond `Limits.requestTargetSizeMax`.
  case targetTooLong
  /// A `%` in the path that two hexadecimal digits do not follow.
  case pathMalformed
  /// Not `HTTP/` digit `.` digit.
  case versionMalformed
  /// A well-formed version other than 1.x.
  case versionUnsupported

  // MARK: Field section (RFC 9112 §5)

  /// A CR without LF, or a LF without CR.
  case lineEndMalformed
  /// An empty name, an octet in it that is no tchar, or a line without a colon.
  case fieldNameMalformed
  /// A space between name and colon: recipients that disagree about it can be set against each
  /// other.
  case spaceBeforeColon
  /// A line that begins with a blank (obs-fold).
  case fieldLineFolded
  /// A control octet in a value.
  case fieldValueMalformed
  /// A head beyond `Limits.requestHeadSizeMax`.
  case headTooLarge
  /// More field lines than `Limits.fieldLineCountMax`.
  case tooManyFieldLines
  /// Cookie values beyond `Limits.cookieSizeMax` together.
  case cookiesTooLarge
  /// HTTP/1.1 without Host.
  case hostMissing
  /// More than one Host.
  case hostRepeated
  /// A Host that is not `uri-host [ ":" port ]`, or empty.
  case hostMalformed
  /// An expectation other than `100-continue`.
  case expectationUnknown

  // MARK: Framing (RFC 9112 §6 and §7)

  /// A Content-Length that is not digits only.
  case contentLengthMalformed
  /// Several Content-Length lines, also when they agree.
  case contentLengthRepeated
  /// A Transfer-Encoding other than exactly `chunked`.
  case transferCodingUnknown
  /// Several Transfer-Encoding lines.
  case transferEncodingRepeated
  /// Transfer-Encoding in HTTP/1.0, which does not have it.
  case transferEncodingInOldVersion
  /// Content-Length and Transfer-Encoding together: the classic of request smuggling.
  case framingAmbiguous
  /// Content beyond `Limits.requestContentSizeMax`, whether declared or sent.
  case contentTooLarge
  /// A chunk size that is not 1 to 16 hexadecimal digits.
  case chunkSizeMalformed
  /// A chunk whose data CR LF does not follow.
  case chunkEndMissing
  /// A control octet in a chunk extension, or a line end other than CR LF.
  case chunkExtensionMalformed
  /// Chunk extensions beyond `Limits.chunkExtensionSizeMax` together.
  case chunkExtensionsTooLarge
  /// A trailer section beyond `Limits.chunkExtensionSizeMax`.
  case trailerSectionTooLarge
  /// A trailer field that would change framing or routing (RFC 9110 §6.5.1).
  case trailerFieldForbidden

  // MARK: Time

  /// The head was not complete in time.
  case headTimeout
  /// The content was not complete in time.
  case contentTimeout

  /// The status that the peer is owed.
  public var status: Status {
    switch self {
    case .requestLineMalformed, .targetMalformed, .pathMalformed, .versionMalformed,
      .lineEndMalformed, .fieldNameMalformed, .spaceBeforeColon, .fieldLineFolded,
      .fieldValueMalformed, .hostMissing, .hostRepeated, .hostMalformed,
      .contentLengthMalformed, .contentLengthRepeated, .transferEncodingRepeated,
      .transferEncodingInOldVersion, .framingAmbiguous, .chunkSizeMalformed, .chunkEndMissing,
      .chunkExtensionMalformed, .trailerFieldForbidden:
      .badRequest
    case .headTimeout, .contentTimeout: .requestTimeout
    case .contentTooLarge, .chunkExtensionsTooLarge: .contentTooLarge
    case .targetTooLong: .uriTooLong
    case .expectationUnknown: .expectationFailed
    case .headTooLarge, .tooManyFieldLines, .cookiesTooLarge, .trailerSectionTooLarge:
      .requestHeaderFieldsTooLarge
    case .methodUnknown, .transferCodingUnknown: .notImplemented
    case .versionUnsupported: .httpVersionNotSupported
    }
  }

  /// The reason in one sentence for a person; it repeats nothing of the request.
  public var reason: StaticString {
    switch self {
    case .requestLineMalformed: "The request line is malformed."
    case .methodUnknown: "The method is not implemented."
    case .targetMalformed: "The request target is malformed."
    case .targetTooLong: "The request target is too long."
    case .pathMalformed: "The path has an invalid percent-encoding."
    case .versionMalformed: "The HTTP version is malformed."
    case .versionUnsupported: "The HTTP version is not supported."
    case .lineEndMalformed: "A line does not end in CR LF."
    case .fieldNameMalformed: "A field name is malformed."
    case .spaceBeforeColon: "A field name is followed by a space."
    case .fieldLineFolded: "A field line is folded."
    case .fieldValueMalformed: "A field value holds a control character."
    case .headTooLarge: "The request head is too large."
    case .tooManyFieldLines: "The request has too many field lines."
    case .cookiesTooLarge: "The cookies are too large."
    case .hostMissing: "The Host field is missing."
    case .hostRepeated: "The Host field is repeated."
    case .hostMalformed: "The Host field is malformed."
    case .expectationUnknown: "The expectation cannot be met."
    case .contentLengthMalformed: "The Content-Length is malformed."
    case .contentLengthRepeated: "The Content-Length is repeated."
    case .transferCodingUnknown: "The transfer coding is not implemented."
    case .transferEncodingRepeated: "The Transfer-Encoding is repeated."
    case .transferEncodingInOldVersion: "HTTP/1.0 has no Transfer-Encoding."
    case .framingAmbiguous: "Content-Length and Transfer-Encoding contradict each other."
    case .contentTooLarge: "The content is too large."
    case .chunkSizeMalformed: "A chunk size is malformed."
    case .chunkEndMissing: "A chunk does not end in CR LF."
    case .chunkExtensionMalformed: "A chunk extension is malformed."
    case .chunkExtensionsTooLarge: "The chunk extensions are too large."
    case .trailerSectionTooLarge: "The trailer section is too large."
    case .trailerFieldForbidden: "A trailer field is not allowed there."
    case .headTimeout: "The request head did not arrive in time."
    case .contentTimeout: "The content did not arrive in time."
    }
  }
}
