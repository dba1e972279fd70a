// Tokens for some pages of a site with sessions: a header that is ignored, wrong tokens that are counted.

import MartletTesting
import TestSupport
import Testing

@testable import Martlet

private struct MixedSite: SessionApplication, CredentialsApplication, ~Copyable {
  enum Page: UInt8 { case index, login, figures }

  var throttle = Throttle()

  static func route(to page: Page) -> Route {
    switch page {
    case .index: .get("/", for: .loggedIn)
    case .login: .post("/login", for: .everyone)
    case .figures: .get("/figures", for: .loggedIn).forPrograms()
    }
  }

  static var challenge: Challenge { .bearer(realm: "mixed") }
  static var acceptsPasswords: Bool { false }

  func user(_ id: UserID) -> Person? { id == "user001" ? Person(id: "user001", name: "susan") : nil }

  mutating func user(
    for credentials: borrowing Credentials, _ request: borrowing Request<Self>
  ) -> CredentialsCheck<Person> {
    guard request.isForPrograms, credentials.token != nil else { return .ignored }
    if credentials.isToken("the-token-of-a-program") { return .user(Person(id: "program", name: "program")) }
    return credentials.countWrongToken(of: "a token", &throttle)
  }

  mutating func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .login: response.login(Person(id: "user001", name: "susan"))
    case .index, .figures: response.plain("\(request.user?.name)")
    }
  }
}

@Suite struct TokenCredentialsTests {
  private let client = TestClient(MixedSite(), secret: "a secret of the tests")

  private func get(_ target: String, _ authorization: String) -> TestResponse {
    client.get(target, headers: [("Authorization", authorization)])
  }

  @Test("A header that is ignored is as if it were not there, without a session and with one")
  func ignored() {
    #expect(get("/", "Bearer the-token-of-a-program").status == .found)
    #expect(get("/figures", "Basic c3VzYW46aGVsbG8=").status == .unauthorized)
    #expect(client.post("/login").status == .found)
    #expect(get("/", "Bearer the-token-of-a-program").body == "susan")
    #expect(get("/figures", "Basic c3VzYW46aGVsbG8=").body == "susan")
    #expect(get("/figures", "Bearer the-token-of-a-program").body == "program")
    #expect(
      get("/figures", "Bearer wrong").status == .unauthorized, "what is checked counts more than a session")
  }

  @Test(
    "Without passwords, whatever is no Bearer and a token is ignored, on every page",
    arguments: [
      "Basic c3VzYW46aGVsbG8=", "Basic ====", "Basic /w==", "Basic", "Bearer", "Bearer a b", "Digest x", "x",
    ])
  func noPasswords(_ authorization: String) {
    #expect(get("/", authorization).status == .found)
    #expect(get("/figures", authorization).status == .unauthorized)
    #expect(client.post("/login").status == .found)
    #expect(get("/", authorization).body == "susan" && get("/figures", authorization).body == "susan")
  }

  @Test("Wrong tokens wait after ten, from wherever they come, and a right one does not")
  func counted() {
    for i in 0..<10 {
      let fields = [("Authorization", "Bearer wrong"), ("X-Forwarded-For", "192.0.2.\(i)")]
      #expect(client.get("/figures", headers: fields).status == .unauthorized)
    }
    let waits = get("/figures", "Bearer wrong")
    #expect(waits.status == .tooManyRequests && waits.header("Retry-After") == "1")
    #expect(get("/figures", "Bearer the-token-of-a-program").body == "program")
    #expect(client.post("/login").status == .found)
  }
}
