// The loop: wait → receive, handle, send; then work that takes several turns; then newcomers. One thread;
// no step waits. Each turn a connection gets at most one recv(), one request handled and two sends, so
// that none starves another.

import MartletBytes
import MartletHTTP

/// A single-threaded HTTP/1.1 server over fixed memory.
public struct Server<T: Transport & ~Copyable, R: Responder & ~Copyable>: ~Copyable {
  var transport: T
  package var responder: R
  var connections: ConnectionTable
  var blocks: BlockPool
  /// The response under way, and its field lines.
  var response: LentBuffer
  var fields: LentBuffer
  /// The time of this turn.
  var moment = Moment(monotonicMilliseconds: 0, unixSeconds: 0)
  /// What responses say that the time is.
  var date: HTTPDate
  /// Connections accepted so far. 64 bits do not wrap: at a million a second they last for 500,000 years.
  var connectionNumber: UInt64 = 0
  /// Connections at a time: as many as there are slots, and descriptors for.
  let connectionCountMax: Int
  /// Connections that have been accepted and wait for a slot.
  var newcomers = Newcomers()
  /// New connections are left in the kernel's queue until then: slots or descriptors have run out.
  var listenerPausedUntil: Int64 = 0
  /// When a stop no longer waits for responses under way; `nil` while the server runs.
  private(set) var stopDeadline: Int64?
  /// No deadline passes before.
  private var nextDeadline: Int64 = 0
  /// Connections that wait for their job, and for a place.
  var jobCount = 0
  var queueCount = 0
  /// The slot whose job comes first in the next turn.
  var nextJobIndex = 0
  /// When the next request that stands in the line may begin.
  var lineOpens: Int64 = 0
  /// When the responder's next tick is.
  private var nextTick: Int64 = 0
  /// The time of this turn for files.
  var fileTurn = FileTurn()
  /// Whether a page has asked for a stop, which begins at the end of the turn.
  var stopIsAsked = false

  /// A server that has not yet waited for anything, in memory that is lent to it for its whole life.
  public init(transport: consuming T, responder: consuming R, _ memory: consuming ServerMemory) {
    self.transport = transport
    self.responder = responder
    connections = ConnectionTable(memory)
    blocks = BlockPool(memory)
    response = LentBuffer.response(memory)
    fields = LentBuffer.fields(memory)
    connectionCountMax = min(Limits.connectionCountMax, self.transport.connectionCountMax)
    moment = self.transport.now()
    date = HTTPDate(moment.unixSeconds)
    if R.tickMilliseconds > 0 { nextTick = now + Int64(R.tickMilliseconds) }
    invariant(R.uploadStateSize <= Limits.uploadStateSizeMax, "an upload's state has a bound")
  }

  /// Whether nothing is lent out: no connection, no block.
  package var isIdle: Bool { connections.isEmpty && blocks.isWhole }

  /// Milliseconds of the monotonic clock in this turn.
  var now: Int64 { moment.monotonicMilliseconds }

  /// The moment after a pause of any length that a page asks for; `.max` for a pause without an end.
  mutating func moment(after milliseconds: Int) -> Int64 {
    let (end, isEndless) = now.addingReportingOverflow(Int64(milliseconds))
    return isEndless ? .max : end
  }

  /// Serves until SIGINT or SIGTERM, then finishes what is being sent and returns.
  public mutating func run() {
    // The only loop without a bound: each turn waits for something to happen.
    while turn() {}
    responder.serverStopped(at: moment)
  }

  /// One turn: waits, then does what has become possible.
  ///
  /// - Returns: Whether to go on: `false` when a stop is complete.
  package mutating func turn() -> Bool {
    let milliseconds = prepare()
    let wakeup = transport.wait(
      milliseconds: milliseconds, listener: stopDeadline == nil && listenerPausedUntil <= now,
      signals: stopDeadline == nil)
    moment = transport.now()
    if wakeup.stopRequested, stopDeadline == nil { beginStop() }
    if R.tickMilliseconds > 0, nextTick <= now { tick() }
    if R.hasFiles { fileTurn.begin() }
    if R.hasWatches { lookAfterWatches() }
    // Requests that wait come before those that arrive.
    if R.hasWork, queueCount > 0 { beginJobs() }
    serveReady()
    if R.hasWork, jobCount + queueCount > 0 { work() }
    if !newcomers.isEmpty { admitNewcomers() }
    if wakeup.listenerIsReady, stopDeadline == nil { acceptAll() }
    if T.encrypts, transport.placeIsWanted { givePlaces() }
    if R.hasStreams { wakeStreams() }
    if stopIsAsked, stopDeadline == nil { beginStop() }
    if stopDeadline.map({ $0 <= now }) ?? false { closeAll() }
    connections.shrink()
    return stopDeadline == nil || !connections.isEmpty
  }

