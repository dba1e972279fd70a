// Numbers with decimals and booleans in HTML and in plain text. Their characters begin no markup, so they are
// written as they are. (Arrays are filled by `{ _ in 0 }`: see DoubleText.swift.)

public import MartletBytes

/// Interpolations that HTML and plain text have in common.
public protocol NumberInterpolation: StringInterpolationProtocol {}

extension HTML.Interpolation: NumberInterpolation {}
extension Plain.Interpolation: NumberInterpolation {}

extension NumberInterpolation {
  /// Adds a whole number in decimal digits; adds nothing for `nil`.
  public mutating func appendInterpolation(_ number: (some BinaryInteger & FixedWidthInteger)?) {
    if let number { PageText.append(decimal: number) }
  }

  /// Adds a number with all its decimals: `21.50`.
  public mutating func appendInterpolation(_ number: FixedPoint) { PageText.append(number) }

  /// Adds a number with all its decimals; adds nothing for `nil`.
  public mutating func appendInterpolation(_ number: FixedPoint?) {
    if let number { PageText.append(number) }
  }

  /// Adds a double with as many digits as are needed to read the same double again. A double that is no
  /// number becomes `NaN`, `Infinity` or `-Infinity`.
  public mutating func appendInterpolation(_ number: Double) { PageText.append(shortest: number) }

  /// Adds a double, as `appendInterpolation(_: Double)` does; adds nothing for `nil`.
  public mutating func appendInterpolation(_ number: Double?) {
    if let number { PageText.append(shortest: number) }
  }

  /// Adds a double with that many decimals, from 0 to 18, rounded as `Writer.append(_:digits:)` does.
  public mutating func appendInterpolation(_ number: Double, digits: Int) {
    PageText.append(number, digits: digits)
  }

  /// Adds a double with that many decimals, as `appendInterpolation(_: Double, digits:)` does; adds nothing
  /// for `nil`.
  public mutating func appendInterpolation(_ number: Double?, digits: Int) {
    if let number { PageText.append(number, digits: digits) }
  }

  /// Adds `true` or `false`.
  public mutating func appendInterpolation(_ value: Bool) {
    PageText.append((value ? "true" : "false" as StaticString).octets)
  }

  /// Adds the sentence that says why a JSON value was refused, cut after 256 octets. The sentence contains a
  /// name and numbers of the program, and nothing from outside.
  public mutating func appendInterpolation(_ error: JSONError) { PageText.append(error) }
}

extension PageText {
  /// Writes a whole number in decimal digits.
  static func append(decimal number: some BinaryInteger & FixedWidthInteger) {
    // Room for a minus sign and 20 digits.
    var digits = InlineArray<24, UInt8> { _ in 0 }
    var writer = Writer(digits.mutableSpan)
    writer.append(decimal: number)
    let count = writer.count
    append(digits.span.extracting(first: count))
  }

  /// Writes a number with all its decimals.
  @inline(never)
  static func append(_ number: FixedPoint) {
    // Room for a minus sign, 19 digits and the point.
    var digits = InlineArray<24, UInt8> { _ in 0 }
    var writer = Writer(digits.mutableSpan)
    writer.append(number)
    let count = writer.count
    append(digits.span.extracting(first: count))
  }

  /// Writes a double with as many digits as are needed to read the same double again.
  @inline(never)
  static func append(shortest number: Double) {
    // Room for a minus sign, 17 digits, the point and `e-308`.
    var digits = InlineArray<32, UInt8> { _ in 0 }
    var writer = Writer(digits.mutableSpan)
    writer.append(shortest: number)
    let count = writer.count
    append(digits.span.extracting(first: count))
  }

  /// Writes a double with that many decimals.
  @inline(never)
  static func append(_ number: Double, digits: Int) {
    // Room for a minus sign, 309 digits, the point and 18 decimals.
    var text = InlineArray<336, UInt8> { _ in 0 }
    var writer = Writer(text.mutableSpan)
    writer.append(number, digits: digits)
    let count = writer.count
    append(text.span.extracting(first: count))
  }

  /// Writes the sentence that says why a JSON value was refused.
  @inline(never)
  static func append(_ error: JSONError) {
    var sentence = InlineArray<256, UInt8> { _ in 0 }
    var writer = Writer(sentence.mutableSpan)
    writer.append(error)
    let count = writer.count
    append(sentence.span.extracting(first: count))
  }
}
