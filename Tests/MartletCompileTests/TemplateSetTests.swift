// Several files: layouts, included files, and where in the markup values may stand.

import Testing

@testable import MartletCompile

private func set(_ files: [String: String]) throws -> TemplateSet {
  TemplateSet(try files.map { name, text throws in try parsed(text, name) })
}

/// The joined template `a.html`.
private func whole(_ files: [String: String]) throws -> WholeTemplate {
  try set(files).whole(try parsed(files["a.html"] ?? "", "a.html"))
}

/// Why the template `a.html` is refused.
private func refusal(_ files: [String: String]) -> Finding? {
  do {
    _ = try whole(files)
    return nil
  } catch { return error as? Finding }
}

/// The text of a page, with a value as its code in brackets, and parts in place.
private func text(_ nodes: [Node]) -> String {
  nodes.map { node in
    switch node {
    case .text(let text): text
    case .value(let code, _): "[\(code)]"
    case .part(let part): text(part.nodes)
    default: "?"
    }
  }.joined()
}

@Suite struct TemplateSetTests {
  @Test("The blocks of a template take the places of its layout's blocks")
  func layouts() throws {
    let files = [
      "a.html": "{% extends \"b.html\" %}{% block one %}1{{ x }}{% endblock %}",
      "b.html": "{% extends \"c.html\" %}{% block one %}no{% endblock %}{% block two %}2{% endblock %}",
      "c.html":
        "<{{ y }}{% block one %}{% endblock %}-{% block two %}{% endblock %}-{% block three %}3{% endblock %}>",
    ]
    var other = files
    other["c.html"] = files["c.html"]?.replacing("<{{ y }}", with: "({{ y }}")
    #expect(try text(whole(other).nodes) == "([y]1[x]-2-3>")
    #expect(refusal(files)?.place.file == "c.html")
  }

  @Test("The parameters of the layout come first, and one that both declare counts once")
  func parameters() throws {
    let files = [
      "a.html": "{% parameters item: Int, title: Text %}{% extends \"b.html\" %}",
      "b.html": "{% parameters title: Text, user: User %}{{ title }}{% block z %}{% endblock %}",
    ]
    #expect(try whole(files).parameters.map(\.name) == ["title", "user", "item"])
    let other = ["a.html": "{% parameters title: Int %}{% extends \"b.html\" %}", "b.html": files["b.html"]!]
    #expect(refusal(other)?.words == "the layout declares 'title: Text'")
  }

  @Test("What stands between the blocks of a layout is a function that its pages share")
  func parts() throws {
    let files = [
      "a.html": "{% extends \"b.html\" %}{% block z %}{{ x }}{% endblock %}",
      "b.html":
        "{% parameters t: T %}<h1>{{ t }}</h1>{% block z %}{% endblock %}<p>{% block y %}{% endblock %}{{ t }}",
    ]
    let nodes = try whole(files).nodes
    guard case .part(let first) = nodes.first, case .part(let last) = nodes.last else {
      Issue.record("the first and the last piece are parts")
      return
    }
    #expect(first.function == "bPart1" && last.function == "bPart3" && first.isOfLayout)
    #expect(nodes.contains(.text("<p>")), "a piece that is text only is written in place")
    let source = TemplateWriter.source([try whole(files), try whole(files)])
    #expect(source.ranges(of: "static func bPart1").count == 1)
    #expect(source.contains("Templates.bPart1(to: &martletPage, t: t)"))
  }

  @Test("An included file with parameters is called, and one without is put in place")
  func included() throws {
    let files = [
      "a.html": "{% include \"b.html\" %}{% include \"c.html\" %}",
      "b.html": "{% parameters n: Int %}{{ n }}", "c.html": "{{ m }}",
    ]
    let nodes = try whole(files).nodes
    guard case .part(let part) = nodes.first else {
      Issue.record("the file with parameters is a part")
      return
    }
    #expect(part.function == "b" && !part.isOfLayout && nodes.count == 2)
    #expect(try set(files).functions.map(\.name) == ["a.html", "b.html"])
  }

  @Test(
    "Files that are missing, or that contain themselves, are refused",
    arguments: [
      (["a.html": "{% include \"b.html\" %}"], "there is no template 'b.html'"),
      (["a.html": "{% include \"../b.html\" %}", "b.html": ""], "there is no template '../b.html'"),
      (["a.html": "{% include \"a.html\" %}"], "includes itself"),
      (["a.html": "{% include \"b.html\" %}", "b.html": "{% include \"a.html\" %}"], "includes itself"),
      (["a.html": "{% extends \"b.html\" %}", "b.html": "{% extends \"a.html\" %}"], "extends itself"),
      (["a.html": "{% extends \"a.html\" %}"], "extends itself"),
      (
        ["a.html": "{% include \"b.html\" %}", "b.html": "{% extends \"c.html\" %}", "c.html": ""],
        "extends a layout"
      ),
      (["a.html": "{% extends \"b.html\" %}{% block z %}{% endblock %}", "b.html": ""], "has no block 'z'"),
    ])
  func cycles(_ files: [String: String], _ words: String) throws {
    let found = try #require(refusal(files))
    #expect(found.words.contains(words), "\(found)")
  }

  @Test("A file that includes itself through a block ends with a finding")
  func fileInItsBlock() {
    let files = [
      "a.html": "{% extends \"b.html\" %}{% block z %}{% include \"c.html\" %}{% endblock %}",
      "b.html": "{% block z %}{% endblock %}", "c.html": "{% block z %}{% endblock %}",
    ]
    #expect(refusal(files)?.words == "'c.html' includes itself")
  }
}

