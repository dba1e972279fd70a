// Parses the framing of content in chunks (RFC 9112 §7.1):
//
//     chunked-body   = *chunk last-chunk trailer-section CRLF
//     chunk          = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
//     last-chunk     = 1*("0") [ chunk-ext ] CRLF
//
// `ContentDecoder` calls this parser step by step, and removes the framing. Extensions and trailers are
// checked, bounded and ignored.

import MartletBytes

/// Content in chunks, whose length was not known when its head was sent.
enum ChunkedContent {
  /// What was found where a chunk may begin.
  enum Part: Equatable, Sendable {
    /// A chunk's line of `lineSize` octets. `count` octets of content follow, then CR LF.
    case chunk(count: Int, lineSize: Int)
    /// The last chunk and the trailer section: the content ends after `size` octets.
    case end(size: Int)
  }

  /// Parses one step of the framing, before the whole content has arrived.
  ///
  /// - Parameters:
  ///   - octets: The octets that have been received, from the place where a chunk may begin.
  ///   - countMax: How many octets the chunk may have. Beyond: `.contentTooLarge`.
  ///   - extensionSize: Octets of the extensions of earlier chunks. The call adds this chunk's extensions.
  /// - Returns: `nil` while the line, or the trailer section, is not complete.
  /// - Throws: The reason why the framing is refused, at the first octet that shows the reason.
  /// - Complexity: O(n) in the octets of one line, or of the trailer section; both are bounded.
  static func part(
    _ octets: Span<UInt8>, countMax: Int, extensionSize: inout UInt16
  ) throws(Refusal) -> Part? {
    guard
      let line = try ChunkLine.parse(
        octets, from: 0, extensionSize: Int(extensionSize), sizeMax: countMax)
    else { return nil }
    guard line.chunkSize == 0 else {
      extensionSize = UInt16(line.extensionSize)
      return .chunk(count: line.chunkSize, lineSize: line.end)
    }
    return try endOfTrailers(octets, line.end).map { .end(size: $0) }
  }

  /// The index after the empty line that ends the trailer section. `nil` while that line has not arrived.
  private static func endOfTrailers(
    _ octets: Span<UInt8>, _ start: Int
  ) throws(Refusal) -> Int? {
    let boundEnd = min(octets.count, start + Limits.chunkExtensionSizeMax + 2)
    let trailers = octets.extracting(0..<boundEnd)
    var position = start
    while let step = try FieldLine.parse(trailers, from: position) {
      switch step {
      case .end(let end): return end
      case .line(let line):
        guard isAllowed(trailers.extracting(line.name)) else { throw .trailerFieldForbidden }
        position = line.end
      }
    }
    guard trailers.count - start < Limits.chunkExtensionSizeMax + 2
    else { throw .trailerSectionTooLarge }
    return nil
  }

  /// Whether a trailer may have that name: fields that frame or route a message may not follow it (RFC 9110
  /// §6.5.1).
  private static func isAllowed(_ name: Span<UInt8>) -> Bool {
    !name.equalsIgnoringCase("Content-Length") && !name.equalsIgnoringCase("Transfer-Encoding")
      && !name.equalsIgnoringCase("Host")
  }
}
