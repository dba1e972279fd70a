// The last values of a sensor, one for each interval: the data of a curve on a page.
//
//     var temperatures = History<288>(intervalMilliseconds: 300_000)      // a day
//     temperatures.record(2150, at: tick.monotonicMilliseconds)           // in `tick` of a TimedApplication
//     let day = temperatures.samples
//     body.write("from \(FixedPoint(day.minimum ?? 0, digits: 2))")
//
//     oldest ──────────── gap ── gap ──────── newest          a new sample replaces the oldest one
//
// The place of a sample in the ring gives its moment, so a sample needs only four octets.

import MartletBytes

/// A ring of the last `capacity` samples, stored in place: 4 octets for each sample, and 24 more.
public struct History<let capacity: Int>: ~Copyable {
  /// The samples; `Int32.min` is a gap.
  private var storage = InlineArray<capacity, Int32>(repeating: .min)
  /// Index of the next sample, below `capacity`.
  private var next = 0
  /// Samples and gaps in the ring, at most `capacity`. No counter counts all samples ever recorded, so none
  /// wraps however long the program runs.
  private var count = 0
  private let interval: Int64
  /// When the newest sample was taken, in milliseconds.
  private var newest: Int64 = 0

  /// Makes an empty ring.
  ///
  /// - Parameter intervalMilliseconds: Time from one sample to the next, at least 1. A smaller value is a bug
  ///   and stops the program.
  public init(intervalMilliseconds: Int64) {
    invariant(intervalMilliseconds > 0 && capacity > 0, "a history has an interval and room")
    interval = intervalMilliseconds
  }

  /// Records a sample.
  ///
  /// A sample less than half an interval after the newest one replaces the newest one. So does a sample that is
  /// older than the newest one. Each interval without a sample becomes a gap.
  ///
  /// - Parameters:
  ///   - value: The value in the smallest units, for example hundredths of a degree. `Int32.min` stands for a
  ///     gap, so it is recorded as `Int32.min + 1`.
  ///   - moment: When the sample was taken, in milliseconds of a clock that does not go back
  ///     (`Moment.monotonicMilliseconds`).
  /// - Complexity: O(gaps), at most O(capacity).
  public mutating func record(_ value: Int32, at moment: Int64) {
    if count > 0 {
      let (passed, wraps) = moment.subtractingReportingOverflow(newest)
      let age = wraps ? (moment < newest ? 0 : Int64.max) : max(0, passed)
      // A sample up to half an interval early or late belongs to the nearest step, because timers are late.
      let steps = age / interval + (age % interval >= interval - interval / 2 ? 1 : 0)
      if steps == 0 {
        next = next == 0 ? capacity - 1 : next - 1
        count -= 1
        // The moment is not changed, so that samples in quick succession do not move the grid.
        put(max(value, .min + 1))
        return
      }
      for _ in 0..<min(steps - 1, Int64(capacity)) { put(.min) }
    }
    newest = moment
    put(max(value, .min + 1))
  }

  private mutating func put(_ value: Int32) {
    storage[next] = value
    next = next + 1 == capacity ? 0 : next + 1
    count = min(count + 1, capacity)
  }

  /// Forgets all samples.
  public mutating func removeAll() { count = 0 }

  /// When the newest sample was taken, in milliseconds of the clock of `record`; `nil` when there is no
  /// sample. A sample that replaced the newest one keeps the moment of the replaced sample.
  public var newestMoment: Int64? { count > 0 ? newest : nil }

  /// The moment of the first sample or gap that is more than half an interval after a moment; `nil` where there is none. With it a stream goes on
  /// behind what it has written, whatever the ring has forgotten meanwhile.
  ///
  ///     while body.room >= 20, let moment = history.moment(after: state.position) {
  ///       body.write(json: "\(history.sample(at: moment)),")
  ///       state.position = moment
  ///     }
  public func moment(after moment: Int64) -> Int64? {
    // All moments move with the newest sample, by half an interval at most.
    let (start, wraps) = moment.addingReportingOverflow(interval / 2)
    guard count > 0, !wraps, start < newest else { return nil }
    let oldest = newest - Int64(count - 1) * interval
    guard start >= oldest else { return oldest }
    return newest - (newest - start - 1) / interval * interval
  }

