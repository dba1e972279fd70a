// An upload: content that is received piece by piece. While the upload lasts, its connection keeps one block
// of the pool. So every call of the responder sees the request and the upload's own state:
//
//     state | head, parsed | head | octets kept
//
// Content is read into the shared receive buffer, as all octets are, and handed to the responder there.
// Octets kept are those that have been received and not decoded: a part of a chunk's line or of the trailer
// section. They move to the block at the end of a turn, and back before the next recv().

import CMartletPlatform
import MartletBytes
import MartletHTTP

extension Server where T: ~Copyable, R: ~Copyable {
  // MARK: The block

  /// A block for a request that is an upload, before its page is asked. The block where the head lies is used
  /// if that block is large enough, so that a long head does not need two large blocks.
  ///
  /// - Returns: `BlockPool.none` for other requests; `nil` where no block can be had.
  mutating func acquireUploadBlock(_ slot: Slot, _ head: RequestHead, isUpload: Bool) -> Block? {
    guard R.hasUploads, isUpload else { return BlockPool.none }
    let keptMax = head.framing == .chunked ? Limits.chunkFramingSizeMax : 0
    let count = UploadView.octetsStart(R.uploadStateSize) + head.size + keptMax
    let block = connections[slot].block
    return block > 0 && blocks.capacity(block) >= count ? block : acquire(count, for: slot)
  }

  /// Where in the block octets are kept, and how many at most.
  private mutating func keptPlace(_ upload: Upload) -> Range<Int> {
    UploadView.octetsStart(R.uploadStateSize) + Int(upload.headSize)..<blocks.capacity(upload.block)
  }

  /// Moves octets that are not decoded to the block of their upload.
  mutating func keepUndecoded(_ slot: Slot) {
    let held = connections[slot].held
    guard case .upload(var upload) = connections[slot].flow, !upload.decoder.isComplete, !held.isEmpty
    else { return }
    let place = keptPlace(upload)
    // Framing that is not complete always fits. What follows the content does not stay here.
    guard held.count <= place.count else { return }
    blocks.copy(connections[slot].block, held, to: upload.block, at: place.lowerBound)
    upload.keptCount = UInt16(held.count)
    connections[slot].flow = .upload(upload)
    dropHeld(slot)
  }

  /// Moves the octets that were not decoded before to the receive buffer, where recv() adds to them.
  mutating func restoreKept(_ slot: Slot) {
    guard case .upload(var upload) = connections[slot].flow, upload.keptCount > 0 else { return }
    let start = keptPlace(upload).lowerBound
    let kept = start..<start + Int(upload.keptCount)
    blocks.copy(upload.block, kept, to: BlockPool.receive)
    blocks.wipe(upload.block, kept)
    connections[slot].block = BlockPool.receive
    connections[slot].end = upload.keptCount
    upload.keptCount = 0
    connections[slot].flow = .upload(upload)
  }

  /// Gives back the block of an upload.
  private mutating func release(_ upload: Upload) {
    blocks.release(upload.block, keptPlace(upload).lowerBound + Int(upload.keptCount))
  }

  // MARK: The journey

  /// The page wants the content. Its head moves to the block of the upload.
  mutating func beginUpload(_ slot: Slot, _ head: RequestHead, _ block: Block, countMax: Int) {
    moveHead(slot, size: head.size, to: block)
    blocks.store(head, in: block, stateSize: R.uploadStateSize)
    var upload = Upload(block: block, headSize: UInt16(head.size))
    connections[slot].flow = .upload(upload)
    Self.begin(&responder, &blocks, connections[slot], upload, moment)
    do throws(Refusal) {
      upload.decoder = try ContentDecoder(head.framing, countMax: countMax)
    } catch {
      return refuse(slot, error)
    }
    connections[slot].flow = .upload(upload)
    connections[slot].afterResponse = head.keepsAlive ? .keepAlive : .close
    connections[slot].slack = Limits.uploadSlackMilliseconds
    enter(.receivingBody, slot, milliseconds: patience(slot))
    if head.expectsContinue, !upload.decoder.isComplete { sendContinue(slot) }
    if connections[slot].phase == .receivingBody { receiveUpload(slot, upload) }
    keep(slot)
  }

  /// Moves the head of an upload to the upload's block. Where that is the block in which the head lies, octets
  /// behind the head move to the receive buffer, which no connection uses then.
  private mutating func moveHead(_ slot: Slot, size: Int, to target: Block) {
    let block = connections[slot].block
    let start = Int(connections[slot].start)
    let head = start..<start + size
    let place = UploadView.octetsStart(R.uploadStateSize)
    guard block == target else {
      blocks.copy(block, head, to: target, at: place)
      blocks.wipe(block, head)
      return endRequest(slot, before: head.upperBound)
    }
    let rest = head.upperBound..<Int(connections[slot].end)
    blocks.copy(block, rest, to: BlockPool.receive)
    var octets = blocks.storage(block)
    octets.move(head, to: place)
    if place + size < rest.upperBound { blocks.wipe(block, place + size..<rest.upperBound) }
    connections[slot].block = rest.isEmpty ? BlockPool.none : BlockPool.receive
    connections[slot].start = 0
    connections[slot].end = UInt16(rest.count)
    endRequest(slot, before: 0)
  }

  private static func begin(
    _ responder: inout R, _ blocks: inout BlockPool, _ connection: Connection, _ upload: Upload,
    _ moment: Moment
  ) {
    var view = blocks.view(upload, connection, R.uploadStateSize, moment, content: 0..<0)
    responder.beginUpload(&view.state)
  }

