// A response goes out: its head and what is written of its content, then the rest from where it lies -
// read-only data, a file - or piece by piece from its page. All responses are written in one buffer; what
// the kernel does not take at once moves to a block of the connection's own.

import MartletBytes
import MartletHTTP

extension Server where T: ~Copyable, R: ~Copyable {
  /// Makes a reply ready to be sent: its octets are then the buffer's.
  @inline(never)
  mutating func begin(_ slot: Slot, _ reply: Reply, sendsContent: Bool) {
    // Octets after a head that announces none would be taken for the next response.
    let hasContent = sendsContent && reply.status.allowsContent
    var head = ResponseHead(
      status: reply.status, contentLength: reply.contentCount,
      closes: connections[slot].afterResponse != .keepAlive)
    var flow = Flow.none
    var (start, end) = (Limits.responseHeadSizeMax, Limits.responseHeadSizeMax)
    if reply.stopsServer {
      stopIsAsked = true
      head.closes = true
      if connections[slot].afterResponse == .keepAlive { connections[slot].afterResponse = .close }
    }
    switch reply.kind {
    case .written, .later, .upload:
      if hasContent { end += reply.contentCount }
    case .data(let data):
      head.contentLength = Int64(data.count)
      if hasContent { flow = .data(data, sentCount: 0) }
    case .file(let file):
      guard R.hasFiles else { stop("a responder with files says so") }
      connections[slot].diskAskCount = 0
      head.contentLength = file.count
      // Nothing follows the head of an empty file, and it is not to wait for what does.
      if hasContent, file.count > 0 {
        flow = .file(
          file.descriptor, list: file.list, offset: file.range.lowerBound, end: file.range.upperBound)
      } else {
        endFile(file.descriptor, file.list)
      }
    case .stream(let state):
      guard R.hasStreams else { stop("a responder with streams says so") }
      // HTTP/1.0 knows no chunks: there the content ends with the connection.
      let isChunked = connections[slot].minorVersion > 0
      head.framing = isChunked ? .chunked : .untilClose
      if !isChunked {
        head.closes = true
        if connections[slot].afterResponse == .keepAlive { connections[slot].afterResponse = .close }
      }
      if hasContent {
        flow = .stream(state, isChunked: isChunked)
        let first = response.frame(reply.contentCount, isChunked: isChunked, isLast: false)
        (start, end) = (first.lowerBound, first.upperBound)
      } else {
        responder.abandon(state)
      }
    }
    date.set(moment.unixSeconds)
    connections[slot].flow = flow
    connections[slot].hasAnswered = true
    enter(.sending, slot, milliseconds: Limits.sendTimeoutMilliseconds)
    connections[slot].unsentStart = UInt16(
      Self.write(head, date, fields, reply.fieldsCount, before: start, to: &response))
    connections[slot].unsentEnd = UInt16(end)
  }

  /// - Parameter start: Where the content begins.
  private static func write(
    _ head: ResponseHead, _ date: borrowing HTTPDate, _ fields: borrowing LentBuffer,
    _ fieldsCount: Int, before start: Int, to response: inout LentBuffer
  ) -> Int {
    var whole = response.storage
    var writer = Writer(whole._mutatingExtracting(0..<start))
    writer.append(head, date: date, fieldLines: fields.octets(0..<fieldsCount))
    let (count, overflowed) = (writer.count, writer.overflowed)
    invariant(!overflowed, "a response head fits its buffer")
    // The head ends where the content begins, without a gap.
    whole.move(0..<count, to: start - count)
    return start - count
  }

