// Microdot's login example as a Martlet program: the same pages, users and cookies.

import Martlet

struct User: SessionUser {
  let id: UserID
  let username: StaticString
  let password: PasswordHash
}

struct Site: Application {
  // In a real program the users are in a file; see martlet-panel.
  let users: [2 of User] = [
    User(id: "user001", username: "susan", password: PasswordHash.decoy(iterations: 1)),
    User(id: "user002", username: "david", password: PasswordHash.decoy(iterations: 1)),
  ]

  enum Page: UInt8 { case index, login, fresh, logout }

  static func route(to page: Page) -> Route {
    switch page {
    case .index: .get("/", for: .loggedIn)
    case .login: .getAndPost("/login", for: .everyone)
    case .fresh: .get("/fresh", for: .freshLogin)
    case .logout: .post("/logout", for: .loggedIn)
    }
  }

  static var acceptsMicrodotTokens: Bool { true }

  func user(_ id: UserID) -> User? {
    for i in users.indices where users[i].id == id { return users[i] }
    return nil
  }

  func respond(
    to page: Page, _ request: borrowing Request<User>, _ response: consuming Response
  ) -> Answer {
    switch page {
    case .index:
      return response.html("x")
    case .login:
      return response.html("x")
    case .fresh:
      return response.html("x")
    case .logout:
      return response.logout(to: "/")
    }
  }
}

@main
enum LoginExample {
  static func main() {
    let options = Options(
      program: "login-example", listen: "127.0.0.1:5001", secret: "top-secret!")
    serve(Site(), options)
  }
}
