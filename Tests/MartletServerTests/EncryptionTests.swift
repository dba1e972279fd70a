// Connections that may be encrypted: what the loop does before the first request, who gets one of few places, and
// what a request without encryption gets. The transport here encrypts nothing: a first octet of 22 stands for TLS,
// and each `h` for a message of the handshake.

import MartletBytes
import MartletHTTP
import Testing

@testable import MartletServer

/// Places for TLS, and who has them.
final class Places: Sendable {
  let count: Int
  let servesPlain: Bool
  /// Where else it listens, and the own port.
  let redirectionPort: UInt16?

  init(count: Int, servesPlain: Bool = false, redirectionPort: UInt16? = nil) {
    self.count = count
    self.servesPlain = servesPlain
    self.redirectionPort = redirectionPort
  }
}

/// Scripted peers, some of which begin as TLS does.
struct EncryptingTransport: Transport, ~Copyable {
  private enum State {
    case silent, waiting, plain
    case handshaking(Int)
    case open
  }

  var base: ScriptedTransport
  let places: Places
  private var states: [Int: State] = [:]
  var seeksPlace = false

  init(base: consuming ScriptedTransport, _ places: Places) {
    self.base = base
    self.places = places
  }

  static var encrypts: Bool { true }
  var connectionCountMax: Int { base.connectionCountMax }

  func opening(_ slot: Int) -> Opening {
    switch states[slot] ?? .silent {
    case .silent: .silent
    case .waiting: .waiting
    case .handshaking: .handshaking
    case .plain, .open: .open
    }
  }

  func channel(_ slot: Int) -> Channel {
    if case .plain = states[slot] ?? .silent { return places.servesPlain ? .plain : .redirected }
    return .encrypted
  }

  func hasPlace(_ slot: Int) -> Bool {
    switch states[slot] ?? .silent {
    case .silent, .waiting, .plain: false
    case .handshaking, .open: true
    }
  }

  var placeIsWanted: Bool { states.keys.contains { opening($0) == .waiting } }
  var placeIsFree: Bool { states.keys.count { hasPlace($0) } < places.count }

  mutating func givePlace(_ slot: Int) {
    #expect(opening(slot) == .waiting && placeIsFree, "a place is given to who waits, where one is free")
    states[slot] = .handshaking(0)
  }

  func redirectionPort(_ slot: Int) -> UInt16? { places.redirectionPort }

  mutating func accept() -> Acceptance { base.accept() }
  mutating func open(_ slot: Int, _ descriptor: Int32) {
    states[slot] = .silent
    base.open(slot, descriptor)
  }

  mutating func receive(_ slot: Int, into target: inout MutableSpan<UInt8>) -> Transfer {
    let state = states[slot] ?? .silent
    switch state {
    case .open, .plain: return base.receive(slot, into: &target)
    case .waiting: return .notNow
    case .silent, .handshaking: break
    }
    let peer = base.world.peer(base.world.slots[slot] ?? -1)
    if peer.isReset { return .gone }
    guard let first = peer.received.first else { return peer.isDone ? .gone : .notNow }
    guard case .handshaking(let count) = state else {
      states[slot] = first == 22 ? .waiting : .plain
      if first == 22 { peer.received.removeFirst() }
      return .notNow
    }
    guard first == UInt8(ascii: "h") else { return .gone }
    peer.received.removeFirst()
    states[slot] = count == 2 ? .open : .handshaking(count + 1)
    return .notNow
  }

  mutating func send(_ slot: Int, _ octets: Span<UInt8>, _ more: Span<UInt8>, continues: Bool) -> Transfer {
    base.send(slot, octets, more, continues: continues)
  }

  mutating func sendFile(_ slot: Int, file: Int32, offset: Int64, count: Int) -> Transfer {
    base.sendFile(slot, file: file, offset: offset, count: count)
  }

  mutating func unsentCount(_ slot: Int) -> Int { base.unsentCount(slot) }
  mutating func finishSending(_ slot: Int) { base.finishSending(slot) }
  mutating func close(_ slot: Int) {
    states[slot] = nil
    base.close(slot)
  }

  mutating func close(descriptor: Int32) { base.close(descriptor: descriptor) }
  mutating func stopListening() { base.stopListening() }
  mutating func want(_ slot: Int, _ wanted: Readiness?) {
    base.want(slot, opening(slot) == .waiting ? .nothing : wanted)
  }

  mutating func wait(milliseconds: Int, listener: Bool, signals: Bool) -> Wakeup {
    let limit = placeIsWanted ? Limits.placePauseMilliseconds : .max
    return base.wait(
      milliseconds: milliseconds < 0 ? (limit == .max ? -1 : limit) : min(milliseconds, limit),
      listener: listener, signals: signals)
  }

  func ready(_ slot: Int) -> Readiness { base.ready(slot) }
  mutating func now() -> Moment { base.now() }
  mutating func microseconds() -> Int64 { base.microseconds() }
}

