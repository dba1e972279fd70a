// Where a peer is: an IP address as a plain value.

/// An IP address in IPv6's form; an IPv4 address a.b.c.d is ::ffff:a.b.c.d (RFC 4291 §2.5.5.2).
public struct IPAddress: Equatable, Sendable {
  /// The first eight octets, in wire order from the most significant bit on.
  public let high: UInt64
  /// The last eight octets.
  public let low: UInt64

  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }
}
