// One connection moves on: octets arrive, a request becomes complete, its response is begun.

import CMartletPlatform
import MartletBytes
import MartletHTTP

extension Server where T: ~Copyable, R: ~Copyable {
  /// Does what `ready` allows.
  @inline(never)
  mutating func advance(
    _ connection: inout Connection, _ ready: Readiness, _ memory: inout ServerMemory
  ) {
    // Who reads finds that out by reading, after what has still arrived.
    if ready.contains(.broken), !connection.reads { return close(&connection, &memory) }
    switch connection.phase {
    case .free: return
    case .idle, .head, .content, .next, .unread, .queued:
      receive(&connection, peerIsDone: ready.contains(.peerDone), &memory)
    case .receiving:
      receivePiece(&connection, &memory)
    case .waiting, .working:
      if ready.contains(.peerDone) { probe(&connection, &memory) }
    case .sending where R.answersInPieces && connection.isPaused(at: moment):
      leave(&connection)
    case .sending: send(&connection, &memory)
    case .linger: drain(&connection, &memory)
    }
  }

  // MARK: Receiving

  mutating func receive(
    _ connection: inout Connection, peerIsDone: Bool, _ memory: inout ServerMemory
  ) {
    var peerIsDone = peerIsDone
    switch connection.phase {
    case .next, .unread, .queued, .waiting, .working: connection.examinedCount = 0
    default: break
    }
    switch read(&connection, &memory) {
    case .octets(let count):
      memory.receive.setCount(count)
    case .notNow:
      return
    case .end where connection.takenCount > 0:
      memory.receive.setCount(Int(connection.takenCount))
      peerIsDone = true
    case .end, .gone:
      // An unfinished request is never acted on.
      return close(&connection, &memory)
    }
    let examinedCount = Int(connection.examinedCount)
    // Nothing new: the rest will never come, or the kernel does not know how to wait for it.
    let isUnfinished = memory.receive.count <= examinedCount
    if isUnfinished, !peerIsDone {
      return connection.pausedUntil = moment.monotonicMilliseconds + 20
    }
    // Once the head has ended its end is not searched for again: it is among what has been examined.
    // What will not go on is parsed whole, so that it is refused as if it had come in one piece.
    let searchedCount = connection.phase == .head && !isUnfinished ? examinedCount : 0
    let progress = progress(memory.receive.span, examinedCount: searchedCount)
    keepUnlessWhole(progress, &connection, &memory)
    let wipedCount = progress.mayHoldForm(of: memory.receive.count) ? memory.receive.count : 0
    proceed(&connection, progress, isUnfinished: isUnfinished, &memory)
    // A form may hold a password, and the next request may be shorter.
    if wipedCount > 0 {
      memory.receive.wipe(wipedCount)
      martlet_wipe_stack()
    }
  }

  /// Does what a request wants that has come so far. It is in the receive buffer.
  private mutating func proceed(
    _ connection: inout Connection, _ progress: RequestProgress, isUnfinished: Bool,
    _ memory: inout ServerMemory
  ) {
    switch progress {
    // It has been whole: the kernel does not tell at this moment.
    case .head where connection.works, .content where connection.works: return
    case .head where isUnfinished, .content where isUnfinished:
      close(&connection, &memory)
    case .head:
      beginHead(&connection)
      waitForMore(&connection, wakeCount: memory.receive.count + 1, memory)
    case .content(let head, let wakeCount):
      beginHead(&connection)
      beginContent(&connection, head, &memory)
      guard connection.phase == .content else { return }
      waitForMore(&connection, wakeCount: wakeCount, memory)
    case .pieces(let head):
      answer(&connection, head, size: head.size, inPieces: true, &memory)
    case .complete(let head, let size):
      answer(&connection, head, size: size, inPieces: false, &memory)
    case .refused(let refusal):
      refuse(&connection, refusal, &memory)
    }
  }

  private func progress(_ octets: Span<UInt8>, examinedCount: Int) -> RequestProgress {
    let progress = RequestProgress.head(octets, examinedCount: examinedCount)
    guard case .pieces(let head) = progress else { return progress }
    if head.framing == .none { return .complete(head, size: head.size) }
    if R.takesPieces, responder.takesPieces(head, of: octets) { return progress }
    return RequestProgress.content(octets, head)
  }

  mutating func waitForMore(
    _ connection: inout Connection, wakeCount: Int, _ memory: borrowing ServerMemory
  ) {
    connection.examinedCount = UInt16(memory.receive.count)
    wake(&connection, atCount: max(1, wakeCount - Int(connection.takenCount)))
  }

