// Content that its page takes in pieces: any length, nothing of it held here.

import MartletBytes
import MartletHTTP
import Testing

@testable import MartletServer

@Suite struct ContentTests {
  func chunked(_ parts: [Int]) -> String {
    request("POST /upload", "Transfer-Encoding: chunked")
      + parts.map { "\(String($0, radix: 16))\r\n\(String(repeating: "x", count: $0))\r\n" }
      .joined() + "0\r\n\r\n"
  }

  @Test("A content larger than every buffer arrives whole, in order, in pieces of a buffer at most")
  func large() {
    withStage { stage, world in
      let content = String((0..<90_000).map { Character(UnicodeScalar(UInt8(0x41 + $0 % 50))) })
      let peer = world.connect(
        request("POST /upload", "Content-Length: \(content.utf8.count)") + content
          + request("GET /a"))
      stage.run(until: { peer.text.hasSuffix(echo("GET /a []")) })
      #expect(peer.text == took(90_000) + echo("GET /a []"))
      #expect(stage.requests.taken.flatMap { $0 } == [UInt8](content.utf8))
      #expect(stage.requests.taken.allSatisfy { $0.count <= Limits.receiveSizeMax })
    }
  }

  @Test("Chunks give the same content, however they arrive")
  func chunks() {
    for size in [1, 2, 3, 17, 4_096, Int.max] {
      withStage { stage, world in
        let peer = world.connect()
        peer.received = [UInt8]((chunked([5, 1, 300, 2_000]) + request("GET /a")).utf8)
        peer.receiveSizeMax = size
        // What looks at the same octets again gets more of them by and by.
        stage.run(
          until: {
            peer.receiveSizeMax = peer.receiveSizeMax == .max ? .max : peer.receiveSizeMax + 1
            return peer.text.hasSuffix(echo("GET /a []"))
          })
        #expect(peer.text == took(2_306) + echo("GET /a []"))
        #expect(stage.requests.taken.reduce(0) { $0 + $1.count } == 2_306)
      }
    }
  }

  @Test("Chunks that trickle in octet by octet are taken")
  func trickling() {
    withStage { stage, world in
      let octets = [UInt8](chunked([3, 4]).utf8)
      let peer = world.connect()
      peer.script = octets.enumerated().map { (world.monotonic + Int64($0 * 10), [$1]) }
      stage.run(until: { !peer.sent.isEmpty })
      #expect(peer.text == took(7))
    }
  }

  @Test("More than the page takes is refused: at once where it is announced")
  func tooMuch() {
    for text in [
      request("POST /upload", "Content-Length: 1001"),
      request("POST /upload", "Transfer-Encoding: chunked") + "3e9\r\n",
      request("POST /upload", "Transfer-Encoding: chunked") + "3e8\r\n"
        + String(repeating: "x", count: 1_000) + "\r\n1\r\n",
    ] {
      withStage { stage, world in
        stage.requests.uploadMax = 1_000
        let peer = world.connect(text)
        stage.run(until: { !peer.sent.isEmpty })
        #expect(peer.text.hasPrefix("HTTP/1.1 413 Content Too Large"))
        #expect(peer.text.contains("Connection: close"))
        #expect(stage.requests.abandonedUploads.count == 1)
      }
    }
  }

  @Test("A broken chunk is refused, and the page is told that there will be no more")
  func brokenChunks() {
    for (text, status) in [
      ("x\r\n", 400), ("1\r\nab\r\n", 400), ("1\nx", 400), ("-1\r\n", 400),
      ("1;" + String(repeating: "e", count: 300), 400), ("ffffffffffffffff\r\n", 413),
      ("0\r\nHost: x\r\n\r\n", 400),
    ] {
      withStage { stage, world in
        let peer = world.connect(request("POST /upload", "Transfer-Encoding: chunked") + text)
        stage.run(until: { !peer.sent.isEmpty })
        #expect(peer.text.hasPrefix("HTTP/1.1 4"), "\(text) \(status)")
        #expect(stage.requests.abandonedUploads.count == 1)
      }
    }
  }

