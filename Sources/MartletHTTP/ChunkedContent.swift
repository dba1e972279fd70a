// Parses content in chunks (RFC 9112 §7.1), and removes the framing in place:
//
//     chunked-body   = *chunk last-chunk trailer-section CRLF
//     chunk          = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
//     last-chunk     = 1*("0") [ chunk-ext ] CRLF
//
// `parse` keeps no state between calls: each call begins at the first chunk, and sees all octets that have
// arrived. The server consumes the octets when the content is complete. Extensions and trailers are
// checked, bounded and ignored.

import MartletBytes

/// Content in chunks, whose length was not known when its head was sent.
public enum ChunkedContent {
  /// The sizes of a complete content in chunks.
  public struct Extent: Equatable, Sendable {
    /// Octets of the content without framing, at most `Limits.requestContentSizeMax`.
    public let contentCount: Int
    /// Octets with all framing, the trailer section and the empty line, at most `ChunkedContent.sizeMax`.
    /// The next request begins behind them.
    public let size: Int
  }

  /// Octets that one content may have with its framing: the receive buffer without the largest head. Content
  /// in very small chunks reaches this bound before the content limit.
  public static var sizeMax: Int { Limits.receiveSizeMax - Limits.requestHeadSizeMax }

  /// Checks the content that begins with `octets`.
  ///
  /// - Parameter octets: All that has been received behind the head.
  /// - Returns: The content's extent, or `nil` while the content's end has not arrived.
  /// - Throws: The reason why the content is refused, at the first octet that shows the reason. Reasons are
  ///   a size that is not hexadecimal digits only, and a line end other than CR LF. Content, extensions and
  ///   trailers beyond their limits are refused; for content, the size of a chunk decides.
  /// - Complexity: O(n), n = `octets.count`, at most `sizeMax`.
  public static func parse(_ octets: Span<UInt8>) throws(Refusal) -> Extent? {
    let received = octets.extracting(first: min(octets.count, sizeMax))
    var position = 0
    var contentCount = 0
    var extensionSize = 0
    while let line = try ChunkLine.parse(received, from: position, extensionSize: extensionSize) {
      extensionSize = line.extensionSize
      if line.chunkSize == 0 {
        guard let end = try endOfTrailers(received, line.end) else { break }
        return Extent(contentCount: contentCount, size: end)
      }
      contentCount &+= line.chunkSize
      guard contentCount <= Limits.requestContentSizeMax else { throw .contentTooLarge }
      let dataEnd = line.end + line.chunkSize
      guard try hasLineEnd(received, at: dataEnd, orElse: .chunkEndMissing) else { break }
      position = dataEnd + 2
    }
    guard octets.count < sizeMax else { throw .contentTooLarge }
    return nil
  }

  /// What was found where a chunk may begin.
  public enum Part: Equatable, Sendable {
    /// A chunk's line of `lineSize` octets. `count` octets of content follow, then CR LF.
    case chunk(count: Int, lineSize: Int)
    /// The last chunk and the trailer section: the content ends after `size` octets.
    case end(size: Int)
  }

  /// Parses one step of content that a page reads in pieces, before the whole content has arrived.
  ///
  /// - Parameters:
  ///   - octets: The octets that have been received, from the place where a chunk may begin.
  ///   - countMax: How many octets the chunk may have. Beyond: `.contentTooLarge`.
  ///   - extensionSize: Octets of the extensions of earlier chunks. The call adds this chunk's extensions.
  /// - Returns: `nil` while the line, or the trailer section, is not complete.
  /// - Throws: As `parse` does.
  /// - Complexity: O(n) in the octets of one line, or of the trailer section; both are bounded.
  public static func part(
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

  /// Whether `octets` begin with the CR LF after a chunk's content. `false` while CR LF may still arrive.
  public static func endsChunk(_ octets: Span<UInt8>) throws(Refusal) -> Bool {
    try hasLineEnd(octets, at: 0, orElse: .chunkEndMissing)
  }

  /// Moves the content of all chunks to where the first chunk began, without the framing.
  ///
  ///     5 CR LF h e l l o CR LF 0 CR LF CR LF     before
  ///     h e l l o . . .                           after; what follows the content has no meaning
  ///
  /// - Parameters:
  ///   - octets: Octets that `parse` has found to be complete.
  ///   - start: The index of the first chunk.
  /// - Returns: How many octets the content has from `start` on.
  public static func compact(_ octets: inout MutableSpan<UInt8>, from start: Int = 0) -> Int {
    var source = start
    var target = start
    while let line = checkedLine(octets.span, from: source), line.chunkSize > 0 {
      invariant(line.end + line.chunkSize <= octets.count, "only complete content is compacted")
      // The target stays behind the source, because each chunk's line is dropped.
      for i in line.end..<line.end + line.chunkSize {
        octets[target] = octets[i]
        target &+= 1
      }
      source = line.end + line.chunkSize + 2
    }
    return target - start
  }

  /// The chunk line at `start` of content that has been checked.
  private static func checkedLine(_ octets: Span<UInt8>, from start: Int) -> ChunkLine? {
    do { return try ChunkLine.parse(octets, from: start, extensionSize: 0) } catch { return nil }
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
