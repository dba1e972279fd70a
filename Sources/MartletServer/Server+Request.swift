// One connection moves on: octets arrive, a request becomes complete, its response is sent.

import MartletBytes
import MartletHTTP

extension Server where T: ~Copyable, R: ~Copyable {
  /// Does what `ready` allows.
  @inline(never)
  mutating func advance(
    _ connection: inout Connection, _ ready: Readiness, _ memory: inout ServerMemory
  ) {
    switch connection.phase {
    case .free: return
    case .idle, .head, .content, .queued, .working:
      receive(&connection, peerIsDone: ready.contains(.peerDone), &memory)
    case .sending: send(&connection, &memory)
    case .linger: drain(&connection, &memory)
    }
  }

  // MARK: Receiving

  private mutating func receive(
    _ connection: inout Connection, peerIsDone: Bool, _ memory: inout ServerMemory
  ) {
    var target = memory.receive.storageSpan
    switch transport.peek(connection.descriptor, into: &target) {
    case .octets(let count):
      memory.receive.setCount(count)
    case .notNow:
      return
    case .end, .gone:
      // An unfinished request is never acted on.
      return close(&connection, &memory)
    }
    switch connection.phase {
    case .queued, .working: connection.examinedCount = 0
    default: break
    }
    let examinedCount = Int(connection.examinedCount)
    // Nothing new: the rest will never come, or the kernel does not know how to wait for it.
    let isUnfinished = memory.receive.count <= examinedCount
    if isUnfinished, !peerIsDone {
      return connection.pausedUntil = moment.monotonicMilliseconds + 20
    }
    if connection.phase == .idle {
      connection.phase = .head
      connection.deadline =
        moment.monotonicMilliseconds + Limits.headTimeoutMilliseconds
    }
    // Once the head has ended its end is not searched for again: it is among what has been examined.
    // What will not go on is parsed whole, so that it is refused as if it had come in one piece.
    let searchedCount = connection.phase == .head && !isUnfinished ? examinedCount : 0
    switch RequestProgress.of(memory.receive.span, examinedCount: searchedCount) {
    case .head where isUnfinished, .content where isUnfinished:
      close(&connection, &memory)
    case .head:
      waitForMore(&connection, wakeCount: memory.receive.count + 1, &memory)
    case .content(let head, let wakeCount):
      beginContent(&connection, head, &memory)
      guard connection.phase == .content else { return }
      waitForMore(&connection, wakeCount: wakeCount, &memory)
    case .complete(let head, let size):
      answer(&connection, head, size: size, &memory)
    case .refused(let refusal):
      refuse(&connection, refusal, &memory)
    }
  }

  private mutating func waitForMore(
    _ connection: inout Connection, wakeCount: Int, _ memory: inout ServerMemory
  ) {
    connection.examinedCount = UInt16(memory.receive.count)
    guard connection.wakeCount != UInt16(wakeCount) else { return }
    connection.wakeCount = UInt16(wakeCount)
    transport.wake(connection.descriptor, atCount: wakeCount)
  }

  private mutating func beginContent(
    _ connection: inout Connection, _ head: RequestHead, _ memory: inout ServerMemory
  ) {
    guard connection.phase == .head else { return }
    connection.phase = .content
    connection.deadline =
      moment.monotonicMilliseconds + Limits.contentTimeoutMilliseconds
    // RFC 9110 §10.1.1. A client that does not get it sends its content after a while anyway.
    guard head.expectsContinue, !connection.continued else { return }
    connection.continued = true
    let interim = ResponseHead.interimContinue.octets
    switch transport.send(connection.descriptor, interim) {
    case .octets(interim.count), .notNow: return
    // A part of it, and then a response, would be read as neither.
    case .octets, .end, .gone: close(&connection, &memory)
    }
  }

  // MARK: Responding

