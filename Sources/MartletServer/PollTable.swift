// The descriptors of the slots, as poll() takes them: one entry a slot. Before them are one entry for the
// signals, one for the listener, and those of descriptors that pages wait for. A slot that waits for nothing keeps its descriptor as its complement, which is
// negative, so that poll() passes it over. This file faces C: the entries lie in memory that is lent.

public import CMartletPlatform
import MartletBytes

/// Entry 0 is the signals', entry 1 the listener's. Then the watches' follow, and the slots'.
@safe public struct PollTable: ~Copyable {
  private let start: UnsafeMutablePointer<martlet_poll_entry>
  /// Entries from here on have not been used, or their slots have been closed.
  private var count = Self.firstSlotIndex

  static var signalIndex: Int { 0 }
  static var listenerIndex: Int { 1 }
  private static var firstWatchIndex: Int { 2 }
  private static var firstSlotIndex: Int { firstWatchIndex + Limits.watchCountMax }

  /// Entries that a table has memory for.
  public static var entryCountMax: Int { firstSlotIndex + Limits.connectionCountMax }

  /// The static memory of the process. A second call stops the program.
  public static func lendStatic() -> PollTable {
    // Safe: a static array of that size, lent to one transport only.
    unsafe PollTable(martlet_lend_static_poll_entries())
  }

  /// A table that waits for nothing, in memory for `entryCountMax` entries.
  @unsafe public init(_ start: UnsafeMutablePointer<martlet_poll_entry>) {
    unsafe self.start = start
    for index in 0..<count { self[index] = Self.ignored }
  }

  private static var ignored: martlet_poll_entry {
    martlet_poll_entry(descriptor: .min, wanted: 0, ready: 0)
  }

  private subscript(index: Int) -> martlet_poll_entry {
    get {
      invariant(index >= 0 && index < count, "an entry in use")
      // Safe: entries below `count` are within the memory and initialized.
      return unsafe start[index]
    }
    set {
      invariant(index >= 0 && index < count, "an entry in use")
      unsafe start[index] = newValue
    }
  }

  /// A slot's descriptor from now on.
  mutating func open(slot: Int, _ descriptor: Int32) {
    invariant(slot >= 0 && slot < Limits.connectionCountMax, "a slot of the table")
    while count <= slot + Self.firstSlotIndex {
      count += 1
      self[count - 1] = Self.ignored
    }
    self[slot + Self.firstSlotIndex].descriptor = ~descriptor
  }

  /// Forgets a slot's descriptor.
  mutating func close(slot: Int) {
    self[slot + Self.firstSlotIndex] = Self.ignored
    while count > Self.firstSlotIndex, self[count - 1].descriptor == .min { count -= 1 }
  }

  /// A slot's descriptor.
  func descriptor(slot: Int) -> Int32 {
    let descriptor = self[slot + Self.firstSlotIndex].descriptor
    return descriptor < 0 ? ~descriptor : descriptor
  }

  /// Says what a slot waits for. That its connection is broken is reported all the same, but where
  /// `wanted` is `nil`.
  mutating func want(slot: Int, _ wanted: Readiness?) {
    let descriptor = descriptor(slot: slot)
    self[slot + Self.firstSlotIndex] = martlet_poll_entry(
      descriptor: wanted == nil ? ~descriptor : descriptor, wanted: (wanted ?? .nothing).pollBits,
      ready: 0)
  }

  /// Says which descriptor a page waits for, in order to read; negative: none.
  mutating func watch(_ index: Int, _ descriptor: Int32) {
    invariant(index >= 0 && index < Limits.watchCountMax, "a watch of the table")
    self[index + Self.firstWatchIndex] = martlet_poll_entry(
      descriptor: descriptor, wanted: Readiness.readable.pollBits, ready: 0)
  }

  /// Whether something came at the descriptor of a watch.
  func isReady(watch index: Int) -> Bool { isReady(entry: index + Self.firstWatchIndex) }

  /// What came at a slot.
  func ready(slot: Int) -> Readiness {
    let index = slot + Self.firstSlotIndex
    return index < count ? Readiness(pollBits: self[index].ready) : .nothing
  }

  /// Whether something came at an entry.
  func isReady(entry index: Int) -> Bool { self[index].ready != 0 }

  /// Waits with poll().
  mutating func wait(signals: Int32, listener: Int32, milliseconds: Int) {
    let readable = Readiness.readable.pollBits
    self[Self.signalIndex] = martlet_poll_entry(descriptor: signals, wanted: readable, ready: 0)
    self[Self.listenerIndex] = martlet_poll_entry(descriptor: listener, wanted: readable, ready: 0)
    // Safe: entries below `count` are initialized, and poll() keeps nothing.
    _ = unsafe martlet_poll(start, count, Int32(clamping: milliseconds))
  }
}

extension Readiness {
  /// As poll() has it.
  fileprivate init(pollBits: Int16) {
    let bits = Int32(pollBits)
    var value: UInt8 = 0
    if bits & Int32(MARTLET_READABLE) != 0 { value |= Self.readable.rawValue }
    if bits & Int32(MARTLET_WRITABLE) != 0 { value |= Self.writable.rawValue }
    if bits & Int32(MARTLET_PEER_DONE | MARTLET_PEER_GONE) != 0 { value |= Self.peerDone.rawValue }
    if bits & Int32(MARTLET_PEER_GONE) != 0 { value |= Self.broken.rawValue }
    self.init(rawValue: value)
  }

  /// As poll() wants it.
  fileprivate var pollBits: Int16 {
    var bits: Int32 = 0
    if contains(.readable) { bits |= Int32(MARTLET_READABLE) }
    if contains(.writable) { bits |= Int32(MARTLET_WRITABLE) }
    if contains(.peerDone) { bits |= Int32(MARTLET_PEER_DONE) }
    if contains(.broken) { bits |= Int32(MARTLET_PEER_GONE) }
    return Int16(bits)
  }
}
