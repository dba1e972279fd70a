// Page text: literals as they are, values escaped. The literal parts of an interpolated string come
// from the program's source and are trusted; everything put in with `\(…)` is text from somewhere
// and is escaped, so a page cannot be made to carry foreign markup by forgetting something. Where
// escaping is not enough the page becomes an error (Markup.swift).

import MartletBytes
import MartletHTTP

/// A piece of HTML, written as a string literal with interpolated values.
///
///     response.html("<h1>Hello, \(user.name)!</h1>")
///
/// Values are escaped for text and for quoted attributes. In an attribute that is a URL (`href`, `src`,
/// `action`, `formaction`, `data`, `poster`) a value may be a path, or a URL of the schemes http, https,
/// mailto and tel; any other becomes `about:invalid#blocked`. A value in an unquoted attribute, in a tag
/// outside of an attribute's value, in an attribute that is a script, a style or a document (`onclick`,
/// `style`, `srcdoc`), in a script or in a style is a bug of the page, which becomes a 500. A number, which
/// nothing can be made of, may stand anywhere.
///
/// A text is not collected first: it is put
/// into the response as the string is made, so it costs no memory and has no limit of its own. This
/// is why it stands where it is given to `html` or `write`; one that is kept for later, or written
/// twice, is a bug and stops the program.
public struct HTML: ExpressibleByStringInterpolation {
  /// Where it lies in the page.
  let range: Range<Int>

  /// - Parameter range: Where page text of another kind lies.
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

    /// Adds a path of the program, such as `/login`, below the path under which browsers see it: for
    /// links, style sheets and forms.
    public mutating func appendInterpolation(path: StaticString) {
      PageText.append(PageText.prefix)
      PageText.append(path.octets)
    }

    /// Adds octets as above, or nothing.
    public mutating func appendInterpolation(_ octets: Span<UInt8>?) {
      if let octets { appendInterpolation(octets) }
    }

    /// Adds the path that a part is mounted at, below the path under which browsers see the program.
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
        // Most texts are all of this kind; they need nothing else.
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

    /// What takes the place of a URL that would run something.
    private static var blocked: StaticString { "about:invalid#blocked" }

    /// Where what can be written as it is ends.
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

    /// Adds what a person typed into a form, or nothing where the form has no such field.
    public mutating func appendInterpolation(_ value: borrowing FormValue?) {
      if let value = copy value { appendInterpolation(value) }
    }

    /// Adds a number in decimal digits.
    public mutating func appendInterpolation(_ number: some BinaryInteger & FixedWidthInteger) {
      PageText.append(decimal: number)
    }

    /// Adds a text that has been escaped.
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

/// HTML without tags whose values have been escaped: the reason of an error page.
public struct EscapedText: ~Escapable {
  let octets: Span<UInt8>

  @_lifetime(copy octets)
  init(_ octets: Span<UInt8>) { self.octets = octets }
}
