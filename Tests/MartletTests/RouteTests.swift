// Paths with parameters, methods, content types, and parts.

import MartletTesting
import Testing

@testable import Martlet

extension PathParameter<Int> {
  fileprivate static var id: Self { "id" }
}

extension PathParameter<Text<16>> {
  fileprivate static var name: Self { "name" }
}

extension PathParameter<Color> {
  fileprivate static var color: Self { "c" }
}

/// A type of the application's own.
private enum Color: String, PathParameterValue {
  case red, green

  init?(_ value: borrowing PathValue) {
    if value.equals("red") { self = .red } else if value.equals("green") { self = .green } else { return nil }
  }
}

/// A part with a page that anybody may see and one for those who are logged in.
private struct Shop: Part {
  enum Page: UInt8 { case list, item, secret }

  static func route(to page: Page) -> Route {
    switch page {
    case .list: .getAndPost("/", for: .everyone)
    case .item: .get("/<int:id>", for: .everyone)
    case .secret: .get("/secret", for: .loggedIn)
    }
  }

  func respond<Site: Application & ~Copyable>(
    _ request: borrowing Request<Site>, _ response: consuming Response<Site>
  ) -> Answer {
    guard let page = request.page(of: Shop.self) else { return response.refuse(.notFound, "No such ware.") }
    switch page {
    case .list: return response.plain("list \(request.form.has("a") ? "a" : "-")")
    case .item: return response.plain("item \(request[.id])")
    case .secret: return response.plain("secret")
    }
  }
}

private struct RouteSite: SessionApplication, MountingApplication {
  enum Page: UInt8 {
    case item, hello, rest, color, json, text, any, small, thing, shop, closedShop, login
  }

  static func route(to page: Page) -> Route {
    switch page {
    case .item:
      .methods(.get.union(.put).union(.patch).union(.delete).union(.query), "/items/<int:id>", for: .everyone)
        .taking(.any)
    case .hello: .get("/hello/<name>", for: .everyone)
    case .rest: .get("/files/<int:id>/<path:rest>", for: .everyone)
    case .color: .get("/color/<color:c>", for: .everyone)
    case .json: .post("/json", for: .everyone).taking(.json)
    case .text: .put("/text", for: .everyone).taking(.text)
    case .any: .patch("/any", for: .everyone).taking(.any)
    case .small: .post("/small", for: .everyone).taking(.form, atMost: 5)
    case .thing: .delete("/thing", for: .loggedIn)
    case .shop: .mount("/shop", for: .everyone)
    case .closedShop: .mount("/closed/shop", for: .loggedIn)
    case .login: .getAndPost("/login", for: .everyone)
    }
  }

  static func route(number: UInt8, of mount: Page) -> Route? {
    switch mount {
    case .shop, .closedShop: Shop.route(number: number)
    default: nil
    }
  }

  static func isType(_ type: Span<UInt8>) -> Bool { type.equals("color") }
  static func accepts(_ value: Span<UInt8>, ofType type: Span<UInt8>) -> Bool {
    value.equals("red") || value.equals("green")
  }

  func user(_ id: UserID) -> Person? { Person(id: id, name: "susan") }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .item: response.plain("\(request.method.name) \(request[.id])")
    case .hello: response.html("Hello, \(request[.name])!")
    case .rest: response.plain("\(request[.id]) \(request.parameter(named: "rest")?.encoded)")
    case .color: response.plain("\(request[.color] == .red ? "red" : "green")")
    case .json: response.plain("json \(request.content)")
    case .text, .any, .small, .thing: response.plain("\(request.content)")
    case .shop, .closedShop: Shop().respond(request, response)
    case .login: response.login(Person(id: "user001", name: "susan"))
    }
  }
}

/// Two pages at one path.
private struct TwoPagesSite: Application {
  enum Page: UInt8 { case shown, sent }

  static func route(to page: Page) -> Route {
    switch page {
    case .shown: .get("/", for: .everyone)
    case .sent: .post("/", for: .everyone)
    }
  }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .shown: response.plain("shown \(request.form.has("a"))")
    case .sent: response.plain("sent \(request.form.has("a"))")
    }
  }
}

@Suite struct RouteTests {
  private let client = TestClient(RouteSite(), secret: secret)

  private func send(_ method: String, _ target: String, type: String? = nil, _ content: String = "")
    -> TestResponse
  {
    client.request(
      method, target, headers: type.map { [("Content-Type", $0)] } ?? [], content: [UInt8](content.utf8))
  }

  @Test("A parameter is read with its type, and what is not of the type is 404")
  func parameters() {
    #expect(client.get("/items/5").body == "GET 5")
    #expect(client.get("/items/-12").body == "GET -12")
    #expect(client.get("/items/%35").body == "GET 5")
    for target in ["/items/", "/items/x", "/items/5x", "/items/9999999999999999999", "/items/5/", "/items"] {
      #expect(client.get(target).status != .ok, "\(target)")
    }
    #expect(client.get("/items/x").status == .notFound)
    #expect(client.get("/hello/S%C3%BCsan").body == "Hello, Süsan!")
    #expect(client.get("/hello/%3Cb%3E").body == "Hello, &lt;b&gt;!", "a value is escaped")
    #expect(client.get("/hello/%FF").status == .notFound)
    #expect(client.get("/hello/a%00b").status != .ok)
    #expect(client.get("/hello/0123456789abcdefXYZ").body == "Hello, 0123456789abcdef!")
    #expect(client.get("/files/7/a/b%2Fc").body == "7 a/b%2Fc")
    #expect(client.get("/files/7/..").status != .ok)
    #expect(client.get("/files/7/a/%2e%2e/b").status != .ok)
  }

