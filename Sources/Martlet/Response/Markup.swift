// The markup before a value → what escaping the value needs. A value may stand in text, in a quoted
// attribute, and in a quoted attribute that is a URL. In a tag, in an unquoted attribute, in a script or a
// style no escaping is enough. The literals before the value decide. They are parsed when a value comes, each
// octet once, so that a page without values costs nothing.
//
//     text ──<──► opened ──► tag ──► between ──► attribute ──=──► equals ──"──► double ──"──► between
//       ▲                     │         │            │              │  └────'──► single ──'──► between
//       └──────────>──────────┴─────────┴────────────┘              └───────────► unquoted ────► between
//
// This is the tokenizer of HTML (WHATWG HTML §13.2.5) without what no literal of a program needs.

import MartletBytes

/// The state of parsing a page's markup.
struct Markup {
  /// The construct that the next octet belongs to.
  enum State: UInt8 {
    case text, opened, tag, between, attribute, afterAttribute, equals, double, single, unquoted
    /// `declaration`: `<!` to the next `>`. `comment`: `<!--` to the next `-->`.
    case declaration, comment
    /// The page is no HTML.
    case plain
  }

  var state = State.text
  /// Octets of the page that have been parsed.
  private var count: UInt32 = 0
  /// Where the attribute's value begins.
  private var valueStart: UInt32 = 0
  /// The last eight octets of the tag's or the attribute's name, in lower case.
  private var name: UInt64 = 0
  /// The name of the tag that ends the script or the style; 0 outside of both.
  private var end: UInt64 = 0

  /// The check that a value after `page` must pass; `nil` when no value can stand there.
  @inline(never)
  mutating func check(after page: Span<UInt8>) -> SchemeCheck? {
    read(page)
    switch state {
    case .text: return end == 0 ? .anything : nil
    case .comment, .plain: return .anything
    case .double, .single: break
    case .opened, .tag, .between, .attribute, .afterAttribute, .equals, .unquoted, .declaration:
      return nil
    }
    switch name {
    // on…, style, srcdoc
    case 0x6F6E, 0x73_7479_6C65, 0x7372_6364_6F63: return nil
    // href, xlink:href, src, action, formaction, data, poster
    case 0x6872_6566, 0x696E_6B3A_6872_6566, 0x73_7263, 0x6163_7469_6F6E, 0x726D_6163_7469_6F6E,
      0x6461_7461, 0x706F_7374_6572:
      var check = SchemeCheck()
      check.read(page.extracting(Int(valueStart)..<page.count))
      return check.isAllowed ? check : nil
    default: return .anything
    }
  }

  /// Whether the last octet of `page` ends the tag of a script, so that the script's text begins after it.
  mutating func endsWithScriptTag(_ page: Span<UInt8>) -> Bool {
    read(page.extracting(0..<page.count - 1))
    switch state {
    // In a script, `</x` is a tag only if it ends the script.
    case .tag where end != 0: return false
    case .tag, .between, .attribute, .afterAttribute, .equals, .unquoted: break
    case .text, .opened, .double, .single, .declaration, .comment, .plain: return false
    }
    read(page)
    // /script
    return state == .text && end == 0x2F_7363_7269_7074
  }

  /// Parses what has been added to the page.
  private mutating func read(_ page: Span<UInt8>) {
    guard state != .plain else { return }
    var i = Int(count)
    count = UInt32(page.count)
    while i < page.count {
      switch state {
      // A search by words finds the next octet that ends the state.
      case .text:
        guard let found = page.firstIndex(of: 0x3C, from: i) else { return }
        i = found
        state = .opened
      case .double, .single:
        guard let found = page.firstIndex(of: state == .double ? 0x22 : 0x27, from: i) else { return }
        i = found
        state = .between
      case .declaration where page[i] == "-" && page[i &- 1] == "!": state = .comment
      case .declaration, .comment:
        guard let found = page.firstIndex(of: 0x3E, from: i) else { return }
        i = found
        if state == .declaration || page[i &- 1] == "-" && page[i &- 2] == "-" { state = .text }
      default:
        step(0x09...0x0D ~= page[i] ? 0x20 : ASCII.lowercased(page[i]))
        if state == .double || state == .single { valueStart = UInt32(i &+ 1) }
      }
      i &+= 1
    }
  }

  /// Parses one octet of a tag, in lower case, with each blank as SP.
  private mutating func step(_ octet: UInt8) {
    switch (state, octet) {
    case (.opened, _):
      // In a script or a style, only the end tag is a tag.
      let isTag = octet == "/" || end == 0 && "a"..."z" ~= octet
      let isDeclaration = end == 0 && (octet == "!" || octet == "?")
      name = UInt64(octet)
      state = isTag ? .tag : isDeclaration ? .declaration : octet == "<" ? .opened : .text
    case (_, ">"):
      if state == .tag { endName() }
      state = .text
    case (.equals, "\""): state = .double
    case (.equals, "'"): state = .single
    case (.equals, " "): break
    case (.equals, _): state = .unquoted
    case (.unquoted, " "): state = .between
    case (.unquoted, _): break
    case (.attribute, "="), (.afterAttribute, "="): state = .equals
    case (.attribute, " "): state = .afterAttribute
    case (.tag, "/"), (.tag, " "): endName()
    case (_, " "): break
    case (_, "/"): state = .between
    case (.tag, _): add(octet)
    case (.attribute, _):
      // A name that begins with "on" is decided, so its other octets are dropped.
      if name != 0x6F6E { add(octet) }
    default:
      state = .attribute
      name = UInt64(octet)
    }
  }

  private mutating func add(_ octet: UInt8) { name = name << 8 | UInt64(octet) }

  /// Ends the name of a tag.
  private mutating func endName() {
    state = .between
    switch name {
    case _ where end != 0:
      if name == end { end = 0 } else { state = .text }
    // script, style
    case 0x7363_7269_7074, 0x73_7479_6C65: end = name | 0x2F << (name > 0xFF_FFFF_FFFF ? 48 : 40)
    default: break
    }
  }
}

/// Checks that a URL is a path of this site or has a scheme that runs nothing: http, https, mailto, tel.
struct SchemeCheck {
  /// The last eight octets before the first `:`, `/`, `?` or `#`, in lower case.
  private var letters: UInt64 = 0
  private var isDecided: Bool
  private(set) var isAllowed = true

  /// A check that every value passes, for a place that is no URL.
  static var anything: SchemeCheck { SchemeCheck(isDecided: true) }

  init(isDecided: Bool = false) { self.isDecided = isDecided }

  /// Checks the next octets.
  @inline(never)
  mutating func read(_ octets: Span<UInt8>) {
    for i in octets.indices {
      guard !isDecided else { return }
      read(octets[i])
    }
  }

  /// Checks the next octet.
  mutating func read(_ octet: UInt8) {
    guard !isDecided else { return }
    isDecided = octet == ":" || octet == "/" || octet == "?" || octet == "#"
    if octet == ":" {
      switch letters {
      // http, https, mailto, tel
      case 0x6874_7470, 0x68_7474_7073, 0x6D61_696C_746F, 0x74_656C: break
      default: isAllowed = false
      }
    }
    letters = letters << 8 | UInt64(ASCII.lowercased(octet))
  }
}
