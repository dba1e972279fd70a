// Where the octets of a request are until it is answered. A request that is there at once and as a
// whole, as nearly all are, is read out of the kernel and answered, in one call. What is not whole stays
// with the kernel and is only looked at, so that no number of slow clients takes memory; or, as far as
// there are buffers for it, in a buffer of the pool, the stash.

import MartletBytes
import MartletHTTP

extension Server where T: ~Copyable, R: ~Copyable {
  /// Puts all that has arrived of a request into the receive buffer: what has been taken before, and
  /// what is with the kernel, which stays there unless there is sure to be a place for it.
  ///
  /// - Returns: How many octets in all; anything else when there are none that have not been examined.
  mutating func read(_ connection: inout Connection, _ memory: inout ServerMemory) -> Transfer {
    guard takesAtOnce(&connection, memory) else { return look(connection, &memory) }
    var all = memory.receive.storageSpan
    // No more than a stash has room for.
    var target = all._mutatingExtracting(0..<Limits.responseSizeMax)
    let transfer = transport.receive(connection.descriptor, into: &target)
    if case .octets(let count) = transfer {
      connection.takenCount = UInt16(count)
      connection.hasLeftover = count == Limits.responseSizeMax
    }
    return transfer
  }

  /// Whether what comes may be taken out of the kernel before it has been seen: where it can be put if
  /// it cannot be answered at once, and a response buffer is left.
  private mutating func takesAtOnce(
    _ connection: inout Connection, _ memory: borrowing ServerMemory
  ) -> Bool {
    guard connection.phase == .idle, stashedCount < stashCountAtOnceMax,
      memory.responses.freeCount > 1
    else { return false }
    return peerTakesResponses(&connection)
  }

  /// As `read`, and all that is with the kernel stays there.
  @inline(never)
  mutating func look(_ connection: Connection, _ memory: inout ServerMemory) -> Transfer {
    let taken = Int(connection.takenCount)
    if taken > 0 { Self.copyStash(connection, memory.responses, to: &memory.receive) }
    var all = memory.receive.storageSpan
    var target = all._mutatingExtracting(taken..<all.count)
    return switch transport.peek(connection.descriptor, into: &target) {
    case .octets(let count): .octets(taken + count)
    // What has been taken may be more than has been examined; an end is told when all has been.
    case .notNow where taken > Int(connection.examinedCount): .octets(taken)
    case .end where taken > Int(connection.examinedCount): .octets(taken)
    case let other: other
    }
  }

  private static func copyStash(
    _ connection: Connection, _ responses: borrowing ResponsePool, to receive: inout LentBuffer
  ) {
    var target = receive.storageSpan
    target.copy(
      responses.octets(connection.stashBuffer, 0..<Int(connection.takenCount)), to: 0)
  }

  /// Puts what has been taken at once into a stash, unless it is one request and nothing else. (Chunks
  /// are put together where they are, so the receive buffer does not have them as they came.)
  mutating func keepUnlessWhole(
    _ progress: RequestProgress, _ connection: inout Connection, _ memory: inout ServerMemory
  ) {
    switch progress {
    case .complete(let head, Int(connection.takenCount)) where head.framing != .chunked: return
    case .refused: return
    case .head, .content, .pieces, .complete: keep(&connection, &memory)
    }
  }

  /// Puts what has been taken at once, and is in the receive buffer alone, into a stash.
  @inline(never)
  mutating func keep(_ connection: inout Connection, _ memory: inout ServerMemory) {
    guard connection.takenCount > 0, connection.stashBuffer < 0 else { return }
    guard let buffer = memory.responses.acquire() else {
      stop("octets are taken at once only where they can be kept")
    }
    connection.stashBuffer = buffer
    stashedCount += 1
    Counter.requestsStashed.add()
    fillStash(connection, from: 0, &memory)
  }

  /// Writes what has been taken and is in the receive buffer from `start` on.
  private mutating func fillStash(
    _ connection: Connection, from start: Int, _ memory: inout ServerMemory
  ) {
    Self.copy(
      memory.receive, start..<start + Int(connection.takenCount), to: &memory.responses,
      connection.stashBuffer)
  }

