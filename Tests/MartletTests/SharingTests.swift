// What other origins may do: reading, changing something, preflights, forms of other sites.

import MartletTesting
import TestSupport
import Testing

@testable import Martlet

private struct SharedSite: SessionApplication, CredentialsApplication, UploadApplication, FormDataApplication,
  CrossOriginApplication
{
  enum Page: UInt8 { case login, open, listed, mine, who, closed, form, upload, fails, token }

  struct UploadState: BitwiseCopyable {}

  static func route(to page: Page) -> Route {
    switch page {
    case .login: .getAndPost("/login", for: .everyone)
    case .open: .getAndPost("/open", for: .everyone)
    case .listed: .methods(.getAndPost.union(.put), "/listed", for: .everyone).taking(.any)
    case .mine: .getAndPost("/mine", for: .loggedIn)
    case .who: .getAndPost("/who", for: .everyone)
    case .closed: .getAndPost("/closed", for: .everyone)
    case .form: .post("/form", for: .everyone)
    case .upload: .upload("/upload", for: .everyone)
    case .fails: .get("/fails", for: .everyone)
    case .token: .getAndPost("/token", for: .loggedIn)
    }
  }

  static func sharing(of page: Page) -> Sharing {
    switch page {
    case .open: .anyOrigin(methods: .getAndPost)
    case .listed:
      .origins(
        "https://a.example http://a.example:8080", methods: .get.union(.put), headers: "Content-Type, X-Own",
        exposedHeaders: "X-Count", maxAgeSeconds: 60)
    case .mine: .origins("https://a.example", credentials: true, methods: .getAndPost)
    case .who, .form, .upload: .exemptFromOriginCheck
    case .fails: .anyOrigin()
    case .token: .anyOrigin(methods: .getAndPost, headers: "Authorization")
    case .login, .closed: .none
    }
  }

  func user(_ id: UserID) -> Person? { Person(id: id, name: "susan") }

  static var challenge: Challenge { .bearer(realm: "tests") }

  mutating func user(
    for credentials: borrowing Credentials, _ request: borrowing Request<Self>
  ) -> CredentialsCheck<Person> {
    credentials.isToken("a-token-of-32-octets-for-the-tests") || credentials.name.equals("susan")
      ? .user(Person(id: "user001", name: "susan")) : .wrong
  }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .login: return response.login(Person(id: "user001", name: "susan"), remember: .days(3))
    case .upload: return response.receive(atMost: 100, into: UploadState())
    case .fails:
      response.setHeader("X-Bad", ("\r\n" as StaticString).octets)
      return response.html("")
    case .listed where request.query["gone"] != nil: return response.refuse(.notFound, "It is gone.")
    default: return said(request, response)
    }
  }

  private func said(_ request: borrowing Request<Self>, _ response: consuming Response<Self>) -> Answer {
    let isKnown = request.user != nil
    let hasCookie = request.cookie("own") != nil
    let (yes, no): (StaticString, StaticString) = ("true", "false")
    return response.html("\(isKnown ? yes : no) \(hasCookie ? yes : no) \(request.form["x"])")
  }

  mutating func receive(
    _ octets: Span<UInt8>, for page: Page, _ request: borrowing Request<Self>, _ state: inout UploadState
  ) -> UploadStep { .more }

  mutating func finish(
    _ page: Page, _ request: borrowing Request<Self>, _ state: UploadState,
    _ response: consuming Response<Self>
  ) -> Answer { said(request, response) }

  mutating func abandon(_ page: Page, _ request: borrowing Request<Self>, _ state: UploadState) {}
}

extension TestResponse {
  fileprivate var origin: String? { header("Access-Control-Allow-Origin") }
  fileprivate var isSilent: Bool { headers.allSatisfy { !$0.name.hasPrefix("Access-Control") } }
}

private let foreign = ("Origin", "https://evil.example")
private let named = ("Origin", "https://a.example")
private let opaque = ("Origin", "null")

