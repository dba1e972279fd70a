// Requests that come in one piece with earlier ones and are not whole: the kernel must not be left with
// them, because it keeps the whole piece for the rest and has no room for what follows.

import MartletBytes
import MartletHTTP
import Testing

@testable import MartletServer

@Suite struct StashTests {
  @Test("What is left of a piece is taken out of the kernel; wherever it was cut, all is answered")
  func everyCut() {
    let first = request("GET /a")
    for second in [
      post("/b", "hello"), request("GET /b"),
      request("POST /upload", "Transfer-Encoding: chunked") + "3\r\nabc\r\n0\r\n\r\n",
    ] {
      for cut in 1..<second.utf8.count {
        withStage { stage, world in
          let octets = [UInt8](second.utf8)
          let peer = world.connect(first)
          peer.received += octets.prefix(cut)
          peer.script = [
            (world.monotonic + 10, octets.dropFirst(cut) + [UInt8](request("GET /c").utf8))
          ]
          let stashed = Counter.requestsStashed.value
          stage.run(until: { peer.text.hasSuffix(echo("GET /c []")) })
          // Chunks are taken as they come.
          #expect(Counter.requestsStashed.value > stashed || second.contains("upload"))
          #expect(stage.requests.lines.first == "GET /a []")
          #expect(stage.requests.lines.last == "GET /c []", "cut at \(cut) of \(second.utf8.count) \(peer.text)")
          #expect(stage.requests.lines.count == (second.contains("upload") ? 4 : 3))
        }
      }
    }
  }

  @Test("A request that came on its own stays with the kernel")
  func alone() {
    withStage { stage, world in
      let peer = world.connect(request("GET /a"))
      stage.run(until: { !peer.sent.isEmpty })
      peer.received = [UInt8]("GET /b HTTP/1.1\r\n".utf8)
      stage.run(until: { stage.phase(of: peer) == .head })
      peer.script = [(world.monotonic + 10, [UInt8]("Host: h\r\n\r\n".utf8))]
      // Were it taken, the connection would be closed.
      peer.receiveFaults = [.gone]
      stage.run(until: { peer.text.hasSuffix(echo("GET /b []")) })
    }
  }

  @Test("Half of the buffers are left to responses, and who gets none waits")
  func bounded() {
    withStage { stage, world in
      let peers = (0..<20).map { _ in world.connect(request("GET /a") + "GET /b HTTP/1.1\r\n") }
      stage.run(until: { peers.allSatisfy { stage.phase(of: $0) == .head && !$0.sent.isEmpty } })
      let good = world.connect(request("GET /good"))
      stage.run(until: { !good.sent.isEmpty })
      #expect(peers.count { $0.received.isEmpty } == Limits.stashCountMax)
      for peer in peers { peer.script = [(world.monotonic + 10, [UInt8]("Host: h\r\n\r\n".utf8))] }
      stage.run(until: { peers.allSatisfy { $0.text.hasSuffix(echo("GET /b []")) } })
    }
  }

  @Test("Whatever taking it comes to, and whoever goes, nothing is left over")
  func faults() {
    for fault in [Transfer.notNow, .end, .gone] {
      withStage { stage, world in
        let peer = world.connect(request("GET /a") + "GET /b HTTP/1.1\r\n")
        peer.receiveFaults = [fault]
        stage.run(until: { !peer.sent.isEmpty })
        stage.run(milliseconds: 10)
        #expect(peer.isClosed == (fault != .notNow))
      }
    }
    withStage { stage, world in
      let peer = world.connect(request("GET /a") + "GET /b HTTP/1.1\r\n")
      stage.run(until: { peer.isClosed })
      #expect(peer.text.contains("HTTP/1.1 408"), "its deadline is that of every head")
    }
  }

  @Test("The longest request is put together from stash and kernel")
  func longest() {
    withStage { stage, world in
      let content = String(repeating: "x", count: 16_384)
      let octets = [UInt8](
        request(
          "POST /b", "Content-Length: 16384", "Cookie: " + String(repeating: "c", count: 8_000)
        ).utf8) + [UInt8](content.utf8)
      let peer = world.connect(request("GET /a"))
      peer.received += octets.prefix(23_000)
      stage.run(until: { !peer.sent.isEmpty })
      peer.script = [(world.monotonic + 10, [UInt8](octets.dropFirst(23_000)))]
      let stashed = Counter.requestsStashed.value
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
      stage.run(until: { stage.phase(of: peer) == .idle })
      #expect(peer.text.hasSuffix("xxx"))
    }
  }
}

@Suite struct ConnectionSizeTests {
  @Test("A slot is as small as its memory says")
  func size() { #expect(MemoryLayout<Connection>.stride == Limits.connectionSlotSize) }
}
