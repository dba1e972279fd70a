// The system below the loop, as an input wants it: peers whose octets come in pieces, take little,
// go away; a clock that moves only when it is told to. Small and fast: no sockets, no dictionaries.

import MartletBytes
import MartletHTTP
import MartletServer

/// One peer, and the kernel's two buffers between it and the server.
struct Peer {
  /// All that the peer will ever send, and how much of it has arrived and been taken.
  var stream: Octets
  var arrivedCount = 0
  var takenCount = 0
  /// How many octets arrive with each call that concerns it: between the server's looks at it, too.
  var trickleSize = 0
  /// Whether the peer has sent all that it will send, and whether it says so with its last octets.
  var isDone = false
  var endsWithLastOctet = false
  /// The slot that the server has given it.
  var slot = -1
  /// Octets that the peer still takes.
  var room = Int.max
  /// Whether the next call moves nothing.
  var skipsReceive = false
  var skipsSend = false
  /// Whether the connection is broken: for every call, or for sending.
  var isReset = false
  var breaksSend = false
  /// What the server has sent, without 100 Continue, which depends on when the content arrives.
  var sent = Octets()
  var isAccepted = false
  var isFinished = false
  var isClosed = false
  /// Whether the kernel has not taken all of what was sent last.
  var isBlocked = false
  /// Whether it was sent the short 503 of a server without a free buffer, or lost its buffer, and with it
  /// its connection, to another one while it took nothing.
  var wasTurnedAway = false

  init(_ stream: Octets) { self.stream = stream }

  var waitingCount: Int { arrivedCount - takenCount }

  mutating func arrive(_ count: Int) {
    arrivedCount += min(count, stream.count - arrivedCount)
    if endsWithLastOctet, arrivedCount == stream.count { isDone = true }
  }

  var readiness: UInt8 {
    if isReset { return 7 }
    return (isDone || waitingCount > 0 ? 1 : 0) | (room > 0 ? 2 : 0) | (isDone ? 4 : 0)
  }
}

/// The peers, the clock, and what is still to happen.
final class World {
  var peers: [Peer] = []
  /// The octets of the schedule, one event each.
  private var schedule: ArraySlice<UInt8> = []
  /// Whether events may do more than cut octets in pieces: break, stop, let time pass.
  private var isRough = false
  private var monotonic = World.start
  /// Where the clock starts in each world: what answers say of the time depends on nothing outside.
  private static let start: Int64 = 5_000
  /// Stands still, so that responses do not depend on when they are made.
  static let unixSeconds: Int64 = 1_800_000_000
  private var reportsPeerDone = true
  private var isSpurious = false
  private(set) var isStopping = false
  private(set) var isListening = true
  private var exhaustedCount = 0
  private enum Stage { case scheduled, delivered, ended }
  private var stage = Stage.scheduled

  /// Descriptors begin there: 0 to 2 are nobody's peer.
  private let firstDescriptor: Int32 = 3

  /// Whether less than a second has passed: tokens carry the second in which they were made.
  var isWithinOneSecond: Bool { monotonic < Self.start + 1_000 }

  /// A new world, whose clock starts again.
  func begin(_ streams: [Octets], _ schedule: ArraySlice<UInt8>, isRough: Bool) {
    peers = streams.map { Peer($0) }
    for slot in slots.indices { slots[slot] = nil }
    self.schedule = schedule
    self.isRough = isRough
    reportsPeerDone = true
    isSpurious = false
    isStopping = false
    isListening = true
    exhaustedCount = 0
    stage = .scheduled
    monotonic = Self.start
  }

  func index(_ descriptor: Int32) -> Int {
    let index = Int(descriptor - firstDescriptor)
    check(peers.indices.contains(index), "a descriptor is one that was accepted")
    check(peers[index].isAccepted && !peers[index].isClosed, "a descriptor is open")
    if peers[index].trickleSize > 0 { peers[index].arrive(peers[index].trickleSize) }
    return index
  }

  // MARK: Events

  private static let counts = [0, 1, 2, 3, 4, 7, 13, 31, 64, 100, 255, 512, 1_024, 1_460]

