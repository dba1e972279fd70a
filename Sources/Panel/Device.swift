// This machine, read anew for each page: what the texts of /proc and /sys say. Whatever is missing is `nil`
// or left out. What the system may hold up is for a child to ask (Measurements.swift).

import Martlet

/// The state of this machine at one moment.
struct Device: ~Copyable {
  private let isReadInPlace = ByAddress()

  let hostname: Text<96>?
  let model: Text<96>?
  let kernel: Text<96>?
  /// Seconds.
  let uptime: UInt64?
  let load: InlineArray<3, Text<8>>?
  let processorCount: Int?
  /// Hundredths of processors that a container may use, where that is limited.
  let processorLimit: UInt64?
  let memory: Memory
  /// A container's limit, where it is less than the machine's memory.
  let memoryLimit: MemoryLimit?

  /// Reads all of it.
  init() {
    hostname = Self.name("/proc/sys/kernel/hostname")
    kernel = Self.name("/proc/sys/kernel/osrelease")
    model =
      Self.name("/proc/device-tree/model") ?? Self.name("/sys/firmware/devicetree/base/model")
      ?? Self.name("/sys/class/dmi/id/product_name") ?? Self.processorModel()
    uptime = ProcText.uptime(Self.word("/proc/uptime").span)
    load = ProcText.load(Self.word("/proc/loadavg").span)
    processorLimit = ControlGroup.processors(Self.word("/sys/fs/cgroup/cpu.max").span)
    var online = TextLines("/sys/devices/system/cpu/online")
    if let list = online.next() {
      processorCount = ProcText.processorCount(list)
    } else {
      processorCount = nil
    }
    memory = Self.memory()
    memoryLimit = Self.memoryLimit(below: memory.kibibytes)
  }

  /// What /proc/meminfo says.
  private static func memory() -> Memory {
    var memory = Memory()
    var lines = TextLines("/proc/meminfo")
    while let line = lines.next() { memory.add(line) }
    return memory
  }

  // MARK: Samples

  /// How much memory there is and is in use; a container's limit counts.
  @inline(never)
  static func memoryUse() -> MemoryAmount? {
    let memory = memory()
    return MemoryAmount(memory, memoryLimit(below: memory.kibibytes))
  }

  /// The load of the last minute, in hundredths.
  static func loadHundredths() -> Int64? { ProcText.loadHundredths(word("/proc/loadavg").span) }

  /// The times of the processors.
  @inline(never)
  static func processorTimes() -> ProcessorTimes {
    var times = ProcessorTimes()
    var lines = TextLines("/proc/stat")
    while let line = lines.next(), times.add(line) {}
    return times
  }

  /// What all disks have read and written, in sectors. Partitions, and what is made of other disks, have no device
  /// of their own, so that nothing counts twice.
  @inline(never)
  static func diskSums(at moment: Int64) -> CounterSums {
    var sums = CounterSums(at: moment)
    var lines = TextLines("/proc/diskstats")
    while let line = lines.next() {
      guard let disk = DiskLine(line), isOfDevice("/sys/block/", disk.name) else { continue }
      sums.add(disk.name, disk.read, disk.written)
    }
    return sums
  }

  /// What all network interfaces have received and sent. What bridges, tunnels and containers carry goes through
  /// an interface with a device as well. So only interfaces with a device count, unless the machine has none.
  @inline(never)
  static func networkSums(at moment: Int64) -> CounterSums {
    var (physical, all) = (CounterSums(at: moment), CounterSums(at: moment))
    var lines = TextLines("/proc/net/dev")
    while let line = lines.next() {
      guard let interface = InterfaceLine(line) else { continue }
      all.add(interface.name, interface.received, interface.sent)
      guard isOfDevice("/sys/class/net/", interface.name) else { continue }
      physical.add(interface.name, interface.received, interface.sent)
    }
    return physical.count > 0 ? physical : all
  }

  /// Whether there is a device behind what a folder of /sys tells of.
  @inline(never)
  private static func isOfDevice(_ folder: StaticString, _ name: Span<UInt8>) -> Bool {
    guard name.firstIndex(of: 0x2F) == nil else { return false }
    return System.exists(path(folder, name, "/device").span)
  }

  private static func processorModel() -> Text<96>? {
    var lines = TextLines("/proc/cpuinfo")
    // What is the same on many boards stands before the board's own name.
    var model: Text<96>?
    while let line = lines.next() {
      let isModel = ProcText.isModel(line)
      if isModel || line.hasPrefix("Hardware") { model = ProcText.value(line) }
      if isModel { break }
    }
    return model
  }

  // MARK: Disks

