// Whole connections: the same octets in one piece and in any pieces give the same answers, whatever
// else goes on at the other connections; and at the end nothing is lent out any more.
//
//     input    = length schedule streams
//     length   = octet: how long the schedule is, below 128; 128 more: peers break, time passes
//     schedule = what happens before each wait, an octet each (World.swift)
//     streams  = what each peer sends, FF between two; FE n repeats (Octets.swift)

import CMartletPlatform
import Martlet
import MartletBytes
import MartletHTTP
import MartletServer

nonisolated(unsafe) private let stage = Stage()

@Sendable func fuzzConnections(_ input: Span<UInt8>) {
  guard input.count > 1 else { return }
  let isRough = input[0] > 127
  let scheduleEnd = min(input.count, 1 + Int(input[0] & 127))
  let schedule = Octets(input.extracting(1..<scheduleEnd))
  // Below the number of slots: a server without a free one ends connections that rest.
  let peerCount = isRough ? 12 : Limits.connectionCountMax - 1
  let streams = expanded(input, from: scheduleEnd)
    .split(separator: 0xFF, maxSplits: peerCount - 1, omittingEmptySubsequences: false)
    .map { Octets($0) }
  if isRough {
    _ = stage.play(streams, schedule, isRough: true)
    return
  }
  let whole = stage.play(streams, [], isRough: false)
  let pieces = stage.play(streams, schedule, isRough: false)
  check(stage.world.isWithinOneSecond, "a schedule is over before tokens carry another second")
  for i in streams.indices { compare(whole[i], pieces[i]) }
}

private func compare(_ whole: Peer, _ pieces: Peer) {
  check(!whole.wasTurnedAway, "who takes its answers at once is not turned away")
  let owed = Owed(whole.stream)
  owed.check(whole.sent)
  guard whole.sent != pieces.sent || pieces.wasTurnedAway else { return }
  check(whole.sent.starts(with: pieces.sent), "answers are the same in pieces")
  // A refusal that finds no buffer free becomes a short 503.
  if pieces.wasTurnedAway { return }
  check(whole.sent.count == pieces.sent.count, "no answer is missing")
}

/// The memory of one server, used again for each; exactly as large as it says, so that the octet
/// behind it is AddressSanitizer's.
private final class Stage {
  let world = World()
  private let parts: [UnsafeMutableRawPointer]

  init() {
    func part(_ size: Int) -> UnsafeMutableRawPointer {
      let start = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
      start.initializeMemory(as: UInt8.self, repeating: 0xA5, count: size)
      return start
    }
    parts = [
      part(Limits.receiveSizeMax), part(Limits.responseFieldsSizeMax), part(Limits.responseSizeMax),
      part(Limits.smallBlockCountMax * Limits.smallBlockSize),
      part(Limits.largeBlockCountMax * Limits.largeBlockSize),
      part(Limits.connectionCountMax * Int(MARTLET_CONNECTION_SIZE)),
    ]
  }

  /// The memory of the next server.
  private var memory: ServerMemory {
    let octets = parts.map { $0.assumingMemoryBound(to: UInt8.self) }
    return ServerMemory(
      martlet_memory(
        receive: octets[0], fields: octets[1], response: octets[2], small: octets[3],
        large: octets[4], connections: parts[5]))
  }

  /// Serves the streams until every peer is gone.
  func play(
    _ streams: [Octets], _ schedule: Octets, isRough: Bool
  ) -> [Peer] {
    world.begin(streams, schedule[...], isRough: isRough)
    let ledger = Ledger()
    let site = Site(ledger: ledger, isRough: isRough)
    var responder = SiteResponder(site, secret: ("top-secret!" as StaticString).octets)
    // The boot clock is the world's, too: the machine's own moves on between two plays.
    responder.simulateClock(boot: 1, isSynchronized: true)
    var server = Server(transport: WorldTransport(world: world), responder: responder, memory)
    var turns = 0
    while server.turn() {
      turns += 1
      check(turns < 20_000, "a server comes to rest")
      if server.isIdle, world.peers.allSatisfy({ $0.isClosed }) { break }
    }
    check(server.isIdle, "nothing is lent out any more")
    check(ledger.uploadCount == 0, "each upload that has begun is answered or abandoned, once")
    check(ledger.streamCount == 0, "each stream that has begun ends, once")
    for peer in world.peers {
      check(peer.isClosed || !peer.isAccepted, "every descriptor is given back")
      check(peer.isAccepted || world.isStopping, "everybody is heard")
      check(Octets("HTTP/1.1 ").starts(with: peer.sent.prefix(9)), "an answer is an answer")
    }
    return world.peers
  }
}
