// What the cookies are called, and for whom the names hold.

import TestSupport
import Testing

@testable import Martlet

@Suite struct CookieNamesTests {
  private func name(_ names: CookieNames, _ cookie: OwnCookie, port: UInt16) -> String {
    written { names.write(cookie, port: port, to: &$0) }
  }

  @Test("A name for one port has the port in it, and Microdot's names are Microdot's")
  func names() {
    let own = CookieNames.perPort("panel")
    #expect(name(own, .session, port: 8080) == "panel-8080")
    #expect(name(own, .remember, port: 65_535) == "panel-65535-remember")
    #expect(name(.microdot, .session, port: 8080) == "session")
    #expect(name(.microdot, .remember, port: 8080) == "_remember")
    let longest: CookieName = "abcdefghijklmnopqrstuvwxyz012345"
    #expect(name(.perPort(longest), .remember, port: 65_535).utf8.count == 47)
  }

  @Test("An application without Microdot's tokens has names of its own")
  func standard() {
    #expect(name(ClosedPort.cookieNames, .session, port: 1) == "martlet-1")
    #expect(name(Site<Lenient>.cookieNames, .session, port: 1) == "session")
  }
}

private struct ClosedPort: SessionApplication {
  enum Page: UInt8 { case index }
  static func route(to page: Page) -> Route { .get("/", for: .everyone) }
  func user(_ id: UserID) -> Person? { nil }
  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer { response.html("open") }
}
