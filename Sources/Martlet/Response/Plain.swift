// Plain text, made as HTML is made. Literals and values are written as they are.

public import MartletBytes
public import MartletHTTP

/// A piece of plain text, written as a string literal with interpolated values.
///
///     response.plain("uptime \(seconds) s, \(FixedPoint(2150, digits: 2)) °C\n")
///
/// Nothing is escaped, because `text/plain` has no markup. Each ill-formed part of a text from outside
/// becomes U+FFFD. A piece is written into the response while it is made, as `HTML` is. Write the piece where
/// it is passed to `plain` or `write(plain:)`.
public struct Plain: ExpressibleByStringInterpolation {
  /// Where the piece lies in the page.
  let range: Range<Int>

  public init(stringLiteral literal: StaticString) {
    let start = PageText.count
    PageText.append(literal.octets)
    range = start..<PageText.count
  }

  public init(stringInterpolation: Interpolation) {
    range = stringInterpolation.start..<PageText.count
  }

  public typealias StringInterpolation = Interpolation

  /// Writes the parts of a piece.
  public struct Interpolation: StringInterpolationProtocol {
    fileprivate let start: Int

    public init(literalCapacity: Int, interpolationCount: Int) { start = PageText.count }

    public mutating func appendLiteral(_ literal: StaticString) { PageText.append(literal.octets) }

    /// Adds a text.
    public mutating func appendInterpolation<let capacity: Int>(_ text: Text<capacity>) {
      appendInterpolation(text.span)
    }

    /// Adds a text; adds nothing for `nil`.
    public mutating func appendInterpolation<let capacity: Int>(_ text: Text<capacity>?) {
      if let text { appendInterpolation(text.span) }
    }

    /// Adds the text of a literal held in a variable.
    public mutating func appendInterpolation(_ text: StaticString) { PageText.append(text.octets) }

    /// Adds the text of a literal held in a variable; adds nothing for `nil`.
    public mutating func appendInterpolation(_ text: StaticString?) {
      if let text { PageText.append(text.octets) }
    }

    /// Adds octets read as UTF-8; adds nothing for `nil`.
    public mutating func appendInterpolation(_ octets: Span<UInt8>?) {
      if let octets { appendInterpolation(octets) }
    }

    /// Adds octets read as UTF-8; each ill-formed part becomes U+FFFD.
    ///
    /// - Complexity: O(n).
    public mutating func appendInterpolation(_ octets: Span<UInt8>) {
      guard !octets.isUTF8 else { return PageText.append(octets) }
      var repair = UTF8Repair()
      for i in octets.indices { PageText.append(repair.feed(octets[i]).span) }
      PageText.append(repair.finish().span)
    }

    /// Adds what a person typed into a form, decoded.
    ///
    /// - Complexity: O(n).
    public mutating func appendInterpolation(_ value: borrowing FormValue) { append(decoded: value.decoder) }

    /// Adds the value of a parameter of the path, decoded.
    ///
    /// - Complexity: O(n).
    public mutating func appendInterpolation(_ value: borrowing PathValue) { append(decoded: value.decoder) }

    private func append(decoded value: PercentDecoder) {
      var repair = UTF8Repair()
      var decoder = value
      while let octet = decoder.next() { PageText.append(repair.feed(octet).span) }
      PageText.append(repair.finish().span)
    }

    /// Adds a number in decimal digits.
    public mutating func appendInterpolation(_ number: some BinaryInteger & FixedWidthInteger) {
      PageText.append(decimal: number)
    }
  }
}
