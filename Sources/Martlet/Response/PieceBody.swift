// A long answer, written piece by piece.

import MartletBytes

/// Where a page writes the next piece of a long answer.
///
///     mutating func write(
///       _ page: Page, _ cursor: inout Cursor, to body: inout PieceBody
///     ) -> Piece.Next {
///       while body.room > 100, cursor.position < 10_000 {
///         body.write("<li>\(cursor.position)</li>")
///         cursor.position += 1
///       }
///       return cursor.position < 10_000 ? .more : .end
///     }
public struct PieceBody: ~Copyable {
  /// Octets that fit.
  private let capacity: Int
  private var count = 0

  init(capacity: Int) { self.capacity = capacity }

  /// How many more octets fit. What does not fit is lost, and ends the connection.
  public var room: Int { capacity - count }

  /// Adds to the page; values are escaped.
  public mutating func write(_ text: HTML) {
    invariant(
      text.range.lowerBound == count && text.range.upperBound == PageText.count,
      "page text is written where it is made")
    count = text.range.upperBound
  }

  /// Adds octets as they are: for media types other than HTML.
  public mutating func write(octets: Span<UInt8>) {
    PageText.append(octets)
    count = PageText.count
  }
}
