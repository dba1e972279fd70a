// Page text: literals are written as they are, values are escaped. The literal parts of an interpolated
// string come from the program's source and are trusted. Everything put in with `\(…)` may come from outside
// and is escaped. So no forgotten call can put foreign markup into a page. Where escaping is not enough the
// page becomes an error (Markup.swift).

import MartletBytes
import MartletHTTP

/// A piece of HTML, written as a string literal with interpolated values.
///
///     response.html("<h1>Hello, \(user.name)!</h1>")
///
/// Values are escaped for text and for quoted attributes.
///
/// Some attributes are URLs: `href`, `src`, `action`, `formaction`, `data`, `poster`. There a value may be a
/// path, or a URL of the schemes http, https, mailto and tel. Any other value becomes
/// `about:invalid#blocked`.
///
/// At some places a value is a bug of the page, which becomes a 500:
///
/// - in a tag outside of an attribute's value, and in an unquoted attribute;
/// - in an attribute that is a script, a style or a document (`onclick`, `style`, `srcdoc`);
/// - in a script or a style.
///
/// A number may stand anywhere, because its characters can begin nothing.
///
/// The text is written into the response while the string is made. So a text needs no memory of its own and
/// has no limit of its own. Write the string where it is passed to `html` or `write`. A text that is kept for
/// later, or written twice, is a bug and stops the program.
public struct HTML: ExpressibleByStringInterpolation {
  /// Where the text lies in the page.
  let range: Range<Int>

  /// - Parameter range: Where text of another kind lies in the page.
  init(range: Range<Int>) { self.range = range }

  public init(stringLiteral literal: StaticString) {
    let start = PageText.count
    PageText.append(literal.octets)
    range = start..<PageText.count
  }

  public init(stringInterpolation: Interpolation) {
    range = stringInterpolation.start..<PageText.count
  }

  public typealias StringInterpolation = Interpolation

  /// Writes the parts of an interpolated string.
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
    public mutating func appendInterpolation(_ text: StaticString) {
      appendInterpolation(text.octets)
    }

    /// Adds the text of a literal held in a variable; adds nothing for `nil`.
    public mutating func appendInterpolation(_ text: StaticString?) {
      if let text { appendInterpolation(text.octets) }
    }

    /// Adds markup that is part of the program, without escaping.
    public mutating func appendInterpolation(markup literal: StaticString) {
      appendLiteral(literal)
    }

    /// Adds a path of the program, such as `/login`, for links, style sheets and forms. The path under which
    /// browsers see the program is written before it.
    public mutating func appendInterpolation(path: StaticString) {
      PageText.append(PageText.prefix)
      PageText.append(path.octets)
    }

    /// Adds octets read as UTF-8; ill-formed parts become U+FFFD. Adds nothing for `nil`.
    public mutating func appendInterpolation(_ octets: Span<UInt8>?) {
      if let octets { appendInterpolation(octets) }
    }

    /// Adds the path that a part is mounted at. The path under which browsers see the program is written
    /// before it.
    public mutating func appendInterpolation(_ mount: borrowing MountPath) {
      PageText.append(PageText.prefix)
      appendInterpolation(mount.octets)
    }

    /// Adds octets read as UTF-8; ill-formed parts become U+FFFD.
    @inline(never)
    public mutating func appendInterpolation(_ octets: Span<UInt8>) {
      var check = PageText.check()
      check.read(octets)
      guard check.isAllowed else { return appendLiteral(Self.blocked) }
      var repair = UTF8Repair()
      var i = 0
      while i < octets.count {
        // Most texts are plain octets only, which need no check.
        let end = repair.isAtStart ? Self.endOfPlain(octets, i) : i
        if end > i {
          PageText.append(octets.extracting(i..<end))
          i = end
        } else {
          Self.put(repair.feed(octets[i]))
          i &+= 1
        }
      }
      Self.put(repair.finish())
    }

    /// The text that replaces a URL which would run something.
    private static var blocked: StaticString { "about:invalid#blocked" }

    /// The index after the octets that can be written as they are.
    private static func endOfPlain(_ octets: Span<UInt8>, _ start: Int) -> Int {
      var end = start
      while end < octets.count, isPlain(octets[end]) { end &+= 1 }
      return end
    }

    private static func isPlain(_ octet: UInt8) -> Bool {
      switch octet {
      case "&", "<", ">", "\"", "'": false
      default: octet < 0x80
      }
    }

    /// Adds what a person typed into a form, decoded.
    public mutating func appendInterpolation(_ value: borrowing FormValue) { append(decoded: value.decoder) }

    /// Adds the value of a parameter of the path, decoded.
    public mutating func appendInterpolation(_ value: borrowing PathValue) { append(decoded: value.decoder) }

    @inline(never)
    private mutating func append(decoded value: PercentDecoder) {
      var check = PageText.check()
      var octets = value
      while let octet = octets.next() { check.read(octet) }
      guard check.isAllowed else { return appendLiteral(Self.blocked) }
      var repair = UTF8Repair()
      var decoder = value
      while let octet = decoder.next() { Self.put(repair.feed(octet)) }
      Self.put(repair.finish())
    }

    /// Adds what a person typed into a form, decoded; adds nothing where the form has no such field.
    public mutating func appendInterpolation(_ value: borrowing FormValue?) {
      if let value = copy value { appendInterpolation(value) }
    }

    /// Adds a number in decimal digits.
    public mutating func appendInterpolation(_ number: some BinaryInteger & FixedWidthInteger) {
      PageText.append(decimal: number)
    }

    /// Adds a text that is already escaped.
    public mutating func appendInterpolation(_ text: borrowing EscapedText) { PageText.append(text.octets) }

    /// Escapes for text and for attributes in either kind of quotes.
    private static func put(_ text: Text<8>) {
      for i in 0..<text.count {
        switch text.span[i] {
        case "&": PageText.append(("&amp;" as StaticString).octets)
        case "<": PageText.append(("&lt;" as StaticString).octets)
        case ">": PageText.append(("&gt;" as StaticString).octets)
        case "\"": PageText.append(("&quot;" as StaticString).octets)
        case "'": PageText.append(("&#39;" as StaticString).octets)
        default: PageText.append(text.span.extracting(i..<i + 1))
        }
      }
    }
  }
}

/// HTML without tags, whose values are escaped: the reason of an error page.
public struct EscapedText: ~Escapable {
  let octets: Span<UInt8>

  @_lifetime(copy octets)
  init(_ octets: Span<UInt8>) { self.octets = octets }
}
