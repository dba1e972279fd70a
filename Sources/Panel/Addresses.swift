// Addresses of interfaces → texts, and how much each matters to somebody who looks for this machine.

import Martlet

/// Addresses as people write them.
enum AddressText {
  /// Four decimal numbers with dots.
  static func ipv4(_ address: UInt32) -> Text<40> {
    var digits = InlineArray<40, UInt8>(repeating: 0)
    var writer = Writer(digits.mutableSpan)
    for place in 0..<4 {
      if place > 0 { writer.append(".") }
      writer.append(decimal: address >> UInt32(24 - 8 * place) & 0xFF)
    }
    let count = writer.count
    return Text(cutting: digits.span.extracting(first: count))
  }

  /// The groups of 32 hexadecimal digits, or `nil` when they are not that.
  static func groups(_ digits: Span<UInt8>) -> InlineArray<8, UInt16>? {
    var octets = InlineArray<16, UInt8>(repeating: 0)
    var target = octets.mutableSpan
    guard digits.decodeHexadecimal(into: &target) == 16 else { return nil }
    var groups = InlineArray<8, UInt16>(repeating: 0)
    for i in 0..<8 { groups[i] = UInt16(octets[2 * i]) << 8 | UInt16(octets[2 * i + 1]) }
    return groups
  }

  /// An IPv6 address (RFC 5952 section 4).
  static func ipv6(_ groups: InlineArray<8, UInt16>) -> Text<40> {
    let zeros = longestZeros(groups)
    var text = Text<40>()
    var i = 0
    while i < 8 {
      if i == zeros.lowerBound, zeros.count > 1 {
        text.append(("::" as StaticString).octets)
        i = zeros.upperBound
        continue
      }
      if i > 0, !(zeros.count > 1 && i == zeros.upperBound) { text.append(0x3A) }
      append(groups[i], to: &text)
      i += 1
    }
    return text
  }

  /// The first of the longest runs of zeros.
  private static func longestZeros(_ groups: InlineArray<8, UInt16>) -> Range<Int> {
    var longest = 0..<0
    var start = 0
    for i in 0..<8 {
      if groups[i] != 0 {
        start = i + 1
      } else if i + 1 - start > longest.count {
        longest = start..<i + 1
      }
    }
    return longest
  }

  private static func append(_ group: UInt16, to text: inout Text<40>) {
    var isLeading = true
    for place in 0..<4 {
      let digit = UInt8(truncatingIfNeeded: group >> UInt16(12 - 4 * place) & 15)
      if digit == 0, isLeading, place < 3 { continue }
      isLeading = false
      text.append(ASCII.hexadecimal(digit))
    }
  }
}

/// What an address is good for: the first is what somebody would type.
enum AddressRank {
  static var ipv4: UInt8 { 0 }
  static var global: UInt8 { 1 }
  static var furtherIPv4: UInt8 { 2 }
  static var uniqueLocal: UInt8 { 3 }
  static var linkLocal: UInt8 { 4 }
  static var temporary: UInt8 { 5 }
  /// No longer to be used for anything new, or not usable because another machine has it.
  static var deprecated: UInt8 { 6 }

  /// The rank of an IPv6 address with its scope and flags of /proc/net/if_inet6 (IFA_F_… of
  /// linux/if_addr.h).
  static func ipv6(_ groups: InlineArray<8, UInt16>, scope: UInt8, flags: UInt8) -> UInt8 {
    let (isTemporary, isDuplicate, isDeprecated) = (flags & 0x01, flags & 0x08, flags & 0x20)
    if isDeprecated != 0 || isDuplicate != 0 { return deprecated }
    if isTemporary != 0 { return temporary }
    if scope == 0x20 { return linkLocal }
    // Site-local addresses were what unique local ones are.
    return groups[0] & 0xFE00 == 0xFC00 || groups[0] & 0xFFC0 == 0xFEC0 ? uniqueLocal : global
  }
}

/// The addresses of the machine, and the networks of the addresses, by the kernel's table of routes. Below a
/// directory (`--sysroot`) the table stands in for the kernel's list of addresses.
struct RoutedAddresses {
  private var items = InlineArray<64, (address: UInt32, mask: UInt32, name: Text<16>)>(
    repeating: (0, 0, Text()))
  private(set) var count = 0
  /// Addresses that found no room.
  private(set) var leftOut = 0
  private var last: UInt32 = 0

  init() {}

  func address(_ index: Int) -> UInt32 { items[index].address }
  func name(_ index: Int) -> Text<16> { items[index].name }

  /// Takes a line of /proc/net/fib_trie: `|-- ADDRESS`, or `/32 host LOCAL` for the address before.
  mutating func addTrie(_ line: Span<UInt8>) {
    var words = Words(line)
    guard let first = words.next() else { return }
    if first.equals("|--"), let text = words.next() {
      last = IPAddress(text).flatMap { $0.isIPv4 ? UInt32(truncatingIfNeeded: $0.low) : nil } ?? 0
    } else if first.equals("/32"), words.next()?.equals("host") == true,
      words.next()?.equals("LOCAL") == true, last != 0, last >> 24 != 127
    {
      // Both tables of the text name it.
      for i in 0..<count where items[i].address == last { return }
      guard count < items.count else { return leftOut += 1 }
      items[count] = (last, 0, Text())
      count += 1
    }
  }

  /// Takes a line of /proc/net/route: `NAME DESTINATION GATEWAY FLAGS … MASK …`, hexadecimal, in the
  /// machine's own order of octets.
  mutating func addRoute(_ line: Span<UInt8>) {
    var words = Words(line)
    guard let name = words.next(), let target = Self.number(words.next()),
      Self.number(words.next()) == 0
    else { return }
    for _ in 0..<4 { _ = words.next() }
    guard let mask = Self.number(words.next()), mask != 0 else { return }
    for i in 0..<count where items[i].address & mask == target && mask > items[i].mask {
      items[i].mask = mask
      items[i].name = Text(cutting: name)
    }
  }

  /// Eight hexadecimal digits, the last octet of the address first.
  private static func number(_ digits: Span<UInt8>?) -> UInt32? {
    var octets = InlineArray<4, UInt8>(repeating: 0)
    var target = octets.mutableSpan
    guard let digits, digits.decodeHexadecimal(into: &target) == 4 else { return nil }
    return UInt32(octets[3]) << 24 | UInt32(octets[2]) << 16 | UInt32(octets[1]) << 8
      | UInt32(octets[0])
  }
}
