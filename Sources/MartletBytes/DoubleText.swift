// Double ↔ decimal digits, both rounded correctly, without printf, strtod and heap. A double is a whole
// number times a power of two, so its decimal digits end: at most 767 of them. They are all made, and
// every question of rounding is one of comparing digits.
//
// Arrays are filled by `{ _ in 0 }`, not by `repeating`, which every program uses once. A second use
// would make the first a function of its own, and all programs larger.

extension Double {
  /// Reads a decimal number, rounded to the nearest double; a tie goes to the even one (IEEE 754 §4.3.1).
  ///
  /// - Parameter octets: Any octets at all. The grammar is that of `FixedPoint.init(parsing:digits:in:)`.
  /// - Throws: `.malformed` where the octets are no number, `.outOfRange` where the number is beyond
  ///   the greatest double. A number too small for a double becomes zero.
  /// - Complexity: O(n) in the octets, and at most some 100,000 steps beside.
  public init(parsing octets: Span<UInt8>) throws(NumberRefusal) {
    guard let number = NumberText(octets) else { throw .malformed }
    let value = number.double()
    guard value.isFinite else { throw .outOfRange }
    self = value
  }
}

extension NumberText {
  /// The nearest double, or infinity.
  @inline(never)
  func double() -> Double {
    let magnitude = self.magnitude()
    return isNegative ? -magnitude : magnitude
  }

  private func magnitude() -> Double {
    var first = 0
    while first < digitCount, digit(first) == 0 { first += 1 }
    guard first < digitCount else { return 0 }
    // The number is 0.d1d2d3… times 10 to the power of `scale`, and d1 is not 0.
    let scale = point - first
    if scale > 310 { return .infinity }
    if scale < -330 { return 0 }
    var digits: UInt64 = 0
    let count = min(digitCount - first, 19)
    for i in first..<first + count { digits = digits * 10 + UInt64(digit(i)) }
    let power = scale - count
    let near = Self.scaled(Double(digits), power)
    // Both factors are exact, so the one rounding is right (W. D. Clinger, 1990).
    if count < 16, first + count == digitCount, -22...22 ~= power { return near }
    return nearest(from: min(near, .greatestFiniteMagnitude), first, scale)
  }

  private static func scaled(_ value: Double, _ power: Int) -> Double {
    var value = value
    var rest = abs(power)
    while rest > 0 {
      let step = min(rest, 22)
      // Powers of ten to 22 are exact.
      var factor = 1.0
      for _ in 0..<step { factor *= 10 }
      value = power < 0 ? value / factor : value * factor
      rest -= step
    }
    return value
  }

  /// Moves from a double nearby to the nearest. Each multiplication has cost half a unit at most.
  private func nearest(from near: Double, _ first: Int, _ scale: Int) -> Double {
    var bits = near.bitPattern
    for _ in 0..<64 {
      let isOdd = bits & 1 == 1
      let above = compare(first, scale, toMiddleAbove: bits)
      if above > 0 || above == 0 && isOdd {
        bits += 1
        if bits == Double.infinity.bitPattern { return .infinity }
        continue
      }
      guard bits > 0 else { break }
      let below = compare(first, scale, toMiddleAbove: bits - 1)
      guard below < 0 || below == 0 && isOdd else { break }
      bits -= 1
    }
    return Double(bitPattern: bits)
  }

  /// The order of this number and of the middle between a double and the next: -1, 0 or 1.
  private func compare(_ first: Int, _ scale: Int, toMiddleAbove bits: UInt64) -> Int {
    let (significand, exponent) = DecimalDigits.parts(bits)
    let middle = DecimalDigits(significand * 2 + 1, exponent - 1)
    guard scale == middle.scale else { return scale < middle.scale ? -1 : 1 }
    for i in 0..<max(digitCount - first, middle.count) {
      let (digit, other) = (self.digit(first + i), middle[i])
      if digit != other { return digit < other ? -1 : 1 }
    }
    return 0
  }
}

/// All decimal digits of a whole number times a power of two.
struct DecimalDigits {
  /// Nine digits each, the lowest first. The longest number is the middle between the smallest double and
  /// a neighbour. That number is 54 bits times 5 to the power of 1,075, which has 768 digits.
  private var words = InlineArray<87, UInt32> { _ in 0 }
  private var wordCount = 0
  /// How many digits; the first is not 0.
  private(set) var count = 0
  /// The number is 0.d1d2d3… times 10 to the power of `scale`.
  private(set) var scale = 0

