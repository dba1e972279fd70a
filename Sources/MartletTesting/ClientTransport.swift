// The system below a test's server: peers in this process, a clock that the test sets, no sockets. A wait
// without anything to do advances the clock at once.

import CMartletPlatform
import Martlet
import MartletBytes
import MartletHTTP
import MartletServer

/// One connection: the octets that the peer has sent, and the octets that the server has sent.
final class ClientPeer {
  let descriptor: Int32
  let address: IPAddress
  /// Octets that the server has not read yet.
  var arriving: ArraySlice<UInt8>
  var sent: [UInt8] = []
  /// Whether the server waits to read from the connection: the next request, or the rest of the current one.
  var isRead = false
  /// Whether the peer has closed its end.
  var isGone = false
  var isClosed = false

  init(_ descriptor: Int32, _ address: IPAddress, _ octets: [UInt8]) {
    self.descriptor = descriptor
    self.address = address
    arriving = octets[...]
  }

  fileprivate var readiness: UInt8 {
    isGone
      ? Readiness.readable.rawValue | Readiness.peerDone.rawValue | Readiness.broken.rawValue
      : Readiness.writable.rawValue | (arriving.isEmpty ? 0 : Readiness.readable.rawValue)
  }
}

/// The peers, and the clock.
final class ClientWorld {
  /// Milliseconds and Unix seconds that the test has set, plus the milliseconds of waits.
  var milliseconds: Int64 = 0
  var unixSeconds: Int64 = 0
  private(set) var waitedMilliseconds: Int64 = 0
  /// Whether the server would wait for ever.
  private(set) var isAtRest = false
  /// What the system says about its clock.
  var boot: Int64 = 1
  var isSynchronized = false
  /// Connections whose work is held, and whether the next connection that is put off is held.
  var held: Set<UInt64> = []
  var holdsNext = false
  /// Whether the server has nothing to do before its next wait ends; and whether such a wait takes no time.
  private(set) var isIdle = false
  var standsStill = false
  /// The connection whose page answered `later` when it was last asked.
  var putOff: UInt64?

  private var waiting: [ClientPeer] = []
  private var peers: [Int: ClientPeer] = [:]
  private var accepted: [Int32: ClientPeer] = [:]
  private var wanted: [Int: UInt8] = [:]
  private var ready: [Int: UInt8] = [:]
  private var looks: Int64 = 0
  /// The descriptors of programs' output, and those with octets.
  private var watched: [Int: Int32] = [:]
  private var readyWatches: Set<Int> = []
  /// Whether there has been a program. Its output may have ended before the server waits for it.
  var hasRunPrograms = false
  /// The next descriptor. The numbers begin where no open file has its descriptor.
  private var nextDescriptor: Int32 = 1 << 24

  /// Makes a connection whose peer has sent these octets.
  func connect(_ octets: [UInt8], from address: IPAddress) -> ClientPeer {
    let peer = ClientPeer(nextDescriptor, address, octets)
    nextDescriptor += 1
    waiting.append(peer)
    return peer
  }

  fileprivate func accept() -> Acceptance {
    guard !waiting.isEmpty else { return .none }
    let peer = waiting.removeFirst()
    accepted[peer.descriptor] = peer
    return .connection(peer.descriptor, peer.address)
  }

  fileprivate func open(_ slot: Int, _ descriptor: Int32) {
    peers[slot] = accepted.removeValue(forKey: descriptor)
    wanted[slot] = 0
  }

  fileprivate func peer(_ slot: Int) -> ClientPeer {
    guard let peer = peers[slot] else { stop("a slot is open") }
    return peer
  }

  fileprivate func close(_ slot: Int) {
    peers.removeValue(forKey: slot)?.isClosed = true
    wanted[slot] = nil
  }

  fileprivate func close(descriptor: Int32) {
    guard let peer = accepted.removeValue(forKey: descriptor) else { return martlet_close(descriptor) }
    peer.isClosed = true
  }

  fileprivate func want(_ slot: Int, _ readiness: Readiness?) { wanted[slot] = readiness?.rawValue ?? 0 }

