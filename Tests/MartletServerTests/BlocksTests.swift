// Octets that cannot be handled at once lie in a block: requests that are not whole, and requests that have
// come in one piece with an earlier one.

import MartletBytes
import MartletHTTP
import Testing

@testable import MartletServer

@Suite struct BlocksTests {
  @Test("What is left of a piece is taken out of the kernel; wherever it was cut, all is answered")
  func everyCut() {
    let first = request("GET /a")
    for second in [
      post("/b", "hello"), request("GET /b"),
      request("POST /upload", "Transfer-Encoding: chunked") + "3\r\nabc\r\n0\r\n\r\n",
      post("/upload", "hello"),
      request("POST /slow", "Transfer-Encoding: chunked") + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    ] {
      for cut in 1..<second.utf8.count {
        withStage { stage, world in
          let octets = [UInt8](second.utf8)
          let peer = world.connect(first)
          peer.received += octets.prefix(cut)
          peer.script = [
            (world.monotonic + 10, octets.dropFirst(cut) + [UInt8](request("GET /c").utf8))
          ]
          stage.run(until: { peer.text.hasSuffix(echo("GET /c []")) })
          #expect(stage.requests.lines.first == "GET /a []")
          #expect(
            stage.requests.lines.last == "GET /c []", "cut at \(cut) of \(second.utf8.count) \(peer.text)")
          #expect(stage.requests.lines.count == (second.contains("upload") ? 4 : 3))
        }
      }
    }
  }

  @Test("Requests in pieces of any sizes, which arrive between any two calls, are answered")
  func anyPieces() {
    let all = [UInt8](
      (0..<12).map {
        switch $0 % 4 {
        case 0: post("/\($0)", "content")
        case 1: post("/upload", "content")
        case 2: request("POST /upload", "Transfer-Encoding: chunked") + "3\r\nabc\r\n1;x\r\nd\r\n0\r\n\r\n"
        default: request("GET /\($0)")
        }
      }
      .joined().utf8)
    let expected = (0..<12).map {
      switch $0 % 4 {
      case 0: echo("POST /\($0) [content]")
      case 1: took(7)
      case 2: took(4)
      default: echo("GET /\($0) []")
      }
    }.joined()
    for seed in 0..<200 {
      var dice = UInt32(seed)
      func roll(_ sides: Int) -> Int {
        dice = dice &* 1_664_525 &+ 1_013_904_223
        return Int(dice >> 8) % sides
      }
      withStage { stage, world in
        let peer = world.connect()
        var rest = all[...]
        let sizeMax = 1 + roll(100)
        while !rest.isEmpty {
          let piece = rest.prefix(roll(sizeMax + 1))
          peer.trickle.append([UInt8](piece))
          rest = rest.dropFirst(piece.count)
        }
        stage.run(until: { peer.text.utf8.count >= expected.utf8.count })
        #expect(peer.text == expected, "seed \(seed)")
      }
    }
  }

  @Test("A request that is there as a whole is read in one call, whatever came of the ones before")
  func atOnce() {
    withStage { stage, world in
      let peer = world.connect()
      for octets in [request("GET /a"), post("/b", "hello"), request("GET /a")] {
        peer.sent = []
        peer.received = [UInt8](octets.utf8)
        stage.run(until: { !peer.sent.isEmpty && stage.rests(peer) })
      }
      #expect(stage.requests.lines == ["GET /a []", "POST /b [hello]", "GET /a []"])
    }
  }

  @Test("When all blocks hold beginnings the one that has waited longest gets 408; whole requests go on")
  func scarce() {
    withStage { stage, world in
      let begun = "GET /b HTTP/1.1\r\n"
      let first = world.connect(begun)
      stage.settle()
      stage.run(milliseconds: 5)
      let count = Limits.smallBlockCountMax + Limits.largeBlockCountMax - 2
      let peers = (0..<count).map { _ in world.connect(begun) }
      stage.run(until: { peers.allSatisfy { stage.hasBegun($0) } })
      #expect(stage.requestBlockCount == count + 1 && !first.isClosed)
      // All are younger than a moment: the next beginning is told to come again. A whole request needs none.
      let early = world.connect(begun)
      let good = world.connect(request("GET /good"))
      stage.settle()
      #expect(early.text.hasPrefix("HTTP/1.1 503 ") && early.text.contains("\r\nRetry-After: 5\r\n"))
      #expect(good.text == echo("GET /good []") && first.sent.isEmpty)
      stage.run(milliseconds: Limits.evictionAgeMilliseconds)
      let late = world.connect(begun)
      stage.settle()
      #expect(first.text.hasPrefix("HTTP/1.1 408 ") && !peers.contains { !$0.sent.isEmpty })
      for peer in peers + [late] { peer.received = [UInt8]("Host: h\r\n\r\n".utf8) }
      stage.run(until: { (peers + [late]).allSatisfy { $0.text == echo("GET /b []") } })
    }
  }

  @Test("A network with many beginnings gives up a block for one with few, however old that one's is")
  func shares() {
    withStage { stage, world in
      let few = IPAddress(high: 0, low: 0xFFFF_C633_6401)
      let slow = world.connect("GET /slow HTTP/1.1\r\n", from: few)
      stage.settle()
      stage.run(milliseconds: 1_000)
      for _ in 0..<Limits.smallBlockCountMax + 2 * Limits.largeBlockCountMax {
        _ = world.connect("GET /greedy HTTP/1.1\r\n")
        stage.run(milliseconds: 60)
      }
      slow.received = [UInt8]("Host: h\r\n\r\n".utf8)
      stage.run(until: { !slow.sent.isEmpty })
      #expect(slow.text == echo("GET /slow []"))
    }
  }

  @Test("A head beyond a small block moves to a large one, or is told to come again")
  func large() {
    withStage { stage, world in
      let head = request("GET /large", "X: " + String(repeating: "y", count: 6_000))
      func begin() -> Peer {
        let peer = world.connect()
        stage.settle()
        for piece in [head.utf8.prefix(1_000), head.utf8.dropFirst(1_000).prefix(3_000)] {
          peer.received += piece
          stage.settle()
        }
        return peer
      }
      let peers = (0..<Limits.largeBlockCountMax - 1).map { _ in begin() }
      #expect(stage.requestBlockCount == peers.count)
      #expect(begin().text.hasPrefix("HTTP/1.1 503 "))
      stage.run(milliseconds: Limits.evictionAgeMilliseconds)
      let late = begin()
      #expect(peers[0].text.hasPrefix("HTTP/1.1 408 ") && late.sent.isEmpty)
      for peer in peers + [late] { peer.received += head.utf8.dropFirst(4_000) }
      stage.run(until: { !late.sent.isEmpty })
      for peer in peers.dropFirst() + [late] { #expect(peer.text == echo("GET /large []")) }
    }
  }

  @Test("Who sends the next request with one, and reads nothing, loses that next request where all is short")
  func pipelined() {
    withStage { stage, world in
      let count = Limits.smallBlockCountMax + Limits.largeBlockCountMax - 1
      for _ in 0..<count { _ = world.connect("GET /b HTTP/1.1\r\n") }
      stage.settle()
      #expect(stage.requestBlockCount == count)
      let peer = world.connect(request("GET /big") + request("GET /next"))
      peer.room = 10
      stage.settle()
      #expect(peer.sent.count == 10)
      peer.room = .max
      stage.settle()
      #expect(peer.text.hasSuffix("xxx") && peer.isFinished)
      #expect(!stage.requests.lines.contains("GET /next []"))
    }
  }

  @Test("Uploads go on while all blocks are held")
  func uploads() {
    withStage { stage, world in
      let content = String(repeating: "u", count: 50_000)
      let peer = world.connect(request("POST /upload", "Content-Length: 50000"))
      stage.settle()
      let count = Limits.smallBlockCountMax + Limits.largeBlockCountMax - 2
      for _ in 0..<count { _ = world.connect("GET /b HTTP/1.1\r\n") }
      stage.settle()
      #expect(stage.requestBlockCount == count)
      peer.received = [UInt8](content.utf8)
      stage.settle()
      #expect(peer.text == took(50_000))
    }
  }

  @Test("Requests that are taken in one piece are answered one a turn, and others between them")
  func onePiece() {
    withStage { stage, world in
      let peer = world.connect((0..<50).map { request("GET /\($0)") }.joined())
      let other = world.connect(request("GET /other"))
      stage.run(until: { !other.sent.isEmpty })
      #expect(peer.received.isEmpty && stage.requests.lines.count <= 3)
      peer.isDone = true
      stage.run(until: { peer.isClosed })
      #expect(peer.text == (0..<50).map { echo("GET /\($0) []") }.joined())
    }
  }

  @Test("Content that was taken with its head goes to its page piece by piece, whoever is between")
  func content() {
    for octets in [
      request("POST /upload", "Transfer-Encoding: chunked")
        + String(repeating: "1\r\nx\r\n", count: 300) + "0\r\n\r\n",
      post("/upload", String(repeating: "x", count: 300)),
    ] {
      withStage { stage, world in
        let peer = world.connect(octets + request("GET /after"))
        stage.run(until: { peer.received.isEmpty })
        let other = world.connect()
        stage.run(until: {
          if other.received.isEmpty { other.received = [UInt8](request("GET /").utf8) }
          return peer.text.hasSuffix(echo("GET /after []"))
        })
        #expect(stage.requests.taken.flatMap { $0 } == [UInt8](repeating: 0x78, count: 300))
        #expect(stage.requests.lines.contains("took 300"))
      }
    }
  }

  @Test("A peer that has said all while it is in the stash is answered")
  func halfClosed() {
    for octets in [
      request("POST /upload", "Transfer-Encoding: chunked") + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
      post("/upload", "abcde"),
      request("POST /slow", "Transfer-Encoding: chunked") + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    ] {
      withStage { stage, world in
        let peer = world.connect(request("GET /a") + octets)
        peer.isDone = true
        stage.run(until: { peer.isClosed })
        #expect(peer.text.hasSuffix("took 5") || peer.text.hasSuffix("POST /slow [abcde]"))
      }
    }
  }

  @Test("Work for a request that is partly in the stash is counted once, whatever the kernel says")
  func workedFor() {
    withStage { stage, world in
      world.microsecondsPerLook = 1_000
      let octets = [UInt8](request("GET /work", "A: b").utf8)
      let peer = world.connect()
      peer.received = [UInt8](octets.prefix(30))
      stage.run(until: { peer.received.isEmpty })
      peer.received = [UInt8](octets.dropFirst(30))
      stage.run(until: { stage.workingCount == 1 })
      peer.receiveFaults = [.notNow, .notNow, .notNow]
      stage.run(until: { peer.text == echo("GET /work []") })
      #expect(stage.workingCount == 0)
    }
  }

  @Test("What is refused holds no stash while it is told so")
  func refused() {
    withStage { stage, world in
      let stashed = Counter.requestsStashed.value
      let peers = (0..<Limits.largeBlockCountMax).map { _ in
        let peer = world.connect("GET / HTTP/1.1\r\n\r\n")
        peer.room = 10
        return peer
      }
      stage.run(until: { peers.allSatisfy { $0.sent.count == 10 } })
      #expect(stage.responseBlockCount == peers.count && Counter.requestsStashed.value >= stashed)
      for peer in peers { peer.room = .max }
      stage.run(until: { peers.allSatisfy { $0.text.contains("</html>") } })
    }
  }

  @Test("Who reads slowly what it has asked for in one piece is not cut")
  func readsSlowly() {
    withStage { stage, world in
      let peer = world.connect(request("GET /big") + request("GET /big") + request("GET /big"))
      peer.sentByKernel = 0
      stage.run(until: { stage.waits(peer, for: .room) })
      for _ in 0..<6 {
        stage.run(milliseconds: 9_000)
        peer.sentByKernel = (peer.sentByKernel ?? 0) + 50
        #expect(!peer.isClosed)
      }
      peer.sentByKernel = nil
      stage.run(until: { stage.rests(peer) })
    }
  }

  @Test("A client that is taken at once, and goes, leaves nothing behind")
  func atOnceAndGone() {
    for octets in ["GET /a HTTP/1.1\r\n", request("GET /a") + "GET", request("GET /work") + "GET"] {
      withStage { stage, world in
        let peer = world.connect(octets)
        stage.run(until: { peer.received.isEmpty })
        peer.isReset = true
        stage.run(until: { peer.isClosed })
      }
    }
  }

  @Test("The longest request is put together from stash and kernel")
  func longest() {
    withStage { stage, world in
      let content = String(repeating: "x", count: 16_384)
      let octets =
        [UInt8](
          request(
            "POST /b", "Content-Length: 16384", "Cookie: " + String(repeating: "c", count: 8_000)
          ).utf8) + [UInt8](content.utf8)
      let stashed = Counter.requestsStashed.value
      let peer = world.connect(request("GET /a"))
      peer.received += octets.prefix(23_000)
      stage.run(until: { !peer.sent.isEmpty })
      peer.script = [(world.monotonic + 10, [UInt8](octets.dropFirst(23_000)))]
      stage.run(until: { stage.requests.lines.count == 2 })
      #expect(Counter.requestsStashed.value > stashed)
      #expect(stage.requests.lines.last == "POST /b [\(content)]")
    }
  }

  @Test("A reader who is slower than the kernel's measure of room is not cut")
  func slowReader() {
    withStage { stage, world in
      let peer = world.connect(request("GET /big"))
      peer.room = 5_000
      peer.sentByKernel = 0
      stage.run(until: { peer.sent.count == 5_000 })
      // The kernel has no room to offer, but its peer takes a little each nine seconds.
      for _ in 0..<5 {
        stage.run(milliseconds: 9_000)
        peer.sentByKernel = (peer.sentByKernel ?? 0) + 500
        #expect(!peer.isClosed)
      }
      peer.room = .max
      stage.run(until: { stage.rests(peer) })
      #expect(peer.text.hasSuffix("xxx"))
    }
  }
}

@Suite struct ConnectionSizeTests {
  @Test("A slot is as small as its memory says")
  func size() { #expect(MemoryLayout<Connection>.stride == Limits.connectionSlotSize) }
}
