// Addresses as text: what is one, what is none, and that the C library says the same.

import Glibc
import MartletBytes
import TestSupport
import Testing

@Suite("IP addresses")
struct IPAddressTests {
  /// An address whose octets lie against a page that nobody may read.
  func address(_ text: String) -> IPAddress? { withGuardedOctets(text) { IPAddress($0) } }
  func node(_ text: String) -> IPAddress? { withGuardedOctets(text) { IPAddress(node: $0) } }
  func prefix(_ text: String) -> IPPrefix? { withGuardedOctets(text) { IPPrefix($0) } }

  /// What the C library takes the text for.
  func inetPton(_ text: String) -> IPAddress? {
    guard !text.utf8.contains(0) else { return nil }
    var octets = [UInt8](repeating: 0, count: 16)
    if inet_pton(AF_INET, text, &octets) == 1 {
      let value = octets[..<4].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      return IPAddress(high: 0, low: 0xFFFF_0000_0000 | value)
    }
    guard inet_pton(AF_INET6, text, &octets) == 1 else { return nil }
    return IPAddress(
      high: octets[..<8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) },
      low: octets[8...].reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
  }

  static let addresses: [(String, UInt64, UInt64)] = [
    ("0.0.0.0", 0, 0xFFFF_0000_0000), ("192.0.2.1", 0, 0xFFFF_C000_0201),
    ("255.255.255.255", 0, 0xFFFF_FFFF_FFFF), ("::", 0, 0), ("::1", 0, 1), ("1::", 1 << 48, 0),
    ("::ffff:192.0.2.1", 0, 0xFFFF_C000_0201), ("::FFFF:C000:201", 0, 0xFFFF_C000_0201),
    ("64:ff9b::192.0.2.33", 0x64_FF9B_0000_0000, 0xC000_0221),
    ("2001:db8::8:800:200c:417a", 0x2001_0DB8_0000_0000, 0x8_0800_200C_417A),
    ("2001:DB8:0:0:8:800:200C:417A", 0x2001_0DB8_0000_0000, 0x8_0800_200C_417A),
    ("1:2:3:4:5:6:7:8", 0x1_0002_0003_0004, 0x5_0006_0007_0008),
    ("1:2:3:4:5:6:7::", 0x1_0002_0003_0004, 0x5_0006_0007_0000),
    ("::2:3:4:5:6:7:8", 0x2_0003_0004, 0x5_0006_0007_0008),
    ("1:2:3:4:5:6:1.2.3.4", 0x1_0002_0003_0004, 0x5_0006_0102_0304),
    ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", .max, .max),
    ("fe80::1:0", 0xFE80_0000_0000_0000, 0x1_0000),
  ]

  @Test("An address is one value, however it is written", arguments: addresses)
  func read(_ text: String, _ high: UInt64, _ low: UInt64) {
    #expect(address(text) == IPAddress(high: high, low: low))
    #expect(node(text) == IPAddress(high: high, low: low))
    #expect(inetPton(text) == IPAddress(high: high, low: low))
  }

  static let others = [
    "", " ", "1", "1.2.3", "1.2.3.4.5", "1.2.3.", ".1.2.3", "1..2.3", "1.2.3.256", "1.2.3.04",
    "01.2.3.4",
    "1.2.3.00", "1.2.3.4 ", " 1.2.3.4", "1.2.3.-4", "1.2.3.+4", "0x7f.0.0.1", "1.2.3.4\0",
    "1.2.3.1000",
    ":", ":::", "1:", ":1", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::",
    "::1:2:3:4:5:6:7:8",
    "12345::", "g::", "::1%eth0", "::1.2.3", "::1.2.3.4.5",
    "1:2:3:4:5:6:7:1.2.3.4",
    "1.2.3.4::", "::1.2.3.4:5", "1:2:3:4:5:1.2.3.4", "::ffff:1.2.3.04", "-1::", "::/0", "localhost",
    "unknown", "_hidden",
  ]

  @Test("Everything else is no address", arguments: others)
  func refuse(_ text: String) {
    #expect(address(text) == nil)
    #expect(inetPton(text) == nil)
  }

