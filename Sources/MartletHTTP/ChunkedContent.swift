// Content in chunks (RFC 9112 §7.1), checked whole and then moved together in place:
//
//     chunked-body   = *chunk last-chunk trailer-section CRLF
//     chunk          = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
//     last-chunk     = 1*("0") [ chunk-ext ] CRLF
//
// No state is kept between calls: the server looks at all that has arrived, from the first chunk
// on, and takes it from the kernel only when it is whole. Extensions and trailers are read over,
// but not without bounds.

import MartletBytes

/// Content whose length was not known when its head was sent.
public enum ChunkedContent {
  /// How much a complete chunked content is.
  public struct Extent: Equatable, Sendable {
    /// Octets of the content itself, at most `Limits.requestContentSizeMax`.
    public let contentCount: Int
    /// Octets with all framing, the trailer section and its empty line: where the next request
    /// begins. At most `ChunkedContent.sizeMax`.
    public let size: Int
  }

  /// Octets that one content may take with its framing: what the receive buffer has beside the
  /// largest head. Chunks of a few octets each reach this before the content limit.
  public static var sizeMax: Int { Limits.receiveSizeMax - Limits.requestHeadSizeMax }

  /// Checks the content that begins with `octets`.
  ///
  /// - Parameter octets: All that has been received behind the head.
  /// - Returns: Its extent, or `nil` while its end is still to come.
  /// - Throws: The reason why it never will, at the first octet that shows it: a size that is not
  ///   hexadecimal digits only, a line end other than CR LF, `.contentTooLarge` as soon as a size
  ///   is announced that goes beyond the limit, or extensions or trailers that do.
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

  /// What stands where a chunk may begin.
  public enum Part: Equatable, Sendable {
    /// A chunk's line of `lineSize` octets; `count` octets of content follow it, and then CR LF.
    case chunk(count: Int, lineSize: Int)
    /// The last chunk and the trailer section: the content ends after `size` octets.
    case end(size: Int)
  }

  /// Reads one step of content that is taken in pieces, for which nothing need be whole.
  ///
  /// - Parameters:
  ///   - octets: What has been received, from where a chunk may begin.
  ///   - countMax: Octets that the chunk may have; beyond: `.contentTooLarge`.
  ///   - extensionSize: Octets of the extensions of all chunks before; those of this one are added.
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

  /// Whether the CR LF after a chunk's content stands at the start; `false` while it may still come.
  public static func endsChunk(_ octets: Span<UInt8>) throws(Refusal) -> Bool {
    try hasLineEnd(octets, at: 0, orElse: .chunkEndMissing)
  }

  /// Moves the content of all chunks together, to where the first chunk began.
  ///
  ///     5 CR LF h e l l o CR LF 0 CR LF CR LF     before
  ///     h e l l o . . .                           after; what follows the content has no meaning
  ///
  /// - Parameters:
  ///   - octets: What `parse` has found to be complete.
  ///   - start: The index of the first chunk.
  /// - Returns: How many octets the content has; it lies at `start`.
  public static func compact(_ octets: inout MutableSpan<UInt8>, from start: Int = 0) -> Int {
    var source = start
    var target = start
    while let line = checkedLine(octets.span, from: source), line.chunkSize > 0 {
      invariant(line.end + line.chunkSize <= octets.count, "only complete content is compacted")
      // The target never overtakes the source, because each chunk brings its line with it.
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

  /// The index after the empty line that ends the trailer section; `nil` while it is to come.
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

  /// Fields that frame or route a message have no place behind it (RFC 9110 §6.5.1).
  private static func isAllowed(_ name: Span<UInt8>) -> Bool {
    !name.equalsIgnoringCase("Content-Length") && !name.equalsIgnoringCase("Transfer-Encoding")
      && !name.equalsIgnoringCase("Host")
  }
}