  mutating func wake(_ connection: inout Connection, atCount count: Int) {
    guard connection.wakeCount != UInt16(count) else { return }
    connection.wakeCount = UInt16(count)
    transport.wake(connection.descriptor, atCount: count)
  }

  /// A request has begun and is not whole.
  private mutating func beginHead(_ connection: inout Connection) {
    guard connection.phase != .head, connection.phase != .content else { return }
    connection.phase = .head
    connection.deadline =
      moment.monotonicMilliseconds + Limits.headTimeoutMilliseconds
  }

  private mutating func beginContent(
    _ connection: inout Connection, _ head: RequestHead, _ memory: inout ServerMemory
  ) {
    guard connection.phase == .head else { return }
    connection.phase = .content
    connection.deadline =
      moment.monotonicMilliseconds + Limits.contentTimeoutMilliseconds
    if head.expectsContinue { sendContinue(&connection, &memory) }
  }

  /// RFC 9110 §10.1.1. A client that does not get it sends its content after a while anyway.
  mutating func sendContinue(_ connection: inout Connection, _ memory: inout ServerMemory) {
    guard !connection.continued else { return }
    connection.continued = true
    let interim = ResponseHead.interimContinue.octets
    switch transport.send(connection.descriptor, interim) {
    case .octets(interim.count), .notNow: return
    // A part of it, and then a response, would be read as neither.
    case .octets, .end, .gone: close(&connection, &memory)
    }
  }

  // MARK: Responding

  /// Lets the request be answered, if everything that needs is there.
  ///
  /// - Parameters:
  ///   - size: Octets of the request; those of its head when its content is taken in pieces.
  @inline(never)
  private mutating func answer(
    _ connection: inout Connection, _ head: RequestHead, size: Int, inPieces: Bool,
    _ memory: inout ServerMemory
  ) {
    guard peerTakesResponses(&connection) else { return waitForReader(&connection) }
    guard let buffer = memory.responses.acquire() else {
      if connection.phase != .queued { Counter.requestsQueued.add() }
      return wait(&connection, .queued, milliseconds: Limits.sendTimeoutMilliseconds)
    }
    let receivedCount = memory.receive.count
    let hasMore = receivedCount > size || inPieces
    let content = inPieces ? size..<size : content(head, size: size, &memory)
    let reply = respond(
      head, content: content, in: memory.receive, buffer, of: &memory.responses,
      fields: &memory.fields, connection)
    switch reply.kind {
    case .later:
      memory.responses.release(buffer)
      keep(&connection, &memory)
      connection.knowsInterim = head.minorVersion > 0
      return putOff(&connection, reply.turn, milliseconds: reply.pauseMilliseconds, &memory)
    case .content(let cursor, let countMax):
      guard R.takesPieces else { stop("a responder that takes pieces says so") }
      memory.responses.release(buffer)
      stopWorking(&connection)
      return beginPieces(
        &connection, head, isWhole: !inPieces, size: size, cursor, countMax: countMax, &memory)
    case .written, .data, .file, .pieces: break
    }
    connection.isPutOff = false
    connection.isProbed = false
    stopWorking(&connection)
    guard take(&connection, size, of: receivedCount, &memory) else {
      memory.responses.release(buffer)
      if case .file(let file, _) = reply.kind { transport.close(file) }
      if case .pieces(let cursor) = reply.kind { responder.abandon(cursor) }
      return close(&connection, &memory)
    }
    Counter.requestsAnswered.add()
    // Content that was not asked for still arrives: nobody knows where the next request begins.
    let closes = !head.keepsAlive || inPieces || stopDeadline != nil
    connection.lingers = hasMore
    begin(
      &connection, buffer, reply, sendsContent: head.method != .head, closes: closes,
      minorVersion: head.minorVersion, &memory)
    send(&connection, &memory)
  }

  /// Whether the kernel has sent so much of the earlier responses that there is room for another one.
  /// It is asked only now and then: most responses are short, and sent at once.
  mutating func peerTakesResponses(_ connection: inout Connection) -> Bool {
    guard connection.unsentCount > UInt32(Limits.unsentSizeMax) else { return true }
    let before = connection.unsentCount
    let count = transport.unsentCount(connection.descriptor)
    connection.unsentCount = UInt32(clamping: count)
    if connection.phase == .unread, connection.unsentCount < before {
      // It reads, if slowly.
      connection.deadline = moment.monotonicMilliseconds + Limits.sendTimeoutMilliseconds
    }
    return count <= Limits.unsentSizeMax
  }

