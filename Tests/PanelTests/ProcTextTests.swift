// Texts of /proc and /sys as a Raspberry Pi and a PC print them, whole, cut and damaged.

import Martlet
import TestSupport
import Testing

@testable import martlet_panel

private let meminfo = """
  MemTotal:         947732 kB
  MemFree:          102400 kB
  MemAvailable:     612340 kB
  Buffers:           32112 kB
  SwapTotal:             0 kB

  """

private let piProcessors = """
  processor\t: 0
  BogoMIPS\t: 108.00
  Features\t: fp asimd evtstrm crc32 cpuid

  Hardware\t: BCM2835
  Revision\t: c03111
  Serial\t\t: 10000000abcdef01
  Model\t\t: Raspberry Pi 4 Model B Rev 1.1

  """

private let pcProcessors = """
  processor\t: 0
  vendor_id\t: GenuineIntel
  model\t\t: 142
  model name\t: Intel(R) Core(TM) i5-8250U CPU @ 1.60GHz
  processor\t: 1
  model name\t: Intel(R) Core(TM) i5-8250U CPU @ 1.60GHz

  """

private let piMounts = """
  /dev/root / ext4 rw,noatime 0 0
  devtmpfs /dev devtmpfs rw,relatime,size=340460k 0 0
  proc /proc proc rw,relatime 0 0
  tmpfs /run tmpfs rw,nosuid,nodev,mode=755 0 0
  /dev/mmcblk0p1 /boot/firmware vfat rw,relatime 0 0
  /dev/sda1 /media/pi/USB\\040STICK vfat rw,nosuid 0 0
  /dev/loop0 /snap/core/1 squashfs ro 0 0

  """

private let containerMounts = """
  overlay / overlay rw,lowerdir=/a:/b 0 0
  /dev/nvme0n1p2 /var/lib/long/etc/hosts ext4 rw 0 0
  /dev/nvme0n1p2 /data ext4 rw 0 0
  nfs.example:/home /home nfs4 rw 0 0

  """

private let networks = """
  Inter-|   Receive                                                |  Transmit
   face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
      lo:  123456    1000    0    0    0     0          0         0   123456    1000    0    0    0     0       0          0
    eth0: 9876543210  7654321    0   12    0     0          0      1000 123456789  654321    0    0    0     0       0          0
   wlan0:17 1 0 0 0 0 0 0 42 1 0 0 0 0 0 0

  """

private let sixes = """
  00000000000000000000000000000001 01 80 10 80       lo
  fe800000000000000a1b2cfffe3d4e5f 02 40 20 80     eth0
  20010db8000000000001000000000001 02 40 00 00     eth0

  """

private func string<let capacity: Int>(_ text: Text<capacity>?) -> String? {
  text.map { String($0.span) }
}

@Suite struct ProcTextTests {
  @Test("A line is taken without blanks, NULs and what comes after")
  func lines() {
    func line(_ text: String) -> String? { withGuardedOctets(text) { string(ProcText.line($0)) } }
    #expect(line("raspberrypi\n") == "raspberrypi")
    #expect(line("Raspberry Pi 4 Model B Rev 1.1\0") == "Raspberry Pi 4 Model B Rev 1.1")
    #expect(line("  a b \t\nc\n") == "a b")
    #expect(line("") == nil)
    #expect(line(" \0x\n") == nil)
    #expect(line(String(repeating: "x", count: 100)) == String(repeating: "x", count: 64))
  }

  @Test("The processor's or the board's model is found")
  func models() {
    func model(_ text: String) -> String? {
      withGuardedOctets(text) { string(ProcText.processorModel($0)) }
    }
    #expect(model(piProcessors) == "Raspberry Pi 4 Model B Rev 1.1")
    #expect(model(pcProcessors) == "Intel(R) Core(TM) i5-8250U CPU @ 1.60GHz")
    #expect(model("processor: 0\n") == nil)
  }

  @Test("Memory is read by name, and by the whole name")
  func memory() {
    func kibibytes(_ name: StaticString, _ text: String) -> UInt64? {
      withGuardedOctets(text) { ProcText.kibibytes(name, in: $0) }
    }
    #expect(kibibytes("MemTotal:", meminfo) == 947_732)
    #expect(kibibytes("MemAvailable:", meminfo) == 612_340)
    #expect(kibibytes("Mem", meminfo) == nil)
    #expect(kibibytes("MemTotal:", "MemTotal: lots kB\n") == nil)
    #expect(kibibytes("MemTotal:", "MemTotal:\n") == nil)
  }

  @Test("Uptime and load are read")
  func times() throws {
    #expect(withGuardedOctets("351735.47 1406882.12\n") { ProcText.uptime($0) } == 351_735)
    #expect(withGuardedOctets("up\n") { ProcText.uptime($0) } == nil)
    let load = try #require(withGuardedOctets("0.42 0.30 12.25 1/180 991\n") { ProcText.load($0) })
    #expect([string(load[0]), string(load[1]), string(load[2])] == ["0.42", "0.30", "12.25"])
    #expect(withGuardedOctets("0.42 <b> 1") { ProcText.load($0) } == nil)
    #expect(withGuardedOctets("0.42 0.30") { ProcText.load($0) } == nil)
  }

  @Test(
    "Processors are counted",
    arguments: [
      ("0\n", 1), ("0-3\n", 4), ("0-3,5,8-9\n", 7), ("", nil), ("\n", nil), ("3-0\n", nil),
      ("a\n", nil), ("0-\n", nil), ("0-99999999999999999999\n", nil), ("0-999999\n", nil),
    ] as [(String, Int?)])
  func processors(_ text: String, _ count: Int?) {
    #expect(withGuardedOctets(text) { ProcText.processorCount($0) } == count)
  }

