// All memory of a server, in one value: nothing else is taken at start, nothing later. A program
// keeps it in static storage, where pages that are never touched cost no RAM.

import MartletBytes

/// The memory of one server. Its size is the sum of its parts, whatever the traffic.
public struct ServerMemory: ~Copyable {
  /// The connection slots.
  var connections = InlineArray<256, Connection>(repeating: Connection())
  /// What poll() waits for.
  var interests = InterestSet()
  /// The request being read or answered: one for all connections.
  var receive = ReceiveBuffer()
  /// Responses, each until its last octet is sent.
  var responses = ResponsePool()
  /// The field lines of the response being written: one for all connections.
  var fields = FieldBuffer()
  /// The head of the response being written: one for all connections.
  var head = FixedBuffer<8_704>()

  /// Memory for a server that has not started.
  public init() {}

  /// Checks that the literals above are the limits.
  func checkRelations() {
    invariant(connections.count == Limits.connectionCountMax, "a slot for each connection")
    invariant(head.capacity == Limits.responseHeadSizeMax, "a head fits its buffer")
    invariant(MemoryLayout<Connection>.stride <= 128, "an idle connection costs at most 128 octets")
    Limits.checkRelations()
  }
}

extension FixedBuffer {
  /// The capacity of the type, readable from a value.
  var capacity: Int { Self.capacity }
}

/// A fixed number of response buffers. The one given back last is lent first: it is warm, and the
/// others stay untouched as long as nobody reads slowly.
public struct ResponsePool: ~Copyable {
  private var storage = InlineArray<196_608, UInt8>(repeating: 0)
  /// One bit a buffer: set while it is lent.
  private var lent: UInt32 = 0

  init() {}

  /// How many buffers there are.
  static var count: Int { Limits.responseBufferCountMax }

  /// Checks that the literal above is the limit.
  func checkRelations() {
    invariant(
      storage.count == Self.count * ResponseBuffer.capacity && Self.count <= 32,
      "the pool holds its buffers")
  }

  /// Whether a buffer is free.
  var hasFree: Bool { lent.nonzeroBitCount < Self.count }

  /// Whether all buffers are free.
  public var isWhole: Bool { lent == 0 }

  /// The index of a buffer, now lent, or `nil` when all are.
  mutating func acquire() -> Int8? {
    guard hasFree else { return nil }
    let index = (~lent).trailingZeroBitCount
    lent |= 1 << UInt32(index)
    return Int8(index)
  }

  /// Takes a buffer back.
  mutating func release(_ index: Int8) {
    invariant(lent >> UInt32(index) & 1 == 1, "only a lent buffer is given back")
    lent &= ~(1 << UInt32(index))
  }

  /// Where the content of the response in that buffer goes.
  @_lifetime(&self)
  mutating func content(_ index: Int8) -> MutableSpan<UInt8> {
    let start = Int(index) * ResponseBuffer.capacity
    return storage.mutableSpan._consumingExtracting(
      start + Limits.responseHeadSizeMax..<start + ResponseBuffer.capacity)
  }

  /// Puts the head in front of the content, without a gap.
  ///
  /// - Returns: The offset in the buffer where the response starts.
  mutating func place(head: Span<UInt8>, _ index: Int8) -> Int {
    invariant(head.count <= Limits.responseHeadSizeMax, "a head fits in front of its content")
    let start = Limits.responseHeadSizeMax - head.count
    let base = Int(index) * ResponseBuffer.capacity + start
    for i in head.indices { storage[base &+ i] = head[i] }
    return start
  }

  /// Octets of a buffer.
  @_lifetime(borrow self)
  func octets(_ index: Int8, _ range: Range<Int>) -> Span<UInt8> {
    let base = Int(index) * ResponseBuffer.capacity
    return storage.span.extracting(base + range.lowerBound..<base + range.upperBound)
  }
}
