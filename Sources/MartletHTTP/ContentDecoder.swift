// Content is decoded as it arrives (RFC 9112 sections 6.3 and 7.1), in place, for forms and uploads alike:
//
//     content so far | octets that have just come          before
//     content so far, and more | octets not yet decoded    after
//
// Octets that stay undecoded are a chunk's line or a trailer section whose end has not come, or the next
// request. A decoder is a value of 12 octets, so a connection keeps it between two reads.

import MartletBytes

/// How far the content of one request has been decoded.
public struct ContentDecoder: Equatable, Sendable {
  enum Step: UInt8, Sendable {
    /// `remaining` octets of content follow.
    case length
    /// A chunk's line follows.
    case chunkLine
    /// `remaining` octets of a chunk follow.
    case chunkData
    /// The CRLF after a chunk's data follows.
    case chunkEnd
    /// All has been decoded.
    case complete
  }

  private(set) var step: Step
  /// Octets of the chunk extensions so far.
  private var extensionSize: UInt16 = 0
  /// Octets of content until the step ends.
  private var remaining: Int32
  /// Octets of content that later chunks may have.
  private var room: Int32

  /// A decoder of no content.
  public init() {
    step = .complete
    remaining = 0
    room = 0
  }

  /// A decoder before the first octet of content.
  ///
  /// - Parameters:
  ///   - framing: What the head says.
  ///   - countMax: Octets of content that are accepted.
  /// - Throws: `.contentTooLarge` when the head announces more.
  public init(_ framing: BodyFraming, countMax: Int) throws(Refusal) {
    room = Int32(clamping: countMax)
    remaining = 0
    switch framing {
    case .none: step = .complete
    case .length(let count):
      guard count <= countMax else { throw .contentTooLarge }
      step = count > 0 ? .length : .complete
      remaining = Int32(count)
    case .chunked: step = .chunkLine
    }
  }

  /// Whether all of the content has been decoded.
  public var isComplete: Bool { step == .complete }

  /// Octets of content that follow without any framing between them; 0 where framing comes next.
  public var plainCount: Int { step == .length || step == .chunkData ? Int(remaining) : 0 }

  /// Decodes what has come.
  ///
  /// - Parameters:
  ///   - octets: Content that has been decoded, then octets that have not.
  ///   - start: Where the undecoded octets begin, and where the content goes on.
  ///   - end: Where the undecoded octets end; they are moved to the content's end.
  /// - Returns: Where the content ends and the undecoded octets begin; the last of them is before `end`.
  /// - Throws: The reason why the content will never be complete, at the first octet that shows the reason.
  ///   Reasons are a size that is not hexadecimal digits only, a line end other than CR LF, and extensions
  ///   or trailers beyond their limits. `.contentTooLarge` is thrown as soon as a chunk's size goes beyond
  ///   the limit.
  /// - Complexity: O(n) in the octets that have come.
  public mutating func decode(
    _ octets: inout MutableSpan<UInt8>, from start: Int, to end: inout Int
  ) throws(Refusal) -> Int {
    var contentEnd = start
    var position = start
    // Each turn consumes an octet, or is the last.
    loop: while true {
      switch step {
      case .complete: break loop
      case .length, .chunkData:
        let count = min(Int(remaining), end - position)
        if position > contentEnd { octets.move(position..<position + count, to: contentEnd) }
        contentEnd += count
        position += count
        remaining -= Int32(count)
        guard remaining == 0 else { break loop }
        step = step == .length ? .complete : .chunkEnd
      case .chunkEnd:
        let received = octets.span.extracting(position..<end)
        guard try hasLineEnd(received, at: 0, orElse: .chunkEndMissing) else { break loop }
        position += 2
        step = .chunkLine
      case .chunkLine:
        guard let size = try readLine(octets.span.extracting(position..<end)) else { break loop }
        position += size
      }
    }
    if position > contentEnd {
      octets.move(position..<end, to: contentEnd)
      end -= position - contentEnd
    }
    return contentEnd
  }

  /// Reads a chunk's line, or the last one and the trailer section.
  ///
  /// - Returns: Its octets; `nil` while its end has not come.
  @inline(never)
  private mutating func readLine(_ octets: Span<UInt8>) throws(Refusal) -> Int? {
    switch try ChunkedContent.part(octets, countMax: Int(room), extensionSize: &extensionSize) {
    case nil: return nil
    case .chunk(let count, let lineSize)?:
      step = .chunkData
      remaining = Int32(count)
      room -= Int32(count)
      return lineSize
    case .end(let size)?:
      step = .complete
      return size
    }
  }
}
