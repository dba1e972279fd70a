// The loop: poll → accept, receive, respond, send, expire. One thread; no step waits. Each turn a
// connection gets at most one receive, one respond and one send, so none starves another.

import MartletBytes
import MartletHTTP

/// A single-threaded HTTP/1.1 server over fixed memory.
public struct Server<T: Transport & ~Copyable, R: Responder & ~Copyable>: ~Copyable {
  var transport: T
  var responder: R
  /// The time of this turn.
  var moment = Moment(monotonicMilliseconds: 0, unixSeconds: 0)
  /// How many connections have been accepted.
  private var connectionNumber: UInt32 = 0
  /// New connections are left with the kernel until then: slots or descriptors have run out.
  private var listenerPausedUntil: Int64 = 0
  /// When a stop no longer waits for responses under way; `nil` while the server runs.
  private(set) var stopDeadline: Int64?

  /// A server that has not yet waited for anything.
  public init(transport: consuming T, responder: consuming R) {
    self.transport = transport
    self.responder = responder
  }

  /// Serves until SIGINT or SIGTERM, then finishes what is being sent and returns.
  public mutating func run(_ memory: inout ServerMemory) {
    // The only loop without a bound: each turn waits for something to happen.
    while turn(&memory) {}
  }

  /// One turn: waits, then does what has become possible.
  ///
  /// - Returns: Whether to go on: `false` when a stop is complete.
  public mutating func turn(_ memory: inout ServerMemory) -> Bool {
    moment = transport.now()
    fillInterests(&memory)
    let wakeup = transport.wait(&memory.interests, milliseconds: waitMilliseconds(memory))
    moment = transport.now()
    if wakeup.stopRequested, stopDeadline == nil { beginStop(&memory) }
    for slot in 0..<memory.connections.count {
      let ready = memory.interests.ready(ofSlot: slot)
      guard !ready.isEmpty else { continue }
      var connection = memory.connections[slot]
      advance(&connection, ready, &memory)
      memory.connections[slot] = connection
    }
    expire(&memory)
    if wakeup.listenerIsReady, stopDeadline == nil { acceptAll(&memory) }
    if stopDeadline.map({ $0 <= moment.monotonicMilliseconds }) ?? false { closeAll(&memory) }
    memory.connections.shrink()
    return stopDeadline == nil || !memory.connections.isEmpty
  }

  // MARK: Waiting

  /// What each phase waits for. A phase that waits for nothing is woken by its deadline alone.
  private func interest(_ connection: Connection, _ memory: borrowing ServerMemory) -> Readiness {
    switch connection.phase {
    case .free: .nothing
    case .idle, .head, .content:
      connection.pausedUntil > moment.monotonicMilliseconds ? .nothing : .readableOrDone
    case .queued, .working: memory.responses.hasFree ? .readable : .nothing
    case .sending: .writable
    case .linger: .readable
    }
  }

  private mutating func fillInterests(_ memory: inout ServerMemory) {
    memory.interests.removeSlots()
    for slot in 0..<memory.connections.count {
      let connection = memory.connections[slot]
      let wanted = interest(connection, memory)
      guard !wanted.isEmpty else { continue }
      memory.interests.insert(slot: slot, descriptor: connection.descriptor, wanted: wanted)
    }
    memory.interests.includesSignals = stopDeadline == nil
    memory.interests.includesListener =
      stopDeadline == nil && listenerPausedUntil <= moment.monotonicMilliseconds
  }

  /// Until the next deadline; negative when there is none.
  private func waitMilliseconds(_ memory: borrowing ServerMemory) -> Int {
    var next = stopDeadline ?? .max
    if listenerPausedUntil > moment.monotonicMilliseconds { next = min(next, listenerPausedUntil) }
    for slot in 0..<memory.connections.count {
      let connection = memory.connections[slot]
      guard connection.phase != .free else { continue }
      next = min(next, connection.deadline)
      let pausedUntil = connection.pausedUntil
      if pausedUntil > moment.monotonicMilliseconds { next = min(next, pausedUntil) }
    }
    guard next != .max else { return -1 }
    return Int(clamping: max(0, next - moment.monotonicMilliseconds))
  }

  // MARK: Connections come and go