  /// Sends what can be sent: what has been written, then what follows it.
  @inline(never)
  mutating func send(_ slot: Slot) {
    if connections[slot].unsentStart < connections[slot].unsentEnd {
      guard sendWritten(slot) else { return }
      // The next piece is written when the kernel has room for it, so that no slow reader holds a block.
      if R.hasStreams, case .stream = connections[slot].flow { return }
    }
    switch connections[slot].flow {
    case .none, .streamEnd, .form, .upload: finishResponse(slot)
    case .data(let data, let sentCount): sendData(slot, data, Int(sentCount))
    case .file(let file, let list, let offset, let end):
      guard R.hasFiles else { return }
      if offset < end {
        sendFile(slot, file, list, offset..<end)
      } else {
        sendPart(slot, file, list)
      }
    case .stream(let state, let isChunked):
      if R.hasStreams { sendPiece(slot, state, isChunked: isChunked) }
    }
  }

  /// Sends what has been written, and with it the data that follow.
  ///
  /// - Returns: Whether all of it has been sent.
  private mutating func sendWritten(_ slot: Slot) -> Bool {
    let unsent = Int(connections[slot].unsentStart)..<Int(connections[slot].unsentEnd)
    let block = connections[slot].responseBlock
    let flow = connections[slot].flow
    let transfer =
      block < 0
      ? Self.send(&transport, slot.index, response, unsent, flow)
      : Self.send(&transport, slot.index, blocks, block, unsent, flow)
    guard let count = sentCount(slot, transfer, of: unsent.count) else {
      if connections[slot].phase != .free { keepResponse(slot) }
      return false
    }
    guard count >= unsent.count else {
      Counter.sendsPartial.add()
      connections[slot].unsentStart += UInt16(count)
      keepResponse(slot)
      return false
    }
    if case .data(let data, _) = connections[slot].flow {
      connections[slot].flow = .data(data, sentCount: UInt32(count - unsent.count))
    }
    releaseResponse(slot)
    if R.hasStreams { waitForPage(slot) }
    return true
  }

  private static func send(
    _ transport: inout T, _ slot: Int, _ response: borrowing LentBuffer, _ range: Range<Int>,
    _ flow: Flow
  ) -> Transfer {
    send(&transport, slot, response.octets(range), flow)
  }

  private static func send(
    _ transport: inout T, _ slot: Int, _ blocks: borrowing BlockPool, _ block: Block,
    _ range: Range<Int>, _ flow: Flow
  ) -> Transfer {
    send(&transport, slot, blocks.octets(block, range), flow)
  }

  private static func send(
    _ transport: inout T, _ slot: Int, _ octets: Span<UInt8>, _ flow: Flow
  ) -> Transfer {
    let nothing = octets.extracting(0..<0)
    switch flow {
    case .data(let data, _):
      let first = data.octets(from: 0)
      return transport.send(slot, octets, first, continues: first.count < data.count)
    case .file: return transport.send(slot, octets, nothing, continues: true)
    case .none, .stream, .streamEnd, .form, .upload:
      return transport.send(slot, octets, nothing, continues: false)
    }
  }

  /// Moves the rest of a response from the buffer to a block. Where none is free, the connection ends that
  /// has taken nothing of its response for longest: a reader with a window of some octets, because the
  /// kernel takes a whole response otherwise.
  @inline(never)
  private mutating func keepResponse(_ slot: Slot) {
    guard connections[slot].responseBlock < 0 else { return }
    // A stream that pauses may have set a later deadline.
    connections[slot].deadline = now + Limits.sendTimeoutMilliseconds
    let unsent = Int(connections[slot].unsentStart)..<Int(connections[slot].unsentEnd)
    var block = blocks.acquire(unsent.count, isResponse: true)
    if block == nil {
      closeSlowestReader()
      block = blocks.acquire(unsent.count, isResponse: true)
    }
    guard let block else {
      connections[slot].unsentEnd = connections[slot].unsentStart
      return close(slot)
    }
    blocks.fill(block, response, unsent)
    connections[slot].responseBlock = block
    connections[slot].unsentStart = 0
    connections[slot].unsentEnd = UInt16(unsent.count)
  }

