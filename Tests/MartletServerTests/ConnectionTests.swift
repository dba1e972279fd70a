// Connections that are slow, many, broken or in the way, and the end of the server.

import MartletBytes
import MartletHTTP
import Testing

@testable import MartletServer

@Suite struct DeadlineTests {
  @Test("A head that is not complete after ten seconds is answered with 408, however it trickles")
  func head() {
    withStage { stage, world in
      let peer = world.connect("G")
      let start = world.monotonic
      for i in 1...30 { peer.script.append((start + Int64(i) * 400, [UInt8(ascii: "E")])) }
      peer.script = [(start + 4_000, [UInt8]("ET / HTTP/1.1\r\nA: b".utf8))]
      stage.run(until: { !peer.sent.isEmpty })
      #expect(world.monotonic == start + Limits.headTimeoutMilliseconds)
      #expect(peer.text.hasPrefix("HTTP/1.1 408 Request Timeout\r\n"))
      #expect(peer.isFinished && !peer.isClosed)
      stage.run(until: { peer.isClosed })
      #expect(
        peer.closedAt == start + Limits.headTimeoutMilliseconds + Limits.lingerTimeoutMilliseconds)
    }
  }

  @Test("A content that is not complete twenty seconds after its head is answered with 408")
  func content() {
    withStage { stage, world in
      let peer = world.connect()
      let start = world.monotonic
      peer.script = [
        (start + 5_000, [UInt8](request("POST /", "Content-Length: 9").utf8)),
        (start + 9_000, [1, 2, 3]),
      ]
      stage.run(until: { !peer.sent.isEmpty })
      #expect(world.monotonic == start + 5_000 + Limits.contentTimeoutMilliseconds)
      #expect(peer.text.hasPrefix("HTTP/1.1 408 Request Timeout\r\n"))
      #expect(peer.text.contains("The content did not arrive in time."))
    }
  }

  @Test("A connection that rests for a minute is closed without a word")
  func idle() {
    withStage { stage, world in
      let silent = world.connect()
      let served = world.connect()
      let start = world.monotonic
      served.script = [(start + 30_000, [UInt8](request("GET /a").utf8))]
      stage.run(until: { silent.isClosed && served.isClosed })
      #expect(silent.closedAt == start + Limits.idleTimeoutMilliseconds)
      #expect(silent.sent.isEmpty)
      #expect(served.closedAt == start + 30_000 + Limits.idleTimeoutMilliseconds)
      #expect(served.text == echo("GET /a []"))
    }
  }

  @Test("A client that takes nothing for ten seconds is closed; each octet taken counts anew")
  func send() {
    withStage { stage, world in
      let peer = world.connect(request("GET /big"))
      peer.room = 1_000
      let start = world.monotonic
      peer.roomScript = [(start + 9_000, 1), (start + 18_000, 1)]
      stage.run(until: { peer.isClosed })
      #expect(peer.closedAt == start + 18_000 + Limits.sendTimeoutMilliseconds)
      #expect(peer.sent.count == 1_002)
    }
  }

  @Test("What still arrives after the last response is read over for two seconds")
  func linger() {
    withStage { stage, world in
      let peer = world.connect("?\r\n")
      let start = world.monotonic
      for i in 1...100 {
        peer.script.append((start + Int64(i) * 50, [UInt8](repeating: 1, count: 99)))
      }
      stage.run(until: { peer.isClosed })
      #expect(peer.closedAt == start + Limits.lingerTimeoutMilliseconds)
      #expect(peer.text.hasPrefix("HTTP/1.1 400 "))
      #expect(peer.received.count <= 99)
    }
  }

  @Test("While nothing happens the loop rests")
  func rests() {
    withStage { stage, world in
      world.reportsPeerDone = true
      let peers = (0..<20).map { _ in world.connect("GET / HT") }
      stage.run(until: { peers.allSatisfy(\.isClosed) })
      #expect(world.waitCount < 100)
    }
  }
}

