// An upload keeps one block with its request and its state, and ends exactly once.

import MartletBytes
import MartletHTTP
import Testing

@testable import MartletServer

/// 198.51.100.0/24 and on (RFC 5737).
private func address(_ number: Int) -> IPAddress {
  IPAddress(high: 0, low: 0xFFFF_C633_6400 + UInt64(number))
}

private let upload = request("POST /upload", "Content-Length: 500")
private let chunked = request("POST /upload", "Transfer-Encoding: chunked")
private let content = String(repeating: "x", count: 500)

/// Blocks that hold requests.
private let blockCount = Limits.smallBlockCountMax + Limits.largeBlockCountMax - 1

/// How an upload comes to its end.
struct UploadEnd: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let octets: String
  /// Whether its page is asked for the answer.
  var finishes = false
  var end: @Sendable (Stage, World, Peer) -> Void = { _, _, _ in }

  init(
    _ name: String, _ octets: String, finishes: Bool = false,
    _ end: @escaping @Sendable (Stage, World, Peer) -> Void = { _, _, _ in }
  ) {
    testDescription = name
    self.octets = octets
    self.finishes = finishes
    self.end = end
  }

  static let all = [
    UploadEnd("complete", upload + content, finishes: true),
    UploadEnd("no content", request("POST /upload", "Content-Length: 0"), finishes: true),
    UploadEnd("complete in chunks", chunked + "3\r\nabc\r\n0\r\n\r\n", finishes: true),
    UploadEnd("FIN", upload + "abc") { _, _, peer in peer.isDone = true },
    UploadEnd("FIN in a chunk's line", chunked + "3\r\nabc\r\n5") { _, _, peer in peer.isDone = true },
    UploadEnd("reset", upload + "abc") { _, _, peer in peer.isReset = true },
    UploadEnd("read error in a chunk's line", chunked + "3\r\nabc\r\n5") { _, _, peer in
      peer.receiveFaults = [.notNow, .gone]
      peer.received = [1]
    },
    UploadEnd("deadline", upload + "abc") { stage, _, _ in stage.run(milliseconds: 100_000) },
    UploadEnd("refused by its page", upload + "a!"),
    UploadEnd("too large, as announced", request("POST /upload", "Content-Length: 100001")),
    UploadEnd("too large, in chunks", chunked + "f4241\r\n"),
    UploadEnd("broken chunk", chunked + "3\r\nabcx"),
    UploadEnd("broken trailer", chunked + "3\r\nabc\r\n0\r\nHost: x\r\n\r\n"),
    UploadEnd("stop", upload + "abc") { stage, world, _ in
      world.stopAt = world.monotonic
      stage.runToStop()
    },
    UploadEnd("content complete while the server stops", upload + "abc", finishes: true) {
      stage, world, peer in
      world.stopAt = world.monotonic
      peer.script = [(world.monotonic + 100, [UInt8](repeating: 0x78, count: 497))]
      stage.runToStop()
      #expect(peer.text.hasSuffix("took 500") && peer.text.contains("\r\nConnection: close\r\n"))
    },
    UploadEnd("gives up its slot", upload + "abc") { stage, world, peer in
      for i in 1..<16 { _ = world.connect("GET / HT", from: address(i)) }
      stage.run(until: { stage.openCount == 16 })
      stage.run(milliseconds: Limits.evictionAgeMilliseconds)
      _ = world.connect(request("GET /"), from: address(99))
      stage.run(until: { peer.isClosed })
    },
    UploadEnd("gives up its block", upload + "abc") { stage, world, peer in
      _ = world.connect()
      for i in 1..<blockCount { _ = world.connect("GET / HT", from: address(i)) }
      stage.run(until: { stage.requestBlockCount == blockCount - 1 })
      stage.run(milliseconds: Limits.evictionAgeMilliseconds)
      let other = world.connect("GET / HT", from: address(999))
      stage.run(until: { peer.text.hasPrefix("HTTP/1.1 408 ") && stage.hasBegun(other) })
    },
    UploadEnd("gone while its answer waits for a reader", request("GET /big") + request("GET /big") + upload)
    {
      stage, world, peer in
      #expect(stage.uploadBlockCount == 1)
      peer.received = [UInt8](content.utf8)
      peer.sentByKernel = 0
      // The kernel is asked only when much has been sent.
      stage.sendMuch(to: peer)
      stage.run(until: { stage.waits(peer, for: .room) })
      peer.isReset = true
    },
    UploadEnd("gone when its answer is sent", upload, finishes: true) { _, _, peer in
      peer.sendFaults = [.gone]
      peer.received = [UInt8](content.utf8)
    },
    UploadEnd(
      "gone when it gets 100 Continue", request("POST /upload", "Content-Length: 3", "Expect: 100-continue")
    ) { _, _, peer in peer.isReset = true },
  ]
}

