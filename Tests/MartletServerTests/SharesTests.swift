// Who gets a slot, and a response buffer, where there are too few: nobody is kept out by a client that takes
// all it can get.

import MartletBytes
import MartletHTTP
import Testing

@testable import MartletServer

/// 198.51.100.0/24 and on (RFC 5737).
private func address(_ number: Int) -> IPAddress {
  IPAddress(high: 0, low: 0xFFFF_C633_6400 + UInt64(number))
}

/// A table that half requests fill with a block each.
private let slotCount = min(64, Limits.connectionCountMax)

@Suite struct SharesTests {
  /// All slots taken by connections that are in the middle of a request.
  private func fill(
    _ stage: Stage, _ world: World, with octets: String = "GET / HT",
    from address: (Int) -> IPAddress
  ) -> [Peer] {
    let peers = (0..<slotCount).map { world.connect(octets, from: address($0)) }
    stage.run(until: { world.waiting.isEmpty && stage.openCount == slotCount })
    return peers
  }

  @Test("A newcomer takes a slot of the address that has most, whatever that is doing")
  func largestShare() {
    withStage(slots: slotCount) { stage, world in
      let peers = fill(stage, world) { address($0 % 4 == 0 ? 1 : 2) }
      let start = world.monotonic
      let newcomer = world.connect(request("GET /a"), from: address(3))
      stage.run(until: { !newcomer.sent.isEmpty })
      #expect(world.monotonic == start, "at once")
      #expect(newcomer.text == echo("GET /a []"))
      let closed = peers.filter(\.isClosed)
      #expect(closed.count == 1 && closed.allSatisfy { $0.address == address(2) })
    }
  }

  @Test("Of that address the least busy goes: who rests before who asks, who asks before who is answered")
  func leastBusy() {
    withStage(slots: slotCount) { stage, world in
      let working = world.connect(request("GET /work"), from: address(1))
      stage.requests.workSteps[1] = .max
      stage.run(until: { stage.waits(working, for: .job) })
      let others = (1..<slotCount).map {
        world.connect($0 == 7 ? request("GET /a") : "GET / HT", from: address(1))
      }
      stage.run(until: { stage.openCount == slotCount && !others[6].sent.isEmpty })
      let first = world.connect(request("GET /b"), from: address(2))
      stage.run(until: { !first.sent.isEmpty })
      #expect(others[6].isClosed, "the one that rests")
      let second = world.connect(request("GET /c"), from: address(3))
      stage.run(until: { !second.sent.isEmpty })
      #expect(!working.isClosed && !first.isClosed)
      stage.requests.workSteps[1] = 0
    }
  }

  @Test("Where all are of one address, who is busy stays, and newcomers of the address wait")
  func oneAddress() {
    withStage(slots: slotCount) { stage, world in
      let start = world.monotonic
      let peers = fill(stage, world) { _ in address(1) }
      let newcomer = world.connect(request("GET /a"), from: address(1))
      for _ in 0..<20 where world.monotonic < start + Limits.evictionAgeMilliseconds { stage.turn() }
      #expect(!peers.contains(where: \.isClosed) || world.monotonic >= start + 50)
      stage.run(until: { !newcomer.sent.isEmpty })
      #expect(world.monotonic >= start + Limits.evictionAgeMilliseconds)
      #expect(peers.count(where: \.isClosed) == 1 && peers[0].isClosed, "who has waited longest")
    }
  }

  @Test("A newcomer does not wait for long behind a crowd of another address, and once: then the crowd loses")
  func queue() {
    withStage(slots: 8) { stage, world in
      let start = world.monotonic
      var newcomers: [Peer] = []
      for number in 2...4 {
        for _ in 0..<400 { _ = world.connect("GET / HT", from: address(1)) }
        newcomers.append(world.connect(request("GET /b"), from: address(number)))
      }
      stage.run(until: { !newcomers[0].sent.isEmpty })
      let first = world.monotonic
      #expect(first - start < Limits.crowdMilliseconds + 2 * Limits.evictionAgeMilliseconds)
      stage.run(until: { newcomers.allSatisfy { !$0.sent.isEmpty } })
      #expect(world.monotonic - first < 2 * Limits.evictionAgeMilliseconds)
    }
  }

