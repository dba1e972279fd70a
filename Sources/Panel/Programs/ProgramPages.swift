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
      return response.asset("application/json", Description.text)
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
    default: body.writeAccess(request.user, tokens.tokens)
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

extension Body where Site == Panel {
  // MARK: System

  @_lifetime(self: copy self)
  fileprivate mutating func writeSystem(_ device: Device, _ clock: SystemClock) {
    let state: StaticString =
      switch clock.state {
      case .synchronized: "synchronized"
      case .plausible: "not_synchronized"
      case .notSet: "not_set"
      }
    write(
      json: """
        {"hostname":\(device.hostname),"model":\(device.model),"kernel":\(device.kernel),
        "panel_version":\(Panel.version),"time":\(clock.unixSeconds),"clock":\(state),
        "uptime_seconds":\(device.uptime),"load":[
        """)
    for i in 0..<(device.load == nil ? 0 : 3) {
      if i > 0 { write(json: ",") }
      write(json: "\(device.load.flatMap { ProcText.hundredths($0[i].span) }.map { FixedPoint($0, digits: 2) })")
    }
    let limit = device.processorLimit.map { FixedPoint($0, digits: 2) }
    write(json: "],\"processors\":\(device.processorCount),\"processor_limit\":\(limit)}\n")
  }

  @_lifetime(self: copy self)
  fileprivate mutating func writeMemory(_ device: Device) {
    let (total, available) = (device.memory.kibibytes, device.memory.available)
    write(
      json: """
        {"total_bytes":\(total.map { $0 * 1_024 }),"available_bytes":\(available.map { $0 * 1_024 }),
        "container":
        """)
    if let limit = device.memoryLimit {
      write(json: "{\"limit_bytes\":\(limit.limit),\"used_bytes\":\(limit.used)}")
    } else {
      write(json: "null")
    }
    write(json: "}\n")
  }

  // MARK: Disks

  @_lifetime(self: copy self)
  fileprivate mutating func writeDisks(_ disks: Disks, _ measurements: Measurements) {
    write(json: "{\"disks\":[")
    var isFirst = true
    for rank in 0...Disks.rankMax {
      for i in 0..<disks.count where disks.items[i].rank == rank {
        let item = measurements.item(disks.items[i])
        // What has no room at all is no disk.
        if let item, item.isKnown, item.space.total == 0 { continue }
        if !isFirst { write(json: ",\n") }
        isFirst = false
        writeDisk(disks, i, item)
      }
    }
    write(json: "],\"omitted\":\(disks.moreCount),\"overlays\":\(disks.overlayCount)}\n")
  }

  @inline(never)
  @_lifetime(self: copy self)
  private mutating func writeDisk(_ disks: Disks, _ index: Int, _ item: Measurements.Item?) {
    let disk = disks.items[index]
    let mountPoint: Text<255> = Text(showing: disk.mountPoint.span)
    let space = item.flatMap { $0.isKnown ? $0.space : nil }
    let age = item.flatMap { $0.isKnown ? max(0, System.milliseconds - $0.answeredAt) / 1_000 : nil }
    write(
      json: """
        {"mount_point":\(mountPoint),"device":\(disk.source),"read_only":\(disk.isReadOnly),
        "failed":\(disks.isMadeReadOnly(index)),"total_bytes":\(space.map { $0.octets($0.total) }),
        "used_bytes":\(space.map { $0.octets($0.used) }),
        "available_bytes":\(space.map { $0.octets($0.availableBlocks) }),
        "used_percent":\(space?.percent),"answers":\(item?.silentSince == nil),"age_seconds":\(age)}
        """)
  }

  // MARK: Network

  @_lifetime(self: copy self)
  fileprivate mutating func writeInterfaces(_ interfaces: Interfaces) {
    write(json: "{\"interfaces\":[")
    var isFirst = true
    for rank in 0...Interface.rankMax {
      for i in 0..<interfaces.count where interfaces.items[i].rank == rank {
        if !isFirst { write(json: ",\n") }
        isFirst = false
        writeInterface(interfaces.items[i])
      }
    }
    write(
      json: """
        ],"omitted":\(interfaces.moreCount),"addresses_omitted":\(interfaces.untoldAddressCount)}

        """)
  }

  @inline(never)
  @_lifetime(self: copy self)
  private mutating func writeInterface(_ interface: Interface) {
    let name: Text<96> = Text(showing: interface.name.span)
    write(json: "{\"name\":\(name),\"state\":\(interface.state.isEmpty ? nil : interface.state),\"addresses\":[")
    for i in 0..<interface.addressCount {
      if i > 0 { write(json: ",") }
      write(json: "\(interface.addresses[i])")
    }
    write(
      json: """
        ],"addresses_omitted":\(interface.allAddressCount - interface.addressCount),
        "received_bytes":\(interface.received),"sent_bytes":\(interface.sent)}
        """)
  }

  // MARK: Temperature, access

  @_lifetime(self: copy self)
  fileprivate mutating func writeTemperature(_ measurements: Measurements) {
    let temperature = measurements.temperature
    let sensor: Text<96>? = temperature.map { Text(showing: $0.sensor.span) }
    write(
      json: """
        {"celsius":\(temperature.map { FixedPoint($0.milliDegrees, digits: 3) }),"sensor":\(sensor),
        "answers":\(!measurements.sensorIsSilent)}

        """)
  }

  /// Says who asks. A program finds out here when its token ends.
  @_lifetime(self: copy self)
  fileprivate mutating func writeAccess(_ user: Account?, _ tokens: Tokens) {
    var end: Int64?
    for i in 0..<tokens.count where user?.token != nil && tokens[i].name == user?.name && tokens[i].end > 0 {
      end = tokens[i].end
    }
    let kind: StaticString = user?.token == nil ? "account" : "token"
    write(json: "{\"kind\":\(kind),\"name\":\(user?.name),\"scope\":\(user?.token?.word),\"ends\":\(end)}\n")
  }
}
