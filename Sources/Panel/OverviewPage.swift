// This very machine, as a page in pieces: what the request decides with the tiles, then a card at a time. So the lists
// of disks and of interfaces have a buffer each.

import Martlet

extension Panel {
  /// Shows the state of the machine at this moment. It waits a little for what the system may hold up.
  mutating func overviewPage(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>
  ) -> Answer {
    if let milliseconds = measurements.renew() { return response.later(inMilliseconds: milliseconds) }
    let device = Device()
    var body = response.page(.overview, request)
    body.writeTitle(device, request.clock)
    writeCondition(to: &body)
    writePasswordHint(to: &body)
    storageTrouble?.write(to: &body)
    body.writeUnset(request.clock)
    if sampler.isOn { body.writeAlerts(alerts) }
    body.writeTiles(device, measurements, sampler)
    body.write("\(begin: .columns)")
    if sampler.isOn { body.writeLiveScript(nil) }
    return body.stream()
  }

  /// Writes the next piece of the overview.
  @inline(never)
  mutating func writeOverview(_ state: inout StreamState, to body: inout StreamBody) -> StreamStep {
    state.position += 1
    if state.position == 1 {
      body.write("\(begin: .card)")
      body.writeMemory(Device())
      body.writeDisks(Device.disks(), measurements)
      body.write("\(end: .card)")
      return .more
    }
    body.writeNetwork(Device.interfaces())
    body.write("\(end: .columns)")
    if sampler.isOn { body.writeLiveState() }
    body.writeFooter()
    return .end
  }
}

extension Body where Site == Panel {
  @_lifetime(self: copy self)
  fileprivate mutating func writeTitle(_ device: borrowing Device, _ clock: SystemClock) {
    let source: StaticString =
      switch clock.state {
      case .synchronized: "synchronized"
      case .plausible: "not synchronized"
      case .notSet: "not set"
      }
    let date = HTTPDate(clock.unixSeconds)
    write(
      """
      <div class="title"><h1 id="hostname">\(device.hostname ?? "unknown")</h1>
      <p class="facts"><span id="model">\(device.model ?? "unknown")</span> \
      <span>Linux <span id="kernel">\(device.kernel ?? "unknown")</span></span> \
      <span><span id="clock">\(date.span)</span> (\(markup: source))</span></p></div>

      """)
  }

  /// Says that nobody has told this machine the time of day, if so.
  @_lifetime(self: copy self)
  fileprivate mutating func writeUnset(_ clock: SystemClock) {
    guard clock.state == .notSet else { return }
    let since = Readable.duration(seconds: UInt64(max(clock.bootSeconds, 0)))
    write(
      """
      \(begin: .problem)The clock is not set yet, \(since) after the start of this machine. Until it is, \
      logins are timed by that start; check the network’s time server, or set the clock by hand.\(end: .problem)
      """)
  }

  // MARK: Tiles

  @_lifetime(self: copy self)
  fileprivate mutating func writeTiles(
    _ device: borrowing Device, _ measurements: borrowing Measurements, _ sampler: borrowing Sampler
  ) {
    write("\(begin: .tiles)\(tile: "Uptime", id: "uptime")")
    if let uptime = device.uptime {
      write("\(Readable.duration(seconds: uptime))")
    } else {
      write("unknown")
    }
    write("\(end: .tile)\(tile: "Load", id: "load")")
    if let load = device.load {
      write(
        """
        <span data-live="load">\(load[0])</span> \
        \(begin: .aside)\(load[1]) \(load[2])\(end: .aside)
        """)
    } else {
      write("unknown")
    }
    write("\(end: .tile)")
    if sampler.isOn {
      let use = sampler.values.text(.processors)
      write("\(tile: "Processor use", id: "processor-use")<span data-live=\"processors\">")
      if let use { write("\(use)") } else { write("unknown") }
      write("</span>\(end: .tile)")
    }
    if let count = device.processorCount {
      write("\(tile: "Processors", id: "processors")\(count)")
      if let limit = device.processorLimit, limit < UInt64(count) * 100 {
        write(" \(begin: .aside)limited to \(Readable.hundredths(limit))\(end: .aside)")
      }
      write("\(end: .tile)")
    }
    if let temperature = measurements.temperature {
      let name: Text<96> = Text(showing: temperature.sensor.span)
      write(
        """
        \(tile: "Temperature", id: "temperature")\
        <span data-live="temperature">\(Readable.temperature(milliDegrees: temperature.milliDegrees))</span> \
        \(begin: .aside)\(name)\(markup: measurements.sensorIsSilent ? ", does not answer" : "")\
        \(end: .aside)
        """)
      if let throttling = measurements.throttling, let text = throttling.text {
        write(" \(begin: throttling.isNow ? .badState : .state)\(markup: text)\(end: .state)")
      }
      write("\(end: .tile)")
    }
    write("\(end: .tiles)")
  }
}

// MARK: Cards

