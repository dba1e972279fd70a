// Memory, temperatures, interfaces and names as machines tell them, and as none should.

import Martlet
import TestSupport
import Testing

@testable import martlet_panel

@Suite struct MemoryTests {
  private func memory(_ text: String) -> Memory {
    var memory = Memory()
    eachLine(text) { memory.add($0) }
    return memory
  }

  @Test("What is available is what the kernel says, where it says so")
  func told() {
    let text = "MemTotal: 947732 kB\nMemFree: 102400 kB\nMemAvailable: 612340 kB\nCached: 5 kB\n"
    #expect(memory(text).kibibytes == 947_732)
    #expect(memory(text).available == 612_340)
    #expect(memory("MemTotal: 100 kB\nMemAvailable: 200 kB\n").available == 100)
  }

  @Test(
    "Where it does not, or says 0, it is what is free and what would be given back, or unknown",
    arguments: ["", "MemAvailable:        0 kB\n"])
  func untold(_ line: String) {
    let some = "MemTotal: 2067384 kB\nMemFree: 612344 kB\n" + line
    #expect(memory(some).available == nil)
    #expect(memory(some + "Buffers: 102400 kB\n").available == nil)
    let old = some + "Buffers: 102400 kB\nCached: 819200 kB\n"
    // Sums have names: within #expect AddressSanitizer reports their comparison (Swift 6.3.1).
    let (free, buffers, cached) = (612_344 as UInt64, 102_400 as UInt64, 819_200 as UInt64)
    let plain = free + buffers + cached
    #expect(memory(old).available == plain)
    let whole = old + "Shmem: 20480 kB\nSReclaimable: 51200 kB\n"
    let shared = plain - 20_480 + 51_200
    #expect(memory(whole).available == shared)
    let kept = free + buffers
    #expect(memory(old + "Shmem: 9999999 kB\n").available == kept)
    #expect(memory(old + "SReclaimable: 9999999 kB\n").available == 2_067_384)
  }

  @Test("What is no number is not known")
  func nonsense() {
    for text in [
      "", "MemTotal:\n", "MemTotal: 0 kB\n", "MemTotal: lots kB\nMemAvailable: 5 kB\n",
      "MemTotal: 99999999999999999999 kB\n", "xMemTotal: 5 kB\n",
    ] {
      #expect(memory(text).kibibytes == nil)
      #expect(memory(text).available == nil)
    }
  }

  @Test("A limit of a control group is a number, or none")
  func limits() {
    #expect(ControlGroup.limit(536_870_912) == 536_870_912)
    for none in [0, 9_223_372_036_854_771_712, 9_223_372_036_854_775_807, .max] as [UInt64] {
      #expect(ControlGroup.limit(none) == nil)
    }
  }

  @Test(
    "A limit of processors is a quota in a period",
    arguments: [
      ("150000 100000\n", 150), ("max 100000\n", nil), ("50000 100000\n", 50), ("5 0\n", nil),
      ("5\n", nil), ("", nil), ("9999999999999999999 1\n", nil),
    ] as [(String, UInt64?)])
  func processors(_ text: String, _ hundredths: UInt64?) {
    #expect(withGuardedOctets(text) { ControlGroup.processors($0) } == hundredths)
  }

