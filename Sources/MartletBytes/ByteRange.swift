// How a parsed part rests in a struct: where it starts and how long it is, within the octets it was
// parsed from. Four octets instead of a copy; it means nothing without those octets.

/// A range within a buffer of at most 65,535 octets.
public struct ByteRange: Equatable, Sendable {
  /// The index of its first octet.
  public let offset: UInt16
  /// How many octets.
  public let count: UInt16

  /// - Parameter range: Bounds below 65,536: buffers are smaller than that.
  public init(_ range: Range<Int>) {
    invariant(range.lowerBound >= 0 && range.upperBound <= 0xFFFF, "a range fits its buffer")
    offset = UInt16(range.lowerBound)
    count = UInt16(range.count)
  }

  /// The index after its last octet.
  public var end: Int { Int(offset) + Int(count) }

  /// Whether it holds no octet.
  public var isEmpty: Bool { count == 0 }
}
