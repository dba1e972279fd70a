// Offset and count of a parsed part within the octets that it was parsed from. A range has four octets
// and saves a copy; without those octets the range means nothing.

/// A range within a buffer of at most 65,535 octets.
public struct ByteRange: BitwiseCopyable, Equatable, Sendable {
  /// The index of the range's first octet.
  public let offset: UInt16
  /// How many octets.
  public let count: UInt16

  /// - Parameter range: Bounds up to 65,535, because no buffer is larger.
  public init(_ range: Range<Int>) {
    invariant(range.lowerBound >= 0 && range.upperBound <= 0xFFFF, "a range fits its buffer")
    offset = UInt16(range.lowerBound)
    count = UInt16(range.count)
  }

  /// The index after the range's last octet.
  public var end: Int { Int(offset) + Int(count) }

  /// Whether the range holds no octet.
  public var isEmpty: Bool { count == 0 }
}
