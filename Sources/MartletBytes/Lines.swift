// Lines of a text, one after the other. Tables of texts are such texts too: one literal with a line for
// each entry is much smaller in a program than a switch over as many literals.

/// The lines of a text, without their line feeds.
public struct Lines: ~Escapable {
  private var rest: Span<UInt8>

  /// - Parameter text: Lines, each but the last ended by a line feed.
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
  /// A line of a literal, counted from 0; empty when there are not so many.
  @_lifetime(immortal)
  public func line(_ index: Int) -> Span<UInt8> {
    var lines = Lines(octets)
    for _ in 0..<index { _ = lines.next() }
    guard let line = lines.next() else { return octets.extracting(0..<0) }
    return line
  }
}
