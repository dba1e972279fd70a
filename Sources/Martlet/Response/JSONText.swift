// JSON text, made as HTML is made. The literal parts are JSON markup and come from the program's source.
// Every value is encoded by its type, so that no value can become markup.
//
//     response.json("{\"name\":\(user.name),\"celsius\":\(FixedPoint(2150, digits: 2)),\"on\":\(isOn)}")

public import MartletBytes
public import MartletHTTP

/// A piece of JSON (RFC 8259), written as a string literal with interpolated values.
///
/// A text becomes a JSON string with its quotation marks, so the literal has none around the value. A number
/// and a `Bool` become a JSON number and `true` or `false`; `nil` becomes `null`. A double that is no number
/// becomes `null`. The characters `<`, `>`, `&`, U+2028 and U+2029 in a text are written as escapes, so that
/// the JSON may stand in a script element.
///
/// Each piece is checked while it is made. Every string that the literal begins must end within the literal.
/// A value must stand where JSON allows a value, so not between quotation marks. A piece that breaks a rule
/// is a misuse: a bug of the page. The page then becomes a 500, and nothing of the page is sent.
///
/// A piece is written into the response while it is made, as `HTML` is. Write the piece where it is passed to
/// `json` or `write(json:)`. A function may return a piece that is a value of another piece:
/// `\(json: list())`. A piece that is kept for later, or written twice, is a bug and stops the program. An
/// extension adds types of the program:
///
///     extension JSONText.Interpolation {
///       mutating func appendInterpolation(_ reading: Reading) {
///         appendLiteral("{\"celsius\":")
///         appendInterpolation(reading.celsius)
///         appendLiteral("}")
///       }
///     }
public struct JSONText: ExpressibleByStringInterpolation {
  /// Where the piece lies in the page.
  let range: Range<Int>

  /// Makes a piece without values.
  ///
  /// - Complexity: O(n).
  public init(stringLiteral literal: StaticString) {
    var interpolation = Interpolation(literalCapacity: 0, interpolationCount: 0)
    interpolation.appendLiteral(literal)
    self.init(stringInterpolation: interpolation)
  }

  /// Ends a piece. A string that the literal begins and does not end is a misuse.
  public init(stringInterpolation: Interpolation) {
    if stringInterpolation.isInString { PageText.misuse() }
    range = stringInterpolation.start..<PageText.count
  }

  public typealias StringInterpolation = Interpolation

  /// Writes the parts of a piece.
  public struct Interpolation: StringInterpolationProtocol {
    fileprivate let start: Int
    /// Octets of the page when the last part had been written.
    private var end: Int
    /// Whether the end of the last literal lies inside a JSON string.
    fileprivate private(set) var isInString = false
    /// Whether the last octet was a backslash in a string, so that the next octet is escaped.
    private var isEscaped = false
    /// The last octet of the markup that is not blank: 0 at the start, `valueMark` after a value.
    private var last: UInt8 = 0
    private static var valueMark: UInt8 { 1 }

    public init(literalCapacity: Int, interpolationCount: Int) {
      start = PageText.count
      end = start
    }

    /// Adds markup.
    ///
    /// - Complexity: O(n).
    @inline(never)
    public mutating func appendLiteral(_ literal: StaticString) {
      let octets = literal.octets
      for i in octets.indices { read(octets[i]) }
      PageText.append(octets)
      end = PageText.count
    }

    private mutating func read(_ octet: UInt8) {
      if isInString {
        let ends = octet == 0x22 && !isEscaped
        isEscaped = octet == 0x5C && !isEscaped
        if ends { isInString = false }
        return
      }
      switch octet {
      case 0x20, 0x09, 0x0A, 0x0D: return
      // Octets that may follow a value: `,` `:` `]` `}`.
      case 0x2C, 0x3A, 0x5D, 0x7D: break
      default: if last == Self.valueMark { PageText.misuse() }
      }
      isInString = octet == 0x22
      last = octet
    }

    /// Notes that a value follows. Where JSON allows no value, the page becomes a 500.
    private mutating func beginValue() {
      switch last {
      // A value may stand at the start of a piece, and after `,` `:` `[` `{`.
      case 0, 0x2C, 0x3A, 0x5B, 0x7B: break
      // Elsewhere a value is a misuse. Between quotation marks, the last octet of the markup is a quotation
      // mark.
      default: PageText.misuse()
      }
      last = Self.valueMark
    }

