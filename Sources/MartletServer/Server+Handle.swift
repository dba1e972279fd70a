// A request that is whole is handled: its page writes the response, or says that it needs more turns, or
// that it wants the content piece by piece.

import CMartletPlatform
import MartletBytes
import MartletHTTP

extension Server where T: ~Copyable, R: ~Copyable {
  /// Lets the request be answered, if the kernel has room for the response.
  ///
  /// - Parameters:
  ///   - content: Where the content lies in the connection's block; the request ends with it.
  ///   - isUpload: Whether the content, if there is any, follows piece by piece.
  @inline(never)
  mutating func handle(
    _ slot: Slot, _ head: RequestHead, _ content: Range<Int>, isUpload: Bool = false
  ) {
    guard peerTakesResponses(slot) else { return waitForReader(slot) }
    // Taken before the page is asked, so that a page that begins an upload can rely on it.
    guard let uploadBlock = acquireUploadBlock(slot, head, isUpload: isUpload) else {
      return refuseForNow(slot)
    }
    let start = Int(connections[slot].start)
    let reply = respond(slot, head, start..<start + head.size, content)
    connections[slot].minorVersion = head.minorVersion
    if R.hasUploads, uploadBlock >= 0 {
      if case .upload(let countMax) = reply.kind {
        return beginUpload(slot, head, uploadBlock, countMax: countMax)
      }
      if uploadBlock != connections[slot].block { blocks.release(uploadBlock, 0) }
    }
    if case .later = reply.kind {
      guard R.hasWork else { stop("a responder with work says so") }
      martlet_wipe_stack()
      return putOff(slot, reply.turn, milliseconds: reply.pauseMilliseconds)
    }
    let contentFollows = R.hasUploads && isUpload && head.framing != .none
    let hasMore = Int(connections[slot].end) > content.upperBound || contentFollows
    if head.framing != .none {
      // A form may hold a password, and the next request may be shorter.
      blocks.wipe(connections[slot].block, start..<content.upperBound)
      martlet_wipe_stack()
    }
    endRequest(slot, before: content.upperBound)
    connections[slot].hasContinued = false
    Counter.requestsAnswered.add()
    // Content that its page does not want still arrives: where the next request begins is not known.
    let closes = !head.keepsAlive || contentFollows || isStopping
    connections[slot].afterResponse = closes ? hasMore ? .linger : .close : .keepAlive
    begin(slot, reply, sendsContent: head.method != .head)
    send(slot)
  }

  /// Consumes the octets of a request that is answered, or whose upload begins.
  mutating func endRequest(_ slot: Slot, before end: Int) {
    consume(slot, before: end)
    connections[slot].flow = .none
    connections[slot].isProbed = false
    connections[slot].hasWork = false
  }

  private mutating func respond(
    _ slot: Slot, _ head: RequestHead, _ octets: Range<Int>, _ content: Range<Int>
  ) -> Reply {
    noteChannel(slot)
    return Self.respond(
      &responder, head, connections[slot].block, connections[slot].number, connections[slot].peer, octets,
      content, in: blocks, moment, &response, &fields)
  }

  /// Lends the request and the memory for its response to the responder.
  private static func respond(
    _ responder: inout R, _ head: RequestHead, _ block: Block, _ number: UInt64, _ peer: IPAddress,
    _ octets: Range<Int>, _ content: Range<Int>, in blocks: borrowing BlockPool, _ moment: Moment,
    _ response: inout LentBuffer, _ fields: inout LentBuffer
  ) -> Reply {
    let request = IncomingRequest(
      octets: blocks.octets(block, octets), head: head, content: blocks.octets(block, content),
      moment: moment, connection: number, peer: peer)
    return responder.respond(
      to: request, content: Writer(response.content), fields: Writer(fields.storage))
  }

  // MARK: The kernel's send buffer

  /// Whether the kernel has sent so much of the earlier responses that there is room for the next one. So
  /// readers that do not read hold no block as a rule. The kernel is asked only now and then: most
  /// responses are short, and sent at once.
  mutating func peerTakesResponses(_ slot: Slot) -> Bool {
    guard connections[slot].unsentCount > UInt32(Limits.unsentSizeMax) else { return true }
    let before = connections[slot].unsentCount
    let count = transport.unsentCount(slot.index)
    connections[slot].unsentCount = UInt32(clamping: count)
    if connections[slot].waits(for: .room), connections[slot].unsentCount < before {
      // It reads, if slowly.
      connections[slot].deadline = now + Limits.sendTimeoutMilliseconds
    }
    return count <= Limits.unsentSizeMax
  }

