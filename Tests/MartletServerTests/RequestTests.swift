// Octets in, octets out: however they arrive, the answers are the same.

import MartletBytes
import MartletHTTP
import TestSupport
import Testing

@testable import MartletServer

@Suite struct RequestTests {
  @Test("A request in one piece is answered with its page")
  func whole() {
    withStage { stage, world in
      let peer = world.connect(request("GET /a"))
      stage.settle()
      #expect(peer.text == echo("GET /a []"))
      #expect(stage.rests(peer))
    }
  }

  @Test(
    "A request that comes one octet at a time gets the same answer",
    arguments: [true, false], [true, false])
  func trickle(honoursWakeCount: Bool, isSpurious: Bool) {
    let requests = [
      (request("GET /a"), echo("GET /a []")),
      (post("/b", "name=value&x=y"), echo("POST /b [name=value&x=y]")),
      (
        request("POST /c", "Transfer-Encoding: chunked")
          + "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nA: b\r\n\r\n",
        echo("POST /c [abcde]")
      ),
    ]
    for (octets, answer) in requests {
      withStage { stage, world in
        world.isSpurious = isSpurious
        let peer = world.connect()
        for (i, octet) in octets.utf8.enumerated() {
          peer.script.append((world.monotonic + Int64(i) * 30, [octet]))
        }
        stage.run(until: { peer.sent.count >= answer.utf8.count })
        #expect(peer.text == answer)
      }
    }
  }

  @Test("A content that arrives after its head is answered as soon as it is there")
  func contentAfterHead() {
    withStage { stage, world in
      let peer = world.connect(request("POST /a", "Content-Length: 10"))
      peer.script = [(world.monotonic + 50, [UInt8]("hello".utf8))]
      stage.settle()
      #expect(stage.phase(of: peer) == .receivingBody)
      stage.run(milliseconds: 60)
      peer.script = [(world.monotonic + 50, [UInt8]("world".utf8))]
      let start = world.monotonic
      stage.run(until: { !peer.sent.isEmpty })
      #expect(peer.text == echo("POST /a [helloworld]"))
      #expect(world.monotonic - start == 50)
    }
  }

