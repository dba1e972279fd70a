// Answers that take several turns: together they get two milliseconds of each.

import MartletBytes
import MartletHTTP
import Testing

@testable import MartletServer

@Suite struct WorkTests {
  @Test("Those who wait get steps one after the other, and all finish together")
  func roundRobin() {
    withStage { stage, world in
      let peers = (0..<4).map { _ in world.connect(request("GET /work")) }
      stage.run(until: { peers.allSatisfy { !$0.sent.isEmpty } })
      #expect(peers.allSatisfy { $0.text == echo("GET /work []") })
      #expect(stage.requests.worked.count == 40)
      for start in stride(from: 0, to: 40, by: 4) {
        #expect(Set(stage.requests.worked[start..<start + 4]).count == 4)
      }
      #expect(stage.workingCount == 0)
    }
  }

  @Test("A turn gives all of them two milliseconds in total, and others are served between")
  func twoMilliseconds() {
    withStage { stage, world in
      world.microsecondsPerLook = 500
      for _ in 0..<4 {
        let peer = world.connect(request("GET /work"))
        stage.run(until: { stage.phase(of: peer) == .working })
      }
      let before = stage.requests.worked.count
      stage.turn()
      // Looks at the clock: one at the start, one after each step.
      #expect(stage.requests.worked.count - before == 4)
      let good = world.connect(request("GET /a"))
      let steps = stage.requests.worked.count
      stage.run(until: { !good.sent.isEmpty })
      #expect(stage.requests.worked.count - steps <= 3 * 4, "within three turns")
    }
  }

  @Test("More than the limit are told when to come again")
  func full() {
    withStage { stage, world in
      world.microsecondsPerLook = 2_000
      let peers = (0...Limits.workCountMax).map { _ in world.connect(request("GET /work")) }
      stage.run(until: { peers.contains { !$0.sent.isEmpty } })
      let refused = peers.filter { $0.text.hasPrefix("HTTP/1.1 503 Service Unavailable") }
      #expect(refused.count == 1)
      #expect(refused[0].text.contains("Retry-After: 5\r\n"))
      #expect(refused[0].text.contains("This device is busy."))
      #expect(stage.requests.cancelled.count == 1)
      stage.run(until: { peers.allSatisfy { !$0.sent.isEmpty } })
      #expect(peers.filter { $0.text == echo("GET /work []") }.count == Limits.workCountMax)
    }
  }

  @Test("Work for a client that has gone is cancelled, and its place is free")
  func vanished() {
    withStage { stage, world in
      world.microsecondsPerLook = 2_000
      let peers = (0..<3).map { _ in world.connect(request("GET /work")) }
      stage.run(until: { stage.workingCount == 3 })
      peers[1].isDone = true
      stage.run(until: { peers[1].isClosed })
      #expect(stage.requests.cancelled == [2])
      #expect(stage.workingCount == 2)
      stage.run(until: { !peers[0].sent.isEmpty && !peers[2].sent.isEmpty })
      #expect(stage.requests.lines.count == 2)
    }
  }

  @Test("Work that takes too long is ended with 503")
  func deadline() {
    withStage { stage, world in
      world.microsecondsPerLook = 2_000
      let peer = world.connect(request("GET /work"))
      stage.run(until: { stage.workingCount == 1 })
      stage.requests.workSteps[1] = .max
      // Each turn gets a step, and takes a second.
      for _ in 0..<40 where peer.sent.isEmpty {
        stage.turn()
        world.advance(to: world.monotonic + 1_000)
      }
      #expect(peer.text.hasPrefix("HTTP/1.1 503"))
      #expect(peer.text.contains("Retry-After"))
      #expect(stage.requests.cancelled == [1])
    }
  }

  @Test("A stop waits for work under way, for a while")
  func stop() {
    withStage { stage, world in
      world.microsecondsPerLook = 2_000
      let peer = world.connect(request("GET /work"))
      stage.run(until: { stage.workingCount == 1 })
      world.stopAt = world.monotonic
      stage.runToStop()
      #expect(peer.text == echo("GET /work []", closes: true))
    }
  }
}
