// Names from outside - of hosts, disks, interfaces, models - → texts that may be shown. They may hold any
// octets and be of any length.

import Martlet

extension Text {
  /// As much of `octets` as fits.
  init(cutting octets: Span<UInt8>) {
    self.init()
    append(octets.extracting(first: min(octets.count, min(capacity, 255))))
  }

  /// A text from outside, to be shown: control characters, what turns the direction of writing, and
  /// ill-formed UTF-8 become U+FFFD. A text that is too long ends with "…". Escaped for HTML it has at
  /// most `capacity` octets, whatever is in it, so that a page's size has a bound.
  @inline(never)
  init(showing octets: Span<UInt8>) {
    var storage = InlineArray<255, UInt8>(repeating: 0)
    var writer = Writer(storage.mutableSpan)
    ShownText.write(octets, room: min(capacity, 255), to: &writer)
    let count = writer.count
    self.init(cutting: storage.span.extracting(first: count))
  }
}

/// What `Text(showing:)` does for every capacity.
enum ShownText {
  private static var ellipsis: StaticString { "…" }

  /// - Parameter room: Octets that the text may have when it has been escaped for HTML.
  @inline(never)
  @_lifetime(writer: copy writer)
  static func write(_ octets: Span<UInt8>, room: Int, to writer: inout Writer) {
    var repair = UTF8Repair()
    // The ellipsis always has room.
    var rest = room - ellipsis.utf8CodeUnitCount
    for i in 0...octets.count {
      let piece = i < octets.count ? repair.feed(octets[i]) : repair.finish()
      guard write(piece, &rest, to: &writer) else { return writer.append(ellipsis) }
    }
  }

  /// Writes what one octet has completed.
  ///
  /// - Returns: Whether it found room.
  @_lifetime(writer: copy writer)
  private static func write(_ piece: Text<8>, _ rest: inout Int, to writer: inout Writer) -> Bool {
    if turnsOrControls(piece.span) { return write(replacement, &rest, to: &writer) }
    for i in 0..<piece.count {
      let octet = piece.span[i]
      if octet < 0x20 || octet == 0x7F {
        guard write(replacement, &rest, to: &writer) else { return false }
        continue
      }
      rest -= escapedCount(octet)
      // A character is written whole or not at all: its octets are few and cost one each.
      guard rest >= (i == 0 ? piece.count - 1 : 0) else { return false }
      writer.append(octet)
    }
    return true
  }

  private static var replacement: Text<8> { "\u{FFFD}" }

  /// Octets of what HTML makes of an octet.
  private static func escapedCount(_ octet: UInt8) -> Int {
    switch octet {
    case "&", "'": 5
    case "<", ">": 4
    case "\"": 6
    default: 1
    }
  }

  /// Whether a character of two or three octets is a control character (U+0080 to U+009F), separates
  /// lines, or changes the direction of what follows (Unicode Annex 9).
  private static func turnsOrControls(_ piece: Span<UInt8>) -> Bool {
    if piece.count == 2 { return piece[0] == 0xC2 && piece[1] < 0xA0 }
    guard piece.count == 3, piece[0] == 0xE2 else { return false }
    return piece[1] == 0x80 && (piece[2] & 0xFE == 0x8E || piece[2] >= 0xA8 && piece[2] <= 0xAE)
      || piece[1] == 0x81 && piece[2] >= 0xA6 && piece[2] <= 0xA9
  }
}
