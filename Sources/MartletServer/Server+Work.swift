// Answers that take several turns: who has asked for one is asked again when its work is done. Some
// work, all together for a little time in each turn; others wait for their places, and beyond that
// they are told to come again. A request says how it waits (WorkTurn): those of the first rank go before
// all others, and a place is kept for them; then networks have equal shares; then whoever came first.

import MartletBytes
import MartletHTTP

extension Server where T: ~Copyable, R: ~Copyable {
  /// Gives those whose answer takes several turns their share: all together as long as
  /// `Limits.workTurnMicroseconds` say, one after the other in small steps.
  mutating func work(_ memory: inout ServerMemory) {
    let end = transport.microseconds() + Limits.workTurnMicroseconds
    var slot = nextWorkSlot
    var idleCount = 0
    let onlyFirst = hasFirst(memory)
    // Bounded by the time, and by the slots where nobody works any more.
    while workingCount > 0, idleCount <= memory.connections.count {
      if slot >= memory.connections.count { slot = 0 }
      if memory.connections.slots[slot].phase == .working,
        memory.connections.slots[slot].pausedUntil <= moment.monotonicMilliseconds,
        !onlyFirst || memory.connections.slots[slot].rank == .first
      {
        idleCount = 0
        if responder.work(memory.connections.slots[slot].number) {
          askAgain(slot, &memory)
        }
        slot += 1
        guard transport.microseconds() < end else { break }
      } else {
        idleCount += 1
        slot += 1
      }
    }
    nextWorkSlot = slot
    moment = transport.now()
    letWaitingWork(&memory)
  }

  /// Whether a request of the first rank is worked on.
  private func hasFirst(_ memory: borrowing ServerMemory) -> Bool {
    for slot in 0..<memory.connections.count
    where memory.connections.slots[slot].phase == .working
      && memory.connections.slots[slot].rank == .first
    {
      return true
    }
    return false
  }

  /// Gives the places that are free to those who are next.
  @inline(never)
  mutating func letWaitingWork(_ memory: inout ServerMemory) {
    var tries = Limits.workCountMax
    while waitingCount > 0, tries > 0, let slot = nextWaiting(memory) {
      tries -= 1
      askAgain(slot, &memory)
    }
  }

  /// The slot of who is next: of the first rank, then of the network with the fewest at work, then who
  /// has waited longest. `nil` where all have to wait.
  private func nextWaiting(_ memory: borrowing ServerMemory) -> Int? {
    var shares = InlineArray<8, UInt16>(repeating: 0)
    var count = 0
    for slot in 0..<memory.connections.count
    where memory.connections.slots[slot].phase == .working && count < shares.count {
      shares[count] = memory.connections.slots[slot].share
      count += 1
    }
    var best: (slot: Int, isFirst: Bool, working: Int, deadline: Int64)?
    for slot in 0..<memory.connections.count
    where memory.connections.slots[slot].phase == .waiting {
      let connection = memory.connections[slot]
      guard workingCount < connection.rank.placeCountMax else { continue }
      if connection.rank == .line, lineOpens > moment.monotonicMilliseconds { continue }
      var working = 0
      for i in 0..<count where shares[i] == connection.share { working += 1 }
      let isFirst = connection.rank == .first
      if let best {
        guard
          isFirst == best.isFirst
            ? working == best.working ? connection.deadline < best.deadline : working < best.working
            : isFirst
        else { continue }
      }
      best = (slot, isFirst, working, connection.deadline)
    }
    return best?.slot
  }

  private mutating func askAgain(_ slot: Int, _ memory: inout ServerMemory) {
    var connection = memory.connections[slot]
    receive(&connection, peerIsDone: false, &memory)
    memory.connections[slot] = connection
  }

  /// Lets a request whose answer takes longer work, or wait until it may.
  ///
  /// - Parameter milliseconds: How long the request is not asked again.
  mutating func putOff(
    _ connection: inout Connection, _ turn: WorkTurn, milliseconds: Int,
    _ memory: inout ServerMemory
  ) {
    connection.rank = turn.rank
    connection.share = turn.share
    if milliseconds > 0 {
      connection.pausedUntil = moment.monotonicMilliseconds + Int64(milliseconds)
    }
    guard connection.phase != .working else { return }
    connection.isPutOff = true
    let now = moment.monotonicMilliseconds
    if turn.rank == .line { lineOpens = turn.notBefore }
    // A page that rests needs no processor, so passwords do not keep it waiting.
    if turn.rank != .line, milliseconds > 0 || workingCount < turn.rank.placeCountMax {
      stopWorking(&connection)
      connection.phase = .working
      connection.deadline =
        now
        + (turn.rank == .other ? Limits.workTimeoutMilliseconds : Limits.workSignMilliseconds)
      workingCount += 1
    } else if connection.phase != .waiting {
      guard waitingCount < turn.rank.queueCountMax,
        turn.rank == .first || hasRoomToWait(turn.share, memory)
      else { return refuseForNow(&connection, &memory) }
      connection.phase = .waiting
      connection.deadline = now + Limits.workQueueMilliseconds
      waitingCount += 1
    }
  }

  /// Whether one more of a network may wait: networks have half of the places each, so that one does not
  /// keep others out; where less than half is taken nobody needs to be counted.
  private func hasRoomToWait(_ share: UInt16, _ memory: borrowing ServerMemory) -> Bool {
    guard share != 0, waitingCount >= Limits.workQueueCountMax / 2 else { return true }
    var count = 0
    for slot in 0..<memory.connections.count
    where memory.connections.slots[slot].phase == .waiting
      && memory.connections.slots[slot].share == share
    {
      count += 1
    }
    return count < Limits.workQueueCountMax / 2
  }

  /// A password takes long. Its client gets a sign of life, so that it, and a proxy before it, goes on
  /// waiting: an interim response (RFC 9110 §15.2), of which there may be any number.
  mutating func sendSign(_ connection: inout Connection, _ memory: inout ServerMemory) {
    connection.deadline = moment.monotonicMilliseconds + Limits.workSignMilliseconds
    guard connection.knowsInterim else { return }
    let interim = ResponseHead.interimContinue.octets
    switch transport.send(connection.descriptor, interim) {
    case .octets(interim.count), .notNow: return
    // A part of it, and then a response, would be read as neither.
    case .octets, .end, .gone: close(&connection, &memory)
    }
  }

  mutating func stopWorking(_ connection: inout Connection) {
    switch connection.phase {
    case .working: workingCount -= 1
    case .waiting: waitingCount -= 1
    default: return
    }
    connection.phase = .head
  }

  /// The peer has sent all that it will send. One that has only said so waits for the answer; one that
  /// has closed the connection does not, and its work is of no use. They look the same until something
  /// is sent to them: an interim response (RFC 9110 §15.2), which the one reads over and the other
  /// answers with a reset.
  mutating func probe(_ connection: inout Connection, _ memory: inout ServerMemory) {
    guard !connection.isProbed else { return close(&connection, &memory) }
    connection.isProbed = true
    guard connection.knowsInterim else { return }
    let interim = ResponseHead.interimContinue.octets
    switch transport.send(connection.descriptor, interim) {
    case .octets(interim.count), .notNow: return
    case .octets, .end, .gone: close(&connection, &memory)
    }
  }

  /// The answer that several turns were needed for is not wanted any more.
  mutating func cancelWork(_ connection: inout Connection) {
    stopWorking(&connection)
    guard connection.isPutOff else { return }
    connection.isPutOff = false
    responder.cancel(connection.number)
  }
}
