// The loop: poll → receive, respond, send; then what takes longer, a little of it; then newcomers. One
// thread; no step waits. Each turn a connection gets at most two receives, one respond and two sends,
// so none starves another.

import MartletBytes
import MartletHTTP

/// A single-threaded HTTP/1.1 server over fixed memory.
public struct Server<T: Transport & ~Copyable, R: Responder & ~Copyable>: ~Copyable {
  var transport: T
  var responder: R
  /// The time of this turn.
  var moment = Moment(monotonicMilliseconds: 0, unixSeconds: 0)
  /// What responses say that the time is.
  var date: HTTPDate
  /// How many connections have been accepted. 64 bits do not wrap: at a million a second they last for
  /// 500,000 years.
  var connectionNumber: UInt64 = 0
  /// New connections are left with the kernel until then: slots or descriptors have run out.
  private var listenerPausedUntil: Int64 = 0
  /// When a stop no longer waits for responses under way; `nil` while the server runs.
  private(set) var stopDeadline: Int64?
  /// No deadline passes before.
  private var nextDeadline: Int64 = 0
  /// Connections in phase `working`, and in phase `waiting`.
  var workingCount = 0
  var waitingCount = 0
  /// Connections with a stash.
  var stashedCount = 0
  /// Stashes up to which octets are taken out of the kernel before they have been seen. Tests set it, so
  /// that they see both ways.
  package var stashCountAtOnceMax = Limits.stashCountAtOnceMax
  /// The slot whose work comes first in the next turn.
  var nextWorkSlot = 0
  /// The slot that is looked at first in this turn. It stays, so that each connection waits one turn
  /// for its answer and not sometimes two; where somebody finds no response buffer it is theirs, so that
  /// they have the next one.
  private var firstSlot = 0

  /// A server that has not yet waited for anything.
  public init(transport: consuming T, responder: consuming R) {
    self.transport = transport
    self.responder = responder
    moment = self.transport.now()
    date = HTTPDate(moment.unixSeconds)
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
    let milliseconds = prepare(&memory)
    let wakeup = transport.wait(&memory.interests, milliseconds: milliseconds)
    moment = transport.now()
    if wakeup.stopRequested, stopDeadline == nil { beginStop(&memory) }
    serveReady(&memory)
    if workingCount + waitingCount > 0 { work(&memory) }
    if wakeup.listenerIsReady, stopDeadline == nil { acceptAll(&memory) }
    if stopDeadline.map({ $0 <= moment.monotonicMilliseconds }) ?? false { closeAll(&memory) }
    memory.connections.shrink()
    return stopDeadline == nil || !memory.connections.isEmpty
  }

  // MARK: Waiting

  /// Says what each connection waits for.
  ///
  /// - Returns: Milliseconds until something must be done; negative when nothing must.
  private mutating func prepare(_ memory: inout ServerMemory) -> Int {
    let now = moment.monotonicMilliseconds
    var next = stopDeadline ?? .max
    if listenerPausedUntil > now { next = min(next, listenerPausedUntil) }
    nextDeadline = .max
    memory.interests.removeSlots()
    for slot in 0..<memory.connections.count {
      // Most rest, and all of them are looked at in each turn.
      if memory.connections.slots[slot].phase == .idle {
        nextDeadline = min(nextDeadline, memory.connections.slots[slot].deadline)
        let descriptor = memory.connections.slots[slot].descriptor
        memory.interests.insert(slot: slot, descriptor: descriptor, wanted: .readableOrDone)
      } else if memory.connections.slots[slot].phase != .free {
        next = min(next, prepare(slot, &memory))
      }
    }
    next = min(next, nextDeadline)
    memory.interests.includesSignals = stopDeadline == nil
    memory.interests.includesListener = stopDeadline == nil && listenerPausedUntil <= now
    if workingCount > 0 { return 0 }
    return next == .max ? -1 : Int(clamping: max(0, next - now))
  }

  /// The same for one connection.
  ///
  /// - Returns: When it is to be looked at again for another reason than its deadline.
  @inline(never)
  private mutating func prepare(_ slot: Int, _ memory: inout ServerMemory) -> Int64 {
    if memory.connections.slots[slot].wantsStash { stash(slot, &memory) }
    let connection = memory.connections[slot]
    guard connection.phase != .free else { return .max }
    nextDeadline = min(nextDeadline, connection.deadline)
    var next = Int64.max
    if connection.pausedUntil > moment.monotonicMilliseconds, connection.responseBuffer < 0 {
      next = connection.pausedUntil
      guard R.answersInPieces, connection.phase == .sending else { return next }
    }
    let wanted = interest(connection, memory)
    if !wanted.isEmpty || connection.isProbed {
      memory.interests.insert(slot: slot, descriptor: connection.descriptor, wanted: wanted)
    }
    return next
  }

