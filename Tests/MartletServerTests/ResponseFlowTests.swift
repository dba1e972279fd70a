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
  let chunkedHead = "HTTP/1.1 200 OK\r\n\(date)Transfer-Encoding: chunked\r\n\(stays)\r\n"

  @Test("Read-only data are sent from where they lie, in one call with the head")
  func dataInOneCall() {
    withStage { stage, world in
      let peer = world.connect(request("GET /data"))
      stage.run(until: { !peer.sent.isEmpty })
      #expect(peer.text == "HTTP/1.1 200 OK\r\n\(date)Content-Length: 72\r\n\(stays)\r\n\(data)")
      #expect(stage.rests(peer))
    }
  }

  @Test(
    "What a page has written before its pieces is the first chunk, of any size that fits",
    arguments: [0, 1, 15, 16, 4_096, Limits.responseContentSizeMax - Limits.chunkEndSize])
  func begunStream(_ size: Int) {
    for sendSizeMax in [Int.max, 1_000] {
      withStage { stage, world in
        stage.requests.beginningSize = size
        let peer = world.connect(request("GET /begun") + request("GET /pieces") + request("GET /a"))
        peer.sendSizeMax = sendSizeMax
        stage.run(until: { peer.text.hasSuffix(echo("GET /a []")) })
        let answers = peer.text.components(separatedBy: chunkedHead).map { Array($0.utf8) }
        #expect(answers.count == 3)
        let plain = dechunked(answers[2].dropLast(echo("GET /a []").utf8.count))
        let begun = dechunked(answers[1])
        #expect(begun?.content == String(repeating: "x", count: size) + (plain?.content ?? "?"))
        #expect(begun?.count == (plain?.count ?? 0) + (size > 0 ? 1 : 0))
        #expect(stage.rests(peer))
      }
    }
  }

  @Test("A client of HTTP/1.0 gets the beginning and the pieces without chunks, and HEAD gets neither")
  func begunStreamWithoutChunks() {
    withStage { stage, world in
      stage.requests.beginningSize = 10
      let whole = world.connect(request("GET /pieces"))
      stage.run(until: { whole.text.hasSuffix("0\r\n\r\n") })
      let content = dechunked(whole.text.utf8.dropFirst(chunkedHead.utf8.count))?.content ?? "?"
      let old = world.connect("GET /begun HTTP/1.0\r\n\r\n")
      stage.run(until: { old.isClosed })
      #expect(old.text.hasSuffix("\r\n\r\nxxxxxxxxxx" + content))
      let head = world.connect(request("HEAD /begun") + request("GET /a"))
      stage.run(until: { head.text.hasSuffix(echo("GET /a []")) })
      #expect(head.text == chunkedHead + echo("GET /a []"))
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
          peer.text == "HTTP/1.1 200 OK\r\n\(date)Content-Length: 72\r\n\(stays)\r\n\(data)"
            + echo("GET /a []"))
      }
    }
  }

  @Test("A slow reader of data holds no buffer")
  func dataWithoutBuffer() {
    withStage { stage, world in
      let slow = (0..<20).map { _ in world.connect(request("GET /data")) }
      for peer in slow { peer.room = 180 }
      let good = world.connect(request("GET /a"))
      stage.run(until: { !good.sent.isEmpty })
      #expect(good.text == echo("GET /a []"))
      #expect(slow.allSatisfy { $0.sent.count == 180 })
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
        peer.text == "HTTP/1.1 200 OK\r\n\(date)Content-Length: 72\r\n\(stays)\r\n"
          + "HTTP/1.1 200 OK\r\n\(date)Content-Length: 600000\r\n\(stays)\r\n" + chunkedHead
          + echo("GET /a []"))
      #expect(world.files.isEmpty, "the file is closed")
      #expect(stage.requests.abandoned == [StreamState(page: 3, note: 7)])
    }
  }

  @Test("A file is sent in steps, and closed")
  func wholeFile() {
    withStage { stage, world in
      let peer = world.connect(request("GET /file"))
      let other = world.connect(request("GET /a"))
      stage.run(until: { !other.sent.isEmpty })
      #expect(peer.sent.count < 600_000, "others are served meanwhile")
      stage.run(until: { stage.rests(peer) })
      #expect([UInt8](peer.sent.suffix(600_000)) == file)
      #expect(world.files.isEmpty)
    }
  }

  @Test("The head of an empty file does not wait for what follows")
  func emptyFile() {
    withStage { stage, world in
      let peer = world.connect(request("GET /empty-file"))
      stage.run(until: { stage.rests(peer) && !peer.sent.isEmpty })
      #expect(peer.text == "HTTP/1.1 200 OK\r\n\(date)Content-Length: 0\r\n\(stays)\r\n")
      #expect(!peer.awaitsMore && world.files.isEmpty)
    }
  }

  @Test("A file of more than 4 GiB is announced with its length, on 32-bit boards too")
  func largeFile() {
    withStage { stage, world in
      let peer = world.connect(request("HEAD /large-file"))
      stage.run(until: { !peer.sent.isEmpty })
      #expect(peer.text == "HTTP/1.1 200 OK\r\n\(date)Content-Length: 5000000000\r\n\(stays)\r\n")
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
        stage.run(until: { peer.isClosed || stage.rests(peer) && !peer.sent.isEmpty })
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
      stage.run(until: { stage.rests(peer) && !peer.sent.isEmpty })
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
      stage.run(until: { stage.rests(peer) })
      #expect(world.monotonic == start + 3_000)
      #expect(
        dechunked(peer.sent.dropFirst(chunkedHead.utf8.count))?.content
          == pieces(20, of: 1_000))
    }
  }

  @Test("A page may pause for longer than clients may be silent")
  func longPause() {
    withStage { stage, world in
      stage.requests.pauseAfter = 5
      stage.requests.pauseMilliseconds = 60_000
      let peer = world.connect(request("GET /pieces"))
      stage.run(until: { stage.rests(peer) && !peer.sent.isEmpty })
      #expect(
        dechunked(peer.sent.dropFirst(chunkedHead.utf8.count))?.content
          == pieces(20, of: 1_000))
    }
  }

  @Test("What the kernel has not taken before a pause is sent in it, as soon as there is room")
  func partBeforePause() {
    withStage { stage, world in
      stage.requests.pauseAfter = 1
      stage.requests.pauseMilliseconds = 60_000
      let peer = world.connect(request("GET /pieces"))
      peer.room = 500
      stage.run(until: { peer.room == 0 })
      #expect(stage.responseBlockCount == 1)
      peer.roomScript = [(world.monotonic + 100, .max - 1_000)]
      stage.run(milliseconds: 200)
      #expect(peer.text.hasSuffix(pieces(1, of: 1_000) + "\r\n"))
      #expect(stage.responseBlockCount == 0)
      stage.run(until: { stage.rests(peer) })
    }
  }

  @Test("A client that does not take what came before a pause is let go within it")
  func neverReadsBeforePause() {
    withStage { stage, world in
      stage.requests.pauseAfter = 1
      stage.requests.pauseMilliseconds = 60_000
      let peer = world.connect(request("GET /pieces"))
      peer.room = 500
      stage.run(until: { peer.isClosed })
      #expect(world.monotonic < 5_000 + 2 * Limits.sendTimeoutMilliseconds + 100)
    }
  }

  @Test("A client that leaves while its page pauses is noticed; one that is gone at once")
  func leavesInPause() {
    for isReset in [false, true] {
      withStage { stage, world in
        stage.requests.pauseAfter = 1
        stage.requests.staysSilent = true
        let peer = world.connect(request("GET /pieces"))
        stage.run(until: { peer.sent.count > 1_000 })
        stage.run(milliseconds: 100_000)
        #expect(!peer.isClosed, "the page's silence is not the client's")
        let (left, waits) = (world.monotonic, world.waitCount)
        peer.isDone = true
        peer.isReset = isReset
        stage.run(until: { peer.isClosed })
        #expect(
          world.monotonic == left + (isReset ? 0 : Limits.sendTimeoutMilliseconds))
        #expect(world.waitCount - waits < 10, "it is not asked for again and again")
        #expect(stage.requests.abandoned == [StreamState(page: 3, position: 1, note: 7)])
      }
    }
  }

  @Test("A client that has only said that it will send nothing more gets all, pauses included")
  func halfClosedInPause() {
    withStage { stage, world in
      stage.requests.pauseAfter = 5
      let peer = world.connect(request("GET /pieces"))
      peer.isDone = true
      stage.run(until: { peer.isClosed })
      #expect(
        dechunked(peer.sent.dropFirst(chunkedHead.utf8.count))?.content
          == pieces(20, of: 1_000))
    }
  }

  @Test("A stop does not wait for what pauses")
  func stopInPause() {
    for hasBegun in [true, false] {
      withStage { stage, world in
        stage.requests.pauseAfter = 5
        stage.requests.staysSilent = true
        if hasBegun {
          let peer = world.connect(request("GET /pieces"))
          stage.run(until: { peer.sent.count > 5_000 })
        } else {
          // It comes to its pause after the stop.
          let peer = world.connect(request("GET /pieces"))
          peer.room = 500
          stage.run(until: { peer.room == 0 })
          peer.roomScript = [(world.monotonic + 200, .max - 1_000)]
        }
        let start = world.monotonic
        world.stopAt = start + 100
        stage.runToStop()
        #expect(world.monotonic == start + (hasBegun ? 100 : 200))
      }
    }
  }

  @Test("When all slots are taken by pages that pause, one of them makes room")
  func evictedInPause() {
    withStage { stage, world in
      stage.requests.pauseAfter = 1
      stage.requests.staysSilent = true
      let peers = (0..<Limits.connectionCountMax).map { _ in
        world.connect(request("GET /pieces"))
      }
      stage.run(until: { peers.allSatisfy { $0.sent.count > 1_000 } })
      let newcomer = world.connect(request("GET /a"))
      stage.run(until: { !newcomer.sent.isEmpty })
      #expect(newcomer.text == echo("GET /a []"))
      #expect(peers.count { $0.isClosed } == 1)
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

  @Test("A reader who does not read gets what the kernel takes, holds no buffer, and is let go")
  func neverReads() {
    withStage { stage, world in
      stage.requests.pieceSize = 15_000
      let peers = (0..<30).map { _ in world.connect(request("GET /pieces")) }
      // The kernel says that there is room as long as little waits; then it takes a whole piece.
      let pieceCount = { (peer: Peer) in peer.sent.count / 15_000 }
      for peer in peers { peer.room = chunkedHead.utf8.count + 3 * (15_000 + "3a98\r\n\r\n".utf8.count) }
      stage.run(until: { peers.allSatisfy { pieceCount($0) == 3 } })
      for peer in peers { peer.room = 0 }
      let good = world.connect(request("GET /a"))
      stage.run(until: { !good.sent.isEmpty })
      stage.run(milliseconds: 1_000)
      let later = world.connect(request("GET /b"))
      stage.run(until: { !later.sent.isEmpty })
      stage.run(until: { peers.allSatisfy { $0.isClosed } })
      #expect(peers.allSatisfy { pieceCount($0) == 3 })
      #expect(stage.requests.abandoned.count == 30)
    }
  }

  @Test("A reader who is slow gets everything")
  func readsSlowly() {
    withStage { stage, world in
      stage.requests.pieceSize = 15_000
      let peer = world.connect(request("GET /pieces"))
      peer.room = 1_000
      // Half a kilobyte a second, with a pause that is shorter than the limit.
      while !stage.rests(peer), !peer.isClosed {
        stage.run(milliseconds: 8_000)
        peer.room = 4_000
      }
      #expect(
        dechunked(peer.sent.dropFirst(chunkedHead.utf8.count))?.content
          == pieces(20, of: 15_000))
    }
  }

  @Test("After a piece that was taken in parts, the next one is written when there is room for it")
  func roomAfterPart() {
    withStage { stage, world in
      stage.requests.pieceSize = 15_000
      let peer = world.connect(request("GET /pieces"))
      peer.room = 20_000
      stage.run(until: { peer.room == 0 })
      // The rest of the second piece, and no more.
      peer.room = 2 * 15_000 + 2 * "3a98\r\n\r\n".utf8.count + chunkedHead.utf8.count - 20_000
      stage.run(until: { peer.room == 0 })
      stage.run(milliseconds: 1_000)
      #expect(stage.responseBlockCount == 0)
      peer.room = .max
      stage.run(until: { stage.rests(peer) })
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
      #expect(peers.allSatisfy { stage.waits($0, for: .room) || $0.sent.count < 46_000 })
      stage.run(milliseconds: 500)
      #expect(peers.allSatisfy { stage.waits($0, for: .room) })
      #expect(peers.allSatisfy { $0.sent.count < 46_000 })
      // One of them begins to read, and gets all that it has asked for.
      peers[3].sentByKernel = nil
      stage.run(until: { peers[3].sent.count > 40 * 15_000 && stage.rests(peers[3]) })
      stage.run(until: { (peers[0..<3] + peers[4...]).allSatisfy { $0.isClosed } })
    }
  }
}

@Suite struct ChunkTests {
  @Test("The size of a chunk has all its hexadecimal digits, whatever the size")
  func sizes() {
    let memory = LentMemory()
    withExtendedLifetime(memory) {
      let lent = memory.serverMemory
      var buffer = LentBuffer.response(lent)
      let room = buffer.piece.count
      var wrong: [Int] = []
      for count in 1...room {
        let range = buffer.frame(count, isChunked: true, isLast: false)
        let line = [UInt8]((String(count, radix: 16) + "\r\n").utf8)
        let begin = [UInt8](copying: buffer.octets(range.lowerBound..<range.lowerBound + line.count))
        if begin != line || range.count != line.count + count + 2 { wrong.append(count) }
      }
      #expect(room > 15_000 && wrong == [])
    }
  }
}
