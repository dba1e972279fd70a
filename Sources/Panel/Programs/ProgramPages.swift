// What pages show, for programs: JSON below /api/v1, the description of that, and whether the panel is well.
// Every list has a bound, so every answer fits a response. Names from outside are cut as on the pages.

import Martlet

extension Panel {
  /// Answers a page of the table that is for programs, but for `/metrics`.
  mutating func answerProgram(
    _ page: Page, _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>
  ) -> Answer {
    switch page {
    case .apiDisks, .apiTemperature:
      // As the overview: it waits a little for what the system may hold up.
      if let milliseconds = measurements.renew() { return response.later(inMilliseconds: milliseconds) }
    case .apiDescription:
      return response.asset(PackedAssets.openapiJson, request)
    case .apiOther:
      return response.refuse(.notFound, "There is no such page here; /api/v1/openapi.json has them all.")
    default: break
    }
    var body = response.body(mediaType: "application/json")
    switch page {
    case .apiSystem: body.writeSystem(Device(), request.clock)
    case .apiMemory: body.writeMemory(Device())
    case .apiDisks: body.writeDisks(Device.disks(), measurements)
    case .apiInterfaces: body.writeInterfaces(Device.interfaces())
    case .apiTemperature: body.writeTemperature(measurements)
    case .apiSamples: body.writeSamples(sampler, measurements.throttling)
    default: body.writeAccess(request.user)
    }
    return body.end()
  }

  /// Says whether the panel can be used: 200, or 503 where nobody can log in. It tells nothing else, because
  /// everybody may ask.
  mutating func healthPage(_ response: consuming Response<Panel>) -> Answer {
    var body = response.body(
      condition.isDamaged ? .serviceUnavailable : .ok, mediaType: "text/plain; charset=utf-8")
    body.write(plain: condition.isDamaged ? "not ok\n" : "ok\n")
    return body.end()
  }
}

/// Members of objects. Each call writes markup, which ends with a member's name and colon, and a value. So the
/// many members cost a call each. Numbers and words have no octet that JSON escapes; texts are encoded.
extension Body where Site == Panel {
  @inline(never)
  @_lifetime(self: copy self)
  private mutating func put(_ markup: StaticString) { write(octets: markup.octets) }

  /// Writes a text; `null` for one without octets.
  @inline(never)
  @_lifetime(self: copy self)
  private mutating func put(_ markup: StaticString, _ text: Span<UInt8>) {
    put(markup)
    if text.count == 0 { put("null") } else { write(json: "\(text)") }
  }

  /// Writes a number; `null` for `nil`.
  @inline(never)
  @_lifetime(self: copy self)
  private mutating func put(_ markup: StaticString, _ number: UInt64?) {
    put(markup)
    if let number { write(plain: "\(number)") } else { put("null") }
  }

  @inline(never)
  @_lifetime(self: copy self)
  private mutating func put(_ markup: StaticString, count: Int) { put(markup, UInt64(max(0, count))) }

  /// Writes a number with so many decimals; `null` for `nil`.
  @_lifetime(self: copy self)
  private mutating func put(_ markup: StaticString, _ number: Int?, digits: Int) {
    put(markup, number.map { FixedPoint($0, digits: digits) })
  }

  @inline(never)
  @_lifetime(self: copy self)
  private mutating func put(_ markup: StaticString, _ number: FixedPoint?) {
    put(markup)
    if let number { write(plain: "\(number)") } else { put("null") }
  }

  @_lifetime(self: copy self)
  private mutating func put(_ markup: StaticString, _ flag: Bool) {
    put(markup)
    put(flag ? "true" : "false")
  }

  // MARK: System

  @_lifetime(self: copy self)
  fileprivate mutating func writeSystem(_ device: borrowing Device, _ clock: SystemClock) {
    let state: StaticString =
      switch clock.state {
      case .synchronized: "synchronized"
      case .plausible: "not_synchronized"
      case .notSet: "not_set"
      }
    let hostname = device.hostname ?? Text()
    put("{\"hostname\":", hostname.span)
    let model = device.model ?? Text()
    put(",\"model\":", model.span)
    let kernel = device.kernel ?? Text()
    put(",\"kernel\":", kernel.span)
    put(",\"panel_version\":", Panel.version.octets)
    put(",\n\"time\":", UInt64(max(0, clock.unixSeconds)))
    put(",\"clock\":", state.octets)
    put(",\"uptime_seconds\":", device.uptime)
    put(",\"load\":[")
    for i in 0..<(device.load == nil ? 0 : 3) {
      put(i == 0 ? "" : ",", device.load.flatMap { ProcText.hundredths($0[i].span) }, digits: 2)
    }
    put("],\"processors\":", device.processorCount.map { UInt64($0) })
    put(",\"processor_limit\":", device.processorLimit.map { Int(clamping: $0) }, digits: 2)
    put("}\n")
  }

  @_lifetime(self: copy self)
  fileprivate mutating func writeMemory(_ device: borrowing Device) {
    put("{\"total_bytes\":", device.memory.kibibytes.map { $0 * 1_024 })
    put(",\"available_bytes\":", device.memory.available.map { $0 * 1_024 })
    if let limit = device.memoryLimit {
      put(",\"container\":{\"limit_bytes\":", limit.limit)
      put(",\"used_bytes\":", limit.used)
      put("}}\n")
    } else {
      put(",\"container\":null}\n")
    }
  }

  // MARK: Disks