  /// What an octet of the schedule does: two bits say to whom, six bits what.
  private func happen(_ event: UInt8) {
    guard !peers.isEmpty else { return }
    let who = Int(event >> 6) % peers.count
    let what = Int(event & 63)
    switch what {
    case 0..<14: peers[who].arrive(Self.counts[what])
    case 14: peers[who].arrive(max(0, peers[who].stream.count - peers[who].arrivedCount - 1))
    case 15: peers[who].arrive(.max)
    case 16: peers[who].room = .max
    case 17..<24: peers[who].room = [0, 1, 2, 10, 100, 1_000, 8_000][what - 17]
    case 24: peers[who].skipsReceive = true
    case 25: peers[who].skipsSend = true
    case 26: isSpurious = true
    case 27: peers[who].skipsReceive = true
    case 28: reportsPeerDone.toggle()
    case 29: peers[who].endsWithLastOctet = true
    case 30: for i in peers.indices { peers[i].arrive(1) }
    case 31: monotonic += 5
    case 32..<44: if isRough { disturb(peers.count > 4 ? Int(event) % peers.count : who, what) }
    case 60...63: peers[who].trickleSize = [1, 3, 17, 90][what - 60]
    default: peers[who].arrive(what - 40)
    }
  }

  private func disturb(_ who: Int, _ what: Int) {
    switch what {
    case 32: peers[who].isReset = true
    case 33: peers[who].breaksSend = true
    case 35: monotonic += 1_500
    case 36: monotonic += 11_000
    case 37: monotonic += 61_000
    case 38: isStopping = true
    case 39: exhaustedCount += 1
    case 40: peers[who].isDone = true
    default: break
    }
  }

  // MARK: System calls

  func accept() -> Acceptance {
    guard let next = peers.firstIndex(where: { !$0.isAccepted }) else { return .none }
    if exhaustedCount > 0 {
      exhaustedCount -= 1
      return .exhausted
    }
    peers[next].isAccepted = true
    return .connection(firstDescriptor + Int32(next), .unspecified)
  }

  /// What the slots wait for, and what has come; `nil` and 0: nothing.
  private var wanted = [UInt8?](repeating: nil, count: Limits.connectionCountMax)
  private var ready = [UInt8](repeating: 0, count: Limits.connectionCountMax)
  private var slots = [Int?](repeating: nil, count: Limits.connectionCountMax)

  func open(_ slot: Int, _ descriptor: Int32) {
    check(slots[slot] == nil, "a slot is opened once")
    slots[slot] = index(descriptor)
    wanted[slot] = nil
  }

  /// The peer of a slot.
  func peer(_ slot: Int) -> Int {
    guard let peer = slots[slot] else { fatalError("a slot is open") }
    return index(firstDescriptor + Int32(peer))
  }

  func close(_ slot: Int) {
    peers[peer(slot)].isClosed = true
    slots[slot] = nil
  }

  func want(_ slot: Int, _ wanted: Readiness?) { self.wanted[slot] = wanted?.rawValue }
  func ready(_ slot: Int) -> Readiness { Readiness(rawValue: ready[slot]) }

  func wait(milliseconds: Int, listener: Bool, signals: Bool) -> Wakeup {
    while true {
      if let event = schedule.popFirst() {
        happen(event)
      } else if stage == .scheduled {
        stage = .delivered
        reportsPeerDone = true
        for i in peers.indices {
          peers[i].arrive(.max)
          peers[i].room = .max
        }
      }
      let listenerIsReady =
        listener && isListening && (isSpurious || peers.contains { !$0.isAccepted })
      let stops = isStopping && signals
      if fill() || listenerIsReady || stops || isSpurious {
        isSpurious = false
        return Wakeup(listenerIsReady: listenerIsReady, stopRequested: stops)
      }
      guard schedule.isEmpty, stage != .scheduled else { continue }
      // Nothing can happen now. A short pause passes; otherwise the peers have had all answers.
      if stage == .delivered, milliseconds < 0 || milliseconds > 100 {
        stage = .ended
        for i in peers.indices { peers[i].isDone = true }
        continue
      }
      check(milliseconds >= 0, "who waits for ever waits for something")
      monotonic += Int64(milliseconds)
      return Wakeup(listenerIsReady: false, stopRequested: false)
    }
  }

  private func fill() -> Bool {
    var any = false
    for slot in slots.indices {
      ready[slot] = 0
      guard slots[slot] != nil, let wanted = wanted[slot] else { continue }
      let peer = peer(slot)
      var bits = peers[peer].readiness
      if !reportsPeerDone { bits &= 3 }
      // poll() tells always that a connection is broken.
      bits &= wanted | (peers[peer].isReset ? 12 : 0)
      if isSpurious { bits |= wanted & 3 }
      ready[slot] = bits
      if bits != 0 { any = true }
    }
    return any
  }

  private var looks: Int64 = 0

  var now: Moment {
    Moment(monotonicMilliseconds: monotonic, unixSeconds: Self.unixSeconds)
  }

  func stopListening() { isListening = false }

  /// What reading comes to, before any octet is moved; `nil` when there are some.
  private func emptiness(_ i: Int) -> Transfer? {
    if peers[i].isReset { return .gone }
    guard peers[i].waitingCount == 0 else { return nil }
    return peers[i].isDone ? .end : .notNow
  }