/// Spellings of an origin that is not `https://a.example`, although some look like it.
private let lookalikes = [
  "null", "", "https://A.example", "HTTPS://a.example", "https://a.example:443", "https://a.example:444",
  "http://a.example", "http://a.example:80", "https://a.example.evil.com",
  "https://evil.com/https://a.example",
  "https://user@a.example", "https://a.example@evil.com", "https://a.example/", "https://a.example.",
  "https://b.a.example", "https://xa.example", "https://a.exampl", "https://a.example http://a.example:8080",
  "https://a.example,https://evil.com", "*", "https://", "https://a.example%00", "https://a.example:8080",
]

@Suite struct SharingTests {
  private let client = TestClient(SharedSite())

  init() { client.host = "localhost:8080" }

  private func preflight(_ target: String, _ headers: (String, String)...) -> TestResponse {
    client.request("OPTIONS", target, headers: headers)
  }

  @Test("An origin that is not named, however it is spelled, gets no header and changes nothing")
  func lookalike() {
    for origin in lookalikes {
      let read = client.get("/listed", headers: [("Origin", origin)])
      #expect(read.isSilent && read.values(of: "Vary").contains("Origin"), "\(origin)")
      let changed = client.request("PUT", "/listed", headers: [("Origin", origin)])
      #expect(changed.status == .forbidden && changed.isSilent, "\(origin)")
      let asked = preflight("/listed", ("Origin", origin), ("Access-Control-Request-Method", "PUT"))
      #expect(asked.isSilent && asked.status == .ok, "\(origin)")
    }
  }

  @Test("A named origin is sent back, with Vary, also where the page refuses")
  func namedOrigin() {
    for origin in ["https://a.example", "http://a.example:8080"] {
      let read = client.get("/listed", headers: [("Origin", origin)])
      #expect(read.origin == origin && read.values(of: "Vary").contains("Origin"))
      #expect(read.header("Access-Control-Expose-Headers") == "X-Count")
      #expect(read.header("Access-Control-Allow-Credentials") == nil)
      #expect(client.request("PUT", "/listed", headers: [("Origin", origin)]).body == "false false ")
    }
    #expect(client.get("/listed").values(of: "Vary").contains("Origin"), "a cache must not mix the answers")
    #expect(client.get("/listed").origin == nil)
    let gone = client.get("/listed?gone", headers: [named])
    #expect(gone.status == .notFound && gone.origin == "https://a.example")
    let large = [UInt8](repeating: 0x61, count: Limits.requestContentSizeMax)
    let twice = client.request("PUT", "/listed", headers: [named, named], content: large)
    #expect(twice.status == .badRequest && twice.isSilent, "two origins are refused")
  }

  @Test("A method that is not shared is refused, and the reason may be read")
  func methodNotShared() {
    let changed = client.post("/listed", headers: [named])
    #expect(changed.status == .forbidden && changed.origin == "https://a.example")
    #expect(preflight("/listed", named, ("Access-Control-Request-Method", "POST")).isSilent)
    #expect(client.get("/closed", headers: [named]).isSilent)
    #expect(client.post("/closed", headers: [named]).status == .forbidden)
  }

  @Test("A preflight names the method, the headers and how long the answer counts")
  func preflightIsAnswered() {
    let answer = preflight(
      "/listed?x=1", named, ("Access-Control-Request-Method", "PUT"),
      ("Access-Control-Request-Headers", "x-evil"))
    #expect(answer.status == .noContent && answer.body.isEmpty)
    #expect(answer.origin == "https://a.example" && answer.values(of: "Vary") == ["Origin"])
    #expect(answer.values(of: "Access-Control-Allow-Methods") == ["PUT"])
    #expect(answer.values(of: "Access-Control-Allow-Headers") == ["Content-Type, X-Own"])
    #expect(answer.header("Access-Control-Max-Age") == "60")
    #expect(answer.header("Access-Control-Allow-Credentials") == nil && answer.setCookies == [])
    #expect(answer.header("Access-Control-Allow-Private-Network") == nil)
    #expect(answer.header("X-Content-Type-Options") == "nosniff")
    let short = preflight("/open", foreign, ("Access-Control-Request-Method", "POST"))
    #expect(short.origin == "*" && short.header("Access-Control-Max-Age") == nil)
    #expect(short.header("Access-Control-Allow-Headers") == nil)
  }

