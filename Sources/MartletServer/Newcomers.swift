// Connections that have been accepted and wait for a slot. Who waits behind somebody in the kernel's queue
// is not known: so a few are taken out of it, that a client with few connections does not wait for one
// with many.

import MartletBytes

/// A connection without a slot.
struct Newcomer {
  var descriptor: Int32
  var peer: IPAddress
}

/// Those who wait, in order of arrival.
struct Newcomers {
  private var items = InlineArray<8, Newcomer>(
    repeating: Newcomer(descriptor: -1, peer: .unspecified))
  private var count = 0
  /// When the current burst of connections began, and when all places for newcomers were last taken.
  private var crowdedSince: Int64 = 0
  private var crowdedUntil: Int64 = .min / 2

  var isEmpty: Bool { count == 0 }
  var isFull: Bool { count == Limits.newcomerCountMax }

  subscript(index: Int) -> Newcomer { items[index] }

  mutating func append(_ newcomer: Newcomer) {
    items[count] = newcomer
    count += 1
  }

  @inline(never)
  mutating func remove(_ index: Int) -> Newcomer {
    let newcomer = items[index]
    count -= 1
    for i in index..<count { items[i] = items[i + 1] }
    return newcomer
  }

  /// Connections that the network of one who waits has: those with a slot, and those that wait, up to this.
  @inline(never)
  private func load(_ index: Int, _ connections: borrowing ConnectionTable) -> Int {
    let network = items[index].peer.network
    var load = connections.share(of: network)
    for i in 0...index where items[i].peer.network == network { load += 1 }
    return load
  }

  /// Who comes first: the one of the smallest load, of several the one who has waited longest. Or who comes
  /// last.
  @inline(never)
  func extreme(_ connections: borrowing ConnectionTable, isLast: Bool) -> (index: Int, load: Int) {
    var found = (index: 0, load: load(0, connections))
    for i in 1..<max(1, count) {
      let load = load(i, connections)
      if isLast ? load >= found.load : load < found.load { found = (i, load) }
    }
    return found
  }

  /// Whether the listener accepts one more connection although all places for newcomers are taken: a
  /// newcomer of the network with most connections is closed for it. A burst stays in the kernel's queue
  /// for `Limits.crowdMilliseconds` and is served from there. A burst that lasts longer, or comes again
  /// within `Limits.crowdRestMilliseconds`, does not keep other networks out. A newcomer is never closed when its
  /// network has no other connection.
  @inline(never)
  mutating func makesRoom(_ connections: borrowing ConnectionTable, _ now: Int64) -> Bool {
    if now - crowdedUntil >= Limits.crowdRestMilliseconds { crowdedSince = now }
    crowdedUntil = now
    return now - crowdedSince >= Limits.crowdMilliseconds
      && extreme(connections, isLast: true).load > 1
  }

  /// Takes a newcomer in while there is no room: the one of the largest load goes, of several the last.
  ///
  /// - Returns: The one that goes; it may be the new one.
  mutating func replace(
    with newcomer: Newcomer, _ connections: borrowing ConnectionTable
  ) -> Newcomer {
    let last = extreme(connections, isLast: true)
    var load = connections.share(of: newcomer.peer.network) + 1
    for i in 0..<count where items[i].peer.network == newcomer.peer.network { load += 1 }
    guard load < last.load else { return newcomer }
    let removed = remove(last.index)
    append(newcomer)
    return removed
  }
}

/// How soon a connection makes room for a newcomer.
struct EvictionRank {
  /// Connections of its network, where those are too many; 0 where it has no more than its share.
  var excess: Int
  /// How much is under way: nothing; what its client has to go on with; an answer; one that is worked on.
  var busyness: UInt8
  /// Since when its client has kept it waiting.
  var since: Int64

  func isBefore(_ other: EvictionRank) -> Bool {
    if excess != other.excess { return excess > other.excess }
    if busyness != other.busyness { return busyness < other.busyness }
    return since < other.since
  }
}
