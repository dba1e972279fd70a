// The system as a test wants it: peers whose octets arrive when the script says so, a clock that
// moves only while the loop waits, and every call able to fail once or always. No sockets, no time.

import CMartletPlatform
import MartletBytes
import Testing

@testable import MartletServer

/// One peer, and the kernel's two buffers between it and the server.
final class Peer {
  let descriptor: Int32
  /// 192.0.2.7 (RFC 5737).
  var address = IPAddress(high: 0, low: 0xFFFF_C000_0207)
  /// Octets on their way, each with the moment of their arrival.
  var script: [(at: Int64, octets: [UInt8])] = []
  /// What arrives between any two calls, a piece each.
  var trickle: [[UInt8]] = []
  /// When the peer takes that many octets more.
  var roomScript: [(at: Int64, count: Int)] = []
  /// What has arrived and not been taken.
  var received: [UInt8] = []
  /// Whether the peer has sent all that it will send.
  var isDone = false
  /// Whether the connection is broken.
  var isReset = false
  /// Octets that the peer still takes.
  var room = Int.max
  /// At most that many octets in one call.
  var sendSizeMax = Int.max
  var receiveSizeMax = Int.max
  /// What the next calls come to, whatever the state.
  var sendFaults: [Transfer] = []
  var receiveFaults: [Transfer] = []
  var sendFileFaults: [Transfer] = []
  /// What the server has sent.
  var sent: [UInt8] = []
  /// Whether the server's system waits with the last octets for more of them (MSG_MORE).
  var awaitsMore = false
  /// How many of them the kernel has sent; `nil`: all.
  var sentByKernel: Int?
  var isFinished = false
  var isClosed = false
  var closedAt: Int64?

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  /// What its kernel has taken and not yet sent.
  var unsentCount: Int { sent.count - (sentByKernel ?? sent.count) }

  func takeTrickle() {
    if !trickle.isEmpty { received += trickle.removeFirst() }
  }

  var text: String { String(decoding: sent, as: UTF8.self) }

  var readiness: Readiness {
    if isReset { return Readiness(rawValue: 15) }
    var bits: UInt8 = isDone || !received.isEmpty ? 1 : 0
    // As Linux does with TCP_NOTSENT_LOWAT.
    if room > 0, unsentCount <= Limits.unsentSizeMax { bits |= 2 }
    if isDone { bits |= 4 }
    return Readiness(rawValue: bits)
  }
}

/// The system: its clock, its listener, its peers.
final class World {
  var monotonic: Int64 = 5_000
  /// Stands still, so that the Date of every response is the same.
  let unixSeconds: Int64 = 784_111_777
  var peers: [Int32: Peer] = [:]
  /// Files that responders have opened: their octets.
  var files: [Int32: [UInt8]] = [:]
  /// When the disk has brought a file's octets from an offset on, for files on a slow disk.
  var disk: ((_ offset: Int64) -> Int64)?
  var diskQuestionCount = 0
  /// Microseconds that sending a step of a file takes.
  var fileMicroseconds: Int64 = 0
  /// Microseconds of the monotonic clock beyond its milliseconds, and how many pass at each look.
  var microseconds: Int64 = 0
  var microsecondsPerLook: Int64 = 100
  /// What accept() has in store.
  var waiting: [Acceptance] = []
  var isListening = true
  /// When SIGTERM comes.
  var stopAt: Int64?
  /// Whether an end is reported apart from octets (POLLRDHUP).
  var reportsPeerDone = true
  /// Whether each wait reports everything that was asked for, come or not.
  var isSpurious = false
  var waitCount = 0
  /// Waits that nothing would ever have ended.
  var endlessWaitCount = 0
  /// What an awkward transport keeps, by slot.
  var awkward: [Int: AwkwardState] = [:]
  private var nextDescriptor: Int32 = 10
  /// Sees what happens to each connection.
  var recorder: Recorder?

  /// A peer whose connection waits at the listener.
  func connect(_ octets: String = "", from address: IPAddress? = nil) -> Peer {
    let peer = Peer(nextDescriptor)
    if let address { peer.address = address }
    nextDescriptor += 1
    peer.received = [UInt8](octets.utf8)
    peers[peer.descriptor] = peer
    waiting.append(.connection(peer.descriptor, peer.address))
    return peer
  }

