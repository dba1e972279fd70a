// All memory of a server, lent to it once: static arrays of C in a program, which the linker counts and
// whose untouched pages cost no RAM; arrays of a test's own in a test. (An `InlineArray` of this size as a
// Swift global is neither compiled in reasonable time nor kept out of the file.) This file faces C:
// pointers become bounded views here and nowhere else.

public import CMartletPlatform
import MartletBytes
import MartletHTTP

/// Where the memory of one server lies. Its size is the sum of its parts, whatever the traffic.
@safe public struct ServerMemory: ~Copyable {
  fileprivate let parts: martlet_memory

  /// The static memory of the process. A second call stops the program.
  public static func lendStatic() -> ServerMemory {
    // Safe: static arrays of exactly the sizes that the limits name, lent to one server only.
    unsafe ServerMemory(martlet_lend_static_memory())
  }

  /// Memory that the caller lends: every array with the size its field names, at least as long as the
  /// server lives, for this server alone.
  @unsafe public init(_ parts: martlet_memory) {
    unsafe self.parts = parts
    Limits.checkRelations()
  }
}

/// A place for a connection. Only its table makes a slot, in memory that is initialized and that nobody takes
/// away, so an access needs no check: there are hundreds of them.
@safe struct Slot: Equatable {
  fileprivate let place: UnsafeMutablePointer<Connection>

  static func == (first: Slot, second: Slot) -> Bool { unsafe first.place == second.place }

  /// Where in the table the slot is.
  // Safe: a slot's memory is initialized.
  var index: Int { unsafe Int(place.pointee.index) }
}

/// The slots that hold a connection, one after the other.
@safe struct Slots {
  fileprivate var start: UnsafeMutablePointer<Connection>
  fileprivate let end: UnsafeMutablePointer<Connection>

  // (A `Sequence` would bring arrays, which want an allocator.)
  @inline(never)
  mutating func next() -> Slot? {
    // Safe: the table made the bounds, and all memory between them is initialized.
    while unsafe start != end {
      let slot = unsafe Slot(place: start)
      unsafe start += 1
      if unsafe slot.place.pointee.phase != .free { return slot }
    }
    return nil
  }
}

/// The connection slots. A slot is made when it is first used, so that unused ones stay untouched.
@safe struct ConnectionTable: ~Copyable {
  private let start: UnsafeMutablePointer<Connection>
  /// Slots from here on have not been used, or are free again.
  private(set) var count = 0

  init(_ memory: borrowing ServerMemory) {
    invariant(
      MemoryLayout<Connection>.stride <= Int(MARTLET_CONNECTION_SIZE),
      "a connection fits its slot")
    // Safe: the memory has room for so many connections, and nobody else has a view of it.
    unsafe start = memory.parts.connections.bindMemory(
      to: Connection.self, capacity: Limits.connectionCountMax)
  }

  var isEmpty: Bool { count == 0 }

  /// A connection, in place.
  subscript(slot: Slot) -> Connection {
    // Safe: a slot's memory is initialized, and an access to it is one to the table.
    _read { yield unsafe slot.place.pointee }
    _modify { yield unsafe &slot.place.pointee }
  }

  /// The slots that hold a connection.
  var slots: Slots { unsafe Slots(start: start, end: start + count) }

  /// The slot at an index.
  func slot(at index: Int) -> Slot {
    invariant(index >= 0 && index < count, "a slot in use")
    return unsafe Slot(place: start + index)
  }

  /// A free slot, or `nil` when `countMax` of them are in use.
  mutating func findFree(below countMax: Int) -> Slot? {
    for index in 0..<count where self[slot(at: index)].phase == .free { return slot(at: index) }
    guard count < countMax else { return nil }
    // Safe: the place lies within the memory.
    let slot = unsafe Slot(place: start + count)
    clear(slot, UInt16(count))
    count += 1
    return slot
  }

  /// Frees a slot.
  mutating func free(_ slot: Slot) { clear(slot, UInt16(slot.index)) }

