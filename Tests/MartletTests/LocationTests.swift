// Where answers lead, and where what they are about lies.

import MartletTesting
import TestSupport
import Testing

@testable import Martlet

/// A part that says where it is mounted.
private struct Echo: Part {
  enum Page: UInt8 { case all }

  static func route(to page: Page) -> Route { .getAndPost("/<path:rest>", for: .everyone) }

  func respond<Site: Application & ~Copyable>(
    _ request: borrowing Request<Site>, _ response: consuming Response<Site>
  ) -> Answer {
    if request.method == .post {
      return response.redirect("\(request.mount)/\("a/b" as StaticString)", .seeOther)
    }
    return response.html("<a href=\"\(request.mount)/x\">[\(request.mount)]</a>")
  }
}

private struct MountSite: MountingApplication {
  enum Page: UInt8 { case one, two, here }

  static func route(to page: Page) -> Route {
    switch page {
    case .one: .mount("/one", for: .everyone)
    case .two: .mount("/two's/&", for: .everyone)
    case .here: .get("/here", for: .everyone)
    }
  }

  static func route(number: UInt8, of mount: Page) -> Route? {
    mount == .here ? nil : Echo.route(number: number)
  }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .one, .two: Echo().respond(request, response)
    case .here: response.html("[\(request.mount)]")
    }
  }
}

@Suite("Locations")
struct LocationTests {
  @Test("A location goes with an answer of any status, and is no part of the content")
  func setLocation() {
    let made = response { _, response in
      var response = response
      let id = 5
      response.setLocation("/items/\(id)")
      return response.json(.created, "{\"id\":\(id)}")
    }
    #expect(made.status == .created && made.header("Location") == "/items/5")
    #expect(made.body == "{\"id\":5}" && made.header("Content-Length") == "8")
    let empty = response { _, response in
      var response = response
      response.setLocation("/a b")
      return response.noContent()
    }
    #expect(empty.status == .noContent && empty.header("Location") == "/a%20b" && empty.body == "")
  }

  @Test("Values behind a location are checked as at the start of the page")
  func markup() {
    let page = response { _, response in
      var response = response
      response.setLocation("/<script>")
      return response.html("<p>\("<b>" as StaticString)")
    }
    #expect(page.status == .ok && page.body == "<p>&lt;b&gt;")
  }

  @Test("A second location makes the answer a 500")
  func twice() {
    let twice = response { _, response in
      var response = response
      response.setLocation("/a")
      response.setLocation("/b")
      return response.html("")
    }
    #expect(twice.status == .internalServerError && twice.header("Location") == nil)
    let redirected = response { _, response in
      var response = response
      response.setLocation("/a")
      return response.redirect("/b")
    }
    #expect(redirected.status == .internalServerError && redirected.header("Location") == nil)
  }

  @Test("A part knows its mount as the request spells it; another page has none")
  func mount() {
    let client = TestClient(MountSite(), secret: "")
    #expect(client.get("/one/x").body == "<a href=\"/one/x\">[/one]</a>")
    #expect(client.get("/%6Fne/x").body == "<a href=\"/%6Fne/x\">[/%6Fne]</a>")
    #expect(client.get("/two's/&/x").body == "<a href=\"/two&#39;s/&amp;/x\">[/two&#39;s/&amp;]</a>")
    #expect(client.get("/here").body == "[]")
    #expect(client.post("/one/x", form: []).header("Location") == "/one/a%2Fb")
  }

  @Test("A part says itself that it has no such page, whatever the request brings")
  func nowhere() {
    let client = TestClient(MountSite(), secret: "")
    for type in ["application/json", "text/plain", "application/x-www-form-urlencoded"] {
      let answer = client.request("POST", "/one", headers: [("Content-Type", type)], content: [1])
      #expect(answer.status == .seeOther, "\(type)")
    }
  }

  @Test("What was typed is shown, or nothing where the form has no such field")
  func absentValue() {
    let page = response(query: "a=%3Cb%3E") { request, response in
      response.html("[\(request.query["a"])\(request.query["b"])]")
    }
    #expect(page.body == "[&lt;b&gt;]")
  }
}
