// Decides where a request's content ends (RFC 9112 §6.3). Ambiguous framing is refused and never repaired.
// When two recipients disagree about the end, a request can be smuggled past one of them (RFC 9112 §11.2).

/// How a request's content is delimited.
public enum BodyFraming: Equatable, Sendable {
  /// There is no content: no framing field, or `Content-Length: 0`.
  case none
  /// The content has this many octets, 1 to `Limits.requestPiecesSizeMax`.
  case length(Int)
  /// Chunks follow the head (RFC 9112 §7.1).
  case chunked

  /// - Parameters:
  ///   - contentLength: The checked value of the only Content-Length line, or `nil` without that line.
  ///   - isChunked: Whether there is a Transfer-Encoding line; its value is `chunked`.
  ///   - minorVersion: 0 or 1.
  init(contentLength: Int?, isChunked: Bool, minorVersion: UInt8) throws(Refusal) {
    if isChunked {
      guard minorVersion > 0 else { throw .transferEncodingInOldVersion }
      guard contentLength == nil else { throw .framingAmbiguous }
      self = .chunked
    } else if let contentLength, contentLength > 0 {
      self = .length(contentLength)
    } else {
      self = .none
    }
  }
}