  // MARK: Waiting

  /// Tells the transport what each connection waits for.
  ///
  /// - Returns: Milliseconds until something must be done; negative when nothing must.
  private mutating func prepare() -> Int {
    var next = stopDeadline ?? .max
    if listenerPausedUntil > now { next = min(next, listenerPausedUntil) }
    if !newcomers.isEmpty { next = min(next, now + Limits.evictionAgeMilliseconds / 5) }
    nextDeadline = .max
    var slots = connections.slots
    while let slot = slots.next() {
      nextDeadline = min(nextDeadline, connections[slot].deadline)
      // Most connections rest, and all of them are looked at in each turn.
      if connections[slot].phase == .reading {
        transport.want(slot.index, .readable)
      } else {
        next = min(next, prepare(slot))
      }
    }
    next = min(next, nextDeadline)
    if R.hasWork, queueCount > 0, lineOpens > now { next = min(next, lineOpens) }
    if R.tickMilliseconds > 0 { next = min(next, nextTick) }
    if R.hasWatches { next = min(next, prepareWatches()) }
    return next == .max ? -1 : Int(clamping: max(0, next - now))
  }

  /// Tells the transport what a connection waits for that does not read a head.
  ///
  /// - Returns: When the connection is to be looked at again for another reason than its deadline.
  @inline(never)
  private mutating func prepare(_ slot: Slot) -> Int64 {
    let pausedUntil = connections[slot].pausedUntil
    let isPaused = pausedUntil > now && connections[slot].responseBlock < 0
    let isProbed = connections[slot].isProbed
    var next = isPaused ? pausedUntil : Int64.max
    var wanted: Readiness? = .readable
    switch connections[slot].phase {
    case .free, .reading, .receivingBody, .lingering: break
    case .waiting:
      switch connections[slot].reason {
      case .room: wanted = isPaused ? nil : .writable
      case .place, .job:
        // That the connection is broken is told always.
        wanted = isProbed ? .nothing : .peerDone
        // A job goes on in the next turn, unless its page rests.
        if connections[slot].reason == .job, !isPaused { next = now }
      }
    case .sending:
      wanted = isPaused && R.hasStreams ? isProbed ? .nothing : .peerDone : .writable
      // That the connection is broken is told always.
      if R.hasFiles, connections[slot].waitsForDisk(at: now) { wanted = .nothing }
    }
    transport.want(slot.index, wanted)
    return next
  }

  /// Tells the transport which other descriptors are waited for.
  ///
  /// - Returns: When the responder is to look after them without anything having come.
  @inline(never)
  private mutating func prepareWatches() -> Int64 {
    for index in 0..<Limits.watchCountMax { transport.watch(index, responder.watched(index)) }
    return responder.nextWatchMoment
  }

  /// Tells the responder what came at other descriptors.
  @inline(never)
  private mutating func lookAfterWatches() {
    var ready: UInt8 = 0
    for index in 0..<Limits.watchCountMax where transport.isReady(watch: index) { ready |= 1 << UInt8(index) }
    responder.lookAfterWatches(ready, now: now)
  }

  /// Moves on each connection for which something has come, and ends those that have waited too long.
  @inline(never)
  private mutating func serveReady() {
    let someAreLate = nextDeadline <= now
    var slots = connections.slots
    while let slot = slots.next() {
      let ready = transport.ready(slot.index)
      if !ready.isEmpty { advance(slot, ready) }
      if someAreLate, connections[slot].phase != .free, connections[slot].deadline <= now {
        expire(slot)
      }
    }
  }