@Suite struct ScarcityTests {
  /// Peers that hold all large blocks because they take nothing.
  private func blockers(_ stage: Stage, _ world: World) -> [Peer] {
    let peers = (0..<Limits.largeBlockCountMax).map { _ in world.connect(request("GET /big")) }
    for peer in peers { peer.room = 0 }
    stage.settle()
    #expect(peers.allSatisfy { stage.phase(of: $0) == .sending })
    return peers
  }

  @Test("When all blocks hold responses a client that reads is answered; one more that does not ends one")
  func responses() {
    withStage { stage, world in
      let blocked = blockers(stage, world)
      #expect(stage.responseBlockCount == Limits.largeBlockCountMax)
      let start = world.monotonic
      let partialCount = Counter.sendsPartial.value
      let peer = world.connect(request("GET /1") + post("/2", "two"))
      let other = world.connect("?\r\n")
      stage.settle()
      #expect(peer.text == echo("GET /1 []") + echo("POST /2 [two]"))
      #expect(other.text.hasPrefix("HTTP/1.1 400 ") && other.text.hasSuffix("</html>\n"))
      #expect(world.monotonic == start && !blocked.contains(where: \.isClosed))
      let late = world.connect(request("GET /big"))
      late.room = 0
      stage.settle()
      #expect(blocked.count(where: \.isClosed) == 1 && stage.phase(of: late) == .sending)
      for peer in blocked { peer.room = 100 }
      stage.settle()
      #expect(Counter.sendsPartial.value >= partialCount + UInt64(blocked.count - 1))
      for peer in blocked + [late] { peer.room = .max }
      stage.settle()
      #expect((blocked + [late]).count { $0.text.hasSuffix("xxx") } == blocked.count)
    }
  }

