// What all pages share: head, header, footer, messages.

import Martlet

/// The page that is shown, for the header.
enum Place { case overview, password, system, door }

extension Body where Site == Panel {
  /// Writes everything up to the page's own content.
  ///
  /// - Parameters:
  ///   - title: For the window.
  ///   - user: Who is logged in; nobody sees the header without.
  @_lifetime(self: copy self)
  mutating func begin(title: StaticString, _ place: Place, user: Account? = nil) {
    write(
      """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>\(title) · Martlet</title>
      <link rel="icon" href="data:image/svg+xml,\
      %3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'%3E\
      %3Crect width='24' height='24' rx='6' fill='%230b5cad'/%3E\
      %3Cpath fill='%23fff' d='M4 8c4 .2 6.3 1.3 8 3.3C13.7 9.3 16 8.2 20 8c-1.2 3-3.3 \
      5-6 5.8l2.5 4.2L12 15.8 7.5 18l2.5-4.2C7.3 13 5.2 11 4 8z'/%3E%3C/svg%3E">
      <link rel="stylesheet" href="\(path: "/panel.css")?\(Panel.version)">
      </head>
      <body class="\(place == .door ? "door" : "room")">
      """)
    if let user { writeHeader(place, user) }
    write("<main>\n")
  }

  /// Writes the mark and the product's name.
  @_lifetime(self: copy self)
  mutating func writeMark() {
    write(
      """
      <svg class="mark" viewBox="0 0 24 24" aria-hidden="true">\
      <rect width="24" height="24" rx="6"/>\
      <path d="M4 8c4 .2 6.3 1.3 8 3.3C13.7 9.3 16 8.2 20 8c-1.2 3-3.3 5-6 5.8\
      l2.5 4.2L12 15.8 7.5 18l2.5-4.2C7.3 13 5.2 11 4 8z"/></svg>
      """)
  }

  @_lifetime(self: copy self)
  private mutating func writeHeader(_ place: Place, _ user: Account) {
    write(
      "<header class=\"bar\"><div class=\"bar-in\"><a class=\"brand\" href=\"\(path: "/")\">")
    writeMark()
    write(
      """
      Martlet</a>
      <nav aria-label="Pages">
      <a href="\(path: "/")"\(markup: place == .overview ? " aria-current=\"page\"" : "")>Overview</a>
      <a href="\(path: "/password")"\(markup: place == .password ? " aria-current=\"page\"" : "")>\
      Password</a>

      """)
    if Boot.isFirstProcess {
      write(
        """
        <a href="\(path: "/system")"\(markup: place == .system ? " aria-current=\"page\"" : "")>System</a>

        """)
    }
    write(
      """
      </nav>
      <form method="post" action="\(path: "/logout")"><span class="who">\(user.name)</span>
      <button class="quiet" type="submit">Log out</button></form>
      </div></header>

      """)
  }

  /// Writes what went wrong, if something did.
  ///
  /// - Parameter wait: Seconds after which it is worth while to try again.
  @_lifetime(self: copy self)
  mutating func writeProblem(_ problem: StaticString?, wait: Int? = nil) {
    guard let problem else { return }
    write("<p class=\"problem\" role=\"alert\" id=\"problem\">\(problem)")
    if let wait { write(" Try again in \(Readable.wait(seconds: wait)).") }
    write("</p>\n")
  }

  /// Writes everything after the page's own content, and answers.
  consuming func finish() -> Answer {
    write("</main>\n<footer>martlet-panel \(Panel.version)</footer>\n</body>\n</html>\n")
    return end()
  }
}