@Suite struct UploadTests {
  @Test("Whatever ends an upload, its page is told once", arguments: UploadEnd.all)
  func end(_ end: UploadEnd) {
    withStage(slots: end.testDescription == "gives up its slot" ? 16 : Limits.connectionCountMax) {
      stage, world in
      let peer = world.connect(end.octets)
      stage.run(until: { stage.requests.begunCount == 1 && peer.received.isEmpty })
      end.end(stage, world, peer)
      stage.run(until: { !stage.requests.finished.isEmpty || !stage.requests.abandonedUploads.isEmpty })
      #expect(stage.requests.finished == (end.finishes ? [1] : []))
      #expect(stage.requests.abandonedUploads == (end.finishes ? [] : [1]))
      #expect(stage.uploadBlockCount == 0)
    }
  }

  @Test("Uploads at once, in any pieces, each have their own state and their own request")
  func states() {
    for sizeMax in [1, 7, 100, 3_000] {
      withStage { stage, world in
        let whole =
          request("POST /upload", "Transfer-Encoding: chunked", "X: " + String(repeating: "y", count: 900))
          + (0..<40).map {
            "\(String($0 % 13 + 1, radix: 16))\($0 % 8 == 0 ? ";ext=\($0)" : "")\r\n\(String(repeating: "c", count: $0 % 13 + 1))\r\n"
          }
          .joined() + "0\r\nTrailer: t\r\n\r\n"
        let plain = request("POST /upload", "Content-Length: 274") + String(repeating: "p", count: 274)
        let peers = (0..<9).map { number in
          let peer = world.connect(from: address(number))
          var rest = [UInt8]((number % 2 == 0 ? whole : plain).utf8)[...]
          while !rest.isEmpty {
            let piece = rest.prefix(1 + (number * 7 + rest.count) % sizeMax)
            peer.trickle.append([UInt8](piece))
            rest = rest.dropFirst(piece.count)
          }
          return peer
        }
        stage.run(until: { peers.allSatisfy { !$0.sent.isEmpty } })
        for peer in peers { #expect(peer.text == took(274), "pieces of \(sizeMax)") }
        #expect(stage.requests.finished.count == 9 && stage.uploadBlockCount == 0)
      }
    }
  }

  @Test("Each call of an upload has its request, and the time of its turn")
  func requestIsKnown() {
    withStage { stage, world in
      _ = world.connect()
      stage.settle()
      let peer = world.connect(request("GET /a") + upload)
      let start = world.monotonic
      peer.script = [(start + 70, [UInt8](repeating: 0x78, count: 499)), (start + 90, [0x78])]
      stage.run(until: { peer.text.hasSuffix("took 500") })
      #expect(
        stage.requests.uploadCalls == [
          "receive /upload 2 at \(start + 70)", "receive /upload 2 at \(start + 90)",
          "finish /upload 2 at \(start + 90)",
        ])
    }
  }

