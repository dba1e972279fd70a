// All memory of a server, in one value: nothing else is taken at start, nothing later. In a program
// these are static arrays of C, which the linker counts and whose untouched pages cost no RAM; an
// `InlineArray` of this size as a Swift global is neither compiled in reasonable time nor kept out of
// the file. This file faces C: pointers are turned into bounded views here and nowhere else.

public import CMartletPlatform
import MartletBytes

/// The memory of one server. Its size is the sum of its parts, whatever the traffic.
public struct ServerMemory: ~Copyable {
  /// The connection slots.
  var connections: ConnectionTable
  /// What poll() waits for.
  var interests: InterestSet
  /// The request being read or answered, and afterwards the head of its response: one for all
  /// connections.
  var receive: LentBuffer
  /// Responses, each until its last octet is sent.
  var responses: ResponsePool
  /// The field lines of the response being written: one for all connections.
  var fields: LentBuffer

  /// The static memory of the process; taken once.
  public static func takeStatic() -> ServerMemory {
    // Safe: static arrays of exactly the sizes that the limits name, taken by nobody else.
    unsafe ServerMemory(martlet_take_static_memory())
  }

  /// Memory that somebody lends: every array with the size its field names, at least as long as
  /// this value lives, for it alone.
  @unsafe public init(_ memory: martlet_memory) {
    connections = unsafe ConnectionTable(memory.connections)
    interests = unsafe InterestSet(memory.poll)
    receive = unsafe LentBuffer(memory.receive, capacity: Limits.receiveSizeMax)
    responses = unsafe ResponsePool(memory.responses)
    fields = unsafe LentBuffer(memory.fields, capacity: Limits.responseFieldsSizeMax)
    Limits.checkRelations()
  }

  /// Whether nothing is lent out: no connection, no response.
  public var isIdle: Bool { connections.isEmpty && responses.isWhole }
}

/// A buffer in memory that is lent: a capacity, and how much of it counts.
@safe struct LentBuffer: ~Copyable {
  private let start: UnsafeMutablePointer<UInt8>
  private let capacity: Int
  private(set) var count = 0

  @unsafe init(_ start: UnsafeMutablePointer<UInt8>, capacity: Int) {
    unsafe self.start = start
    self.capacity = capacity
  }

  /// What it holds.
  var span: Span<UInt8> {
    @_lifetime(borrow self) get {
      // Safe: `count` octets are there, initialized, and nobody else writes them.
      let buffer = unsafe UnsafeBufferPointer(start: start, count: count)
      return unsafe _overrideLifetime(Span(_unsafeElements: buffer), borrowing: self)
    }
  }

  /// The whole storage, to be filled.
  var storageSpan: MutableSpan<UInt8> {
    @_lifetime(&self) mutating get {
      // Safe: `capacity` octets are there; the view keeps this buffer borrowed exclusively.
      let buffer = unsafe UnsafeMutableBufferPointer(start: start, count: capacity)
      return unsafe _overrideLifetime(MutableSpan(_unsafeElements: buffer), mutating: &self)
    }
  }

  /// Overwrites the first octets of the storage.
  mutating func wipe(_ count: Int) {
    invariant(count >= 0 && count <= capacity, "a buffer holds at most its capacity")
    // Safe: so many octets are there, and nobody else has a view of them.
    unsafe martlet_wipe(start, count)
  }

  /// Says how many octets of the storage count.
  @inline(never)
  mutating func setCount(_ count: Int) {
    invariant(count >= 0 && count <= capacity, "a buffer holds at most its capacity")
    self.count = count
  }
}

/// The connection slots. A slot is made when it is first used, so that unused ones stay untouched.
@safe struct ConnectionTable: ~Copyable {
  private let start: UnsafeMutablePointer<Connection>
  /// How many slots are in use or were, from the first on; those at and above it are free.
  private(set) var count = 0

