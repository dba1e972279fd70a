// What all pages share: head, header with the menu, the notice of the page before, footer, error pages.

import Martlet

extension Response where Site == Panel {
  /// Begins a page: everything up to its own content.
  ///
  /// - Parameters:
  ///   - page: Gives the title, what the menu marks, and whether there is a header.
  ///   - request: Says who is logged in.
  ///   - status: The status of the answer.
  @_lifetime(copy self)
  consuming func page(
    _ page: Panel.Page, _ request: borrowing Request<Panel>, _ status: Status = .ok
  ) -> Body<Panel> {
    let row = Panel.row(of: page)
    let notice = removeNotice()
    var body = body(status)
    body.begin(row.title.octets, isDoor: row.place == .door)
    if row.place != .door { body.writeHeader(page, request) }
    body.write("<main>\n")
    if let notice { body.write(.done, notice.text) }
    if row.place == .door { body.writeBrand() }
    return body
  }

  /// Begins a page that is nothing but a message in a card.
  @_lifetime(copy self)
  consuming func message(_ status: Status, _ title: Span<UInt8>) -> Body<Panel> {
    var body = body(status)
    body.begin(title, isDoor: true)
    body.write("<main>\n")
    body.writeBrand()
    body.write("\(begin: .narrowCard)<h1>\(title)</h1>\n")
    return body
  }
}

extension Body where Site == Panel {
  /// Writes the head.
  @inline(never)
  @_lifetime(self: copy self)
  fileprivate mutating func begin(_ title: Span<UInt8>, isDoor: Bool) {
    write(
      """
      <!doctype html>
      <html lang="en"><head><meta charset="utf-8">\
      <meta name="viewport" content="width=device-width, initial-scale=1">\
      <meta name="color-scheme" content="light dark">
      <title>\(title) · Martlet</title>
      <link rel="icon" href="data:image/svg+xml,\
      %3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'%3E\
      %3Crect width='24' height='24' rx='6' fill='%230b5cad'/%3E\
      %3Cpath fill='%23fff' d='M4 8c4 .2 6.3 1.3 8 3.3C13.7 9.3 16 8.2 20 8c-1.2 3-3.3 \
      5-6 5.8l2.5 4.2L12 15.8 7.5 18l2.5-4.2C7.3 13 5.2 11 4 8z'/%3E%3C/svg%3E">
      <link rel="stylesheet" href="\(PackedAssets.panelCss)">
      </head>
      <body class="\(markup: isDoor ? "door" : "room")">

      """)
  }

  /// Writes the mark and the product's name, above the card of a page without a header.
  @inline(never)
  @_lifetime(self: copy self)
  fileprivate mutating func writeBrand() {
    write("<div class=\"brand large\">")
    writeMark()
    write("Martlet</div>\n")
  }

  /// Writes the mark. Its size stands here for a browser that does not get the style sheet.
  @inline(never)
  @_lifetime(self: copy self)
  private mutating func writeMark() {
    write(
      """
      <svg class="mark" width="28" viewBox="0 0 24 24" aria-hidden="true">\
      <rect width="24" height="24" rx="6"/>\
      <path d="M4 8c4 .2 6.3 1.3 8 3.3C13.7 9.3 16 8.2 20 8c-1.2 3-3.3 5-6 5.8\
      l2.5 4.2L12 15.8 7.5 18l2.5-4.2C7.3 13 5.2 11 4 8z"/></svg>
      """)
  }

  @inline(never)
  @_lifetime(self: copy self)
  fileprivate mutating func writeHeader(_ shown: Panel.Page, _ request: borrowing Request<Panel>) {
    write(
      """
      <header class="bar"><div class="bar-in"><a class="brand" href="\(path: Panel.row(of: .overview).path)">
      """)
    writeMark()
    write("Martlet</a>\n<nav aria-label=\"Pages\">\n")
    var number: UInt8 = 0
    while let page = Panel.Page(rawValue: number) {
      let row = Panel.row(of: page)
      if row.isInMenu {
        let mark: StaticString = page == shown ? " aria-current=\"page\"" : ""
        write("<a href=\"\(path: row.path)\"\(markup: mark)>\(markup: row.title)</a>\n")
      }
      number += 1
    }
    write(
      """
      </nav>
      <form method="post" action="\(path: Panel.row(of: .logout).path)"><span class="who">\(request.user?.name)</span>
      <button class="quiet" type="submit">Log out</button></form>
      </div></header>

      """)
  }

  /// Writes everything after the page's own content, and answers.
  consuming func finish() -> Answer {
    writeFooter()
    return end()
  }
}

extension PageWriter where Self: ~Copyable & ~Escapable {
  /// Writes everything after the page's own content.
  @_lifetime(self: copy self)
  mutating func writeFooter() {
    write("</main>\n<footer>martlet-panel \(Panel.version)</footer>\n</body>\n</html>\n")
  }
}

// MARK: Error pages

extension Panel: ErrorPageApplication {
  /// Says what has been refused and why, with a way back. Who is logged in is not known here.
  mutating func errorPage(
    _ error: borrowing ErrorPage, _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>
  ) -> Answer {
    var body = response.message(error.status, error.status.reasonPhrase)
    body.write(
      """
      <p>\(error.reason)</p>
      \(begin: .buttons)\
      \(button: error.status.code >= 500 ? "Try again" : "To the overview", path: Self.row(of: .overview).path)\
      \(end: .buttons)\(end: .narrowCard)
      """)
    return body.finish()
  }
}
