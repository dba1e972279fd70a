// A second transport below the same server: one that behaves as one that encrypts does. It reads whole records
// from the kernel and hands their octets out in portions of 1, 2, 3, 7 …; what it still holds poll() does not
// see. At times it must send before it can read, and read before it can send.

import MartletBytes
import MartletHTTP
import Testing

@testable import MartletServer

/// What the transport keeps for a slot.
struct AwkwardState {
  /// Octets that have been decrypted and not handed out.
  var decrypted: [UInt8] = []
  /// What the server waits for.
  var wanted: Readiness?
  /// Whether the next read needs room in the send buffer first.
  var readNeedsRoom = false
  /// Whether the next send needs a record of the peer first, and whether the record has come.
  var sendNeedsRecord = false
  var recordHasCome = false
  var readCount = 0
  var sendCount = 0

  /// Whether something can go on that poll() does not see.
  func goesOn(_ wanted: Readiness?) -> Bool {
    guard let wanted else { return false }
    return wanted.contains(.readable) && !decrypted.isEmpty && !readNeedsRoom
      || wanted.contains(.writable) && sendNeedsRecord
  }
}

extension AwkwardState {
  /// Whether the connection has something to do that its peer does not show.
  func isBusy(_ connection: Connection) -> Bool {
    connection.reads && (!decrypted.isEmpty || readNeedsRoom)
      || connection.phase == .sending && sendNeedsRecord
  }
}

/// Scripted peers behind records.
struct AwkwardTransport: Transport, ~Copyable {
  var base: ScriptedTransport
  private var found: [Int: Readiness] = [:]

  init(base: consuming ScriptedTransport) { self.base = base }

  private var world: World { base.world }
  var connectionCountMax: Int { base.connectionCountMax }

  private static let portions = [1, 2, 3, 7, 40, 900]
  private static let recordSize = 4_000

  mutating func accept() -> Acceptance { base.accept() }

  mutating func open(_ slot: Int, _ descriptor: Int32) {
    base.open(slot, descriptor)
    world.awkward[slot] = AwkwardState()
  }

  mutating func receive(_ slot: Int, into target: inout MutableSpan<UInt8>) -> Transfer {
    var state = world.awkward[slot] ?? AwkwardState()
    defer { world.awkward[slot] = state }
    state.readCount += 1
    if state.readNeedsRoom {
      // The server has called although only a read was possible: the transport bears that.
      guard base.ready(slot).contains(.writable) else { return .notNow }
      state.readNeedsRoom = false
    } else if state.readCount % 6 == 3 {
      state.readNeedsRoom = true
      return .notNow
    }
    if state.decrypted.isEmpty {
      var record = [UInt8](repeating: 0, count: Self.recordSize)
      var octets = record.mutableSpan
      let transfer = base.receive(slot, into: &octets)
      guard case .octets(let count) = transfer else { return transfer }
      state.decrypted = [UInt8](record.prefix(count))
    }
    let count = min(Self.portions[state.readCount % Self.portions.count], target.count, state.decrypted.count)
    for i in 0..<count { target[i] = state.decrypted[i] }
    state.decrypted.removeFirst(count)
    return .octets(count)
  }

  /// Whether a send can begin.
  private func maySend(_ slot: Int) -> Bool {
    var state = world.awkward[slot] ?? AwkwardState()
    defer { world.awkward[slot] = state }
    state.sendCount += 1
    if state.sendNeedsRecord {
      guard state.recordHasCome else { return false }
      state.sendNeedsRecord = false
      state.recordHasCome = false
    } else if state.sendCount % 4 == 2 {
      state.sendNeedsRecord = true
      return false
    }
    return true
  }

  mutating func send(
    _ slot: Int, _ octets: Span<UInt8>, _ more: Span<UInt8>, continues: Bool
  ) -> Transfer {
    guard maySend(slot) else { return .notNow }
    let count = octets.count + more.count
    let sizeMax = [count, 300, 700, 1_000][(world.awkward[slot]?.sendCount ?? 0) % 4]
    let first = octets.extracting(first: min(octets.count, sizeMax))
    let second = more.extracting(first: min(more.count, sizeMax - first.count))
    return base.send(slot, first, second, continues: continues || first.count + second.count < count)
  }

  /// A file's octets go through a buffer, because they are encrypted.
  mutating func sendFile(_ slot: Int, file: Int32, offset: Int64, count: Int) -> Transfer {
    guard maySend(slot) else { return .notNow }
    return base.sendFile(slot, file: file, offset: offset, count: min(count, 16_384))
  }

  mutating func countInMemory(file: Int32, offset: Int64, count: Int, _ how: DiskQuestion) -> Int {
    base.countInMemory(file: file, offset: offset, count: count, how)
  }

  mutating func unsentCount(_ slot: Int) -> Int { base.unsentCount(slot) }

  mutating func finishSending(_ slot: Int) { base.finishSending(slot) }