  @unsafe fileprivate init(_ memory: UnsafeMutableRawPointer) {
    invariant(
      MemoryLayout<Connection>.stride <= Int(MARTLET_CONNECTION_SIZE),
      "a connection fits its slot")
    unsafe start = memory.bindMemory(to: Connection.self, capacity: Limits.connectionCountMax)
  }

  var isEmpty: Bool { count == 0 }

  /// The slots in use, in place: to read of one without a copy of it.
  var slots: Span<Connection> {
    @_lifetime(borrow self)
    get {
      // Safe: slots below `count` are initialized; the view keeps this table borrowed.
      let buffer = unsafe UnsafeBufferPointer(start: start, count: count)
      return unsafe _overrideLifetime(Span(_unsafeElements: buffer), borrowing: self)
    }
  }

  subscript(slot: Int) -> Connection {
    get {
      invariant(slot >= 0 && slot < count, "a slot in use")
      // Safe: slots below `count` are initialized.
      return unsafe start[slot]
    }
    set {
      invariant(slot >= 0 && slot < count, "a slot in use")
      unsafe start[slot] = newValue
    }
  }

  /// A free slot, or `nil` when `countMax` of them are in use.
  mutating func takeFree(below countMax: Int) -> Int? {
    for slot in 0..<count where slots[slot].phase == .free { return slot }
    guard count < countMax else { return nil }
    // Safe: the slot lies within the memory, and a Connection needs no deinitialization.
    unsafe (start + count).initialize(to: Connection())
    count += 1
    return count - 1
  }

  /// How many connections a network has.
  @inline(never)
  func share(of network: IPAddress) -> Int {
    for slot in 0..<count where slots[slot].phase != .free {
      if slots[slot].peer.network == network { return Int(slots[slot].networkCount) }
    }
    return 0
  }

  /// Lets each connection of a network know that there are so many more.
  @inline(never)
  mutating func changeShare(of network: IPAddress, by change: Int) {
    for slot in 0..<count
    where slots[slot].phase != .free && slots[slot].peer.network == network {
      // Safe: slots below `count` are initialized.
      unsafe start[slot].networkCount = UInt16(Int(slots[slot].networkCount) + change)
    }
  }

  /// Gives up the free slots at the end.
  mutating func shrink() {
    while count > 0, slots[count - 1].phase == .free { count -= 1 }
  }
}

/// A fixed number of response buffers. The first free one is lent: it is warm, and the others stay
/// untouched as long as nobody reads slowly.
@safe struct ResponsePool: ~Copyable {
  private let start: UnsafeMutablePointer<UInt8>
  /// One bit a buffer: set while it is lent.
  private var lent: UInt32 = 0

  @unsafe fileprivate init(_ start: UnsafeMutablePointer<UInt8>) {
    invariant(Limits.responseBufferCountMax <= 32, "a buffer is one bit of a UInt32")
    unsafe self.start = start
  }

  /// Whether somebody has been refused a buffer.
  private(set) var hasRefused = false

  /// Whether somebody has been refused a buffer since this was asked last.
  mutating func forgetsRefusal() -> Bool {
    defer { hasRefused = false }
    return hasRefused
  }

  /// How many buffers are free.
  var freeCount: Int { Limits.responseBufferCountMax - lent.nonzeroBitCount }

  /// Whether a buffer is free.
  var hasFree: Bool { freeCount > 0 }

  /// Whether all buffers are free.
  var isWhole: Bool { lent == 0 }

  /// The index of a buffer, now lent, or `nil` when all are.
  mutating func acquire() -> Int8? {
    guard hasFree else {
      hasRefused = true
      return nil
    }
    let index = (~lent).trailingZeroBitCount
    lent |= 1 << UInt32(index)
    return Int8(index)
  }

  /// Takes a buffer back.
  mutating func release(_ index: Int8) {
    checkIsLent(index)
    lent &= ~(1 << UInt32(index))
  }

  private func checkIsLent(_ index: Int8) {
    invariant(index >= 0 && lent >> UInt32(index) & 1 == 1, "a buffer that is lent")
  }