extension StreamBody {
  fileprivate mutating func writeMemory(_ device: borrowing Device) {
    write("\(heading: "Memory")")
    guard let machine = device.memory.kibibytes else { return write(.none, "unknown") }
    let amount = MemoryAmount(device.memory, device.memoryLimit)
    let (total, used) = (amount?.total ?? 0, amount?.used)
    if let used {
      writeMeter("Memory in use", Readable.percent(used, of: total), live: " data-meter=\"memory\"")
    }
    write("\(begin: .line)")
    if let used { write("<span data-live=\"used\">\(Readable.size(used))</span>") } else { write("unknown") }
    write(" of <span id=\"memory-total\" data-kib=\"\(total / 1_024)\">\(Readable.size(total))</span>")
    if let used {
      write("\(begin: .gap)<span data-live=\"memory\">\(Readable.percent(used, of: total)) %</span>")
    }
    write("\(end: .line)")
    if device.memoryLimit != nil {
      write(
        """
        \(begin: .note)That is the limit of this container. The machine has \
        \(Readable.size(machine * 1_024)).\(end: .note)
        """)
    }
  }

  fileprivate mutating func writeDisks(_ disks: borrowing Disks, _ measurements: borrowing Measurements) {
    write("\(heading: "Disks")")
    var (shownCount, emptyCount) = (0, 0)
    for rank in 0...Disks.rankMax {
      for i in 0..<disks.count where disks.items[i].rank == rank {
        let item = measurements.item(disks.items[i])
        // What has no room at all is no disk.
        if let item, item.isKnown, item.space.total == 0 {
          emptyCount += 1
        } else {
          writeDisk(disks, i, item)
          shownCount += 1
        }
      }
    }
    if shownCount == 0 { write(.none, "None found.") }
    writeMore(disks.moreCount, "")
    if disks.overlayCount > 0 {
      write(
        """
        \(begin: .note)\(disks.overlayCount) overlay\(markup: disks.overlayCount == 1 ? "" : "s") of \
        containers not listed\(end: .note)
        """)
    }
  }

  private mutating func writeDisk(_ disks: borrowing Disks, _ index: Int, _ item: Measurements.Item?) {
    let disk = disks.items[index]
    let isMadeReadOnly = disks.isMadeReadOnly(index)
    let mountPoint: Text<255> = Text(showing: disk.mountPoint.span)
    write(
      """
      <h3>\(mountPoint)\(markup: disk.isTooLong ? "…" : "") \
      \(begin: .aside)\(disk.source)\(end: .aside)
      """)
    if isMadeReadOnly {
      write(" \(begin: .badState)read-only\(end: .badState)")
    } else if disk.isReadOnly {
      write(" \(begin: .state)ro\(end: .state)")
    }
    write("</h3>\n")
    if let item, item.isKnown {
      let space = item.space
      writeMeter("Disk in use", space.percent)
      write(
        """
        \(begin: .line)\(Readable.size(space.octets(space.used))) of \
        \(Readable.size(space.octets(space.total)))\(begin: .gap)\(space.percent) %\(end: .line)
        """)
    }
    if isMadeReadOnly {
      write(
        .fault,
        "The kernel has made this file system read-only: it has found errors, or the device fails.")
    }
    writeSilence(item, System.milliseconds)
  }

  /// Says why there is no number, or how old it is.
  private mutating func writeSilence(_ item: Measurements.Item?, _ now: Int64) {
    if let since = item?.silentSince {
      write("\(begin: .fault)It does not answer")
      let seconds = UInt64(max(0, now - since)) / 1_000
      if seconds > 0 { write(", for \(Readable.duration(seconds: seconds)) now") }
      write(".")
      if item?.isKnown == true { write(" This is what it said last.") }
      write("\(end: .fault)")
    } else if let item, item.isKnown {
      guard now - item.answeredAt > 5_000 else { return }
      write(
        "\(begin: .note)\(Readable.duration(seconds: UInt64(now - item.answeredAt) / 1_000)) ago\(end: .note)"
      )
    } else {
      write(.none, "How full it is cannot be found out.")
    }
  }

  /// Says how many are left out, if some are.
  private mutating func writeMore(_ count: Int, _ what: StaticString) {
    if count > 0 { write("\(begin: .note)and \(count) more\(what)\(end: .note)") }
  }

  fileprivate mutating func writeNetwork(_ interfaces: borrowing Interfaces) {
    write("\(begin: .card)\(heading: "Network")")
    if interfaces.count == 0 { write(.none, "No interfaces.") }
    for rank in 0...Interface.rankMax {
      for i in 0..<interfaces.count where interfaces.items[i].rank == rank {
        writeInterface(interfaces.items[i])
      }
    }
    writeMore(interfaces.moreCount, "")
    writeMore(interfaces.untoldAddressCount, " IPv4 addresses")
    write("\(end: .card)")
  }

  private mutating func writeInterface(_ interface: Interface) {
    let name: Text<96> = Text(showing: interface.name.span)
    write("<div class=\"interface\"><h3>\(name)")
    if !interface.state.isEmpty {
      let state = interface.state == "up" ? Part.goodState : .state
      write(" \(begin: state)\(interface.state)\(end: state)")
    }
    write("</h3>\n")
    if interface.addressCount > 0 {
      write("<ul class=\"addresses\">")
      for i in 0..<interface.addressCount { write("<li>\(interface.addresses[i])</li>") }
      let moreCount = interface.allAddressCount - interface.addressCount
      if moreCount > 0 { write("<li class=\"sub\">\(moreCount) more</li>") }
      write("</ul>\n")
    }
    write(
      """
      \(begin: .line)\(begin: .aside)received\(end: .aside) \(Readable.size(interface.received))\
      \(begin: .gap)\(begin: .aside)sent\(end: .aside) \(Readable.size(interface.sent))\(end: .line)</div>

      """)
  }
}