  /// Does what `ready` allows.
  @inline(never)
  private mutating func advance(_ slot: Slot, _ ready: Readiness) {
    // A connection that reads finds that out by reading, after what has still arrived.
    if ready.contains(.broken), !connections[slot].reads { return close(slot) }
    switch connections[slot].phase {
    case .free: return
    case .reading, .receivingBody: receive(slot)
    case .waiting:
      switch connections[slot].reason {
      case .room: proceed(slot)
      case .place, .job: if R.hasWork, ready.contains(.peerDone) { probe(slot) }
      }
    case .sending where R.hasStreams && connections[slot].isPaused(at: moment): leave(slot)
    case .sending: send(slot)
    case .lingering: drain(slot)
    }
    keep(slot)
  }

  // MARK: Phases

  /// Changes the phase of a connection, and when the phase must have ended.
  mutating func enter(_ phase: Connection.Phase, _ slot: Slot, milliseconds: Int64) {
    leaveQueue(slot)
    connections[slot].phase = phase
    connections[slot].deadline = now + milliseconds
  }

  /// Lets a request wait.
  mutating func wait(for reason: Connection.Reason, _ slot: Slot, milliseconds: Int64) {
    enter(.waiting, slot, milliseconds: milliseconds)
    connections[slot].reason = reason
    switch reason {
    case .room: break
    case .place: queueCount += 1
    case .job: jobCount += 1
    }
  }

  /// Counts a request no longer among those that wait.
  private mutating func leaveQueue(_ slot: Slot) {
    guard connections[slot].phase == .waiting else { return }
    switch connections[slot].reason {
    case .room: break
    case .place: queueCount -= 1
    case .job: jobCount -= 1
    }
  }

  /// Ends a connection at once and frees all that it held.
  @inline(never)
  mutating func close(_ slot: Slot) {
    abandonFlow(slot)
    cancelWork(slot)
    leaveQueue(slot)
    dropHeld(slot)
    releaseResponse(slot)
    transport.close(slot.index)
    connections.changeShare(of: connections[slot].peer.network, by: -1)
    connections.free(slot)
  }

  // MARK: Time

  @inline(never)
  private mutating func expire(_ slot: Slot) {
    Counter.deadlinesPassed.add()
    switch connections[slot].phase {
    case .reading where !connections[slot].held.isEmpty: refuse(slot, .headTimeout)
    case .receivingBody: refuse(slot, .contentTimeout)
    case .waiting where R.hasWork && connections[slot].reason == .job && connections[slot].rank != .other:
      sendSign(slot)
    case .waiting where R.hasWork && connections[slot].works: refuseForNow(slot)
    case .sending where peerHasTakenSome(slot): break
    case .waiting where peerHasTakenSome(slot): break
    case .free, .reading, .waiting, .sending, .lingering: close(slot)
    }
  }

  /// Tells the responder that the time has come. The next tick is the first one of the grid that lies ahead.
  private mutating func tick() {
    Self.tick(&responder, moment, &response)
    let period = Int64(R.tickMilliseconds)
    nextTick += ((now - nextTick) / period + 1) * period
  }

  private static func tick(_ responder: inout R, _ moment: Moment, _ response: inout LentBuffer) {
    responder.tick(at: moment, content: Writer(response.content))
  }

  // MARK: Stopping

  /// Ends what waits for its client; what is being sent goes on.
  private mutating func beginStop() {
    stopDeadline = now + Limits.stopTimeoutMilliseconds
    transport.stopListening()
    while !newcomers.isEmpty { transport.close(descriptor: newcomers.remove(0).descriptor) }
    var slots = connections.slots
    while let slot = slots.next() {
      switch connections[slot].phase {
      case .free: continue
      case .reading, .lingering: close(slot)
      case .waiting where !connections[slot].works: close(slot)
      case .receivingBody:
        if case .form = connections[slot].flow { close(slot) } else { endsAfterResponse(slot) }
      // What pauses has no end that is worth waiting for.
      case .sending where R.hasStreams && connections[slot].isPaused(at: moment): close(slot)
      case .waiting, .sending: endsAfterResponse(slot)
      }
    }
  }

  private mutating func endsAfterResponse(_ slot: Slot) {
    if connections[slot].afterResponse == .keepAlive { connections[slot].afterResponse = .close }
  }

  /// Whether a stop has begun.
  var isStopping: Bool { stopDeadline != nil }

  /// Ends what has not been sent when the stop no longer waits.
  private mutating func closeAll() {
    var slots = connections.slots
    while let slot = slots.next() { close(slot) }
  }
}
