// The text of a form's field → a number, or one line.

public import MartletBytes
public import MartletHTTP

extension FormValue {
  /// The exact number that was typed, with that many decimals. Blanks around the number are ignored.
  ///
  ///     let celsius = try form["celsius"]?.fixedPoint(digits: 1, in: -400...850)
  ///
  /// - Parameters:
  ///   - digits: Decimals, from 0 to 18 (`Limits.decimalCountMax`).
  ///   - bounds: Least and greatest value, each times 10 to the power of `digits`.
  /// - Throws: The errors of `FixedPoint.init(parsing:digits:in:)`. A value of more than 64 octets is
  ///   `.malformed`.
  public func fixedPoint(
    digits: Int, in bounds: ClosedRange<Int64> = .min ... .max
  ) throws(NumberRefusal) -> FixedPoint {
    guard let text: Text<64> = self.text() else { throw .malformed }
    let octets = text.span
    return try FixedPoint(
      parsing: octets.extracting(octets.trimmed(octets.indices)), digits: digits, in: bounds)
  }

  /// The whole number that was typed. Blanks around the number are ignored.
  ///
  /// - Parameter bounds: Least and greatest value.
  /// - Throws: The errors of `fixedPoint(digits:in:)`.
  public func integer<Number: BinaryInteger & FixedWidthInteger>(
    in bounds: ClosedRange<Number>
  ) throws(NumberRefusal) -> Number {
    let value = try fixedPoint(digits: 0).value
    guard let number = Number(exactly: value), bounds.contains(number) else { throw .outOfRange }
    return number
  }

  /// The number that was typed, rounded to the nearest double. Blanks around the number are ignored.
  ///
  /// - Throws: `.malformed` where the value is no number or has more than 64 octets; `.outOfRange` where the
  ///   number is outside of `bounds`.
  public func double(
    in bounds: ClosedRange<Double> = -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude
  ) throws(NumberRefusal) -> Double {
    guard let text: Text<64> = self.text() else { throw .malformed }
    let octets = text.span
    let value = try Double(parsing: octets.extracting(octets.trimmed(octets.indices)))
    guard bounds.contains(value) else { throw .outOfRange }
    return value
  }
}

extension FormValue {
  /// One line of text that was typed: well-formed UTF-8 without controls, without the blanks around it.
  ///
  ///     guard let name: Text<32> = try? form["name"]?.line() else { … }
  ///
  /// - Throws: `.empty`, `.tooLong` where the line has more than `capacity` octets, or `.malformed`.
  public func line<let capacity: Int>() throws(LineRefusal) -> Text<capacity> {
    var text = Text<capacity>()
    var decoder = decoder
    while let octet = decoder.next() {
      guard text.append(ofLine: octet) else { throw .tooLong }
    }
    return try text.line()
  }
}
