// Values of the machine → labels and samples of Prometheus' text format, version 0.0.4:
//
//     # HELP NAME TEXT
//     # TYPE NAME KIND
//     NAME{LABEL="VALUE",…} NUMBER
//
// Units are seconds, bytes and degrees Celsius, as Prometheus' conventions have them.

import Martlet

/// Labels of samples.
enum MetricLabels {
  /// Octets of the labels of all disks at most. Four samples of a disk have its labels. Disks beyond are counted
  /// as omitted, so that the page fits a response whatever mount points are called.
  static var diskSizeMax: Int { 1_400 }

  /// Writes a label: its name, and a text in quotes.
  @inline(never)
  @_lifetime(writer: copy writer)
  static func write(_ name: StaticString, _ value: Span<UInt8>, to writer: inout Writer) {
    writer.append(name)
    writer.append("=\"")
    for i in value.indices {
      switch value[i] {
      case "\n": writer.append("\\n")
      case "\"", "\\":
        writer.append("\\")
        writer.append(value[i])
      default: writer.append(value[i])
      }
    }
    writer.append("\"")
  }

  /// The labels of a disk: 23 octets, and a mount point and a device, each octet of which may be escaped.
  @inline(never)
  static func write(_ disk: Disk, to buffer: inout FixedBuffer<730>) {
    let mountPoint: Text<255> = Text(showing: disk.mountPoint.span)
    var writer = Writer(buffer.storageSpan)
    write("mountpoint", mountPoint.span, to: &writer)
    writer.append(",")
    write("device", disk.source.span, to: &writer)
    invariant(!writer.overflowed, "labels fit their buffer")
    let count = writer.count
    buffer.setCount(count)
  }

  /// Bits of the disks whose labels have room.
  static func fitting(_ disks: borrowing Disks) -> UInt8 {
    var (bits, size) = (UInt8(0), 0)
    for i in 0..<disks.count {
      var labels = FixedBuffer<730>()
      write(disks.items[i], to: &labels)
      guard size + labels.count <= diskSizeMax else { continue }
      size += labels.count
      bits |= 1 << UInt8(i)
    }
    return bits
  }
}

/// What is told of each disk, and of each interface.
private enum DiskMetric: UInt8 { case size, free, readOnly, silent }
private enum InterfaceMetric: UInt8 { case received, sent, up }

extension Body where Site == Panel {
  /// Begins the samples of a metric.
  @_lifetime(self: copy self)
  mutating func begin(_ name: StaticString, _ kind: StaticString, _ meaning: StaticString) {
    begin(name.octets, kind, meaning.octets)
  }

  @inline(never)
  @_lifetime(self: copy self)
  private mutating func begin(_ name: Span<UInt8>, _ kind: StaticString, _ meaning: Span<UInt8>) {
    write(plain: "# HELP martlet_\(name) \(meaning)\n# TYPE martlet_\(name) \(kind)\n")
  }

  /// Writes a metric with one sample; nothing for `nil`.
  @_lifetime(self: copy self)
  mutating func writeGauge(_ name: StaticString, _ meaning: StaticString, _ value: FixedPoint?) {
    writeGauge(name.octets, meaning.octets, value)
  }

  @inline(never)
  @_lifetime(self: copy self)
  private mutating func writeGauge(_ name: Span<UInt8>, _ meaning: Span<UInt8>, _ value: FixedPoint?) {
    guard let value else { return }
    begin(name, "gauge", meaning)
    write(plain: "martlet_\(name) \(value)\n")
  }

  @_lifetime(self: copy self)
  mutating func writeGauge(_ name: StaticString, _ meaning: StaticString, _ value: UInt64?) {
    writeGauge(name, meaning, value.map { FixedPoint($0, digits: 0) })
  }