  /// A double's significand, at most 53 bits, and the power of two that the significand is multiplied by.
  ///
  /// - Parameter bits: Those of a finite double that is not negative.
  static func parts(_ bits: UInt64) -> (UInt64, Int) {
    let exponent = Int(bits >> 52)
    let fraction = bits & 0xF_FFFF_FFFF_FFFF
    return exponent == 0 ? (fraction, -1_074) : (fraction | 1 << 52, exponent - 1_075)
  }

  /// - Parameters:
  ///   - significand: From 1 to 2^54.
  ///   - exponent: From -1,075 to 971.
  @inline(never)
  init(_ significand: UInt64, _ exponent: Int) {
    let even = min(significand.trailingZeroBitCount, max(0, -exponent))
    var rest = significand >> UInt64(even)
    let exponent = exponent + even
    while rest > 0 {
      words[wordCount] = UInt32(rest % 1_000_000_000)
      rest /= 1_000_000_000
      wordCount += 1
    }
    // Divided by two is multiplied by five, with the point one place further to the left.
    multiply(by: exponent < 0 ? 5 : 2, times: abs(exponent))
    count = (wordCount - 1) * 9
    var top = words[wordCount - 1]
    while top > 0 {
      count += 1
      top /= 10
    }
    scale = count + min(0, exponent)
  }

  private mutating func multiply(by base: UInt32, times: Int) {
    var rest = times
    while rest > 0 {
      // 5 to the power of 13 is the largest below 2^32.
      let step = min(rest, 13)
      var factor: UInt32 = 1
      for _ in 0..<step { factor *= base }
      rest -= step
      var carry: UInt64 = 0
      for i in 0..<wordCount {
        let product = UInt64(words[i]) * UInt64(factor) + carry
        words[i] = UInt32(product % 1_000_000_000)
        carry = product / 1_000_000_000
      }
      while carry > 0 {
        words[wordCount] = UInt32(carry % 1_000_000_000)
        carry /= 1_000_000_000
        wordCount += 1
      }
    }
  }

  /// The digit at an index from the highest; 0 behind the last.
  subscript(index: Int) -> UInt8 {
    guard index < count else { return 0 }
    let place = count - 1 - index
    var word = words[place / 9]
    for _ in 0..<place % 9 { word /= 10 }
    return UInt8(word % 10)
  }

  /// The first `count` digits, rounded to the nearest; a tie goes to the even digit.
  ///
  /// - Parameter count: Digits to keep; below 0 none, and nothing is rounded up to one.
  @inline(never)
  func rounded(to count: Int) -> RoundedDigits {
    var result = RoundedDigits(scale: scale)
    guard count >= 0 else { return result }
    let kept = min(count, self.count)
    for i in 0..<kept { result.append(self[i]) }
    guard kept < self.count else { return result }
    var isAboveHalf = self[kept] > 5
    if self[kept] == 5 {
      isAboveHalf = kept > 0 && self[kept - 1] & 1 == 1
      var i = kept + 1
      while !isAboveHalf, i < self.count {
        isAboveHalf = self[i] != 0
        i += 1
      }
    }
    if isAboveHalf { result.roundUp() }
    return result
  }
}

/// The digits that are kept of a double.
struct RoundedDigits {
  /// As values from 0 to 9. The most: 309 in front of the point and 18 behind it.
  private var digits = InlineArray<328, UInt8> { _ in 0 }
  private(set) var count = 0
  /// The number is 0.d1d2d3… times 10 to the power of `scale`.
  private(set) var scale: Int

  init(scale: Int) { self.scale = scale }

  mutating func append(_ digit: UInt8) {
    digits[count] = digit
    count += 1
  }

  /// Adds one to the last digit; without a digit it becomes 1.
  mutating func roundUp() {
    var i = count
    while i > 0 {
      i -= 1
      guard digits[i] == 9 else {
        digits[i] += 1
        return
      }
      digits[i] = 0
    }
    // 999 has become 1000, whose last zero is not needed.
    digits[0] = 1
    count = max(count, 1)
    scale += 1
  }