  /// What each phase waits for. A phase that waits for nothing is woken by its deadline alone.
  private func interest(_ connection: Connection, _ memory: borrowing ServerMemory) -> Readiness {
    switch connection.phase {
    case .free: .nothing
    case .idle, .head, .content: .readableOrDone
    case .next, .unread: .writable
    case .receiving: receivingInterest(connection, memory)
    case .queued:
      memory.responses.hasFree ? connection.takenCount > 0 ? .writable : .readable : .nothing
    // That the connection is broken is told always.
    case .working, .waiting: connection.isProbed ? .nothing : .peerDone
    case .sending: sendingInterest(connection, memory)
    case .linger: .readable
    }
  }

  /// All of the content taken, only a response buffer is missing; room to send is always there then.
  private func receivingInterest(
    _ connection: Connection, _ memory: borrowing ServerMemory
  ) -> Readiness {
    guard case .content(_, let framing) = connection.flow, framing.step == .complete else {
      // Of the stash there is always something to be read.
      return connection.takenCount > connection.examinedCount ? .writable : .readableOrDone
    }
    return memory.responses.hasFree ? .writable : .nothing
  }

  /// A page that writes in pieces needs a buffer for each.
  private func sendingInterest(
    _ connection: Connection, _ memory: borrowing ServerMemory
  ) -> Readiness {
    guard connection.responseBuffer < 0, case .pieces = connection.flow else { return .writable }
    if connection.isPaused(at: moment) { return connection.isProbed ? .nothing : .peerDone }
    return memory.responses.hasFree ? .writable : .nothing
  }

  /// Moves on each connection for which something has come, and ends those that have waited too long.
  @inline(never)
  private mutating func serveReady(_ memory: inout ServerMemory) {
    let count = memory.connections.count
    if firstSlot >= count { firstSlot = 0 }
    var nextFirstSlot = firstSlot
    let someAreLate = nextDeadline <= moment.monotonicMilliseconds
    for step in 0..<count {
      let slot = firstSlot + step < count ? firstSlot + step : firstSlot + step - count
      if memory.interests.isReady(slot: slot) {
        advance(slot, memory.interests.ready(ofSlot: slot), &memory)
        if memory.responses.forgetsRefusal(), nextFirstSlot == firstSlot { nextFirstSlot = slot }
      }
      if someAreLate, memory.connections.slots[slot].deadline <= moment.monotonicMilliseconds {
        expire(slot, &memory)
      }
    }
    firstSlot = nextFirstSlot
  }

  /// Moves a connection on. It is changed in a copy: the memory is needed for other things meanwhile.
  private mutating func advance(_ slot: Int, _ ready: Readiness, _ memory: inout ServerMemory) {
    var connection = memory.connections[slot]
    advance(&connection, ready, &memory)
    memory.connections[slot] = connection
  }

  // MARK: Connections come and go

  @inline(never)
  private mutating func acceptAll(_ memory: inout ServerMemory) {
    // Bounded, so that a flood of connections does not keep the open ones waiting.
    for turn in 0..<16 {
      // poll() has promised the first one only: for the others nobody is sent away.
      guard let slot = freeSlot(evicting: turn == 0, &memory) else {
        return turn == 0 ? pauseListener() : ()
      }
      switch transport.accept() {
      case .connection(let descriptor, let peer):
        open(slot, descriptor, peer, &memory)
      case .none:
        return
      case .exhausted:
        // Linux wants a descriptor first and looks then whether anybody waits (accept(2)).
        guard turn == 0 else { return }
        Counter.descriptorsExhausted.add()
        if !evictOne(&memory) { pauseListener() }
        return
      }
    }
  }

  /// Connections wait with the kernel; without the pause poll() would report them for ever.
  private mutating func pauseListener() {
    Counter.listenerPaused.add()
    listenerPausedUntil = moment.monotonicMilliseconds + Limits.evictionAgeMilliseconds
  }

  private mutating func freeSlot(evicting: Bool, _ memory: inout ServerMemory) -> Int? {
    if let slot = memory.connections.takeFree() { return slot }
    return evicting && evictOne(&memory) ? memory.connections.takeFree() : nil
  }

  private mutating func open(
    _ slot: Int, _ descriptor: Int32, _ peer: IPAddress, _ memory: inout ServerMemory
  ) {
    Counter.connectionsAccepted.add()
    var connection = Connection()
    connection.descriptor = descriptor
    connectionNumber += 1
    connection.number = connectionNumber
    connection.peer = peer
    connection.phase = .idle
    connection.deadline = moment.monotonicMilliseconds + Limits.idleTimeoutMilliseconds
    memory.connections[slot] = connection
  }

