// What pages are made of. Markup that several pages have stands here and in Form.swift. PackedAssets/panel.css is the
// style sheet of all pages: system fonts, and nothing from elsewhere. Text has a contrast of at least 4.5 to 1 in both
// colour schemes (WCAG 2.2 §1.4.3; Tests/Wire/looks.py measures it). A page writes texts between the begin and the end
// of a part:
//
//     body.write("\(begin: .note)\(count) overlays not listed\(end: .note)")

import Martlet

/// A part of a page that other content stands in.
enum Part: UInt8 {
  /// A box, and a narrow one for a form or a message.
  case card, narrowCard
  /// Cards side by side, as far as there is room.
  case columns
  /// A row of tiles, and a tile, which `\(tile: …)` begins.
  case tiles, tile
  /// A row of buttons.
  case buttons
  /// A form that is sent to the page's own address, so that `next` stays in the query of the login page.
  case form
  /// What went wrong, what has been done, what is to be known beside, what there is instead of nothing.
  case problem, done, note, none
  /// What is wrong with one thing of many: read aloud in its turn, not at once as a problem.
  case fault
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
    case .tile: ""
    case .buttons: "<div class=\"buttons\">"
    case .form: "<form method=\"post\" class=\"fields\">\n"
    case .problem: "<p class=\"problem\" role=\"alert\">"
    case .fault: "<p class=\"problem\">"
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
    case .tile: "</dd></div>\n"
    case .form: "</form>\n"
    case .problem, .done, .note, .none, .fault, .lead: "</p>\n"
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

  /// Adds the heading of a card.
  @inline(never)
  mutating func appendInterpolation(heading text: StaticString) {
    appendLiteral("<h2>")
    appendLiteral(text)
    appendLiteral("</h2>\n")
  }

  /// Begins a tile: its name, and a value that follows.
  @inline(never)
  mutating func appendInterpolation(tile name: StaticString, id: StaticString) {
    appendLiteral("<div><dt>")
    appendLiteral(name)
    appendLiteral("</dt><dd id=\"")
    appendLiteral(id)
    appendLiteral("\">")
  }

  /// Adds a link to a path of the panel that looks as a button.
  mutating func appendInterpolation(button text: StaticString, path: StaticString) {
    appendLiteral("<a class=\"button\" href=\"")
    appendInterpolation(path: path)
    appendLiteral("\">")
    appendLiteral(text)
    appendLiteral("</a>")
  }

  /// Adds a row of a table: a name and a size.
  @inline(never)
  mutating func appendInterpolation(row name: StaticString, kibibytes: UInt64) {
    appendLiteral("<tr><th scope=\"row\">")
    appendLiteral(name)
    appendLiteral("</th><td>")
    appendInterpolation(kibibytes)
    appendLiteral(" KiB</td></tr>\n")
  }
}

extension PageWriter where Self: ~Copyable & ~Escapable {
  /// Writes a part that is a literal.
  @inline(never)
  @_lifetime(self: copy self)
  mutating func write(_ part: Part, _ text: StaticString) {
    write("\(begin: part)\(markup: text)\(end: part)")
  }
}

extension StreamBody {
  /// Writes a bar.
  ///
  /// - Parameter live: An attribute of a bar that moves.
  @inline(never)
  mutating func writeMeter(_ label: StaticString, _ percent: Int, live: StaticString = "") {
    let level: StaticString = percent >= 90 ? "full" : percent >= 75 ? "high" : "fine"
    // An image, because each browser draws <meter> in a way of its own. The width is an attribute, because
    // the policy forbids styles inside the page. The range of the role is 0 to 100 where nothing else is said.
    write(
      """
      <svg class="meter" role="meter" aria-valuenow="\(percent)" aria-label="\(markup: label)"\(markup: live)>\
      <rect class="\(markup: level)" width="\(percent)%" rx="4"/></svg>

      """)
  }
}