  /// Hands the content that has come to its page.
  mutating func receiveUpload(_ slot: Slot, _ upload: Upload) {
    var upload = upload
    do throws(Refusal) {
      try decode(slot, &upload.decoder)
    } catch {
      return refuse(slot, error)
    }
    connections[slot].flow = .upload(upload)
    let content = Int(connections[slot].start)..<Int(connections[slot].scanned)
    if !content.isEmpty {
      noteChannel(slot)
      if case .refuse(let status, let reason) = Self.receive(
        &responder, &blocks, connections[slot], upload, moment, content)
      {
        return refuse(slot, status, reason.octets)
      }
      if connections[slot].block == BlockPool.receive { blocks.wipe(BlockPool.receive, content) }
      consume(slot, before: content.upperBound)
    }
    if upload.decoder.isComplete { finishUpload(slot, upload) }
  }

  private static func receive(
    _ responder: inout R, _ blocks: inout BlockPool, _ connection: Connection, _ upload: Upload,
    _ moment: Moment, _ content: Range<Int>
  ) -> UploadStep {
    var view = blocks.view(upload, connection, R.uploadStateSize, moment, content: content)
    return responder.receive(view.content, of: view.request, &view.state)
  }

  /// Lets the page answer after the last piece of its content.
  private mutating func finishUpload(_ slot: Slot, _ upload: Upload) {
    guard peerTakesResponses(slot) else { return waitForReader(slot) }
    noteChannel(slot)
    let (reply, isHead) = Self.finish(
      &responder, &blocks, connections[slot], upload, moment, &response, &fields)
    switch reply.kind {
    case .upload: stop("a page that has received all of its content answers")
    case .later:
      // The upload keeps its block: the page is asked again, or the upload is abandoned.
      guard R.hasWork else { stop("a responder with work says so") }
      martlet_wipe_stack()
      return putOff(slot, reply.turn, milliseconds: reply.pauseMilliseconds)
    case .written, .data, .file, .stream: break
    }
    Counter.requestsAnswered.add()
    release(upload)
    connections[slot].flow = .none
    connections[slot].hasContinued = false
    connections[slot].isProbed = false
    connections[slot].hasWork = false
    if isStopping { connections[slot].afterResponse = .close }
    begin(slot, reply, sendsContent: !isHead)
    send(slot)
  }

  private static func finish(
    _ responder: inout R, _ blocks: inout BlockPool, _ connection: Connection, _ upload: Upload,
    _ moment: Moment, _ response: inout LentBuffer, _ fields: inout LentBuffer
  ) -> (Reply, isHead: Bool) {
    var view = blocks.view(upload, connection, R.uploadStateSize, moment, content: 0..<0)
    let reply = responder.finish(
      view.request, &view.state, content: Writer(response.content), fields: Writer(fields.storage))
    return (reply, view.request.head.method == .head)
  }

  /// Lets the responder write the page of an upload that is refused.
  mutating func writeRefusal(
    of upload: Upload, _ slot: Slot, _ status: Status, _ reason: Span<UInt8>, _ retryAfter: StaticString
  ) -> Reply {
    noteChannel(slot)
    var reply = Self.refuse(
      &responder, &blocks, connections[slot], upload, moment, status, reason, &response, &fields)
    if case .written = reply.kind {} else { stop("a refusal is written") }
    var rest = fields.storage
    var writer = Writer(rest._mutatingExtracting(reply.fieldsCount..<rest.count))
    writer.append(retryAfter)
    reply.fieldsCount += writer.count
    return reply
  }

  private static func refuse(
    _ responder: inout R, _ blocks: inout BlockPool, _ connection: Connection, _ upload: Upload,
    _ moment: Moment, _ status: Status, _ reason: Span<UInt8>, _ response: inout LentBuffer,
    _ fields: inout LentBuffer
  ) -> Reply {
    var view = blocks.view(upload, connection, R.uploadStateSize, moment, content: 0..<0)
    return responder.refuse(
      view.request, &view.state, status, reason, content: Writer(response.content),
      fields: Writer(fields.storage))
  }

  /// The upload is over before its content is complete.
  mutating func abandon(_ slot: Slot, _ upload: Upload) {
    Self.abandon(&responder, &blocks, connections[slot], upload, moment)
    release(upload)
  }

  private static func abandon(
    _ responder: inout R, _ blocks: inout BlockPool, _ connection: Connection, _ upload: Upload,
    _ moment: Moment
  ) {
    var view = blocks.view(upload, connection, R.uploadStateSize, moment, content: 0..<0)
    responder.abandon(view.request, &view.state)
  }

  // MARK: The pace

  /// Octets have come: each makes up for some of the time that it took.
  mutating func notePace(_ slot: Slot, _ count: Int) {
    let took = max(0, now - (connections[slot].deadline - patience(slot)))
    let earned = Int64(count) * 1_000 / Int64(Limits.uploadRateMin)
    connections[slot].slack = Int32(
      clamping: min(
        Int64(connections[slot].slack) - took + earned, Int64(Limits.uploadSlackMilliseconds)))
    connections[slot].deadline = now + patience(slot)
  }

  /// Milliseconds that the next octets of an upload may take.
  private mutating func patience(_ slot: Slot) -> Int64 {
    min(Limits.contentTimeoutMilliseconds, Int64(connections[slot].slack))
  }
}
