// The samples of an hour and of a day, in fixed memory. A ring has a place for each slot of time:
//
//     slot = boot clock / length of a slot        place = slot mod places of the ring
//
// So a sample needs no moment of its own. A slot without a sample is a gap: the machine has slept. The boot clock cannot be set, so no change of the time of day makes a gap.
// The day's rings have the mean and the greatest value of each slot.

import CMartletPlatform
import Martlet

/// A span of time that a plot shows.
enum HistoryRange: UInt8 {
  case hour = 1
  case day = 2

  var milliseconds: Int64 { self == .hour ? 3_600_000 : 86_400_000 }
  var slotMilliseconds: Int64 { milliseconds / Int64(Rings.slotCount) }
}

/// The rings. Their values lie in the one static array of the process.
struct Rings: ~Copyable {
  private let isReadInPlace = ByAddress()

  /// Which value of a slot.
  enum Kind: Int { case mean, greatest }

  /// The sum of the samples of the day's slot that has not ended.
  private struct Sum {
    var sum: Int64 = 0
    var count: Int64 = 0
    var greatest: Int64 = .min
  }

  static var slotCount: Int { Int(MARTLET_HISTORY_SLOTS) }
  static var size: Int { Int(MARTLET_HISTORY_SIZE) }

  private var newestOfHour: Int64 = -1
  private var newestOfDay: Int64 = -1
  private var sums = InlineArray<9, Sum>(repeating: Sum())

  /// Empty rings.
  init() {
    invariant(
      Int(MARTLET_HISTORY_SERIES) == Series.count && Int(MARTLET_HISTORY_RINGS) == 3,
      "each series has a place")
  }

  /// Records the values of a moment of the boot clock. Of several samples in a slot of the hour, the last
  /// one counts.
  @inline(never)
  mutating func record(_ values: Values, at milliseconds: Int64) {
    let hourSlot = milliseconds / HistoryRange.hour.slotMilliseconds
    let daySlot = milliseconds / HistoryRange.day.slotMilliseconds
    guard hourSlot >= max(0, newestOfHour), daySlot >= newestOfDay else { return }
    Self.clear(0, from: newestOfHour, to: hourSlot)
    if daySlot > newestOfDay {
      Self.clear(1, from: newestOfDay, to: daySlot)
      Self.clear(2, from: newestOfDay, to: daySlot)
      sums = InlineArray(repeating: Sum())
    }
    newestOfHour = hourSlot
    newestOfDay = daySlot
    var number: UInt8 = 0
    while let series = Series(rawValue: number) {
      if let value = values[series] {
        Self.set(0, series, hourSlot, value)
        let i = Int(number)
        // No value is above 2^49 (CounterSums), and a slot of the day has less than a hundred samples.
        sums[i].sum += value
        sums[i].count += 1
        sums[i].greatest = max(sums[i].greatest, value)
        Self.set(1, series, daySlot, (sums[i].sum + sums[i].count / 2) / sums[i].count)
        Self.set(2, series, daySlot, sums[i].greatest)
      }
      number += 1
    }
  }

  /// The value of a slot; `nil` for a gap, and for what is not in the ring.
  func value(_ series: Series, _ kind: Kind, _ range: HistoryRange, slot: Int64) -> Int64? {
    let newest = range == .hour ? newestOfHour : newestOfDay
    guard slot >= 0, slot <= newest, slot > newest - Int64(Self.slotCount) else { return nil }
    let ring = range == .hour ? 0 : 1 + kind.rawValue
    return series.unit.value(martlet_history(Self.place(ring, series, slot)))
  }

  // MARK: Memory

  private static func place(_ ring: Int, _ series: Series, _ slot: Int64) -> Int {
    // The values of a moment lie together, so that memory is touched only as time goes by.
    (ring * slotCount + Int(slot % Int64(slotCount))) * Series.count + Int(series.rawValue)
  }

  private static func set(_ ring: Int, _ series: Series, _ slot: Int64, _ value: Int64) {
    martlet_set_history(place(ring, series, slot), series.unit.stored(value))
  }

  /// Makes gaps of the slots after `from`, up to and with `to`.
  private static func clear(_ ring: Int, from: Int64, to: Int64) {
    // Before the first sample all memory is gaps, and its pages cost nothing until they are written.
    guard from >= 0 else { return }
    var slot = max(from + 1, to - Int64(slotCount) + 1)
    while slot <= to {
      var number: UInt8 = 0
      while let series = Series(rawValue: number) {
        martlet_set_history(place(ring, series, slot), 0)
        number += 1
      }
      slot += 1
    }
  }
}

/// The points of one curve, from the oldest to the newest.
struct Curve: ~Copyable {
  private let isReadInPlace = ByAddress()

  /// Points of a plot. Each is 30 seconds of the hour, or 12 minutes of the day.
  static var pointCount: Int { 120 }

  /// As in the rings; 0 is a gap.
  private var points = InlineArray<120, UInt16>(repeating: 0)
  private let unit: Series.Unit
  private(set) var greatest: Int64?
  private(set) var least: Int64?

  init(_ unit: Series.Unit) { self.unit = unit }

  /// Reads the points up to a moment of the boot clock. The slots of a point are the same at each moment, so that a
  /// curve moves as a whole.
  @inline(never)
  init(
    _ series: Series, _ kind: Rings.Kind, _ range: HistoryRange, of rings: borrowing Rings, until milliseconds: Int64
  ) {
    self.init(series.unit)
    let slotsOfPoint = Int64(Rings.slotCount / Self.pointCount)
    let last = milliseconds / range.slotMilliseconds / slotsOfPoint
    for i in 0..<Self.pointCount {
      let start = (last - Int64(Self.pointCount - 1 - i)) * slotsOfPoint
      var (sum, count, greatest) = (Int64(0), Int64(0), Int64.min)
      for slot in start..<start + slotsOfPoint {
        guard let value = rings.value(series, kind, range, slot: slot) else { continue }
        sum += value
        count += 1
        greatest = max(greatest, value)
      }
      guard count > 0 else { continue }
      add(kind == .greatest ? greatest : (sum + count / 2) / count, at: i)
    }
  }

  /// Sets a point.
  mutating func add(_ value: Int64, at index: Int) {
    points[index] = unit.stored(value)
    greatest = max(greatest ?? value, value)
    least = min(least ?? value, value)
  }

  /// A point; `nil` for a gap.
  subscript(index: Int) -> Int64? { unit.value(points[index]) }
}
