// What pages are made of. Markup that several pages have stands here and in Form.swift; its looks are in
// Style.swift. A page writes texts between the begin and the end of a part:
//
//     body.write("\(begin: .note)\(count) overlays not listed\(end: .note)")

import Martlet

/// A part of a page that other content stands in.
enum Part: UInt8 {
  /// A box, and a narrow one for a form or a message.
  case card, narrowCard
  /// Cards side by side, as far as there is room.
  case columns
  /// A row of tiles (`writeTile`).
  case tiles
  /// A row of buttons (`writeButton`, `writeLink`).
  case buttons
  /// A form that is sent to the page's own address, so that `next` stays in the query of the login page.
  case form
  /// What went wrong, what has been done, what is to be known beside, what there is instead of nothing.
  case problem, done, note, none
  /// What a page is about, below its heading.
  case lead
  /// Two texts at the two ends of a line, with `.gap` between them; `.gap` has no end.
  case line, gap
  /// A text that is less important than what it stands beside.
  case aside
  /// A state: a neutral one, a good one, a bad one.
  case state, goodState, badState

  fileprivate var begin: StaticString {
    switch self {
    case .card: "<section class=\"card\">\n"
    case .narrowCard: "<section class=\"card narrow\">\n"
    case .columns: "<div class=\"columns\">\n"
    case .tiles: "<dl class=\"tiles\">\n"
    case .buttons: "<div class=\"buttons\">"
    case .form: "<form method=\"post\" class=\"fields\">\n"
    case .problem: "<p class=\"problem\" role=\"alert\">"
    case .done: "<p class=\"done\" role=\"status\">"
    case .note: "<p class=\"note\">"
    case .none: "<p class=\"none\">"
    case .lead: "<p class=\"lead\">"
    case .line: "<p class=\"use\"><span>"
    case .gap: "</span><span>"
    case .aside: "<span class=\"sub\">"
    case .state: "<span class=\"state\">"
    case .goodState: "<span class=\"state up\">"
    case .badState: "<span class=\"state bad\">"
    }
  }

  fileprivate var end: StaticString {
    switch self {
    case .card, .narrowCard: "</section>\n"
    case .columns, .buttons: "</div>\n"
    case .tiles: "</dl>\n"
    case .form: "</form>\n"
    case .problem, .done, .note, .none, .lead: "</p>\n"
    case .line: "</span></p>\n"
    case .gap: ""
    case .aside, .state, .goodState, .badState: "</span>"
    }
  }
}

extension HTML.Interpolation {
  /// Begins a part.
  @inline(never)
  mutating func appendInterpolation(begin part: Part) { appendLiteral(part.begin) }

  /// Ends a part.
  @inline(never)
  mutating func appendInterpolation(end part: Part) { appendLiteral(part.end) }
}

extension Body where Site == Panel {
  /// Writes a part that is a literal.
  @inline(never)
  @_lifetime(self: copy self)
  mutating func write(_ part: Part, _ text: StaticString) {
    write("\(begin: part)\(markup: text)\(end: part)")
  }

  /// Writes the heading of a card.
  @_lifetime(self: copy self)
  mutating func writeHeading(_ text: StaticString) { write("<h2>\(markup: text)</h2>\n") }

  /// Writes a link that looks as a button.
  @_lifetime(self: copy self)
  mutating func writeLink(to path: StaticString, _ text: StaticString) {
    write("<a class=\"button\" href=\"\(path: path)\">\(markup: text)</a>")
  }

  /// Begins a tile: a name, and a value that follows.
  @inline(never)
  @_lifetime(self: copy self)
  mutating func beginTile(_ name: StaticString, id: StaticString) {
    write("<div><dt>\(markup: name)</dt><dd id=\"\(markup: id)\">")
  }

  @_lifetime(self: copy self)
  mutating func endTile() { write("</dd></div>\n") }

  /// Writes a row of a table: a name and a size.
  @inline(never)
  @_lifetime(self: copy self)
  mutating func writeRow(_ name: StaticString, kibibytes: UInt64) {
    write("<tr><th scope=\"row\">\(markup: name)</th><td>\(kibibytes) KiB</td></tr>\n")
  }

  /// Writes a bar.
  @inline(never)
  @_lifetime(self: copy self)
  mutating func writeMeter(_ label: StaticString, _ percent: Int) {
    let level: StaticString = percent >= 90 ? "full" : percent >= 75 ? "high" : "fine"
    // An image, because each browser draws <meter> in a way of its own. The width is an attribute, because
    // the policy forbids styles inside the page.
    write(
      """
      <svg class="meter" role="meter" aria-valuemin="0" aria-valuemax="100" \
      aria-valuenow="\(percent)" aria-label="\(markup: label)">\
      <rect class="\(markup: level)" width="\(percent)%" height="100%" rx="4"/></svg>

      """)
  }
}
