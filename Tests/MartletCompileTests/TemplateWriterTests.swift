// The Swift that templates become.

import Testing

@testable import MartletCompile

private func source(_ text: String, _ name: String = "a.html") throws -> String {
  let template = try parsed(text, name)
  return TemplateWriter.source([try TemplateSet([template]).whole(template)])
}

@Suite struct TemplateWriterTests {
  @Test("A template becomes a function whose lines are those of the template")
  func function() throws {
    let text = "{% parameters n: Int %}\n<p>\n{{ n }} of {{ n + 1 }}\n{{ n }}</p>\n"
    #expect(
      try source(text) == """
        // Written by MartletCompile from the folder Templates. Changes here are lost.

        import Martlet

        /// The pages of the folder Templates. Each function writes one page.
        enum Templates {

          /// Writes `a.html`.
        #sourceLocation(file: "a.html", line: 1)
          static func a<MartletPage: PageWriter & ~Copyable & ~Escapable>(to martletPage: inout MartletPage, n: Int) {
        #sourceLocation(file: "a.html", line: 3)
            martletPage.write("<p>\\n\\(n) of \\(n + 1)\\n")
        #sourceLocation(file: "a.html", line: 4)
            martletPage.write("\\(n)</p>\\n")
        #sourceLocation()
          }
        }

        """)
  }

  @Test("Choices and loops become those of Swift")
  func control() throws {
    let text = "{% if a %}1{% elif b %}2{% else %}3{% endif %}{% for x in c %}{{ x }}{% endfor %}"
    let lines = try source(text).split(separator: "\n").filter { !$0.hasPrefix("#") }
      .map { $0.drop { $0 == " " } }
    let body = lines.drop { !$0.hasPrefix("if") }.dropLast(2)
    #expect(
      Array(body) == [
        "if a {", "martletPage.write(\"1\")", "} else if b {", "martletPage.write(\"2\")", "} else {",
        "martletPage.write(\"3\")", "}", "for martletIndex in (c).indices { let x = (c)[martletIndex]",
        "martletPage.write(\"\\(x)\")", "}",
      ])
  }

  @Test("Markup with quotation marks and backslashes stays markup")
  func escapes() throws {
    #expect(try source("<p title=\"\\(x)\">\u{0}").contains(#"write("<p title=\"\\(x)\">\u{0}")"#))
  }

  @Test("The name of a function is the path without its suffix")
  func names() throws {
    #expect(try source("", "admin/user-list.html").contains("static func adminUserList<"))
  }
}
