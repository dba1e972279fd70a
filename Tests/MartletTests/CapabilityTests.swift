// Credentials and roles, calls around pages, error pages, log lines.

import MartletTesting
import TestSupport
import Testing

@testable import Martlet

private struct Member: SessionUser {
  let id: UserID
  var roles: Roles
}

extension Roles {
  fileprivate static var readers: Roles { .role(0) }
  fileprivate static var owners: Roles { .role(15) }
}

/// What a test learns.
private final class Notes {
  var log: [String] = []
}

private struct GuardedSite: CredentialsApplication, ~Copyable {
  enum Page: UInt8 { case open, closed, owners, both, fresh }

  var throttle = Throttle()

  static func route(to page: Page) -> Route {
    switch page {
    case .open: .get("/", for: .everyone)
    case .closed: .getAndPost("/closed", for: .loggedIn)
    case .owners: .get("/owners", for: .loggedIn(as: .owners))
    case .both: .get("/both", for: .loggedIn(as: .owners | .readers))
    case .fresh: .get("/fresh", for: .freshLogin(within: .minutes(5)))
    }
  }

  static var challenge: Challenge { .basic(realm: "the box") }

  mutating func user(
    for credentials: borrowing Credentials, _ request: borrowing Request<Self>
  ) -> CredentialsCheck<Member> {
    if credentials.isToken(octets("owner-token").span) { return .user(Member(id: 1, roles: .owners)) }
    if credentials.isToken(octets("reader-token").span) { return .user(Member(id: 2, roles: .readers)) }
    guard let password = credentials.password else { return .wrong }
    return credentials.name.equals("susan") && password.equals("hello:world")
      ? .user(Member(id: 3, roles: .none)) : .wrong
  }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    guard case .integer(let id)? = request.user?.id else { return response.plain("nobody") }
    return response.plain("\(id)")
  }
}

private func octets(_ text: String) -> [UInt8] { [UInt8](text.utf8) }

@Suite struct CredentialsTests {
  private let client = TestClient(GuardedSite(), secret: "")

  private func get(_ target: String, _ authorization: String...) -> TestResponse {
    client.get(target, headers: authorization.map { ("Authorization", $0) })
  }

  @Test("Credentials let a user in, and without good ones the challenge is sent")
  func credentials() {
    #expect(get("/").body == "nobody")
    let asked = get("/closed")
    #expect(asked.status == .unauthorized)
    #expect(asked.header("WWW-Authenticate") == "Basic realm=\"the box\", charset=\"UTF-8\"")
    #expect(get("/closed", "Basic c3VzYW46aGVsbG86d29ybGQ=").body == "3")
    #expect(get("/closed", "basic  c3VzYW46aGVsbG86d29ybGQ=").body == "3")
    #expect(get("/closed", "Bearer owner-token").body == "1")
    for wrong in [
      "Basic c3VzYW46aGVsbG8=", "Basic ====", "Basic c3VzYW4=", "Bearer owner-token2", "Bearer", "Bearer a b",
      "Bearer ", "Basic",
    ] {
      #expect(get("/closed", wrong).status == .unauthorized, "\(wrong)")
    }
    #expect(get("/", "Bearer wrong").status == .unauthorized, "wrong credentials are told on every page")
    #expect(get("/", "Negotiate abc").body == "nobody", "another scheme says nothing here")
    #expect(get("/closed", "Bearer owner-token", "Bearer owner-token").status == .badRequest)
  }

  @Test("A page for everyone knows who has brought good credentials, and wrong ones are refused there too")
  func optional() {
    #expect(get("/").body == "nobody")
    #expect(get("/", "Basic c3VzYW46aGVsbG86d29ybGQ=").body == "3")
    #expect(get("/", "Bearer owner-token").body == "1")
    #expect(get("/", "Basic c3VzYW46aGVsbG8=").status == .unauthorized)
    #expect(get("/", "Bearer reader").status == .unauthorized)
  }

