// Answers that take several turns: together they get two milliseconds of each.

import MartletBytes
import MartletHTTP
import Testing

@testable import MartletServer

@Suite struct WorkTests {
  /// One place is kept for the first rank.
  private let places = Limits.workCountMax - 1

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
        stage.run(until: { stage.waits(peer, for: .job) })
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

  @Test("More than the limit wait, those who came first are next, and all are answered")
  func waiting() {
    withStage { stage, world in
      world.microsecondsPerLook = 2_000
      let peers = (0..<places + 5).map { _ in world.connect(request("GET /work")) }
      stage.run(until: { stage.workingCount == places })
      #expect(peers.count { stage.waits($0, for: .place) } == 5)
      let good = world.connect(request("GET /a"))
      stage.run(until: { !good.sent.isEmpty })
      stage.run(until: { peers.allSatisfy { $0.text == echo("GET /work []") } })
      #expect(stage.requests.cancelled.isEmpty)
    }
  }

  @Test("More than may wait are told when to come again")
  func full() {
    withStage { stage, world in
      world.microsecondsPerLook = 2_000
      let count = places + Limits.workQueueCountMax - 1
      let peers = (0..<count + 3).map { _ in world.connect(request("GET /work")) }
      stage.run(until: { peers.count { !$0.sent.isEmpty } >= 3 })
      let refused = peers.filter { $0.text.hasPrefix("HTTP/1.1 503 Service Unavailable") }
      #expect(refused.count == 3)
      #expect(refused[0].text.contains("Retry-After: 5\r\n"))
      #expect(refused[0].text.contains("This device is busy."))
      #expect(stage.requests.cancelled.count == 3)
      stage.run(until: { peers.allSatisfy { !$0.sent.isEmpty } })
      #expect(peers.count { $0.text == echo("GET /work []") } == count)
    }
  }

  @Test("Who has waited too long is told when to come again")
  func waitsTooLong() {
    withStage { stage, world in
      world.microsecondsPerLook = 2_000
      let peers = (0...places).map { _ in world.connect(request("GET /work")) }
      stage.run(until: { stage.workingCount == places })
      for connection in stage.requests.workSteps.keys { stage.requests.workSteps[connection] = 1_000 }
      let last = peers.first { stage.waits($0, for: .place) }!
      for _ in 0..<130 where last.sent.isEmpty {
        stage.turn()
        world.advance(to: world.monotonic + 500)
      }
      #expect(last.text.hasPrefix("HTTP/1.1 503"))
    }
  }

  @Test("Work for a client that has gone is cancelled, and its place is free")
  func vanished() {
    withStage { stage, world in
      world.microsecondsPerLook = 2_000
      let peers = (0..<3).map { _ in world.connect(request("GET /work")) }
      stage.run(until: { stage.workingCount == 3 })
      peers[1].isDone = true
      peers[1].isReset = true
      stage.run(until: { peers[1].isClosed })
      #expect(stage.requests.cancelled == [2])
      #expect(stage.workingCount == 2)
      stage.run(until: { !peers[0].sent.isEmpty && !peers[2].sent.isEmpty })
      #expect(stage.requests.lines.count == 2)
    }
  }

