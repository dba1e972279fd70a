// One connection moves on: octets arrive, a request becomes complete, its response is sent.

import MartletBytes
import MartletHTTP

extension Server where T: ~Copyable, R: ~Copyable {
  /// Does what `ready` allows.
  mutating func advance(_ slot: Int, _ ready: Readiness, _ memory: inout ServerMemory) {
    switch memory.connections[slot].phase {
    case .free: return
    case .idle, .head, .content, .queued, .working:
      receive(slot, peerIsDone: ready.contains(.peerDone), &memory)
    case .sending: send(slot, &memory)
    case .linger: drain(slot, &memory)
    }
  }

  // MARK: Receiving

  private mutating func receive(_ slot: Int, peerIsDone: Bool, _ memory: inout ServerMemory) {
    let descriptor = memory.connections[slot].descriptor
    var target = memory.receive.storageSpan
    switch transport.peek(descriptor, into: &target) {
    case .octets(let count):
      memory.receive.setCount(count)
    case .notNow:
      return
    case .end, .gone:
      // An unfinished request is never acted on.
      return close(slot, &memory)
    }
    switch memory.connections[slot].phase {
    case .queued, .working: memory.connections[slot].examinedCount = 0
    default: break
    }
    let examinedCount = Int(memory.connections[slot].examinedCount)
    guard memory.receive.count > examinedCount else {
      // Nothing new: the rest will never come, or the kernel does not know how to wait for it.
      if peerIsDone { return close(slot, &memory) }
      return memory.connections[slot].pausedUntil = moment.monotonicMilliseconds + 20
    }
    if memory.connections[slot].phase == .idle {
      memory.connections[slot].phase = .head
      memory.connections[slot].deadline =
        moment.monotonicMilliseconds + Limits.headTimeoutMilliseconds
    }
    // Once the head has ended its end is not searched for again: it is among what has been examined.
    let searchedCount = memory.connections[slot].phase == .head ? examinedCount : 0
    switch RequestProgress.of(memory.receive.span, examinedCount: searchedCount) {
    case .head:
      waitForMore(slot, wakeCount: memory.receive.count + 1, &memory)
    case .content(let head, let wakeCount):
      beginContent(slot, head, &memory)
      guard memory.connections[slot].phase == .content else { return }
      waitForMore(slot, wakeCount: wakeCount, &memory)
    case .complete(let head, let size):
      answer(slot, head, size: size, &memory)
    case .refused(let refusal):
      refuse(slot, refusal, &memory)
    }
  }

  private mutating func waitForMore(_ slot: Int, wakeCount: Int, _ memory: inout ServerMemory) {
    memory.connections[slot].examinedCount = UInt16(memory.receive.count)
    guard memory.connections[slot].wakeCount != UInt16(wakeCount) else { return }
    memory.connections[slot].wakeCount = UInt16(wakeCount)
    transport.wake(memory.connections[slot].descriptor, atCount: wakeCount)
  }

  private mutating func beginContent(
    _ slot: Int, _ head: RequestHead, _ memory: inout ServerMemory
  ) {
    guard memory.connections[slot].phase == .head else { return }
    memory.connections[slot].phase = .content
    memory.connections[slot].deadline =
      moment.monotonicMilliseconds + Limits.contentTimeoutMilliseconds
    // RFC 9110 §10.1.1. A client that does not get it sends its content after a while anyway.
    guard head.expectsContinue, !memory.connections[slot].continued else { return }
    memory.connections[slot].continued = true
    let interim = ResponseHead.interimContinue.octets
    switch transport.send(memory.connections[slot].descriptor, interim) {
    case .octets(interim.count), .notNow: return
    // A part of it, and then a response, would be read as neither.
    case .octets, .end, .gone: close(slot, &memory)
    }
  }

  // MARK: Responding

  private mutating func answer(
    _ slot: Int, _ head: RequestHead, size: Int, _ memory: inout ServerMemory
  ) {
    guard let buffer = memory.responses.acquire() else {
      return wait(slot, .queued, milliseconds: Limits.sendTimeoutMilliseconds, &memory)
    }
    let hasMore = memory.receive.count > size
    let content = content(head, size: size, &memory)
    let reply = respond(
      head, content: content, in: memory.receive, buffer, of: &memory.responses,
      fields: &memory.fields, connection: memory.connections[slot].number)
    guard !reply.isUnfinished else {
      memory.responses.release(buffer)
      return wait(slot, .working, milliseconds: Limits.workTimeoutMilliseconds, &memory)
    }
    guard take(slot, size, &memory) else {
      memory.responses.release(buffer)
      return close(slot, &memory)
    }
    let closes = !head.keepsAlive || stopDeadline != nil
    begin(slot, buffer, reply, sendsContent: head.method != .head, closes: closes, &memory)
    memory.connections[slot].lingers = hasMore
    send(slot, &memory)
  }

