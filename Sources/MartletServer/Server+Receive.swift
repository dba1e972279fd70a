// Octets come: from recv() to a request that is whole. recv() writes to the receive buffer, which all
// connections share, and a request that is whole there - nearly all are - is handled there. Octets that
// cannot be handled at once move to a block of the connection's own (`keep`), and recv() then writes behind
// them. So octets are always in user memory, and read in one way.

import CMartletPlatform
import MartletBytes
import MartletHTTP

extension Server where T: ~Copyable, R: ~Copyable {
  /// Reads what has arrived, once, and does what that allows.
  mutating func receive(_ slot: Slot) {
    if T.encrypts, transport.opening(slot.index) != .open { return openFurther(slot) }
    if R.hasUploads { restoreKept(slot) }
    let room = room(slot)
    guard room > 0 else { return refuseForNow(slot) }
    if connections[slot].block < 0 { connections[slot].block = BlockPool.receive }
    let end = Int(connections[slot].end)
    switch read(slot, at: end, room) {
    case .notNow: return
    case .end: return endOfInput(slot)
    case .gone: return close(slot)
    case .octets(let count):
      connections[slot].end = UInt16(end + count)
      if end == 0, connections[slot].phase == .reading {
        enter(.reading, slot, milliseconds: Limits.headTimeoutMilliseconds)
      }
      if R.hasUploads, case .upload = connections[slot].flow { notePace(slot, count) }
      proceed(slot)
    }
  }

  /// The peer has sent FIN. A request that is not whole is never acted on; what cannot be a request is
  /// refused as if it had come in one piece.
  private mutating func endOfInput(_ slot: Slot) {
    if connections[slot].phase == .reading, !connections[slot].held.isEmpty {
      do throws(Refusal) {
        _ = try parseHead(slot)
      } catch {
        return refuse(slot, error)
      }
    }
    close(slot)
  }

  private mutating func read(_ slot: Slot, at end: Int, _ room: Int) -> Transfer {
    var whole = blocks.storage(connections[slot].block)
    var target = whole._mutatingExtracting(end..<end + room)
    return transport.receive(slot.index, into: &target)
  }

  /// Octets that may be read now; 0 where a large block would be needed, and none can be had. A request that
  /// begins is read as far as a small block holds it, so that no client has a large block for requests which
  /// it sends ahead.
  private mutating func room(_ slot: Slot) -> Int {
    let block = connections[slot].block
    if R.hasUploads, block <= BlockPool.receive, case .upload(let upload) = connections[slot].flow {
      let plainCount = upload.decoder.plainCount
      return plainCount > 0
        ? min(plainCount, Limits.receiveSizeMax) : Limits.smallBlockSize - Int(connections[slot].end)
    }
    guard block >= 0 else { return Limits.smallBlockSize }
    moveToFront(slot)
    let room = blocks.capacity(block) - Int(connections[slot].end)
    guard room == 0 else { return room }
    // A head or a form that is larger than a small block.
    guard let large = acquire(Limits.largeBlockSize, for: slot) else { return 0 }
    move(slot, to: large)
    return blocks.capacity(large) - Int(connections[slot].end)
  }

  /// A block for a connection's octets. Where all hold some, a request ends that is not whole: at once for
  /// a request that is whole, after a moment for one that is not.
  mutating func acquire(_ count: Int, for slot: Slot) -> Block? {
    if let block = blocks.acquire(count, isResponse: false) { return block }
    let isWhole = connections[slot].phase == .waiting
    endUnfinished(for: slot, count, age: isWhole ? 0 : Limits.evictionAgeMilliseconds)
    return blocks.acquire(count, isResponse: false)
  }

  /// Moves the octets that a connection holds to the beginning of its block.
  private mutating func moveToFront(_ slot: Slot) {
    let start = connections[slot].start
    guard start > 0 else { return }
    let held = connections[slot].held
    var whole = blocks.storage(connections[slot].block)
    whole.move(held, to: 0)
    connections[slot].start = 0
    connections[slot].scanned -= start
    connections[slot].end -= start
  }