  @_lifetime(self: copy self)
  fileprivate mutating func writeDisks(_ disks: borrowing Disks, _ measurements: borrowing Measurements) {
    put("{\"disks\":[")
    var isFirst = true
    for rank in 0...Disks.rankMax {
      for i in 0..<disks.count where disks.items[i].rank == rank {
        let item = measurements.item(disks.items[i])
        // What has no room at all is no disk.
        if let item, item.isKnown, item.space.total == 0 { continue }
        if !isFirst { put(",\n") }
        isFirst = false
        writeDisk(disks.items[i], isFailed: disks.isMadeReadOnly(i), item)
      }
    }
    put("],\"omitted\":", count: disks.moreCount)
    put(",\"overlays\":", count: disks.overlayCount)
    put("}\n")
  }

  @inline(never)
  @_lifetime(self: copy self)
  private mutating func writeDisk(_ disk: Disk, isFailed: Bool, _ item: Measurements.Item?) {
    let mountPoint: Text<255> = Text(showing: disk.mountPoint.span)
    let isKnown = item?.isKnown == true
    let space = item?.space ?? DiskSpace()
    put("{\"mount_point\":", mountPoint.span)
    put(",\"device\":", disk.source.span)
    put(",\"read_only\":", disk.isReadOnly)
    put(",\"failed\":", isFailed)
    put(",\n\"total_bytes\":", isKnown ? space.octets(space.total) : nil)
    put(",\"used_bytes\":", isKnown ? space.octets(space.used) : nil)
    put(",\"available_bytes\":", isKnown ? space.octets(space.availableBlocks) : nil)
    put(",\"used_percent\":", isKnown ? UInt64(space.percent) : nil)
    put(",\"answers\":", item?.silentSince == nil)
    let age = max(0, System.milliseconds - (item?.answeredAt ?? 0)) / 1_000
    put(",\"age_seconds\":", isKnown ? UInt64(age) : nil)
    put("}")
  }

  // MARK: Network

  @_lifetime(self: copy self)
  fileprivate mutating func writeInterfaces(_ interfaces: borrowing Interfaces) {
    put("{\"interfaces\":[")
    var isFirst = true
    for rank in 0...Interface.rankMax {
      for i in 0..<interfaces.count where interfaces.items[i].rank == rank {
        if !isFirst { put(",\n") }
        isFirst = false
        writeInterface(interfaces.items[i])
      }
    }
    put("],\"omitted\":", count: interfaces.moreCount)
    put(",\"addresses_omitted\":", count: interfaces.untoldAddressCount)
    put("}\n")
  }

  @inline(never)
  @_lifetime(self: copy self)
  private mutating func writeInterface(_ interface: Interface) {
    let name: Text<96> = Text(showing: interface.name.span)
    put("{\"name\":", name.span)
    put(",\"state\":", interface.state.span)
    put(",\"addresses\":[")
    for i in 0..<interface.addressCount { put(i == 0 ? "" : ",", interface.addresses[i].span) }
    put("],\"addresses_omitted\":", count: interface.allAddressCount - interface.addressCount)
    put(",\"received_bytes\":", interface.received)
    put(",\"sent_bytes\":", interface.sent)
    put("}")
  }

  // MARK: Samples

  @_lifetime(self: copy self)
  fileprivate mutating func writeSamples(_ sampler: borrowing Sampler, _ throttling: Throttling?) {
    put("{\"interval_seconds\":", count: Sampler.seconds)
    var texts = Lines(Series.programTexts.octets)
    var number: UInt8 = 0
    while let series = Series(rawValue: number), let name = texts.next(), texts.next() != nil {
      write(plain: ",\n\"\(name)\":")
      put("", sampler.value(series))
      number += 1
    }
    put(",\n\"memory_used_bytes\":", sampler.memory?.used)
    put(",\"cpu_core_usage_ratios\":[")
    for i in 0..<sampler.coreCount {
      put(i == 0 ? "" : ",", sampler.coreUse(i))
    }
    put("],\"cpu_cores_omitted\":", count: sampler.moreCores)
    put(",\n\"throttling_active\":")
    putReasons(throttling?.bits)
    put(",\"throttling_occurred\":")
    putReasons(throttling.map { $0.bits >> 16 })
    put("}\n")
  }

  /// Writes what the four lowest bits say; `null` where no firmware says anything.
  @inline(never)
  @_lifetime(self: copy self)
  private mutating func putReasons(_ bits: UInt32?) {
    guard var bits else { return put("null") }
    var (words, mark) = (Lines(Throttling.words.octets), "[" as StaticString)
    while let word = words.next() {
      if bits & 1 != 0 {
        put(mark, word)
        mark = ","
      }
      bits >>= 1
    }
    put(mark.octets.equals("[") ? "[]" : "]")
  }

  // MARK: Temperature, access

  @_lifetime(self: copy self)
  fileprivate mutating func writeTemperature(_ measurements: borrowing Measurements) {
    let temperature = measurements.temperature
    let name = temperature?.sensor ?? Text()
    let sensor: Text<96> = Text(showing: name.span)
    put("{\"celsius\":", temperature?.milliDegrees, digits: 3)
    put(",\"sensor\":", sensor.span)
    put(",\"answers\":", !measurements.sensorIsSilent)
    put("}\n")
  }

  /// Says who asks. A program finds out here when its token ends.
  @_lifetime(self: copy self)
  fileprivate mutating func writeAccess(_ user: Account?) {
    let name = user?.name ?? Text()
    let token = user?.token
    put(token == nil ? "{\"kind\":\"account\",\"name\":" : "{\"kind\":\"token\",\"name\":", name.span)
    let scope = token?.scope.word ?? ""
    put(",\"scope\":", scope.octets)
    put(",\"ends\":", token.flatMap { $0.end > 0 ? UInt64($0.end) : nil })
    put("}\n")
  }
}