  @Test("A page may refuse midway; what still arrives is read over")
  func refusedMidway() {
    withStage { stage, world in
      let peer = world.connect(
        request("POST /upload", "Content-Length: 50000") + String(repeating: "!", count: 50_000)
          + request("GET /a"))
      stage.run(until: { !peer.sent.isEmpty })
      #expect(peer.text.hasPrefix("HTTP/1.1 409 Conflict"))
      #expect(stage.requests.abandonedUploads == [1] && stage.requests.finished.isEmpty)
      stage.run(milliseconds: 100)
      #expect(stage.requests.lines == ["POST /upload []"])
    }
  }

  @Test("A page that does not want the content answers at once, and the connection ends")
  func unwanted() {
    withStage { stage, world in
      let peer = world.connect(request("POST /refused", "Content-Length: 50000") + "abc")
      stage.run(until: { !peer.sent.isEmpty })
      #expect(peer.text == echo("POST /refused []", closes: true))
    }
  }

  @Test("A client that waits for 100 Continue gets it when the page wants the content, once")
  func expectation() {
    withStage { stage, world in
      let peer = world.connect(
        request("POST /upload", "Content-Length: 3", "Expect: 100-continue"))
      stage.run(until: { !peer.sent.isEmpty })
      #expect(peer.text == "HTTP/1.1 100 Continue\r\n\r\n")
      peer.received = [UInt8]("abc".utf8)
      stage.run(until: { peer.text.contains("201") })
      #expect(peer.text == "HTTP/1.1 100 Continue\r\n\r\n" + took(3))
    }
  }

  @Test("Each upload of a connection that waits for 100 Continue gets it")
  func expectationAgain() {
    withStage { stage, world in
      let peer = world.connect()
      var expected = ""
      for _ in 0..<3 {
        peer.received = [UInt8](
          request("POST /upload", "Content-Length: 3", "Expect: 100-continue").utf8)
        expected += "HTTP/1.1 100 Continue\r\n\r\n"
        stage.run(until: { peer.text == expected })
        #expect(peer.text == expected)
        peer.received = [UInt8]("abc".utf8)
        expected += took(3)
        stage.run(until: { peer.text == expected })
        #expect(peer.text == expected)
      }
    }
  }

  @Test("A client that vanishes, or stops sending, leaves nothing behind")
  func vanished() {
    for stops in [true, false] {
      withStage { stage, world in
        let peer = world.connect(request("POST /upload", "Content-Length: 500") + "abc")
        stage.run(until: { !stage.requests.taken.isEmpty })
        if !stops { peer.isDone = true }
        let end = world.monotonic + (stops ? Limits.contentTimeoutMilliseconds : 0)
        stage.run(until: { stops ? !peer.sent.isEmpty : peer.isClosed })
        #expect(stage.requests.abandonedUploads.count == 1)
        #expect(world.monotonic >= end)
        #expect(world.monotonic <= end + Limits.lingerTimeoutMilliseconds)
        #expect(!stops || peer.text.hasPrefix("HTTP/1.1 408"))
      }
    }
  }

  @Test("Whatever receiving comes to, nothing is left over")
  func faults() {
    for fault in [Transfer.notNow, .end, .gone] {
      for position in 0..<4 {
        withStage { stage, world in
          let peer = world.connect(chunked([10]))
          switch position {
          case 0: peer.receiveFaults = [fault]
          case 1: peer.receiveFaults = [fault]
          case 2: peer.receiveFaults = [.octets(0), fault].filter { $0 != .octets(0) }
          default: peer.sendFaults = [fault]
          }
          stage.run(milliseconds: 50)
          #expect(peer.isClosed || peer.text == took(10) || fault == .notNow)
        }
      }
    }
  }

  @Test("Two hundred slow senders keep nobody from an answer: what finds no block is told to come again")
  func slowSenders() {
    withStage { stage, world in
      let peers = (0..<200).map { _ in
        world.connect(request("POST /upload", "Content-Length: 90000") + "abc")
      }
      let count = Limits.smallBlockCountMax + Limits.largeBlockCountMax - 1
      stage.run(until: { stage.requests.taken.count + peers.count { !$0.sent.isEmpty } == 200 })
      #expect(stage.requests.taken.count == count && stage.uploadBlockCount == count)
      #expect(peers.allSatisfy { $0.sent.isEmpty || $0.text.hasPrefix("HTTP/1.1 503 ") })
      let good = world.connect(request("GET /a"))
      let start = world.monotonic
      stage.run(until: { !good.sent.isEmpty })
      #expect(world.monotonic == start)
    }
  }
}
