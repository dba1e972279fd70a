// Where a client is, through proxies that are trusted and past what anybody may have written.

import MartletBytes
import MartletHTTP
import TestSupport
import Testing

@Suite("X-Forwarded-For")
struct ForwardedForTests {
  static let peer = "127.0.0.1"

  func address(_ text: String) -> IPAddress { withGuardedOctets(text) { IPAddress($0)! } }

  func trusting(_ prefixes: [String]) -> TrustedProxies {
    var proxies = TrustedProxies()
    for text in prefixes {
      let fitted = proxies.append(withGuardedOctets(text) { IPPrefix($0)! })
      #expect(fitted)
    }
    return proxies
  }

  func client(
    _ values: [String], from peer: String = peer, trusting proxies: TrustedProxies = .loopback
  ) -> ClientAddress {
    let lines = values.map { "X-Forwarded-For: \($0)\r\nX-Other: 9.9.9.9\r\n" }.joined()
    return withGuardedOctets("Host: a\r\n" + lines) {
      FieldSection($0).client(peer: address(peer), trusting: proxies)
    }
  }

  @Test("Without the field the peer is the client")
  func none() {
    #expect(client([], from: "192.0.2.1") == ClientAddress(address("192.0.2.1"), isShared: false))
    #expect(client([]) == ClientAddress(address("127.0.0.1"), isShared: true))
    #expect(client([], from: "::1").isShared && client([], from: "::").isShared)
  }

  @Test("A peer that is not trusted is the client, whatever it says")
  func untrusted() {
    for values in [["198.51.100.7"], ["127.0.0.1"], ["198.51.100.7, 127.0.0.1"], ["unknown"]] {
      #expect(client(values, from: "192.0.2.1") == client([], from: "192.0.2.1"), "\(values)")
    }
    let none = TrustedProxies()
    // Whoever is on this machine shares its address, also where nothing is believed.
    #expect(
      client(["198.51.100.7"], trusting: none)
        == ClientAddress(address("127.0.0.1"), isShared: true))
  }

  @Test(
    "The rightmost address that is no trusted proxy's is the client",
    arguments: [
      (["198.51.100.7"], "198.51.100.7"), (["198.51.100.7:4711"], "198.51.100.7"),
      (["[2001:db8::1]:4711"], "2001:db8::1"), (["2001:db8::1"], "2001:db8::1"),
      (["1.1.1.1, 198.51.100.7"], "198.51.100.7"), (["1.1.1.1", "198.51.100.7"], "198.51.100.7"),
      (["1.1.1.1,198.51.100.7,10.0.0.9"], "198.51.100.7"),
      (["1.1.1.1", "198.51.100.7", "10.0.0.9, 10.0.0.8", "127.0.0.1"], "198.51.100.7"),
      (["10.0.0.9", "198.51.100.7, 10.0.0.8"], "198.51.100.7"),
      (["unknown, 198.51.100.7"], "198.51.100.7"),
      (["\t198.51.100.7 ,, ,10.0.0.9 ,"], "198.51.100.7"),
      (["", "198.51.100.7", "", ","], "198.51.100.7"),
      (["::ffff:198.51.100.7, ::ffff:10.0.0.9"], "198.51.100.7"),
    ] as [([String], String)])
  func rightmost(_ values: [String], _ expected: String) {
    let proxies = trusting(["10.0.0.0/8", "127.0.0.0/8"])
    #expect(
      client(values, trusting: proxies) == ClientAddress(address(expected), isShared: false))
  }

  @Test(
    "An element that is no address ends the walk: the last trusted proxy is the client, a shared one",
    arguments: [
      (["unknown"], "127.0.0.1"), (["198.51.100.7, unknown"], "127.0.0.1"),
      (["198.51.100.7, junk, 10.0.0.9"], "10.0.0.9"),
      (["198.51.100.7", "\"", "10.0.0.9, 10.0.0.8"], "10.0.0.9"),
      (["198.51.100.7;"], "127.0.0.1"), (["198.51.100.7 198.51.100.8"], "127.0.0.1"),
      (["10.0.0.9, 10.0.0.8"], "10.0.0.9"), (["10.0.0.9", "_hidden, 10.0.0.8"], "10.0.0.8"),
    ] as [([String], String)])
  func junk(_ values: [String], _ expected: String) {
    let proxies = trusting(["10.0.0.0/8", "127.0.0.0/8"])
    #expect(client(values, trusting: proxies) == ClientAddress(address(expected), isShared: true))
  }

  @Test("Walking forwards finds what walking backwards does")
  func model() {
    var random = SeededRandom(4)
    let proxies = trusting(["10.0.0.0/8", "fd00::/8", "127.0.0.1"])
    let pieces = [
      "10.0.0.9", "fd00::1", "127.0.0.1", "198.51.100.7", "2001:db8::1", "junk", "", "[fd00::2]:1",
    ]
    for _ in 0..<5_000 {
      let lines = (0..<Int.random(in: 0...4, using: &random)).map { _ in
        (0..<Int.random(in: 0...4, using: &random)).map { _ in pieces.randomElement(using: &random)!
        }
      }
      var expected = address(Self.peer)
      for element in lines.joined().reversed() where !element.isEmpty {
        guard let next = withGuardedOctets(element, { IPAddress(node: $0) }) else { break }
        expected = next
        if !proxies.contains(next) { break }
      }
      let found = client(lines.map { $0.joined(separator: ", ") }, trusting: proxies)
      #expect(found.address == expected, "\(lines)")
      #expect(found.isShared == proxies.contains(expected), "\(lines)")
    }
  }

  @Test("Changed octets name a client or none, and are never read beyond their end")
  func flips() {
    var random = SeededRandom(5)
    let text = Array("X-Forwarded-For: 1.1.1.1, [2001:db8::1]:80, 10.0.0.9\r\n".utf8)
    let proxies = trusting(["10.0.0.0/8", "127.0.0.0/8"])
    for i in text.indices {
      for _ in 0..<20 {
        var changed = text
        changed[i] = UInt8.random(in: 0...255, using: &random)
        for octets in [changed, Array(changed[...i])] {
          let found = withGuardedOctets(octets) {
            FieldSection($0).client(peer: address(Self.peer), trusting: proxies)
          }
          #expect(found.isShared == proxies.contains(found.address))
        }
      }
    }
  }

  @Test("There is room for so many prefixes, and no more")
  func room() {
    var proxies = TrustedProxies()
    let prefix = withGuardedOctets("192.0.2.0/24") { IPPrefix($0)! }
    let fitted = (0...Limits.trustedProxyCountMax).map { _ in proxies.append(prefix) }
    #expect(fitted == Array(repeating: true, count: Limits.trustedProxyCountMax) + [false])
    #expect(TrustedPrefixes(repeating: .everything).count == Limits.trustedProxyCountMax)
    var named = TrustedProxies.loopback
    #expect(named.contains(address("127.0.0.1")) && named.contains(address("::")))
    #expect(!named.contains(address("192.0.2.7")))
    let isNamed = named.append(prefix)
    #expect(isNamed && named.contains(address("192.0.2.7")) && !named.contains(address("127.0.0.1")))
    #expect(proxies.contains(address("192.0.2.7")) && !proxies.contains(address("127.0.0.1")))
  }
}