  private mutating func answer(
    _ connection: inout Connection, _ head: RequestHead, size: Int, _ memory: inout ServerMemory
  ) {
    guard let buffer = memory.responses.acquire() else {
      return wait(&connection, .queued, milliseconds: Limits.sendTimeoutMilliseconds, &memory)
    }
    let hasMore = memory.receive.count > size
    let content = content(head, size: size, &memory)
    let reply = respond(
      head, content: content, in: memory.receive, buffer, of: &memory.responses,
      fields: &memory.fields, connection: connection.number)
    guard !reply.isUnfinished else {
      memory.responses.release(buffer)
      return wait(&connection, .working, milliseconds: Limits.workTimeoutMilliseconds, &memory)
    }
    guard take(&connection, size, &memory) else {
      memory.responses.release(buffer)
      return close(&connection, &memory)
    }
    let closes = !head.keepsAlive || stopDeadline != nil
    begin(&connection, buffer, reply, sendsContent: head.method != .head, closes: closes, &memory)
    connection.lingers = hasMore
    send(&connection, &memory)
  }

  /// Leaves the whole request with the kernel, to be read again in a later turn.
  private mutating func wait(
    _ connection: inout Connection, _ phase: Connection.Phase, milliseconds: Int64,
    _ memory: inout ServerMemory
  ) {
    guard connection.phase != phase else { return }
    connection.phase = phase
    connection.deadline = moment.monotonicMilliseconds + milliseconds
  }

  /// Lends the request and the memory to answer in to the responder.
  private mutating func respond(
    _ head: RequestHead, content: Range<Int>, in receive: borrowing LentBuffer,
    _ buffer: Int8, of responses: inout ResponsePool, fields: inout LentBuffer, connection: UInt32
  ) -> Reply {
    let request = IncomingRequest(
      octets: receive.span.extracting(0..<head.size), head: head,
      content: receive.span.extracting(content), moment: moment, connection: connection)
    return responder.respond(
      to: request, content: Writer(responses.content(buffer)), fields: Writer(fields.storageSpan))
  }

  /// Takes the request's octets out of the kernel; the copy in the receive buffer is answered.
  ///
  /// - Returns: Whether all of them were taken. One that stays would be read, and answered, again.
  private mutating func take(
    _ connection: inout Connection, _ size: Int, _ memory: inout ServerMemory
  ) -> Bool {
    let descriptor = connection.descriptor
    var remaining = size
    while remaining > 0 {
      guard case .octets(let count) = transport.discard(descriptor, count: remaining) else {
        return false
      }
      remaining -= count
    }
    if connection.wakeCount > 1 { transport.wake(descriptor, atCount: 1) }
    connection.wakeCount = 1
    connection.examinedCount = 0
    connection.continued = false
    return true
  }

  /// Where the content lies, after its chunks have been put together.
  private func content(
    _ head: RequestHead, size: Int, _ memory: inout ServerMemory
  ) -> Range<Int> {
    switch head.framing {
    case .none: return head.size..<head.size
    case .length(let count): return head.size..<head.size + count
    case .chunked:
      var all = memory.receive.storageSpan
      var chunks = all._mutatingExtracting(head.size..<size)
      return head.size..<head.size + ChunkedContent.compact(&chunks)
    }
  }

  /// Makes a reply ready to be sent from its buffer. The request is not there any more afterwards.
  private mutating func begin(
    _ connection: inout Connection, _ buffer: Int8, _ reply: Reply, sendsContent: Bool,
    closes: Bool, _ memory: inout ServerMemory
  ) {
    memory.fields.setCount(reply.fieldsCount)
    let head = ResponseHead(
      status: reply.status, date: moment.unixSeconds, contentLength: reply.contentCount,
      closes: closes)
    Self.write(head, fields: memory.fields, to: &memory.receive)
    let start = Self.place(memory.receive, in: &memory.responses, buffer)
    // Octets after a head that announces none would be taken for the next response.
    let hasContent = sendsContent && reply.status.allowsContent
    let end = Limits.responseHeadSizeMax + (hasContent ? reply.contentCount : 0)
    connection.phase = .sending
    connection.responseBuffer = buffer
    connection.unsentStart = UInt16(start)
    connection.unsentEnd = UInt16(end)
    connection.closesAfterResponse = closes
    connection.deadline =
      moment.monotonicMilliseconds + Limits.sendTimeoutMilliseconds
  }