    // MARK: Texts

    /// Adds a text as a JSON string.
    public mutating func appendInterpolation<let capacity: Int>(_ text: Text<capacity>) {
      appendInterpolation(text.span)
    }

    /// Adds a text as a JSON string; adds `null` for `nil`.
    public mutating func appendInterpolation<let capacity: Int>(_ text: Text<capacity>?) {
      if let text { appendInterpolation(text.span) } else { appendNull() }
    }

    /// Adds the text of a literal held in a variable as a JSON string.
    public mutating func appendInterpolation(_ text: StaticString) { appendInterpolation(text.octets) }

    /// Adds the text of a literal held in a variable as a JSON string; adds `null` for `nil`.
    public mutating func appendInterpolation(_ text: StaticString?) {
      if let text { appendInterpolation(text.octets) } else { appendNull() }
    }

    /// Adds octets read as UTF-8 as a JSON string; adds `null` for `nil`.
    public mutating func appendInterpolation(_ octets: Span<UInt8>?) {
      if let octets { appendInterpolation(octets) } else { appendNull() }
    }

    /// Adds octets read as UTF-8 as a JSON string; each ill-formed part becomes U+FFFD.
    ///
    /// - Complexity: O(n).
    @inline(never)
    public mutating func appendInterpolation(_ octets: Span<UInt8>) {
      beginValue()
      PageText.append(("\"" as StaticString).octets)
      var repair = UTF8Repair()
      var i = 0
      while i < octets.count {
        // Most texts are plain octets only, which need no check.
        var plain = i
        if repair.isAtStart { while plain < octets.count, Self.isPlain(octets[plain]) { plain &+= 1 } }
        if plain > i {
          PageText.append(octets.extracting(i..<plain))
          i = plain
        } else {
          Self.put(repair.feed(octets[i]))
          i &+= 1
        }
      }
      endText(&repair)
    }

    /// Adds what a person typed into a form, decoded, as a JSON string.
    ///
    /// - Complexity: O(n).
    public mutating func appendInterpolation(_ value: borrowing FormValue) { append(decoded: value.decoder) }

    /// Adds the value of a parameter of the path, decoded, as a JSON string.
    ///
    /// - Complexity: O(n).
    public mutating func appendInterpolation(_ value: borrowing PathValue) { append(decoded: value.decoder) }

    @inline(never)
    private mutating func append(decoded value: PercentDecoder) {
      beginValue()
      PageText.append(("\"" as StaticString).octets)
      var repair = UTF8Repair()
      var decoder = value
      while let octet = decoder.next() { Self.put(repair.feed(octet)) }
      endText(&repair)
    }

    private mutating func endText(_ repair: inout UTF8Repair) {
      Self.put(repair.finish())
      PageText.append(("\"" as StaticString).octets)
      end = PageText.count
    }

    private static func isPlain(_ octet: UInt8) -> Bool {
      switch octet {
      case "\"", "\\", "<", ">", "&": false
      default: 0x20...0x7F ~= octet
      }
    }

    /// Writes whole characters with the escapes that JSON and a script element need.
    private static func put(_ text: Text<8>) {
      var i = 0
      while i < text.count {
        let octet = text.span[i]
        var count = 1
        switch octet {
        case "\"", "\\":
          PageText.append(("\\" as StaticString).octets)
          PageText.append(text.span.extracting(i..<i + 1))
        case "<", ">", "&", 0x00...0x1F:
          var escape: InlineArray<6, UInt8> = [0x5C, 0x75, 0x30, 0x30, 0, 0]
          escape[4] = ASCII.hexadecimal(octet >> 4)
          escape[5] = ASCII.hexadecimal(octet & 15, uppercase: true)
          PageText.append(escape.span)
        case 0xE2 where text.span.extracting(i..<text.count).hasPrefix("\u{2028}"):
          PageText.append(("\\u2028" as StaticString).octets)
          count = 3
        case 0xE2 where text.span.extracting(i..<text.count).hasPrefix("\u{2029}"):
          PageText.append(("\\u2029" as StaticString).octets)
          count = 3
        default: PageText.append(text.span.extracting(i..<i + 1))
        }
        i &+= count
      }
    }