  /// Moves the octets that a connection holds to another block.
  private mutating func move(_ slot: Slot, to block: Block) {
    let held = connections[slot].held
    let old = connections[slot].block
    blocks.copy(old, held, to: block)
    if old > 0 { blocks.release(old, held.upperBound) } else { blocks.wipe(old, held) }
    connections[slot].block = block
    connections[slot].scanned -= UInt16(held.lowerBound)
    connections[slot].start = 0
    connections[slot].end = UInt16(held.count)
  }

  /// Ends the turn of a connection: octets that it still holds move out of the receive buffer.
  mutating func keep(_ slot: Slot) {
    if R.hasUploads { keepUndecoded(slot) }
    let held = connections[slot].held
    guard connections[slot].block >= 0, held.isEmpty || connections[slot].block == BlockPool.receive
    else { return }
    if held.isEmpty { return dropHeld(slot) }
    guard let block = acquire(held.count, for: slot) else {
      guard connections[slot].phase == .sending else { return refuseForNow(slot) }
      // The next request has come with this one. It is not acted on; its client sees the end.
      connections[slot].afterResponse = .linger
      return dropHeld(slot)
    }
    Counter.requestsStashed.add()
    move(slot, to: block)
  }

  /// Forgets the octets that a connection holds.
  mutating func dropHeld(_ slot: Slot) {
    let block = connections[slot].block
    if block > 0 {
      blocks.release(block, Int(connections[slot].end))
    } else if block == BlockPool.receive, !connections[slot].held.isEmpty {
      blocks.wipe(block, connections[slot].held)
    }
    connections[slot].block = BlockPool.none
    connections[slot].start = 0
    connections[slot].scanned = 0
    connections[slot].end = 0
  }

  /// All blocks hold octets: a request that is not whole gets 408, or a client that has sent requests ahead
  /// and reads nothing is closed. Of the network with most connections, it is the client that has been waited
  /// for longest.
  ///
  /// - Parameters:
  ///   - count: Octets that the block shall hold.
  ///   - age: Milliseconds that the request has been unfinished, at least.
  @inline(never)
  private mutating func endUnfinished(for requester: Slot, _ count: Int, age ageMin: Int64) {
    Counter.requestsQueued.add()
    var victim: (slot: Slot, share: UInt16, since: Int64)?
    var slots = connections.slots
    while let slot = slots.next() {
      let since = connections[slot].waitsSince(now)
      guard slot != requester, capacityHeld(slot) >= count, since <= now - ageMin else { continue }
      switch connections[slot].phase {
      case .free, .sending, .lingering: continue
      case .waiting where !connections[slot].waits(for: .room) || peerHasTakenSome(slot): continue
      case .reading, .receivingBody, .waiting: break
      }
      let share = connections[slot].networkCount
      if victim.map({ share > $0.share || share == $0.share && since < $0.since }) ?? true {
        victim = (slot, share, since)
      }
    }
    guard let victim else { return }
    switch connections[victim.slot].phase {
    case .reading: refuse(victim.slot, .headTimeout)
    case .receivingBody: refuse(victim.slot, .contentTimeout)
    case .free, .waiting, .sending, .lingering: close(victim.slot)
    }
  }

  /// Octets of the largest block that a connection holds and not yet sends.
  private mutating func capacityHeld(_ slot: Slot) -> Int {
    let block = connections[slot].block
    let capacity = block > 0 ? blocks.capacity(block) : 0
    guard R.hasUploads, case .upload(let upload) = connections[slot].flow else { return capacity }
    return max(capacity, blocks.capacity(upload.block))
  }

  // MARK: A request becomes whole

  /// Looks at the octets that a connection holds, and does what they allow.
  @inline(never)
  mutating func proceed(_ slot: Slot) {
    switch connections[slot].flow {
    case .form(let decoder): proceed(slot, nil, decoder)
    case .upload(let upload): if R.hasUploads { receiveUpload(slot, upload) }
    case .none, .data, .file, .stream, .streamEnd: proceedWithHead(slot)
    }
  }

  private mutating func proceedWithHead(_ slot: Slot) {
    do throws(Refusal) {
      guard let head = try parseNewHead(slot) else {
        connections[slot].scanned = connections[slot].end
        // After a response the head of the next request has begun.
        if connections[slot].phase == .waiting {
          enter(.reading, slot, milliseconds: Limits.headTimeoutMilliseconds)
        }
        return
      }
      if T.encrypts, transport.channel(slot.index) == .redirected { return redirect(slot, head) }
      let headEnd = Int(connections[slot].start) + head.size
      let isUpload = isUpload(slot, head)
      if head.framing == .none || isUpload {
        return handle(slot, head, headEnd..<headEnd, isUpload: isUpload)
      }
      let decoder = try ContentDecoder(head.framing, countMax: Limits.requestContentSizeMax)
      connections[slot].scanned = UInt16(headEnd)
      proceed(slot, head, decoder)
    } catch {
      refuse(slot, error)
    }
  }

