// Security headers that one page changes, and Strict-Transport-Security.

import MartletTesting
import TestSupport
import Testing

@testable import Martlet

private struct PolicySite: PagePolicyApplication {
  enum Page: UInt8 { case index, script, framed, map, save, fails }

  static let text: StaticString = "alert('Hello, world.');"

  static func route(to page: Page) -> Route {
    switch page {
    case .index: .get("/", for: .everyone)
    case .script: .get("/script", for: .everyone)
    case .framed: .get("/framed", for: .everyone)
    case .map: .get("/map", for: .everyone)
    case .save: .post("/framed", for: .everyone)
    case .fails: .get("/fails", for: .everyone)
    }
  }

  static var headers: StaticString {
    "Content-Security-Policy: default-src 'none'\r\nPermissions-Policy: camera=()\r\nx-frame-options: DENY\r\n"
  }

  static func policy(of page: Page) -> PagePolicy {
    switch page {
    case .script: PagePolicy(inlineScript: text, inlineStyle: "p{}")
    case .framed, .save, .fails: PagePolicy(framedBy: "'self'", referrer: "no-referrer")
    case .map: PagePolicy(images: "'self' https://tile.example", framedBy: "*", directives: "font-src 'none'")
    case .index: .standard
    }
  }

  static var strictTransportSecurity: StaticString { "max-age=31536000" }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    if page == .fails { response.setHeader("X-Bad", ("\n" as StaticString).octets) }
    return response.html("<script>\(markup: Self.text)</script>")
  }
}

@Suite struct PagePolicyTests {
  private let client = TestClient(PolicySite())

  @Test("A page without a policy of its own has the application's headers")
  func standard() {
    for target in ["/", "/nowhere"] {
      let answer = client.get(target)
      #expect(answer.values(of: "Content-Security-Policy") == ["default-src 'none'"])
      #expect(answer.values(of: "X-Frame-Options") == ["DENY"])
    }
  }

  @Test("A page's policy replaces what it sets, and keeps the other lines")
  func replaced() {
    let refused = client.post("/framed", headers: [("Origin", "null")])
    for answer in [client.get("/framed"), client.get("/fails"), refused] {
      #expect(answer.values(of: "Content-Security-Policy").count == 1)
      #expect(answer.header("Content-Security-Policy")?.contains("frame-ancestors 'self'") == true)
      #expect(answer.values(of: "X-Frame-Options") == ["SAMEORIGIN"])
      #expect(answer.values(of: "Referrer-Policy") == ["no-referrer"])
      #expect(answer.values(of: "X-Content-Type-Options") == ["nosniff"])
      #expect(answer.values(of: "Permissions-Policy") == ["camera=()"])
    }
    let map = client.get("/map")
    #expect(map.values(of: "X-Frame-Options") == [], "no value of it says what the policy says")
    #expect(
      map.header("Content-Security-Policy")
        == "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        + "img-src 'self' https://tile.example; object-src 'none'; form-action 'self'; base-uri 'none'; "
        + "frame-ancestors *; font-src 'none'")
  }

  @Test("A script in the page is allowed by the hash of its text")
  func hash() {
    // The example of CSP level 3, section 8.3 and of its authors: printf "alert('Hello, world.');" | sha256.
    let policy = client.get("/script").header("Content-Security-Policy") ?? ""
    #expect(
      policy.contains("script-src 'self' 'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='; "),
      "\(policy)")
    #expect(policy.contains("style-src 'self' 'unsafe-inline' 'sha256-"))
  }

  @Test("Strict-Transport-Security is sent by https, also with errors, and never by http")
  func strictTransport() {
    let targets = ["/", "/framed", "/nowhere", "/fails"]
    for target in targets { #expect(client.get(target).header("Strict-Transport-Security") == nil) }
    for target in targets {
      let answer = client.get(target, headers: [("X-Forwarded-Proto", "http")])
      #expect(answer.header("Strict-Transport-Security") == nil)
    }
    var reach = Reach()
    reach.isHTTPS = true
    let secure = TestClient(PolicySite(), reach: reach)
    for target in targets {
      #expect(secure.get(target).values(of: "Strict-Transport-Security") == ["max-age=31536000"], "\(target)")
    }
    let misdirected = secure.request("POST", "/framed", headers: [("Host", "evil.example")])
    #expect(misdirected.status != .ok)
  }

  @Test("A trusted proxy says that a browser has come by https, and nobody else does")
  func proxy() {
    let said = [("X-Forwarded-Proto", "https")]
    client.peer = IPAddress(([UInt8]("127.0.0.1".utf8)).span)!
    #expect(client.get("/", headers: said).header("Strict-Transport-Security") == "max-age=31536000")
    client.peer = IPAddress(([UInt8]("192.0.2.1".utf8)).span)!
    #expect(client.get("/", headers: said).header("Strict-Transport-Security") == nil)
  }
}
