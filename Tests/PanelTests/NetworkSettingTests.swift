// The kernel's `ip=` parameter: what of it the panel takes as the first process, what it refuses.

import Martlet
import TestSupport
import Testing

@testable import martlet_panel

@Suite struct NetworkSettingTests {
  private func setting(_ text: String) -> NetworkSetting? {
    let octets = Array(text.utf8)
    return NetworkSetting(octets.span)
  }

  private func isGood(_ text: String) -> Bool { isThere(setting(text)) }

  private func value(in line: String) -> String? {
    let octets = Array(line.utf8)
    guard let value = NetworkSetting.find(in: octets.span) else { return nil }
    return String(value)
  }

  @Test("An address, a gateway and a netmask are enough")
  func shortest() throws {
    let setting = try required(self.setting("10.0.2.15::10.0.2.2:255.255.255.0"))
    #expect(setting.client == 0x0A00_020F)
    #expect(setting.gateway == 0x0A00_0202)
    #expect(setting.netmask == 0xFFFF_FF00)
    #expect(setting.hostname.isEmpty && setting.device.isEmpty)
  }

  @Test("All fields are read; the NFS server is not used")
  func longest() throws {
    let setting = try required(self.setting("192.168.1.9:192.168.1.1::255.255.255.128:board-7:eth1:off"))
    #expect(setting.client == 0xC0A8_0109)
    #expect(setting.gateway == nil)
    #expect(setting.netmask == 0xFFFF_FF80)
    #expect(setting.hostname == "board-7")
    #expect(setting.device == "eth1")
  }

  @Test(
    "What the kernel may leave out at the end may be left out",
    arguments: [
      "1.2.3.4:::255.0.0.0", "1.2.3.4:::255.0.0.0:", "1.2.3.4:::255.0.0.0::",
      "1.2.3.4:::255.0.0.0:::none", "1.2.3.4:::255.255.255.255:::", "1.2.3.4:::128.0.0.0",
    ])
  func taken(_ text: String) {
    #expect(isGood(text))
  }

  @Test(
    "Anything else is refused",
    arguments: [
      "", "dhcp", "on", "any", "off", "none", "10.0.2.15", "10.0.2.15/24", "10.0.2.15::10.0.2.2",
      "10.0.2.15::10.0.2.2:", "10.0.2.15::10.0.2.2:24", "10.0.2:::255.0.0.0",
      "10.0.2.256:::255.0.0.0", "10.0.2.1.5:::255.0.0.0", "10.0.2.:::255.0.0.0",
      ".10.0.2:::255.0.0.0", "10.0.2.+1:::255.0.0.0", "0.0.0.0:::255.0.0.0",
      "10.0.2.15:x::255.0.0.0", "10.0.2.15::x:255.0.0.0", "10.0.2.15:::0.0.0.0",
      "10.0.2.15:::255.0.255.0", "10.0.2.15:::0.0.0.255", "10.0.2.15:::255.0.0.1",
      "10.0.2.15:::255.0.0.0::eth0:dhcp", "10.0.2.15:::255.0.0.0::eth0:on",
      "10.0.2.15:::255.0.0.0::eth0:off:1.1.1.1", "10.0.2.15:::255.0.0.0::sixteen-letters!",
      "10.0.2.15:::255.0.0.0::../../etc", "[::1]:::255.0.0.0",
      "10.0.2.15:::255.0.0.0:" + String(repeating: "x", count: 65),
    ])
  func refused(_ text: String) {
    #expect(!isGood(text))
  }

  @Test(
    "The last ip= of the command line counts, and only whole words",
    arguments: [
      ("ip=a", "a"), ("quiet ip=a\n", "a"), ("ip=a ip=b", "b"), ("  ip=a  panic=-1 \n", "a"),
      ("console=ttyAMA0 ip=", ""),
    ])
  func found(_ line: String, _ value: String) {
    #expect(self.value(in: line) == value)
  }

  @Test("No ip= is none", arguments: ["", "\n", "quiet", "zip=a", "martlet.ip=a", "ip", "IP=a"])
  func notFound(_ line: String) {
    #expect(value(in: line) == nil)
  }
}