  @Test("A preflight of a page that needs a login is answered without the login")
  func preflightBeforeAccess() {
    let answer = preflight("/mine", named, ("Access-Control-Request-Method", "POST"))
    #expect(answer.status == .noContent && answer.header("Access-Control-Allow-Credentials") == "true")
  }

  @Test("What is no preflight, or asks for a method that is not there, is a plain OPTIONS")
  func noPreflight() {
    for method in ["DELETE", "put", "OPTIONS", "TRACE", "FLY", "", "GET, PUT", "*"] {
      let answer = preflight("/listed", named, ("Access-Control-Request-Method", method))
      #expect(answer.status == .ok && answer.isSilent && answer.header("Allow") != nil, "\(method)")
    }
    #expect(preflight("/listed", named).isSilent)
    #expect(preflight("/listed", ("Access-Control-Request-Method", "PUT")).isSilent)
    #expect(preflight("/nowhere", named, ("Access-Control-Request-Method", "GET")).status == .notFound)
    #expect(preflight("*", named, ("Access-Control-Request-Method", "GET")).isSilent)
    #expect(preflight("/open", opaque, ("Access-Control-Request-Method", "POST")).isSilent)
  }

  @Test("Any origin reads by *, never with credentials, and null changes nothing")
  func anyOrigin() {
    for headers in [[], [foreign], [opaque]] {
      let read = client.get("/open", headers: headers)
      #expect(read.origin == "*" && read.header("Access-Control-Allow-Credentials") == nil)
      #expect(!read.values(of: "Vary").contains("Origin"))
    }
    #expect(client.post("/open", headers: [foreign]).status == .ok)
    #expect(client.post("/open", headers: [opaque]).status == .forbidden)
    #expect(client.post("/open", headers: [foreign, ("Sec-Fetch-Site", "cross-site")]).status == .ok)
    #expect(client.post("/open", headers: [("Sec-Fetch-Site", "cross-site")]).status == .forbidden)
  }

  @Test("Cookies and Basic of another origin count with credentials only, and a token always")
  func credentials() {
    _ = client.post("/login")
    client.cookies.set("own", "1")
    #expect(client.post("/open", form: [("x", "1")]).body == "true true 1", "this site's own request")
    #expect(client.post("/open", form: [("x", "1")], headers: [foreign]).body == "false false 1")
    #expect(client.post("/who", headers: [foreign]).body == "false false ")
    #expect(client.post("/mine", headers: [named]).body == "true true ")
    let answer = client.get("/mine", headers: [named])
    #expect(answer.origin == "https://a.example")
    #expect(answer.header("Access-Control-Allow-Credentials") == "true")
    #expect(client.post("/mine", headers: [foreign]).status == .forbidden)
    let basic = ("Authorization", "Basic c3VzYW46eA==")
    let token = ("Authorization", "Bearer a-token-of-32-octets-for-the-tests")
    #expect(client.post("/token", headers: [basic]).status == .ok)
    #expect(client.post("/token", headers: [foreign, basic]).status == .unauthorized)
    #expect(client.post("/token", headers: [foreign, token]).body == "true false ")
    #expect(client.post("/mine", headers: [named, basic]).status == .ok)
  }

  @Test("A remember cookie of another origin restores no login")
  func remembered() {
    _ = client.post("/login")
    client.cookies.endBrowserSession()
    let answer = client.post("/token", headers: [foreign])
    #expect(answer.status == .unauthorized && answer.origin == "*" && answer.setCookies == [])
    #expect(client.post("/token").status == .ok)
  }

  @Test("A script reads 401 where a browser is sent to the login page")
  func unauthorized() {
    let answer = client.get("/mine", headers: [named, ("Accept", "*/*")])
    #expect(answer.status == .unauthorized && answer.origin == "https://a.example")
    #expect(client.get("/mine", headers: [("Accept", "text/html")]).location == "/login?next=/mine")
  }

