// A response goes out: its head and what is written of its content from a buffer, the rest from where
// it lies - read-only data, a file - or piece by piece from its page.

import MartletBytes
import MartletHTTP

extension Server where T: ~Copyable, R: ~Copyable {
  /// Makes a reply ready to be sent. The request is not there any more afterwards.
  ///
  /// - Parameter minorVersion: That of the request: HTTP/1.0 knows no chunks, so what comes in pieces
  ///   ends there with the connection.
  @inline(never)
  mutating func begin(
    _ connection: inout Connection, _ buffer: Int8, _ reply: Reply, sendsContent: Bool,
    closes: Bool, minorVersion: UInt8, _ memory: inout ServerMemory
  ) {
    memory.fields.setCount(reply.fieldsCount)
    // Octets after a head that announces none would be taken for the next response.
    let hasContent = sendsContent && reply.status.allowsContent
    var head = ResponseHead(
      status: reply.status, contentLength: reply.contentCount, closes: closes)
    var flow = Flow.none
    var end = Limits.responseHeadSizeMax
    switch reply.kind {
    case .written, .later, .content:
      if hasContent { end += reply.contentCount }
    case .data(let data):
      head.contentLength = Int64(data.utf8CodeUnitCount)
      if hasContent { flow = .data(data, sentCount: 0) }
    case .file(let file, let count):
      head.contentLength = count
      // Nothing follows the head of an empty file, and it is not to wait for what does.
      if hasContent, count > 0 {
        flow = .file(file, offset: 0, end: count)
      } else {
        transport.close(file)
      }
    case .pieces(let cursor):
      guard R.answersInPieces else { stop("a responder that answers in pieces says so") }
      head.framing = minorVersion > 0 ? .chunked : .untilClose
      if minorVersion == 0 { head.closes = true }
      if hasContent {
        flow = .pieces(cursor, isChunked: minorVersion > 0)
      } else {
        responder.abandon(cursor)
      }
    }
    date.set(moment.unixSeconds)
    Self.write(head, date, fields: memory.fields, to: &memory.receive)
    let start = Self.place(memory.receive, in: &memory.responses, buffer)
    connection.flow = flow
    connection.phase = .sending
    connection.hasAnswered = true
    connection.responseBuffer = buffer
    connection.unsentStart = UInt16(start)
    connection.unsentEnd = UInt16(end)
    connection.closesAfterResponse = head.closes
    connection.deadline =
      moment.monotonicMilliseconds + Limits.sendTimeoutMilliseconds
  }

  private static func write(
    _ head: ResponseHead, _ date: borrowing HTTPDate, fields: borrowing LentBuffer,
    to target: inout LentBuffer
  ) {
    var writer = Writer(target.storageSpan)
    writer.append(head, date: date, fieldLines: fields.span)
    let (count, overflowed) = (writer.count, writer.overflowed)
    invariant(!overflowed, "a response head fits its buffer")
    target.setCount(count)
  }

  private static func place(
    _ head: borrowing LentBuffer, in responses: inout ResponsePool, _ buffer: Int8
  ) -> Int {
    responses.place(head: head.span, buffer)
  }

  /// Sends what can be sent: of the buffer, then of what follows it.
  @inline(never)
  mutating func send(_ connection: inout Connection, _ memory: inout ServerMemory) {
    if connection.responseBuffer >= 0 {
      guard sendBuffer(&connection, &memory) else { return }
      // The next piece is written when the kernel has room for it, so that nobody who reads slowly
      // holds a buffer.
      if R.answersInPieces, case .pieces = connection.flow { return }
    }
    switch connection.flow {
    case .none, .piecesEnd, .content: finishResponse(&connection, &memory)
    case .data(let data, let sentCount): sendData(&connection, data, Int(sentCount), &memory)
    case .file(let file, let offset, let end):
      sendFile(&connection, file, offset..<end, &memory)
    case .pieces(let cursor, let isChunked):
      if R.answersInPieces { sendPiece(&connection, cursor, isChunked: isChunked, &memory) }
    }
  }

  /// Sends what the buffer holds, and with it the data that follow.
  ///
  /// - Returns: Whether all that the buffer held has been sent; it is free then.
  private mutating func sendBuffer(
    _ connection: inout Connection, _ memory: inout ServerMemory
  ) -> Bool {
    let unsent = Int(connection.unsentStart)..<Int(connection.unsentEnd)
    let transfer = send(unsent, connection, memory.responses)
    guard let count = sentCount(transfer, of: unsent.count, &connection, &memory)
    else { return false }
    guard count >= unsent.count else {
      Counter.sendsPartial.add()
      connection.unsentStart += UInt16(count)
      return false
    }
    if case .data(let data, _) = connection.flow {
      connection.flow = .data(data, sentCount: UInt32(count - unsent.count))
    }
    memory.responses.release(connection.responseBuffer)
    connection.responseBuffer = -1
    if R.answersInPieces { waitForPage(&connection) }
    return true
  }

  private mutating func send(
    _ unsent: Range<Int>, _ connection: Connection, _ responses: borrowing ResponsePool
  ) -> Transfer {
    let octets = responses.octets(connection.responseBuffer, unsent)
    let nothing = octets.extracting(0..<0)
    return switch connection.flow {
    case .data(let data, _):
      transport.send(connection.descriptor, octets, data.octets, continues: false)
    case .file: transport.send(connection.descriptor, octets, nothing, continues: true)
    case .none, .pieces, .piecesEnd, .content: transport.send(connection.descriptor, octets)
    }
  }