@Suite struct MarkupContextTests {
  @Test(
    "A value may stand in text and in quoted attributes",
    arguments: [
      "<p>{{ x }}</p>", "<p title=\"{{ x }}\" class='a {{ x }}'>", "<a href=\"{{ x }}\">",
      "<a href=\"/a?b={{ x }}\">",
      "<a href=\"https://e/{{ x }}\">", "<a href = \"{{ x }}\">", "<br/>{{ x }}", "<!doctype html>{{ x }}",
      "<!-- <a --> {{ x }}", "<script src=\"/a.js\"></script>{{ x }}", "<style>a > b {}</style>{{ x }}",
      "<script>if (a < b) { '</p>' }</script>{{ x }}", "<title>{{ x }}</title>",
      "<textarea>\n{{ x }}</textarea>",
      "<SCRIPT></SCRIPT >{{ x }}", "<a {% if y %}hidden{% endif %} title=\"{{ x }}\">",
      "<option{% if y %} selected{% endif %}>{{ x }}",
      "<a class=\"{% if y %}b{% else %}c{% endif %}\">{{ x }}",
      "{% for y in z %}<li>{{ x }}</li>{% endfor %}", "a < b {{ x }}",
      "<meta name=\"a\" content=\"{{ x }}\">",
      "<a href=\"mailto:{{ x }}\">", "<a href=\"{{ x }}:{{ x }}\">", "<img src='{{ x }}'>{{ x }}",
    ])
  func allowed(_ text: String) {
    #expect(refusal(["a.html": text]) == nil)
  }

  @Test(
    "At places where no escaping is enough, a value is refused",
    arguments: [
      ("<script>{{ x }}</script>", "script"), ("<script>'</p>' {{ x }}</script>", "script"),
      ("<SCRIPT type=\"text/javascript\">var a = \"{{ x }}\"</SCRIPT>", "script"),
      ("<style>{{ x }}</style>", "style"),
      ("<style></styl>{{ x }}</style>", "style"), ("<p class={{ x }}>", "quotation marks: class="),
      ("<p class=a{{ x }}>", "quotation marks"), ("<p {{ x }}>", "outside of an attribute"),
      ("<p a{{ x }}=\"\">", "outside of an attribute"), ("<{{ x }}>", "name of a tag"),
      ("</{{ x }}>", "name of a tag"),
      ("<p{{ x }}>", "name of a tag"), ("<!-- {{ x }} -->", "comment"), ("<!-- > {{ x }} -->", "comment"),
      ("<!doctype {{ x }}>", "declaration"), ("<p onclick=\"{{ x }}\">", "'onclick'"),
      ("<p OnLoad='{{ x }}'>", "'onload'"), ("<p style=\"color: {{ x }}\">", "style"),
      ("<iframe srcdoc=\"{{ x }}\">", "srcdoc"), ("<img srcset=\"{{ x }} 2x\">", "srcset"),
      ("<a href=\"javascript:{{ x }}\">", "'javascript:'"),
      ("<a href='JavaScript:a({{ x }})'>", "'javascript:'"),
      ("<img src=\"data:{{ x }}\">", "'data:'"), ("<a href=\" javascript:{{ x }}\">", "javascript:"),
      ("<meta http-equiv=\"refresh\" content=\"0;url={{ x }}\">", "http-equiv"),
      ("<meta content=\"0;url={{ x }}\" http-equiv=\"refresh\">", "http-equiv"),
      ("<meta http-equiv=\"{{ x }}\">", "http-equiv"),
      ("<p {% if y %}title=\"{% endif %}{{ x }}\">", "outside of an attribute"),
      ("{% if y %}<script>{% endif %}{{ x }}", "script"),
      ("{% for y in z %}{{ x }}<script>{% endfor %}", "script"),
      ("{% for y in z %}{{ x }}<p {% endfor %}", "tag"),
      ("<svg><script>{{ x }}</script></svg>", "script"), ("<a b=\"c\"{{ x }}>", "outside of an attribute"),
    ])
  func refused(_ text: String, _ words: String) throws {
    let found = try #require(refusal(["a.html": text]), "\(text)")
    #expect(found.words.contains(words), "\(found)")
  }

  @Test(
    "A page ends in text",
    arguments: [
      "<p", "<p class=\"", "<!-- ", "<script>", "<style>", "<p class=a", "{% if y %}<p {% endif %}",
    ])
  func ends(_ text: String) {
    #expect(refusal(["a.html": text])?.words.hasPrefix("the page ends in") == true)
  }

  @Test("A loop that leaves the markup at ever other places is refused")
  func endlessLoop() {
    for text in ["a", "{% if z %}a{% else %}b{% endif %}"] {
      let words = refusal(["a.html": "<p {% for x in y %}\(text){% endfor %}>"])?.words
      #expect(words?.contains("another place of the markup") == true)
    }
    #expect(refusal(["a.html": "<p {% for x in y %} a{% endfor %}>"]) == nil)
  }

  @Test("The place of a value in a layout or an included file counts")
  func joined() {
    let files = ["a.html": "<script>{% include \"b.html\" %}</script>", "b.html": "{{ x }}"]
    #expect(refusal(files)?.place == Place(file: "b.html", line: 1, column: 1))
    let called = [
      "a.html": "<script>{% include \"b.html\" %}</script>", "b.html": "{% parameters x: Int %}{{ x }}",
    ]
    #expect(refusal(called)?.words.contains("script") == true)
  }
}
