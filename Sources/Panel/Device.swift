// This machine, read anew for each page: what the texts of /proc and /sys say, and what the file
// systems and interfaces answer. Whatever is missing is `nil` or left out.

import Martlet

/// The state of this machine at one moment.
struct Device {
  let hostname: Text<64>?
  let model: Text<64>?
  let kernel: Text<64>?
  /// Seconds.
  let uptime: UInt64?
  let load: InlineArray<3, Text<8>>?
  let processorCount: Int?
  /// Thousandths of a degree.
  let milliDegrees: Int?
  /// Kibibytes.
  let memoryTotal: UInt64?
  let memoryAvailable: UInt64?

  /// Reads all of it.
  init() {
    hostname = Self.read("/proc/sys/kernel/hostname") { ProcText.line($0) }
    kernel = Self.read("/proc/sys/kernel/osrelease") { ProcText.line($0) }
    model =
      Self.read("/proc/device-tree/model") { ProcText.line($0) }
      ?? Self.read("/sys/firmware/devicetree/base/model") { ProcText.line($0) }
      ?? Self.read("/sys/class/dmi/id/product_name") { ProcText.line($0) }
      ?? Self.read("/proc/cpuinfo") { ProcText.processorModel($0) }
    uptime = Self.read("/proc/uptime") { ProcText.uptime($0) }
    load = Self.read("/proc/loadavg") { ProcText.load($0) }
    processorCount = Self.read("/sys/devices/system/cpu/online") { ProcText.processorCount($0) }
    memoryTotal = Self.read("/proc/meminfo") { ProcText.kibibytes("MemTotal:", in: $0) }
    memoryAvailable = Self.read("/proc/meminfo") { ProcText.kibibytes("MemAvailable:", in: $0) }
    milliDegrees = Self.readTemperature()
  }

  /// The file systems and how full they are.
  static func disks() -> Disks {
    var disks = read("/proc/mounts") { Disks($0) } ?? Disks()
    disks.measure()
    return disks
  }

  /// The network interfaces with their addresses.
  static func interfaces() -> Interfaces {
    var interfaces = read("/proc/net/dev") { Interfaces($0) } ?? Interfaces()
    try? System.readIPv4Addresses { interfaces.addIPv4($0) }
    _ = read("/proc/net/if_inet6") { interfaces.addIPv6($0) }
    for i in 0..<interfaces.count {
      let path = path("/sys/class/net/", interfaces.items[i].name.span, "/operstate")
      let state = try? System.read(path.span) { ProcText.line($0) }
      if let state = state ?? nil { interfaces.setState(i, Text(cutting: state.span)) }
    }
    return interfaces
  }

  /// The processor's zone, or else the first that tells a temperature.
  private static func readTemperature() -> Int? {
    var found: Int?
    for zone in 0..<10 {
      var digit = Text<1>()
      digit.append(0x30 + UInt8(zone))
      let valuePath = path("/sys/class/thermal/thermal_zone", digit.span, "/temp")
      let value = try? System.read(valuePath.span) { ProcText.milliDegrees($0) }
      guard let value = value ?? nil else { continue }
      let typePath = path("/sys/class/thermal/thermal_zone", digit.span, "/type")
      if (try? System.read(typePath.span) { ProcText.isProcessorZone($0) }) == true { return value }
      if found == nil { found = value }
    }
    return found
  }

  private static func read<R>(_ path: StaticString, _ body: (Span<UInt8>) -> R?) -> R? {
    do throws(SystemError) { return try System.read(path.octets, body) } catch { return nil }
  }

  private static func path(
    _ start: StaticString, _ name: Span<UInt8>, _ end: StaticString
  ) -> Text<96> {
    var path = Text<96>()
    path.append(start.octets)
    path.append(name)
    path.append(end.octets)
    return path
  }
}
