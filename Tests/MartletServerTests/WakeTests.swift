// Streams that wait for an event, timers, and a stop that a page asks for.

import MartletBytes
import MartletHTTP
import Testing

@testable import MartletServer

@Suite struct WakeTests {
  private let head = "HTTP/1.1 200 OK\r\n\(date)Transfer-Encoding: chunked\r\n\(stays)\r\n"
  private func event(_ number: Int) -> String {
    "\(number > 9 ? 9 : 8)\r\nevent \(number)\n\r\n"
  }

  /// Streams of events that wait.
  private func listeners(_ stage: Stage, _ world: World, _ count: Int, _ path: String = "/events") -> [Peer] {
    let peers = (0..<count).map { _ in world.connect(request("GET \(path)")) }
    stage.settle()
    #expect(peers.allSatisfy { $0.text == head })
    return peers
  }

  @Test("An event is sent to all streams of its page in the turn in which it comes, and to no other")
  func sameTurn() {
    withStage { stage, world in
      let peers = listeners(stage, world, 5)
      let others = listeners(stage, world, 3, "/events-b")
      let asked = stage.requests.askedForEvents
      let source = world.connect(request("GET /notify"))
      while source.sent.isEmpty { stage.turn() }
      #expect(peers.allSatisfy { $0.text == head + event(1) })
      #expect(others.allSatisfy { $0.text == head })
      #expect(stage.requests.askedForEvents == asked + 5)
      source.received = [UInt8]((request("GET /notify-b") + request("GET /notify")).utf8)
      stage.settle()
      #expect(peers.allSatisfy { $0.text == head + event(1) + event(2) })
      #expect(others.allSatisfy { $0.text == head + event(1) })
    }
  }

  @Test("A stream that waits has no deadline and no turns of its own")
  func waits() {
    withStage { stage, world in
      let peers = listeners(stage, world, 5)
      let waits = world.waitCount
      stage.run(milliseconds: 10_000_000)
      #expect(world.waitCount - waits < 5 && !peers.contains(where: \.isClosed))
      let asked = stage.requests.askedForEvents
      _ = world.connect(request("GET /notify"))
      stage.settle()
      #expect(peers.allSatisfy { $0.text == head + event(1) } && stage.requests.askedForEvents == asked + 5)
    }
  }

  @Test("A wake that comes while the kernel is full is not lost, and a slow peer holds no block")
  func full() {
    withStage { stage, world in
      let peers = listeners(stage, world, 2)
      peers[0].room = 4
      let source = world.connect()
      for _ in 0..<3 {
        source.received = [UInt8](request("GET /notify").utf8)
        stage.settle()
      }
      #expect(peers[1].text == head + event(1) + event(2) + event(3))
      #expect(peers[0].text == head + "8\r\ne" && stage.responseBlockCount == 1)
      peers[0].room = .max
      stage.settle()
      #expect(peers[0].text == peers[1].text && stage.responseBlockCount == 0)
      // The kernel holds much of what was sent: the stream writes when there is room.
      stage.sendMuch(to: peers[0])
      source.received = [UInt8](request("GET /notify").utf8)
      stage.settle()
      #expect(!peers[0].text.hasSuffix(event(4)) && stage.responseBlockCount == 0)
      peers[0].sentByKernel = nil
      stage.settle()
      #expect(peers[0].text.hasSuffix(event(4)))
    }
  }

  @Test("A reader that takes nothing of an event is let go, although its page waits for ever")
  func takesNothing() {
    withStage { stage, world in
      let peer = listeners(stage, world, 1)[0]
      peer.room = 4
      _ = world.connect(request("GET /notify"))
      stage.settle()
      stage.run(milliseconds: Limits.sendTimeoutMilliseconds)
      #expect(peer.isClosed)
    }
  }

  @Test("A stream whose events wake streams writes once a turn")
  func wakesItself() {
    withStage { stage, world in
      let peers = listeners(stage, world, 3)
      stage.requests.eventsWake = true
      stage.requests.eventCounts[5] = 50
      stage.requests.woken.insert(5)
      let asked = stage.requests.askedForEvents
      _ = world.connect(request("GET /a"))
      stage.turn()
      stage.turn()
      #expect(stage.requests.askedForEvents - asked <= 6)
      stage.settle()
      #expect(peers.allSatisfy { $0.text == head + (1...50).map { event($0) }.joined() })
    }
  }