  /// The whole of a buffer.
  @_lifetime(&self)
  private mutating func buffer(_ index: Int8) -> MutableSpan<UInt8> {
    checkIsLent(index)
    // Safe: a lent buffer lies within the memory; the view keeps the pool borrowed exclusively.
    let buffer = unsafe UnsafeMutableBufferPointer(
      start: start + Int(index) * Limits.responseSizeMax, count: Limits.responseSizeMax)
    return unsafe _overrideLifetime(MutableSpan(_unsafeElements: buffer), mutating: &self)
  }

  /// Overwrites octets of a buffer.
  mutating func wipe(_ index: Int8, _ range: Range<Int>) {
    checkIsLent(index)
    invariant(
      range.lowerBound >= 0 && range.upperBound <= Limits.responseSizeMax, "octets of one buffer")
    // Safe: they lie within the memory, and nobody else has a view of them.
    unsafe martlet_wipe(start + Int(index) * Limits.responseSizeMax + range.lowerBound, range.count)
  }

  /// The whole of a buffer, for octets of requests.
  @_lifetime(&self)
  mutating func storage(_ index: Int8) -> MutableSpan<UInt8> { buffer(index) }

  /// Where the content of the response in that buffer goes.
  @_lifetime(&self)
  mutating func content(_ index: Int8) -> MutableSpan<UInt8> {
    buffer(index)._consumingExtracting(Limits.responseHeadSizeMax..<Limits.responseSizeMax)
  }

  /// Where a piece of content goes: as above, with room for what ends a chunk.
  @_lifetime(&self)
  mutating func piece(_ index: Int8) -> MutableSpan<UInt8> {
    buffer(index)._consumingExtracting(
      Limits.responseHeadSizeMax..<Limits.responseSizeMax - Self.chunkEndSize)
  }

  /// Octets of what ends a chunk, and all chunks.
  private static var chunkEndSize: Int { 7 }

  /// Puts a chunk's framing (RFC 9112 §7.1) around a piece of that many octets.
  ///
  /// - Parameter isLast: Whether the content ends here.
  /// - Returns: What there is to be sent; empty when there is nothing.
  mutating func frame(_ index: Int8, count: Int, isChunked: Bool, isLast: Bool) -> Range<Int> {
    var start = Limits.responseHeadSizeMax
    var end = start + count
    invariant(count >= 0 && end <= Limits.responseSizeMax - Self.chunkEndSize, "a piece has room")
    guard isChunked else { return start..<end }
    var target = buffer(index)
    if count > 0 {
      start -= 2
      target.copy(("\r\n" as StaticString).octets, to: start)
      var rest = count
      repeat {
        start -= 1
        target[start] = ASCII.hexadecimal(UInt8(rest & 15))
        rest >>= 4
      } while rest > 0
      target.copy(("\r\n" as StaticString).octets, to: end)
      end += 2
    }
    if isLast {
      target.copy(("0\r\n\r\n" as StaticString).octets, to: end)
      end += 5
    }
    return start..<end
  }

  /// Puts the head in front of the content, without a gap.
  ///
  /// - Returns: The offset in the buffer where the response starts.
  mutating func place(head: Span<UInt8>, _ index: Int8) -> Int {
    let offset = Limits.responseHeadSizeMax - head.count
    var target = buffer(index)
    target.copy(head, to: offset)
    return offset
  }

  /// Octets of a buffer.
  @_lifetime(borrow self)
  func octets(_ index: Int8, _ range: Range<Int>) -> Span<UInt8> {
    checkIsLent(index)
    invariant(
      range.lowerBound >= 0 && range.upperBound <= Limits.responseSizeMax, "octets of one buffer")
    // Safe: as above; reading keeps the pool borrowed.
    let buffer = unsafe UnsafeBufferPointer(
      start: start + Int(index) * Limits.responseSizeMax + range.lowerBound, count: range.count)
    return unsafe _overrideLifetime(Span(_unsafeElements: buffer), borrowing: self)
  }
}