  @Test("The group of the first process is found in both versions")
  func groups() {
    func path(_ line: String, _ isVersion2: Bool) -> String? {
      withGuardedOctets(line) { string(ControlGroup.path($0, isVersion2: isVersion2)) }
    }
    #expect(path("0::/docker/0f8a", true) == "/docker/0f8a")
    #expect(path("0::/docker/0f8a", false) == nil)
    #expect(path("4:memory:/lxc/a", false) == "/lxc/a")
    #expect(path("4:cpu,memory:/lxc/a", false) == "/lxc/a")
    #expect(path("4:cpu:/lxc/a", false) == nil)
    let longest = "/" + String(repeating: "x", count: 254)
    #expect(path("0::" + longest, true) == longest && path("0::" + longest + "x", true) == nil)
    for line in ["0::/", "0::", "0:", "", "0::/../../x", "0::x"] { #expect(path(line, true) == nil) }
  }
}

@Suite struct TemperatureTests {
  @Test(
    "Temperatures are thousandths of a degree or degrees, and none that no processor can have",
    arguments: [
      ("48312\n", 48_312), ("45\n", 45_000), ("45", 45_000), ("-5000\n", -5_000), ("-5\n", -5_000),
      ("45.5\n", 45_500), ("1\n", 1_000), ("150\n", 150_000), ("150000\n", 150_000),
      ("0\n", nil), ("-0\n", nil), ("\n", nil), ("", nil), ("-\n", nil), (".\n", nil), ("45.x\n", nil),
      ("127\n", nil), ("127000\n", nil), ("127500\n", nil), ("255000\n", nil), ("255\n", 255),
      ("-273000\n", nil), ("-273\n", -273), ("-128000\n", nil), ("-41000\n", nil), ("-41\n", nil),
      ("9999999\n", nil), ("99999999999999999999\n", nil), ("hot\n", nil), ("150001\n", nil),
      (" 52650 \n", 52_650), ("999\n", 999),
    ] as [(String, Int?)])
  func numbers(_ text: String, _ milliDegrees: Int?) {
    #expect(withGuardedOctets(text) { Temperature.milliDegrees($0) } == milliDegrees)
  }

  @Test(
    "Zones and chips are known by their names",
    arguments: [
      ("cpu-thermal", 0, 1), ("x86_pkg_temp", 0, 1), ("soc-thermal", 0, 1), ("bigcore0-thermal", 0, 1),
      ("acpitz", 4, nil), ("sunxi-therm", 0, 1), ("gpu-thermal", nil, nil), ("iwlwifi_1", nil, nil),
      ("battery", nil, nil), ("k10temp", 0, 1), ("coretemp", 0, 1), ("cpu_thermal", 0, 1),
      ("zenpower", 0, 1), ("soc_thermal", 0, 1), ("nvme", nil, nil), ("drivetemp", 3, nil), ("", 3, nil),
    ] as [(String, Int?, Int?)])
  func names(_ name: String, _ zone: Int?, _ chip: Int?) {
    #expect(withGuardedOctets(name) { Temperature.rank(zone: $0) } == zone)
    #expect(withGuardedOctets(name) { Temperature.rank(chip: $0) } == chip)
  }

  @Test("Of a chip's sensors the processor's own counts most")
  func labels() {
    func rank(_ label: String, _ isProcessor: Bool) -> Int? {
      withGuardedOctets(label) { Temperature.rank(label: $0, ofProcessor: isProcessor) }
    }
    #expect(rank("Tdie", true) == 1)
    #expect(rank("Package id 0", true) == 1)
    #expect(rank("Tctl", true) == 2)
    #expect(rank("", true) == 2)
    #expect(rank("CPUTIN", false) == 2)
    #expect(rank("SYSTIN", false) == nil)
    #expect(rank("", false) == nil)
  }
}

private let networks = """
  Inter-|   Receive                                                |  Transmit
   face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
      lo:  123456    1000    0    0    0     0          0         0   123456    1000    0    0    0     0       0          0
    eth0: 9876543210  7654321    0   12    0     0          0      1000 123456789  654321    0    0    0     0       0          0
   wlan0:17 1 0 0 0 0 0 0 42 1 0 0 0 0 0 0

  """

@Suite struct InterfacesTests {
  @Test("Interfaces come with counters and addresses, without the loopback")
  func counters() {
    let found = interfaces(
      dev: networks, six: "00000000000000000000000000000001 01 80 10 80 lo\n",
      four: "lo 127.0.0.1\neth0 192.168.1.20\n")
    #expect(shown(found) == ["eth0", "wlan0"])
    let eth0 = found.items[0]
    #expect((eth0.received, eth0.sent) == (9_876_543_210, 123_456_789))
    #expect((found.items[1].received, found.items[1].sent) == (17, 42))
    #expect(addresses(eth0) == ["192.168.1.20"])
    #expect(found.moreCount == 0)
  }