  /// The peer of an open descriptor; any other descriptor is a bug of the loop.
  func peer(_ descriptor: Int32) -> Peer {
    guard let peer = peers[descriptor], !peer.isClosed else {
      Issue.record("descriptor \(descriptor) is not open")
      return Peer(descriptor)
    }
    peer.takeTrickle()
    return peer
  }

  /// Moves on to `moment`, and lets arrive what arrives until then.
  func advance(to moment: Int64) {
    monotonic = max(monotonic, moment)
    for peer in peers.values {
      while let first = peer.script.first, first.at <= monotonic {
        peer.received += first.octets
        peer.script.removeFirst()
      }
      while let first = peer.roomScript.first, first.at <= monotonic {
        peer.room += first.count
        peer.roomScript.removeFirst()
      }
    }
  }

  var nextArrival: Int64? {
    let open = peers.values.filter { !$0.isClosed }
    if open.contains(where: { !$0.trickle.isEmpty }) { return monotonic }
    let arrivals =
      open.compactMap { $0.script.first?.at } + open.compactMap { $0.roomScript.first?.at }
    return (arrivals + [stopAt].compactMap { $0 }.filter { $0 > monotonic }).min()
  }

  /// The descriptors of the slots, what each waits for, and what has come.
  var slots: [Int: Int32] = [:]
  var wanted: [Int: Readiness] = [:]
  var ready: [Int: Readiness] = [:]

  func fill() -> Bool {
    ready = [:]
    for (slot, descriptor) in slots {
      guard let wanted = wanted[slot] else { continue }
      let peer = peer(descriptor)
      var bits = peer.readiness.rawValue
      if !reportsPeerDone { bits &= 11 }
      // poll() tells always that a connection is broken.
      bits &= wanted.rawValue | (peer.isReset ? 12 : 0)
      if isSpurious { bits |= wanted.rawValue & 3 }
      if bits != 0 { ready[slot] = Readiness(rawValue: bits) }
    }
    return !ready.isEmpty
  }
}

/// The system calls of the loop, answered by a `World`.
struct ScriptedTransport: Transport, ~Copyable {
  let world: World
  var connectionCountMax = Limits.connectionCountMax

  mutating func accept() -> Acceptance {
    world.recorder?.makeRoom()
    guard world.isListening, !world.waiting.isEmpty else { return .none }
    if world.waiting[0] == .exhausted {
      // It passes only when a descriptor is given back.
      return .exhausted
    }
    return world.waiting.removeFirst()
  }

  mutating func open(_ slot: Int, _ descriptor: Int32) {
    #expect(world.slots[slot] == nil, "a slot is opened once")
    world.slots[slot] = descriptor
    world.wanted[slot] = nil
    world.recorder?.open(slot)
  }

  private func peer(_ slot: Int) -> Peer {
    guard let descriptor = world.slots[slot] else {
      Issue.record("slot \(slot) is not open")
      return Peer(-1)
    }
    return world.peer(descriptor)
  }

  mutating func receive(_ slot: Int, into target: inout MutableSpan<UInt8>) -> Transfer {
    let transfer = read(slot, into: &target)
    switch transfer {
    case .octets: world.recorder?.note(slot, "octets")
    case .end: world.recorder?.note(slot, "FIN")
    case .gone: world.recorder?.note(slot, "broken")
    case .notNow: break
    }
    return transfer
  }

  private func read(_ slot: Int, into target: inout MutableSpan<UInt8>) -> Transfer {
    let peer = peer(slot)
    #expect(target.count > 0, "there is room for what is read")
    if !peer.receiveFaults.isEmpty { return peer.receiveFaults.removeFirst() }
    if peer.isReset { return .gone }
    if peer.received.isEmpty { return peer.isDone ? .end : .notNow }
    let count = min(peer.received.count, target.count, peer.receiveSizeMax)
    for i in 0..<count { target[i] = peer.received[i] }
    peer.received.removeFirst(count)
    return .octets(count)
  }

  mutating func send(
    _ slot: Int, _ octets: Span<UInt8>, _ more: Span<UInt8>, continues: Bool
  ) -> Transfer {
    let transfer = write(slot, octets, more, continues: continues)
    switch transfer {
    case .octets(octets.count + more.count): world.recorder?.note(slot, "sent")
    case .octets, .notNow: world.recorder?.note(slot, "full")
    case .end, .gone: world.recorder?.note(slot, "broken")
    }
    return transfer
  }