  /// Writes what is known of the machine.
  @_lifetime(self: copy self)
  mutating func writeMetrics(
    _ device: borrowing Device, _ clock: SystemClock, _ measurements: borrowing Measurements
  ) {
    writeGauge("time_seconds", "Unix time of the system's clock.", UInt64(max(0, clock.unixSeconds)))
    writeGauge(
      "clock_synchronized", "1 where the kernel says that its clock is synchronized.",
      clock.state == .synchronized ? 1 : 0)
    writeGauge("system_uptime_seconds", "Seconds since the machine started.", device.uptime)
    writeLoad("load1", "Load of the last minute.", device, 0)
    writeLoad("load5", "Load of the last 5 minutes.", device, 1)
    writeLoad("load15", "Load of the last 15 minutes.", device, 2)
    writeGauge("processors", "Processors of the machine.", device.processorCount.map { UInt64($0) })
    writeGauge(
      "processor_limit", "Processors that a container may use.",
      device.processorLimit.map { FixedPoint($0, digits: 2) })
    writeGauge("memory_total_bytes", "Memory.", device.memory.kibibytes.map { $0 * 1_024 })
    writeGauge(
      "memory_available_bytes", "Memory that programs could have.",
      device.memory.available.map { $0 * 1_024 })
    writeGauge("memory_limit_bytes", "Limit of a container.", device.memoryLimit?.limit)
    writeGauge("memory_limit_used_bytes", "What counts against that limit.", device.memoryLimit?.used)
    writeTemperature(measurements)
    writeDisks(Device.disks(), measurements)
    writeInterfaces(Device.interfaces())
  }

  @inline(never)
  @_lifetime(self: copy self)
  private mutating func writeLoad(
    _ name: StaticString, _ meaning: StaticString, _ device: borrowing Device, _ index: Int
  ) {
    let value = device.load.flatMap { ProcText.hundredths($0[index].span) }
    writeGauge(name, meaning, value.map { FixedPoint($0, digits: 2) })
  }

  @_lifetime(self: copy self)
  private mutating func writeTemperature(_ measurements: borrowing Measurements) {
    guard let temperature = measurements.temperature else { return }
    let sensor: Text<96> = Text(showing: temperature.sensor.span)
    begin("temperature_celsius", "gauge", "What the processor's sensor said last.")
    writeSample("temperature_celsius", "sensor", sensor.span, FixedPoint(temperature.milliDegrees, digits: 3))
  }

  @inline(never)
  @_lifetime(self: copy self)
  private mutating func writeSample(
    _ name: StaticString, _ label: StaticString, _ text: Span<UInt8>, _ value: FixedPoint
  ) {
    var labels = FixedBuffer<730>()
    var writer = Writer(labels.storageSpan)
    MetricLabels.write(label, text, to: &writer)
    let count = writer.count
    labels.setCount(count)
    write(plain: "martlet_\(name){\(labels.span)} \(value)\n")
  }

  // MARK: Samples

  /// Writes the newest sample, but for what stands elsewhere already.
  @inline(never)
  @_lifetime(self: copy self)
  mutating func writeNewest(_ sampler: borrowing Sampler, _ throttling: Throttling?) {
    var texts = Lines(Series.programTexts.octets)
    var number: UInt8 = 0
    while let series = Series(rawValue: number), let name = texts.next(), let meaning = texts.next() {
      number += 1
      guard series != .load, series != .temperature, let value = sampler.value(series) else { continue }
      writeGauge(name, meaning, value)
    }
    if sampler.hasCores {
      begin("cpu_core_usage_ratio", "gauge", "Use of each processor.")
      for i in 0..<sampler.coreCount {
        guard let use = sampler.coreUse(i) else { continue }
        write(plain: "martlet_cpu_core_usage_ratio{cpu=\"\(UInt64(i))\"} \(use)\n")
      }
      writeGauge("cpu_cores_omitted", "Processors that have found no room here.", UInt64(sampler.moreCores))
    }
    guard let throttling else { return }
    writeThrottling("throttling_active", "1 where the firmware limits the processor.", throttling.bits)
    writeThrottling("throttling_occurred", "1 where it has done so since the start.", throttling.bits >> 16)
  }

