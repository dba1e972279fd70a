// Reads a text line by line. Tables of short texts are stored this way, because one literal with a line
// for each entry is much smaller than a switch over literals.

/// The lines of a text, without their line feeds.
public struct Lines: ~Escapable {
  private var rest: Span<UInt8>

  /// - Parameter text: Lines, each ended by a line feed; the last line may have none.
  @_lifetime(copy text)
  public init(_ text: Span<UInt8>) { rest = text }

  /// The next line, or `nil` after the last.
  @_lifetime(copy self)
  @_lifetime(self: copy self)
  public mutating func next() -> Span<UInt8>? {
    guard rest.count > 0 else { return nil }
    let end = rest.firstIndex(of: 0x0A) ?? rest.count
    let line = rest.extracting(0..<end)
    rest = rest.extracting(min(end + 1, rest.count)..<rest.count)
    return line
  }
}

extension StaticString {
  /// The literal's line at `index`, counted from 0; empty when the literal has fewer lines.
  @_lifetime(immortal)
  public func line(_ index: Int) -> Span<UInt8> {
    var lines = Lines(octets)
    for _ in 0..<index { _ = lines.next() }
    guard let line = lines.next() else { return octets.extracting(0..<0) }
    return line
  }
}