  /// Parses a head. While a head trickles in, only its end is searched for, and the head is parsed anew once
  /// a kibibyte: otherwise each octet would cost a parse of all before it.
  private mutating func parseNewHead(_ slot: Slot) throws(Refusal) -> RequestHead? {
    let held = connections[slot].held
    let octets = blocks.octets(connections[slot].block, held)
    let scannedCount =
      connections[slot].phase == .reading ? Int(connections[slot].scanned) - held.lowerBound : 0
    if scannedCount > 0, scannedCount / 1_024 == octets.count / 1_024,
      RequestHead.endOfHead(octets, from: scannedCount) == nil
    {
      return nil
    }
    return try RequestHead.parse(octets)
  }

  private mutating func isUpload(_ slot: Slot, _ head: RequestHead) -> Bool {
    guard R.hasUploads else { return false }
    return responder.isUpload(
      head, blocks.octets(connections[slot].block, connections[slot].held))
  }

  /// Decodes the content of a form, as far as it has come.
  ///
  /// - Parameter head: The head, where it has just been parsed.
  private mutating func proceed(_ slot: Slot, _ head: RequestHead?, _ decoder: ContentDecoder) {
    var decoder = decoder
    do throws(Refusal) {
      try decode(slot, &decoder)
      connections[slot].flow = .form(decoder)
      let start = Int(connections[slot].start)
      guard decoder.isComplete else {
        guard let head else { return }
        enter(.receivingBody, slot, milliseconds: Limits.contentTimeoutMilliseconds)
        if head.expectsContinue { sendContinue(slot) }
        return
      }
      // The head is parsed again where content has come after it, so that nobody has to keep it.
      guard let again = try head == nil ? parseHead(slot) : head else {
        stop("a head that was whole is whole")
      }
      handle(slot, again, start + again.size..<Int(connections[slot].scanned))
    } catch {
      refuse(slot, error)
    }
  }

  private mutating func parseHead(_ slot: Slot) throws(Refusal) -> RequestHead? {
    try RequestHead.parse(blocks.octets(connections[slot].block, connections[slot].held))
  }

  /// Decodes what has come of the content.
  mutating func decode(_ slot: Slot, _ decoder: inout ContentDecoder) throws(Refusal) {
    guard connections[slot].block >= 0 else { return }
    var end = Int(connections[slot].end)
    let scanned = Int(connections[slot].scanned)
    var octets = blocks.storage(connections[slot].block)
    let contentEnd = try decoder.decode(&octets, from: scanned, to: &end)
    connections[slot].scanned = UInt16(contentEnd)
    connections[slot].end = UInt16(end)
  }

  /// Consumes the octets of a request before `end`.
  mutating func consume(_ slot: Slot, before end: Int) {
    connections[slot].start = UInt16(end)
    connections[slot].scanned = UInt16(end)
    let held = connections[slot].held
    if held.isEmpty { return dropHeld(slot) }
    // The next request has come with a large one.
    if connections[slot].block > 0, blocks.capacity(connections[slot].block) > Limits.smallBlockSize,
      held.count <= Limits.smallBlockSize, let small = blocks.acquireSmall()
    {
      move(slot, to: small)
    }
  }

  /// RFC 9110 section 10.1.1. A client that does not get it sends its content after a while anyway.
  mutating func sendContinue(_ slot: Slot) {
    guard !connections[slot].hasContinued else { return }
    connections[slot].hasContinued = true
    sendInterim(slot)
  }

  /// Sends 100 Continue, an interim response (RFC 9110 section 15.2).
  mutating func sendInterim(_ slot: Slot) {
    let interim = ResponseHead.interimContinue.octets
    switch transport.send(slot.index, interim) {
    case .octets(interim.count), .notNow: return
    // A part of it, and then a response, would be read as neither.
    case .octets, .end, .gone: close(slot)
    }
  }
}