  @inline(never)
  @_lifetime(self: copy self)
  private mutating func writeThrottling(_ name: StaticString, _ meaning: StaticString, _ bits: UInt32) {
    begin(name, "gauge", meaning)
    var (words, bits) = (Lines(Throttling.words.octets), bits)
    while let word = words.next() {
      writeSample(name, "reason", word, FixedPoint(bits & 1, digits: 0))
      bits >>= 1
    }
  }

  // MARK: Disks

  @_lifetime(self: copy self)
  private mutating func writeDisks(_ disks: borrowing Disks, _ measurements: borrowing Measurements) {
    let shown = MetricLabels.fitting(disks)
    writeDisks(.size, "filesystem_size_bytes", "Room of a file system.", disks, shown, measurements)
    writeDisks(
      .free, "filesystem_avail_bytes", "Room that everybody can have.", disks, shown, measurements)
    writeDisks(
      .readOnly, "filesystem_readonly", "1 where nothing can be written.", disks, shown, measurements)
    writeDisks(
      .silent, "filesystem_silent", "1 where the device does not answer.", disks, shown, measurements)
    writeGauge(
      "filesystems_omitted", "File systems that have found no room here.",
      UInt64(disks.moreCount + disks.count - shown.nonzeroBitCount))
  }

  @inline(never)
  @_lifetime(self: copy self)
  private mutating func writeDisks(
    _ metric: DiskMetric, _ name: StaticString, _ meaning: StaticString, _ disks: borrowing Disks,
    _ shown: UInt8, _ measurements: borrowing Measurements
  ) {
    begin(name, "gauge", meaning)
    for i in 0..<disks.count where shown >> UInt8(i) & 1 != 0 {
      let item = measurements.item(disks.items[i])
      let space = item.flatMap { $0.isKnown ? $0.space : nil }
      // What has no room at all is no disk.
      if space?.total == 0 { continue }
      let value: UInt64? =
        switch metric {
        case .size: space.map { $0.octets($0.total) }
        case .free: space.map { $0.octets($0.availableBlocks) }
        case .readOnly: disks.items[i].isReadOnly ? 1 : 0
        case .silent: item?.silentSince == nil ? 0 : 1
        }
      guard let value else { continue }
      var labels = FixedBuffer<730>()
      MetricLabels.write(disks.items[i], to: &labels)
      write(plain: "martlet_\(name){\(labels.span)} \(value)\n")
    }
  }

  // MARK: Network

  @_lifetime(self: copy self)
  private mutating func writeInterfaces(_ interfaces: borrowing Interfaces) {
    writeInterfaces(
      .received, "network_receive_bytes_total", "counter", "Bytes that an interface has received.", interfaces
    )
    writeInterfaces(
      .sent, "network_transmit_bytes_total", "counter", "Bytes that an interface has sent.", interfaces)
    writeInterfaces(.up, "network_up", "gauge", "1 where an interface is up.", interfaces)
    writeGauge(
      "networks_omitted", "Interfaces that have found no room here.", UInt64(interfaces.moreCount))
  }

  @inline(never)
  @_lifetime(self: copy self)
  private mutating func writeInterfaces(
    _ metric: InterfaceMetric, _ name: StaticString, _ kind: StaticString, _ meaning: StaticString,
    _ interfaces: borrowing Interfaces
  ) {
    begin(name, kind, meaning)
    for i in 0..<interfaces.count {
      let interface = interfaces.items[i]
      let value: UInt64 =
        switch metric {
        case .received: interface.received
        case .sent: interface.sent
        case .up: interface.state == "up" ? 1 : 0
        }
      let device: Text<96> = Text(showing: interface.name.span)
      writeSample(name, "device", device.span, FixedPoint(value, digits: 0))
    }
  }
}
