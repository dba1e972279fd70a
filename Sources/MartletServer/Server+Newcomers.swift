// Connections come: from the listener to a slot. Where all slots are taken, a connection makes room.

import MartletBytes

extension Server where T: ~Copyable, R: ~Copyable {
  /// Accepts what waits at the listener.
  @inline(never)
  mutating func acceptAll() {
    // Bounded, so that a flood of connections does not keep the open ones waiting.
    for turn in 0..<16 {
      guard !newcomers.isFull || newcomers.makesRoom(connections, now) else {
        return turn == 0 ? pauseListener() : ()
      }
      switch transport.accept() {
      case .connection(let descriptor, let peer):
        admit(Newcomer(descriptor: descriptor, peer: peer))
      case .none:
        return newcomers.isEmpty ? () : admitNewcomers()
      case .exhausted:
        // Linux wants a descriptor first and looks then whether anybody waits (accept(2)).
        guard turn == 0 else { return }
        Counter.descriptorsExhausted.add()
        if !evictOne(for: nil) { pauseListener() }
        return
      }
    }
    if !newcomers.isEmpty { admitNewcomers() }
  }

  /// Connections wait with the kernel; without the pause poll() would report them for ever.
  mutating func pauseListener() {
    Counter.listenerPaused.add()
    listenerPausedUntil = now + Limits.evictionAgeMilliseconds
  }

  /// Gives a new connection a slot, or lets it wait for one.
  @inline(never)
  mutating func admit(_ newcomer: Newcomer) {
    if newcomers.isEmpty, let slot = freeSlot(for: newcomer) {
      return open(slot, newcomer)
    }
    guard newcomers.isFull else { return newcomers.append(newcomer) }
    // Whoever has most connections loses one that waits.
    Counter.connectionsEvicted.add()
    transport.close(descriptor: newcomers.replace(with: newcomer, connections).descriptor)
  }

  /// Gives slots to those who wait for one: to who has fewest connections first.
  @inline(never)
  mutating func admitNewcomers() {
    // Bounded by who waits.
    while !newcomers.isEmpty {
      let first = newcomers.extreme(connections, isLast: false).index
      guard let slot = freeSlot(for: newcomers[first]) else { return }
      open(slot, newcomers.remove(first))
      listenerPausedUntil = 0
    }
  }

  @inline(never)
  private mutating func freeSlot(for newcomer: Newcomer) -> Slot? {
    if let slot = connections.findFree(below: connectionCountMax) { return slot }
    guard evictOne(for: newcomer.peer.network) else { return nil }
    return connections.findFree(below: connectionCountMax)
  }

  @inline(never)
  private mutating func open(_ slot: Slot, _ newcomer: Newcomer) {
    Counter.connectionsAccepted.add()
    transport.open(slot.index, newcomer.descriptor)
    connectionNumber += 1
    let share = connections.share(of: newcomer.peer.network)
    connections[slot].number = connectionNumber
    connections[slot].peer = newcomer.peer
    connections[slot].networkCount = UInt16(share)
    enter(
      .reading, slot,
      milliseconds: T.encrypts ? Limits.handshakeTimeoutMilliseconds : Limits.idleTimeoutMilliseconds)
    connections.changeShare(of: newcomer.peer.network, by: 1)
  }