  @Test(
    "Every prefix of an address, and every address with an octet changed, is what the C library says"
  )
  func hostile() {
    var random = SeededRandom(1)
    for (text, _, _) in Self.addresses {
      for count in 0...text.utf8.count {
        let part = String(text.prefix(count))
        #expect(address(part) == inetPton(part), "\(part)")
      }
      for i in text.utf8.indices {
        for _ in 0..<40 {
          var octets = Array(text.utf8)
          let position = text.utf8.distance(from: text.utf8.startIndex, to: i)
          octets[position] = UInt8.random(in: 1...127, using: &random)
          let changed = String(decoding: octets, as: UTF8.self)
          #expect(address(changed) == inetPton(changed), "\(changed)")
        }
        var octets = Array(text.utf8)
        octets[text.utf8.distance(from: text.utf8.startIndex, to: i)] = UInt8.random(
          in: 128...255, using: &random)
        #expect(withGuardedOctets(octets) { IPAddress($0) } == nil)
      }
    }
  }

  @Test("Whatever is made of an address's characters is what the C library says")
  func soup() {
    var random = SeededRandom(2)
    let pieces = ["::", ":", ".", "0", "1", "25", "255", "ffff", "fe80", "1.2.3.4", "00", "256"]
    var found = 0
    for _ in 0..<20_000 {
      let text = (0..<Int.random(in: 1...17, using: &random))
        .map { _ in pieces.randomElement(using: &random)! }.joined()
      #expect(address(text) == inetPton(text), "\(text)")
      if address(text) != nil { found += 1 }
    }
    // The test is about addresses too, not only about what is none.
    #expect(found > 200)
  }

  @Test(
    "A proxy may write brackets and a port",
    arguments: [
      ("192.0.2.1:80", "192.0.2.1"), ("192.0.2.1:65535", "192.0.2.1"), ("192.0.2.1:0", "192.0.2.1"),
      ("[2001:db8::1]", "2001:db8::1"), ("[2001:db8::1]:443", "2001:db8::1"), ("[::]:1", "::"),
      ("[::ffff:192.0.2.1]:80", "192.0.2.1"), ("2001:db8::1:80", "2001:db8::1:80"),
    ])
  func nodes(_ text: String, _ same: String) {
    #expect(node(text) == address(same) && node(text) != nil)
  }