  /// Ends a connection at once and frees all that it held.
  @inline(never)
  mutating func close(_ connection: inout Connection, _ memory: inout ServerMemory) {
    connection.checkInvariants()
    if connection.responseBuffer >= 0 { memory.responses.release(connection.responseBuffer) }
    releaseStash(&connection, &memory)
    abandonFlow(&connection)
    cancelWork(&connection)
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
  /// connections go first, then those in the middle of a request or that take nothing of their
  /// responses; none of them at once, because what is missing may be on its way; and last one
  /// whose page pauses. One that reads, however slowly, stays.
  ///
  /// - Returns: Whether there was one.
  private mutating func evictOne(_ memory: inout ServerMemory) -> Bool {
    var victim: (slot: Int, since: Int64, rests: Bool)?
    for slot in 0..<memory.connections.count {
      let since: Int64
      let connection = memory.connections[slot]
      switch connection.phase {
      case .idle, .linger:
        since = connection.deadline - Limits.idleTimeoutMilliseconds
      case .head:
        since = connection.deadline - Limits.headTimeoutMilliseconds
      case .content, .receiving:
        since = connection.deadline - Limits.contentTimeoutMilliseconds
      case .next, .unread:
        since = connection.deadline - Limits.sendTimeoutMilliseconds
      case .sending where R.answersInPieces && connection.isPaused(at: moment):
        since = moment.monotonicMilliseconds - Limits.evictionAgeMilliseconds
      case .free, .queued, .waiting, .working, .sending:
        continue
      }
      guard since <= moment.monotonicMilliseconds - Limits.evictionAgeMilliseconds else { continue }
      let mayRead = connection.phase == .next || connection.phase == .unread
      if mayRead, peerHasTakenSome(&memory.connections[slot]) { continue }
      let rests = connection.phase == .idle || connection.phase == .linger
      let isBetter = victim.map { rests == $0.rests ? since < $0.since : rests } ?? true
      if isBetter { victim = (slot, since, rests) }
    }
    guard let victim else { return false }
    Counter.connectionsEvicted.add()
    close(victim.slot, &memory)
    return true
  }

  // MARK: Time

  @inline(never)
  private mutating func expire(_ slot: Int, _ memory: inout ServerMemory) {
    var connection = memory.connections[slot]
    guard connection.phase != .free else { return }
    Counter.deadlinesPassed.add()
    switch connection.phase {
    case .head: refuse(&connection, .headTimeout, &memory)
    case .content, .receiving: refuse(&connection, .contentTimeout, &memory)
    case .queued, .waiting, .working: refuseForNow(&connection, &memory)
    case .sending where peerHasTakenSome(&connection): break
    case .next where peerHasTakenSome(&connection): break
    case .unread where peerHasTakenSome(&connection): break
    case .free, .idle, .next, .unread, .sending, .linger: close(&connection, &memory)
    }
    memory.connections[slot] = connection
  }

  /// Whether the peer has taken something since the kernel was asked last: it says that there is room
  /// only when there is much of it, so a slow reader may not have been noticed.
  private mutating func peerHasTakenSome(_ connection: inout Connection) -> Bool {
    let before = connection.unsentCount
    connection.unsentCount =
      UInt32(clamping: transport.unsentCount(connection.descriptor))
    guard connection.unsentCount < before else { return false }
    connection.deadline = moment.monotonicMilliseconds + Limits.sendTimeoutMilliseconds
    return true
  }

  // MARK: Stopping

  /// Ends what waits for its client; what is being sent goes on.
  private mutating func beginStop(_ memory: inout ServerMemory) {
    stopDeadline = moment.monotonicMilliseconds + Limits.stopTimeoutMilliseconds
    transport.stopListening()
    for slot in 0..<memory.connections.count {
      switch memory.connections[slot].phase {
      case .idle, .head, .content, .next, .unread, .linger: close(slot, &memory)
      // What pauses has no end that is worth waiting for.
      case .sending
      where R.answersInPieces && memory.connections[slot].isPaused(at: moment):
        close(slot, &memory)
      case .receiving, .queued, .waiting, .working, .sending:
        memory.connections[slot].closesAfterResponse = true
      case .free: continue
      }
    }
  }

  /// Ends what has not been sent when the stop no longer waits.
  private mutating func closeAll(_ memory: inout ServerMemory) {
    for slot in 0..<memory.connections.count
    where memory.connections.slots[slot].phase != .free {
      close(slot, &memory)
    }
  }
}
