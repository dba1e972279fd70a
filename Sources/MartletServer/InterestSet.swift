// What the loop waits for: one entry a connection slot, plus the listener and the signals.
// It is built anew from the connections' phases each turn, so it cannot disagree with them.
// This file faces C: the entries lie in memory that is lent, as poll() takes them.

import CMartletPlatform
import MartletBytes

/// The descriptors to wait for. Entry 0 is the signals', entry 1 the listener's, then the slots'.
@safe public struct InterestSet: ~Copyable {
  /// One entry for each slot, and the two before them.
  private let start: UnsafeMutablePointer<martlet_poll_entry>
  /// How many entries are in use.
  private var count = 2

  static var signalIndex: Int { 0 }
  static var listenerIndex: Int { 1 }
  private static var firstSlotIndex: Int { 2 }

  /// A set that waits for nothing, in memory for `Limits.connectionCountMax` + 2 entries.
  @unsafe init(_ start: UnsafeMutablePointer<martlet_poll_entry>) {
    unsafe self.start = start
    self[Self.signalIndex] = Self.ignored
    self[Self.listenerIndex] = Self.ignored
  }

  private static var ignored: martlet_poll_entry {
    martlet_poll_entry(descriptor: -1, wanted: 0, ready: 0)
  }

  private subscript(index: Int) -> martlet_poll_entry {
    get {
      invariant(index >= 0 && index < count, "an entry in use")
      // Safe: entries below `count` are within the memory and initialized.
      return unsafe start[index]
    }
    set {
      invariant(index >= 0 && index < Limits.connectionCountMax + 2, "an entry of the set")
      unsafe start[index] = newValue
    }
  }

  /// Whether signals are waited for: until the first, which would end every wait from then on.
  public var includesSignals = true

  /// Whether the listener is waited for.
  public var includesListener = false

  /// Begins a new turn: no slot is waited for.
  mutating func removeSlots() { count = Self.firstSlotIndex }

  /// Waits for `wanted` at `slot`'s descriptor. Slots come in rising order; a slot left out is not
  /// waited for.
  mutating func insert(slot: Int, descriptor: Int32, wanted: Readiness) {
    let index = slot + Self.firstSlotIndex
    invariant(index >= count, "slots come in rising order")
    while count < index {
      self[count] = Self.ignored
      count += 1
    }
    self[index] = martlet_poll_entry(descriptor: descriptor, wanted: wanted.pollBits, ready: 0)
    count = index + 1
  }

  /// How many slots the set reaches.
  public var slotCount: Int { count - Self.firstSlotIndex }

  /// The descriptor waited for at `slot`, or a negative number.
  public func descriptor(ofSlot slot: Int) -> Int32 {
    self[slot + Self.firstSlotIndex].descriptor
  }

  /// What is waited for at `slot`.
  public func wanted(ofSlot slot: Int) -> Readiness {
    Readiness(pollBits: self[slot + Self.firstSlotIndex].wanted)
  }

  /// Whether something came at `slot`.
  func isReady(slot: Int) -> Bool { slot < slotCount && isReady(entry: slot + Self.firstSlotIndex) }

  /// What came at `slot`.
  public func ready(ofSlot slot: Int) -> Readiness {
    guard slot < slotCount else { return .nothing }
    return Readiness(pollBits: self[slot + Self.firstSlotIndex].ready)
  }

  /// Says what came at `slot`; for transports.
  public mutating func setReady(_ ready: Readiness, slot: Int) {
    self[slot + Self.firstSlotIndex].ready = ready.pollBits
  }

  /// The entries in use, as poll() takes them.
  mutating func withEntries<R>(
    signals: Int32, listener: Int32, _ body: (inout MutableSpan<martlet_poll_entry>) -> R
  ) -> R {
    self[Self.signalIndex] = martlet_poll_entry(
      descriptor: includesSignals ? signals : -1, wanted: Readiness.readable.pollBits,
      ready: 0)
    self[Self.listenerIndex] = martlet_poll_entry(
      descriptor: includesListener ? listener : -1, wanted: Readiness.readable.pollBits,
      ready: 0)
    // Safe: entries below `count` are initialized, and the set is borrowed exclusively meanwhile.
    let buffer = unsafe UnsafeMutableBufferPointer(start: start, count: count)
    var entries = unsafe MutableSpan(_unsafeElements: buffer)
    return body(&entries)
  }

  /// Whether something came at the entry of that index.
  func isReady(entry index: Int) -> Bool { self[index].ready != 0 }
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