  /// Gives back the block of a response that has been sent, or will not be.
  mutating func releaseResponse(_ slot: Slot) {
    let block = connections[slot].responseBlock
    if block >= 0 { blocks.release(block, Int(connections[slot].unsentEnd)) }
    connections[slot].responseBlock = BlockPool.none
    connections[slot].unsentStart = 0
    connections[slot].unsentEnd = 0
  }

  private mutating func closeSlowestReader() {
    var victim: (slot: Slot, deadline: Int64)?
    var slots = connections.slots
    while let slot = slots.next() {
      guard connections[slot].responseBlock >= 0 else { continue }
      _ = peerHasTakenSome(slot)
      let deadline = connections[slot].deadline
      if victim.map({ deadline < $0.deadline }) ?? true { victim = (slot, deadline) }
    }
    guard let victim else { return }
    Counter.connectionsEvicted.add()
    close(victim.slot)
  }

  /// What a send has come to: how many octets, or `nil` when there is nothing more to be done now.
  ///
  /// - Parameter wanted: How many were to be sent.
  private mutating func sentCount(_ slot: Slot, _ transfer: Transfer, of wanted: Int) -> Int? {
    switch transfer {
    case .octets(let count):
      // Exact where the peer is slow, so that its deadline can tell whether it has taken anything.
      connections[slot].unsentCount = UInt32(
        clamping: count < wanted
          ? UInt64(transport.unsentCount(slot.index))
          // Wider than the Int of a 32-bit board: all of a long answer may be taken at once.
          : UInt64(connections[slot].unsentCount) + UInt64(count))
      connections[slot].deadline = now + Limits.sendTimeoutMilliseconds
      return count
    case .notNow: return nil
    case .end, .gone:
      close(slot)
      return nil
    }
  }

  private mutating func sendData(_ slot: Slot, _ data: ConstantOctets, _ sentCount: Int) {
    var sent = sentCount
    if sent < data.count {
      let rest = data.octets(from: sent)
      let transfer = transport.send(
        slot.index, rest, rest.extracting(0..<0), continues: sent + rest.count < data.count)
      guard let count = self.sentCount(slot, transfer, of: rest.count) else { return }
      sent += count
      connections[slot].flow = .data(data, sentCount: UInt32(sent))
    }
    if sent == data.count { finishResponse(slot) }
  }

  /// Sends the next step of a file, where the disk has brought it.
  @inline(never)
  private mutating func sendFile(_ slot: Slot, _ file: Int32, _ list: Int8, _ range: Range<Int64>) {
    guard fileTurn.allows(slot.index) else { return }
    let begin = transport.microseconds()
    var step = Int(min(range.upperBound - range.lowerBound, Int64(Limits.fileStepSizeMax)))
    let askCount = connections[slot].diskAskCount
    // A file system that never says yes makes the loop wait for the disk, so that the file comes all the same.
    if askCount < Limits.diskAskCountMax {
      step = transport.countInMemory(
        file: file, offset: range.lowerBound, count: step,
        askCount > Limits.diskAskCountMax / 16
          ? .anew
          : connections[slot].pausedUntil > now - Limits.sendTimeoutMilliseconds ? .exactly : .briefly)
    }
    guard step > 0 else {
      connections[slot].diskAskCount += 1
      connections[slot].pausedUntil = now + Limits.filePauseMilliseconds
      return
    }
    connections[slot].diskAskCount = 0
    let transfer = transport.sendFile(slot.index, file: file, offset: range.lowerBound, count: step)
    fileTurn.add(microseconds: transport.microseconds() - begin)
    // A file that has become shorter ends the connection: its length has been announced.
    guard let count = sentCount(slot, transfer, of: step) else { return }
    let offset = range.lowerBound + Int64(count)
    connections[slot].flow = .file(file, list: list, offset: offset, end: range.upperBound)
    if offset == range.upperBound, list < 0 {
      endFile(file, list)
      connections[slot].flow = .none
      finishResponse(slot)
    }
  }