  @Test("Who has only said that no more will come is asked for a sign of life, once, and answered")
  func halfClosed() {
    withStage { stage, world in
      world.microsecondsPerLook = 2_000
      let peer = world.connect(request("GET /work"))
      let old = world.connect("GET /work HTTP/1.0\r\n\r\n")
      stage.run(until: { stage.workingCount == 2 })
      peer.isDone = true
      old.isDone = true
      stage.run(until: { peer.text.contains("/work") && old.isClosed })
      #expect(peer.text == "HTTP/1.1 100 Continue\r\n\r\n" + echo("GET /work []"))
      #expect(old.text == echo("GET /work []", closes: true))
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

  @Test("A page that waits for something else is asked again when it said, and the loop rests until then")
  func rests() {
    withStage { stage, world in
      let peer = world.connect(request("GET /rest"))
      stage.run(until: { stage.requests.restCount == 1 })
      let start = world.monotonic
      #expect(stage.workingCount == 1)
      let good = world.connect(request("GET /a"))
      stage.run(until: { !good.sent.isEmpty })
      var turns = 0
      while peer.sent.isEmpty, turns < 20 {
        stage.turn()
        turns += 1
      }
      #expect(peer.text == echo("GET /rest []"))
      #expect(stage.requests.restCount == 4)
      #expect(world.monotonic - start >= 3 * 100)
      #expect(turns <= 8, "the loop does not spin")
      #expect(stage.workingCount == 0)
    }
  }

  @Test("Passwords are worked on while another page rests, and one that has gone while resting is cancelled")
  func restsAndWorks() {
    withStage { stage, world in
      stage.requests.restMilliseconds = 5_000
      let resting = world.connect(request("GET /rest"))
      stage.run(until: { stage.requests.restCount == 1 })
      let start = world.monotonic
      let worker = world.connect(request("GET /work"))
      stage.run(until: { !worker.sent.isEmpty })
      #expect(world.monotonic - start < 5_000)
      #expect(stage.requests.restCount == 1)
      resting.isDone = true
      resting.isReset = true
      stage.run(until: { resting.isClosed })
      #expect(stage.requests.cancelled == [1])
      #expect(stage.workingCount == 0)
    }
  }

  @Test("A page that rests does not wait for places that passwords hold")
  func restsBesidePasswords() {
    withStage { stage, world in
      world.microsecondsPerLook = 2_000
      stage.requests.turns["/work"] = WorkTurn(rank: .password)
      let many = (0..<places + 5).map { _ in world.connect(request("GET /work")) }
      stage.run(until: { stage.workingCount == places })
      let resting = world.connect(request("GET /rest"))
      stage.run(until: { stage.requests.restCount == 1 })
      #expect(stage.waits(resting, for: .job))
      #expect(many.contains { $0.sent.isEmpty })
      stage.run(until: { many.allSatisfy { !$0.sent.isEmpty } && !resting.sent.isEmpty })
      #expect(resting.text == echo("GET /rest []"))
    }
  }

  // MARK: Ranks

  @Test("The first rank goes before all who work and wait, and finds a place kept")
  func firstRank() {
    withStage { stage, world in
      world.microsecondsPerLook = 2_000
      stage.requests.turns["/work"] = WorkTurn(rank: .password)
      stage.requests.turns["/work-first"] = WorkTurn(rank: .first)
      let others = (0..<places + 5).map { _ in world.connect(request("GET /work")) }
      stage.run(until: { stage.workingCount == places })
      stage.requests.worked = []
      let first = world.connect(request("GET /work-first"))
      stage.run(until: { !first.sent.isEmpty })
      // All steps from when it has begun are its own.
      #expect(stage.requests.worked.suffix(10).allSatisfy { $0 == UInt64(places + 6) })
      stage.run(until: { others.allSatisfy { !$0.sent.isEmpty } })
    }
  }

  @Test("A network with fewer at work is next, whoever came first")
  func shares() {
    withStage { stage, world in
      world.microsecondsPerLook = 2_000
      stage.requests.turns["/work"] = WorkTurn(rank: .password, share: 1)
      stage.requests.turns["/work-b"] = WorkTurn(rank: .password, share: 2)
      let many = (0..<places + 20).map { _ in world.connect(request("GET /work")) }
      stage.run(until: { stage.workingCount == places })
      let one = world.connect(request("GET /work-b"))
      stage.run(until: { !one.sent.isEmpty })
      #expect(many.count { !$0.sent.isEmpty } <= 2 * places, "it waits for one place, not for twenty")
      stage.run(until: { many.allSatisfy { !$0.sent.isEmpty } })
    }
  }

  @Test("One network has half of the places to wait")
  func halfOfTheQueue() {
    withStage { stage, world in
      world.microsecondsPerLook = 2_000
      stage.requests.turns["/work"] = WorkTurn(rank: .password, share: 1)
      stage.requests.turns["/work-b"] = WorkTurn(rank: .password, share: 2)
      let count = places + Limits.workQueueCountMax / 2
      let many = (0..<count + 3).map { _ in world.connect(request("GET /work")) }
      stage.run(until: { many.count { !$0.sent.isEmpty } >= 3 })
      #expect(many.count { $0.text.hasPrefix("HTTP/1.1 503") } == 3)
      let other = world.connect(request("GET /work-b"))
      stage.run(until: { !other.sent.isEmpty })
      #expect(other.text == echo("GET /work-b []"))
    }
  }

  @Test("The line begins one at a time, first come first served, when it opens")
  func line() {
    withStage { stage, world in
      stage.requests.lineStep = 1_000
      let peers = (0..<5).map { _ in world.connect(request("GET /line")) }
      stage.run(until: { !peers[0].sent.isEmpty })
      for i in 1..<5 {
        #expect(peers[i].sent.isEmpty)
        world.advance(to: world.monotonic + 1_000)
        stage.run(until: { !peers[i].sent.isEmpty })
      }
      #expect(stage.requests.lines == Array(repeating: "GET /line []", count: 5))
    }
  }

  @Test("A password is worked on however long it takes, with a sign of life now and then")
  func signOfLife() {
    withStage { stage, world in
      world.microsecondsPerLook = 2_000
      stage.requests.turns["/work"] = WorkTurn(rank: .password)
      let peer = world.connect(request("GET /work"))
      let old = world.connect("GET /work HTTP/1.0\r\n\r\n")
      stage.run(until: { stage.workingCount == 2 })
      stage.requests.workSteps[1] = 100
      stage.requests.workSteps[2] = 100
      for _ in 0..<300 where !old.isClosed || !peer.text.contains("/work") {
        stage.turn()
        world.advance(to: world.monotonic + 1_000)
      }
      let interim = "HTTP/1.1 100 Continue\r\n\r\n"
      #expect(peer.text.hasPrefix(interim + interim))
      #expect(peer.text.hasSuffix(echo("GET /work []")))
      #expect(old.text == echo("GET /work []", closes: true))
    }
  }

  @Test("Connection numbers do not come again after 2^32: each connection keeps its own work")
  func numbersBeyond32Bits() {
    withStage { stage, world in
      stage.begins(afterConnection: UInt64(UInt32.max) - 1)
      let peers = (0..<3).map { _ in world.connect(request("GET /work")) }
      stage.run(until: { peers.allSatisfy { !$0.sent.isEmpty } })
      #expect(peers.allSatisfy { $0.text == echo("GET /work []") })
      let first = UInt64(UInt32.max)
      #expect(Set(stage.requests.worked) == [first, first + 1, first + 2])
    }
  }
}
