// One file: tags, lines, places of errors, and every prefix of a template.

import Testing

@testable import MartletCompile

func parsed(_ text: String, _ name: String = "a.html") throws(Finding) -> Template {
  try TemplateParser.parse(Array(text.utf8), name: name, file: name)
}

/// The finding of a template that is refused.
func finding(_ text: String) -> Finding? {
  do throws(Finding) {
    _ = try parsed(text)
    return nil
  } catch { return error }
}

@Suite struct TemplateParserTests {
  private func place(_ line: Int, _ column: Int) -> Place {
    Place(file: "a.html", line: line, column: column)
  }

  @Test("Text, values, comments and choices become parts with their places")
  func parts() throws {
    let nodes = try parsed("<p>{{ a.b }}{# c #}\n{% if x %}1{% elif y %}2{% else %}3{% endif %}!").nodes
    #expect(
      nodes == [
        .text("<p>"), .value("a.b", place(1, 4)), .text("\n"),
        .choice([
          Branch(condition: "x", place: place(2, 1), nodes: [.text("1")]),
          Branch(condition: "y", place: place(2, 12), nodes: [.text("2")]),
          Branch(condition: nil, place: place(2, 25), nodes: [.text("3")]),
        ]), .text("!"),
      ])
  }

  @Test("A loop has an element, or an index and an element")
  func loops() throws {
    let nodes = try parsed("{% for a in b.c(1, 2) %}x{% endfor %}{% for i , a in b %}{% endfor %}").nodes
    #expect(
      nodes == [
        .loop(index: nil, element: "a", list: "b.c(1, 2)", place(1, 1), [.text("x")]),
        .loop(index: "i", element: "a", list: "b", place(1, 38), []),
      ])
  }

  @Test("A line of tags, comments and blanks is no part of the page")
  func lines() throws {
    let text = "a\n  {% if x %}  {# c #} \r\n  b\n\t{% endif %}\nc {% if y %}\nd{% endif %}\n{{ e }}\n"
    let nodes = try parsed(text).nodes
    #expect(
      nodes == [
        .text("a\n"), .choice([Branch(condition: "x", place: place(2, 3), nodes: [.text("  b\n")])]),
        .text("c "), .choice([Branch(condition: "y", place: place(5, 3), nodes: [.text("\nd")])]),
        .text("\n"), .value("e", place(7, 1)), .text("\n"),
      ])
  }

  @Test("Parameters have a name and a declaration")
  func parameters() throws {
    let template = try parsed(
      "{% parameters title: StaticString,\n  with items: Span<A>, _ n: Int = 3 %}\n<p>")
    let parameters = try #require(template.parameters)
    #expect(parameters.map(\.name) == ["title", "items", "n"])
    #expect(parameters.map(\.argument) == ["title: title", "with: items", "n"])
    #expect(parameters[1].declaration == "with items: Span<A>" && parameters[1].place == place(2, 3))
    #expect(template.nodes == [.text("<p>")])
    #expect(try parsed("{% parameters %}").parameters == [])
    #expect(try parsed("<p>").parameters == nil)
  }

  @Test("A mark of the octets' order is no part of the page")
  func mark() throws {
    #expect(try TemplateParser.parse([0xEF, 0xBB, 0xBF, 0x61], name: "a", file: "a").nodes == [.text("a")])
  }

  @Test(
    "What is wrong is told with its place",
    arguments: [
      ("<p>{{ a", 1, 4, "not closed"), ("\n {% if a }} %}", 2, 10, "closes no bracket"),
      ("a{{ }}", 1, 2, "no value"), ("{# a", 1, 1, "not closed"),
      ("{% if %}{% endif %}", 1, 1, "no condition"),
      ("{% if a %}b", 1, 1, "{% endif %} is missing"), ("{% for a in b %}", 1, 1, "{% endfor %} is missing"),
      ("é{% endif %}", 1, 3, "does not belong here"), ("{% if a %}{% else b %}{% endif %}", 1, 11, "elif"),
      ("{% if a %}{% else %}{% else %}{% endif %}", 1, 21, "does not belong here"),
      ("{% for a of b %}{% endfor %}", 1, 1, "for ELEMENT in LIST"),
      ("{% for a.b in c %}{% endfor %}", 1, 1, "for ELEMENT in LIST"),
      ("{% for a, b, c in d %}{% endfor %}", 1, 1, "for ELEMENT in LIST"),
      ("{% while a %}", 1, 1, "unknown tag 'while'"), ("{% elseif a %}", 1, 1, "elif"),
      ("{% include layout.html %}", 1, 1, "quotation marks"),
      ("{% extends \"a\" %}x", 1, 18, "in its blocks"),
      ("{% extends \"a\" %}{{ x }}", 1, 18, "in its blocks"),
      ("x{% extends \"a\" %}", 1, 2, "top of the file"),
      ("x\n{% parameters a: B %}", 2, 1, "top of the file"), ("{% parameters a B %}", 1, 15, "NAME: TYPE"),
      ("{% parameters a: B, a: C %}", 1, 21, "two parameters"),
      ("{% parameters a: B, %}", 1, 15, "NAME: TYPE"),
      ("{% parameters a: (B %}", 1, 22, "missing"),
      ("{% block a %}{% endblock %}{% block a %}{% endblock %}", 1, 28, "two blocks"),
      ("{% block a-b %}{% endblock %}", 1, 1, "a block has a name"),
      ("{{ \"a\n\" }}", 1, 4, "string is not closed"), ("{{ a // b }}", 1, 6, "comment"),
    ])
  func findings(_ text: String, _ line: Int, _ column: Int, _ words: String) throws {
    let found = try #require(finding(text))
    #expect(found.words.contains(words) && found.place == place(line, column), "\(found)")
    #expect(found.description.hasPrefix("a.html:\(line):\(column): error: "))
  }

  @Test("A file that is not UTF-8 is refused")
  func encoding() {
    #expect(throws: Finding.self) { try TemplateParser.parse([0x61, 0xFF], name: "a", file: "a") }
  }

  @Test("Tags in each other have a limit")
  func depth() {
    let many = 10_000
    let text = String(repeating: "{% if a %}", count: many) + String(repeating: "{% endif %}", count: many)
    #expect(finding(text)?.words.contains("too many tags") == true)
    let brackets = "{{ " + String(repeating: "(", count: many) + String(repeating: ")", count: many) + " }}"
    #expect(finding(brackets) == nil)
    let strings = "{{ " + String(repeating: "\"\\(", count: many)
    #expect(finding(strings) != nil)
  }

  @Test("Every prefix of a template, and every octet replaced, is a template or a finding")
  func prefixes() {
    let text = """
      {% parameters a: Span<Int>, b: StaticString = "x\\(1)" %}{# c #}
      <p title="{{ b }}">{% if a.count % 2 == 0 %}é{% elif f([1: "}"]) %}{{ g { $0 }}}{% else %}
      {% for i, x in a %} {{ x }} {% endfor %}{% endif %}{% block z %}{% include "q" %}{% endblock %}
      """
    let octets = Array(text.utf8)
    #expect(throws: Never.self) { try TemplateParser.parse(octets, name: "a", file: "a") }
    var count = 0
    func read(_ octets: [UInt8]) {
      if let template = try? TemplateParser.parse(octets, name: "a", file: "a") {
        _ = try? TemplateSet([template]).whole(template)
      }
      count += 1
    }
    for end in octets.indices { read(Array(octets[..<end])) }
    for index in octets.indices {
      for octet in Array("{}%#\"\\(\n \u{0}<".utf8) {
        var changed = octets
        changed[index] = octet
        read(changed)
      }
    }
    #expect(count == octets.count * 12)
  }
}