  /// What a send has come to: how many octets, or `nil` when there is nothing more to be done now.
  ///
  /// - Parameter wanted: How many were to be sent.
  private mutating func sentCount(
    _ transfer: Transfer, of wanted: Int, _ connection: inout Connection,
    _ memory: inout ServerMemory
  ) -> Int? {
    switch transfer {
    case .octets(let count):
      // Exact where the peer is slow, so that its deadline can tell whether it has taken anything.
      connection.unsentCount = UInt32(
        clamping: count < wanted
          ? UInt64(transport.unsentCount(connection.descriptor))
          // Wider than the Int of a 32-bit board: all of a long answer may be taken at once.
          : UInt64(connection.unsentCount) + UInt64(count))
      connection.deadline =
        moment.monotonicMilliseconds + Limits.sendTimeoutMilliseconds
      return count
    case .notNow: return nil
    case .end, .gone:
      close(&connection, &memory)
      return nil
    }
  }

  private mutating func sendData(
    _ connection: inout Connection, _ data: StaticString, _ sentCount: Int,
    _ memory: inout ServerMemory
  ) {
    var sent = sentCount
    if sent < data.utf8CodeUnitCount {
      let rest = data.octets.extracting(sent..<data.utf8CodeUnitCount)
      let transfer = transport.send(connection.descriptor, rest)
      guard let count = self.sentCount(transfer, of: rest.count, &connection, &memory)
      else { return }
      sent += count
      connection.flow = .data(data, sentCount: UInt32(sent))
    }
    if sent == data.utf8CodeUnitCount { finishResponse(&connection, &memory) }
  }

  private mutating func sendFile(
    _ connection: inout Connection, _ file: Int32, _ range: Range<Int64>,
    _ memory: inout ServerMemory
  ) {
    invariant(!range.isEmpty, "a file that has been sent is closed")
    let step = Int(min(range.upperBound - range.lowerBound, Int64(Limits.fileStepSizeMax)))
    let transfer = transport.sendFile(
      connection.descriptor, file: file, offset: range.lowerBound, count: step)
    // A file that has become shorter ends the connection: its length has been announced.
    guard let count = sentCount(transfer, of: step, &connection, &memory) else { return }
    let offset = range.lowerBound + Int64(count)
    connection.flow = .file(file, offset: offset, end: range.upperBound)
    if offset == range.upperBound {
      transport.close(file)
      connection.flow = .none
      finishResponse(&connection, &memory)
    }
  }

  /// Lets the page write the next piece, and sends it.
  private mutating func sendPiece(
    _ connection: inout Connection, _ cursor: Cursor, isChunked: Bool,
    _ memory: inout ServerMemory
  ) {
    guard let buffer = memory.responses.acquire() else { return }
    var cursor = cursor
    let piece = responder.produce(&cursor, content: Writer(memory.responses.piece(buffer)))
    connection.flow = .pieces(cursor, isChunked: isChunked)
    switch piece.next {
    case .more: break
    case .pause where stopDeadline != nil:
      memory.responses.release(buffer)
      return close(&connection, &memory)
    case .pause(let milliseconds):
      connection.pausedUntil = moment.monotonicMilliseconds + Int64(max(1, milliseconds))
      waitForPage(&connection)
    case .end: connection.flow = .piecesEnd
    case .failed:
      memory.responses.release(buffer)
      return close(&connection, &memory)
    }
    let range = memory.responses.frame(
      buffer, count: piece.count, isChunked: isChunked, isLast: piece.next == .end)
    guard !range.isEmpty else {
      memory.responses.release(buffer)
      if piece.next == .end { finishResponse(&connection, &memory) }
      return
    }
    connection.responseBuffer = buffer
    connection.unsentStart = UInt16(range.lowerBound)
    connection.unsentEnd = UInt16(range.upperBound)
    if sendBuffer(&connection, &memory), piece.next == .end { finishResponse(&connection, &memory) }
  }

  /// The page's silence is not the client's: the deadline is counted from the end of a pause. But a
  /// client that has perhaps gone is waited for no longer than others.
  private func waitForPage(_ connection: inout Connection) {
    guard !connection.isProbed else { return }
    connection.deadline = max(
      connection.deadline, connection.pausedUntil + Limits.sendTimeoutMilliseconds)
  }

  /// While its page pauses, the client has sent all that it will send. One that has only said so gets
  /// what comes in time; that one is gone shows when something is sent to it, or when nothing is.
  mutating func leave(_ connection: inout Connection) {
    connection.isProbed = true
    // So that the deadline sees only what is taken from now on.
    connection.unsentCount =
      UInt32(clamping: transport.unsentCount(connection.descriptor))
    connection.deadline = moment.monotonicMilliseconds + Limits.sendTimeoutMilliseconds
  }

  private mutating func finishResponse(
    _ connection: inout Connection, _ memory: inout ServerMemory
  ) {
    connection.flow = .none
    if connection.closesAfterResponse { return end(&connection, &memory) }
    if connection.takenCount > 0 {
      connection.phase = .next
      connection.deadline = moment.monotonicMilliseconds + Limits.sendTimeoutMilliseconds
      if !peerTakesResponses(&connection) { waitForReader(&connection) }
    } else {
      connection.phase = .idle
      connection.deadline = moment.monotonicMilliseconds + Limits.idleTimeoutMilliseconds
    }
  }
}
