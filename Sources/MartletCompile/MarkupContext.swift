// Markup → where a value may stand in it. The library escapes each value for the place where it stands, when the page
// is written (Markup.swift of the library). Here the places are found at which no escaping is enough, so that such a
// template does not compile.
//
// A template has branches, so that more than one state may be possible at a place: `<option{% if … %} selected
// {% endif %}>`. All possible states are followed, and a value must be allowed in each of them.
//
// This is the tokenizer of HTML (WHATWG HTML §13.2.5) as far as it tells where a value stands.

/// The state of reading a page's markup.
struct MarkupContext: Hashable {
  /// The construct that the next octet belongs to.
  enum State: Hashable {
    case text, opened, tag, between, attribute, afterAttribute, equals, double, single, unquoted
    /// `declaration`: `<!` to the next `>`. `comment`: `<!--` to the next `-->`.
    case declaration, comment
  }

  private(set) var state = State.text
  /// The name of the tag, in lower case.
  private var tag = ""
  /// The name of the attribute, in lower case.
  private var attribute = ""
  /// In an attribute that is a URL: its literal octets before the first `:`, `/`, `?` or `#`; `nil` afterwards.
  private var scheme: String?
  /// The scheme of a literal URL that runs what follows.
  private var blockedScheme: String?
  /// `script` or `style` inside of such an element.
  private var raw: String?
  /// Hyphens, or the octets of an end tag in a script, that have just been read.
  private var recent = ""
  /// Whether the tag has the attribute `http-equiv`, and whether a value stands in its attribute `content`.
  private var isCommand = false
  private var hasContentValue = false

  /// Attributes that are URLs: a value in them may not name a scheme that runs something.
  private static let urls: Set<String> = [
    "href", "xlink:href", "src", "action", "formaction", "data", "poster",
  ]

  /// Lengths that no name of HTML reaches: a longer name is cut, so that a state is small.
  private static let nameSizeMax = 64

  /// Whether a page may end here.
  var isText: Bool { state == .text && raw == nil }

  /// Why no value can stand here; `nil` where it can.
  mutating func refusal() -> String? {
    switch state {
    case .text:
      if let raw {
        return raw == "script"
          ? "a value cannot stand in a script; put it into an attribute such as data-x=\"{{ … }}\" and read it there"
          : "a value cannot stand in a style; choose between classes with {% if %}"
      }
      return nil
    case .opened, .tag: return "a value cannot be the name of a tag"
    case .between, .attribute, .afterAttribute:
      return
        "a value cannot stand in a tag outside of an attribute's value; write {% if … %} around the attribute"
    case .equals, .unquoted:
      return "an attribute with a value needs quotation marks: \(attribute)=\"{{ … }}\""
    case .declaration: return "a value cannot stand in a declaration"
    case .comment: return "a value cannot stand in a comment of HTML; {# … #} is a comment of the template"
    case .double, .single: break
    }
    if attribute.hasPrefix("on") {
      return "a value cannot stand in '\(attribute)', which is a script; put it into data-x=\"{{ … }}\""
    }
    switch attribute {
    case "style": return "a value cannot stand in a style; choose between classes with {% if %}"
    case "srcdoc": return "a value cannot stand in 'srcdoc', which is a document"
    case "srcset", "imagesrcset", "ping":
      return "a value cannot stand in '\(attribute)', which is a list of URLs"
    case "http-equiv": return "a value cannot stand in 'http-equiv', which is a command to the browser"
    case "content" where tag == "meta":
      if isCommand { return "a value cannot stand in the content of 'http-equiv', a command to the browser" }
      hasContentValue = true
    default: break
    }
    if let blockedScheme {
      return
        "a value cannot follow '\(blockedScheme):'; http, https, mailto and tel are schemes that run nothing"
    }
    // The library checks what follows the value.
    scheme = nil
    return nil
  }

