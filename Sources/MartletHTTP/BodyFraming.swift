// Where a request's content ends (RFC 9112 §6.3), decided in one place. Every disagreement about it
// between two recipients is a way to smuggle a request past one of them (RFC 9112 §11.2), so what
// is ambiguous is refused and never repaired.

/// How a request's content is delimited.
public enum BodyFraming: Equatable, Sendable {
  /// There is no content; `Content-Length: 0` says the same.
  case none
  /// That many octets follow the head: 1 to `Limits.requestPiecesSizeMax`.
  case length(Int)
  /// Chunks follow the head (RFC 9112 §7.1).
  case chunked

  /// - Parameters:
  ///   - contentLength: What the one Content-Length line says, already checked.
  ///   - isChunked: Whether the one Transfer-Encoding line says `chunked`.
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
