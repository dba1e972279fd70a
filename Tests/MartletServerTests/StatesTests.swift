// The drawing of a connection's journey, in the documentation, against the code: what happens is drawn, and
// what is drawn happens. Each stage checks the first half; the test here checks the second.

import Foundation
import MartletBytes
import MartletHTTP
import Testing

@testable import MartletServer

/// The rows of the table in "How a request travels".
let drawing: Set<Transition> = {
  let file = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../Sources/Martlet/Martlet.docc/HowARequestTravels.md")
  guard let text = try? String(contentsOf: file, encoding: .utf8) else { return [] }
  var rows: Set<Transition> = []
  for line in text.split(separator: "\n") where line.hasPrefix("| ") {
    let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
    guard cells.count == 3, cells[0] != "phase", !cells[0].hasPrefix("-") else { continue }
    rows.insert(Transition(from: cells[0], event: cells[1], to: cells[2]))
  }
  return rows
}()

@Suite struct StatesTests {
  @Test("Each row of the drawing happens")
  func drawn() {
    #expect(drawing.count > 40, "the table is read")
    elsewhere()
    here()
    let reached = Transition.seen.withLock { $0 }
    for row in drawing.subtracting(reached).sorted() { Issue.record("nothing reaches \(row)") }
    if let path = ProcessInfo.processInfo.environment["MARTLET_TRANSITIONS"] {
      try? reached.sorted().map(\.description).joined(separator: "\n")
        .write(toFile: path, atomically: true, encoding: .utf8)
    }
  }

  /// What other tests play.
  private func elsewhere() {
    let requests = RequestTests()
    requests.contentAfterHead()
    requests.pipelined()
    requests.refusedAtTheEnd(text: "GET / HTTP/1.1\nHost: h\n\n")
    requests.keepAlive()
    requests.afterClose()
    requests.halfContinue()
    requests.half()
    requests.refusals()
    let deadlines = DeadlineTests()
    deadlines.head()
    deadlines.content()
    deadlines.idle()
    deadlines.send()
    deadlines.linger()
    let scarcity = ScarcityTests()
    scarcity.responses()
    scarcity.eviction()
    scarcity.slowOnes()
    let faults = FaultTests()
    faults.goneAtEachCall()
    faults.goneWhileSending()
    let stops = StopTests()
    stops.stop()
    stops.stopDeadline()
    let work = WorkTests()
    work.full()
    work.waitsTooLong()
    work.vanished()
    work.halfClosed()
    work.deadline()
    work.line()
    let blocks = BlocksTests()
    blocks.scarce()
    blocks.readsSlowly()
    blocks.atOnceAndGone()
    let flows = ResponseFlowTests()
    flows.failure()
    flows.stopInPause()
    flows.pipelinesWithoutReading()
    SharesTests().buffers()
    UploadEnd.all.forEach(UploadTests().end)
  }

  /// What no other test plays: a request that waits and then goes another way than most.
  private func here() {
    // The next request waits for room: then it takes several turns, is not whole, is a form, is none.
    for next in [
      request("GET /work"), "GET / HT", request("POST /", "Content-Length: 3"), "?\r\n",
      request("POST /upload", "Content-Length: 3"),
    ] {
      withStage { stage, world in
        let peer = world.connect(request("GET /big") + request("GET /big") + request("GET /big") + next)
        peer.sentByKernel = 0
        stage.run(until: { stage.waits(peer, for: .room) })
        peer.sentByKernel = nil
        stage.run(until: { !stage.waits(peer, for: .room) && stage.phase(of: peer) != .sending })
      }
    }
    // An upload whose page needs several turns, or waits for its place, before it begins.
    withStage { stage, world in
      stage.requests.lineStep = 1_000
      let peers = ["/work-upload", "/line-upload", "/line-upload"].map { world.connect(post($0, "abc")) }
      stage.run(until: { peers.allSatisfy { $0.text.hasSuffix("took 3") } })
    }
    // An upload that is too large, as it turns out when its page has had its turns, or its place.
    withStage { stage, world in
      stage.requests.lineStep = 1_000
      stage.requests.uploadMax = 2
      let peers = ["/work-upload", "/line-upload", "/line-upload"].map { world.connect(post($0, "abc")) }
      stage.run(until: { peers.allSatisfy { $0.text.hasPrefix("HTTP/1.1 413 ") } })
    }
    // A form that breaks after its head.
    withStage { stage, world in
      let peer = world.connect(request("POST /", "Transfer-Encoding: chunked"))
      peer.script = [(world.monotonic + 10, [0x78])]
      stage.run(until: { peer.text.hasPrefix("HTTP/1.1 400 ") })
    }
    // A request that comes after responses which its client has not read.
    withStage { stage, world in
      let peer = world.connect(request("GET /big") + request("GET /big"))
      peer.sentByKernel = 0
      stage.run(until: { stage.rests(peer) && !peer.sent.isEmpty })
      peer.received = [UInt8](request("GET /a").utf8)
      stage.run(until: { stage.waits(peer, for: .room) })
    }
    forms()
    waits()
  }