/// 198.51.100.0/24 and on (RFC 5737).
private func address(_ number: Int) -> IPAddress {
  IPAddress(high: 0, low: 0xFFFF_C633_6400 + UInt64(number))
}

private let hello = "\u{16}"
private let handshake = "\u{16}hhh"

@Suite struct EncryptionTests {
  private func encrypting(
    _ places: Places = Places(count: 3), slots: Int = min(64, Limits.connectionCountMax),
    _ body: (Stage, World) -> Void
  ) {
    Stage.$places.withValue(places) { withStage(slots: slots, body) }
  }

  /// A peer that has taken a part of its response.
  private func answering(_ world: World, from address: IPAddress) -> Peer {
    let peer = world.connect(handshake + request("GET /big"), from: address)
    peer.room = 100
    return peer
  }

  @Test("A handshake comes before the first request, in pieces of any size")
  func pieces() {
    encrypting { stage, world in
      let whole = world.connect(handshake + request("GET /a"))
      let peer = world.connect()
      peer.script = Array((handshake + request("GET /b")).utf8).enumerated().map {
        (5_000 + Int64($0) * 20, [$1])
      }
      stage.run(until: { !peer.sent.isEmpty })
      #expect(whole.text == echo("GET /a []"))
      #expect(peer.text == echo("GET /b []"))
    }
  }

  @Test("A connection that says nothing, or stops in its handshake, ends after ten seconds")
  func late() {
    encrypting { stage, world in
      let peers = ["", hello, "\u{16}h", "\u{16}hh"].map { world.connect($0) }
      stage.run(until: { peers.allSatisfy { $0.isClosed } })
      #expect(peers.allSatisfy { $0.closedAt == 5_000 + Limits.handshakeTimeoutMilliseconds })
      #expect(peers.allSatisfy { $0.sent.isEmpty })
    }
  }

  @Test("After the handshake a connection may rest as long as every other")
  func rests() {
    encrypting { stage, world in
      let peer = world.connect()
      peer.script = [(7_000, Array(handshake.utf8))]
      stage.run(until: { peer.isClosed })
      #expect(peer.closedAt == 7_000 + Limits.idleTimeoutMilliseconds)
    }
  }

  @Test(
    "What breaks the handshake, or leaves in it, is closed", arguments: [hello, "\u{16}h", "\u{16}hx", ""])
  func broken(octets: String) {
    encrypting { stage, world in
      let peer = world.connect(octets)
      stage.run(until: { world.waiting.isEmpty })
      peer.isDone = true
      stage.run(until: { peer.isClosed })
      #expect(world.monotonic < 5_100 && peer.sent.isEmpty)
    }
  }

  @Test("A connection that rests gives its place to the next one")
  func restingMakesRoom() {
    encrypting { stage, world in
      let resting = (1...3).map { world.connect(handshake + request("GET /a"), from: address($0)) }
      stage.run(until: { resting.allSatisfy { !$0.sent.isEmpty } })
      stage.run(milliseconds: 200)
      let next = world.connect(handshake + request("GET /b"), from: address(4))
      let start = world.monotonic
      stage.run(until: { !next.sent.isEmpty })
      #expect(next.text == echo("GET /b []") && world.monotonic - start < 30)
      #expect(resting.count { $0.isClosed } == 1 && resting[0].isClosed, "the one that has rested longest")
    }
  }

  @Test("After its handshake a client has two seconds for its first request")
  func roundTrip() {
    encrypting { stage, world in
      let far = (1...3).map { _ in world.connect(handshake, from: address(1)) }
      stage.run(until: { world.waiting.isEmpty })
      stage.run(milliseconds: 100)
      let next = world.connect(handshake + request("GET /b"), from: address(1))
      let start = world.monotonic
      stage.run(milliseconds: 1_500)
      #expect(next.sent.isEmpty && far.allSatisfy { !$0.isClosed })
      stage.run(until: { !next.sent.isEmpty })
      #expect(1_800..<2_100 ~= world.monotonic - start)
      #expect(far.count { $0.isClosed } == 1)
    }
  }

  @Test("Connections that are busy keep their places, and the next one waits")
  func busyKeep() {
    encrypting { stage, world in
      let busy = (1...3).map { answering(world, from: address($0)) }
      stage.run(until: { busy.allSatisfy { stage.phase(of: $0) == .sending } })
      let next = world.connect(handshake + request("GET /b"), from: address(4))
      stage.run(milliseconds: 3_000)
      #expect(next.sent.isEmpty && !next.isClosed && busy.allSatisfy { !$0.isClosed })
      busy[1].room = .max
      stage.run(until: { !next.sent.isEmpty })
      #expect(next.text == echo("GET /b []") && busy[1].isClosed)
    }
  }

