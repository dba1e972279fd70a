// The site of the tests: the pages of Microdot's login example, and one for each thing that a page
// can do.

import Martlet
import MartletTesting
import TestSupport

struct Person: SessionUser {
  let id: UserID
  let name: StaticString
  var epoch: Int64 = 0
}

/// What a test changes while the site is running.
final class Directory {
  var people: [Person] = [
    Person(id: "user001", name: "susan"), Person(id: "user002", name: "david"),
    Person(id: 0, name: "root"),
  ]
  /// Octets that `/values` shows.
  var value: [UInt8] = []
  var number = 0
  /// For how long `/login` remembers; `nil`: as the form says.
  var remember: Remember?
  /// What pages have been answered for: `page user fresh`.
  var log: [String] = []
  /// What `/members` is to do with the session.
  var change: (inout Session) -> Void = { _ in }
  var members: [String] = []
  /// What `/places` shows a value between.
  var before: [UInt8] = []
  var after: [UInt8] = []
  var mediaType: StaticString = "text/html; charset=utf-8"
}

protocol Policy {
  static var acceptsMicrodot: Bool { get }
  static var isSecure: Bool { get }
  static var limits: SessionLimits? { get }
}
extension Policy {
  static var limits: SessionLimits? { nil }
}
/// Sessions end after a day unused and after a week.
enum Limited: Policy {
  static let acceptsMicrodot = false
  static let isSecure = false
  static var limits: SessionLimits? {
    SessionLimits(unused: .seconds(86_400), inAll: .seconds(7 * 86_400))
  }
}
enum Strict: Policy {
  static let acceptsMicrodot = false
  static let isSecure = false
}
enum Lenient: Policy {
  static let acceptsMicrodot = true
  static let isSecure = false
}
enum Secure: Policy {
  static let acceptsMicrodot = false
  static let isSecure = true
}

struct Site<P: Policy>: FileApplication, SessionApplication {
  let directory: Directory

  enum Page: UInt8, CaseIterable {
    case index, login, fresh, logout, recent, members, values, long, asset, overflow, many, form
    case folderLogout, refused, epoch, empty, fields, redirect, folder, status, busy, whence
    case cached, privatelyCached, figures, places, numbers, parts
  }

  static func route(to page: Page) -> Route {
    switch page {
    case .index: .get("/", for: .loggedIn)
    case .login: .getAndPost("/login", for: .everyone)
    case .fresh: .get("/fresh", for: .freshLogin)
    case .logout: .post("/logout", for: .loggedIn)
    case .recent: .get("/recent", for: .freshLogin(within: .minutes(5)))
    case .members: .getAndPost("/members", for: .everyone)
    case .values: .get("/values", for: .everyone)
    case .long: .get("/long", for: .everyone)
    case .asset: .get("/style.css", for: .everyone)
    case .overflow: .get("/overflow", for: .everyone)
    case .many: .get("/many", for: .everyone)
    case .form: .post("/form", for: .everyone)
    case .folderLogout: .post("/admin/logout", for: .everyone)
    case .refused: .get("/refused", for: .everyone)
    case .epoch: .post("/epoch", for: .freshLogin)
    case .empty: .get("/empty", for: .everyone)
    case .fields: .get("/fields", for: .everyone)
    case .redirect: .get("/redirect", for: .everyone)
    case .folder: .get("/a b/c", for: .loggedIn)
    case .status: .get("/status", for: .everyone)
    case .busy: .get("/busy", for: .everyone)
    case .whence: .get("/whence", for: .everyone)
    case .cached: .get("/cached", for: .everyone)
    case .privatelyCached: .get("/cached/own", for: .loggedIn)
    case .figures: .get("/figures", for: .loggedIn).forPrograms()
    case .places: .get("/places", for: .everyone)
    case .numbers: .get("/numbers", for: .everyone)
    case .parts: .get("/parts", for: .everyone)
    }
  }

  static var acceptsMicrodotTokens: Bool { P.acceptsMicrodot }
  static var usesHTTPS: Bool { P.isSecure }
  static var hosts: StaticString { "panel.example *.wild.example h" }
  static var skipsLogin: Bool { P.isSecure }
  static var cookieNames: CookieNames { .microdot }
  static var sessionLimits: SessionLimits? { P.limits }