  /// Lets the responder write what stands before the next part of a file's content, and sends it.
  @inline(never)
  private mutating func sendPart(_ slot: Slot, _ file: Int32, _ list: Int8) {
    let part = Self.nextPart(&responder, list, in: &response)
    if let range = part.range {
      connections[slot].flow = .file(file, list: list, offset: range.lowerBound, end: range.upperBound)
    } else {
      endFile(file, list)
      connections[slot].flow = .none
    }
    let start = Limits.responseHeadSizeMax
    connections[slot].unsentStart = UInt16(start)
    connections[slot].unsentEnd = UInt16(start + part.count)
    if sendWritten(slot), part.range == nil { finishResponse(slot) }
  }

  private static func nextPart(
    _ responder: inout R, _ list: Int8, in response: inout LentBuffer
  ) -> FilePart {
    responder.nextPart(list, content: Writer(response.piece))
  }

  /// The content from a file has been sent, or will not be.
  mutating func endFile(_ file: Int32, _ list: Int8) {
    transport.close(descriptor: file)
    if list >= 0 { responder.endParts(list) }
  }

  /// Lets the page write the next piece, and sends it.
  private mutating func sendPiece(_ slot: Slot, _ state: StreamState, isChunked: Bool) {
    var state = state
    let piece = Self.produce(&responder, &state, in: &response)
    connections[slot].flow = .stream(state, isChunked: isChunked)
    switch piece.next {
    case .more: break
    case .pause where isStopping, .wait where isStopping: return close(slot)
    case .pause(let milliseconds): pause(slot, until: moment(after: max(1, milliseconds)))
    case .wait: pause(slot, until: .max)
    case .end: connections[slot].flow = .streamEnd
    case .failed: return close(slot)
    }
    let range = response.frame(piece.count, isChunked: isChunked, isLast: piece.next == .end)
    guard !range.isEmpty else {
      if piece.next == .end { finishResponse(slot) }
      return
    }
    connections[slot].unsentStart = UInt16(range.lowerBound)
    connections[slot].unsentEnd = UInt16(range.upperBound)
    if sendWritten(slot), piece.next == .end { finishResponse(slot) }
  }

  private static func produce(
    _ responder: inout R, _ state: inout StreamState, in response: inout LentBuffer
  ) -> Piece {
    responder.produce(&state, content: Writer(response.piece))
  }

  private mutating func pause(_ slot: Slot, until moment: Int64) {
    connections[slot].pausedUntil = moment
    waitForPage(slot)
  }

  /// Lets the streams write that the responder has woken. A stream whose peer is slow writes when the kernel
  /// has room, so that no slow peer holds a block. So does one that is woken by another stream here.
  mutating func wakeStreams() {
    let woken = responder.removeWoken()
    guard !woken.isEmpty else { return }
    var slots = connections.slots
    while let slot = slots.next() {
      guard wake(slot, woken) else { continue }
      send(slot)
      keep(slot)
    }
    let others = responder.removeWoken()
    guard !others.isEmpty else { return }
    slots = connections.slots
    while let slot = slots.next() { _ = wake(slot, others) }
  }

  /// Ends the pause of a stream whose page is in the set, and the stream of a login that has ended.
  ///
  /// - Returns: Whether the stream can write now.
  @inline(never)
  private mutating func wake(_ slot: Slot, _ woken: StreamSet) -> Bool {
    guard connections[slot].phase == .sending, case .stream(let state, let isChunked) = connections[slot].flow
    else { return false }
    if woken.ends(login: state.login) {
      endStream(slot, state, isChunked: isChunked)
      return false
    }
    guard woken.contains(state.page) else { return false }
    let isPaused = connections[slot].isPaused(at: moment)
    connections[slot].pausedUntil = 0
    if isPaused, !connections[slot].isProbed {
      connections[slot].deadline = now + Limits.sendTimeoutMilliseconds
    }
    return isPaused && peerTakesResponses(slot)
  }