  @Test("Stable global IPv6 addresses come first, temporary and deprecated ones last, and some are counted")
  func order() {
    let six = """
      20010db8000000aa0000000000000bad 02 40 00 21     eth0
      20010db8000000aa000000000000007e 02 40 00 01     eth0
      fe800000000000000a1b2cfffe3d4e5f 02 40 20 80     eth0
      fd000000000000000000000000000001 02 40 00 80     eth0
      20010db8000000aa0000000000000001 02 40 00 80     eth0
      20010db8000000bb0000000000000001 02 40 00 20     eth0

      """
    let found = interfaces(dev: networks, six: six)
    #expect(
      addresses(found.items[0]) == [
        "2001:db8:0:aa::1", "fd00::1", "fe80::a1b:2cff:fe3d:4e5f", "2001:db8:0:aa::7e",
      ])
    #expect(found.items[0].allAddressCount == 6)
    let reversed = six.split(separator: "\n").reversed().joined(separator: "\n")
    #expect(addresses(interfaces(dev: networks, six: reversed).items[0]) == addresses(found.items[0]))
    let both = interfaces(
      dev: networks, six: six, four: "eth0 10.0.0.1\neth0:1 10.0.0.2\neth0 10.0.0.3\n")
    #expect(addresses(both.items[0]) == ["10.0.0.1", "2001:db8:0:aa::1", "10.0.0.2", "10.0.0.3"])
    #expect(both.items[0].allAddressCount == 9)
  }

  @Test("Containers' interfaces come last, however many come first, and what is left out is counted")
  func containers() {
    let dev =
      (0..<40).map { "veth\($0): 1 0 0 0 0 0 0 0 1 0\n" }.joined()
      + "docker0: 1 0\nbr-0123456789ab: 1 0\nwg0: 5 0\nwlan0: 6 0\neth0: 7 0 0 0 0 0 0 0 8 0\n"
    let six = (0..<40).map {
      "fe8000000000000000000000000000\($0 + 10) 02 40 20 80 veth\($0)\n"
    }.joined()
    let found = interfaces(
      dev: dev, six: six, four: "docker0 172.17.0.1\neth0 10.0.0.5\n", physical: ["eth0", "wlan0"])
    #expect(shown(found).prefix(4) == ["eth0", "wlan0", "wg0", "docker0"])
    #expect(shown(found).count == 10)
    #expect(found.moreCount == 35)
    let eth0 = (0..<10).first { found.items[$0].name == "eth0" }!
    #expect((found.items[eth0].received, found.items[eth0].sent) == (7, 8))
    #expect(addresses(found.items[eth0]) == ["10.0.0.5"])
  }

  @Test("The table of routes says which addresses are whose, where the kernel cannot be asked")
  func routes() {
    var routed = RoutedAddresses()
    eachLine(
      """
      Main:
        +-- 0.0.0.0/0 3 0 5
           |-- 127.0.0.1
              /32 host LOCAL
           |-- 192.168.1.0
              /24 link UNICAST
           |-- 192.168.1.20
              /32 host LOCAL
           |-- 192.168.1.255
              /32 link BROADCAST
           |-- 10.0.0.7
              /32 host LOCAL
      Local:
           |-- 192.168.1.20
              /32 host LOCAL
      """
    ) { routed.addTrie($0) }
    eachLine(
      """
      Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask
      eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000
      eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF
      tun0\t0000000A\t00000000\t0001\t0\t0\t0\t000000FF
      """
    ) { routed.addRoute($0) }
    #expect(routed.count == 2)
    #expect((0..<2).map { string(routed.name($0)) } == ["eth0", "tun0"])
    #expect(routed.address(0) == 0xC0A8_0114)
  }

