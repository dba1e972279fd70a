// Numbers with decimals: a whole number and how many of its digits stand behind the point. Sums and
// comparisons are exact, and no floating-point unit is needed.
//
//     FixedPoint(2150, digits: 2)      21.50

/// A number with a fixed count of decimals, such as a temperature in hundredths of a degree.
public struct FixedPoint: Equatable, Sendable {
  /// The number times 10 to the power of `digits`.
  public let value: Int64
  /// Decimals: digits behind the point, from 0 to `Limits.decimalCountMax`.
  public let digits: Int

  /// Makes a number from its smallest units.
  ///
  /// - Parameters:
  ///   - value: The number times 10 to the power of `digits`. What lies beyond `Int64` becomes the
  ///     nearest bound of `Int64`.
  ///   - digits: Decimals, from 0 to 18 (`Limits.decimalCountMax`); any other count is a bug of the
  ///     program and stops the program.
  public init(_ value: some BinaryInteger & FixedWidthInteger, digits: Int) {
    invariant(0...Limits.decimalCountMax ~= digits, "a fixed point has 0 to 18 decimals")
    self.value = Int64(clamping: value)
    self.digits = digits
  }

  /// Reads a number that a person or a program has written, for example in a form.
  ///
  ///     number   = [ "-" ] ( 1*DIGIT [ "." 1*DIGIT ] / "." 1*DIGIT ) [ exponent ]
  ///     exponent = ( "e" / "E" ) [ "-" / "+" ] 1*DIGIT
  ///
  /// The grammar is HTML's valid floating-point number (WHATWG HTML §2.3.4.3), which
  /// `<input type="number">` sends. Blanks, a comma, a plus sign before the number, `NaN` and
  /// `Infinity` are refused. The value is exact: `1.50` and `15e-1` are 1.5.
  ///
  /// - Parameters:
  ///   - octets: Any octets at all.
  ///   - digits: Decimals of the result, from 0 to 18.
  ///   - bounds: Least and greatest value, each times 10 to the power of `digits`.
  /// - Throws: `.malformed` where the octets are no number, `.notExact` where a decimal beyond
  ///   `digits` is not zero, `.outOfRange` where the number lies outside of `bounds`.
  /// - Complexity: O(n).
  public init(
    parsing octets: Span<UInt8>, digits: Int, in bounds: ClosedRange<Int64> = .min ... .max
  ) throws(NumberRefusal) {
    guard let number = NumberText(octets) else { throw .malformed }
    let value = try number.scaled(digits: digits)
    guard bounds.contains(value) else { throw .outOfRange }
    self.init(value, digits: digits)
  }
}

/// Why a number was refused.
public enum NumberRefusal: Error, Equatable, Sendable {
  /// The octets are no number.
  case malformed
  /// The number has more decimals than asked for.
  case notExact
  /// The number lies outside of the bounds.
  case outOfRange
}

extension Writer {
  /// Writes a number with all its decimals: `21.50`, `-0.05`. Zero has no sign.
  @_lifetime(self: copy self)
  public mutating func append(_ number: FixedPoint) {
    if number.value < 0 { append(0x2D) }
    // As many digits as stand in front of the point and behind it.
    var digits = InlineArray<19, UInt8> { _ in 0 }
    var rest = number.value.magnitude
    var start = 19
    while rest > 0 || start > 18 - number.digits {
      start -= 1
      digits[start] = 0x30 + UInt8(rest % 10)
      rest /= 10
    }
    append(digits.span.extracting(start..<19 - number.digits))
    guard number.digits > 0 else { return }
    append(0x2E)
    append(digits.span.extracting(19 - number.digits..<19))
  }
}

/// A decimal number in place, taken apart: sign, digits, point, exponent. It is JSON's number
/// (RFC 8259 §6), and beside it what HTML allows: zeros in front, and no digit before the point.
struct NumberText: ~Escapable {
  private let octets: Span<UInt8>
  let isNegative: Bool
  /// Index of the first digit or the point.
  private let start: Int
  /// Digits in front of the point.
  private let integerCount: Int
  /// Digits in front of the point and behind it.
  let digitCount: Int
  /// Held within ±100,000: more than a text of 65,535 digits can make up for.
  private let exponent: Int

  /// - Returns: `nil` where the octets are not exactly one number.
  @_lifetime(copy octets)
  init?(_ octets: Span<UInt8>) {
    var i = 0
    isNegative = octets.count > 0 && octets[0] == "-"
    if isNegative { i = 1 }
    start = i
    i = Self.endOfDigits(octets, i)
    integerCount = i - start
    var fractionCount = 0
    if i < octets.count, octets[i] == "." {
      let end = Self.endOfDigits(octets, i + 1)
      fractionCount = end - i - 1
      guard fractionCount > 0 else { return nil }
      i = end
    }
    digitCount = integerCount + fractionCount
    guard digitCount > 0, digitCount <= 0xFFFF else { return nil }
    var exponent = 0
    if i < octets.count, octets[i] | 0x20 == "e" {
      i += 1
      let isLow = i < octets.count && octets[i] == "-"
      if isLow || i < octets.count && octets[i] == "+" { i += 1 }
      let end = Self.endOfDigits(octets, i)
      guard end > i else { return nil }
      for j in i..<end { exponent = min(exponent * 10 + Int(octets[j] & 15), 100_000) }
      if isLow { exponent = -exponent }
      i = end
    }
    guard i == octets.count else { return nil }
    self.octets = octets
    self.exponent = exponent
  }

  private static func endOfDigits(_ octets: Span<UInt8>, _ start: Int) -> Int {
    var i = start
    while i < octets.count, ASCII.digit(octets[i]) != nil { i += 1 }
    return i
  }

  /// The digit at a position that counts digits only; 0 behind the last digit.
  func digit(_ position: Int) -> UInt8 {
    guard position < digitCount else { return 0 }
    // Behind the integer digits the point stands in between.
    return octets[start + position + (position >= integerCount ? 1 : 0)] & 15
  }

  /// Position of the point when the exponent has moved it; it may lie outside of the digits.
  var point: Int { integerCount + exponent }

  /// The number times 10 to the power of `digits`, exactly.
  ///
  /// - Throws: `.notExact` or `.outOfRange`. What is neither exact nor in range is out of range.
  func scaled(digits: Int) throws(NumberRefusal) -> Int64 {
    let end = point + digits
    var value: UInt64 = 0
    var position = 0
    // Zero stays zero however many digits follow; another value leaves UInt64 within 20 steps.
    while position < end, position < digitCount || value != 0 {
      let (product, productWraps) = value.multipliedReportingOverflow(by: 10)
      let (sum, sumWraps) = product.addingReportingOverflow(UInt64(digit(position)))
      guard !productWraps, !sumWraps else { throw .outOfRange }
      value = sum
      position += 1
    }
    guard value <= UInt64(Int64.max) + (isNegative ? 1 : 0) else { throw .outOfRange }
    while position < digitCount {
      guard digit(position) == 0 else { throw .notExact }
      position += 1
    }
    return isNegative ? Int64(truncatingIfNeeded: 0 &- value) : Int64(value)
  }
}