  @Test("A crowd of one address that comes at once is served, and loses no connection")
  func crowd() {
    withStage(slots: 64) { stage, world in
      let crowd = (0..<400).map { _ in world.connect(request("GET /a"), from: address(1)) }
      stage.run(until: { crowd.allSatisfy { !$0.sent.isEmpty || $0.isClosed } })
      #expect(crowd.allSatisfy { $0.text == echo("GET /a []") })
    }
  }

  @Test("Where each address has one connection, who is between two requests makes room at once")
  func equalShares() {
    withStage(slots: slotCount) { stage, world in
      let peers = fill(stage, world, with: request("GET /a")) { address($0) }
      stage.run(until: { peers.allSatisfy { !$0.sent.isEmpty } })
      let start = world.monotonic
      let newcomer = world.connect(request("GET /b"), from: address(5_000))
      stage.run(until: { !newcomer.sent.isEmpty })
      #expect(world.monotonic == start)
      #expect(peers.count(where: \.isClosed) == 1)
    }
  }

  @Test("Where each address has one connection, who has just come is given time for its request")
  func justCome() {
    withStage(slots: slotCount) { stage, world in
      let peers = fill(stage, world, with: "") { address($0) }
      let start = world.monotonic
      let newcomer = world.connect(request("GET /b"), from: address(5_000))
      stage.run(until: { peers.contains(where: \.isClosed) })
      #expect(world.monotonic >= start + Limits.evictionAgeMilliseconds)
      stage.run(until: { !newcomer.sent.isEmpty })
    }
  }

  @Test("An IPv6 network is one client, whichever of its addresses it uses")
  func network() {
    withStage(slots: slotCount) { stage, world in
      let peers = fill(stage, world) {
        IPAddress(high: 0x2001_0DB8_0000_0001, low: UInt64($0) << 40 | 1)
      }
      let start = world.monotonic
      let same = world.connect(request("GET /a"), from: IPAddress(high: 0x2001_0DB8_0000_0001, low: 9))
      let other = world.connect(
        request("GET /b"), from: IPAddress(high: 0x2001_0DB8_0000_0002, low: 9))
      stage.run(until: { !other.sent.isEmpty })
      #expect(world.monotonic < start + Limits.evictionAgeMilliseconds && same.sent.isEmpty)
      #expect(peers.count(where: \.isClosed) == 1)
    }
  }

  @Test("A system with fewer descriptors has fewer slots, so that shares count there too")
  func descriptors() {
    #expect(Limits.connectionCount(descriptors: 256) == 224)
    #expect(Limits.connectionCount(descriptors: 1_000_000) == Limits.connectionCountMax)
    #expect(Limits.connectionCount(descriptors: 3) == 1)
  }

  @Test("A block whose reader takes nothing is given to the next response that needs one")
  func buffers() {
    withStage { stage, world in
      let slow = (0..<Limits.largeBlockCountMax).map { number in
        let peer = world.connect(request("GET /big"), from: address(number))
        peer.room = 100
        return peer
      }
      stage.run(until: { stage.responseBlockCount == Limits.largeBlockCountMax })
      world.advance(to: world.monotonic + 500)
      // One of them reads, though no more than a little.
      slow[0].sentByKernel = 50
      let start = world.monotonic
      let good = world.connect(request("GET /big"), from: address(99))
      good.room = 9_000
      stage.run(until: { !good.sent.isEmpty })
      #expect(world.monotonic - start <= 1, "at once")
      #expect(slow.count(where: \.isClosed) == 1)
      good.room = .max
      stage.run(until: { good.text.hasSuffix("xxx") })
    }
  }

  @Test("An upload that brings less than its least rate ends; one that brings it does not")
  func uploadRate() {
    for (pause, count, ends) in [(Int64(10_000), 10, true), (10_000, 10_500, false)] {
      withStage { stage, world in
        stage.requests.uploadMax = 10_000_000
        let peer = world.connect(request("POST /upload", "Content-Length: 9000000"))
        let start = world.monotonic
        peer.script = (1...60).map {
          (start + Int64($0) * pause, [UInt8](repeating: 0x61, count: count))
        }
        let end = start + 600_000
        stage.run(until: { peer.isClosed || world.monotonic >= end - 5_000 })
        #expect(peer.isClosed == ends)
        #expect(peer.text.hasPrefix("HTTP/1.1 408 ") == ends)
        if ends {
          let took = (peer.closedAt ?? 0) - start
          #expect(took > 55_000 && took < 75_000, "\(took)")
        }
        #expect(stage.requests.abandonedUploads.count == (ends ? 1 : 0))
      }
    }
  }
}