  /// Forgets zeros at the end.
  mutating func trim() {
    while count > 0, digits[count - 1] == 0 { count -= 1 }
  }

  /// The digit at an index as a character; `0` in front of the first and behind the last.
  func character(_ index: Int) -> UInt8 { 0 <= index && index < count ? 0x30 + digits[index] : 0x30 }
}

extension Writer {
  /// Writes a number with a fixed count of decimals: `21.50`. It is rounded from the exact value, and a
  /// tie goes to the even digit, as C's printf and Python do it: 0.125 becomes `0.12`. What is rounded to
  /// zero has no sign. What is no number becomes `NaN`, `Infinity` or `-Infinity`.
  ///
  /// - Parameter digits: Decimals, from 0 to 18 (`Limits.decimalCountMax`); any other count is a bug of
  ///   the program and stops the program.
  @_lifetime(self: copy self)
  public mutating func append(_ number: Double, digits: Int) {
    invariant(0...Limits.decimalCountMax ~= digits, "a number has 0 to 18 decimals")
    guard number.isFinite else { return append(noNumber: number) }
    var kept = RoundedDigits(scale: 0)
    if number != 0 {
      let (significand, exponent) = DecimalDigits.parts(number.magnitude.bitPattern)
      let all = DecimalDigits(significand, exponent)
      kept = all.rounded(to: all.scale + digits)
    }
    if number < 0, kept.count > 0 { append(0x2D) }
    append(kept, from: min(kept.scale, 1) - 1, to: kept.scale)
    guard digits > 0 else { return }
    append(0x2E)
    append(kept, from: kept.scale, to: kept.scale + digits)
  }

  /// Writes a number with as many digits as are needed to read the same double again, 17 at most.
  ///
  /// The form is ECMAScript's (ECMA-262, Number::toString): `21.5`, `1e-7`, `1.5e+300`; zero has no sign.
  /// What is no number becomes `NaN`, `Infinity` or `-Infinity`.
  @inline(never)
  @_lifetime(self: copy self)
  public mutating func append(shortest number: Double) {
    guard number.isFinite else { return append(noNumber: number) }
    guard number != 0 else { return append(0x30) }
    let magnitude = number.magnitude
    let (significand, exponent) = DecimalDigits.parts(magnitude.bitPattern)
    let all = DecimalDigits(significand, exponent)
    // Whatever has up to 15 digits comes back when it is rounded to 15; subnormal numbers know fewer.
    var count = magnitude < .leastNormalMagnitude ? 1 : 15
    var kept = all.rounded(to: count)
    while count < 17, !kept.isRead(as: magnitude) {
      count += 1
      kept = all.rounded(to: count)
    }
    kept.trim()
    if number < 0 { append(0x2D) }
    let scale = kept.scale
    switch scale {
    case 1...21:
      append(kept, from: 0, to: scale)
      guard kept.count > scale else { return }
      append(0x2E)
      append(kept, from: scale, to: kept.count)
    case -5...0:
      append("0.")
      append(kept, from: scale, to: kept.count)
    default:
      append(kept.character(0))
      if kept.count > 1 { append(0x2E) }
      append(kept, from: 1, to: kept.count)
      append(scale > 0 ? "e+" : "e-")
      append(decimal: abs(scale - 1), digitCountMin: 1)
    }
  }

  @_lifetime(self: copy self)
  private mutating func append(_ digits: RoundedDigits, from start: Int, to end: Int) {
    var i = start
    while i < end {
      append(digits.character(i))
      i += 1
    }
  }

  @_lifetime(self: copy self)
  private mutating func append(noNumber number: Double) {
    append(number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity")
  }
}

extension RoundedDigits {
  /// Whether the digits are read as that double.
  fileprivate func isRead(as number: Double) -> Bool {
    var text = InlineArray<32, UInt8> { _ in 0 }
    var writer = Writer(text.mutableSpan)
    writer.append(0x2E)
    for i in 0..<count { writer.append(character(i)) }
    writer.append(scale < 0 ? "e-" : "e+")
    writer.append(decimal: abs(scale), digitCountMin: 1)
    let size = writer.count
    guard let text = NumberText(text.span.extracting(first: size)) else { return false }
    return text.double() == number
  }
}