  @Test("A responder may need several turns; others are answered meanwhile, in their order")
  func working() {
    withStage { stage, world in
      let slow = world.connect(post("/slow", "one") + request("GET /slow") + request("GET /after"))
      let other = world.connect(request("GET /other"))
      stage.settle()
      #expect(slow.text == echo("POST /slow [one]") + echo("GET /slow []") + echo("GET /after []"))
      #expect(other.text == echo("GET /other []"))
      #expect(
        stage.requests.lines
          == ["GET /other []", "POST /slow [one]", "GET /slow []", "GET /after []"])
      #expect(stage.requests.slowTurns.isEmpty)
    }
  }

  @Test("A client that is gone is not worked for")
  func workingForNobody() {
    withStage { stage, world in
      let peer = world.connect(request("GET /slow"))
      peer.receiveFaults = [.gone]
      stage.settle()
      #expect(stage.requests.lines.isEmpty && peer.text.isEmpty)
    }
  }

  @Test("When all slots are taken the connection that has rested longest makes room")
  func eviction() {
    withStage { stage, world in
      var peers: [Peer] = []
      for _ in 0..<Limits.connectionCountMax {
        peers.append(world.connect())
        stage.settle()
        stage.run(milliseconds: 1)
      }
      // The first one is served again, so the second has rested longest now.
      peers[0].received = [UInt8](request("GET /a").utf8)
      stage.settle()
      let late = world.connect(request("GET /late"))
      stage.settle()
      #expect(peers[1].isClosed)
      #expect(peers.count { $0.isClosed } == 1)
      #expect(late.text == echo("GET /late []"))
      #expect(stage.openCount == Limits.connectionCountMax)
      // One that has had its last response goes before any that rests.
      peers[9].received = [1, 2, 3]
      stage.settle()
      #expect(stage.phase(of: peers[9]) == .lingering)
      let later = world.connect(request("GET /later"))
      stage.settle()
      #expect(peers[9].isClosed && !peers[2].isClosed)
      #expect(later.text == echo("GET /later []"))
    }
  }

  @Test("Who is in the middle of a request is sent away only when slow for a while")
  func slowOnes() {
    withStage(slots: 64) { stage, world in
      var peers: [Peer] = []
      for i in 0..<64 {
        peers.append(
          world.connect(i == 7 ? request("POST /", "Content-Length: 3") : "GET / HTTP/1.1\r\n"))
      }
      stage.settle()
      let start = world.monotonic
      let late = world.connect(request("GET /late"))
      let waits = world.waitCount
      stage.run(until: { !late.sent.isEmpty })
      let age = Limits.evictionAgeMilliseconds
      #expect(world.monotonic - start >= age && world.monotonic - start <= age + 200)
      #expect(world.waitCount - waits < 100, "meanwhile the listener is left alone")
      #expect(peers.count { $0.isClosed } == 1)
      #expect(late.text == echo("GET /late []"))
    }
  }

  @Test("Two hundred half requests do not keep a good client from its answer")
  func slowloris() {
    withStage { stage, world in
      for _ in 0..<200 { _ = world.connect("GET / HTTP/1.1\r\nX: ") }
      stage.settle()
      let start = world.monotonic
      let good = world.connect(request("GET /good"))
      stage.settle()
      #expect(good.text == echo("GET /good []"))
      #expect(world.monotonic == start)
    }
  }

  @Test("Without descriptors a resting connection makes room")
  func exhausted() {
    withStage { stage, world in
      let resting = world.connect()
      stage.settle()
      stage.run(milliseconds: Limits.evictionAgeMilliseconds)
      world.waiting.append(.exhausted)
      let late = world.connect(request("GET /late"))
      stage.settle()
      #expect(resting.isClosed)
      #expect(late.text == echo("GET /late []"))
    }
  }

  @Test("Nobody is sent away when the last descriptor has been given out and nobody else waits")
  func lastDescriptor() {
    withStage { stage, world in
      let resting = world.connect()
      stage.settle()
      let late = world.connect(request("GET /late"))
      // accept() says so before it looks whether somebody waits.
      world.waiting.append(.exhausted)
      stage.turn()
      world.waiting.removeAll()
      stage.settle()
      #expect(!resting.isClosed)
      #expect(late.text == echo("GET /late []"))
    }
  }

  @Test("Without descriptors and without anybody to send away the listener rests for a while")
  func exhaustedAlone() {
    withStage { stage, world in
      world.waiting.append(.exhausted)
      let late = world.connect(request("GET /late"))
      let waits = world.waitCount
      stage.run(milliseconds: 1_000)
      #expect(world.waitCount - waits < 60)
      #expect(late.sent.isEmpty)
      world.waiting.removeFirst()
      stage.run(milliseconds: 200)
      #expect(late.text == echo("GET /late []"))
    }
  }

  @Test("A connection that is gone before it is accepted changes nothing")
  func acceptNothing() {
    withStage { stage, world in
      world.waiting.append(.none)
      stage.turn()
      #expect(stage.openCount == 0)
      #expect(stage.isIdle)
    }
  }
}

@Suite struct FaultTests {
  @Test("A response goes out in as many pieces as the client takes")
  func partialSends() {
    for size in [1, 7, 1_000, 14_999] {
      withStage { stage, world in
        let peer = world.connect(request("GET /big") + request("GET /b"))
        peer.sendSizeMax = size
        stage.run(until: { peer.text.hasSuffix("GET /b []") })
        let big = String(repeating: "x", count: 15_000)
        #expect(peer.text == echo(big) + echo("GET /b []"))
      }
    }
  }

  @Test("Octets that are taken in pieces are taken once")
  func shortReads() {
    withStage { stage, world in
      let peer = world.connect(post("/a", "0123456789") + request("GET /b"))
      peer.receiveSizeMax = 11
      peer.receiveSizeMax = 120
      stage.run(until: { peer.text.hasSuffix("GET /b []") })
      #expect(peer.text == echo("POST /a [0123456789]") + echo("GET /b []"))
    }
  }

