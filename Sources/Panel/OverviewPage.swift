// This very machine, as a page.

import Martlet

extension Panel {
  /// Shows the state of the machine at this moment. It waits a little for what the system may hold up.
  mutating func overviewPage(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>
  ) -> Answer {
    if let milliseconds = measurements.renew() { return response.later(inMilliseconds: milliseconds) }
    let device = Device()
    var body = response.body()
    body.begin(title: "Overview", .overview, user: request.user)
    body.writeTitle(device)
    writeCondition(to: &body)
    writePasswordHint(to: &body)
    storageTrouble?.write(to: &body)
    body.writeClock(request.clock)
    body.writeTiles(device, measurements)
    body.write("<div class=\"columns\">\n<section class=\"card\">")
    body.writeMemory(device)
    body.writeDisks(Device.disks(), measurements)
    body.write("</section>\n")
    body.writeNetwork(Device.interfaces())
    body.write("</div>\n")
    return body.finish()
  }
}

extension Body where Site == Panel {
  @_lifetime(self: copy self)
  fileprivate mutating func writeTitle(_ device: Device) {
    write("<div class=\"title\"><h1 id=\"hostname\">\(device.hostname ?? "unknown")</h1>\n")
    write(
      """
      <p class="facts"><span id="model">\(device.model ?? "unknown")</span> \
      <span>Linux <span id="kernel">\(device.kernel ?? "unknown")</span></span></p></div>

      """)
  }

  // MARK: Clock

  /// Says what the time of day is, and who vouches for it.
  @_lifetime(self: copy self)
  fileprivate mutating func writeClock(_ clock: SystemClock) {
    let source: StaticString
    switch clock.state {
    case .synchronized: source = "synchronized"
    case .plausible: source = "not synchronized"
    case .notSet:
      source = "not set"
      let since = Readable.duration(seconds: UInt64(max(clock.bootSeconds, 0)))
      write(
        """
        <p class="problem" role="status">The clock is not set yet, \(since) after the start of this \
        machine. Until it is, logins are timed by that start; check the network’s time server, or \
        set the clock by hand.</p>

        """)
    }
    let date = HTTPDate(clock.unixSeconds)
    write("<p class=\"facts\"><span id=\"clock\">\(date.span)</span> <span>\(source)</span></p>\n")
  }

  // MARK: Tiles

  @_lifetime(self: copy self)
  fileprivate mutating func writeTiles(_ device: Device, _ measurements: Measurements) {
    write("<dl class=\"tiles\">\n<div><dt>Uptime</dt><dd id=\"uptime\">")
    if let uptime = device.uptime {
      write("\(Readable.duration(seconds: uptime))")
    } else {
      write("unknown")
    }
    write("</dd></div>\n<div><dt>Load</dt><dd id=\"load\">")
    if let load = device.load {
      write("\(load[0]) <span class=\"sub\">\(load[1]) \(load[2])</span>")
    } else {
      write("unknown")
    }
    write("</dd></div>\n")
    if let count = device.processorCount {
      write("<div><dt>Processors</dt><dd id=\"processors\">\(count)")
      if let limit = device.processorLimit, limit < UInt64(count) * 100 {
        write(" <span class=\"sub\">limited to \(Readable.hundredths(limit))</span>")
      }
      write("</dd></div>\n")
    }
    if let temperature = measurements.temperature {
      write("<div><dt>Temperature</dt><dd id=\"temperature\">")
      write("\(Readable.temperature(milliDegrees: temperature.milliDegrees))")
      let name: Text<96> = Text(showing: temperature.sensor.span)
      write(
        " <span class=\"sub\">\(name)\(markup: measurements.sensorIsSilent ? ", does not answer" : "")</span></dd></div>\n"
      )
    }
    write("</dl>\n")
  }

  // MARK: Storage

  @_lifetime(self: copy self)
  fileprivate mutating func writeMemory(_ device: Device) {
    write("<h2>Memory</h2>\n")
    guard let machine = device.memory.kibibytes else { return writeNone("unknown") }
    var (total, used) = (machine, device.memory.available.map { (machine - $0) * 1_024 })
    if let limit = device.memoryLimit {
      total = limit.limit / 1_024
      used = limit.used
    }
    if let used { writeMeter("Memory in use", Readable.percent(used, of: total * 1_024)) }
    write("<p class=\"use\"><span>")
    if let used { write("\(Readable.size(used))") } else { write("unknown") }
    write(" of <span id=\"memory-total\" data-kib=\"\(total)\">\(Readable.size(total * 1_024))</span></span>")
    if let used { write("<span>\(Readable.percent(used, of: total * 1_024)) %</span>") }
    write("</p>\n")
    if device.memoryLimit != nil {
      write(
        "<p class=\"note\">That is the limit of this container. The machine has \(Readable.size(machine * 1_024)).</p>\n"
      )
    }
  }

