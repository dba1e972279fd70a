// A long answer, written piece by piece.

import MartletBytes

/// The place where a page writes the next piece of a long answer (`StreamingApplication.write`).
///
///     mutating func write(
///       _ page: Page, _ state: inout StreamState, to body: inout StreamBody
///     ) -> StreamStep {
///       while body.room > 100, state.position < 10_000 {
///         body.write("<li>\(state.position)</li>")
///         state.position += 1
///       }
///       return state.position < 10_000 ? .more : .end
///     }
public struct StreamBody: PageWriter, ~Copyable {
  /// Octets that the piece can have.
  private let capacity: Int
  private var count = 0
  let memory: SiteMemory

  init(capacity: Int, _ memory: SiteMemory) {
    self.capacity = capacity
    self.memory = memory
  }

  /// Octets that still fit. Text that does not fit is lost, and ends the connection.
  public var room: Int { capacity - count }

  /// Adds HTML to the page; values are escaped.
  public mutating func write(_ text: HTML) {
    invariant(
      text.range.lowerBound == count && text.range.upperBound == PageText.count,
      "page text is written where it is made")
    count = text.range.upperBound
  }

  /// Adds JSON to a long answer whose media type is JSON.
  public mutating func write(json piece: JSONText) { write(HTML(range: piece.range)) }

  /// Adds plain text to a long answer whose media type is plain text.
  public mutating func write(plain piece: Plain) { write(HTML(range: piece.range)) }

  /// Adds octets as they are, for other media types.
  public mutating func write(octets: Span<UInt8>) {
    PageText.append(octets)
    count = PageText.count
  }
}