  @Test("A connection that breaks at any call is closed and concerns nobody else")
  func goneAtEachCall() {
    let faults: [(Peer) -> Void] = [
      { $0.receiveFaults = [.gone] }, { $0.receiveFaults = [.end] },
      { $0.receiveFaults = [.notNow, .gone] }, { $0.sendFaults = [.gone] },
      { $0.sendFaults = [.notNow, .gone] },
    ]
    for fault in faults {
      withStage { stage, world in
        let bad = world.connect(request("GET /bad"))
        let good = world.connect(request("GET /good"))
        fault(bad)
        stage.run(until: { bad.isClosed && !good.sent.isEmpty })
        #expect(good.text == echo("GET /good []"))
        #expect(bad.sent.isEmpty)
        #expect(stage.requests.lines.count { $0.hasPrefix("GET /bad") } <= 1)
      }
    }
  }

  @Test("A connection that breaks in the middle of its response gives the buffer back")
  func goneWhileSending() {
    withStage { stage, world in
      for _ in 0..<3 * Limits.largeBlockCountMax {
        let peer = world.connect(request("GET /big"))
        peer.room = 100
        stage.settle()
        peer.isReset = true
        stage.settle()
        #expect(peer.isClosed)
      }
      #expect(stage.isIdle)
    }
  }

  @Test("Wakeups for nothing change nothing")
  func spurious() {
    withStage { stage, world in
      world.isSpurious = true
      let peers = (0..<5).map { _ in world.connect() }
      for (i, peer) in peers.enumerated() {
        peer.sendSizeMax = 9
        peer.script = [(world.monotonic + 40 * Int64(i), [UInt8](post("/\(i)", "abc").utf8))]
      }
      stage.run(until: { peers.allSatisfy { $0.text.hasSuffix("[abc]") } })
      for (i, peer) in peers.enumerated() { #expect(peer.text == echo("POST /\(i) [abc]")) }
    }
  }
}

@Suite struct StopTests {
  @Test("A stop ends what waits for its client, finishes what is being sent, and returns")
  func stop() {
    let stage = Stage()
    let world = stage.world
    let resting = world.connect(request("GET /a"))
    let half = world.connect("GET / HT")
    let content = world.connect(request("POST /", "Content-Length: 4"))
    let lingering = world.connect("?\r\n")
    let slow = (1..<Limits.largeBlockCountMax).map { _ in world.connect(request("GET /big")) }
    stage.settle()
    #expect(stage.phase(of: lingering) == .lingering)
    world.stopAt = world.monotonic + 100
    for peer in slow {
      peer.room = 0
      peer.received = [UInt8](request("GET /big").utf8)
    }
    stage.settle()
    let late = world.connect()
    late.script = []
    world.waiting.removeAll()
    for peer in slow {
      peer.roomScript = [(world.stopAt! + 1_000, 9_000), (world.stopAt! + 2_000, 9_000)]
    }
    stage.runToStop()
    #expect(world.monotonic == world.stopAt! + 2_000)
    for peer in [resting, half, content, lingering] {
      #expect(peer.closedAt == world.stopAt)
    }
    #expect(slow.allSatisfy { $0.isClosed && $0.text.hasSuffix("xxx") })
    #expect(stage.isIdle)
    #expect(world.waitCount < 500)
  }

  @Test("A stop does not wait longer than five seconds, and gives everything back")
  func stopDeadline() {
    let stage = Stage()
    let world = stage.world
    let peer = world.connect(request("GET /big"))
    peer.room = 10
    stage.settle()
    world.stopAt = world.monotonic + 10
    stage.runToStop()
    #expect(world.monotonic == world.stopAt! + Limits.stopTimeoutMilliseconds)
    #expect(peer.isClosed)
    #expect(stage.isIdle)
  }

  @Test("A stop takes no connection any more, also when one comes with it")
  func stopWithConnection() {
    let stage = Stage()
    let world = stage.world
    stage.turn()
    world.stopAt = world.monotonic
    let late = world.connect(request("GET /late"))
    stage.runToStop()
    #expect(late.sent.isEmpty)
    #expect(stage.isIdle)
    #expect(!world.isListening)
  }

  @Test("A server without any connection waits for ever, and for a stop")
  func endless() {
    let stage = Stage()
    stage.turn()
    #expect(stage.world.endlessWaitCount == 1)
    stage.world.stopAt = stage.world.monotonic
    stage.runToStop()
    #expect(stage.isIdle)
  }
}
