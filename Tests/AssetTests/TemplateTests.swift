// What hostile values become at each place of a template where a value may stand.

import Martlet
import MartletTesting
import Testing

@testable import AssetSite

/// Encodes each octet.
private func encoded(_ text: String) -> String {
  text.utf8.map { octet in "%" + (octet < 16 ? "0" : "") + String(octet, radix: 16) }.joined()
}

@Suite struct TemplateTests {
  let client = TestClient(AssetSite())

  private func page(_ value: String, _ more: String = "") -> TestResponse {
    client.get("/places?value=\(encoded(value))\(more)")
  }

  @Test("A plain value is written as it is, in the branches and loops that the template says")
  func plain() {
    let page = page("v", "&shown=1").body
    let path = Assets.imgDotPng.path.description
    #expect(
      page == """
        <!doctype html><title>v</title>
        <p>v</p>
        <p title="v" class='v'>
        <a href="v">a</a><a href="/x?y=v">b</a><form action='v'></form>
        <textarea>v</textarea>
        <b>v</b>
        <p hidden>\\(value) "quoted" {{ }}</p>
        <li value="0">7 v</li>
        <li value="1">8 v</li>
        <img src="\(path)" alt="">
        <p>row v</p>
        <p>part 0</p><p>part 1</p>
        """)
    #expect(self.page("v").body.contains("<i>hidden</i>\n<p>\\(value) \"quoted\" {{ %}</p>"))
  }

  @Test(
    "A hostile value stays text at each place",
    arguments: [
      "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onmouseover='alert(1)",
      "</title><b>",
      "</textarea><script>", "--><b>", "&lt;b&gt;", "{{ value }}", "{% if %}", "\\(value)", "\u{0}<b>",
      "\"\n<b>",
      "javascript:alert(1)", "\tjava\nscript:alert(1)", "data:text/html,<b>", "//evil.example/<b>",
    ])
  func hostile(_ value: String) {
    let harmless = page("v", "&shown=1").body
    let response = page(value, "&shown=1")
    #expect(response.status == .ok)
    // Whatever the value is, the page has the tags and the attributes of the page with a harmless value.
    func marks(_ page: String) -> [Character: Int] {
      var counts: [Character: Int] = [:]
      for mark in page where "<>\"'".contains(mark) { counts[mark, default: 0] += 1 }
      return counts
    }
    #expect(marks(response.body) == marks(harmless))
    for start in [
      "href=\"javascript:", "href=\"data:", "action='javascript:", "action='data:", "href=\"\tjava",
    ] {
      #expect(!response.body.contains(start))
    }
  }

  @Test("A URL whose scheme runs something is replaced, and stays text elsewhere")
  func schemes() {
    let body = page("javascript:alert(1)").body
    #expect(body.contains("<a href=\"about:invalid#blocked\">a</a>"))
    #expect(body.contains("<a href=\"/x?y=javascript:alert(1)\">b</a>"))
    #expect(
      body.contains("<form action='about:invalid#blocked'>") && body.contains("<p>javascript:alert(1)</p>"))
  }
}