  private mutating func acceptAll(_ memory: inout ServerMemory) {
    // Bounded, so that a flood of connections does not keep the open ones waiting.
    for turn in 0..<16 {
      // poll() has promised the first one only: for the others nobody is sent away.
      guard let slot = freeSlot(evicting: turn == 0, &memory) else {
        return turn == 0 ? pauseListener() : ()
      }
      switch transport.accept() {
      case .connection(let descriptor):
        open(slot, descriptor, &memory)
      case .none:
        return
      case .exhausted:
        // Linux wants a descriptor first and looks then whether anybody waits (accept(2)).
        if turn == 0, !evictOne(&memory) { pauseListener() }
        return
      }
    }
  }

  /// Connections wait with the kernel; without the pause poll() would report them for ever.
  private mutating func pauseListener() {
    listenerPausedUntil = moment.monotonicMilliseconds + 100
  }

  private mutating func freeSlot(evicting: Bool, _ memory: inout ServerMemory) -> Int? {
    if let slot = memory.connections.takeFree() { return slot }
    return evicting && evictOne(&memory) ? memory.connections.takeFree() : nil
  }

  private mutating func open(_ slot: Int, _ descriptor: Int32, _ memory: inout ServerMemory) {
    var connection = Connection()
    connection.descriptor = descriptor
    connectionNumber &+= 1
    connection.number = connectionNumber
    connection.phase = .idle
    connection.deadline = moment.monotonicMilliseconds + Limits.idleTimeoutMilliseconds
    memory.connections[slot] = connection
  }

  /// Ends a connection at once and frees all that it held.
  @inline(never)
  mutating func close(_ connection: inout Connection, _ memory: inout ServerMemory) {
    connection.checkInvariants()
    if connection.responseBuffer >= 0 { memory.responses.release(connection.responseBuffer) }
    transport.close(connection.descriptor)
    connection = Connection()
  }

  /// The same for the connection of a slot.
  private mutating func close(_ slot: Int, _ memory: inout ServerMemory) {
    var connection = memory.connections[slot]
    close(&connection, &memory)
    memory.connections[slot] = connection
  }

  /// Makes room for a new connection: ends the one that has waited longest for its client. Resting
  /// connections go first; one in the middle of a request only when it has been slow for a second.
  ///
  /// - Returns: Whether there was one.
  private mutating func evictOne(_ memory: inout ServerMemory) -> Bool {
    var victim: (slot: Int, since: Int64)?
    for slot in 0..<memory.connections.count {
      let connection = memory.connections[slot]
      let since: Int64
      switch connection.phase {
      case .idle, .linger:
        since = .min / 2 + connection.deadline
      case .head:
        since = connection.deadline - Limits.headTimeoutMilliseconds
      case .content:
        since = connection.deadline - Limits.contentTimeoutMilliseconds
      case .free, .queued, .working, .sending:
        continue
      }
      guard since <= moment.monotonicMilliseconds - 1_000 else { continue }
      if victim.map({ since < $0.since }) ?? true { victim = (slot, since) }
    }
    guard let victim else { return false }
    close(victim.slot, &memory)
    return true
  }

  // MARK: Time

  private mutating func expire(_ memory: inout ServerMemory) {
    for slot in 0..<memory.connections.count {
      var connection = memory.connections[slot]
      guard connection.phase != .free, connection.deadline <= moment.monotonicMilliseconds else {
        continue
      }
      switch connection.phase {
      case .head: refuse(&connection, .headTimeout, &memory)
      case .content: refuse(&connection, .contentTimeout, &memory)
      case .queued, .working: refuseWithoutBuffer(&connection, &memory)
      case .free, .idle, .sending, .linger: close(&connection, &memory)
      }
      memory.connections[slot] = connection
    }
  }

  // MARK: Stopping

  /// Ends what waits for its client; what is being sent goes on.
  private mutating func beginStop(_ memory: inout ServerMemory) {
    stopDeadline = moment.monotonicMilliseconds + Limits.stopTimeoutMilliseconds
    transport.stopListening()
    for slot in 0..<memory.connections.count {
      switch memory.connections[slot].phase {
      case .idle, .head, .content, .linger: close(slot, &memory)
      case .queued, .working, .sending: memory.connections[slot].closesAfterResponse = true
      case .free: continue
      }
    }
  }

  /// Ends what has not been sent when the stop no longer waits.
  private mutating func closeAll(_ memory: inout ServerMemory) {
    for slot in 0..<memory.connections.count where memory.connections[slot].phase != .free {
      close(slot, &memory)
    }
  }
}