  /// The file systems; not how full they are.
  static func disks() -> Disks {
    var disks = Disks()
    if !add("/proc/self/mountinfo", to: &disks, isDetailed: true) {
      _ = add("/proc/mounts", to: &disks, isDetailed: false)
    }
    guard disks.hasReadOnly else { return disks }
    var lines = TextLines("/etc/fstab")
    while let line = lines.next() { disks.addFstab(line) }
    return disks
  }

  /// - Returns: Whether there is such a text.
  @inline(never)
  private static func add(_ path: StaticString, to disks: inout Disks, isDetailed: Bool) -> Bool {
    var lines = TextLines(path)
    let isThere = lines.isThere
    while let line = lines.next() {
      if let mount = isDetailed ? MountLine(mountinfo: line) : MountLine(mounts: line) {
        disks.add(mount)
      }
    }
    return isThere
  }

  /// How full a file system is: a child asks this.
  static func space(at mountPoint: Span<UInt8>) -> DiskSpace? {
    guard System.hasRoot else { return System.space(at: mountPoint) }
    var lines = TextLines("/martlet/statfs")
    while let line = lines.next() {
      if let space = Disks.space(line, of: mountPoint) { return space }
      // A line `MOUNT-POINT silent` stands for a device that does not answer.
      if Disks.isSilent(line, mountPoint) { while true { System.sleep(milliseconds: 60_000) } }
    }
    return nil
  }

  // MARK: Network

  /// The network interfaces with their addresses.
  static func interfaces() -> Interfaces {
    var interfaces = Interfaces()
    if System.hasRoot {
      let routed = routedAddresses()
      for i in 0..<routed.count { interfaces.addIPv4(routed.address(i), to: routed.name(i).span) }
      interfaces.untoldAddressCount = routed.leftOut
    } else {
      interfaces.untoldAddressCount = System.eachIPv4Address { name, address in
        interfaces.addIPv4(address, to: name)
      }
    }
    var six = TextLines("/proc/net/if_inet6")
    while let line = six.next() { interfaces.addIPv6(line) }
    var counters = TextLines("/proc/net/dev")
    while let line = counters.next() { interfaces.addCounters(line) { examine(&$0) } }
    return interfaces
  }

  private static func routedAddresses() -> RoutedAddresses {
    var routed = RoutedAddresses()
    var trie = TextLines("/proc/net/fib_trie")
    while let line = trie.next() { routed.addTrie(line) }
    var routes = TextLines("/proc/net/route")
    while let line = routes.next() { routed.addRoute(line) }
    return routed
  }

  /// Reads what /sys tells of an interface, while /proc/net/dev is being read.
  private static func examine(_ interface: inout Interface) {
    // A name is one part of a path; the kernel allows no other (dev_valid_name()).
    guard interface.name.span.firstIndex(of: 0x2F) == nil else { return }
    interface.isPhysical = isOfDevice("/sys/class/net/", interface.name.span)
    let path = path("/sys/class/net/", interface.name.span, "/operstate")
    if let state = System.readWord(path.span) { interface.state = Text(showing: state.span) }
  }

  // MARK: Temperature

  /// What the processor's sensor says: a child asks this.
  static func temperature() -> Temperature? {
    var best: Temperature?
    var bestRank = 9
    var misses = 0
    // Numbers are given from 0 on; what has been unplugged leaves a gap.
    for number in 0..<64 {
      guard misses < 8, bestRank > 0 else { break }
      var zone = path("/sys/class/thermal/thermal_zone", number)
      guard let type = line(zone, "/type") else {
        misses += 1
        continue
      }
      guard let rank = Temperature.rank(zone: type.span), rank < bestRank else { continue }
      zone.append(("/temp" as StaticString).octets)
      guard let value = Self.milliDegrees(zone) else { continue }
      (best, bestRank) = (Temperature(milliDegrees: value, sensor: Text(showing: type.span)), rank)
    }
    misses = 0
    for number in 0..<64 {
      guard misses < 8, bestRank > 1 else { break }
      let chip = path("/sys/class/hwmon/hwmon", number)
      guard let name = line(chip, "/name") else {
        misses += 1
        continue
      }
      readChip(chip, name, &best, &bestRank)
    }
    return best
  }

  /// Looks for a better sensor among those of a chip of hwmon.
  private static func readChip(
    _ chip: Text<96>, _ name: Text<40>, _ best: inout Temperature?, _ bestRank: inout Int
  ) {
    let chipRank = Temperature.rank(chip: name.span)
    for number in 1..<16 {
      var sensor = chip
      sensor.append(("/temp" as StaticString).octets)
      append(number, to: &sensor)
      let label = line(sensor, "_label") ?? ""
      guard
        let rank = Temperature.rank(label: label.span, ofProcessor: chipRank != nil), rank < bestRank
      else { continue }
      sensor.append(("_input" as StaticString).octets)
      guard let value = milliDegrees(sensor) else { continue }
      (best, bestRank) = (Temperature(milliDegrees: value, sensor: Text(showing: name.span)), rank)
    }
  }

