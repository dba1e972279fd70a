// A request's content goes to its page piece by piece, as it arrives: what has not been read stays in
// the kernel, which tells the peer to wait.

import MartletBytes
import MartletHTTP

extension Server where T: ~Copyable, R: ~Copyable {
  /// The page wants the content.
  ///
  /// - Parameter isWhole: Whether there is none.
  mutating func beginPieces(
    _ connection: inout Connection, _ head: RequestHead, isWhole: Bool, size: Int,
    _ cursor: Cursor, countMax: Int, _ memory: inout ServerMemory
  ) {
    invariant(!isWhole || head.framing == .none, "content is taken in pieces where the route says so")
    let framing: ContentFraming
    do throws(Refusal) {
      framing = try ContentFraming(head.framing, countMax: countMax)
    } catch {
      responder.abandon(cursor)
      return refuse(&connection, error, &memory)
    }
    connection.flow = .content(cursor, framing)
    connection.phase = .receiving
    connection.closesAfterResponse = !head.keepsAlive
    setDeadline(&connection, framing)
    let continued = connection.continued
    guard take(&connection, size, of: memory.receive.count, &memory) else {
      return close(&connection, &memory)
    }
    connection.continued = continued
    if head.expectsContinue { sendContinue(&connection, &memory) }
    if isWhole { finishContent(&connection, cursor, &memory) }
  }

  /// Takes the next piece, or what frames it.
  mutating func receivePiece(_ connection: inout Connection, _ memory: inout ServerMemory) {
    guard R.takesPieces, case .content(let cursor, let framing) = connection.flow else { return }
    switch framing.step {
    case .length, .chunkData: receiveOctets(&connection, cursor, framing, &memory)
    case .chunkLine, .chunkEnd: receiveFraming(&connection, cursor, framing, &memory)
    case .complete: finishContent(&connection, cursor, &memory)
    }
  }

  private mutating func receiveOctets(
    _ connection: inout Connection, _ cursor: Cursor, _ framing: ContentFraming,
    _ memory: inout ServerMemory
  ) {
    guard let count = received(receive(&connection, countMax: Int(framing.remaining), &memory)) else {
      return close(&connection, &memory)
    }
    guard count > 0 else { return }
    memory.receive.setCount(count)
    var framing = framing
    framing.receive(count, after: connection.deadline, at: moment.monotonicMilliseconds)
    setDeadline(&connection, framing)
    var cursor = cursor
    switch responder.take(memory.receive.span, &cursor) {
    case .taken: break
    case .refused(let status, let reason):
      // The page knows already.
      connection.flow = .none
      return refuse(&connection, status, reason.octets, &memory)
    }
    framing.remaining -= Int32(count)
    if framing.remaining == 0 { framing.step = framing.step == .length ? .complete : .chunkEnd }
    connection.flow = .content(cursor, framing)
    if framing.step == .complete { finishContent(&connection, cursor, &memory) }
  }

  /// The next piece is to come soon, and the whole content in time.
  private func setDeadline(_ connection: inout Connection, _ framing: ContentFraming) {
    connection.deadline = moment.monotonicMilliseconds + framing.patience
  }

  /// Octets received; 0 when there are none now, `nil` when there never will be.
  private func received(_ transfer: Transfer) -> Int? {
    switch transfer {
    case .octets(let count): count
    case .notNow: 0
    case .end, .gone: nil
    }
  }

  /// Chunk lines and the end are looked at until they are whole.
  private mutating func receiveFraming(
    _ connection: inout Connection, _ cursor: Cursor, _ framing: ContentFraming,
    _ memory: inout ServerMemory
  ) {
    guard let count = received(look(connection, &memory)) else {
      return close(&connection, &memory)
    }
    guard count > 0 else { return }
    guard count > Int(connection.examinedCount) else {
      return connection.pausedUntil = moment.monotonicMilliseconds + 20
    }
    memory.receive.setCount(count)
    var next = framing
    let size: Int?
    do throws(Refusal) {
      size = try Self.step(&next, memory.receive.span)
    } catch {
      return refuse(&connection, error, &memory)
    }
    guard let size else {
      connection.hasLeftover = connection.stashBuffer < 0
      return waitForMore(&connection, wakeCount: count + 1, memory)
    }
    connection.flow = .content(cursor, next)
    let continued = connection.continued
    guard take(&connection, size, of: count, &memory) else { return close(&connection, &memory) }
    connection.continued = continued
    if next.step == .complete { finishContent(&connection, cursor, &memory) }
  }

  /// Reads what frames the content.
  ///
  /// - Returns: How many octets it takes; `nil` while it is not whole.
  private static func step(
    _ framing: inout ContentFraming, _ octets: Span<UInt8>
  ) throws(Refusal) -> Int? {
    if framing.step == .chunkEnd {
      guard try ChunkedContent.endsChunk(octets) else { return nil }
      framing.step = .chunkLine
      return 2
    }
    switch try ChunkedContent.part(
      octets, countMax: Int(framing.room), extensionSize: &framing.extensionSize)
    {
    case nil: return nil
    case .chunk(let count, let lineSize)?:
      framing.step = .chunkData
      framing.remaining = Int32(count)
      framing.room -= Int32(count)
      return lineSize
    case .end(let size)?:
      framing.step = .complete
      return size
    }
  }

  /// Lets the page answer.
  private mutating func finishContent(
    _ connection: inout Connection, _ cursor: Cursor, _ memory: inout ServerMemory
  ) {
    guard let buffer = memory.responses.acquire() else { return }
    let reply = finish(cursor, in: buffer, of: &memory.responses, fields: &memory.fields)
    switch reply.kind {
    case .later, .content: stop("a page that has taken all answers")
    case .written, .data, .file, .pieces: break
    }
    Counter.requestsAnswered.add()
    connection.flow = .none
    connection.continued = false
    connection.lingers = false
    begin(
      &connection, buffer, reply, sendsContent: true,
      closes: connection.closesAfterResponse || stopDeadline != nil,
      minorVersion: connection.closesAfterResponse ? 0 : 1, &memory)
    send(&connection, &memory)
  }

  /// Lends the memory to answer in to the responder.
  private mutating func finish(
    _ cursor: Cursor, in buffer: Int8, of responses: inout ResponsePool, fields: inout LentBuffer
  ) -> Reply {
    responder.finish(
      cursor, moment: moment, content: Writer(responses.content(buffer)),
      fields: Writer(fields.storageSpan))
  }

  /// What went through the connection in pieces is over before its end.
  mutating func abandonFlow(_ connection: inout Connection) {
    switch connection.flow {
    case .none, .data, .piecesEnd: break
    case .file(let file, _, _): transport.close(file)
    case .pieces(let cursor, _), .content(let cursor, _):
      if R.takesPieces || R.answersInPieces { responder.abandon(cursor) }
    }
    connection.flow = .none
  }
}