  private func write(
    _ slot: Int, _ octets: Span<UInt8>, _ more: Span<UInt8>, continues: Bool
  ) -> Transfer {
    let peer = peer(slot)
    #expect(octets.count + more.count > 0, "nothing is sent in an empty piece")
    #expect(!peer.isFinished, "nothing is sent after the end")
    if !peer.sendFaults.isEmpty { return peer.sendFaults.removeFirst() }
    if peer.isReset { return .gone }
    let count = min(octets.count + more.count, peer.room, peer.sendSizeMax)
    guard count > 0 else { return .notNow }
    peer.awaitsMore = continues
    for i in 0..<count {
      peer.sent.append(i < octets.count ? octets[i] : more[i - octets.count])
    }
    if peer.room != .max { peer.room -= count }
    return .octets(count)
  }

  mutating func countInMemory(file: Int32, offset: Int64, count: Int, _ how: DiskQuestion) -> Int {
    #expect(count > 0 && count <= Limits.fileStepSizeMax)
    world.diskQuestionCount += 1
    guard let disk = world.disk else { return count }
    return disk(offset + Int64(count) - 1) <= world.monotonic ? count : 0
  }

  mutating func sendFile(_ slot: Int, file: Int32, offset: Int64, count: Int) -> Transfer {
    guard let octets = world.files[file] else {
      Issue.record("file \(file) is not open")
      return .gone
    }
    let peer = peer(slot)
    if !peer.sendFileFaults.isEmpty {
      if peer.sendFileFaults[0] == .gone { world.recorder?.note(slot, "broken") }
      return peer.sendFileFaults.removeFirst()
    }
    world.microseconds += world.fileMicroseconds
    let piece = [UInt8](octets.dropFirst(Int(offset)).prefix(count))
    guard !piece.isEmpty else { return .end }
    return send(slot, piece.span, piece.span.extracting(0..<0), continues: false)
  }

  mutating func unsentCount(_ slot: Int) -> Int {
    let count = peer(slot).unsentCount
    world.recorder?.noteUnsent(slot, count)
    return count
  }

  mutating func finishSending(_ slot: Int) { peer(slot).isFinished = true }

  mutating func close(_ slot: Int) {
    guard let descriptor = world.slots.removeValue(forKey: slot) else {
      Issue.record("slot \(slot) is not open")
      return
    }
    close(descriptor: descriptor)
  }

  mutating func close(descriptor: Int32) {
    if world.files[descriptor] != nil { return world.files[descriptor] = nil }
    let peer = world.peer(descriptor)
    peer.isClosed = true
    peer.closedAt = world.monotonic
    if world.waiting.first == .exhausted { world.waiting.removeFirst() }
  }

  mutating func stopListening() {
    world.isListening = false
    world.recorder?.stop()
  }

  mutating func want(_ slot: Int, _ wanted: Readiness?) { world.wanted[slot] = wanted }

  func ready(_ slot: Int) -> Readiness { world.ready[slot] ?? .nothing }

  mutating func wait(milliseconds: Int, listener: Bool, signals: Bool) -> Wakeup {
    world.waitCount += 1
    for peer in world.peers.values { peer.takeTrickle() }
    world.advance(to: world.monotonic)
    let listens = listener && world.isListening
    let any = world.fill()
    let stopAt = signals ? world.stopAt ?? .max : .max
    let stops = stopAt <= world.monotonic
    if !any, !(listens && !world.waiting.isEmpty), !stops {
      // Nothing now: the time passes until something arrives or the wait is over.
      let end = milliseconds < 0 ? Int64.max : world.monotonic + Int64(milliseconds)
      let next = min(end, world.nextArrival ?? .max)
      if next == .max { world.endlessWaitCount += 1 } else { world.advance(to: next) }
      _ = world.fill()
    } else if world.isSpurious {
      world.advance(to: world.monotonic + 1)
    }
    world.recorder?.beginTurn(at: world.monotonic, world.ready)
    return Wakeup(
      listenerIsReady: listens && (!world.waiting.isEmpty || world.isSpurious),
      stopRequested: stopAt <= world.monotonic)
  }

  mutating func now() -> Moment {
    Moment(monotonicMilliseconds: world.monotonic, unixSeconds: world.unixSeconds)
  }

  mutating func microseconds() -> Int64 {
    world.microseconds += world.microsecondsPerLook
    return world.monotonic * 1_000 + world.microseconds
  }
}