    // MARK: Numbers and words

    /// Adds a whole number. Readers that know doubles only, such as JavaScript, lose digits beyond
    /// 9,007,199,254,740,991 (RFC 8259 §6).
    public mutating func appendInterpolation(_ number: some BinaryInteger & FixedWidthInteger) {
      beginValue()
      PageText.append(decimal: number)
      end = PageText.count
    }

    /// Adds a whole number; adds `null` for `nil`.
    public mutating func appendInterpolation(_ number: (some BinaryInteger & FixedWidthInteger)?) {
      if let number { appendInterpolation(number) } else { appendNull() }
    }

    /// Adds a number with all its decimals.
    public mutating func appendInterpolation(_ number: FixedPoint) {
      beginValue()
      PageText.append(number)
      end = PageText.count
    }

    /// Adds a number with all its decimals; adds `null` for `nil`.
    public mutating func appendInterpolation(_ number: FixedPoint?) {
      if let number { appendInterpolation(number) } else { appendNull() }
    }

    /// Adds a double with as many digits as are needed to read the same double again. Adds `null` for a
    /// double that is no number.
    public mutating func appendInterpolation(_ number: Double) {
      guard number.isFinite else { return appendNull() }
      beginValue()
      PageText.append(shortest: number)
      end = PageText.count
    }

    /// Adds a double, as `appendInterpolation(_: Double)` does; adds `null` for `nil`.
    public mutating func appendInterpolation(_ number: Double?) {
      if let number { appendInterpolation(number) } else { appendNull() }
    }

    /// Adds a double with that many decimals, from 0 to 18, rounded as `Writer.append(_:digits:)` does. Adds
    /// `null` for a double that is no number.
    public mutating func appendInterpolation(_ number: Double, digits: Int) {
      guard number.isFinite else { return appendNull() }
      beginValue()
      PageText.append(number, digits: digits)
      end = PageText.count
    }

    /// Adds a double with that many decimals, as `appendInterpolation(_: Double, digits:)` does; adds `null`
    /// for `nil`.
    public mutating func appendInterpolation(_ number: Double?, digits: Int) {
      if let number { appendInterpolation(number, digits: digits) } else { appendNull() }
    }

    /// Adds `true` or `false`.
    public mutating func appendInterpolation(_ value: Bool) { appendWord(value ? "true" : "false") }

    /// Adds `true` or `false`; adds `null` for `nil`.
    public mutating func appendInterpolation(_ value: Bool?) {
      if let value { appendInterpolation(value) } else { appendNull() }
    }

    /// Adds the sentence that says why a value was refused, as a JSON string, cut after 256 octets.
    public mutating func appendInterpolation(_ error: JSONError) {
      var sentence = InlineArray<256, UInt8> { _ in 0 }
      var writer = Writer(sentence.mutableSpan)
      writer.append(error)
      let count = writer.count
      appendInterpolation(sentence.span.extracting(first: count))
    }

    private mutating func appendNull() { appendWord("null") }

    private mutating func appendWord(_ word: StaticString) {
      beginValue()
      PageText.append(word.octets)
      end = PageText.count
    }

    // MARK: JSON

    /// Adds markup that is part of the program, such as a comma, without encoding.
    public mutating func appendInterpolation(markup literal: StaticString) { appendLiteral(literal) }

    /// Adds a piece that is made within the interpolation, such as the result of a function. A piece that was
    /// made before the interpolation is a misuse.
    public mutating func appendInterpolation(json piece: JSONText) {
      if piece.range.lowerBound != end || piece.range.upperBound != PageText.count { PageText.misuse() }
      beginValue()
      end = PageText.count
    }
  }
}

extension HTML.Interpolation {
  /// Adds JSON to a script element, where a script of the page reads it:
  ///
  ///     "<script id=\"data\" type=\"application/json\">\(json: "{\"name\":\(name)}")</script>"
  ///
  /// The JSON is not escaped as HTML, because a script element has no character references. The JSON contains
  /// no `<`. It must stand right after the script's tag. At any other place it is a misuse.
  public mutating func appendInterpolation(json piece: JSONText) {
    if !PageText.isScriptBegun(at: piece.range.lowerBound) || piece.range.upperBound != PageText.count {
      PageText.misuse()
    }
  }
}
