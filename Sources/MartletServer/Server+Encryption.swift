// Connections that may be encrypted: from the first octet to the end of the handshake, and what a request gets
// that came without encryption where that is asked for. Nothing here is linked into a program without TLS.

import MartletBytes
import MartletHTTP

extension Server where T: ~Copyable, R: ~Copyable {
  /// Tells the responder what the octets of a request go through.
  mutating func noteChannel(_ slot: Slot) {
    if T.encrypts { responder.note(transport.channel(slot.index)) }
  }

  /// Makes one step of a connection before its first request.
  @inline(never)
  mutating func openFurther(_ slot: Slot) {
    // Nothing is read yet.
    var target = blocks.storage(BlockPool.receive)
    if case .gone = transport.receive(slot.index, into: &target) { return close(slot) }
    // From here on the connection rests, as every other one does before a request.
    if transport.opening(slot.index) == .open {
      enter(.reading, slot, milliseconds: Limits.idleTimeoutMilliseconds)
    }
  }

  /// Gives places for TLS to connections that wait for one: to the network with the fewest connections first, and
  /// of that network to the connection that has waited longest. Where no place is free, a TLS connection makes
  /// room as for a newcomer without a slot.
  @inline(never)
  mutating func givePlaces() {
    // Bounded: each round gives a place, and each place is given once or makes room once.
    for _ in 0..<Limits.encryptedConnectionCountMax {
      var first: (slot: Slot, share: UInt16, deadline: Int64)?
      var slots = connections.slots
      while let slot = slots.next() {
        guard transport.opening(slot.index) == .waiting else { continue }
        let (share, deadline) = (connections[slot].networkCount, connections[slot].deadline)
        if first.map({ share < $0.share || share == $0.share && deadline < $0.deadline }) ?? true {
          first = (slot, share, deadline)
        }
      }
      guard let first else { return }
      // The connection itself is among those of its network.
      if !transport.placeIsFree {
        transport.seeksPlace = true
        let isFree = evictOne(for: connections[first.slot].peer.network)
        transport.seeksPlace = false
        guard isFree else { return }
      }
      transport.givePlace(first.slot.index)
      connections[first.slot].deadline = now + Limits.handshakeTimeoutMilliseconds
    }
  }

  /// Answers a request that came without encryption: with the way to the encrypted page, where it only reads.
  /// Whatever would change something is refused, because others may have read it, and changed it.
  @inline(never)
  mutating func redirect(_ slot: Slot, _ head: RequestHead) {
    let start = Int(connections[slot].start)
    let reason: StaticString =
      """
      This device is reached by https only, so nothing was changed. Open its address with https:// in front, and \
      try again from there.
      """
    guard head.method.isSafe, head.method != .options,
      let fieldsCount = writeRedirection(slot, head, start..<start + head.size)
    else { return refuse(slot, .forbidden, reason.octets) }
    Counter.requestsAnswered.add()
    let content = writePage(.permanentRedirect, ("This device is reached by https." as StaticString).octets)
    abandonFlow(slot)
    endRequest(slot, before: start + head.size)
    dropHeld(slot)
    connections[slot].minorVersion = head.minorVersion
    connections[slot].afterResponse = .linger
    begin(
      slot, Reply(status: .permanentRedirect, contentCount: content, fieldsCount: fieldsCount),
      sendsContent: head.method != .head)
    send(slot)
  }

  /// Writes the fields of a redirection to the page that the request asks for.
  ///
  /// - Returns: Octets of the fields; `nil` where the request names no host, or where its target has no room.
  private mutating func writeRedirection(_ slot: Slot, _ head: RequestHead, _ range: Range<Int>) -> Int? {
    Self.writeRedirection(
      head, blocks, connections[slot].block, range, port: transport.redirectionPort(slot.index), to: &fields)
  }

  private static func writeRedirection(
    _ head: RequestHead, _ blocks: borrowing BlockPool, _ block: Block, _ range: Range<Int>, port: UInt16?,
    to fields: inout LentBuffer
  ) -> Int? {
    let octets = blocks.octets(block, range)
    guard let host = head.host, let authority = Authority.parse(octets[host]), !authority.host.isEmpty
    else { return nil }
    var writer = Writer(fields.storage)
    writer.append(R.fields)
    RefusalPage.writeFields(to: &writer)
    writer.append("Location: https://")
    if authority.isBracketed { writer.append("[") }
    writer.append(authority.host)
    if authority.isBracketed { writer.append("]") }
    let port = port.map { Int($0) } ?? authority.port(or: 80)
    if port != 443 {
      writer.append(":")
      writer.append(decimal: port)
    }
    writer.append(octets[head.target.path])
    if let query = head.target.query {
      writer.append("?")
      writer.append(octets[query])
    }
    writer.append("\r\n")
    return writer.overflowed ? nil : writer.count
  }
}
