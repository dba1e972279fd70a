// Form tokens: which requests need one, and which tokens count.

import MartletTesting
import TestSupport
import Testing

@testable import Martlet

private struct TokenSite: FormTokenApplication, FormDataApplication, UploadApplication {
  enum Page: UInt8 { case form, send, json, free, login, logout, upload, again, closed }

  struct UploadState: BitwiseCopyable {}

  static func route(to page: Page) -> Route {
    switch page {
    case .form: .get("/", for: .everyone)
    case .send: .getAndPost("/send", for: .everyone)
    case .json: .put("/json", for: .everyone).taking(.json)
    case .free: .post("/free", for: .everyone)
    case .login: .post("/login", for: .everyone)
    case .logout: .post("/logout", for: .everyone)
    case .upload: .upload("/upload", for: .everyone)
    case .again: .post("/again", for: .loggedIn)
    case .closed: .post("/closed", for: .loggedIn)
    }
  }

  static func needsFormToken(_ page: Page) -> Bool {
    switch page {
    case .send, .json, .upload, .closed: true
    case .form, .free, .login, .logout, .again: false
    }
  }

  func user(_ id: UserID) -> Person? { Person(id: id, name: "susan") }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .form:
      response.cache(forSeconds: 60)
      let token = response.formToken()
      return response.html("<form>\(token)</form>\(token.text)")
    case .login:
      let name: Text<8> = request.form["name"]?.text() ?? "susan"
      return response.login(Person(id: .text(Text(name.span)!), name: "x"))
    case .logout: return response.logout(to: "/")
    case .again:
      response.renewLogin(Person(id: "susan", name: "x"))
      return response.noContent()
    case .upload: return response.receive(atMost: 100, into: UploadState())
    case .send, .json, .free, .closed: return response.plain("done")
    }
  }

  mutating func receive(
    _ octets: Span<UInt8>, for page: Page, _ request: borrowing Request<Self>, _ state: inout UploadState
  ) -> UploadStep { .more }

  mutating func finish(
    _ page: Page, _ request: borrowing Request<Self>, _ state: UploadState,
    _ response: consuming Response<Self>
  ) -> Answer { response.plain("done") }

  mutating func abandon(_ page: Page, _ request: borrowing Request<Self>, _ state: UploadState) {}
}

extension TestClient where A == TokenSite {
  /// The token of the form, as the page shows it.
  fileprivate func token() -> String {
    String(get("/").body.split(separator: "</form>")[1])
  }

  fileprivate func send(_ token: String, to target: String = "/send") -> Status {
    post(target, form: [("x", "1"), ("form-token", token)]).status
  }
}

@Suite struct FormTokenTests {
  private let client = TestClient(TokenSite())

  @Test("A form with the token of its session is taken, as often as it is sent")
  func taken() {
    let page = client.get("/")
    let token = client.token()
    #expect(page.body.contains("<input type=\"hidden\" name=\"form-token\" value=\"\(token)\">"))
    #expect(page.header("Cache-Control") == "no-store" && page.setCookies.count == 1)
    #expect(token.utf8.count == 22 && client.get("/").setCookies == [], "the token is kept")
    #expect(client.send(token) == .ok && client.send(token) == .ok)
    #expect(client.post("/send", headers: [("X-CSRF-Token", token)]).status == .ok)
    let json = ("Content-Type", "application/json")
    #expect(
      client.request("PUT", "/json", headers: [json, ("x-csrf-token", token)], content: [0x7B, 0x7D]).status
        == .ok)
    let parts = "--b\r\nContent-Disposition: form-data; name=\"form-token\"\r\n\r\n\(token)\r\n--b--\r\n"
    let type = ("Content-Type", "multipart/form-data; boundary=b")
    #expect(client.request("POST", "/send", headers: [type], content: [UInt8](parts.utf8)).status == .ok)
  }

  @Test("A form without the token, or with another value, is refused and the reason said")
  func refused() {
    let token = client.token()
    let wrong = [
      "", "x", String(token.dropLast()), token + "A", String(token.reversed()), token.uppercased(),
      String(repeating: "A", count: 22), String(repeating: "A", count: 2_000), token + "%00",
    ]
    for value in wrong where value != token { #expect(client.send(value) == .forbidden, "\(value)") }
    let answer = client.post("/send")
    #expect(answer.status == .forbidden && answer.body.contains("Load the page with the form again"))
    #expect(answer.setCookies == [], "the session stays")
    #expect(client.send(token) == .ok)
  }

  @Test("The token counts in the form or in the header only, and the header counts more")
  func places() {
    let token = client.token()
    #expect(client.post("/send?form-token=\(token)").status == .forbidden)
    #expect(client.post("/send", headers: [("Cookie", "form-token=\(token)")]).status == .forbidden)
    let form = [("form-token", token)]
    #expect(client.post("/send", form: form, headers: [("X-CSRF-Token", "x")]).status == .forbidden)
    #expect(client.post("/send", form: [("form-token", "x"), ("form-token", token)]).status == .forbidden)
  }

  @Test("The token of another session does not count, nor does any without a session")
  func otherSession() {
    let other = TestClient(TokenSite())
    let token = other.token()
    #expect(client.send(token) == .forbidden)
    let own = client.token()
    #expect(own != token && client.send(token) == .forbidden)
    client.cookies = CookieJar()
    #expect(client.send(own) == .forbidden && client.send("") == .forbidden)
  }

  @Test("A token ends with the login, and a login begins another")
  func logins() {
    let before = client.token()
    _ = client.post("/login")
    #expect(client.send(before) == .forbidden, "who knew the token before the login does not know it now")
    let during = client.token()
    #expect(during != before && client.send(during, to: "/closed") == .ok)
    _ = client.post("/again")
    #expect(client.send(during) == .forbidden)
    let renewed = client.token()
    _ = client.post("/logout")
    #expect(client.send(renewed) == .forbidden && client.send(renewed, to: "/closed") == .found)
    _ = client.post("/login")
    #expect(client.send(renewed) == .forbidden, "a token is not used again")
    _ = client.post("/login", form: [("name", "david")])
    #expect(client.send(renewed) == .forbidden)
  }

  @Test("Pages that do not ask, and methods that change nothing, need no token")
  func notAsked() {
    #expect(client.get("/send").status == .ok && client.post("/free").status == .ok)
  }

  @Test("An upload needs the token in the header")
  func upload() {
    let token = client.token()
    let form = [UInt8]("form-token=\(token)".utf8)
    #expect(client.request("POST", "/upload", content: form).status == .forbidden)
    let answer = client.request("POST", "/upload", headers: [("X-CSRF-Token", token)], content: form)
    #expect(answer.body == "done")
  }

  @Test("A token does not replace the check of the origin")
  func origin() {
    let token = client.token()
    let foreign = [("Origin", "https://evil.example"), ("X-CSRF-Token", token)]
    #expect(client.post("/send", headers: foreign).status == .forbidden)
  }
}