  @Test("A network with many handshakes gives way to another at once, a network with one after two seconds")
  func shares() {
    encrypting { stage, world in
      let greedy = (1...20).map { _ in world.connect(hello, from: address(1)) }
      stage.run(until: { world.waiting.isEmpty })
      let start = world.monotonic
      let good = world.connect(handshake + request("GET /a"), from: address(2))
      stage.run(until: { !good.sent.isEmpty })
      #expect(world.monotonic - start < 30 && good.text == echo("GET /a []"))
      #expect(greedy.count { $0.isClosed } >= 1)
    }
    encrypting { stage, world in
      let slow = (1...3).map { world.connect(hello, from: address($0)) }
      stage.run(until: { world.waiting.isEmpty })
      let start = world.monotonic
      let good = world.connect(handshake + request("GET /a"), from: address(4))
      stage.run(until: { !good.sent.isEmpty })
      #expect(2_000..<2_100 ~= world.monotonic - start)
      #expect(slow.count { $0.isClosed } == 1)
    }
  }

  @Test("Of those who wait, the network with the fewest connections comes first")
  func fewestFirst() {
    encrypting(Places(count: 1)) { stage, world in
      let busy = answering(world, from: address(9))
      stage.run(until: { stage.phase(of: busy) == .sending })
      let many = (1...4).map { _ in world.connect(handshake + request("GET /a"), from: address(1)) }
      stage.run(milliseconds: 20)
      let one = world.connect(handshake + request("GET /b"), from: address(2))
      stage.run(milliseconds: 20)
      busy.room = .max
      stage.run(until: { !one.sent.isEmpty })
      #expect(many.allSatisfy { $0.sent.isEmpty })
      stage.run(until: { many.allSatisfy { !$0.sent.isEmpty } })
    }
  }

  @Test("A request without encryption that only reads is told where to come", arguments: ["GET", "HEAD"])
  func redirected(method: String) {
    for (port, host, location) in [
      (nil, "box", "https://box:80/a?b=%20c"), (nil, "box:8080", "https://box:8080/a?b=%20c"),
      (nil, "[fe80::1]:443", "https://[fe80::1]/a?b=%20c"), (443, "box:80", "https://box/a?b=%20c"),
      (8_443, "192.0.2.1", "https://192.0.2.1:8443/a?b=%20c"),
    ] as [(UInt16?, String, String)] {
      encrypting(Places(count: 1, redirectionPort: port)) { stage, world in
        let peer = world.connect("\(method) /a?b=%20c HTTP/1.1\r\nHost: \(host)\r\n\r\n")
        stage.run(until: { !peer.sent.isEmpty })
        #expect(peer.text.hasPrefix("HTTP/1.1 308 Permanent Redirect\r\n"))
        #expect(peer.text.contains("\r\nLocation: \(location)\r\n"))
        #expect(peer.text.contains("\r\nConnection: close\r\n"))
        #expect(peer.text.hasSuffix("</html>\n") == (method == "GET"))
        #expect(stage.requests.lines.isEmpty, "no page has been asked")
      }
    }
  }

  @Test(
    "A request without encryption that changes something is refused before its content",
    arguments: ["POST /a", "PUT /a", "DELETE /a", "OPTIONS /a"])
  func refused(line: String) {
    encrypting { stage, world in
      let peer = world.connect(request(line, "Content-Length: 5", "Expect: 100-continue"))
      stage.run(until: { !peer.sent.isEmpty })
      #expect(peer.text.hasPrefix("HTTP/1.1 403 Forbidden\r\n"))
      #expect(stage.requests.lines.isEmpty, "no page has been asked")
    }
  }

  @Test("A request that names no host cannot be told where to come")
  func withoutHost() {
    encrypting { stage, world in
      let peer = world.connect("GET / HTTP/1.0\r\n\r\n")
      stage.run(until: { !peer.sent.isEmpty })
      #expect(peer.text.hasPrefix("HTTP/1.1 403 Forbidden\r\n"))
    }
  }

  @Test("A connection without encryption that has just begun is not taken for one that has rested long")
  func plainIsNew() {
    encrypting(Places(count: 1, servesPlain: true), slots: 3) { stage, world in
      let resting = (1...2).map { world.connect(request("GET /a"), from: address($0)) }
      stage.run(until: { resting.allSatisfy { !$0.sent.isEmpty } })
      stage.run(milliseconds: 100)
      let new = world.connect("GET /b HTTP/1.1\r\n", from: address(3))
      stage.run(milliseconds: 5)
      let newcomer = world.connect(request("GET /c"), from: address(4))
      stage.run(until: { !newcomer.sent.isEmpty })
      #expect(!new.isClosed && resting.count { $0.isClosed } == 1)
    }
  }

  @Test("Where connections without encryption are served, they need no place")
  func plain() {
    encrypting(Places(count: 1, servesPlain: true)) { stage, world in
      let busy = world.connect(handshake + request("GET /work"))
      stage.requests.workSteps[1] = .max
      stage.run(until: { stage.waits(busy, for: .job) })
      let peer = world.connect(request("GET /a"))
      stage.run(until: { !peer.sent.isEmpty })
      #expect(peer.text == echo("GET /a []"))
      stage.requests.workSteps[1] = 0
      stage.settle()
    }
  }
}
