// This very machine, as a page.

import Martlet

extension Panel {
  /// Shows the state of the machine at this moment.
  func overviewPage(
    _ request: borrowing Request<Account>, _ response: consuming Response
  ) -> Answer {
    let device = Device()
    var body = response.body()
    body.begin(title: "Overview", .overview, user: request.user)
    body.writeTitle(device)
    storageTrouble?.write(to: &body)
    body.writeClock(request.clock)
    body.writeTiles(device)
    body.write("<div class=\"columns\">\n")
    body.writeStorage(device, Device.disks())
    body.writeNetwork(Device.interfaces())
    body.write("</div>\n")
    return body.finish()
  }
}

extension Body {
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
  fileprivate mutating func writeTiles(_ device: Device) {
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
      write("<div><dt>Processors</dt><dd id=\"processors\">\(count)</dd></div>\n")
    }
    if let milliDegrees = device.milliDegrees {
      write("<div><dt>Temperature</dt><dd id=\"temperature\">")
      write("\(Readable.temperature(milliDegrees: milliDegrees))</dd></div>\n")
    }
    write("</dl>\n")
  }

  // MARK: Storage

  @_lifetime(self: copy self)
  fileprivate mutating func writeStorage(_ device: Device, _ disks: Disks) {
    write("<section class=\"card\"><h2>Memory</h2>\n")
    if let total = device.memoryTotal, total <= .max / 1_024 {
      let used = total - min(device.memoryAvailable ?? total, total)
      writeUse(label: "Memory in use", used: used * 1_024, of: total * 1_024, kibibytes: total)
    } else {
      write("<p class=\"none\">unknown</p>\n")
    }
    write("<h2>Disks</h2>\n")
    if disks.count == 0 { write("<p class=\"none\">None found.</p>\n") }
    for i in 0..<disks.count {
      let disk = disks.items[i]
      write("<h3>\(disk.mountPoint) ")
      write("<span class=\"sub\">\(disk.source)</span></h3>\n")
      writeUse(
        label: "Disk in use", used: disk.space.total - min(disk.space.available, disk.space.total),
        of: disk.space.total, kibibytes: nil)
    }
    write("</section>\n")
  }

  /// Writes a bar and the numbers beside it.
  ///
  /// - Parameter kibibytes: The total as the kernel tells it, for the memory.
  @_lifetime(self: copy self)
  private mutating func writeUse(
    label: StaticString, used: UInt64, of total: UInt64, kibibytes: UInt64?
  ) {
    let percent = Readable.percent(used, of: total)
    let level: StaticString = percent >= 90 ? "full" : percent >= 75 ? "high" : "fine"
    // An image rather than <meter>, which browsers draw each in their own way; the width is an
    // attribute, because the policy forbids styles inside the page.
    write(
      """
      <svg class="meter" role="meter" aria-valuemin="0" aria-valuemax="100" \
      aria-valuenow="\(percent)" aria-label="\(label)">\
      <rect class="\(level)" width="\(percent)%" height="100%" rx="4"/></svg>
      <p class="use"><span>\(Readable.size(used)) of
      """)
    if let kibibytes {
      write(" <span id=\"memory-total\" data-kib=\"\(kibibytes)\">\(Readable.size(total))</span>")
    } else {
      write(" \(Readable.size(total))")
    }
    write("</span><span>\(percent) %</span></p>\n")
  }

  // MARK: Network

  @_lifetime(self: copy self)
  fileprivate mutating func writeNetwork(_ interfaces: Interfaces) {
    write("<section class=\"card\"><h2>Network</h2>\n")
    if interfaces.count == 0 { write("<p class=\"none\">No interfaces.</p>\n") }
    // What is in use comes first.
    for i in 0..<interfaces.count where interfaces.items[i].isInUse {
      writeInterface(interfaces.items[i])
    }
    for i in 0..<interfaces.count where !interfaces.items[i].isInUse {
      writeInterface(interfaces.items[i])
    }
    write("</section>\n")
  }

  @_lifetime(self: copy self)
  private mutating func writeInterface(_ interface: Interface) {
    write("<div class=\"interface\"><h3>\(interface.name)")
    if !interface.state.isEmpty {
      let isUp = interface.state == "up"
      write(" <span class=\"state\(markup: isUp ? " up" : "")\">\(interface.state)</span>")
    }
    write("</h3>\n")
    if interface.addressCount > 0 {
      write("<ul class=\"addresses\">")
      for i in 0..<interface.addressCount { write("<li>\(interface.addresses[i])</li>") }
      write("</ul>\n")
    }
    write(
      """
      <p class="use"><span><span class="sub">received</span> \(Readable.size(interface.received))\
      </span><span><span class="sub">sent</span> \(Readable.size(interface.sent))</span></p></div>

      """)
  }
}
