// Texts of /proc and /sys as a Raspberry Pi and a PC print them, whole, cut and damaged.

import Martlet
import TestSupport
import Testing

@testable import martlet_panel

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

@Suite struct ProcTextTests {
  @Test("A line is taken without blanks, NULs and what comes after")
  func lines() {
    func line(_ text: String) -> String? { withGuardedOctets(text) { string(ProcText.line($0)) } }
    #expect(line("raspberrypi\n") == "raspberrypi")
    #expect(line("Raspberry Pi 4 Model B Rev 1.1\0") == "Raspberry Pi 4 Model B Rev 1.1")
    #expect(line("  a b \t\nc\n") == "a b")
    #expect(line("") == nil)
    #expect(line(" \0x\n") == nil)
    #expect(line(String(repeating: "x", count: 100)) == String(repeating: "x", count: 93) + "…")
  }

  @Test("The processor's or the board's model is found")
  func models() {
    func model(_ text: String) -> String? {
      var found: String?
      eachLine(text) { line in
        if found == nil, ProcText.isModel(line) { found = string(ProcText.value(line)) }
      }
      return found
    }
    #expect(model(piProcessors) == "Raspberry Pi 4 Model B Rev 1.1")
    #expect(model(pcProcessors) == "Intel(R) Core(TM) i5-8250U CPU @ 1.60GHz")
    #expect(model("processor: 0\n") == nil)
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

  @Test("No prefix and no flipped octet of any text stops a reader")
  func anything() {
    for text in [piProcessors, "0-3,5\n", "48312\n", "0.42 0.30 12.25 1/180 991\n"] {
      let octets = Array(text.utf8)
      for count in 0...octets.count { readAll(Array(octets.prefix(count))) }
      for i in octets.indices {
        var flipped = octets
        flipped[i] ^= 0xFF
        readAll(flipped)
      }
    }
  }

  private func readAll(_ octets: [UInt8]) {
    withGuardedOctets(octets) { text in
      _ = ProcText.line(text)
      _ = ProcText.isModel(text)
      _ = ProcText.value(text)
      _ = ProcText.kibibytes("MemTotal:", in: text)
      _ = ProcText.uptime(text)
      _ = ProcText.load(text)
      _ = ProcText.processorCount(text)
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
    #expect((device.memory.kibibytes ?? 0) > (device.memory.available ?? 0))
    let disks = Device.disks()
    for i in 0..<disks.count where !disks.items[i].isTooLong {
      #expect(Device.space(at: disks.items[i].mountPoint.span) != nil)
    }
    #expect(Device.interfaces().count <= 10)
    _ = Device.temperature()
  }
}