  @Test("A page that is exempt takes forms of any site, and lets no script read")
  func exempt() {
    for origin in [foreign, opaque, ("Sec-Fetch-Site", "cross-site")] {
      let answer = client.post("/who", form: [("x", "paid")], headers: [origin])
      #expect(answer.body == "false false paid" && answer.isSilent)
    }
    #expect(preflight("/who", foreign, ("Access-Control-Request-Method", "POST")).isSilent)
    let parts = [UInt8]("--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n--b--\r\n".utf8)
    let type = ("Content-Type", "multipart/form-data; boundary=b")
    #expect(client.request("POST", "/form", headers: [foreign, type], content: parts).status == .ok)
    #expect(client.request("POST", "/closed", headers: [foreign, type], content: parts).status == .forbidden)
  }

  @Test("The cookies of another site's upload do not count when the upload ends")
  func upload() {
    _ = client.post("/login")
    client.cookies.set("own", "1")
    #expect(client.request("POST", "/upload", content: [1]).body == "true true ")
    #expect(client.request("POST", "/upload", headers: [foreign], content: [1]).body == "false false ")
  }

  @Test("An error page in place of a page that fails may be read as well")
  func failed() {
    let answer = client.get("/fails", headers: [foreign])
    #expect(answer.status == .internalServerError && answer.origin == "*")
    #expect(answer.values(of: "X-Content-Type-Options") == ["nosniff"])
  }
}

@Suite struct SharingFaultTests {
  private func fault(_ sharing: Sharing, needsCookie: Bool = false) -> Bool {
    sharing.fault(.getAndPost, needsCookie: needsCookie) != nil
  }

  @Test("An origin as browsers write it may be named")
  func origins() {
    for origin: StaticString in [
      "https://a.example", "http://localhost:5001", "https://a.example  http://192.168.1.2:8080",
      "http://[fe80::1]:8080", "http://[::1]", "chrome-extension://abcdef", "app+x://localhost",
      "http://a:443",
    ] { #expect(!fault(.origins(origin)), "\(origin)") }
  }

  @Test("Whatever is no origin does not start")
  func noOrigins() {
    for origin: StaticString in [
      "*", "", "  ", "null", "a.example", "//a.example", "https://", "https:/a.example", "://a",
      "https://a.example/",
      "https://a.example/x", "https://A.example", "HTTPS://a.example", "https://*.example",
      "https://u@a.example",
      "https://a.example:", "https://a.example:443", "http://a.example:80", "https://a.example:70000",
      "https://a.example:x", "https://a.example https://b.example/", "https://a.example,https://b.example",
      "http://[::1", "https://a.example?x", "h[://a", "https://a//b", "https://:80", "https://ä.example",
    ] { #expect(fault(.origins(origin)), "\(origin)") }
  }

  @Test("Headers are names, and * does not stand beside credentials")
  func headers() {
    #expect(!fault(.anyOrigin(headers: "Content-Type, X-Own", exposedHeaders: "*")))
    #expect(!fault(.anyOrigin(headers: "*")))
    #expect(fault(.anyOrigin(headers: "Content Type")))
    #expect(fault(.anyOrigin(exposedHeaders: "X-Own\r\nX")))
    #expect(fault(.origins("https://a.example", credentials: true, headers: "*")))
    #expect(fault(.origins("https://a.example", credentials: true, exposedHeaders: "X, *")))
  }

  @Test("A page for logins by cookie is neither exempt nor shared without credentials")
  func cookies() {
    #expect(fault(.exemptFromOriginCheck, needsCookie: true))
    #expect(fault(.anyOrigin(), needsCookie: true))
    #expect(!fault(.origins("https://a.example", credentials: true), needsCookie: true))
    #expect(!fault(.none, needsCookie: true) && !fault(.exemptFromOriginCheck))
    #expect(fault(.anyOrigin(methods: .delete)), "a method that the page does not answer")
    #expect(SharedSite.sharingFault() == nil)
    #expect(FaultySite.sharingFault()?.page == 1)
  }
}

private struct FaultySite: SessionApplication, CrossOriginApplication {
  enum Page: UInt8 { case index, hook }

  static func route(to page: Page) -> Route {
    page == .index ? .get("/", for: .everyone) : .post("/hook", for: .loggedIn)
  }

  static func sharing(of page: Page) -> Sharing { page == .hook ? .exemptFromOriginCheck : .none }

  func user(_ id: UserID) -> Person? { nil }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer { response.noContent() }
}