  func receive(_ slot: Int, _ target: inout MutableSpan<UInt8>) -> Transfer {
    let i = peer(slot)
    check(target.count > 0, "there is room for what is read")
    if peers[i].skipsReceive {
      peers[i].skipsReceive = false
      return .notNow
    }
    if let nothing = emptiness(i) { return nothing }
    let count = min(peers[i].waitingCount, target.count)
    let start = peers[i].takenCount
    for k in 0..<count { target[k] = peers[i].stream[start + k] }
    peers[i].takenCount += count
    return .octets(count)
  }

  func send(_ slot: Int, _ octets: Span<UInt8>) -> Transfer {
    let i = peer(slot)
    check(octets.count > 0, "nothing is sent in an empty piece")
    check(!peers[i].isFinished, "nothing is sent after the end")
    // But a refusal may: a head that has not ended is parsed once a kibibyte, and at the end.
    check(
      stage != .ended || isRough || octets.hasPrefix("HTTP/1.1 4") || octets.hasPrefix("HTTP/1.1 5"),
      "no answer waits for the peer's end")
    if peers[i].isReset || peers[i].breaksSend { return .gone }
    if octets.hasPrefix("HTTP/1.1 503 Service Unavailable\r\nRetry-After") {
      peers[i].wasTurnedAway = true
      return .octets(octets.count)
    }
    let isInterim = octets.equals(ResponseHead.interimContinue)
    // The kernel takes 25 octets whole or not at all, or else the server ends the connection.
    if peers[i].skipsSend || peers[i].room == 0 || isInterim && peers[i].room < octets.count {
      peers[i].skipsSend = false
      peers[i].isBlocked = !isInterim
      return .notNow
    }
    if isInterim { return .octets(octets.count) }
    let count = min(octets.count, peers[i].room)
    peers[i].isBlocked = count < octets.count
    octets.extracting(first: count).withUnsafeBufferPointer { peers[i].sent += $0 }
    if peers[i].room != .max { peers[i].room -= count }
    return .octets(count)
  }

  /// What the kernel has not sent: a lot, as long as the peer has not taken what it was sent.
  func unsentCount(_ slot: Int) -> Int {
    let i = peer(slot)
    return peers[i].room > 0 ? 0 : Limits.unsentSizeMax + 1
  }

  /// A step of work takes a tenth of a millisecond.
  func microseconds() -> Int64 {
    looks += 1
    return monotonic * 1_000 + looks * 100
  }

  func finishSending(_ slot: Int) { peers[peer(slot)].isFinished = true }

  func close(descriptor: Int32) {
    let i = index(descriptor)
    if peers[i].isBlocked { peers[i].wasTurnedAway = true }
    peers[i].isClosed = true
  }
}

/// The system calls of the loop, answered by a `World`.
struct WorldTransport: Transport, ~Copyable {
  let world: World

  mutating func accept() -> Acceptance { world.accept() }

  mutating func open(_ slot: Int, _ descriptor: Int32) { world.open(slot, descriptor) }

  mutating func receive(_ slot: Int, into target: inout MutableSpan<UInt8>) -> Transfer {
    world.receive(slot, &target)
  }

  mutating func send(
    _ slot: Int, _ octets: Span<UInt8>, _ more: Span<UInt8>, continues: Bool
  ) -> Transfer {
    guard more.count > 0 else { return world.send(slot, octets) }
    var both = Octets()
    octets.withUnsafeBufferPointer { both += $0 }
    more.withUnsafeBufferPointer { both += $0 }
    return world.send(slot, both.span)
  }

  /// The site has no files.
  mutating func sendFile(_ slot: Int, file: Int32, offset: Int64, count: Int) -> Transfer { .gone }

  mutating func unsentCount(_ slot: Int) -> Int { world.unsentCount(slot) }

  mutating func microseconds() -> Int64 { world.microseconds() }

  mutating func finishSending(_ slot: Int) { world.finishSending(slot) }

  mutating func close(_ slot: Int) { world.close(slot) }

  mutating func close(descriptor: Int32) { world.close(descriptor: descriptor) }

  mutating func stopListening() { world.stopListening() }

  mutating func want(_ slot: Int, _ wanted: Readiness?) { world.want(slot, wanted) }

  mutating func wait(milliseconds: Int, listener: Bool, signals: Bool) -> Wakeup {
    world.wait(milliseconds: milliseconds, listener: listener, signals: signals)
  }

  func ready(_ slot: Int) -> Readiness { world.ready(slot) }

  mutating func now() -> Moment { world.now }
}