  /// Makes room for a new connection of `network`: ends another one.
  ///
  /// A client has a right to its share of the slots. A network (one IPv4 address, one IPv6 /64) that has two
  /// connections more than the newcomer's gives one up: of those with most connections the least busy,
  /// whatever it does. Where shares are equal, or the newcomer's is the largest, nobody who is busy
  /// makes room: first connections that have rested for a moment, then those in the middle of a request or
  /// that take nothing of their responses; none of them at once, because what is missing may be on its
  /// way. A newcomer whose network has fewer does not wait for that moment where a connection has been
  /// answered and is between two requests. Without any of these a password makes room that waits to be
  /// worked on.
  ///
  /// - Parameter network: `nil` when it is not known; nobody has a larger share than others then.
  /// - Returns: Whether there was one.
  mutating func evictOne(for network: IPAddress?) -> Bool {
    let share = network.map { connections.share(of: $0) }
    var victim: (slot: Slot, rank: EvictionRank)?
    var slots = connections.slots
    while let slot = slots.next() {
      if T.encrypts, transport.seeksPlace, !transport.hasPlace(slot.index) { continue }
      guard let rank = rank(slot, newcomerShare: share) else { continue }
      if victim.map({ rank.isBefore($0.rank) }) ?? true { victim = (slot, rank) }
    }
    guard let victim else { return false }
    Counter.connectionsEvicted.add()
    close(victim.slot)
    return true
  }

  /// Where a connection stands among those that make room; `nil`: not among them.
  private mutating func rank(_ slot: Slot, newcomerShare: Int?) -> EvictionRank? {
    var rank = EvictionRank(excess: 0, busyness: 1, since: connections[slot].waitsSince(now))
    switch connections[slot].phase {
    case .reading where !connections[slot].held.isEmpty: break
    case .reading, .lingering: rank.busyness = 0
    case .receivingBody: break
    case .sending where R.hasStreams && connections[slot].isPaused(at: moment):
      rank.since = now - Limits.evictionAgeMilliseconds
    case .free, .sending: rank.busyness = 2
    case .waiting:
      switch connections[slot].reason {
      case .room: break
      case .place: rank.busyness = 3
      case .job: rank.busyness = 4
      }
    }
    // What is under way before the first request is a handshake: round trips, and turns that others have. A client
    // that has sent nothing rests.
    if T.encrypts, connections[slot].phase == .reading, transport.opening(slot.index) != .open {
      rank.since = connections[slot].deadline - Limits.handshakeTimeoutMilliseconds
      if transport.opening(slot.index) != .silent {
        rank.busyness = 1
        rank.since += Limits.handshakeAgeMilliseconds - Limits.evictionAgeMilliseconds
      }
    }
    // After its handshake a client has a round trip to send its first request.
    if T.encrypts, connections[slot].phase == .reading, !connections[slot].hasAnswered,
      connections[slot].held.isEmpty,
      transport.opening(slot.index) == .open, transport.hasPlace(slot.index)
    {
      rank.since += Limits.handshakeAgeMilliseconds - Limits.evictionAgeMilliseconds
    }
    guard let newcomerShare else { return hasWaited(rank, slot) ? rank : nil }
    let share = Int(connections[slot].networkCount)
    if share > newcomerShare + 1 {
      rank.excess = share
      return rank
    }
    // Places for TLS are few: what rests for a while gives its place to everybody.
    if T.encrypts, transport.seeksPlace, rank.busyness == 0,
      rank.since <= now - Limits.handshakeAgeMilliseconds
    {
      return rank
    }
    guard share >= newcomerShare else { return nil }
    if share > newcomerShare, connections[slot].isBetweenRequests || givesUpWork(slot) { return rank }
    return hasWaited(rank, slot) ? rank : nil
  }

  /// Whether a connection's password waits to be worked on, or is one of many that are. Without this
  /// passwords would take all slots of a small table. A login that is known (the first rank) stays.
  private mutating func givesUpWork(_ slot: Slot) -> Bool {
    guard R.hasWork, connections[slot].rank == .password || connections[slot].rank == .line else {
      return false
    }
    if connections[slot].waits(for: .place) { return true }
    return connections[slot].waits(for: .job) && jobCount > connectionCountMax / 4
  }

  /// Whether a connection has waited for its client for a moment, and takes nothing of its responses.
  private mutating func hasWaited(_ rank: EvictionRank, _ slot: Slot) -> Bool {
    guard rank.busyness < 2, rank.since <= now - Limits.evictionAgeMilliseconds else { return false }
    return !connections[slot].waits(for: .room) || !peerHasTakenSome(slot)
  }
}