  private static func copy(
    _ receive: borrowing LentBuffer, _ range: Range<Int>, to responses: inout ResponsePool,
    _ buffer: Int8
  ) {
    var target = responses.storage(buffer)
    target.copy(receive.span.extracting(range), to: 0)
  }

  /// Takes an unfinished request out of the kernel, so that it has room for the rest: what is left of a
  /// piece that was taken but for that keeps the memory of the whole piece, and the peer is told to
  /// wait until it is gone. Only as many as leave buffers for responses.
  @inline(never)
  mutating func stash(_ slot: Int, _ memory: inout ServerMemory) {
    guard stashedCount < Limits.stashCountMax, let buffer = memory.responses.acquire() else { return }
    var connection = memory.connections[slot]
    // No more than has been seen to be unfinished: what has come since may be its end.
    var whole = memory.responses.storage(buffer)
    var target = whole._mutatingExtracting(
      0..<min(Int(connection.examinedCount), Limits.responseSizeMax))
    switch transport.receive(connection.descriptor, into: &target) {
    case .octets(let count):
      connection.stashBuffer = buffer
      connection.takenCount = UInt16(count)
      connection.hasLeftover = false
      stashedCount += 1
      Counter.requestsStashed.add()
      wake(&connection, atCount: max(1, Int(connection.wakeCount) - count))
    case .notNow:
      memory.responses.release(buffer)
      connection.hasLeftover = false
    case .end, .gone:
      memory.responses.release(buffer)
      close(&connection, &memory)
    }
    memory.connections[slot] = connection
  }

  mutating func releaseStash(_ connection: inout Connection, _ memory: inout ServerMemory) {
    let takenCount = Int(connection.takenCount)
    connection.takenCount = 0
    guard connection.stashBuffer >= 0 else { return }
    memory.responses.wipe(connection.stashBuffer, 0..<takenCount)
    memory.responses.release(connection.stashBuffer)
    connection.stashBuffer = -1
    stashedCount -= 1
  }

  /// The first octets of what is in the receive buffer are done with: takes them out of the kernel where
  /// they are still there. They are answered from the receive buffer.
  ///
  /// - Parameters:
  ///   - size: How many.
  ///   - receivedCount: How many octets have been seen of them and of what follows.
  /// - Returns: Whether all of them were taken. One that stays would be read, and answered, again.
  @inline(never)
  mutating func take(
    _ connection: inout Connection, _ size: Int, of receivedCount: Int,
    _ memory: inout ServerMemory
  ) -> Bool {
    var remaining = size - Int(connection.takenCount)
    connection.hasLeftover = receivedCount > max(size, Int(connection.takenCount))
    if remaining < 0 {
      let before = Int(connection.takenCount)
      connection.takenCount -= UInt16(size)
      fillStash(connection, from: size, &memory)
      memory.responses.wipe(connection.stashBuffer, before - size..<before)
    } else {
      releaseStash(&connection, &memory)
    }
    while remaining > 0 {
      guard case .octets(let count) = transport.discard(connection.descriptor, count: remaining)
      else { return false }
      remaining -= count
    }
    wake(&connection, atCount: 1)
    connection.examinedCount = 0
    connection.continued = false
    return true
  }

  /// Takes what comes next, of the stash before what is with the kernel, into the receive buffer.
  ///
  /// - Parameter countMax: At most as many octets.
  /// - Returns: How many; anything else when there are none.
  mutating func receive(
    _ connection: inout Connection, countMax: Int, _ memory: inout ServerMemory
  ) -> Transfer {
    let taken = Int(connection.takenCount)
    if taken > 0 {
      Self.copyStash(connection, memory.responses, to: &memory.receive)
      memory.receive.setCount(taken)
      let count = min(taken, countMax)
      _ = take(&connection, count, of: taken, &memory)
      return .octets(count)
    }
    var whole = memory.receive.storageSpan
    let room = min(countMax, whole.count)
    var target = whole._mutatingExtracting(0..<room)
    let transfer = transport.receive(connection.descriptor, into: &target)
    connection.hasLeftover = transfer == .octets(room)
    return transfer
  }
}
