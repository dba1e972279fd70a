// What the loop waits for: one entry a connection slot, plus the listener and the signals.
// It is built anew from the connections' phases each turn, so it cannot disagree with them.

import CMartletPlatform
import MartletBytes

/// The descriptors to wait for. Entry 0 is the signals', entry 1 the listener's, then the slots'.
public struct InterestSet: ~Copyable {
  /// One entry for each of `Limits.connectionCountMax` slots, and the two before them.
  private var entries = InlineArray<258, martlet_poll_entry>(
    repeating: martlet_poll_entry(descriptor: -1, wanted: 0, ready: 0))
  /// How many entries are in use.
  private var count = 2

  static var signalIndex: Int { 0 }
  static var listenerIndex: Int { 1 }
  private static var firstSlotIndex: Int { 2 }

  /// A set that waits for nothing.
  public init() {
    invariant(entries.count == Limits.connectionCountMax + 2, "an entry for each slot")
  }

  /// Whether the listener is waited for.
  public var includesListener = false

  /// Begins a new turn: no slot is waited for.
  mutating func removeSlots() { count = Self.firstSlotIndex }

  /// Waits for `wanted` at `slot`'s descriptor. Slots come in rising order; a slot left out is not
  /// waited for.
  mutating func insert(slot: Int, descriptor: Int32, wanted: Readiness) {
    let index = slot + Self.firstSlotIndex
    invariant(index >= count && index < entries.count, "slots come in rising order")
    while count < index {
      entries[count] = martlet_poll_entry(descriptor: -1, wanted: 0, ready: 0)
      count += 1
    }
    entries[index] = martlet_poll_entry(
      descriptor: descriptor, wanted: Int16(wanted.rawValue), ready: 0)
    count = index + 1
  }

  /// How many slots the set reaches.
  public var slotCount: Int { count - Self.firstSlotIndex }

  /// The descriptor waited for at `slot`, or a negative number.
  public func descriptor(ofSlot slot: Int) -> Int32 {
    entries[slot + Self.firstSlotIndex].descriptor
  }

  /// What is waited for at `slot`.
  public func wanted(ofSlot slot: Int) -> Readiness {
    Readiness(rawValue: UInt8(truncatingIfNeeded: entries[slot + Self.firstSlotIndex].wanted))
  }

  /// What came at `slot`.
  public func ready(ofSlot slot: Int) -> Readiness {
    guard slot < slotCount else { return .nothing }
    return Readiness(rawValue: UInt8(truncatingIfNeeded: entries[slot + Self.firstSlotIndex].ready))
  }

  /// Says what came at `slot`; for transports.
  public mutating func setReady(_ ready: Readiness, slot: Int) {
    entries[slot + Self.firstSlotIndex].ready = Int16(ready.rawValue)
  }

  /// The entries in use, as poll() takes them.
  mutating func withEntries<R>(
    signals: Int32, listener: Int32, _ body: (inout MutableSpan<martlet_poll_entry>) -> R
  ) -> R {
    entries[Self.signalIndex] = martlet_poll_entry(
      descriptor: signals, wanted: Int16(Readiness.readable.rawValue), ready: 0)
    entries[Self.listenerIndex] = martlet_poll_entry(
      descriptor: includesListener ? listener : -1, wanted: Int16(Readiness.readable.rawValue),
      ready: 0)
    var all = entries.mutableSpan
    var used = all._mutatingExtracting(0..<count)
    return body(&used)
  }

  /// Whether something came at the entry of that index.
  func isReady(entry index: Int) -> Bool { entries[index].ready != 0 }
}
