// What a page can say besides its content: headers, cookies, redirections, errors.

import MartletTesting
import Testing

@testable import Martlet

private func octets(_ text: String) -> [UInt8] { [UInt8](text.utf8) }

/// A page that says by which scheme and for which host it is asked.
private struct SchemeSite: Application {
  enum Page: UInt8 { case index }

  static func route(to page: Page) -> Route { .getAndPost("/", for: .everyone) }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    let scheme: StaticString = request.isHTTPS ? "https" : "http"
    return response.plain("\(scheme)://\(request.headers.value(of: "Host"))")
  }
}

/// The same, without a page that changes something.
private struct ShownSchemeSite: Application {
  enum Page: UInt8 { case index }

  static func route(to page: Page) -> Route { .get("/", for: .everyone) }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    let scheme: StaticString = request.isHTTPS ? "https" : "http"
    return response.plain("\(scheme)")
  }
}

@Suite struct AnswerTests {
  @Test("A header has a value from anywhere, and one that would begin another header is a 500")
  func headers() {
    let good = response { _, given in
      var response = given
      response.setHeader("X-Literal", "a b")
      response.setHeader("X-Value", octets("Süsan\t1").span)
      response.setHeader("X-Number", -5)
      return response.plain("x")
    }
    #expect(good.header("X-Literal") == "a b" && good.header("X-Number") == "-5")
    #expect(good.header("X-Value") == "Süsan\t1")
    for value in ["a\r\nX-Evil: 1", "a\n", "a\0b", "\u{7F}"] {
      let bad = response { _, given in
        var response = given
        response.setHeader("X-Before", "1")
        response.setHeader("X-Value", octets(value).span)
        return response.plain("x")
      }
      #expect(bad.status == .internalServerError)
      #expect(bad.header("X-Evil") == nil && bad.header("X-Before") == nil, "nothing of it is sent")
      #expect(bad.body.contains("A bug"))
    }
  }

  @Test("An answer has the status and the headers that the page says, also where it has no content")
  func statusAndHeaders() {
    let full = response { _, given in
      var response = given
      response.setHeader("X-Test", "Foo")
      return response.plain(.accepted, "foo")
    }
    #expect(full.status == .accepted && full.header("X-Test") == "Foo" && full.body == "foo")
    let empty = response { _, given in
      var response = given
      response.setHeader("X-Foo", "Bar")
      return response.plain("")
    }
    #expect(empty.status == .ok && empty.header("X-Foo") == "Bar" && empty.body.isEmpty)
    #expect(empty.header("Content-Length") == "0")
    #expect(empty.header("Content-Type") == "text/plain; charset=utf-8")
  }

  @Test("A page knows the scheme and the host that the browser has asked for")
  func schemeAndHost() {
    var reach = Reach()
    for isHTTPS in [false, true] {
      reach.isHTTPS = isHTTPS
      let client = TestClient(SchemeSite(), secret: "", reach: reach)
      client.host = "foo.example"
      #expect(client.get("/").body == (isHTTPS ? "https://foo.example" : "http://foo.example"))
      let shown = TestClient(ShownSchemeSite(), secret: "", reach: reach)
      #expect(shown.get("/").body == (isHTTPS ? "https" : "http"))
    }
  }

  @Test("A header that the library writes cannot be set twice")
  func ownHeaders() {
    for name in ["Content-Length", "content-type", "Set-Cookie", "Location", "Connection", "Date"]
      as [StaticString]
    {
      let bad = response { _, given in
        var response = given
        response.setHeader(name, "1")
        return response.plain("x")
      }
      #expect(bad.status == .internalServerError, "\(name)")
    }
  }

  @Test("A cookie has all attributes, and a value that no cookie can have is a 500")
  func cookies() {
    let good = response { _, given in
      var response = given
      response.setCookie("theme", octets("dark").span, forSeconds: 60)
      response.setCookie("seen", octets("").span, isReadByScripts: true, sameSite: .strict)
      response.setCookie("other", octets("1").span, sameSite: .none)
      response.deleteCookie("old")
      response.cache(forSeconds: 60)
      return response.plain("x")
    }
    #expect(
      good.setCookies == [
        "theme=dark; Path=/; Max-Age=60; HttpOnly; SameSite=Lax",
        "seen=; Path=/; SameSite=Strict",
        "other=1; Path=/; Secure; HttpOnly; SameSite=None",
        "old=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
      ])
    #expect(good.header("Cache-Control") == "no-store", "no cache gives a cookie to somebody else")
    for value in ["a;b", "a b", "a\r\nX: 1", "\"", "a,b", "ü", "\\"] {
      let bad = response { _, given in
        var response = given
        response.setCookie("theme", octets(value).span)
        return response.plain("x")
      }
      #expect(bad.status == .internalServerError && bad.setCookies == [], "\(value)")
    }
  }

  @Test("A cookie of the application's own is read by its name")
  func readCookie() {
    let client = TestClient(
      TextSite { request, response in
        response.plain(
          "\(request.cookie("theme")) \(request.cookie("none") == nil ? "-" : "?" as StaticString)")
      }, secret: "")
    #expect(client.get("/", headers: [("Cookie", "a=b; theme=dark; theme=light")]).body == "dark -")
    #expect(client.get("/").body == " -")
  }

  @Test("A value in a redirection is percent-encoded: it can neither leave its place nor name another site")
  func redirect() {
    for (value, encoded) in [
      ("a b", "a%20b"), ("//evil.example", "%2F%2Fevil.example"), ("a\r\nX: 1", "a%0D%0AX%3A%201"),
      ("ü?#&", "%C3%BC%3F%23%26"), ("%2e%2e", "%252e%252e"), ("-._~", "-._~"),
    ] {
      let answer = response { _, response in
        response.redirect("/items/\(octets(value).span)?n=\(-7)", .seeOther)
      }
      #expect(answer.location == "/items/\(encoded)?n=-7")
      #expect(answer.status == .seeOther && answer.body == "")
    }
    #expect(
      response { _, response in response.redirect("https://example.org/") }.location == "https://example.org/"
    )
  }

  @Test("An error says why, with values escaped; a reason that is too long is left out")
  func refusals() {
    let answer = response { _, response in response.refuse(.notFound, "No item \(octets("<b>").span) here.") }
    #expect(answer.status == .notFound && answer.body.contains("<p>No item &lt;b&gt; here.</p>"))
    let long = String(repeating: "x", count: 600)
    let cut = response { _, response in response.refuse(.conflict, "No \(octets(long).span)") }
    #expect(cut.status == .conflict && !cut.body.contains("xxx"))
    let wait = response { _, response in response.refuse(.tooManyRequests, "Slowly.", retryAfter: 7) }
    #expect(wait.header("Retry-After") == "7")
  }

  @Test("Nothing to say is 204 without content")
  func noContent() {
    let answer = response { _, response in response.noContent() }
    #expect(answer.status == .noContent && answer.body == "")
  }
}
