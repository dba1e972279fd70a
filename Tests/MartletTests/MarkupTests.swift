// Where a value stands in a page decides what becomes of it.

import MartletTesting
import TestSupport
import Testing

@testable import Martlet

@Suite struct MarkupTests {
  /// What a page shows of a value between two pieces of markup, as a text and as what was typed; `nil`
  /// when it is a 500.
  private func shown(
    _ before: String, _ value: String, _ after: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
  ) -> String? {
    let (client, directory) = makeClient()
    directory.before = [UInt8](before.utf8)
    directory.after = [UInt8](after.utf8)
    directory.value = [UInt8](value.utf8)
    let typed = value.utf8.map { "%" + String(UInt16($0) + 0x100, radix: 16).dropFirst() }.joined()
    let responses = [client.get("/places"), client.get("/places?typed=" + typed)]
    #expect(responses[0].status == responses[1].status, sourceLocation: sourceLocation)
    #expect(responses[0].body == responses[1].body, sourceLocation: sourceLocation)
    guard responses[0].status == .ok else {
      #expect(responses[0].status == .internalServerError, sourceLocation: sourceLocation)
      #expect(responses[0].body.contains("A bug: this page puts a value where none can stand"))
      #expect(!responses[0].body.contains("evil"))
      return nil
    }
    return String(responses[0].body.dropFirst(before.count).dropLast(after.count))
  }

  @Test(
    "In text, in a quoted attribute and in a comment a value is escaped",
    arguments: [
      "", "a", "<p>", "<p class=a>", "<p class=a >", "<p title=\"", "<p title='", "<p a b=c d = \"",
      "<!doctype html><title>", "<!-- ", "<!-- <a b=\"c --><p>", "<!----><p>", "<a href=/x>",
      "<a href=\"/\">", "<br/>", "<br />", "a < b ", "1<2 && 3", "<<b>", "</p>", "<p></p >",
      "<script>a < b</script>", "<script src=\"/a.js\"></script><p>", "<SCRIPT>'</Script\n>",
      "<style>p > a { color: \"<p title='\" }</style>", "<script>\"</scrip></b>\"</script><p>",
      "<p title='\"'>", "<p title=\"'>\" alt='", "<p title=\">", "<p title=\">\" alt='", "<a data-href=\"",
      "<a hrefs='",
      "<p\tclass\n=\r\"", "<p onx><b>", "<input value=\"a\"/><b>", "<p a=b=\"c\">", "<scripts>",
      "<title>a</title><textarea>", "<a href=\"javascript:x\">", "<p class=\"a\"title=\"",
    ])
  func text(before: String) {
    #expect(
      shown(before, "<a href=\"x\" title='y'>&javascript:", "z")
        == "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;javascript:")
  }

  @Test(
    "Where escaping keeps nothing apart a value is an error of the page",
    arguments: [
      "<", "</", "<p", "<p ", "<p class", "<p class ", "<p class=", "<p class= ", "<p class=a",
      "<p title=\"a\"", "<p title='a' ", "<p title=\"a\"b", "<p/", "<a href=", "<a href=/", "<!", "<?",
      "<!doctype ", "<script>", "<script>var a = \"", "<script async src='/a'>", "<SCRIPT\n>",
      "<style>", "<style type=\"text/css\">p { color: ", "<script></scrip>", "<script></style>",
      "<script><!-- </p>", "<p onclick=\"", "<p ONmouseover='f(", "<p style=\"color: ",
      "<iframe srcdoc='", "<p x on=\"", "<a href=\"javascript:", "<a href=' javascript:f(",
      "<a href=\"JavaScript:", "<img src=\"data:", "<form action='vbscript:", "<p a=b=\"c", "<a <",
    ])
  func forbidden(before: String) {
    for value in ["evil", "", " ", "onload=evil"] { #expect(shown(before, value) == nil, "\(value)") }
  }

  @Test(
    "A URL is a path, or of a scheme that runs nothing",
    arguments: [
      "<a href=\"", "<a HREF='", "<a class=x href = \"", "<img src=\"", "<form method=post action='",
      "<button formaction=\"", "<object data=\"", "<video poster=\"", "<use xlink:href=\"",
    ])
  func urls(before: String) {
    for url in [
      "/", "/a:b", "", "a/b:c", "?javascript:x", "#javascript:x", "//host/", "http://host/", "HTTPS://h",
      "mailto:a@b", "tel:123", "../x", "a b", "ä", "&", "\"", "javascript",
    ] {
      let escaped = url.replacing("&", with: "&amp;").replacing("\"", with: "&quot;")
      #expect(shown(before, url) == escaped, "\(url)")
    }
    for url in [
      "javascript:evil", "JAVASCRIPT:evil", " javascript:evil", "java\tscript:evil", "\u{1}javascript:evil",
      "java\nscript:evil", "vbscript:evil", "data:text/html,evil", "file:///", ":", "blob:x", "xhttp:x",
      "aaaaaaaahttp:evil", "javascript&colon;:evil", "ht tp:x", "http\u{0}:x",
    ] {
      #expect(shown(before, url, "\">") == "about:invalid#blocked", "\(url)")
    }
    // What stands before the value in the attribute decides with it.
    for start in ["/x?y=", "?", "#", "http://host/", "https:", "a/", "mailto:"] {
      #expect(shown(before + start, "javascript:x") == "javascript:x", "\(start)")
    }
    #expect(shown(before + "java", "script:evil") == "about:invalid#blocked")
    #expect(shown(before + "java", "script") == "script")
    #expect(shown(before + "http", "://host") == "://host")
  }

  @Test("A text that is no HTML has no markup, and a number may stand anywhere")
  func others() {
    let (client, directory) = makeClient()
    directory.before = [UInt8]("a<b c=".utf8)
    directory.value = [UInt8]("javascript:<".utf8)
    directory.mediaType = "text/plain"
    #expect(client.get("/places").body == "a<b c=javascript:&lt;")
    directory.mediaType = "text/html"
    #expect(client.get("/places").status == .internalServerError)
    directory.number = 7
    #expect(client.get("/numbers").body == "<p class=7><script>var a = 7</script>")
    #expect(client.get("/places?typed=").status == .internalServerError)
    directory.before = []
    #expect(client.get("/places").status == .ok, "the next page begins anew")
  }

  @Test("However a page is put together, a value stands where its octets stand")
  func pieces() {
    let (client, _) = makeClient()
    #expect(client.get("/parts").body == #"<a class="x" href="/x?&lt;&gt;" title="&lt;&gt;">&lt;&gt;</a>"#)
  }
}