  fileprivate func watch(_ index: Int, _ descriptor: Int32) {
    watched[index] = descriptor
  }

  fileprivate func isReady(watch index: Int) -> Bool { readyWatches.contains(index) }

  /// Waits in true time, because programs do not live by the clock of the test. The wait is a tenth of a second at
  /// most. Where no output is waited for, a program may be about to end, and the wait is shorter.
  ///
  /// - Returns: Milliseconds that the clock of the test advances by; 0 where a program has written something.
  private func waitForPrograms(_ milliseconds: Int) -> Int {
    var entries = watched.values.map {
      martlet_poll_entry(descriptor: $0, wanted: Int16(MARTLET_READABLE), ready: 0)
    }
    guard entries.contains(where: { $0.descriptor >= 0 }) else {
      martlet_sleep(Int32(max(0, min(milliseconds, 10))))
      return milliseconds
    }
    let wait = milliseconds < 0 ? 100 : min(milliseconds, 100)
    guard unsafe martlet_poll(&entries, entries.count, Int32(wait)) > 0 else { return wait }
    for (index, entry) in zip(watched.keys, entries) where entry.ready != 0 { readyWatches.insert(index) }
    return 0
  }

  fileprivate func ready(_ slot: Int) -> Readiness { Readiness(rawValue: ready[slot] ?? 0) }

  fileprivate func wait(_ milliseconds: Int) -> Wakeup {
    ready = [:]
    for (slot, peer) in peers {
      let wanted = wanted[slot] ?? 0
      peer.isRead = wanted & Readiness.readable.rawValue != 0
      let bits = peer.readiness & (wanted | (peer.isGone ? Readiness.broken.rawValue : 0))
      if bits != 0 { ready[slot] = bits }
    }
    isIdle = ready.isEmpty && waiting.isEmpty
    readyWatches = []
    var milliseconds = milliseconds
    if isIdle, hasRunPrograms, milliseconds != 0 {
      milliseconds = waitForPrograms(milliseconds)
      if milliseconds == 0 { isIdle = false }
    }
    isAtRest = isIdle && milliseconds < 0
    if isIdle, milliseconds > 0, !isAnswered, !standsStill { waitedMilliseconds += Int64(milliseconds) }
    return Wakeup(listenerIsReady: !waiting.isEmpty, stopRequested: false)
  }

  /// Whether a peer has its answer. Then a wait does not advance the clock.
  private var isAnswered: Bool { peers.values.contains { $0.isRead && !$0.answer.isEmpty } }

  fileprivate var moment: Moment {
    Moment(monotonicMilliseconds: milliseconds &+ waitedMilliseconds, unixSeconds: unixSeconds)
  }

  /// Microseconds of the clock that measures work. Each reading advances the clock by a millisecond, as if a
  /// step of work needed that long.
  fileprivate func microseconds() -> Int64 {
    looks += 1
    return looks * 1_000
  }
}

extension ClientPeer {
  /// The octets that the server has sent, without interim responses (RFC 9110 section 15.2).
  var answer: ArraySlice<UInt8> {
    let interim = [UInt8]("HTTP/1.1 100 Continue\r\n\r\n".utf8)
    var rest = sent[...]
    while rest.starts(with: interim) { rest = rest.dropFirst(interim.count) }
    return rest
  }
}

/// The system calls of the loop, answered by a `ClientWorld`.
struct ClientTransport: Transport, ~Copyable {
  let world: ClientWorld

  mutating func accept() -> Acceptance { world.accept() }

  mutating func open(_ slot: Int, _ descriptor: Int32) { world.open(slot, descriptor) }

  mutating func receive(_ slot: Int, into target: inout MutableSpan<UInt8>) -> Transfer {
    let peer = world.peer(slot)
    if peer.isGone { return .gone }
    guard !peer.arriving.isEmpty else { return .notNow }
    let count = min(peer.arriving.count, target.count)
    for i in 0..<count { target[i] = peer.arriving[peer.arriving.startIndex + i] }
    peer.arriving = peer.arriving.dropFirst(count)
    return .octets(count)
  }