  func user(_ id: UserID) -> Person? { directory.people.first { $0.id == id } }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    let value = directory.value
    directory.log.append("\(page) \(request.user?.name.description ?? "-") \(request.isFresh)")
    switch page {
    case .index, .fresh, .recent, .folder:
      return response.html("<h1>Hello, \(request.user?.name)!</h1>")
    case .login:
      guard request.method == .post else { return response.html("<h1>Please Login</h1>") }
      let form = request.form
      for person in directory.people where form.field("username", equals: person.name) {
        guard form.field("password", equals: "hello") else { break }
        return response.login(
          person, remember: directory.remember ?? Remember(form.has("remember_me")))
      }
      return response.redirectToLogin()
    case .logout, .folderLogout:
      return response.logout(to: "/")
    case .members:
      directory.change(&response.session)
      return response.html("changed")
    case .values:
      return response.html("[\(value.span)|\(directory.number)|\(Int.min)|\(UInt64.max)]")
    case .long:
      var body = response.body()
      for i in 0..<20 { body.write("<p>\(i)</p>") }
      return body.end()
    case .asset:
      response.cache(forSeconds: 3_600)
      return response.asset("text/css; charset=utf-8", "p { color: red }")
    case .overflow:
      response.session.set("count", integer: 1)
      var body = response.body()
      for _ in 0..<20 { body.write("\(value.span)") }
      return body.end()
    case .many:
      return response.html(
        """
        \(1)a\(2)a\(3)a\(4)a\(5)a\(6)a\(7)a\(8)a\(9)a\(10)a\(11)a\(12)a\(13)a\(14)a\(15)a\(16)a\
        \(17)a\(18)a\(19)a\(20)a\(21)a\(22)a\(23)a\(24)a\(25)a
        """)
    case .form:
      let form = request.form
      guard let text = form["text"] else { return response.html(.badRequest, "no text") }
      return response.html("[\(text)] \(request.time)")
    case .refused:
      return response.refuse(.conflict, "This cannot be now.")
    case .epoch:
      let index = directory.people.firstIndex { $0.id == request.user?.id }!
      directory.people[index].epoch += 1
      response.renewLogin(directory.people[index])
      return response.redirect("/")
    case .redirect where request.query.has("literal"):
      let literal: StaticString = "a<b"
      return response.html("\(literal)")
    case .empty:
      let nothing: StaticString? = nil
      let text: Text<8>? = nil
      let name: Text<8> = "a&b"
      return response.html("[\(nothing)\(text)\(name)\(name as Text<8>?)\(markup: "<br>")]")
    case .fields:
      response.setHeader("X-Own", "yes")
      guard let agent = request.headers.value(of: "User-Agent") else { return response.html("none") }
      return response.html("\(agent)")
    case .redirect:
      return response.redirect("/elsewhere")
    case .status:
      return response.html(.created, "made")
    case .cached, .privatelyCached:
      response.session.set("seen", boolean: true)
      response.cache(forSeconds: 60)
      if request.query.has("missing") { return response.refuse(.notFound, "There is no such sheet.") }
      if request.query.has("busy") {
        return response.refuse(.serviceUnavailable, "Later.", retryAfter: 5)
      }
      if request.query.has("elsewhere") { return response.redirect("/elsewhere") }
      if request.query.has("broken") { return response.html(.internalServerError, "broken") }
      if request.query.has("file") {
        return response.file("text/plain", at: ("/nonexistent/file" as StaticString).octets)
      }
      return response.html(request.query.has("created") ? .created : .ok, "kept")
    case .figures:
      return response.html("figures")
    case .numbers:
      return response.html(
        "<p class=\(directory.number)><script>var a = \(directory.number)</script>")
    case .parts:
      let text: Text<8> = "<>"
      let kind: StaticString = "x"
      var body = response.body()
      body.write("<a class=")
      body.write("\"\(kind)\" href=\"/x?")
      body.write("\(text)\" title=\"\(text)\(markup: "\"")")
      body.write(">\(text)</a>")
      return body.end()
    case .places:
      let (before, after) = (directory.before, directory.after)
      var body = response.body(mediaType: directory.mediaType)
      body.write(octets: before.span)
      if let typed = request.query["typed"] {
        body.write("\(typed)")
      } else {
        body.write("\(value.span)")
      }
      body.write(octets: after.span)
      return body.end()
    case .busy:
      return response.refuse(.tooManyRequests, "Later.", retryAfter: 40)
    case .whence:
      let client = request.client()
      return response.html("\(client.address.low) \(client.isShared ? "shared" : "its own")")
    }
  }
}

typealias Client<P: Policy> = TestClient<Site<P>>

let secret = "top-secret!"

func makeClient<P: Policy>(_ policy: P.Type = Strict.self) -> (Client<P>, Directory) {
  let directory = Directory()
  return (TestClient(Site<P>(directory: directory), secret: secret), directory)
}

extension TestClient {
  /// Logs in with the right password.
  @discardableResult
  func logIn(
    _ name: String = "susan", remember: Bool = false, at target: String = "/login"
  ) -> TestResponse {
    var form = [("username", name), ("password", "hello")]
    if remember { form.append(("remember_me", "on")) }
    return post(target, form: form)
  }

  /// The claims of a cookie, decoded and not verified.
  func claims(_ cookie: String) -> String? { cookies[cookie].flatMap(payload) }

  /// Puts a token into the jar that is rightly signed.
  func sign(_ cookie: String, _ payload: String, secret: String = secret) {
    cookies.set(cookie, token(payload, secret: secret), path: "/")
  }
}

/// The payload of a token.
func payload(_ token: String) -> String? {
  let parts = token.split(separator: ".")
  guard parts.count == 3 else { return nil }
  var octets = [UInt8](repeating: 0, count: 4_096)
  var target = octets.mutableSpan
  guard let count = Base64URL.decode([UInt8](parts[1].utf8).span, into: &target) else { return nil }
  return String(decoding: octets.prefix(count), as: UTF8.self)
}

/// The token of a payload that may be anything.
func token(_ payload: String, secret: String = secret) -> String {
  written {
    JWS.sign([UInt8](payload.utf8).span, with: HMACKey([UInt8](secret.utf8).span), to: &$0)
  }
}