  @Test("A part of a chunk's line needs no block beside the upload's")
  func oneBlock() {
    withStage { stage, world in
      let octets = [UInt8](
        (chunked + "2;" + String(repeating: "e", count: 253) + "\r\nab\r\n0\r\nT: "
          + String(repeating: "t", count: 240) + "\r\n\r\n").utf8)
      let peer = world.connect()
      for octet in octets {
        peer.received.append(octet)
        stage.settle()
        if stage.uploadBlockCount > 0 { #expect(stage.requestBlockCount == 0) }
      }
      #expect(peer.text == took(2))
    }
  }

  @Test("What follows the content is the next request, wherever pieces are cut")
  func pipelined() {
    let octets = [UInt8](
      (chunked + "3\r\nabc\r\n0\r\n\r\n" + upload + content + post("/b", "two") + request("GET /c")).utf8)
    for cut in stride(from: 1, to: octets.count, by: 3) {
      withStage { stage, world in
        let peer = world.connect()
        peer.trickle = [[UInt8](octets.prefix(cut)), [UInt8](octets.dropFirst(cut))]
        stage.run(until: { peer.text.hasSuffix("GET /c []") })
        #expect(peer.text == took(3) + took(500) + echo("POST /b [two]") + echo("GET /c []"))
      }
    }
  }

  @Test("A long head has a large block, and where there is none the upload does not begin")
  func longHead() {
    withStage { stage, world in
      let octets = request(
        "POST /upload", "X: " + String(repeating: "y", count: 9_000), "Content-Length: 500")
      let peers = (0..<Limits.largeBlockCountMax).map { _ in world.connect(octets) }
      stage.settle()
      let refused = peers.filter { $0.text.hasPrefix("HTTP/1.1 503 ") }
      #expect(refused.count == 1 && stage.requests.begunCount == Limits.largeBlockCountMax - 1)
      for peer in peers where peer.sent.isEmpty { peer.received = [UInt8](content.utf8) }
      stage.settle()
      #expect(peers.count { $0.text == took(500) } == Limits.largeBlockCountMax - 1)
    }
  }

  @Test("Where memory is short a network with many uploads gives up one, not a network with few")
  func shares() {
    withStage { stage, world in
      let few = world.connect(upload, from: address(1))
      stage.settle()
      stage.run(milliseconds: 1_000)
      for _ in 0..<blockCount + 10 {
        _ = world.connect(upload)
        stage.run(milliseconds: 60)
      }
      #expect(stage.requests.abandonedUploads.count == 11)
      few.received = [UInt8](content.utf8)
      stage.settle()
      #expect(few.text == took(500))
    }
  }

  @Test("A request that is refused begins no upload and holds no block")
  func refused() {
    withStage { stage, world in
      let peer = world.connect(request("POST /refused", "Content-Length: 500"))
      stage.settle()
      #expect(peer.text == echo("POST /refused []", closes: true))
      #expect(stage.requests.begunCount == 0 && stage.uploadBlockCount == 0)
    }
  }

  @Test(
    "Whatever many clients do at random, each upload ends once and has its own state",
    arguments: [false, true])
  func random(isAwkward: Bool) {
    let streams = [
      chunked + "3;a=b\r\nabc\r\n1\r\nd\r\n0\r\nT: u\r\n\r\n" + request("GET /a"),
      upload + content + upload + content, post("/upload", "a!"), chunked + "2\r\nabc",
      request("GET /big") + upload,
      request("POST /upload", "X: " + String(repeating: "y", count: 3_000), "Content-Length: 40000")
        + String(repeating: "z", count: 40_000) + request("GET /b"),
      post("/work-upload", "abc") + chunked + "1\r\nx\r\n0\r\n\r\n", post("/b", "form"),
      request("GET /big") + "GET",
      request("POST /upload", "Content-Length: 9", "Expect: 100-continue") + "123456789",
    ]
    Stage.$isAwkward.withValue(isAwkward) {
      for seed in 0..<(isAwkward ? 3 : 10) {
        var dice = UInt32(seed)
        func roll(_ sides: Int) -> Int {
          dice = dice &* 1_664_525 &+ 1_013_904_223
          return Int(dice >> 8) % sides
        }
        withStage(slots: 20) { stage, world in
          var peers: [Peer] = []
          for _ in 0..<400 {
            switch roll(12) {
            case 0...2:
              let peer = world.connect(from: address(roll(6)))
              var rest = [UInt8](streams[roll(streams.count)].utf8)[...]
              let sizeMax = [1, 9, 300, 5_000][roll(4)]
              while !rest.isEmpty {
                let piece = rest.prefix(1 + roll(max(sizeMax, rest.count / 50)))
                peer.trickle.append([UInt8](piece))
                rest = rest.dropFirst(piece.count)
              }
              peers.append(peer)
            case 3: if let peer = peers.randomElement(roll) { peer.isReset = true }
            case 4: if let peer = peers.randomElement(roll) { peer.isDone = true }
            case 5: if let peer = peers.randomElement(roll) { peer.trickle = [] }
            case 6: if let peer = peers.randomElement(roll) { peer.room = [10, 500, .max][roll(3)] }
            case 7:
              if let peer = peers.randomElement(roll) { peer.receiveFaults = [[.notNow, .gone][roll(2)]] }
            case 8: world.advance(to: world.monotonic + [1, 60, 3_000, 21_000][roll(4)])
            default: break
            }
            for _ in 0..<roll(9) {
              // A wait without an end would let all deadlines pass.
              world.isSpurious = true
              stage.turn()
            }
          }
        }
      }
    }
  }
}

extension [Peer] {
  /// One of those that are still there.
  fileprivate func randomElement(_ roll: (Int) -> Int) -> Peer? {
    let open = filter { !$0.isClosed }
    return open.isEmpty ? nil : open[roll(open.count)]
  }
}