  private static func write(
    _ head: ResponseHead, fields: borrowing LentBuffer, to target: inout LentBuffer
  ) {
    var writer = Writer(target.storageSpan)
    writer.append(head, fieldLines: fields.span)
    let (count, overflowed) = (writer.count, writer.overflowed)
    invariant(!overflowed, "a response head fits its buffer")
    target.setCount(count)
  }

  private static func place(
    _ head: borrowing LentBuffer, in responses: inout ResponsePool, _ buffer: Int8
  ) -> Int {
    responses.place(head: head.span, buffer)
  }

  /// Answers with an error page and ends the connection: after a refusal nobody knows where the next
  /// request begins.
  @inline(never)
  mutating func refuse(
    _ connection: inout Connection, _ refusal: Refusal, _ memory: inout ServerMemory
  ) {
    guard let buffer = memory.responses.acquire() else {
      return refuseWithoutBuffer(&connection, &memory)
    }
    var content = Writer(memory.responses.content(buffer))
    RefusalPage.write(refusal.status, refusal.reason, to: &content)
    let contentCount = content.count
    var fields = Writer(memory.fields.storageSpan)
    RefusalPage.writeFields(to: &fields)
    let reply = Reply(
      status: refusal.status, contentCount: contentCount, fieldsCount: fields.count)
    begin(&connection, buffer, reply, sendsContent: true, closes: true, &memory)
    connection.lingers = true
    send(&connection, &memory)
  }

  /// All response buffers wait for slow readers: says so in one short send, if the kernel takes it.
  mutating func refuseWithoutBuffer(_ connection: inout Connection, _ memory: inout ServerMemory) {
    let response: StaticString = """
      HTTP/1.1 503 Service Unavailable\r
      Retry-After: 10\r
      Content-Length: 0\r
      Connection: close\r
      \r

      """
    _ = transport.send(connection.descriptor, response.octets)
    connection.lingers = true
    end(&connection, &memory)
  }

  // MARK: Sending

  @inline(never)
  private mutating func send(_ connection: inout Connection, _ memory: inout ServerMemory) {
    let unsent = Int(connection.unsentStart)..<Int(connection.unsentEnd)
    let transfer = transport.send(
      connection.descriptor, memory.responses.octets(connection.responseBuffer, unsent))
    switch transfer {
    case .octets(let count) where count == unsent.count:
      memory.responses.release(connection.responseBuffer)
      connection.responseBuffer = -1
      connection.phase = .idle
      finishResponse(&connection, &memory)
    case .octets(let count):
      connection.unsentStart += UInt16(count)
      connection.deadline =
        moment.monotonicMilliseconds + Limits.sendTimeoutMilliseconds
    case .notNow:
      return
    case .end, .gone:
      close(&connection, &memory)
    }
  }

  private mutating func finishResponse(
    _ connection: inout Connection, _ memory: inout ServerMemory
  ) {
    if connection.closesAfterResponse { return end(&connection, &memory) }
    connection.deadline =
      moment.monotonicMilliseconds + Limits.idleTimeoutMilliseconds
  }

  // MARK: Ending

  /// After the last response. Closing a socket with unread octets resets the connection, and the
  /// peer may lose the response (RFC 9112 §9.6): so where octets may still come they are read over.
  @inline(never)
  private mutating func end(_ connection: inout Connection, _ memory: inout ServerMemory) {
    guard connection.lingers else { return close(&connection, &memory) }
    transport.finishSending(connection.descriptor)
    if connection.wakeCount > 1 {
      transport.wake(connection.descriptor, atCount: 1)
    }
    connection.phase = .linger
    connection.deadline =
      moment.monotonicMilliseconds + Limits.lingerTimeoutMilliseconds
  }

  private mutating func drain(_ connection: inout Connection, _ memory: inout ServerMemory) {
    switch transport.discard(connection.descriptor, count: 65_536) {
    case .octets, .notNow: return
    case .end, .gone: close(&connection, &memory)
    }
  }
}
