// One alert → one POST, by a child of this process (martlet_begin_child): looking the name up, connecting, sending,
// and the status of the answer. The loop looks now and then whether the child has ended. A child that is not done after
// MARTLET_CHILD_SECONDS is ended by the kernel, wherever it waits.
//
//     name       /etc/hosts, then the servers of /etc/resolv.conf (hosts(5), resolv.conf(5))
//     answer     13 octets are read: the status. Nothing else of it is read, kept or shown, and no redirect followed.

import CMartletPlatform
import Martlet

/// What the child does.
enum Delivery {
  /// Milliseconds for all of it. The kernel ends the child after MARTLET_CHILD_SECONDS.
  static var milliseconds: Int64 { 8_000 }
  /// Milliseconds for an answer of a name server, which is asked twice.
  private static var nameMilliseconds: Int64 { 1_000 }

  /// Sends an alert.
  static func send(_ event: AlertEvent, to address: HookAddress) -> DeliveryResult {
    let end = System.milliseconds + milliseconds
    var content = FixedBuffer<776>()
    var writer = Writer(content.storageSpan)
    let device = Device.hostname() ?? Text()
    event.write(of: device.span, to: &writer)
    let count = writer.count
    content.setCount(count)
    var request = FixedBuffer<1_200>()
    var requestWriter = Writer(request.storageSpan)
    address.writeRequest(content.span, to: &requestWriter)
    let requestCount = requestWriter.count
    invariant(!requestWriter.overflowed, "an alert fits its request")
    request.setCount(requestCount)
    return address.withHost { text in
      guard let authority = Authority.parse(text) else { return .nameUnknown }
      guard let peer = authority.address ?? find(authority.host, until: end) else { return .nameUnknown }
      var answer = InlineArray<13, UInt8>(repeating: 0)
      var target = answer.mutableSpan
      let received = System.ask(
        peer, port: authority.port(or: 80), isDatagram: false, request.span, into: &target,
        within: max(0, end - System.milliseconds))
      if received < 0 { return DeliveryResult(Int32(received)) }
      return received == 0 ? .broken : DeliveryResult(answer.span.extracting(0..<received))
    }
  }

  // MARK: Names

  private static func find(_ name: Span<UInt8>, until end: Int64) -> IPAddress? {
    var hosts = TextLines("/etc/hosts")
    while let line = hosts.next() {
      if let address = HostsLine.address(line, of: name) { return address }
    }
    let servers = nameServers()
    // A name of one label is one of this network: its domain follows.
    if name.firstIndex(of: 0x2E) == nil, !servers.domain.isEmpty {
      var long = Text<253>()
      long.append(name)
      long.append(0x2E)
      long.append(servers.domain.span)
      if let address = ask(servers, long.span, until: end) { return address }
    }
    return ask(servers, name, until: end)
  }

  @inline(never)
  private static func ask(_ servers: NameServers, _ name: Span<UInt8>, until end: Int64) -> IPAddress? {
    guard NameQuery.isName(name) else { return nil }
    // Each server is asked twice, because a datagram may be lost. Even turns of a server ask for an IPv4 address.
    for turn in 0..<4 * servers.count {
      let answer = ask(servers.all[turn / 2 % servers.count], name, isIPv6: turn % 2 == 1, until: end)
      if case .address(let address) = answer { return address }
    }
    return nil
  }

  private static func ask(
    _ server: IPAddress, _ name: Span<UInt8>, isIPv6: Bool, until end: Int64
  ) -> NameQuery.Answer {
    var question = FixedBuffer<271>()
    var writer = Writer(question.storageSpan)
    let number = UInt16(truncatingIfNeeded: SystemClock.randomNumber())
    NameQuery.write(name, number: number, isIPv6: isIPv6, to: &writer)
    let count = writer.count
    question.setCount(count)
    var answer = FixedBuffer<512>()
    var target = answer.storageSpan
    let received = System.ask(
      server, port: 53, isDatagram: true, question.span, into: &target,
      within: max(0, min(nameMilliseconds, end - System.milliseconds)))
    guard received > 0 else { return .foreign }
    answer.setCount(received)
    return NameQuery.read(answer.span, to: question.span)
  }

  private static func nameServers() -> NameServers {
    var servers = NameServers()
    var lines = TextLines("/etc/resolv.conf")
    while let line = lines.next() { servers.add(line) }
    return servers
  }
}

extension Panel {
  /// Notes how a delivery has ended, and begins the next one. It never waits.
  @inline(never)
  mutating func deliver() {
    let now = Sampler.now
    guard webhook.isBusy || !alerts.hook.isEmpty else { return }
    let time = timeOfDay
    if webhook.child > 0 {
      guard !ChildProcess.isRunning(webhook.child) else { return }
      webhook.child = 0
      end(DeliveryResult(Questions(child: Questions.childCount)?.delivery ?? 0), at: now, time)
    }
    guard let event = webhook.begin(at: now, time: time) else { return }
    guard let questions = Questions(child: Questions.childCount) else { return end(.broken, at: now, time) }
    // What the kernel ends has not answered.
    questions.delivery = DeliveryResult.silent.number
    switch ChildProcess.begin() {
    case .refused: end(.broken, at: now, time)
    case .parent(let number): webhook.child = number
    case .child:
      questions.delivery = Delivery.send(event, to: alerts.hook).number
      ChildProcess.end()
    }
  }

  /// Unix seconds; 0 where the clock is not set.
  private var timeOfDay: Int64 {
    @inline(never) mutating get { SystemClock.now(newest: newestMoment).timeOfDay ?? 0 }
  }

  @inline(never)
  private mutating func end(_ result: DeliveryResult, at now: Int64, _ time: Int64) {
    if let dropped = webhook.end(result, at: now, time: time) { Log.dropped(dropped, result) }
  }

  /// Puts what has begun or ended into the queue.
  mutating func queueAlerts() {
    for i in 0..<Alerts.count { queueAlert(i) }
  }

  @inline(never)
  private mutating func queueAlert(_ index: Int) {
    guard var event = alerts.change(index, in: sampler.values), !alerts.hook.isEmpty else { return }
    event.time = timeOfDay
    event.moment = Sampler.now
    if let dropped = webhook.add(event) { Log.dropped(dropped, .none) }
  }
}