  @inline(never)
  private func clear(_ slot: Slot, _ index: UInt16) {
    // Safe: the memory has room for a Connection, which needs no deinitialization.
    unsafe slot.place.initialize(to: Connection(index: index))
  }

  /// How many connections a network has.
  @inline(never)
  func share(of network: IPAddress) -> Int {
    var slots = slots
    while let slot = slots.next() {
      if self[slot].peer.network == network { return Int(self[slot].networkCount) }
    }
    return 0
  }

  /// Lets each connection of a network know that there are so many more.
  @inline(never)
  mutating func changeShare(of network: IPAddress, by change: Int) {
    var slots = slots
    while let slot = slots.next() {
      guard self[slot].peer.network == network else { continue }
      self[slot].networkCount = UInt16(clamping: Int(self[slot].networkCount) + change)
    }
  }

  /// Gives up the free slots at the end.
  mutating func shrink() {
    while count > 0, self[slot(at: count - 1)].phase == .free { count -= 1 }
  }
}

/// A buffer in memory that is lent.
@safe struct LentBuffer: ~Copyable {
  private let start: UnsafeMutablePointer<UInt8>
  private let capacity: Int

  /// Where the field lines of the response under way are written: one buffer for all connections.
  static func fields(_ memory: borrowing ServerMemory) -> LentBuffer {
    unsafe LentBuffer(memory.parts.fields, capacity: Limits.responseFieldsSizeMax)
  }

  /// Where the response under way is written: one buffer for all connections.
  static func response(_ memory: borrowing ServerMemory) -> LentBuffer {
    unsafe LentBuffer(memory.parts.response, capacity: Limits.responseSizeMax)
  }

  @unsafe private init(_ start: UnsafeMutablePointer<UInt8>, capacity: Int) {
    unsafe self.start = start
    self.capacity = capacity
  }

  /// Octets of the buffer.
  @_lifetime(borrow self)
  func octets(_ range: Range<Int>) -> Span<UInt8> {
    invariant(range.lowerBound >= 0 && range.upperBound <= capacity, "octets of the buffer")
    // Safe: the octets lie within the memory, and the view keeps this buffer borrowed.
    let buffer = unsafe UnsafeBufferPointer(start: start + range.lowerBound, count: range.count)
    return unsafe _overrideLifetime(Span(_unsafeElements: buffer), borrowing: self)
  }

  /// The whole buffer, to be written.
  var storage: MutableSpan<UInt8> {
    @_lifetime(&self) mutating get {
      // Safe: `capacity` octets are there; the view keeps this buffer borrowed exclusively.
      let buffer = unsafe UnsafeMutableBufferPointer(start: start, count: capacity)
      return unsafe _overrideLifetime(MutableSpan(_unsafeElements: buffer), mutating: &self)
    }
  }
}

/// The index of a block.
typealias Block = Int16

/// Blocks of octets, of two sizes, and the buffer that requests are read into, which is block 0. The first
/// free block of a size is lent: it is warm, and the others stay untouched while there is no need.
@safe struct BlockPool: ~Copyable {
  private let receive: UnsafeMutablePointer<UInt8>
  private let small: UnsafeMutablePointer<UInt8>
  private let large: UnsafeMutablePointer<UInt8>
  /// One bit a block: set while it is lent.
  private var lent = InlineArray<4, UInt32>(repeating: 0)

  /// What holds no octets, and where requests are read into.
  static var none: Block { -1 }
  static var receive: Block { 0 }
  private static var firstSmall: Int { 1 }
  private static var firstLarge: Int { 1 + Limits.smallBlockCountMax }
  private static var end: Int { firstLarge + Limits.largeBlockCountMax }

  init(_ memory: borrowing ServerMemory) {
    invariant(Self.end <= 128, "a block is one of 128 bits")
    unsafe receive = memory.parts.receive
    unsafe small = memory.parts.small
    unsafe large = memory.parts.large
  }

  /// Whether all blocks are free.
  var isWhole: Bool {
    for i in lent.indices where lent[i] != 0 { return false }
    return true
  }

