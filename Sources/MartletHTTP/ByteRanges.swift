// Parses the Range field: which octets of a representation a client asks for.
//
//     Range         = range-unit "=" range-set                          ; RFC 9110 §14.2
//     range-set     = 1#range-spec                                      ; RFC 9110 §14.1.1
//     range-spec    = int-range / suffix-range
//     int-range     = first-pos "-" [ last-pos ]                        ; RFC 9110 §14.1.2
//     suffix-range  = "-" suffix-length
//
// Ranges that overlap or touch become one range, so the octets of an answer are never more than those of the
// representation. RFC 9110 §14.2 allows to ignore the field; that is done where anything is malformed, and
// where more ranges remain than `Limits.rangeCountMax`.

import MartletBytes

/// Ranges of octets that neither overlap nor touch, in the order in which they were asked for.
public struct ByteRanges: BitwiseCopyable, Sendable {
  private var starts = RangeTable<Int64>(repeating: 0)
  private var ends = RangeTable<Int64>(repeating: 0)
  /// How many ranges there are, at most `Limits.rangeCountMax`.
  public private(set) var count = 0

  /// No ranges.
  public init() {}

  /// The range at `index`, counted from 0; never empty.
  public subscript(index: Int) -> Range<Int64> {
    invariant(index >= 0 && index < count, "a range of the list")
    return starts[index]..<ends[index]
  }

  /// Adds a range, which is not empty. The ranges that it overlaps or touches become one range with it, at the
  /// place of the first of them.
  ///
  /// - Returns: Whether there was room.
  mutating func insert(_ range: Range<Int64>) -> Bool {
    var (start, end) = (range.lowerBound, range.upperBound)
    var place = -1
    var keptCount = 0
    for i in 0..<count {
      if starts[i] <= end, start <= ends[i] {
        (start, end) = (min(start, starts[i]), max(end, ends[i]))
        if place >= 0 { continue }
        place = keptCount
      } else {
        starts[keptCount] = starts[i]
        ends[keptCount] = ends[i]
      }
      keptCount &+= 1
    }
    if place < 0 {
      guard keptCount < Limits.rangeCountMax else { return false }
      place = keptCount
      keptCount &+= 1
    }
    starts[place] = start
    ends[place] = end
    count = keptCount
    return true
  }
}

/// What a Range field asks for.
public enum RequestedRanges: Sendable {
  /// The whole representation, because the field asks for nothing that can be given.
  case whole
  /// Nothing that the representation has: 416.
  case unsatisfiable
  case ranges(ByteRanges)

  /// Parses a field value.
  ///
  /// - Parameters:
  ///   - value: The value of the one Range field.
  ///   - size: Octets of the representation, 0 or more. An empty representation is given whole.
  /// - Complexity: O(n) in the value's octets.
  public static func parse(_ value: Span<UInt8>, size: Int64) -> RequestedRanges {
    let unit: StaticString = "bytes="
    guard size > 0, value.count > unit.utf8CodeUnitCount,
      value.extracting(first: unit.utf8CodeUnitCount).equalsIgnoringCase(unit)
    else { return .whole }
    var ranges = ByteRanges()
    var specCount = 0
    var specs = ListElements(
      value.extracting(unit.utf8CodeUnitCount..<value.count), separator: 0x2C)
    while let spec = specs.next() {
      guard let range = range(spec, size: size) else { return .whole }
      specCount &+= 1
      if !range.isEmpty, !ranges.insert(range) { return .whole }
    }
    return specCount == 0 ? .whole : ranges.count == 0 ? .unsatisfiable : .ranges(ranges)
  }

  /// The octets of one range; empty where the representation has none of them, `nil` where the range is
  /// malformed.
  @inline(never)
  private static func range(_ spec: Span<UInt8>, size: Int64) -> Range<Int64>? {
    guard let hyphen = spec.firstIndex(of: 0x2D) else { return nil }
    guard let first = position(spec.extracting(0..<hyphen)),
      let last = position(spec.extracting(hyphen + 1..<spec.count))
    else { return nil }
    switch (hyphen == 0, hyphen + 1 == spec.count) {
    case (true, true): return nil
    case (true, false): return size - min(last, size)..<size
    case (false, true): return min(first, size)..<size
    case (false, false):
      guard first <= last else { return nil }
      return min(first, size)..<min(last, size - 1) + 1
    }
  }

  /// The number that digits spell. No digits are 0, and numbers beyond `Int64` are the largest `Int64`.
  private static func position(_ digits: Span<UInt8>) -> Int64? {
    var value: Int64 = 0
    for i in digits.indices {
      guard let digit = ASCII.digit(digits[i]) else { return nil }
      let (product, wraps) = value.multipliedReportingOverflow(by: 10)
      let (sum, sumWraps) = product.addingReportingOverflow(Int64(digit))
      value = wraps || sumWraps ? .max : sum
    }
    return value
  }
}
