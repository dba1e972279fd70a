// IP addresses and prefixes of addresses: parsed from text, stored as plain values.
//
//     IPv4address = d8 "." d8 "." d8 "." d8                             ; RFC 3986 §3.2.2
//     IPv6address = 8 groups of 1*4HEXDIG with ":" between; "::" stands once for one or more groups
//                   of zeros, an IPv4address for the last two groups    ; RFC 4291 §2.2
//
// Invariant: one address is one value, however the address is written. 192.0.2.1 and ::ffff:192.0.2.1 are
// equal, because a socket for both families shows an IPv4 peer in the second form.

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

  /// The address ::, which no peer has. It stands for a peer whose address is not known.
  public static var unspecified: IPAddress { IPAddress(high: 0, low: 0) }

  /// Whether this is an IPv4 address.
  public var isIPv4: Bool { high == 0 && low >> 32 == 0xFFFF }

  /// Whether this is a loopback address, which no packet outside of the machine has: 127.0.0.0/8 or ::1.
  public var isLoopback: Bool { isIPv4 ? low >> 24 & 0xFF == 127 : high == 0 && low == 1 }

  /// The addresses that one client can use: one IPv4 address, or a /64 network of IPv6. Within its /64 a
  /// host chooses addresses freely (RFC 4862 §5.5, RFC 8981).
  public var network: IPAddress { isIPv4 || isLoopback ? self : IPAddress(high: high, low: 0) }

  // MARK: Text

  /// Parses a numeric address. Returns `nil` for everything else, also for an address with a zone
  /// (`%eth0`). A number with a leading zero is refused, because some parsers read it as octal (RFC 6943
  /// §3.1.1).
  @inline(never)
  public init?(_ text: Span<UInt8>) {
    if let address = Self.ipv4(text) {
      self.init(high: 0, low: 0xFFFF << 32 | address)
      return
    }
    // The groups before the `::`, and those after it; without one all are `groups`.
    var head = Groups()
    var groups = Groups()
    var hasGap = false
    var position = 0
    if text.hasPrefix("::") { (hasGap, position) = (true, 2) }
    while position < text.count {
      let end = text.firstIndex(of: 0x3A, from: position) ?? text.count
      let group = text.extracting(position..<end)
      if end == text.count, let address = Self.ipv4(group) {
        groups.append(address >> 16)
        groups.append(address & 0xFFFF)
        break
      }
      guard let value = Self.group(group) else { return nil }
      groups.append(value)
      if end == text.count { break }
      position = end + 1
      guard position < text.count else { return nil }
      if text[position] == ":", !hasGap {
        (head, groups, hasGap) = (groups, Groups(), true)
        position += 1
      }
    }
    let count = head.count + groups.count
    guard hasGap ? count < 8 : count == 8 else { return nil }
    while head.count < 8 { head.append(0) }
    self.init(high: head.high | groups.high, low: head.low | groups.low)
  }

  /// The last eight of the groups that have been appended.
  private struct Groups {
    var (high, low): (UInt64, UInt64) = (0, 0)
    var count = 0

    @inline(never)
    mutating func append(_ value: UInt64) {
      high = high << 16 | low >> 48
      low = low << 16 | value
      count += 1
    }
  }

  /// Four decimal numbers up to 255 with dots between.
  @inline(never)
  private static func ipv4(_ text: Span<UInt8>) -> UInt64? {
    var (address, number): (UInt64, UInt64) = (0, 0)
    var (digitCount, dotCount) = (0, 0)
    for i in text.indices {
      if let digit = ASCII.digit(text[i]) {
        number = number * 10 + UInt64(digit)
        guard number <= 255, digitCount == 0 || number > 9 else { return nil }
        digitCount += 1
      } else {
        guard text[i] == ".", digitCount > 0 else { return nil }
        address = address << 8 | number
        dotCount += 1
        (number, digitCount) = (0, 0)
      }
    }
    return dotCount == 3 && digitCount > 0 ? address << 8 | number : nil
  }

  /// One to four hexadecimal digits.
  private static func group(_ text: Span<UInt8>) -> UInt64? {
    guard text.count > 0, text.count <= 4 else { return nil }
    var value: UInt64 = 0
    for i in text.indices {
      guard let digit = ASCII.hexadecimalDigit(text[i]) else { return nil }
      value = value << 4 | UInt64(digit)
    }
    return value
  }

  /// Parses an address with or without a port, as proxies write it (X-Forwarded-For, RFC 7239 §6):
  /// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
  public init?(node text: Span<UInt8>) {
    var end = text.count
    if end > 0, text[0] == "[" {
      guard let close = text.firstIndex(of: 0x5D) else { return nil }
      let inner = text.extracting(1..<close)
      guard inner.firstIndex(of: 0x3A) != nil, close + 1 == end || Self.isPort(text, close + 1)
      else { return nil }
      self.init(inner)
      return
    }
    // A single colon begins a port, because an IPv6 address has at least two colons.
    if let colon = text.firstIndex(of: 0x3A), text.firstIndex(of: 0x3A, from: colon + 1) == nil {
      guard Self.isPort(text, colon) else { return nil }
      end = colon
    }
    self.init(text.extracting(0..<end))
  }

  /// Whether the text from `colon` on is `":" 1*5DIGIT`, a port up to 65535.
  private static func isPort(_ text: Span<UInt8>, _ colon: Int) -> Bool {
    guard text[colon] == ":", text.count - colon <= 6 else { return false }
    guard let port = text.extracting(colon + 1..<text.count).decimal() else { return false }
    return port <= 0xFFFF
  }
}

/// The addresses that begin with the same bits: `192.168.0.0/16`, `fd00::/8`.
public struct IPPrefix: Equatable, Sendable {
  /// The first address of the prefix: the bits after `length` are 0.
  public let address: IPAddress
  /// How many bits all addresses share, 0...128. For IPv4 the value is 96 more than the written one.
  public let length: UInt8

  /// All addresses, those of IPv4 included: `::/0`.
  public static var everything: IPPrefix { IPPrefix(address: .unspecified, length: 0) }

  private init(address: IPAddress, length: UInt8) {
    self.address = address
    self.length = length
  }

  /// Parses `ADDRESS/BITS`, or `ADDRESS` for a single address. Returns `nil` for every other text, and
  /// when bits after the prefix are set: a person who writes `192.168.1.5/16` means something else.
  public init?(_ text: Span<UInt8>) {
    let slash = text.firstIndex(of: 0x2F)
    guard let address = IPAddress(text.extracting(0..<(slash ?? text.count))) else { return nil }
    let isIPv4 = text.firstIndex(of: 0x3A) == nil
    var length: UInt64 = 128
    if let slash {
      let digits = text.extracting(slash + 1..<text.count)
      guard digits.count <= 3, let bits = digits.decimal(), bits <= (isIPv4 ? 32 : 128) else {
        return nil
      }
      length = isIPv4 ? bits + 96 : bits
    }
    self.init(address: address, length: UInt8(length))
    guard contains(address) else { return nil }
  }

  /// Whether `other` begins with the prefix's bits.
  public func contains(_ other: IPAddress) -> Bool { masked(other) == address }

  private func masked(_ other: IPAddress) -> IPAddress {
    // A shift by 64 bits gives 0 in Swift.
    IPAddress(
      high: other.high & ~(UInt64.max >> min(length, 64)),
      low: other.low & ~(UInt64.max >> (length > 64 ? length - 64 : 0)))
  }
}