  /// Ends a stream before its page does. Nothing that the page has written is sent any more, so a stream whose
  /// last piece has not been sent whole ends with its connection.
  private mutating func endStream(_ slot: Slot, _ state: StreamState, isChunked: Bool) {
    guard connections[slot].responseBlock < 0, !isStopping else { return close(slot) }
    responder.abandon(state)
    connections[slot].flow = .streamEnd
    connections[slot].pausedUntil = 0
    let range = response.frame(0, isChunked: isChunked, isLast: true)
    connections[slot].unsentStart = UInt16(range.lowerBound)
    connections[slot].unsentEnd = UInt16(range.upperBound)
    enter(.sending, slot, milliseconds: Limits.sendTimeoutMilliseconds)
    send(slot)
    keep(slot)
  }

  /// The page's silence is not the client's: the deadline is counted from the end of a pause. But a
  /// client that has perhaps gone is waited for no longer than others.
  private mutating func waitForPage(_ slot: Slot) {
    guard !connections[slot].isProbed else { return }
    let (end, isEndless) = connections[slot].pausedUntil
      .addingReportingOverflow(Limits.sendTimeoutMilliseconds)
    connections[slot].deadline = max(connections[slot].deadline, isEndless ? .max : end)
  }

  /// The peer has sent FIN while its page pauses. A peer that still reads gets what comes in time; that a
  /// peer has gone shows when something is sent to it, or when nothing is taken.
  mutating func leave(_ slot: Slot) {
    connections[slot].isProbed = true
    // So that the deadline sees only what is taken from now on.
    connections[slot].unsentCount = UInt32(clamping: transport.unsentCount(slot.index))
    connections[slot].deadline = now + Limits.sendTimeoutMilliseconds
  }

  private mutating func finishResponse(_ slot: Slot) {
    connections[slot].flow = .none
    if connections[slot].afterResponse != .keepAlive { return end(slot) }
    if connections[slot].held.isEmpty {
      enter(.reading, slot, milliseconds: Limits.idleTimeoutMilliseconds)
    } else {
      // The next request has come with this one. It is handled in the next turn.
      if peerTakesResponses(slot) {
        wait(for: .room, slot, milliseconds: Limits.sendTimeoutMilliseconds)
      } else {
        waitForReader(slot)
      }
    }
  }
}

extension LentBuffer {
  /// Where the content of a response goes.
  var content: MutableSpan<UInt8> {
    @_lifetime(&self) mutating get {
      storage._consumingExtracting(Limits.responseHeadSizeMax..<Limits.responseSizeMax)
    }
  }

  /// Where a piece of content goes: as above, with room for what ends a chunk.
  var piece: MutableSpan<UInt8> {
    @_lifetime(&self) mutating get {
      storage._consumingExtracting(
        Limits.responseHeadSizeMax..<Limits.responseSizeMax - Limits.chunkEndSize)
    }
  }

  /// Puts a chunk's framing (RFC 9112 section 7.1) around a piece of that many octets.
  ///
  /// - Parameter isLast: Whether the content ends here.
  /// - Returns: What there is to be sent; empty when there is nothing.
  mutating func frame(_ count: Int, isChunked: Bool, isLast: Bool) -> Range<Int> {
    var start = Limits.responseHeadSizeMax
    var end = start + count
    invariant(count >= 0 && end <= Limits.responseSizeMax - Limits.chunkEndSize, "a piece has room")
    guard isChunked else { return start..<end }
    var target = storage
    if count > 0 {
      start -= 2
      target.copy(("\r\n" as StaticString).octets, to: start)
      var rest = count
      repeat {
        start -= 1
        target[start] = ASCII.hexadecimal(UInt8(rest & 15))
        rest >>= 4
      } while rest > 0
      target.copy(("\r\n" as StaticString).octets, to: end)
      end += 2
    }
    if isLast {
      target.copy(("0\r\n\r\n" as StaticString).octets, to: end)
      end += 5
    }
    return start..<end
  }
}