  private func isLent(_ index: Int) -> Bool { lent[index >> 5] >> UInt32(index & 31) & 1 == 1 }

  /// Octets that a block holds at most.
  func capacity(_ block: Block) -> Int {
    block > 0 && Int(block) < Self.firstLarge ? Limits.smallBlockSize : Limits.largeBlockSize
  }

  /// A free block for that many octets.
  ///
  /// - Parameter isResponse: Whether it holds a response: the last large block is kept for those.
  /// - Returns: `nil` when there is none.
  private func free(for count: Int, isResponse: Bool) -> Int? {
    invariant(count <= Limits.largeBlockSize, "what is kept fits a large block")
    if count <= Limits.smallBlockSize {
      for index in Self.firstSmall..<Self.firstLarge where !isLent(index) { return index }
    }
    let end = isResponse ? Self.end : Self.firstLarge + Limits.requestLargeBlockCountMax
    for index in Self.firstLarge..<end where !isLent(index) { return index }
    return nil
  }

  /// Lends a block, or returns `nil` when no block of that size is free.
  mutating func acquire(_ count: Int, isResponse: Bool) -> Block? {
    guard let index = free(for: count, isResponse: isResponse) else { return nil }
    lent[index >> 5] |= 1 << UInt32(index & 31)
    return Block(index)
  }

  /// Lends a small block, or returns `nil` when none is free.
  mutating func acquireSmall() -> Block? {
    guard let index = free(for: 1, isResponse: false), index < Self.firstLarge else { return nil }
    return acquire(1, isResponse: false)
  }

  /// Ends the loan, and overwrites the octets that the block held: a form may be among them.
  mutating func release(_ block: Block, _ count: Int) {
    let index = Int(block)
    invariant(index > 0 && isLent(index), "a block that is lent")
    wipe(block, 0..<count)
    lent[index >> 5] &= ~(1 << UInt32(index & 31))
  }

  private func start(_ block: Block) -> UnsafeMutablePointer<UInt8> {
    let index = Int(block)
    if index == 0 { return unsafe receive }
    invariant(index > 0 && index < Self.end && isLent(index), "a block that is lent")
    return index < Self.firstLarge
      ? unsafe small + (index - Self.firstSmall) * Limits.smallBlockSize
      : unsafe large + (index - Self.firstLarge) * Limits.largeBlockSize
  }

  /// Overwrites octets with zeros.
  mutating func wipe(_ block: Block, _ range: Range<Int>) {
    invariant(range.lowerBound >= 0 && range.upperBound <= capacity(block), "octets of one block")
    // Safe: the octets lie within the block.
    unsafe martlet_wipe(start(block) + range.lowerBound, range.count)
  }

  /// Octets of a block.
  @_lifetime(borrow self)
  func octets(_ block: Block, _ range: Range<Int>) -> Span<UInt8> {
    invariant(range.lowerBound >= 0 && range.upperBound <= capacity(block), "octets of one block")
    // Safe: the octets lie within the block; reading keeps the pool borrowed.
    let buffer = unsafe UnsafeBufferPointer(start: start(block) + range.lowerBound, count: range.count)
    return unsafe _overrideLifetime(Span(_unsafeElements: buffer), borrowing: self)
  }

  /// The whole of a block, to be written.
  @_lifetime(&self)
  mutating func storage(_ block: Block) -> MutableSpan<UInt8> {
    // Safe: the block is lent; the view keeps the pool borrowed exclusively.
    let buffer = unsafe UnsafeMutableBufferPointer(start: start(block), count: capacity(block))
    return unsafe _overrideLifetime(MutableSpan(_unsafeElements: buffer), mutating: &self)
  }

  /// Copies octets of a buffer to the beginning of a block.
  mutating func fill(_ block: Block, _ buffer: borrowing LentBuffer, _ range: Range<Int>) {
    var target = storage(block)
    target.copy(buffer.octets(range), to: 0)
  }