  /// Forms whose page needs several turns: one that waits for its place and goes, one that waits too long, and
  /// one that finds no room to wait.
  private func forms() {
    withStage { stage, world in
      world.microsecondsPerLook = 2_000
      let peers = (0..<Limits.workCountMax + Limits.workQueueCountMax).map { _ in
        let peer = world.connect(request("POST /work", "Content-Length: 3"))
        peer.script = [(world.monotonic + 10, [1, 2, 3])]
        return peer
      }
      stage.run(until: { peers.contains { stage.waits($0, for: .place) } })
      peers.first { stage.waits($0, for: .place) }?.isReset = true
      stage.run(until: { peers.allSatisfy { !$0.sent.isEmpty || $0.isClosed } })
    }
    withStage { stage, world in
      world.microsecondsPerLook = 2_000
      stage.requests.turns["/work"] = WorkTurn(rank: .password)
      let peers = (0..<Limits.workCountMax).map { _ in world.connect(request("GET /work")) }
      stage.run(until: { peers.contains { stage.waits($0, for: .place) } })
      for connection in stage.requests.workSteps.keys { stage.requests.workSteps[connection] = .max }
      for _ in 0..<70 {
        stage.turn()
        world.advance(to: world.monotonic + 1_000)
      }
      #expect(peers.contains { $0.text.hasPrefix("HTTP/1.1 503 ") })
    }
  }

  /// Requests that wait, and make room: for a newcomer, for a block; and those that wait for room first, and
  /// then for a place.
  private func waits() {
    let many = String(repeating: request("GET /big"), count: 3)
    let other = IPAddress(high: 0, low: 0xFFFF_C633_6401)
    for (octets, reason) in [
      (many, Connection.Reason.room), (request("GET /work"), .job), (request("GET /line"), .place),
    ] {
      withStage(slots: 4) { stage, world in
        stage.requests.lineOpens = world.monotonic + 50_000
        stage.requests.turns["/work"] = WorkTurn(rank: .password)
        let peers = (1...4).map { number in
          stage.requests.workSteps[UInt64(number)] = .max
          let peer = world.connect(octets)
          peer.sentByKernel = 0
          return peer
        }
        stage.run(until: { peers.allSatisfy { stage.waits($0, for: reason) } })
        let newcomer = world.connect(request("GET /a"), from: other)
        stage.run(until: { !newcomer.sent.isEmpty })
        #expect(peers.count(where: \.isClosed) == 1)
        stage.requests.workSteps = [:]
      }
    }
    withStage { stage, world in
      world.microsecondsPerLook = 2_000
      let unread = (0..<Limits.workQueueCountMax + Limits.workCountMax + 1).map { _ in
        let peer = world.connect(many + request("GET /work"))
        peer.sentByKernel = 0
        return peer
      }
      stage.run(until: { unread.allSatisfy { stage.waits($0, for: .room) } })
      for peer in unread { peer.sentByKernel = nil }
      stage.run(until: { unread.contains { $0.text.contains("HTTP/1.1 503 ") } })
    }
    // A stop ends what waits for a place, for its job, and for its content.
    withStage { stage, world in
      world.microsecondsPerLook = 2_000
      let peers = (0...Limits.workCountMax).map { _ in world.connect(request("GET /work")) }
      let unread = world.connect(String(repeating: request("GET /big"), count: 4))
      unread.sentByKernel = 0
      stage.run(until: { stage.waits(unread, for: .room) && peers.contains { stage.waits($0, for: .place) } })
      for connection in stage.requests.workSteps.keys { stage.requests.workSteps[connection] = .max }
      stage.requests.turns["/work"] = WorkTurn(rank: .password)
      world.stopAt = world.monotonic
      for _ in 0..<20 where stage.turn() { world.advance(to: world.monotonic + 1_000) }
    }
  }
}