  @Test("A stream that pauses is woken before its pause is over")
  func pause() {
    withStage { stage, world in
      stage.requests.pauseAfter = 5
      let peer = world.connect(request("GET /pieces"))
      stage.run(until: { peer.sent.count > 5_000 })
      let start = world.monotonic
      stage.requests.woken.insert(3)
      _ = world.connect(request("GET /a"))
      stage.run(until: { stage.rests(peer) })
      #expect(world.monotonic == start)
    }
  }

  @Test("A client that leaves while its page waits is noticed; a stop does not wait")
  func leaves() {
    withStage { stage, world in
      let peers = listeners(stage, world, 3)
      let start = world.monotonic
      peers[0].isReset = true
      stage.run(until: { peers[0].isClosed })
      #expect(world.monotonic == start)
      peers[1].isDone = true
      stage.run(until: { peers[1].isClosed })
      #expect(world.monotonic == start + Limits.sendTimeoutMilliseconds)
      #expect(stage.requests.abandoned.count == 2)
      world.stopAt = world.monotonic
      stage.runToStop()
      #expect(peers[2].isClosed && stage.requests.abandoned.count == 3)
      #expect(world.monotonic == start + Limits.sendTimeoutMilliseconds)
    }
  }

  @Test("The streams of a login that has ended end in the same turn, and their connections go on")
  func login() {
    withStage { stage, world in
      let everyones = listeners(stage, world, 1)
      stage.requests.login = 7
      let sevens = listeners(stage, world, 2)
      stage.requests.login = 8
      let eights = listeners(stage, world, 1, "/events-b")
      stage.requests.endedLogins = [7]
      let source = world.connect(request("GET /a"))
      while source.sent.isEmpty { stage.turn() }
      #expect(sevens.allSatisfy { $0.text == head + "0\r\n\r\n" && !$0.isClosed })
      #expect(stage.requests.abandoned.map(\.login) == [7, 7])
      sevens[0].received = [UInt8](request("GET /a").utf8)
      stage.settle()
      #expect(sevens[0].text.contains("0\r\n\r\nHTTP/1.1 200 OK"))
      #expect((everyones + eights).allSatisfy { $0.text == head && !$0.isClosed })
      // Two in one turn: those of all logins.
      stage.requests.endedLogins = [9, 10]
      source.received = [UInt8](request("GET /a").utf8)
      stage.settle()
      #expect(eights[0].text == head + "0\r\n\r\n" && everyones[0].text == head)
    }
  }

  @Test("A stream whose login has ended sends nothing of what waits to be sent")
  func unsent() {
    withStage { stage, world in
      stage.requests.login = 7
      let peers = listeners(stage, world, 2)
      let old = world.connect("GET /events HTTP/1.0\r\nHost: localhost\r\n\r\n")
      stage.settle()
      peers[0].room = 4
      _ = world.connect(request("GET /notify"))
      stage.settle()
      #expect(peers[0].text == head + "8\r\ne" && stage.responseBlockCount == 1)
      stage.requests.endedLogins = [7]
      _ = world.connect(request("GET /a"))
      stage.settle()
      #expect(peers[0].isClosed && peers[0].text == head + "8\r\ne" && stage.responseBlockCount == 0)
      #expect(peers[1].text == head + event(1) + "0\r\n\r\n" && !peers[1].isClosed)
      #expect(old.isClosed && old.text.hasSuffix("event 1\n"))
      #expect(stage.requests.abandoned.count == 3)
    }
  }

  @Test("A set has each page that was inserted, and no other")
  func set() {
    for page in [UInt8(0), 1, 63, 64, 127, 128, 200, 255] {
      var set = StreamSet()
      #expect(set.isEmpty)
      set.insert(page)
      #expect(!set.isEmpty)
      for other in UInt8.min ... .max { #expect(set.contains(other) == (other == page)) }
    }
  }
}

/// Counts its ticks.
private struct Ticker: Responder, ~Copyable {
  final class Ticks { var moments: [Int64] = [] }
  let ticks: Ticks

  static var tickMilliseconds: Int { 1_000 }

  mutating func tick(at moment: Moment, content: consuming Writer) {
    ticks.moments.append(moment.monotonicMilliseconds)
  }