  /// Reads markup.
  ///
  /// - Returns: Why the markup is refused; `nil` as a rule.
  mutating func read(_ octets: some Sequence<UInt8>) -> String? {
    for octet in octets {
      if let words = read(octet) { return words }
    }
    return nil
  }

  private mutating func read(_ octet: UInt8) -> String? {
    let isUpper = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(octet)
    let lower = Character(UnicodeScalar(isUpper ? octet | 0x20 : octet))
    let isSpace = octet == 0x20 || (0x09...0x0D).contains(octet)
    switch state {
    case .text:
      if octet == UInt8(ascii: "<") {
        state = .opened
        recent = ""
      }
    case .double, .single:
      if octet == UInt8(ascii: state == .double ? "\"" : "'") {
        state = .between
      } else if let known = scheme {
        if lower == ":", !["http", "https", "mailto", "tel"].contains(known) { blockedScheme = known }
        scheme = ":/?#".contains(lower) ? nil : String((known + String(lower)).prefix(Self.nameSizeMax))
      }
    case .declaration:
      if octet == UInt8(ascii: ">") { state = .text }
      recent = recent == "-" && lower == "-" ? "--" : recent.isEmpty && lower == "-" ? "-" : "x"
      if state == .declaration, recent == "--" {
        state = .comment
        recent = ""
      }
    case .comment:
      if octet == UInt8(ascii: ">"), recent == "--" {
        state = .text
        recent = ""
      } else {
        recent = lower == "-" ? String((recent + "-").suffix(2)) : ""
      }
    case .opened: readOpened(octet, lower)
    case .tag:
      if isSpace || lower == "/" && !tag.isEmpty && tag != "/" || lower == ">" {
        endName()
        if lower == ">", state == .between { endTag() }
      } else {
        tag = String((tag + String(lower)).prefix(Self.nameSizeMax))
      }
    case .between, .attribute, .afterAttribute, .equals, .unquoted:
      return readAttribute(octet, lower, isSpace)
    }
    return nil
  }

  private mutating func readOpened(_ octet: UInt8, _ lower: Character) {
    let isLetter = lower.isASCII && lower.isLetter
    if lower == "/" || isLetter && raw == nil {
      state = .tag
      tag = String(lower)
    } else if raw == nil, lower == "!" || lower == "?" {
      state = .declaration
      recent = lower == "!" ? "" : "x"
    } else if lower != "<" {
      state = .text
    }
  }

  /// Ends the name of a tag. In a script or a style, only its own end tag is a tag.
  private mutating func endName() {
    (isCommand, hasContentValue, attribute) = (false, false, "")
    if let raw, tag != "/" + raw {
      state = .text
      return
    }
    state = .between
  }

  /// Ends a tag.
  private mutating func endTag() {
    state = .text
    if raw != nil {
      raw = nil
    } else if tag == "script" || tag == "style" {
      raw = tag
    }
    (tag, attribute, scheme, blockedScheme) = ("", "", nil, nil)
  }

  private mutating func readAttribute(_ octet: UInt8, _ lower: Character, _ isSpace: Bool) -> String? {
    switch (state, lower) {
    case (.equals, "\""), (.equals, "'"):
      state = lower == "\"" ? .double : .single
      (scheme, blockedScheme) = (Self.urls.contains(attribute) ? "" : nil, nil)
    case (_, ">"): endTag()
    case (.equals, _) where !isSpace: state = .unquoted
    case (.unquoted, _) where isSpace: state = .between
    case (.equals, _), (.unquoted, _): break
    case (.attribute, "="), (.afterAttribute, "="): state = .equals
    case (.attribute, _) where isSpace: state = .afterAttribute
    case (_, _) where isSpace: break
    case (_, "/"): state = .between
    case (.attribute, _): attribute = String((attribute + String(lower)).prefix(Self.nameSizeMax))
    default:
      state = .attribute
      attribute = String(lower)
    }
    if state == .equals, attribute == "http-equiv" {
      isCommand = true
      if hasContentValue { return "a value stands in the content of 'http-equiv', a command to the browser" }
    }
    return nil
  }
}