  mutating func close(_ slot: Int) {
    world.awkward[slot] = nil
    base.close(slot)
  }

  mutating func close(descriptor: Int32) { base.close(descriptor: descriptor) }

  mutating func stopListening() { base.stopListening() }

  mutating func want(_ slot: Int, _ wanted: Readiness?) {
    world.awkward[slot]?.wanted = wanted
    guard let wanted, let state = world.awkward[slot] else { return base.want(slot, nil) }
    var bits = wanted.rawValue & Readiness.peerDone.rawValue
    if wanted.contains(.readable) {
      bits |= state.readNeedsRoom ? Readiness.writable.rawValue : Readiness.readable.rawValue
    }
    if wanted.contains(.writable), !state.sendNeedsRecord { bits |= Readiness.writable.rawValue }
    base.want(slot, Readiness(rawValue: bits))
  }

  mutating func wait(milliseconds: Int, listener: Bool, signals: Bool) -> Wakeup {
    let goesOn = world.awkward.values.contains { $0.goesOn($0.wanted) }
    let wakeup = base.wait(milliseconds: goesOn ? 0 : milliseconds, listener: listener, signals: signals)
    found = [:]
    for (slot, state) in world.awkward {
      guard let wanted = state.wanted else { continue }
      let ready = base.ready(slot)
      var bits = ready.rawValue & (Readiness.peerDone.rawValue | Readiness.broken.rawValue)
      if wanted.contains(.readable) {
        let isReady =
          state.readNeedsRoom
          ? ready.contains(.writable) : ready.contains(.readable) || !state.decrypted.isEmpty
        if isReady { bits |= Readiness.readable.rawValue }
      }
      if wanted.contains(.writable), state.sendNeedsRecord || ready.contains(.writable) {
        bits |= Readiness.writable.rawValue
        world.awkward[slot]?.recordHasCome = state.sendNeedsRecord
      }
      if bits != 0 { found[slot] = Readiness(rawValue: bits) }
    }
    return wakeup
  }

  func ready(_ slot: Int) -> Readiness { found[slot] ?? .nothing }

  mutating func now() -> Moment { base.now() }

  mutating func microseconds() -> Int64 { base.microseconds() }
}

@Suite struct AwkwardTransportTests {
  /// Plays scenarios over this transport.
  private func awkwardly(_ body: () -> Void) { Stage.$isAwkward.withValue(true, operation: body) }

  @Test("Octets that the transport holds are read without waiting for the kernel")
  func held() {
    awkwardly {
      withStage { stage, world in
        let start = world.monotonic
        let peer = world.connect(request("GET /a") + post("/b", "hello") + request("GET /c"))
        stage.run(until: { peer.text.hasSuffix(echo("GET /c []")) })
        #expect(peer.text == echo("GET /a []") + echo("POST /b [hello]") + echo("GET /c []"))
        #expect(world.monotonic == start && world.endlessWaitCount == 0)
      }
    }
  }

  @Test("Requests have the same answers")
  func requests() {
    awkwardly {
      let tests = RequestTests()
      tests.whole()
      tests.contentAfterHead()
      tests.pipelined()
      tests.unfinished()
      tests.nothingLeaks()
      tests.keepAlive()
      tests.afterClose()
      tests.head()
      tests.noContent()
      tests.largest()
      tests.refusals()
      tests.half()
      tests.requestAndEnd()
      for text in ["GET / HTTP/1.1\nHost: h\n\n", "GET / HTTP/1.1\r\nb@d: x\r\n"] {
        tests.refusedAtTheEnd(text: text)
      }
      for isSpurious in [false, true] { tests.trickle(honoursWakeCount: false, isSpurious: isSpurious) }
    }
  }

  @Test("Uploads come whole, and each ends once")
  func uploads() {
    awkwardly {
      let content = ContentTests()
      content.large()
      content.chunks()
      content.trickling()
      content.tooMuch()
      content.brokenChunks()
      content.refusedMidway()
      content.unwanted()
      let uploads = UploadTests()
      uploads.states()
      uploads.oneBlock()
      uploads.pipelined()
      uploads.refused()
      BlocksTests().onePiece()
      BlocksTests().content()
    }
  }

  @Test("Long responses are sent whole, and what goes wrong leaves nothing behind")
  func responses() {
    awkwardly {
      let flows = ResponseFlowTests()
      flows.dataInPieces()
      flows.dataWithoutBuffer()
      flows.head()
      flows.wholeFile()
      flows.emptyFile()
      flows.shrunkFile()
      flows.inPieces()
      flows.oldVersion()
      flows.longPiece()
      flows.longPause()
      flows.failure()
      let faults = FaultTests()
      faults.goneWhileSending()
      faults.spurious()
      WorkTests().roundRobin()
      WorkTests().waiting()
      StopTests().stopWithConnection()
    }
  }
}