  mutating func respond(
    to request: borrowing IncomingRequest, content: consuming Writer, fields: consuming Writer
  ) -> Reply {
    content.append(decimal: ticks.moments.count)
    return Reply(status: .ok, contentCount: content.count, fieldsCount: 0)
  }
}

@Suite struct TickTests {
  private func withTicker(
    _ body: (World, Ticker.Ticks, inout Server<ScriptedTransport, Ticker>) -> Void
  ) {
    let (world, ticks, memory) = (World(), Ticker.Ticks(), LentMemory())
    var server = Server(
      transport: ScriptedTransport(world: world), responder: Ticker(ticks: ticks), memory.serverMemory)
    body(world, ticks, &server)
    withExtendedLifetime(memory) {}
  }

  @Test("Ticks come each period from the start on, without any connection")
  func alone() {
    withTicker { world, ticks, server in
      let start = world.monotonic
      for _ in 0..<10 { _ = server.turn() }
      #expect(ticks.moments == (1...10).map { start + 1_000 * $0 })
      #expect(world.waitCount == 10 && world.endlessWaitCount == 0)
    }
  }

  @Test("Ticks that are missed are left out, and the next one is where it would have been")
  func missed() {
    withTicker { world, ticks, server in
      let start = world.monotonic
      // The wait itself takes a second more: the time has gone by in the turn before.
      world.advance(to: start + 3_500)
      _ = server.turn()
      #expect(ticks.moments == [start + 4_500])
      _ = server.turn()
      #expect(ticks.moments == [start + 4_500, start + 5_000])
    }
  }

  @Test("Traffic moves no tick, and a stop ends them")
  func traffic() {
    withTicker { world, ticks, server in
      let start = world.monotonic
      let peer = world.connect()
      peer.script = (1...30).map { (start + Int64($0) * 250, [UInt8](request("GET /").utf8)) }
      while world.monotonic < start + 7_500 { _ = server.turn() }
      #expect(ticks.moments == (1...7).map { start + 1_000 * $0 })
      world.stopAt = start + 8_000
      peer.isDone = true
      server.run()
      #expect(world.monotonic == start + 8_000)
    }
  }
}

@Suite struct StopPageTests {
  @Test("A page that stops the server is answered first; what is being sent is finished")
  func stops() {
    let stage = Stage()
    let world = stage.world
    let resting = world.connect(request("GET /a"))
    let slow = world.connect(request("GET /big"))
    slow.room = 1_000
    stage.settle()
    let peer = world.connect(request("GET /stop") + request("GET /next"))
    slow.roomScript = [(world.monotonic + 500, .max - 1_000)]
    stage.runToStop()
    #expect(peer.text == echo("GET /stop []", closes: true))
    #expect(resting.isClosed && slow.text.hasSuffix("xxx") && stage.isIdle)
    #expect(!world.isListening && world.monotonic == 5_500)
    #expect(stage.requests.lines == ["GET /a []", "GET /big []", "GET /stop []"])
  }

  @Test("An answer that stops the server and is taken slowly is finished")
  func slowly() {
    let stage = Stage()
    let world = stage.world
    stage.requests.finishStops = true
    let peer = world.connect(request("GET /big"))
    peer.room = 1_000
    peer.roomScript = [(world.monotonic + 500, .max - 1_000)]
    stage.runToStop()
    #expect(peer.text.hasSuffix("xxx") && stage.isIdle)
  }

  @Test("The answer to an upload can stop the server as well")
  func upload() {
    let stage = Stage()
    stage.requests.finishStops = true
    let peer = stage.world.connect(post("/upload", "abc"))
    stage.runToStop()
    #expect(peer.text.hasSuffix("took 3") && peer.text.contains("\r\nConnection: close\r\n"))
    #expect(stage.isIdle && stage.requests.finished == [1])
  }

  @Test("A page that stops the server and is not read ends with the stop's deadline")
  func unread() {
    let stage = Stage()
    stage.requests.finishStops = true
    let peer = stage.world.connect(request("GET /big"))
    peer.room = 10
    let start = stage.world.monotonic
    stage.runToStop()
    #expect(peer.isClosed && stage.world.monotonic == start + Limits.stopTimeoutMilliseconds)
  }
}