  /// Copies octets to another block.
  mutating func copy(_ block: Block, _ range: Range<Int>, to target: Block, at offset: Int = 0) {
    invariant(
      block != target && offset >= 0 && range.count <= capacity(target) - offset,
      "octets that fit another block")
    let octets = octets(block, range)
    // Safe: two blocks do not overlap, and there is room.
    unsafe octets.withUnsafeBufferPointer { octets in
      unsafe martlet_copy(start(target) + offset, octets.baseAddress, octets.count)
    }
  }

  // MARK: Uploads

  /// Puts the head of an upload, as it has been parsed, behind the state in the upload's block.
  mutating func store(_ head: RequestHead, in block: Block, stateSize: Int) {
    let offset = UploadView.headStart(stateSize)
    invariant(UploadView.octetsStart(stateSize) <= capacity(block), "a head has room")
    // Safe: the place lies within the block and is aligned, and a head needs no deinitialization.
    unsafe UnsafeMutableRawPointer(start(block) + offset)
      .initializeMemory(as: RequestHead.self, to: head)
  }

  /// What a responder sees of an upload.
  ///
  /// - Parameter content: Octets in the block of what the connection has received; empty for none.
  @_lifetime(&self)
  mutating func view(
    _ upload: Upload, _ connection: Connection, _ stateSize: Int, _ moment: Moment,
    content: Range<Int>
  ) -> UploadView {
    let octetsStart = UploadView.octetsStart(stateSize)
    let block = upload.block
    invariant(
      block > 0 && block != connection.block
        && octetsStart + Int(upload.headSize) <= capacity(block), "an upload has a block")
    // Safe: `store` has put the head there. The parts of the block do not overlap, and the content lies in
    // another block, which its check has seen. The views keep the pool borrowed exclusively.
    let head = unsafe UnsafeRawPointer(start(block) + UploadView.headStart(stateSize))
      .load(as: RequestHead.self)
    let octets = unsafe Self.unbound(start(block) + octetsStart, Int(upload.headSize))
    let state = unsafe Self.unboundMutable(start(block), stateSize)
    var pieces = Span<UInt8>()
    if !content.isEmpty {
      invariant(content.upperBound <= capacity(connection.block), "octets of one block")
      pieces = unsafe Self.unbound(start(connection.block) + content.lowerBound, content.count)
    }
    let request = IncomingRequest(
      octets: octets, head: head, content: Span(), moment: moment, connection: connection.number,
      peer: connection.peer)
    return unsafe _overrideLifetime(
      UploadView(request: request, state: state, content: pieces), mutating: &self)
  }

  /// Views of octets, whose lifetime the caller sets.
  @unsafe @_lifetime(immortal)
  private static func unbound(_ start: UnsafeMutablePointer<UInt8>, _ count: Int) -> Span<UInt8> {
    let buffer = unsafe UnsafeBufferPointer(start: start, count: count)
    return unsafe _overrideLifetime(Span(_unsafeElements: buffer), copying: ())
  }

  @unsafe @_lifetime(immortal)
  private static func unboundMutable(
    _ start: UnsafeMutablePointer<UInt8>, _ count: Int
  ) -> MutableSpan<UInt8> {
    let buffer = unsafe UnsafeMutableBufferPointer(start: start, count: count)
    return unsafe _overrideLifetime(MutableSpan(_unsafeElements: buffer), copying: ())
  }
}

/// What a responder sees of an upload: its request without content, its state, and octets of its content.
struct UploadView: ~Copyable, ~Escapable {
  let request: IncomingRequest
  var state: MutableSpan<UInt8>
  let content: Span<UInt8>

  @_lifetime(copy request, copy state, copy content)
  init(request: IncomingRequest, state: consuming MutableSpan<UInt8>, content: Span<UInt8>) {
    self.request = request
    self.state = state
    self.content = content
  }

  /// Where in an upload's block the parsed head begins, and where the octets of the head do.
  static func headStart(_ stateSize: Int) -> Int { (stateSize + 15) & ~15 }
  static func octetsStart(_ stateSize: Int) -> Int {
    headStart(stateSize) + (MemoryLayout<RequestHead>.size + 15) & ~15
  }
}