  /// Leaves the whole request with the kernel, to be read again in a later turn.
  private mutating func wait(
    _ slot: Int, _ phase: Connection.Phase, milliseconds: Int64, _ memory: inout ServerMemory
  ) {
    guard memory.connections[slot].phase != phase else { return }
    memory.connections[slot].phase = phase
    memory.connections[slot].deadline = moment.monotonicMilliseconds + milliseconds
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
  private mutating func take(_ slot: Int, _ size: Int, _ memory: inout ServerMemory) -> Bool {
    let descriptor = memory.connections[slot].descriptor
    var remaining = size
    while remaining > 0 {
      guard case .octets(let count) = transport.discard(descriptor, count: remaining) else {
        return false
      }
      remaining -= count
    }
    if memory.connections[slot].wakeCount > 1 { transport.wake(descriptor, atCount: 1) }
    memory.connections[slot].wakeCount = 1
    memory.connections[slot].examinedCount = 0
    memory.connections[slot].continued = false
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

  /// Makes a reply ready to be sent from its buffer.
  private mutating func begin(
    _ slot: Int, _ buffer: Int8, _ reply: Reply, sendsContent: Bool, closes: Bool,
    _ memory: inout ServerMemory
  ) {
    memory.fields.setCount(reply.fieldsCount)
    let head = ResponseHead(
      status: reply.status, date: moment.unixSeconds, contentLength: reply.contentCount,
      closes: closes)
    Self.write(head, fields: memory.fields, to: &memory.head)
    let start = Self.place(memory.head, in: &memory.responses, buffer)
    // Octets after a head that announces none would be taken for the next response.
    let hasContent = sendsContent && reply.status.allowsContent
    let end = Limits.responseHeadSizeMax + (hasContent ? reply.contentCount : 0)
    memory.connections[slot].phase = .sending
    memory.connections[slot].responseBuffer = buffer
    memory.connections[slot].unsentStart = UInt16(start)
    memory.connections[slot].unsentEnd = UInt16(end)
    memory.connections[slot].closesAfterResponse = closes
    memory.connections[slot].deadline =
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
  mutating func refuse(_ slot: Int, _ refusal: Refusal, _ memory: inout ServerMemory) {
    guard let buffer = memory.responses.acquire() else {
      return refuseWithoutBuffer(slot, &memory)
    }
    var content = Writer(memory.responses.content(buffer))
    RefusalPage.write(refusal.status, refusal.reason, to: &content)
    let contentCount = content.count
    var fields = Writer(memory.fields.storageSpan)
    RefusalPage.writeFields(to: &fields)
    let reply = Reply(
      status: refusal.status, contentCount: contentCount, fieldsCount: fields.count)
    begin(slot, buffer, reply, sendsContent: true, closes: true, &memory)
    memory.connections[slot].lingers = true
    send(slot, &memory)
  }

  /// All response buffers wait for slow readers: says so in one short send, if the kernel takes it.
  mutating func refuseWithoutBuffer(_ slot: Int, _ memory: inout ServerMemory) {
    let response: StaticString = """
      HTTP/1.1 503 Service Unavailable\r
      Retry-After: 10\r
      Content-Length: 0\r
      Connection: close\r
      \r

      """
    _ = transport.send(memory.connections[slot].descriptor, response.octets)
    memory.connections[slot].lingers = true
    end(slot, &memory)
  }

  // MARK: Sending

  private mutating func send(_ slot: Int, _ memory: inout ServerMemory) {
    let connection = memory.connections[slot]
    let unsent = Int(connection.unsentStart)..<Int(connection.unsentEnd)
    let transfer = transport.send(
      connection.descriptor, memory.responses.octets(connection.responseBuffer, unsent))
    switch transfer {
    case .octets(let count) where count == unsent.count:
      memory.responses.release(connection.responseBuffer)
      memory.connections[slot].responseBuffer = -1
      memory.connections[slot].phase = .idle
      finishResponse(slot, &memory)
    case .octets(let count):
      memory.connections[slot].unsentStart += UInt16(count)
      memory.connections[slot].deadline =
        moment.monotonicMilliseconds + Limits.sendTimeoutMilliseconds
    case .notNow:
      return
    case .end, .gone:
      close(slot, &memory)
    }
  }

  private mutating func finishResponse(_ slot: Int, _ memory: inout ServerMemory) {
    if memory.connections[slot].closesAfterResponse { return end(slot, &memory) }
    memory.connections[slot].deadline =
      moment.monotonicMilliseconds + Limits.idleTimeoutMilliseconds
  }

  // MARK: Ending

  /// After the last response. Closing a socket with unread octets resets the connection, and the
  /// peer may lose the response (RFC 9112 §9.6): so where octets may still come they are read over.
  private mutating func end(_ slot: Int, _ memory: inout ServerMemory) {
    guard memory.connections[slot].lingers else { return close(slot, &memory) }
    transport.finishSending(memory.connections[slot].descriptor)
    if memory.connections[slot].wakeCount > 1 {
      transport.wake(memory.connections[slot].descriptor, atCount: 1)
    }
    memory.connections[slot].phase = .linger
    memory.connections[slot].deadline =
      moment.monotonicMilliseconds + Limits.lingerTimeoutMilliseconds
  }

  private mutating func drain(_ slot: Int, _ memory: inout ServerMemory) {
    switch transport.discard(memory.connections[slot].descriptor, count: 65_536) {
    case .octets, .notNow: return
    case .end, .gone: close(slot, &memory)
    }
  }
}
