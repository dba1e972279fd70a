// Answers that take several turns. A few requests have their jobs done, all together for a little time in
// each turn; others wait for a place, and beyond that requests get 503. A request says how it waits
// (WorkTurn): those of the first rank go before all others, and a place is kept for them; then networks have
// equal shares; then the request that came first.

import MartletBytes
import MartletHTTP

extension Server where T: ~Copyable, R: ~Copyable {
  /// Goes on with the jobs: all together for `Limits.workTurnMicroseconds`, one after the other in small
  /// steps.
  mutating func work() {
    let end = transport.microseconds() + Limits.workTurnMicroseconds
    var index = nextJobIndex
    var idleCount = 0
    let onlyFirst = hasFirst()
    // Bounded by the time, and by the slots where nothing is left to do.
    while jobCount > 0, idleCount <= connections.count {
      if index >= connections.count { index = 0 }
      let slot = connections.slot(at: index)
      index += 1
      if connections[slot].waits(for: .job), connections[slot].pausedUntil <= now,
        !onlyFirst || connections[slot].rank == .first
      {
        idleCount = 0
        if responder.work(connections[slot].number) { proceed(slot) }
        guard transport.microseconds() < end else { break }
      } else {
        idleCount += 1
      }
    }
    nextJobIndex = index
    moment = transport.now()
    beginJobs()
  }

  /// Whether a request of the first rank is worked on.
  private mutating func hasFirst() -> Bool {
    var slots = connections.slots
    while let slot = slots.next() {
      guard connections[slot].waits(for: .job), connections[slot].rank == .first else { continue }
      return true
    }
    return false
  }

  /// Gives the places that are free to the requests that are next.
  @inline(never)
  mutating func beginJobs() {
    var tries = Limits.workCountMax
    while queueCount > 0, tries > 0, let slot = nextInQueue() {
      tries -= 1
      proceed(slot)
    }
  }

  /// The slot whose request is next: of the first rank, then of the network with the fewest jobs, then
  /// the request that has waited longest. `nil` where all have to wait.
  private mutating func nextInQueue() -> Slot? {
    var shares = InlineArray<8, UInt16>(repeating: 0)
    var count = 0
    var slots = connections.slots
    while let slot = slots.next() {
      guard connections[slot].waits(for: .job), count < shares.count else { continue }
      shares[count] = connections[slot].share
      count += 1
    }
    var best: (slot: Slot, isFirst: Bool, jobs: Int, deadline: Int64)?
    slots = connections.slots
    while let slot = slots.next() {
      guard connections[slot].waits(for: .place) else { continue }
      let rank = connections[slot].rank
      guard jobCount < rank.placeCountMax else { continue }
      if rank == .line, lineOpens > now { continue }
      var jobs = 0
      for i in 0..<count where shares[i] == connections[slot].share { jobs += 1 }
      let isFirst = rank == .first
      let deadline = connections[slot].deadline
      if let best {
        guard
          isFirst == best.isFirst
            ? jobs == best.jobs ? deadline < best.deadline : jobs < best.jobs
            : isFirst
        else { continue }
      }
      best = (slot, isFirst, jobs, deadline)
    }
    return best?.slot
  }

  /// Lets a request whose answer takes longer have its job done, or wait for a place.
  ///
  /// - Parameter milliseconds: How long the request is not asked again.
  mutating func putOff(_ slot: Slot, _ turn: WorkTurn, milliseconds: Int) {
    connections[slot].rank = turn.rank
    connections[slot].share = turn.share
    if milliseconds > 0 { connections[slot].pausedUntil = moment(after: milliseconds) }
    guard !connections[slot].waits(for: .job) else { return }
    connections[slot].hasWork = true
    if turn.rank == .line { lineOpens = turn.notBefore }
    // A page that rests needs no processor, so passwords do not keep it waiting.
    if turn.rank != .line, milliseconds > 0 || jobCount < turn.rank.placeCountMax {
      wait(
        for: .job, slot,
        milliseconds: turn.rank == .other
          ? Limits.workTimeoutMilliseconds : Limits.workSignMilliseconds)
    } else if !connections[slot].waits(for: .place) {
      guard queueCount < turn.rank.queueCountMax, turn.rank == .first || hasRoomToWait(turn.share)
      else { return refuseForNow(slot) }
      wait(for: .place, slot, milliseconds: Limits.workQueueMilliseconds)
    }
  }

  /// Whether one more request of a network may wait: networks have half of the places each, so that one
  /// network does not keep others out; where less than half is taken nothing needs to be counted.
  private mutating func hasRoomToWait(_ share: UInt16) -> Bool {
    guard share != 0, queueCount >= Limits.workQueueCountMax / 2 else { return true }
    var count = 0
    var slots = connections.slots
    while let slot = slots.next() {
      guard connections[slot].waits(for: .place), connections[slot].share == share else { continue }
      count += 1
    }
    return count < Limits.workQueueCountMax / 2
  }

  /// A password takes long. Its client gets a sign of life, so that the client, and a proxy before it, goes
  /// on waiting: an interim response (RFC 9110 section 15.2), of which there may be any number.
  mutating func sendSign(_ slot: Slot) {
    connections[slot].deadline = now + Limits.workSignMilliseconds
    if connections[slot].minorVersion > 0 { sendInterim(slot) }
  }

  /// FIN may mean shutdown(SHUT_WR) or close(). Sends 100 Continue: a closed peer answers RST, a
  /// half-closed one ignores it (RFC 9110 section 15.2) and waits for its answer.
  mutating func probe(_ slot: Slot) {
    guard !connections[slot].isProbed else { return close(slot) }
    connections[slot].isProbed = true
    if connections[slot].minorVersion > 0 { sendInterim(slot) }
  }

  /// The answer that several turns were needed for is not wanted any more.
  mutating func cancelWork(_ slot: Slot) {
    guard R.hasWork, connections[slot].hasWork else { return }
    connections[slot].hasWork = false
    responder.cancel(connections[slot].number)
  }
}