  mutating func send(
    _ slot: Int, _ octets: Span<UInt8>, _ more: Span<UInt8>, continues: Bool
  ) -> Transfer {
    let peer = world.peer(slot)
    if peer.isGone { return .gone }
    peer.isRead = false
    peer.sent += [UInt8](copying: octets)
    peer.sent += [UInt8](copying: more)
    return .octets(octets.count + more.count)
  }

  mutating func sendFile(_ slot: Int, file: Int32, offset: Int64, count: Int) -> Transfer {
    let octets = TestFile.read(file, from: offset, count: count)
    guard !octets.isEmpty else { return .end }
    world.peer(slot).isRead = false
    world.peer(slot).sent += octets
    return .octets(octets.count)
  }

  mutating func unsentCount(_ slot: Int) -> Int { 0 }

  mutating func finishSending(_ slot: Int) {}

  mutating func close(_ slot: Int) { world.close(slot) }

  mutating func close(descriptor: Int32) { world.close(descriptor: descriptor) }

  mutating func stopListening() {}

  mutating func want(_ slot: Int, _ wanted: Readiness?) { world.want(slot, wanted) }

  mutating func watch(_ index: Int, _ descriptor: Int32) { world.watch(index, descriptor) }

  func isReady(watch index: Int) -> Bool { world.isReady(watch: index) }

  mutating func wait(milliseconds: Int, listener: Bool, signals: Bool) -> Wakeup {
    world.wait(milliseconds)
  }

  func ready(_ slot: Int) -> Readiness { world.ready(slot) }

  mutating func now() -> Moment { world.moment }

  mutating func microseconds() -> Int64 { world.microseconds() }
}

/// The memory of one server and its site.
@safe final class ClientMemory {
  private let parts: [UnsafeMutableRawPointer]

  init() {
    let sizes = [
      Limits.receiveSizeMax, Limits.responseFieldsSizeMax, Limits.responseSizeMax,
      Limits.smallBlockCountMax * Limits.smallBlockSize,
      Limits.largeBlockCountMax * Limits.largeBlockSize,
      Limits.connectionCountMax * Limits.connectionSlotSize,
      unsafe MemoryLayout<martlet_site>.size, Limits.sessionSizeMax,
      Limits.workCountMax * MemoryLayout<martlet_work>.stride,
      Limits.rememberedTokenCountMax * MemoryLayout<martlet_token>.stride,
      Limits.filePartsCountMax * MemoryLayout<martlet_file_parts>.stride,
      MemoryLayout<martlet_commands>.size,
    ]
    unsafe parts = sizes.map { size in
      let part = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
      // The memory of a site begins as zeros; the server's memory may begin with any octets.
      unsafe part.initializeMemory(as: UInt8.self, repeating: 0, count: size)
      return unsafe part
    }
  }

  deinit { for index in unsafe parts.indices { unsafe parts[index].deallocate() } }

  /// The memory, lent to the one server that lives as long as this object.
  var lent: ServerMemory {
    // Safe: the parts have the sizes that the server expects, and only that server uses them.
    let octets = unsafe parts.map { unsafe $0.assumingMemoryBound(to: UInt8.self) }
    return unsafe ServerMemory(
      martlet_memory(
        receive: octets[0], fields: octets[1], response: octets[2], small: octets[3],
        large: octets[4], connections: parts[5]))
  }

  /// The memory of the site, lent to the one site that lives as long as this object.
  var site: SiteMemory {
    // Safe: the parts have the sizes that the site expects, and only that site uses them.
    let site = unsafe parts[6].assumingMemoryBound(to: martlet_site.self)
    unsafe site.pointee.session = parts[7].assumingMemoryBound(to: UInt8.self)
    unsafe site.pointee.places = parts[8].assumingMemoryBound(to: martlet_work.self)
    unsafe site.pointee.tokens = parts[9].assumingMemoryBound(to: martlet_token.self)
    unsafe site.pointee.parts = parts[10].assumingMemoryBound(to: martlet_file_parts.self)
    unsafe site.pointee.commands = parts[11].assumingMemoryBound(to: martlet_commands.self)
    return unsafe SiteMemory(site)
  }
}