  @Test("A type of the application's own decides which values match")
  func ownType() {
    #expect(client.get("/color/red").body == "red")
    #expect(client.get("/color/green").body == "green")
    #expect(client.get("/color/blue").status == .notFound)
  }

  @Test("A parameter that the page's path does not have, or of another type, stops the program")
  func wrongKey() async {
    await #expect(processExitsWith: .failure) {
      _ = response { request, response in response.plain("\(request[.id])") }
    }
  }

  @Test("Each method reaches its page, and OPTIONS and 405 name them")
  func methods() {
    for method in ["GET", "PUT", "PATCH", "DELETE", "QUERY"] {
      #expect(send(method, "/items/5").body == "\(method) 5")
    }
    #expect(send("POST", "/items/5").status == .methodNotAllowed)
    #expect(
      send("OPTIONS", "/items/5").header("Allow") == "GET, HEAD, PUT, PATCH, DELETE, QUERY, OPTIONS")
    #expect(send("HEAD", "/items/5").header("Content-Length") == "5")
  }

  @Test("Pages at one path are told apart by the method; a request without content has an empty form")
  func twoPages() {
    let client = TestClient(TwoPagesSite(), secret: "")
    #expect(client.get("/").body == "shown false")
    #expect(client.post("/").body == "sent false")
    #expect(client.post("/", form: [("a", "1")]).body == "sent true")
    #expect(client.request("POST", "/").body == "sent false", "no type and no content")
    for method in ["PUT", "OPTIONS"] {
      #expect(client.request(method, "/").header("Allow") == "GET, HEAD, POST, OPTIONS")
    }
  }

  @Test(
    "A method that may change something is never exempt from the check of its origin",
    arguments: [
      "PUT", "PATCH", "DELETE",
    ])
  func origin(_ method: String) {
    let refused = client.request(method, "/items/5", headers: [("Origin", "http://evil.example")])
    #expect(refused.status == .forbidden)
    #expect(
      client.request(method, "/items/5", headers: [("Sec-Fetch-Site", "cross-site")]).status == .forbidden)
    #expect(client.request(method, "/items/5", headers: [("Origin", "http://localhost")]).status == .ok)
    client.host = "evil.example"
    #expect(client.request(method, "/items/5").status == .misdirectedRequest)
  }

  @Test("A page gets the content that its route takes, and 415 refuses other types")
  func contentTypes() {
    #expect(send("POST", "/json", type: "application/json; charset=utf-8", "{}").body == "json {}")
    #expect(send("POST", "/json", type: "application/problem+JSON", "{}").body == "json {}")
    for type in [
      "text/plain", "application/x-www-form-urlencoded", "application/jsonx", "+", "",
      "text/plain, application/a+json", "application/json, application/json",
    ] {
      #expect(send("POST", "/json", type: type, "{}").status == .unsupportedMediaType, "\(type)")
    }
    #expect(send("POST", "/json", "{}").status == .unsupportedMediaType, "no type at all")
    #expect(send("PUT", "/text", type: "text/plain", "hello").body == "hello")
    #expect(send("PUT", "/text", type: "text/html", "hello").status == .unsupportedMediaType)
    #expect(send("PATCH", "/any", type: "image/png", "hello").body == "hello")
    #expect(send("PATCH", "/any", "hello").body == "hello")
  }

  @Test("A route says how much content its page takes")
  func contentSize() {
    #expect(client.post("/small", form: [("a", "123")]).body == "a=123")
    #expect(client.post("/small", form: [("a", "1234")]).status == .contentTooLarge)
  }

  @Test("A part answers below each of its mounts, with its own page for what it does not have")
  func parts() {
    #expect(client.get("/shop").body == "list -")
    #expect(client.post("/shop", form: [("a", "1")]).body == "list a")
    #expect(client.get("/shop/12").body == "item 12")
    #expect(client.get("/shop/12?x").body == "item 12")
    let missing = client.get("/shop/x")
    #expect(missing.status == .notFound && missing.body.contains("No such ware."))
    #expect(client.get("/shopping").status == .notFound)
    #expect(!client.get("/shopping").body.contains("ware"))
    #expect(send("DELETE", "/shop/12").status == .methodNotAllowed)
    #expect(send("OPTIONS", "/shop").header("Allow") == "GET, HEAD, POST, OPTIONS")
    #expect(client.get("/shop/").location == "/shop", "another spelling leads to the path")
  }

  @Test("A part cannot loosen the access rule of its mount, but it can tighten the rule")
  func partAccess() {
    #expect(client.get("/closed/shop").location == "/login?next=/closed/shop")
    #expect(
      client.get("/closed/shop/x").location == "/login", "a path that no page has is nowhere to come back to")
    #expect(client.get("/shop/secret").location == "/login?next=/shop/secret")
    _ = client.post("/login")
    #expect(client.get("/closed/shop").body == "list -")
    #expect(client.get("/closed/shop/7").body == "item 7")
    #expect(client.get("/shop/secret").body == "secret")
    #expect(client.request("POST", "/closed/shop", headers: [("Origin", "http://evil")]).status == .forbidden)
  }

  @Test("DELETE of a page that asks for a login is not answered without one")
  func deniedDelete() {
    #expect(send("DELETE", "/thing").status == .found)
    _ = client.post("/login")
    #expect(send("DELETE", "/thing").status == .ok)
  }
}
