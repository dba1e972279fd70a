// A password in the Authorization header, and another one in the form of the same request.

import MartletTesting
import TestSupport
import Testing

@testable import Martlet

/// The hash of `hello`.
private let susan = PasswordHash(
  stringLiteral: """
    pbkdf2-hmac-sha256:6d6172746c65742d7375736172000001:10000:\
    a490a7858438832f9e19ae8b98e75fcdbb847c5047a55d95b065a36e905b603c
    """)

/// Pages that ask users who send a password with each request for a password once more.
private struct TwiceSite: CredentialsApplication, ~Copyable {
  enum Page: UInt8 { case own, others, counted, changed }

  var throttle = Throttle()
  let other: PasswordHash

  static func route(to page: Page) -> Route {
    switch page {
    case .own: .post("/own", for: .loggedIn)
    case .others: .post("/others", for: .loggedIn)
    case .counted: .post("/counted", for: .loggedIn)
    case .changed: .post("/changed", for: .loggedIn)
    }
  }

  static var challenge: Challenge { .basic(realm: "twice") }

  mutating func user(
    for credentials: borrowing Credentials, _ request: borrowing Request<Self>
  ) -> CredentialsCheck<Person> {
    credentials.check(
      for: Person(id: "user001", name: "susan"), against: susan, from: request.client(), &throttle)
  }

  mutating func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    let form = request.form
    switch page {
    case .own, .others:
      switch response.verify(form["password"], against: page == .own ? susan : other) {
      case nil: return response.later()
      case true?: return response.plain("right")
      case false?: return response.plain("wrong")
      }
    case .counted:
      switch response.checkPassword(
        form["password"], of: octets("susan").span, against: susan, from: request.client(), &throttle)
      {
      case .later: return response.later()
      case .wait: return response.plain("wait")
      case .right: return response.plain("right")
      case .wrong: return response.plain("wrong")
      }
    case .changed:
      do {
        let new = try response.hash(octets("a new password").span, iterations: 1_000)
        return new == nil ? response.later() : response.plain("changed")
      } catch {
        return response.plain("refused")
      }
    }
  }
}

private func octets(_ text: String) -> [UInt8] { [UInt8](text.utf8) }

@Suite struct CredentialsWorkTests {
  private let client: TestClient<TwiceSite>

  init() throws {
    let other = try #require(try? PasswordHash.make(octets("another").span, iterations: 1_000))
    client = TestClient(TwiceSite(other: other), secret: "")
  }

  private func post(_ target: String, password: String, _ basic: String = "c3VzYW46aGVsbG8=") -> TestResponse
  {
    client.post(target, form: [("password", password)], headers: [("Authorization", "Basic " + basic)])
  }

  @Test(
    "What is typed in a form counts, whatever password the request has brought",
    arguments: ["/own", "/counted"])
  func typed(target: String) {
    #expect(post(target, password: "hello").body == "right")
    #expect(post(target, password: "wrong").body == "wrong")
    #expect(post(target, password: "hello").body == "right")
    #expect(post(target, password: "hello", "c3VzYW46d3Jvbmc=").status == .unauthorized)
  }

  @Test("A page may compare with another hash than that of the user")
  func others() {
    #expect(post("/others", password: "another").body == "right")
    #expect(post("/others", password: "hello").body == "wrong")
  }

  @Test("A page may hash a new password")
  func changed() { #expect(post("/changed", password: "").body == "changed") }
}
