// Files that come from a slow disk, ranges of files, and several ranges in one response.

import MartletBytes
import MartletHTTP
import Testing

@testable import MartletServer

@Suite struct FileFlowTests {
  static let parts: [UInt8] = {
    var octets: [UInt8] = []
    for range in [500_000..<600_000, 0..<1, 100..<200_000] {
      octets += Array("<part>".utf8)
      octets += file[range]
    }
    return octets + Array("<end>".utf8)
  }()

  @Test("While the disk has not brought a file, others are answered and the loop rests")
  func slowDisk() {
    withStage { stage, world in
      let start = world.monotonic
      // 64 KiB in 200 ms.
      world.disk = { start + 200 + $0 / 65_536 * 200 }
      let peer = world.connect(request("GET /file"))
      stage.run(until: { !peer.sent.isEmpty })
      #expect(peer.sent.count < 1_000, "the head goes ahead")
      let other = world.connect(request("GET /a"))
      stage.run(until: { !other.sent.isEmpty })
      #expect(world.monotonic - start < 20, "the other client does not wait for the disk")
      let waits = world.waitCount
      stage.run(until: { stage.rests(peer) })
      let isWhole = [UInt8](peer.sent.suffix(600_000)) == file && world.files[900] == nil
      #expect(isWhole)
      #expect(world.monotonic - start >= 2_000)
      #expect(world.waitCount - waits < 2_500, "two turns for each time that the disk is asked")
      #expect(world.endlessWaitCount == 0)
    }
  }

  @Test("A file system that never says that a file is in memory makes the loop wait for the disk")
  func brokenDisk() {
    withStage { stage, world in
      world.disk = { _ in .max }
      let peer = world.connect(request("GET /range"))
      let start = world.monotonic
      stage.run(until: { world.monotonic - start > 3_500 })
      #expect(!peer.isClosed && peer.sent.count < 1_000)
      stage.run(until: { peer.sent.count > 200_000 && stage.rests(peer) })
      #expect(world.files[900] == nil)
    }
  }

  @Test("A client that goes while its file comes from the disk is noticed at once")
  func goneMeanwhile() {
    withStage { stage, world in
      world.disk = { _ in .max }
      let peer = world.connect(request("GET /parts"))
      stage.run(until: { !peer.sent.isEmpty })
      stage.run(until: { world.diskQuestionCount > 3 })
      peer.isReset = true
      let start = world.monotonic
      stage.run(until: { peer.isClosed })
      #expect(world.monotonic - start <= 2 && world.files[900] == nil && stage.requests.endedParts == [3])
    }
  }

  @Test("A range is sent, and no other octet of the file")
  func range() {
    withStage { stage, world in
      let peer = world.connect(request("GET /range") + request("HEAD /range") + request("GET /a"))
      stage.run(until: { peer.sent.count > 200_300 && stage.rests(peer) })
      let head = "HTTP/1.1 206 Partial Content\r\n\(date)Content-Length: 200000\r\n\(stays)\r\n"
      var expected = Array(head.utf8)
      expected += file[1_000..<201_000]
      expected += Array((head + echo("GET /a []")).utf8)
      let isExpected = peer.sent == expected && world.files[900] == nil
      #expect(isExpected)
    }
  }

  @Test("Several parts come in order, however little is taken at a time, and then the next response")
  func severalParts() {
    for size in [Int.max, 1_000_000, 65_537, 9_973] {
      withStage { stage, world in
        let peer = world.connect(request("GET /parts") + request("GET /a"))
        peer.sendSizeMax = size
        stage.run(until: { peer.sent.count > Self.parts.count + 200 && stage.rests(peer) })
        let head =
          "HTTP/1.1 206 Partial Content\r\n\(date)Content-Length: \(Self.parts.count)\r\n\(stays)\r\n"
        var expected = Array(head.utf8)
        expected += Self.parts
        expected += Array(echo("GET /a []").utf8)
        let isExpected = peer.sent == expected
        #expect(isExpected, "\(size)")
        #expect(!peer.awaitsMore && world.files[900] == nil && stage.requests.endedParts == [3])
      }
    }
  }

  @Test("Several parts come octet by octet where the text between them is")
  func partsSlowly() {
    withStage { stage, world in
      let peer = world.connect(request("GET /parts"))
      stage.run(until: { peer.sent.count > 100_050 })
      peer.sendSizeMax = 1
      stage.run(until: { peer.sent.count > 100_400 })
      peer.sendSizeMax = .max
      stage.run(until: { stage.rests(peer) })
      let isExpected = peer.sent.suffix(Self.parts.count) == Self.parts[...]
      #expect(isExpected)
    }
  }

  @Test("Whatever sending parts comes to, the file is closed and the list given back, once")
  func partsFaults() {
    for (fileFaults, sendFaults) in [
      ([Transfer.gone], []), ([.end], []), ([.notNow, .gone], []), ([], [Transfer.gone]),
      ([.octets(5), .end], []),
    ] as [([Transfer], [Transfer])] {
      withStage { stage, world in
        let peer = world.connect(request("GET /parts"))
        peer.sendFileFaults = fileFaults
        peer.sendFaults = sendFaults
        stage.run(until: { peer.isClosed })
        #expect(world.files[900] == nil && stage.requests.endedParts == [3])
      }
    }
  }

  @Test("Files that make the loop wait share its time: each turn begins where the last one ended")
  func turns() {
    var turn = FileTurn()
    turn.begin()
    for index in 0..<4 {
      let isAllowed = turn.allows(index)
      #expect(isAllowed == (index < 2), "\(index)")
      if isAllowed { turn.add(microseconds: Limits.fileTurnMicroseconds / 2) }
    }
    turn.begin()
    let allowed = [0, 1, 2, 3].map { turn.allows($0) }
    #expect(allowed == [false, false, true, true])
    turn.begin()
    let all = [0, 1, 2, 3].map { turn.allows($0) }
    #expect(all == [true, true, true, true])
  }
}