  /// The sample that was taken within an interval up to a moment; `nil` for a gap, and for what the history does
  /// not have.
  public func sample(at moment: Int64) -> Int32? {
    guard count > 0, moment <= newest else { return nil }
    let age = (newest - moment) / interval
    guard age < Int64(count) else { return nil }
    return samples[count - 1 - Int(age)]
  }

  /// Milliseconds from one sample to the next.
  public var intervalMilliseconds: Int64 { interval }

  /// All samples and gaps, the oldest first.
  public var samples: HistorySamples {
    // Addressable: as in FixedBuffer.
    @_addressableSelf @_lifetime(borrow self)
    get {
      let start = next >= count ? next - count : next - count + capacity
      return HistorySamples(storage.span, start, count)
    }
  }
}

/// The samples of a history, from the oldest to the newest.
///
///     for i in 0..<samples.count { if let value = samples[i] { … } }
public struct HistorySamples: ~Escapable {
  private let storage: Span<Int32>
  private let start: Int
  /// The number of samples and gaps.
  public let count: Int

  /// The indices of the samples and gaps, from the oldest to the newest.
  public var indices: Range<Int> { 0..<count }

  @_lifetime(copy storage)
  init(_ storage: Span<Int32>, _ start: Int, _ count: Int) {
    self.storage = storage
    self.start = start
    self.count = count
  }

  /// The sample at an index from 0 (the oldest) to `count - 1` (the newest); `nil` for a gap. Any other index
  /// is a bug and stops the program.
  public subscript(index: Int) -> Int32? {
    invariant(index >= 0 && index < count, "a sample is among those of its history")
    let place = start + index
    let value = storage[place >= storage.count ? place - storage.count : place]
    return value == .min ? nil : value
  }

  /// The newest `countMax` samples, or all samples when there are fewer.
  @_lifetime(copy self)
  public func last(_ countMax: Int) -> HistorySamples {
    part(max(0, count - max(0, countMax))..<count)
  }

  /// One of `bucketCount` parts of about equal length, for a plot of so many columns. The parts together have
  /// all samples. Where there are more parts than samples, some parts are empty.
  ///
  /// - Parameters:
  ///   - index: From 0 (the oldest part) to `bucketCount - 1`. Any other index is a bug and stops the
  ///     program.
  ///   - bucketCount: From 1 to 65,535.
  @_lifetime(copy self)
  public func bucket(_ index: Int, of bucketCount: Int) -> HistorySamples {
    invariant(index >= 0 && index < bucketCount && bucketCount <= 0xFFFF, "a bucket is one of its plot")
    let (lower, upper) = (Int64(count) * Int64(index), Int64(count) * Int64(index + 1))
    return part(Int(lower / Int64(bucketCount))..<Int(upper / Int64(bucketCount)))
  }

  @_lifetime(copy self)
  private func part(_ range: Range<Int>) -> HistorySamples {
    let place = start + range.lowerBound
    return HistorySamples(storage, place >= storage.count ? place - storage.count : place, range.count)
  }

  /// The number of samples without the gaps.
  ///
  /// - Complexity: O(n), as for `minimum`, `maximum` and `mean`.
  public var sampleCount: Int { summed().count }

  /// The least value; `nil` where all samples are gaps.
  public var minimum: Int32? {
    var result: Int32?
    for i in 0..<count { if let value = self[i], value < result ?? .max { result = value } }
    return result ?? (sampleCount > 0 ? .max : nil)
  }

  /// The greatest value; `nil` where all samples are gaps.
  public var maximum: Int32? {
    var result: Int32?
    for i in 0..<count { if let value = self[i], value > result ?? .min { result = value } }
    return result
  }

  /// The mean without the gaps, rounded to the nearest unit, a half away from zero; `nil` where all samples
  /// are gaps.
  public var mean: Int32? {
    let (sum, count) = summed()
    guard count > 0 else { return nil }
    let half = Int64(count / 2)
    // The sum of less than 2^31 samples fits, and a mean lies between two samples.
    return Int32(clamping: (sum < 0 ? sum - half : sum + half) / Int64(count))
  }

  private func summed() -> (Int64, count: Int) {
    var (sum, number) = (Int64(0), 0)
    for i in 0..<count {
      if let value = self[i] {
        sum += Int64(value)
        number += 1
      }
    }
    return (sum, number)
  }
}