  @Test("A password that comes with each request is a fresh one")
  func fresh() { #expect(get("/fresh", "Bearer reader-token").body == "2") }

  @Test("A page that asks for a role is closed to users without it")
  func roles() {
    #expect(get("/owners", "Bearer owner-token").body == "1")
    #expect(get("/owners", "Bearer reader-token").status == .forbidden)
    #expect(get("/owners", "Basic c3VzYW46aGVsbG86d29ybGQ=").status == .forbidden)
    #expect(get("/owners").status == .unauthorized)
    #expect(get("/both", "Bearer owner-token").body == "1" && get("/both", "Bearer reader-token").body == "2")
  }

  @Test("A browser that sends its credentials by itself cannot be made to change something by another site")
  func crossOrigin() {
    let headers = [("Authorization", "Bearer owner-token"), ("Origin", "http://evil.example")]
    #expect(client.post("/closed", headers: headers).status == .forbidden)
  }
}

/// A site whose programs bring their token in a header of its own.
private struct HeaderTokenSite: HookedApplication {
  enum Page: UInt8 { case figures }

  static func route(to page: Page) -> Route { .get("/", for: .everyone).forPrograms() }

  func before(
    _ page: Page, _ request: borrowing Request<Self>, _ response: inout Response<Self>
  ) -> Verdict {
    let right: StaticString = "owner-token"
    guard let token = request.headers.value(of: "X-Auth-Token"), constantTimeEquals(token, right.octets)
    else { return .refuse(.forbidden, "Send the token in X-Auth-Token.") }
    return .proceed
  }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer { response.plain("figures") }
}

/// Pages that say what happens around them.
private struct HookedSite: HookedApplication, ErrorPageApplication, SessionApplication {
  enum Page: UInt8 { case open, refused, elsewhere, closed, broken, own, login, figures }
  let notes: Notes

  static func route(to page: Page) -> Route {
    switch page {
    case .open: .get("/", for: .everyone)
    case .refused: .get("/refused", for: .everyone)
    case .elsewhere: .get("/elsewhere", for: .everyone)
    case .closed: .get("/closed", for: .freshLogin)
    case .broken: .get("/broken", for: .everyone)
    case .own: .get("/own", for: .everyone)
    case .login: .getAndPost("/login", for: .everyone).taking(.form, atMost: 1_000)
    case .figures: .get("/figures", for: .everyone).forPrograms()
    }
  }

  func user(_ id: UserID) -> Person? { Person(id: id, name: "susan") }

  func before(
    _ page: Page, _ request: borrowing Request<Self>, _ response: inout Response<Self>
  ) -> Verdict {
    notes.log.append("before \(page)")
    response.setHeader("X-Before", "1")
    switch page {
    case .refused: return .refuse(.conflict, "Not now.")
    case .elsewhere: return .redirect("/")
    default: return .proceed
    }
  }

  func after(_ page: Page?, _ request: borrowing Request<Self>, _ status: Status) {
    notes.log.append("after \(page.map { "\($0)" } ?? "-") \(status.code)")
  }

  func errorPage(
    _ error: borrowing ErrorPage, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    if error.status == .gone { return response.redirect("/") }
    return response.html(error.status, "<h1 class=\"own\">\(error.status.code)</h1><p>\(error.reason)</p>")
  }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .broken: response.html("<p \(request.path)>")
    case .own: response.refuse(.conflict, "It is \(request.path) & <b>so</b>.")
    case .figures: response.refuse(.gone, "Say \"no\" to \(request.path).")
    default: response.html("page")
    }
  }
}

@Suite struct HookTests {
  private let notes: Notes
  private let client: TestClient<HookedSite>

  init() {
    notes = Notes()
    client = TestClient(HookedSite(notes: notes), secret: secret)
  }

