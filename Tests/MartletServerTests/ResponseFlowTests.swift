// Responses that are longer than a buffer: from read-only data, from files, piece by piece.

import MartletBytes
import MartletHTTP
import Testing

@testable import MartletServer

/// The content of a response in chunks, and how many there were; `nil` when it is not whole.
func dechunked(_ octets: some Sequence<UInt8>) -> (content: String, count: Int)? {
  var rest = [UInt8](octets)[...]
  var content: [UInt8] = []
  var count = 0
  func takeLineEnd() -> Bool {
    guard rest.starts(with: [0x0D, 0x0A]) else { return false }
    rest = rest.dropFirst(2)
    return true
  }
  while let lineEnd = rest.firstIndex(of: 0x0D) {
    guard let size = Int(String(decoding: rest[..<lineEnd], as: UTF8.self), radix: 16)
    else { return nil }
    rest = rest[lineEnd...]
    guard takeLineEnd() else { return nil }
    guard size > 0 else {
      return takeLineEnd() && rest.isEmpty ? (String(decoding: content, as: UTF8.self), count) : nil
    }
    content += rest.prefix(size)
    rest = rest.dropFirst(size)
    guard takeLineEnd() else { return nil }
    count += 1
  }
  return nil
}

/// What `/pieces` answers with.
func pieces(_ count: Int, of size: Int) -> String {
  (1...count).map { String(repeating: Character(UnicodeScalar(UInt8(0x60 + $0))), count: size) }
    .joined()
}

@Suite struct ResponseFlowTests {
  let chunkedHead = "HTTP/1.1 200 OK\r\n\(date)Transfer-Encoding: chunked\r\n\r\n"

  @Test("Read-only data are sent from where they lie, in one call with the head")
  func dataInOneCall() {
    withStage { stage, world in
      let peer = world.connect(request("GET /data"))
      stage.run(until: { !peer.sent.isEmpty })
      #expect(peer.text == "HTTP/1.1 200 OK\r\n\(date)Content-Length: 72\r\n\r\n\(data)")
      #expect(stage.phase(of: peer) == .idle)
    }
  }