  /// Lets a whole request wait until the kernel's send buffer has room for its response.
  @inline(never)
  mutating func waitForReader(_ slot: Slot) {
    if connections[slot].waits(for: .room) {
      // poll() has said that there is room, and the count says that there is none.
      connections[slot].pausedUntil = now + Limits.unreadPauseMilliseconds
    } else {
      Counter.requestsUnread.add()
      wait(for: .room, slot, milliseconds: Limits.sendTimeoutMilliseconds)
    }
  }

  /// Whether the peer has taken something since the kernel was asked last: poll() says that there is room
  /// only when there is much of it, so a slow reader may not have been noticed.
  mutating func peerHasTakenSome(_ slot: Slot) -> Bool {
    let before = connections[slot].unsentCount
    connections[slot].unsentCount = UInt32(clamping: transport.unsentCount(slot.index))
    guard connections[slot].unsentCount < before else { return false }
    connections[slot].deadline = now + Limits.sendTimeoutMilliseconds
    return true
  }

  // MARK: Refusals

  /// Answers with an error page and ends the connection: after a refusal it is not known where the next
  /// request begins.
  @inline(never)
  mutating func refuse(_ slot: Slot, _ refusal: Refusal) {
    Counter.requestsRefused.add()
    refuse(slot, refusal.status, refusal.reason)
  }

  /// - Parameter retryAfter: A field line.
  @inline(never)
  mutating func refuse(
    _ slot: Slot, _ status: Status, _ reason: Span<UInt8>, retryAfter: StaticString = ""
  ) {
    let reply = writeRefusal(slot, status, reason, retryAfter)
    abandonFlow(slot)
    dropHeld(slot)
    connections[slot].afterResponse = .linger
    connections[slot].minorVersion = 1
    begin(slot, reply, sendsContent: true)
    send(slot)
  }

  /// Writes the page of a refusal. The request of an upload is known, so the responder writes that page.
  private mutating func writeRefusal(
    _ slot: Slot, _ status: Status, _ reason: Span<UInt8>, _ retryAfter: StaticString
  ) -> Reply {
    if R.hasUploads, case .upload(let upload) = connections[slot].flow {
      return writeRefusal(of: upload, slot, status, reason, retryAfter)
    }
    let content = writePage(status, reason)
    return Reply(status: status, contentCount: content, fieldsCount: writeRefusalFields(retryAfter))
  }

  /// Writes the content of a refusal.
  ///
  /// - Returns: Octets of it.
  mutating func writePage(_ status: Status, _ reason: Span<UInt8>) -> Int {
    var writer = Writer(response.content)
    RefusalPage.write(status, reason, to: &writer)
    return writer.count
  }

  private mutating func writeRefusalFields(_ retryAfter: StaticString) -> Int {
    var writer = Writer(fields.storage)
    writer.append(R.fields)
    RefusalPage.writeFields(to: &writer)
    writer.append(retryAfter)
    return writer.count
  }

  /// Answers that too much is under way, and when to come again.
  mutating func refuseForNow(_ slot: Slot) {
    cancelWork(slot)
    Counter.requestsTurnedAway.add()
    let reason: StaticString = "This device is busy. Try again in a few seconds."
    refuse(slot, .serviceUnavailable, reason.octets, retryAfter: "Retry-After: 5\r\n")
  }

  // MARK: The end

  /// Ends the connection after its last response. close() with unread octets makes the kernel send RST, and
  /// the peer may lose the response (RFC 9112 section 9.6): so where octets may still come, they are read
  /// and dropped until FIN.
  @inline(never)
  mutating func end(_ slot: Slot) {
    guard connections[slot].afterResponse == .linger else { return close(slot) }
    dropHeld(slot)
    transport.finishSending(slot.index)
    enter(.lingering, slot, milliseconds: Limits.lingerTimeoutMilliseconds)
  }

  mutating func drain(_ slot: Slot) {
    var target = blocks.storage(BlockPool.receive)
    switch transport.receive(slot.index, into: &target) {
    case .octets, .notNow: return
    case .end, .gone: close(slot)
    }
  }

  /// What goes through the connection in pieces is over before its end.
  mutating func abandonFlow(_ slot: Slot) {
    switch connections[slot].flow {
    case .none, .data, .streamEnd, .form: break
    case .file(let file, let list, _, _): if R.hasFiles { endFile(file, list) }
    case .stream(let state, _): if R.hasStreams { responder.abandon(state) }
    case .upload(let upload): if R.hasUploads { abandon(slot, upload) }
    }
    connections[slot].flow = .none
  }
}