  @inline(never)
  private static func milliDegrees(_ path: Text<96>) -> Int? {
    System.readWord(path.span).flatMap { Temperature.milliDegrees($0.span) }
  }

  /// What the firmware of a Raspberry Pi says about its clock and its supply: a child asks this.
  static func throttling() -> Throttling? {
    System.readWord(
      ("/sys/devices/platform/soc/soc:firmware/get_throttled" as StaticString).octets
    ).flatMap { Throttling($0.span) }
  }

  // MARK: Limits of a container

  /// The smallest limit that holds for all of the container that this machine is. The limit is that of the
  /// root of the control groups, or of the first process's group and the groups above. The limit of the
  /// panel's own service is not the machine's.
  private static func memoryLimit(below kibibytes: UInt64?) -> MemoryLimit? {
    var limit: MemoryLimit?
    for version in 1...2 {
      let isVersion2 = version == 2
      let root: StaticString = isVersion2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory"
      var group = Text<255>()
      var lines = TextLines("/proc/1/cgroup")
      while let line = lines.next() {
        if let path = ControlGroup.path(line, isVersion2: isVersion2) { group = path }
      }
      // Each turn leaves a part of the path; at most 127 have room.
      while true {
        addLimit(root, group.span, isVersion2: isVersion2, to: &limit)
        guard let slash = lastSlash(group.span) else { break }
        group = Text(cutting: group.span.extracting(first: slash))
      }
    }
    guard let limit, limit.limit / 1_024 < kibibytes ?? .max else { return nil }
    return limit
  }

  private static func lastSlash(_ path: Span<UInt8>) -> Int? {
    for i in path.indices.reversed() where path[i] == 0x2F { return i }
    return nil
  }

  private static func addLimit(
    _ root: StaticString, _ group: Span<UInt8>, isVersion2: Bool, to found: inout MemoryLimit?
  ) {
    var path = Text<255>()
    path.append(root.octets)
    path.append(group)
    let limitFile: StaticString = isVersion2 ? "/memory.max" : "/memory.limit_in_bytes"
    guard let limit = number(path, limitFile).flatMap(ControlGroup.limit),
      limit < found?.limit ?? .max
    else { return }
    var use = number(path, isVersion2 ? "/memory.current" : "/memory.usage_in_bytes")
    // Of the files in memory, what has not been used lately would be given back first.
    if let used = use {
      path.append(("/memory.stat" as StaticString).octets)
      var lines = TextLines(path.span)
      while let line = lines.next() {
        var words = Words(line)
        guard words.next()?.equals(isVersion2 ? "inactive_file" : "total_inactive_file") == true
        else { continue }
        use = used - min(used, words.next()?.decimal() ?? 0)
      }
    }
    found = MemoryLimit(limit: limit, used: use.map { min($0, limit) })
  }

  // MARK: Reading

  /// The first line of a text, to be shown.
  @inline(never)
  private static func name(_ path: StaticString) -> Text<96>? {
    var lines = TextLines(path)
    guard let line = lines.next() else { return nil }
    return ProcText.line(line)
  }

  /// The start of a short text; empty when there is none.
  @inline(never)
  private static func word(_ path: StaticString) -> Text<40> {
    System.readWord(path.octets) ?? Text()
  }

  @inline(never)
  private static func number(_ folder: Text<255>, _ name: StaticString) -> UInt64? {
    var path = folder
    path.append(name.octets)
    return System.readWord(path.span)?.span.decimal()
  }

  /// The first line of a short text.
  @inline(never)
  private static func line(_ start: Text<96>, _ end: StaticString) -> Text<40>? {
    var path = start
    path.append(end.octets)
    return System.readWord(path.span)
  }

  @inline(never)
  private static func path(
    _ start: StaticString, _ name: Span<UInt8>, _ end: StaticString
  ) -> Text<96> {
    var path = Text<96>()
    path.append(start.octets)
    path.append(name)
    path.append(end.octets)
    return path
  }

  @inline(never)
  private static func path(_ start: StaticString, _ number: Int) -> Text<96> {
    var path = Text<96>()
    path.append(start.octets)
    append(number, to: &path)
    return path
  }

  /// - Parameter number: Less than 100.
  @inline(never)
  private static func append(_ number: Int, to path: inout Text<96>) {
    if number >= 10 { path.append(0x30 + UInt8(number / 10)) }
    path.append(0x30 + UInt8(number % 10))
  }
}
