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
  /// Connections at a time: as many as there are slots, and descriptors for.
  private let connectionCountMax: Int
  /// Connections that have been accepted and wait for a slot.
  private var newcomers = Newcomers()
  /// When the current burst of connections began, and when all places for newcomers were last taken.
  private var crowdedSince: Int64 = 0
  private var crowdedUntil: Int64 = .min / 2
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
  /// When the next request that stands in the line may begin.
  var lineOpens: Int64 = 0
  /// The slot that is looked at first in this turn. It stays, so that each connection waits one turn
  /// for its answer and not sometimes two; where somebody finds no response buffer it is theirs, so that
  /// they have the next one.
  private var firstSlot = 0

  /// A server that has not yet waited for anything.
  public init(transport: consuming T, responder: consuming R) {
    self.transport = transport
    self.responder = responder
    connectionCountMax = min(Limits.connectionCountMax, self.transport.connectionCountMax)
    moment = self.transport.now()
    date = HTTPDate(moment.unixSeconds)
  }

  /// Serves until SIGINT or SIGTERM, then finishes what is being sent and returns.
  public mutating func run(_ memory: inout ServerMemory) {
    // The only loop without a bound: each turn waits for something to happen.
    while turn(&memory) {}
    responder.serverStopped(at: moment)
  }

  /// One turn: waits, then does what has become possible.
  ///
  /// - Returns: Whether to go on: `false` when a stop is complete.
  public mutating func turn(_ memory: inout ServerMemory) -> Bool {
    let milliseconds = prepare(&memory)
    let wakeup = transport.wait(&memory.interests, milliseconds: milliseconds)
    moment = transport.now()
    if wakeup.stopRequested, stopDeadline == nil { beginStop(&memory) }
    // Whoever waits comes before those who arrive.
    if waitingCount > 0 { letWaitingWork(&memory) }
    serveReady(&memory)
    if workingCount + waitingCount > 0 { work(&memory) }
    if memory.responses.forgetsRefusal() { reclaimResponse(&memory) }
    if !newcomers.isEmpty { admitNewcomers(&memory) }
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
    if !newcomers.isEmpty { next = min(next, now + Limits.evictionAgeMilliseconds / 5) }
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
    if waitingCount > 0, lineOpens > now { next = min(next, lineOpens) }
    memory.interests.includesSignals = stopDeadline == nil
    memory.interests.includesListener = stopDeadline == nil && listenerPausedUntil <= now
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
    // Work goes on in the next turn, unless its page has asked for a pause.
    var next = connection.phase == .working ? moment.monotonicMilliseconds : Int64.max
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
        if memory.responses.hasRefused, nextFirstSlot == firstSlot { nextFirstSlot = slot }
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
      guard !newcomers.isFull || makesRoomForNewcomers(memory) else {
        return turn == 0 ? pauseListener() : ()
      }
      switch transport.accept() {
      case .connection(let descriptor, let peer):
        admit(Newcomer(descriptor: descriptor, peer: peer), &memory)
      case .none:
        return newcomers.isEmpty ? () : admitNewcomers(&memory)
      case .exhausted:
        // Linux wants a descriptor first and looks then whether anybody waits (accept(2)).
        guard turn == 0 else { return }
        Counter.descriptorsExhausted.add()
        if !evictOne(for: nil, &memory) { pauseListener() }
        return
      }
    }
    if !newcomers.isEmpty { admitNewcomers(&memory) }
  }

  /// Whether the listener accepts one more connection although all places for newcomers are taken: a newcomer
  /// of the network with most connections is closed for it. A burst stays in the kernel's queue for
  /// `Limits.crowdMilliseconds` and is served from there. A burst that lasts longer, or comes again within
  /// `Limits.crowdRestMilliseconds`, does not keep other networks out. A newcomer is never closed when its
  /// network has no other connection.
  @inline(never)
  private mutating func makesRoomForNewcomers(_ memory: borrowing ServerMemory) -> Bool {
    let now = moment.monotonicMilliseconds
    if now - crowdedUntil >= Limits.crowdRestMilliseconds { crowdedSince = now }
    crowdedUntil = now
    return now - crowdedSince >= Limits.crowdMilliseconds
      && newcomers.extreme(memory.connections, isLast: true).load > 1
  }

  /// Connections wait with the kernel; without the pause poll() would report them for ever.
  private mutating func pauseListener() {
    Counter.listenerPaused.add()
    listenerPausedUntil = moment.monotonicMilliseconds + Limits.evictionAgeMilliseconds
  }

  /// Gives a new connection a slot, or lets it wait for one.
  @inline(never)
  private mutating func admit(_ newcomer: Newcomer, _ memory: inout ServerMemory) {
    if newcomers.isEmpty, let slot = freeSlot(for: newcomer, &memory) {
      return open(slot, newcomer, &memory)
    }
    guard newcomers.isFull else { return newcomers.append(newcomer) }
    // Whoever has most connections loses one that waits.
    Counter.connectionsEvicted.add()
    transport.close(newcomers.replace(with: newcomer, memory.connections).descriptor)
  }

  /// Gives slots to those who wait for one: to who has fewest connections first.
  @inline(never)
  private mutating func admitNewcomers(_ memory: inout ServerMemory) {
    // Bounded by who waits.
    while !newcomers.isEmpty {
      let first = newcomers.extreme(memory.connections, isLast: false).index
      guard let slot = freeSlot(for: newcomers[first], &memory) else { return }
      open(slot, newcomers.remove(first), &memory)
      listenerPausedUntil = 0
    }
  }

  @inline(never)
  private mutating func freeSlot(
    for newcomer: Newcomer, _ memory: inout ServerMemory
  ) -> Int? {
    if let slot = memory.connections.takeFree(below: connectionCountMax) { return slot }
    guard evictOne(for: newcomer.peer.network, &memory) else { return nil }
    return memory.connections.takeFree(below: connectionCountMax)
  }

  @inline(never)
  private mutating func open(
    _ slot: Int, _ newcomer: Newcomer, _ memory: inout ServerMemory
  ) {
    Counter.connectionsAccepted.add()
    var connection = Connection()
    connection.descriptor = newcomer.descriptor
    connectionNumber += 1
    connection.number = connectionNumber
    connection.peer = newcomer.peer
    connection.phase = .idle
    connection.deadline = moment.monotonicMilliseconds + Limits.idleTimeoutMilliseconds
    let network = newcomer.peer.network
    memory.connections.changeShare(of: network, by: 1)
    connection.networkCount = UInt16(max(1, memory.connections.share(of: network)))
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
    memory.connections.changeShare(of: connection.peer.network, by: -1)
    connection = Connection()
  }

  /// The same for the connection of a slot.
  @inline(never)
  private mutating func close(_ slot: Int, _ memory: inout ServerMemory) {
    var connection = memory.connections[slot]
    close(&connection, &memory)
    memory.connections[slot] = connection
  }

  /// Makes room for a new connection of `network`: ends another one.
  ///
  /// A client has a right to its share of the slots. A network (one IPv4 address, one IPv6 /64) that has two
  /// connections more than the newcomer's gives one up: of those with most connections the least busy,
  /// whatever it does. Where shares are equal, or the newcomer's is the largest, nobody who is busy
  /// makes room: first connections that have rested for a moment, then those in the middle of a request or
  /// that take nothing of their responses; none of them at once, because what is missing may be on its
  /// way. A newcomer whose network has fewer does not wait for that moment where a connection has been
  /// answered and is between two requests. Without any of these a password makes room that waits to be
  /// worked on.
  ///
  /// - Parameter network: `nil` when it is not known; nobody has a larger share than others then.
  /// - Returns: Whether there was one.
  private mutating func evictOne(for network: IPAddress?, _ memory: inout ServerMemory) -> Bool {
    let share = network.map { memory.connections.share(of: $0) }
    var victim: (slot: Int, rank: EvictionRank)?
    for slot in 0..<memory.connections.count
    where memory.connections.slots[slot].phase != .free {
      guard let rank = rank(slot, newcomerShare: share, &memory) else { continue }
      if victim.map({ rank.isBefore($0.rank) }) ?? true { victim = (slot, rank) }
    }
    guard let victim else { return false }
    Counter.connectionsEvicted.add()
    close(victim.slot, &memory)
    return true
  }

  /// Where a connection stands among those that make room; `nil`: not among them.
  private mutating func rank(
    _ slot: Int, newcomerShare: Int?, _ memory: inout ServerMemory
  ) -> EvictionRank? {
    let now = moment.monotonicMilliseconds
    let phase = memory.connections.slots[slot].phase
    let deadline = memory.connections.slots[slot].deadline
    var rank = EvictionRank(excess: 0, busyness: 1, since: now)
    switch phase {
    case .idle, .linger:
      rank.busyness = 0
      rank.since = deadline - Limits.idleTimeoutMilliseconds
    case .head:
      rank.since = deadline - Limits.headTimeoutMilliseconds
    case .content, .receiving:
      rank.since = deadline - Limits.contentTimeoutMilliseconds
    case .next, .unread:
      rank.since = deadline - Limits.sendTimeoutMilliseconds
    case .sending
    where R.answersInPieces && memory.connections.slots[slot].isPaused(at: moment):
      rank.since = now - Limits.evictionAgeMilliseconds
    case .free, .queued, .sending: rank.busyness = 2
    case .waiting: rank.busyness = 3
    case .working: rank.busyness = 4
    }
    guard let newcomerShare else { return hasWaited(rank, slot, &memory) ? rank : nil }
    let share = Int(memory.connections.slots[slot].networkCount)
    if share > newcomerShare + 1 {
      rank.excess = share
      return rank
    }
    guard share >= newcomerShare else { return nil }
    if share > newcomerShare, memory.connections.slots[slot].isBetweenRequests {
      return rank
    }
    if share > newcomerShare, givesUpWork(slot, memory) { return rank }
    return hasWaited(rank, slot, &memory) ? rank : nil
  }

  /// Whether a connection's password waits to be worked on, or is one of many that are. Without this
  /// passwords would take all slots of a small table. A login that is known (the first rank) stays.
  private func givesUpWork(_ slot: Int, _ memory: borrowing ServerMemory) -> Bool {
    let rank = memory.connections.slots[slot].rank
    guard rank == .password || rank == .line else { return false }
    return switch memory.connections.slots[slot].phase {
    case .waiting: true
    case .working: workingCount > connectionCountMax / 4
    default: false
    }
  }

  /// Whether a connection has waited for its client for a moment, and takes nothing of its responses.
  private mutating func hasWaited(
    _ rank: EvictionRank, _ slot: Int, _ memory: inout ServerMemory
  ) -> Bool {
    guard rank.busyness < 2,
      rank.since <= moment.monotonicMilliseconds - Limits.evictionAgeMilliseconds
    else { return false }
    let phase = memory.connections.slots[slot].phase
    return !(phase == .next || phase == .unread) || !peerHasTakenSome(slot, &memory)
  }

  // MARK: Response buffers

  /// Somebody waits for a response buffer, and none is free: takes one back. Of those whose readers are slow
  /// it is the buffer of who has taken nothing for longest; that connection ends. It could not be held but
  /// for a reader with a window of some octets, because the kernel takes a whole response otherwise.
  @inline(never)
  private mutating func reclaimResponse(_ memory: inout ServerMemory) {
    guard !memory.responses.hasFree else { return }
    var victim: (slot: Int, deadline: Int64)?
    for slot in 0..<memory.connections.count
    where memory.connections.slots[slot].responseBuffer >= 0 {
      _ = peerHasTakenSome(slot, &memory)
      let deadline = memory.connections.slots[slot].deadline
      if victim.map({ deadline < $0.deadline }) ?? true { victim = (slot, deadline) }
    }
    guard let victim else { return }
    Counter.connectionsEvicted.add()
    close(victim.slot, &memory)
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
    case .working where connection.rank != .other: sendSign(&connection, &memory)
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

  /// The same for the connection of a slot.
  @inline(never)
  private mutating func peerHasTakenSome(_ slot: Int, _ memory: inout ServerMemory) -> Bool {
    peerHasTakenSome(&memory.connections[slot])
  }

  // MARK: Stopping

  /// Ends what waits for its client; what is being sent goes on.
  private mutating func beginStop(_ memory: inout ServerMemory) {
    stopDeadline = moment.monotonicMilliseconds + Limits.stopTimeoutMilliseconds
    transport.stopListening()
    while !newcomers.isEmpty { transport.close(newcomers.remove(0).descriptor) }
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
