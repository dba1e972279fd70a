// Page text: literals as they are, values escaped. The literal parts of an interpolated string come
// from the program's source and are trusted; everything put in with `\(…)` is text from somewhere
// and is escaped, so a page cannot be made to carry foreign markup by forgetting something.

import MartletBytes
import MartletHTTP

/// A piece of HTML, written as a string literal with interpolated values.
///
///     response.html("<h1>Hello, \(user.name)!</h1>")
///
/// Literal parts are not copied, whatever their length. Values are escaped for text and for quoted
/// attributes; together they may have 1,024 octets in one literal (`InterpolationBuffer`), and there
/// may be 48 pieces. A text that exceeds this makes the response a 500, never a cut page: write
/// longer pages in several parts with `Body.write`.
public struct HTML: ExpressibleByStringInterpolation {
  /// What is between two seams: a literal, or a count of octets in the values.
  enum Piece {
    case literal(StaticString)
    case value(count: UInt16)
  }

  private var pieces: Interpolation

  public init(stringLiteral literal: StaticString) {
    pieces = Interpolation(literalCapacity: 0, interpolationCount: 0)
    pieces.appendLiteral(literal)
  }

  public init(stringInterpolation: Interpolation) { pieces = stringInterpolation }

  public typealias StringInterpolation = Interpolation

  /// Writes the text; marks the writer as overflowed when the text is not whole.
  @_lifetime(writer: copy writer)
  func write(to writer: inout Writer) {
    var start = 0
    for i in 0..<pieces.pieceCount {
      switch pieces.pieces[i] {
      case .literal(let literal):
        writer.append(literal)
      case .value(let count):
        writer.append(pieces.values.span.extracting(start..<start + Int(count)))
        start += Int(count)
      }
    }
    if pieces.overflowed { writer.overflow() }
  }

  /// Collects the parts of an interpolated string.
  public struct Interpolation: StringInterpolationProtocol {
    fileprivate var pieces = InlineArray<48, Piece>(repeating: .value(count: 0))
    fileprivate var pieceCount = 0
    fileprivate var values = InlineArray<1_024, UInt8>(repeating: 0)
    private var valueCount = 0
    fileprivate var overflowed = false

    public init(literalCapacity: Int, interpolationCount: Int) {}

    public mutating func appendLiteral(_ literal: StaticString) {
      if literal.utf8CodeUnitCount > 0 { append(.literal(literal)) }
    }

    /// Adds a text.
    public mutating func appendInterpolation<let capacity: Int>(_ text: Text<capacity>) {
      appendInterpolation(text.span)
    }

    /// Adds a text, or nothing.
    public mutating func appendInterpolation<let capacity: Int>(_ text: Text<capacity>?) {
      if let text { appendInterpolation(text.span) }
    }

    /// Adds the text of a literal held in a variable.
    public mutating func appendInterpolation(_ text: StaticString) {
      appendInterpolation(text.octets)
    }

    /// Adds the text of a literal held in a variable, or nothing.
    public mutating func appendInterpolation(_ text: StaticString?) {
      if let text { appendInterpolation(text.octets) }
    }

    /// Adds markup that is part of the program: it is not escaped.
    public mutating func appendInterpolation(markup literal: StaticString) {
      appendLiteral(literal)
    }

    /// Adds octets read as UTF-8; ill-formed parts become U+FFFD.
    public mutating func appendInterpolation(_ octets: Span<UInt8>) {
      let start = valueCount
      var repair = UTF8Repair()
      for i in octets.indices { put(repair.feed(octets[i])) }
      put(repair.finish())
      endValue(from: start)
    }

    /// Adds what a person typed into a form, decoded.
    public mutating func appendInterpolation(_ value: borrowing FormValue) {
      let start = valueCount
      var repair = UTF8Repair()
      var decoder = value.decoder
      while let octet = decoder.next() { put(repair.feed(octet)) }
      put(repair.finish())
      endValue(from: start)
    }

    /// Adds a number in decimal digits.
    public mutating func appendInterpolation(_ number: some BinaryInteger & FixedWidthInteger) {
      let start = valueCount
      // The longest: a minus sign and 20 digits.
      var digits = InlineArray<24, UInt8>(repeating: 0)
      var writer = Writer(digits.mutableSpan)
      writer.append(decimal: number)
      let count = writer.count
      for i in 0..<count { put(digits[i]) }
      endValue(from: start)
    }

    private mutating func endValue(from start: Int) {
      if valueCount > start { append(.value(count: UInt16(valueCount - start))) }
    }

    private mutating func append(_ piece: Piece) {
      guard pieceCount < pieces.count else { return overflowed = true }
      pieces[pieceCount] = piece
      pieceCount += 1
    }

    private mutating func put(_ octet: UInt8) {
      guard valueCount < values.count else { return overflowed = true }
      values[valueCount] = octet
      valueCount += 1
    }

    /// Escapes for text and for attributes in either kind of quotes.
    private mutating func put(_ text: Text<8>) {
      for i in 0..<text.count {
        switch text.span[i] {
        case "&": put(literal: "&amp;")
        case "<": put(literal: "&lt;")
        case ">": put(literal: "&gt;")
        case "\"": put(literal: "&quot;")
        case "'": put(literal: "&#39;")
        case let octet: put(octet)
        }
      }
    }

    private mutating func put(literal: StaticString) {
      let octets = literal.octets
      for i in octets.indices { put(octets[i]) }
    }
  }
}