  @Test("Of the routes that hold an address the narrowest tells its interface, in whatever order they come")
  func narrowest() {
    let routes = [
      "eth0 0000A8C0 00000000 0001 0 0 0 0000FFFF", "eth1 0001A8C0 00000000 0001 0 0 0 00FFFFFF",
      "tun0 0000000A 00000000 0001 0 0 0 F0FFFFFF",
    ]
    for lines in [routes, routes.reversed()] {
      var routed = RoutedAddresses()
      for address in ["192.168.1.20", "192.168.2.20", "172.16.0.1"] {
        eachLine("|-- \(address)\n/32 host LOCAL") { routed.addTrie($0) }
      }
      for line in lines { eachLine(line) { routed.addRoute($0) } }
      #expect((0..<routed.count).map { string(routed.name($0)) } == ["eth1", "eth0", ""])
    }
  }

  @Test(
    "IPv6 addresses are written as RFC 5952 asks",
    arguments: [
      ("00000000000000000000000000000000", "::"),
      ("00000000000000000000000000000001", "::1"),
      ("20010db8000000000000000000000000", "2001:db8::"),
      ("20010db8000000010001000100010001", "2001:db8:0:1:1:1:1:1"),
      ("20010db8000000000001000000000001", "2001:db8::1:0:0:1"),
      ("ffffffffffffffffffffffffffffffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
      ("0", nil), ("zz", nil), ("", nil),
    ] as [(String, String?)])
  func ipv6(_ digits: String, _ text: String?) {
    let found = withGuardedOctets(digits) { digits in
      AddressText.groups(digits).map { String(AddressText.ipv6($0).span) }
    }
    #expect(found == text)
  }

  @Test("No prefix and no flipped octet of any line stops the reader")
  func anything() {
    let lines = [
      "    eth0: 9876543210  7654321    0   12    0     0          0      1000 123456789  6",
      "20010db8000000aa0000000000000bad 02 40 00 21     eth0", "     |-- 192.168.1.20",
      "        /32 host LOCAL", "eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF",
    ]
    for line in lines {
      let octets = Array(line.utf8)
      for i in octets.indices {
        var flipped = octets
        flipped[i] ^= 0xFF
        for some in [flipped, Array(octets.prefix(i))] {
          withGuardedOctets(some) { line in
            var interfaces = Interfaces()
            interfaces.addIPv6(line)
            interfaces.addIPv4(1, to: line)
            interfaces.addCounters(line) { _ in }
            var routed = RoutedAddresses()
            routed.addTrie(line)
            routed.addRoute(line)
          }
        }
      }
    }
  }
}

@Suite struct ShownTextTests {
  private func shown(_ octets: [UInt8]) -> String {
    let text: Text<96> = withGuardedOctets(octets) { Text(showing: $0) }
    return String(text.span)
  }

  @Test("Texts are shown as they are, without what controls a screen or turns the writing round")
  func octets() {
    #expect(shown(Array("Grüße 🐦 & <b>".utf8)) == "Grüße 🐦 & <b>")
    #expect(shown(Array("a\u{1B}[31m\0\u{7F}\n".utf8)) == "a\u{FFFD}[31m\u{FFFD}\u{FFFD}\u{FFFD}")
    #expect(
      shown(Array("a\u{85}\u{202E}b\u{2066}c\u{2028}\u{200F}".utf8))
        == "a\u{FFFD}\u{FFFD}b\u{FFFD}c\u{FFFD}\u{FFFD}")
    #expect(shown([0x61, 0xFF, 0xC3, 0x62, 0xE2, 0x82]) == "a\u{FFFD}\u{FFFD}b\u{FFFD}")
  }

  @Test("However hostile, a text has a bound when it has been escaped for HTML")
  func bound() {
    for unit in ["x", "<", "\"", "&", "'", "ü", "🐦", "\u{1}", "a'", "\u{202E}"] {
      let text = shown(Array(String(repeating: unit, count: 10_000).utf8))
      let escaped = text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
        .replacing("'", with: "&#39;").replacing("\"", with: "&quot;")
      #expect(escaped.utf8.count <= 96)
      #expect(text.hasSuffix("…"))
    }
    #expect(shown([UInt8](repeating: 0xFF, count: 10_000)).utf8.count <= 96)
  }
}
