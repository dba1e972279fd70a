// Answers that take several turns: who has asked for one is asked again when its work is done. Some
// work, all together for a little time in each turn; others wait for their places, and beyond that
// they are told to come again.

import MartletBytes
import MartletHTTP

extension Server where T: ~Copyable, R: ~Copyable {
  /// Gives those whose answer takes several turns their share: all together as long as
  /// `Limits.workTurnMicroseconds` say, one after the other in small steps.
  mutating func work(_ memory: inout ServerMemory) {
    let end = transport.microseconds() + Limits.workTurnMicroseconds
    var slot = nextWorkSlot
    var idleCount = 0
    // Bounded by the time, and by the slots where nobody works any more.
    while workingCount > 0, idleCount <= memory.connections.count {
      if slot >= memory.connections.count { slot = 0 }
      if memory.connections.slots[slot].phase == .working,
        memory.connections.slots[slot].pausedUntil <= moment.monotonicMilliseconds
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
    letWaitingWork(&memory)
    moment = transport.now()
  }

  /// Gives the places that have become free to those who have waited longest.
  private mutating func letWaitingWork(_ memory: inout ServerMemory) {
    var tries = Limits.workCountMax
    while waitingCount > 0, workingCount < Limits.workCountMax, tries > 0 {
      tries -= 1
      var first: (slot: Int, deadline: Int64)?
      for slot in 0..<memory.connections.count
      where memory.connections.slots[slot].phase == .waiting {
        let deadline = memory.connections.slots[slot].deadline
        if first.map({ deadline < $0.deadline }) ?? true { first = (slot, deadline) }
      }
      guard let first else { return }
      askAgain(first.slot, &memory)
    }
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
    _ connection: inout Connection, milliseconds: Int, _ memory: inout ServerMemory
  ) {
    if milliseconds > 0 {
      connection.pausedUntil = moment.monotonicMilliseconds + Int64(milliseconds)
    }
    guard connection.phase != .working else { return }
    connection.isPutOff = true
    if workingCount < Limits.workCountMax {
      stopWorking(&connection)
      connection.phase = .working
      connection.deadline = moment.monotonicMilliseconds + Limits.workTimeoutMilliseconds
      workingCount += 1
    } else if connection.phase != .waiting {
      guard waitingCount < Limits.workQueueCountMax else {
        return refuseForNow(&connection, &memory)
      }
      connection.phase = .waiting
      connection.deadline = moment.monotonicMilliseconds + Limits.sendTimeoutMilliseconds
      waitingCount += 1
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