  @Test(
    "A proxy's text that is cut or has something else in it is no address",
    arguments: [
      "192.0.2.1:", "192.0.2.1:x", "192.0.2.1:65536", "192.0.2.1:000080", "192.0.2.1:-1", ":80",
      "[", "]",
      "[]", "[]:80", "[2001:db8::1", "2001:db8::1]", "[2001:db8::1]80", "[2001:db8::1]:",
      "[192.0.2.1]",
      "[192.0.2.1]:80", "[::1%1]", "[[::1]]", "[::1]:80:80", "unknown", "_id", "_id:80",
      "\"[::1]\"", "",
    ])
  func otherNodes(_ text: String) { #expect(node(text) == nil) }

  @Test("No octet too many is read of any prefix of a proxy's text")
  func nodePrefixes() {
    for text in ["[2001:db8::1]:443", "192.0.2.1:65535"] {
      for count in 0...text.utf8.count {
        let part = String(text.prefix(count))
        let colonEnds = part.hasSuffix(":")
        if node(part) != nil { #expect(!colonEnds && part.count > 6, "\(part)") }
      }
    }
  }

  @Test("Loopback is 127.0.0.0/8 and ::1")
  func loopback() {
    for text in ["127.0.0.1", "127.255.255.255", "127.0.0.0", "::1", "::ffff:127.1.2.3"] {
      #expect(address(text)?.isLoopback == true, "\(text)")
    }
    for text in ["126.255.255.255", "128.0.0.0", "::", "::2", "1::1", "::127.0.0.1", "10.0.0.127"] {
      #expect(address(text)?.isLoopback == false, "\(text)")
    }
  }

  @Test("A client has one IPv4 address, or a /64 of IPv6")
  func network() {
    #expect(address("192.0.2.1")?.network == address("192.0.2.1"))
    #expect(address("192.0.2.1")?.network != address("192.0.2.2")?.network)
    #expect(address("2001:db8:1:2:3:4:5:6")?.network == address("2001:db8:1:2::"))
    #expect(address("2001:db8:1:2::1")?.network == address("2001:db8:1:2:ffff::")?.network)
    #expect(address("2001:db8:1:2::1")?.network != address("2001:db8:1:3::1")?.network)
    // These are no networks of one client.
    #expect(address("::1")?.network == address("::1"))
    #expect(address("::ffff:192.0.2.1")?.network == address("192.0.2.1"))
  }

  @Test("A prefix contains the addresses that begin with its bits")
  func prefixes() {
    for (text, inside, outside) in [
      (
        "192.168.0.0/16", ["192.168.0.0", "192.168.255.255", "::ffff:192.168.1.1"],
        ["192.167.255.255", "192.169.0.0", "::", "2001:db8::1"]
      ),
      ("10.0.0.1", ["10.0.0.1"], ["10.0.0.0", "10.0.0.2"]),
      ("10.0.0.1/32", ["10.0.0.1"], ["10.0.0.0", "10.0.0.2"]),
      ("128.0.0.0/1", ["128.0.0.0", "255.255.255.255"], ["127.255.255.255"]),
      ("0.0.0.0/0", ["0.0.0.0", "255.255.255.255"], ["::", "::1", "2001:db8::1"]),
      ("::/0", ["::", "ffff::ffff", "192.0.2.1"], []),
      ("fd00::/8", ["fd00::", "fdff:ffff::"], ["fc00::", "fe00::"]),
      (
        "2001:db8:0:8000::/49", ["2001:db8:0:8000::", "2001:db8:0:ffff:ffff::"],
        ["2001:db8:0:7fff::"]
      ),
      ("2001:db8::/64", ["2001:db8::", "2001:db8::ffff:0:0:0"], ["2001:db8:0:1::"]),
      (
        "2001:db8::8000:0:0:0/65", ["2001:db8::8000:0:0:0", "2001:db8::ffff:0:0:0"],
        ["2001:db8::7fff:0:0:0"]
      ),
      ("::1/128", ["::1"], ["::", "::2"]),
    ] {
      guard let prefix = prefix(text) else {
        Issue.record("\(text) is a prefix")
        continue
      }
      for text in inside { #expect(address(text).map(prefix.contains) == true, "\(text)") }
      for other in outside {
        #expect(address(other).map(prefix.contains) == false, "\(text) \(other)")
      }
    }
  }

  @Test("A prefix of random bits contains what a comparison bit by bit says")
  func randomPrefixes() {
    var random = SeededRandom(3)
    func bit(_ address: IPAddress, _ i: Int) -> UInt64 {
      (i < 64 ? address.high : address.low) >> UInt64(63 - i % 64) & 1
    }
    for length in 0...128 {
      let mask: (UInt64, UInt64) = (
        length >= 64 ? .max : ~(UInt64.max >> UInt64(length)),
        length <= 64 ? 0 : ~(UInt64.max >> UInt64(length - 64))
      )
      let start = IPAddress(high: random.next() & mask.0, low: random.next() & mask.1)
      let groups = (0..<8).map {
        String(($0 < 4 ? start.high : start.low) >> UInt64(48 - 16 * ($0 % 4)) & 0xFFFF, radix: 16)
      }
      guard let prefix = prefix(groups.joined(separator: ":") + "/\(length)") else {
        Issue.record("/\(length) is a prefix")
        continue
      }
      for changed in 0..<128 {
        let other = IPAddress(
          high: start.high ^ (changed < 64 ? 1 << UInt64(63 - changed) : 0),
          low: start.low ^ (changed < 64 ? 0 : 1 << UInt64(127 - changed)))
        let isSame = (0..<length).allSatisfy { bit(other, $0) == bit(start, $0) }
        #expect(prefix.contains(other) == isSame && isSame == (changed >= length))
      }
    }
  }

  @Test(
    "Everything else is no prefix",
    arguments: [
      "", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/0008",
      "10.0.0.1/8",
      "::1/127", "::/129", "fe80::1/64", "10.0.0/8", "[::]/0", "10.0.0.0 /8", "10.0.0.0/ 8",
      "localhost",
      "192.168.1.5/16", "::/", "10.0.0.0/8x",
    ])
  func otherPrefixes(_ text: String) { #expect(prefix(text) == nil) }
}