  @Test("A call before each page may answer instead, and its headers stay")
  func before() {
    let page = client.get("/")
    #expect(page.body == "page" && page.header("X-Before") == "1")
    let refused = client.get("/refused")
    #expect(refused.status == .conflict && refused.body.contains("Not now."))
    #expect(client.get("/elsewhere").location == "/")
    #expect(
      notes.log == [
        "before open", "after open 200", "before refused", "after refused 409", "before elsewhere",
        "after elsewhere 302",
      ])
  }

  @Test("A call after each page knows of errors too, and no page is asked that may not be entered")
  func after() {
    _ = client.get("/nowhere")
    _ = client.get("/closed")
    _ = client.post("/")
    _ = client.get("/broken")
    #expect(
      notes.log == ["after - 404", "after closed 302", "after - 405", "before broken", "after broken 500"])
  }

  @Test("Error pages are the application's own, whoever refuses")
  func errorPages() {
    for (target, status) in [("/nowhere", 404), ("/refused", 409), ("/broken", 500), ("/own", 409)] {
      let page = client.get(target)
      #expect(Int(page.status.code) == status)
      #expect(page.body.hasPrefix("<h1 class=\"own\">\(status)</h1><p>"), "\(target)")
      #expect(page.header("Content-Type") == "text/html; charset=utf-8")
    }
    #expect(client.get("/own").body.contains("<p>It is /own & <b>so</b>.</p>"))
    #expect(client.request("PUT", "/").body.contains("\"own\">405"))
    let large = client.post("/login", form: [("x", String(repeating: "x", count: 1_000))])
    #expect(large.status == .contentTooLarge && large.body.hasPrefix("<h1 class=\"own\">413</h1>"))
  }

  @Test("A token in a header of the application's own lets in, and nothing else does")
  func headerToken() {
    let client = TestClient(HeaderTokenSite(), secret: "")
    func get(_ headers: (String, String)...) -> TestResponse { client.get("/", headers: headers) }
    #expect(get(("X-Auth-Token", "owner-token")).body == "figures")
    #expect(get(("x-auth-token", "owner-token")).body == "figures")
    for (name, value) in [
      ("X-Auth-Token", "owner-toke"), ("X-Auth-Token", "owner-tokem"), ("X-Auth-Token", ""),
      ("X-Token-Auth", "owner-token"), ("X-Auth-Token", "Bearer owner-token"),
      ("Authorization", "Bearer owner-token"), ("Authorization", "owner-token"),
    ] {
      let refused = get((name, value))
      #expect(refused.status == .forbidden, "\(name): \(value)")
      #expect(refused.header("Content-Type") == "application/problem+json")
    }
  }

  @Test("An error page says once that no cache may keep it, whoever refuses and whoever asks")
  func errorPagesAreStoredNowhere() {
    for target in ["/nowhere", "/refused", "/broken", "/own", "/closed", "/figures"] {
      for accept in ["text/html", "application/json"] {
        let page = client.get(target, headers: [("Accept", accept)])
        #expect(page.values(of: "Cache-Control") == ["no-store"], "\(target) \(accept)")
        #expect(page.values(of: "Content-Type").count <= 1, "\(target) \(accept)")
      }
    }
  }

  @Test("A program gets problem details, and an error page that is an error itself the library's")
  func problemDetails() {
    let program = client.get("/own", headers: [("Accept", "application/json")])
    #expect(program.header("Content-Type") == "application/problem+json")
    #expect(
      program.body == #"{"title":"Conflict","status":409,"detail":"It is /own & <b>so</b>."}"# + "\n")
    let figures = client.get("/figures", headers: [("Accept", "*/*")])
    #expect(figures.body == #"{"title":"Gone","status":410,"detail":"Say \"no\" to /figures."}"# + "\n")
    let person = client.get("/figures", headers: [("Accept", "text/html")])
    #expect(person.status == .gone && person.body.contains("<title>410 Gone</title>"))
  }

  @Test("A method that no page for programs has is refused with problem details")
  func methodsOfPrograms() {
    let problem = "application/problem+json"
    #expect(client.request("PUT", "/figures", headers: [("Accept", "*/*")]).header("Content-Type") == problem)
    let person = client.request("PUT", "/figures", headers: [("Accept", "text/html")])
    #expect(person.status == .methodNotAllowed && person.body.contains("\"own\">405"))
    #expect(client.request("PUT", "/", headers: [("Accept", "*/*")]).body.contains("\"own\">405"))
  }
}