  @Test("Temperatures are read, and a processor's zone is known")
  func temperatures() {
    #expect(withGuardedOctets("48312\n") { ProcText.milliDegrees($0) } == 48_312)
    #expect(withGuardedOctets("-5000\n") { ProcText.milliDegrees($0) } == -5_000)
    #expect(withGuardedOctets("\n") { ProcText.milliDegrees($0) } == nil)
    #expect(withGuardedOctets("-\n") { ProcText.milliDegrees($0) } == nil)
    #expect(withGuardedOctets("9999999\n") { ProcText.milliDegrees($0) } == nil)
    for zone in ["cpu-thermal\n", "x86_pkg_temp\n", "soc-thermal\n"] {
      #expect(withGuardedOctets(zone) { ProcText.isProcessorZone($0) })
    }
    #expect(!withGuardedOctets("acpitz\n") { ProcText.isProcessorZone($0) })
  }

  @Test("Of the mounts the real file systems remain, each device once, by its shortest path")
  func disks() {
    func list(_ text: String) -> [String] {
      let disks = withGuardedOctets(text) { Disks($0) }
      return (0..<disks.count).map {
        String(disks.items[$0].source.span) + " " + String(disks.items[$0].mountPoint.span)
      }
    }
    #expect(
      list(piMounts) == [
        "/dev/root /", "/dev/mmcblk0p1 /boot/firmware", "/dev/sda1 /media/pi/USB STICK",
      ])
    #expect(list(containerMounts) == ["overlay /", "/dev/nvme0n1p2 /data"])
    let many = (0..<20).map { "/dev/sd\($0) /mnt/\($0) ext4 rw 0 0\n" }.joined()
    #expect(list(many).count == 8)
    #expect(list("/dev/sda /" + String(repeating: "x", count: 300) + " ext4\n") == [])
  }

  @Test("Octal escapes in paths are undone, and what is none stays")
  func escapes() {
    func decode(_ text: String) -> String? { withGuardedOctets(text) { string(Disks.decode($0)) } }
    #expect(decode("/a\\040b\\134c\\011") == "/a b\\c\t")
    #expect(decode("\\") == "\\")
    #expect(decode("\\04") == "\\04")
    #expect(decode("\\0x0") == "\\0x0")
    #expect(decode("\\777") == "\\777")
  }

  @Test("Interfaces come with counters and addresses, without the loopback")
  func interfaces() {
    var interfaces = withGuardedOctets(networks) { Interfaces($0) }
    #expect(interfaces.count == 2)
    #expect(String(interfaces.items[0].name.span) == "eth0")
    #expect(interfaces.items[0].received == 9_876_543_210)
    #expect(interfaces.items[0].sent == 123_456_789)
    #expect(String(interfaces.items[1].name.span) == "wlan0")
    #expect(interfaces.items[1].received == 17)
    #expect(interfaces.items[1].sent == 42)
    withGuardedOctets("lo 127.0.0.1\neth0 192.168.1.20\n") { interfaces.addIPv4($0) }
    withGuardedOctets(sixes) { interfaces.addIPv6($0) }
    let addresses = (0..<interfaces.items[0].addressCount).map {
      String(interfaces.items[0].addresses[$0].span)
    }
    #expect(addresses == ["192.168.1.20", "fe80::a1b:2cff:fe3d:4e5f", "2001:db8::1:0:0:1"])
    #expect(interfaces.items[1].addressCount == 0)
    for _ in 0..<9 { withGuardedOctets("eth0 10.0.0.1\n") { interfaces.addIPv4($0) } }
    #expect(interfaces.items[0].addressCount == 4)
    let many = (0..<40).map { "veth\($0): 1 0 0 0 0 0 0 0 1 0\n" }.joined()
    #expect(withGuardedOctets(many) { Interfaces($0) }.count == 16)
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
    #expect(withGuardedOctets(digits) { string(IPv6Text.of($0)) } == text)
  }

  @Test("No prefix and no flipped octet of any text stops a parser")
  func anything() {
    let texts = [
      meminfo, piProcessors, piMounts, containerMounts, networks, sixes, "0-3,5\n", "48312\n",
      "0.42 0.30 12.25 1/180 991\n", "eth0 192.168.1.20\n",
    ]
    for text in texts {
      let octets = Array(text.utf8)
      for count in 0...octets.count { parseAll(Array(octets.prefix(count))) }
      for i in octets.indices {
        var flipped = octets
        flipped[i] ^= 0xFF
        parseAll(flipped)
      }
    }
  }

  private func parseAll(_ octets: [UInt8]) {
    withGuardedOctets(octets) { text in
      _ = ProcText.line(text)
      _ = ProcText.processorModel(text)
      _ = ProcText.kibibytes("MemTotal:", in: text)
      _ = ProcText.uptime(text)
      _ = ProcText.load(text)
      _ = ProcText.processorCount(text)
      _ = ProcText.milliDegrees(text)
      _ = ProcText.isProcessorZone(text)
      _ = Disks(text)
      var interfaces = Interfaces(text)
      interfaces.addIPv4(text)
      interfaces.addIPv6(text)
    }
  }
}

@Suite struct DeviceTests {
  @Test("This machine tells its name, kernel, memory and time")
  func thisMachine() {
    let device = Device()
    #expect(device.hostname != nil)
    #expect(device.kernel != nil)
    #expect(device.uptime != nil)
    #expect(device.load != nil)
    #expect((device.memoryTotal ?? 0) > (device.memoryAvailable ?? 0))
    let disks = Device.disks()
    for i in 0..<disks.count { #expect(disks.items[i].space.total > 0) }
    #expect(Device.interfaces().count <= 16)
  }
}