  @Test("Pipelined requests are answered in order, each once")
  func pipelined() {
    withStage { stage, world in
      let peer = world.connect(
        request("GET /1") + post("/2", "two") + request("POST /3", "Transfer-Encoding: chunked")
          + "5\r\nthree\r\n0\r\n\r\n" + request("GET /4"))
      stage.settle()
      #expect(
        peer.text == echo("GET /1 []") + echo("POST /2 [two]") + echo("POST /3 [three]")
          + echo("GET /4 []"))
    }
  }

  @Test(
    "A head that can be none is refused when the peer ends, in pieces as in one piece",
    arguments: ["GET / HTTP/1.1\nHost: h\n\n", "GET / HTTP/1.1\r\nb@d: x\r\n", "\u{16}\u{3}\u{1}"])
  func refusedAtTheEnd(text: String) {
    withStage { stage, world in
      let whole = world.connect(text)
      let pieces = world.connect()
      stage.settle()
      for octet in text.utf8 {
        pieces.received.append(octet)
        stage.settle()
      }
      whole.isDone = true
      pieces.isDone = true
      stage.settle()
      #expect(whole.text.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
      #expect(pieces.text == whole.text)
      #expect(whole.isClosed && pieces.isClosed)
    }
  }

  @Test("What ends before it can be told is not answered")
  func unfinished() {
    withStage { stage, world in
      let peer = world.connect()
      stage.settle()
      for octet in "GET / HTTP/1.1\r\nHost: h\r\n".utf8 {
        peer.received.append(octet)
        stage.settle()
      }
      peer.isDone = true
      stage.settle()
      #expect(peer.sent.isEmpty && peer.isClosed)
    }
  }

  @Test("Nothing of a request remains for the next one")
  func nothingLeaks() {
    withStage { stage, world in
      let peer = world.connect(post("/a", "secret=1"))
      stage.settle()
      peer.received += [UInt8](request("POST /b", "Content-Length: 0").utf8)
      stage.settle()
      #expect(peer.text == echo("POST /a [secret=1]") + echo("POST /b []"))
    }
  }

  @Test("A connection goes on until the client or its version says otherwise")
  func keepAlive() {
    withStage { stage, world in
      let kept = world.connect(request("GET /a"))
      let closing = world.connect(request("GET /b", "Connection: close"))
      let old = world.connect("GET /c HTTP/1.0\r\n\r\n")
      stage.settle()
      #expect(!kept.isClosed)
      #expect(closing.text == echo("GET /b []", closes: true))
      #expect(closing.isClosed)
      #expect(old.text == echo("GET /c []", closes: true))
      #expect(old.isClosed)
    }
  }

  @Test("What follows the last request is read over, not answered, and does not reset the answer")
  func afterClose() {
    withStage { stage, world in
      let peer = world.connect(request("GET /a", "Connection: close") + request("GET /b"))
      stage.settle()
      #expect(peer.text == echo("GET /a []", closes: true))
      #expect(peer.isFinished && !peer.isClosed)
      #expect(stage.phase(of: peer) == .lingering)
      peer.isDone = true
      stage.settle()
      #expect(peer.isClosed)
    }
  }

  @Test("HEAD is answered with GET's fields and without content")
  func head() {
    withStage { stage, world in
      let peer = world.connect(request("HEAD /a") + request("GET /b"))
      stage.settle()
      #expect(peer.text == echo("HEAD /a []", sendsContent: false) + echo("GET /b []"))
    }
  }

  @Test("A status without content sends none, whatever the page wrote")
  func noContent() {
    withStage { stage, world in
      let peer = world.connect(request("GET /nothing") + request("GET /b"))
      stage.settle()
      #expect(
        peer.text == "HTTP/1.1 204 No Content\r\n\(date)\(stays)X-Echo: yes\r\n\r\n" + echo("GET /b []"))
    }
  }

  @Test("An expected 100 Continue is sent once, and not when the content is there already")
  func expectContinue() {
    let head = request("POST /a", "Content-Length: 4", "Expect: 100-continue")
    withStage { stage, world in
      let peer = world.connect(head)
      stage.settle()
      #expect(peer.text == "HTTP/1.1 100 Continue\r\n\r\n")
      peer.received += [UInt8]("ab".utf8)
      stage.settle()
      peer.received += [UInt8]("cd".utf8)
      stage.run(until: { peer.text.hasSuffix("]") })
      #expect(peer.text == "HTTP/1.1 100 Continue\r\n\r\n" + echo("POST /a [abcd]"))
    }
    withStage { stage, world in
      let peer = world.connect(head + "abcd")
      stage.settle()
      #expect(peer.text == echo("POST /a [abcd]"))
    }
  }

  @Test(
    "A 100 Continue that only half fits ends the connection: half of it would garble the answer")
  func halfContinue() {
    withStage { stage, world in
      let peer = world.connect(
        request("POST /a", "Content-Length: 4", "Expect: 100-continue"))
      peer.sendSizeMax = 10
      stage.settle()
      #expect(peer.isClosed)
    }
    withStage { stage, world in
      // None of it: the client waits for a while and sends anyway.
      let peer = world.connect(
        request("POST /a", "Content-Length: 4", "Expect: 100-continue"))
      peer.sendFaults = [.notNow]
      stage.settle()
      peer.received += [UInt8]("abcd".utf8)
      stage.settle()
      #expect(peer.text == echo("POST /a [abcd]"))
    }
  }

  @Test("The largest head and the largest content together are answered")
  func largest() {
    withStage { stage, world in
      var fields = ""
      for i in 0..<98 { fields += "X-\(i): " + String(repeating: "v", count: 150) + "\r\n" }
      let content = String(repeating: "c", count: Limits.requestContentSizeMax)
      let head =
        "POST /a HTTP/1.1\r\nHost: h\r\n\(fields)Content-Length: \(content.utf8.count)\r\n\r\n"
      #expect(head.utf8.count <= Limits.requestHeadSizeMax)
      let peer = world.connect(head + content + request("GET /b"))
      stage.settle()
      #expect(stage.requests.lines.count == 2)
      #expect(peer.text.hasSuffix(echo("GET /b []")))
      // Too large for a response, and the echo overflowed: it still has the length it says.
      #expect(stage.requests.lines[0] == "POST /a [\(content)]")
    }
  }

  @Test("A refused request is answered with its status, a page and an end")
  func refusals() {
    let cases: [(String, Refusal)] = [
      ("GET / HTTP/1.1\r\n\r\n", .hostMissing),
      ("GET  / HTTP/1.1\r\n", .targetMalformed),
      ("BREW / HTTP/1.1\r\nHost: h\r\n\r\n", .methodUnknown),
      ("GET /" + String(repeating: "a", count: 9_000), .targetTooLong),
      ("GET / HTTP/2.0\r\nHost: h\r\n\r\n", .versionUnsupported),
      (request("GET /", "X: " + String(repeating: "a", count: 17_000)), .headTooLarge),
      (request("POST /", "Content-Length: 16385"), .contentTooLarge),
      (request("POST /", "Content-Length: 1", "Transfer-Encoding: chunked"), .framingAmbiguous),
      (request("POST /", "Transfer-Encoding: gzip"), .transferEncodingMalformed),
      (request("POST /", "Transfer-Encoding: gzip, chunked"), .transferEncodingMalformed),
      (request("POST /", "Expect: tea"), .expectationUnknown),
      (request("POST /", "Origin: http://h", "Origin: http://other"), .fieldRepeated),
      (request("POST /", "Transfer-Encoding: chunked") + "x\r\n", .chunkSizeMalformed),
      (request("POST /", "Transfer-Encoding: chunked") + "FFFFFFFF\r\n", .contentTooLarge),
    ]
    for (octets, refusal) in cases {
      withStage { stage, world in
        let peer = world.connect(octets + request("GET /not-reached"))
        stage.settle()
        let status = "HTTP/1.1 \(refusal.status.code) "
        #expect(peer.text.hasPrefix(status), "\(refusal)")
        #expect(peer.text.contains("\r\nConnection: close\r\n"))
        #expect(peer.text.contains("\r\nContent-Type: text/html; charset=utf-8\r\n"))
        #expect(peer.text.contains("<p>\(String(refusal.reason))</p>"))
        #expect(peer.text.components("HTTP/1.1").count == 2, "one answer")
        #expect(peer.isFinished)
        #expect(stage.requests.lines.isEmpty)
      }
    }
  }

  @Test("Chunks that go beyond the limit of a content are refused; their framing does not count")
  func framingTooLarge() {
    withStage { stage, world in
      var octets = request("POST /", "Transfer-Encoding: chunked")
      for _ in 0..<16_384 { octets += "1\r\na\r\n" }
      let good = world.connect(octets + "0\r\n\r\n")
      stage.run(until: { !good.sent.isEmpty })
      // Too large for a response: the echo is cut, so what the page has received is looked at.
      #expect(good.text.hasPrefix("HTTP/1.1 200 "))
      #expect(stage.requests.lines == ["POST / [" + String(repeating: "a", count: 16_384) + "]"])
      octets += "1\r\n"
      let peer = world.connect(octets)
      stage.settle()
      #expect(peer.text.hasPrefix("HTTP/1.1 413 "))
    }
  }

  @Test("Half a request and then the end is never acted on")
  func half() {
    let requests = [
      "G", "GET / HTTP/1.1\r\nHost: h\r\n", request("POST /", "Content-Length: 5") + "four",
      request("POST /", "Transfer-Encoding: chunked") + "5\r\nhello\r\n0\r\n",
    ]
    for octets in requests {
      for reportsPeerDone in [true, false] {
        withStage { stage, world in
          world.reportsPeerDone = reportsPeerDone
          let peer = world.connect(octets)
          peer.isDone = true
          stage.run(until: { peer.isClosed })
          #expect(stage.requests.lines.isEmpty)
          if reportsPeerDone { #expect(peer.sent.isEmpty) }
        }
      }
    }
  }

  @Test("A client that sends a request and its end at once gets the answer")
  func requestAndEnd() {
    withStage { stage, world in
      let peer = world.connect(request("GET /a"))
      peer.isDone = true
      stage.settle()
      #expect(peer.text == echo("GET /a []"))
      #expect(peer.isClosed)
    }
  }

  @Test("However octets are split on their way, the answers are the same octets")
  func differential() {
    let requests = [
      request("GET /1") + post("/2", "two=2") + request("GET /3"),
      request("POST /1", "Transfer-Encoding: chunked")
        + "4\r\nwxyz\r\n00a;e\r\n0123456789\r\n0\r\nT: u\r\n\r\n" + post("/2", "")
        + request("HEAD /3"),
      post("/1", String(repeating: "long", count: 900)) + request("GET /2", "Connection: close"),
      request("GET /1") + "GARBAGE\u{0}" + request("GET /2"),
      request("GET /1", "X: " + String(repeating: "y", count: 3_000)) + request("GET /2"),
    ]
    var random = SeededRandom(7)
    for octets in requests {
      let whole = answers(to: [[UInt8](octets.utf8)], honoursWakeCount: true)
      #expect(!whole.isEmpty)
      for round in 0..<40 {
        var pieces: [[UInt8]] = []
        var rest = [UInt8](octets.utf8)[...]
        let sizeMax = [2, 9, 60, 700][round % 4]
        while !rest.isEmpty {
          let count = Int.random(in: 1...sizeMax, using: &random)
          pieces.append([UInt8](rest.prefix(count)))
          rest = rest.dropFirst(count)
        }
        #expect(answers(to: pieces, honoursWakeCount: round % 2 == 0) == whole)
      }
    }
  }

  private func answers(to pieces: [[UInt8]], honoursWakeCount: Bool) -> String {
    var text = ""
    withStage { stage, world in
      let peer = world.connect()
      for (i, piece) in pieces.enumerated() {
        peer.script.append((world.monotonic + Int64(i), piece))
      }
      stage.run(milliseconds: Int64(pieces.count) + 100)
      text = peer.text
    }
    return text
  }
}

extension String {
  func components(_ separator: String) -> [Substring] {
    var parts: [Substring] = []
    var rest = self[...]
    while let range = rest.firstRange(of: separator) {
      parts.append(rest[..<range.lowerBound])
      rest = rest[range.upperBound...]
    }
    return parts + [rest]
  }
}