  @_lifetime(self: copy self)
  fileprivate mutating func writeDisks(_ disks: Disks, _ measurements: Measurements) {
    write("<h2>Disks</h2>\n")
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
    if shownCount == 0 { writeNone("None found.") }
    writeMore(disks.moreCount, "")
    if disks.overlayCount > 0 {
      write(
        "<p class=\"note\">\(disks.overlayCount) overlay\(markup: disks.overlayCount == 1 ? "" : "s") of containers not listed</p>\n"
      )
    }
  }

  @_lifetime(self: copy self)
  private mutating func writeDisk(_ disks: Disks, _ index: Int, _ item: Measurements.Item?) {
    let disk = disks.items[index]
    let isMadeReadOnly = disks.isMadeReadOnly(index)
    let mountPoint: Text<255> = Text(showing: disk.mountPoint.span)
    write("<h3>\(mountPoint)\(markup: disk.isTooLong ? "…" : "") <span class=\"sub\">\(disk.source)</span>")
    if isMadeReadOnly {
      write(" <span class=\"state bad\">read-only</span>")
    } else if disk.isReadOnly {
      write(" <span class=\"state\">ro</span>")
    }
    write("</h3>\n")
    if let item, item.isKnown {
      let space = item.space
      writeMeter("Disk in use", space.percent)
      write(
        "<p class=\"use\"><span>\(Readable.size(space.octets(space.used))) of \(Readable.size(space.octets(space.total)))"
      )
      write("</span><span>\(space.percent) %</span></p>\n")
    }
    if isMadeReadOnly {
      write(
        "<p class=\"problem\">The kernel has made this file system read-only: it has found errors, or the device fails.</p>\n"
      )
    }
    writeSilence(item, System.milliseconds)
  }

  /// Says why there is no number, or how old it is.
  @_lifetime(self: copy self)
  private mutating func writeSilence(_ item: Measurements.Item?, _ now: Int64) {
    if let since = item?.silentSince {
      write("<p class=\"problem\">It does not answer")
      let seconds = UInt64(max(0, now - since)) / 1_000
      if seconds > 0 { write(", for \(Readable.duration(seconds: seconds)) now") }
      write(".")
      if item?.isKnown == true { write(" This is what it said last.") }
      write("</p>\n")
    } else if let item, item.isKnown {
      guard now - item.answeredAt > 5_000 else { return }
      write(
        "<p class=\"note\">\(Readable.duration(seconds: UInt64(now - item.answeredAt) / 1_000)) ago</p>\n")
    } else {
      writeNone("How full it is cannot be found out.")
    }
  }

  /// Writes a bar.
  @_lifetime(self: copy self)
  private mutating func writeMeter(_ label: StaticString, _ percent: Int) {
    let level: StaticString = percent >= 90 ? "full" : percent >= 75 ? "high" : "fine"
    // An image, because each browser draws <meter> in a way of its own. The width is an attribute, because
    // the policy forbids styles inside the page.
    write(
      """
      <svg class="meter" role="meter" aria-valuemin="0" aria-valuemax="100" \
      aria-valuenow="\(percent)" aria-label="\(label)">\
      <rect class="\(level)" width="\(percent)%" height="100%" rx="4"/></svg>

      """)
  }

  @_lifetime(self: copy self)
  private mutating func writeNone(_ text: StaticString) {
    write("<p class=\"none\">\(text)</p>\n")
  }

  /// Says how many are left out, if some are.
  @_lifetime(self: copy self)
  private mutating func writeMore(_ count: Int, _ what: StaticString) {
    if count > 0 { write("<p class=\"note\">and \(count) more\(what)</p>\n") }
  }

  // MARK: Network

  @_lifetime(self: copy self)
  fileprivate mutating func writeNetwork(_ interfaces: Interfaces) {
    write("<section class=\"card\"><h2>Network</h2>\n")
    if interfaces.count == 0 { writeNone("No interfaces.") }
    for rank in 0...Interface.rankMax {
      for i in 0..<interfaces.count where interfaces.items[i].rank == rank {
        writeInterface(interfaces.items[i])
      }
    }
    writeMore(interfaces.moreCount, "")
    writeMore(interfaces.untoldAddressCount, " IPv4 addresses")
    write("</section>\n")
  }

  @_lifetime(self: copy self)
  private mutating func writeInterface(_ interface: Interface) {
    let name: Text<96> = Text(showing: interface.name.span)
    write("<div class=\"interface\"><h3>\(name)")
    if !interface.state.isEmpty {
      let isUp = interface.state == "up"
      write(" <span class=\"state\(markup: isUp ? " up" : "")\">\(interface.state)</span>")
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
      <p class="use"><span><span class="sub">received</span> \(Readable.size(interface.received))\
      </span><span><span class="sub">sent</span> \(Readable.size(interface.sent))</span></p></div>

      """)
  }
}