  @inline(never)
  mutating func waitForReader(_ connection: inout Connection) {
    if connection.phase == .unread {
      // There was to be room, and there is not: this kernel counts in another way.
      connection.pausedUntil = moment.monotonicMilliseconds + Limits.unreadPauseMilliseconds
    } else {
      Counter.requestsUnread.add()
    }
    stopWorking(&connection)
    wait(&connection, .unread, milliseconds: Limits.sendTimeoutMilliseconds)
  }

  /// Leaves the whole request where it is, to be read again in a later turn.
  private mutating func wait(
    _ connection: inout Connection, _ phase: Connection.Phase, milliseconds: Int64
  ) {
    guard connection.phase != phase else { return }
    stopWorking(&connection)
    connection.phase = phase
    connection.deadline = moment.monotonicMilliseconds + milliseconds
  }

  /// Lends the request and the memory to answer in to the responder.
  private mutating func respond(
    _ head: RequestHead, content: Range<Int>, in receive: borrowing LentBuffer,
    _ buffer: Int8, of responses: inout ResponsePool, fields: inout LentBuffer,
    _ connection: Connection
  ) -> Reply {
    let request = IncomingRequest(
      octets: receive.span.extracting(0..<head.size), head: head,
      content: receive.span.extracting(content), moment: moment, connection: connection.number,
      peer: connection.peer)
    return responder.respond(
      to: request, content: Writer(responses.content(buffer)), fields: Writer(fields.storageSpan))
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

  /// Answers with an error page and ends the connection: after a refusal nobody knows where the next
  /// request begins.
  @inline(never)
  mutating func refuse(
    _ connection: inout Connection, _ refusal: Refusal, _ memory: inout ServerMemory
  ) {
    Counter.requestsRefused.add()
    refuse(&connection, refusal.status, refusal.reason, &memory)
  }

  /// - Parameter retryAfter: A field line.
  @inline(never)
  mutating func refuse(
    _ connection: inout Connection, _ status: Status, _ reason: Span<UInt8>,
    retryAfter: StaticString = "", _ memory: inout ServerMemory
  ) {
    abandonFlow(&connection)
    releaseStash(&connection, &memory)
    guard let buffer = memory.responses.acquire() else {
      return refuseWithoutBuffer(&connection, &memory)
    }
    var content = Writer(memory.responses.content(buffer))
    RefusalPage.write(status, reason, to: &content)
    let contentCount = content.count
    var fields = Writer(memory.fields.storageSpan)
    fields.append(R.fields)
    RefusalPage.writeFields(to: &fields)
    fields.append(retryAfter)
    let reply = Reply(status: status, contentCount: contentCount, fieldsCount: fields.count)
    connection.lingers = true
    begin(
      &connection, buffer, reply, sendsContent: true, closes: true, minorVersion: 1, &memory)
    send(&connection, &memory)
  }

  /// Too much is under way: says so and when to come again.
  mutating func refuseForNow(_ connection: inout Connection, _ memory: inout ServerMemory) {
    cancelWork(&connection)
    Counter.requestsTurnedAway.add()
    let reason: StaticString = "This device is busy. Try again in a few seconds."
    refuse(
      &connection, .serviceUnavailable, reason.octets, retryAfter: "Retry-After: 5\r\n", &memory)
  }

  /// All response buffers wait for slow readers: says so in one short send, if the kernel takes it.
  private mutating func refuseWithoutBuffer(
    _ connection: inout Connection, _ memory: inout ServerMemory
  ) {
    let response: StaticString = """
      HTTP/1.1 503 Service Unavailable\r
      Retry-After: 10\r
      Content-Length: 0\r
      Cache-Control: no-store\r
      X-Content-Type-Options: nosniff\r
      Connection: close\r
      \r

      """
    _ = transport.send(connection.descriptor, response.octets)
    connection.lingers = true
    end(&connection, &memory)
  }

  // MARK: Ending

  /// After the last response. Closing a socket with unread octets resets the connection, and the
  /// peer may lose the response (RFC 9112 §9.6): so where octets may still come they are read over.
  @inline(never)
  mutating func end(_ connection: inout Connection, _ memory: inout ServerMemory) {
    guard connection.lingers else { return close(&connection, &memory) }
    releaseStash(&connection, &memory)
    transport.finishSending(connection.descriptor)
    wake(&connection, atCount: 1)
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