  @Test("Data come whole in whatever pieces they are taken, and then the next response")
  func dataInPieces() {
    for size in [1, 7, 50, 71, 72, 100, 101] {
      withStage { stage, world in
        let peer = world.connect(request("GET /data") + request("GET /a"))
        peer.sendSizeMax = size
        stage.run(until: { peer.text.hasSuffix(echo("GET /a []")) })
        #expect(
          peer.text == "HTTP/1.1 200 OK\r\n\(date)Content-Length: 72\r\n\r\n\(data)"
            + echo("GET /a []"))
      }
    }
  }

  @Test("A slow reader of data holds no buffer")
  func dataWithoutBuffer() {
    withStage { stage, world in
      let slow = (0..<20).map { _ in world.connect(request("GET /data")) }
      for peer in slow { peer.room = 120 }
      let good = world.connect(request("GET /a"))
      stage.run(until: { !good.sent.isEmpty })
      #expect(good.text == echo("GET /a []"))
      #expect(slow.allSatisfy { $0.sent.count == 120 })
      for peer in slow { peer.room = .max }
      stage.run(until: { slow.allSatisfy { $0.text.hasSuffix("\(data)") } })
    }
  }

  @Test("HEAD announces what GET brings, and brings none of it")
  func head() {
    withStage { stage, world in
      let peer = world.connect(
        request("HEAD /data") + request("HEAD /file") + request("HEAD /pieces") + request("GET /a"))
      stage.run(until: { peer.text.hasSuffix(echo("GET /a []")) })
      #expect(
        peer.text == "HTTP/1.1 200 OK\r\n\(date)Content-Length: 72\r\n\r\n"
          + "HTTP/1.1 200 OK\r\n\(date)Content-Length: 600000\r\n\r\n" + chunkedHead
          + echo("GET /a []"))
      #expect(world.files.isEmpty, "the file is closed")
      #expect(stage.requests.abandoned == [Cursor(page: 3, note: 7)])
    }
  }

  @Test("A file is sent in steps, and closed")
  func wholeFile() {
    withStage { stage, world in
      let peer = world.connect(request("GET /file"))
      let other = world.connect(request("GET /a"))
      stage.run(until: { !other.sent.isEmpty })
      #expect(peer.sent.count < 600_000, "others are served meanwhile")
      stage.run(until: { stage.phase(of: peer) == .idle })
      #expect([UInt8](peer.sent.suffix(600_000)) == file)
      #expect(world.files.isEmpty)
    }
  }

  @Test("A file that has become shorter ends the connection")
  func shrunkFile() {
    withStage { stage, world in
      let peer = world.connect(request("GET /file"))
      peer.sendSizeMax = 1_000
      stage.run(until: { peer.sent.count > 10_000 })
      world.files[900] = [UInt8](file.prefix(20_000))
      stage.run(until: { peer.isClosed })
      #expect(world.files.isEmpty)
    }
  }

  @Test("Whatever sending a file comes to, the file is closed")
  func fileFaults() {
    for fault in [Transfer.notNow, .gone, .end] {
      withStage { stage, world in
        let peer = world.connect(request("GET /file"))
        peer.sendFileFaults = [fault]
        stage.run(until: { peer.isClosed || stage.phase(of: peer) == .idle && !peer.sent.isEmpty })
        #expect(world.files.isEmpty)
        #expect(peer.isClosed == (fault != .notNow))
      }
    }
  }

  @Test("A page that writes piece by piece is asked until its end, and sent in chunks")
  func inPieces() {
    for size in [Int.max, 5_000, 999, 50] {
      withStage { stage, world in
        let peer = world.connect(request("GET /pieces") + request("GET /a"))
        peer.sendSizeMax = size
        stage.run(until: { peer.text.hasSuffix(echo("GET /a []")) })
        let text = String(decoding: peer.sent.dropLast(echo("GET /a []").utf8.count), as: UTF8.self)
        #expect(text.hasPrefix(chunkedHead))
        let content = dechunked(text.utf8.dropFirst(chunkedHead.utf8.count))
        #expect(content?.content == pieces(20, of: 1_000))
        #expect(content?.count == 20)
      }
    }
  }

  @Test("For HTTP/1.0 pieces end with the connection")
  func oldVersion() {
    withStage { stage, world in
      let peer = world.connect("GET /pieces HTTP/1.0\r\n\r\n")
      stage.run(until: { peer.isClosed })
      #expect(
        peer.text == "HTTP/1.1 200 OK\r\n\(date)Connection: close\r\n\r\n"
          + pieces(20, of: 1_000))
    }
  }

  @Test("The longest piece fits with its framing")
  func longPiece() {
    withStage { stage, world in
      stage.requests.pieceSize = Limits.responseContentSizeMax - 7
      stage.requests.pieceCount = 3
      let peer = world.connect(request("GET /pieces"))
      stage.run(until: { stage.phase(of: peer) == .idle && !peer.sent.isEmpty })
      let content = dechunked(peer.sent.dropFirst(chunkedHead.utf8.count))
      #expect(content?.content.count == 3 * (Limits.responseContentSizeMax - 7))
    }
  }

  @Test("A page that pauses is asked again after its pause; nobody waits for it")
  func pause() {
    withStage { stage, world in
      stage.requests.pauseAfter = 5
      let start = world.monotonic
      let peer = world.connect(request("GET /pieces"))
      stage.run(until: { peer.sent.count > 5_000 })
      let other = world.connect(request("GET /a"))
      stage.run(until: { !other.sent.isEmpty })
      #expect(world.monotonic == start)
      stage.run(until: { stage.phase(of: peer) == .idle })
      #expect(world.monotonic == start + 3_000)
      #expect(
        dechunked(peer.sent.dropFirst(chunkedHead.utf8.count))?.content
          == pieces(20, of: 1_000))
    }
  }

  @Test("A page that fails midway ends the connection, so that the peer knows")
  func failure() {
    withStage { stage, world in
      stage.requests.failsAfter = 3
      let peer = world.connect(request("GET /pieces"))
      stage.run(until: { peer.isClosed })
      #expect(dechunked(peer.sent.dropFirst(chunkedHead.utf8.count)) == nil)
    }
  }

  @Test("A reader who does not read gets two pieces or three, holds no buffer, and is let go")
  func neverReads() {
    withStage { stage, world in
      stage.requests.pieceSize = 15_000
      let peers = (0..<30).map { _ in world.connect(request("GET /pieces")) }
      for peer in peers { peer.sentByKernel = 0 }
      let good = world.connect(request("GET /a"))
      stage.run(until: { !good.sent.isEmpty })
      stage.run(milliseconds: 1_000)
      #expect(peers.allSatisfy { $0.sent.count < 46_000 })
      let later = world.connect(request("GET /b"))
      stage.run(until: { !later.sent.isEmpty })
      stage.run(until: { peers.allSatisfy { $0.isClosed } })
      #expect(stage.requests.abandoned.count == 30)
    }
  }

  @Test("A reader who is slow gets everything")
  func readsSlowly() {
    withStage { stage, world in
      stage.requests.pieceSize = 15_000
      let peer = world.connect(request("GET /pieces"))
      peer.sentByKernel = 0
      // Half a kilobyte a second, with a pause that is shorter than the limit.
      while stage.phase(of: peer) != .idle, !peer.isClosed {
        stage.run(milliseconds: 8_000)
        peer.sentByKernel = min(peer.sent.count, (peer.sentByKernel ?? 0) + 4_000)
      }
      #expect(
        dechunked(peer.sent.dropFirst(chunkedHead.utf8.count))?.content
          == pieces(20, of: 15_000))
    }
  }

  @Test("A client that pipelines and does not read holds no buffer, and nobody else waits")
  func pipelinesWithoutReading() {
    withStage { stage, world in
      let many = String(repeating: request("GET /big"), count: 40)
      let peers = (0..<30).map { _ in world.connect(many) }
      for peer in peers { peer.sentByKernel = 0 }
      let good = world.connect(request("GET /a"))
      stage.run(until: { !good.sent.isEmpty })
      #expect(peers.allSatisfy { stage.phase(of: $0) == .unread || $0.sent.count < 46_000 })
      stage.run(milliseconds: 500)
      #expect(peers.allSatisfy { stage.phase(of: $0) == .unread })
      #expect(peers.allSatisfy { $0.sent.count < 46_000 })
      // One of them begins to read, and gets all that it has asked for.
      peers[3].sentByKernel = nil
      stage.run(until: { peers[3].sent.count > 40 * 15_000 && stage.phase(of: peers[3]) == .idle })
      stage.run(until: { (peers[0..<3] + peers[4...]).allSatisfy { $0.isClosed } })
    }
  }
}
