// People with a password (Basic) and programs with a token (Bearer) on one site. Roles decide who may enter a
// page. After too many wrong passwords the next attempt has to wait.
//
//     curl localhost:5000/whoami -u susan:hello
//     curl localhost:5000/whoami -H 'Authorization: Bearer 5f1dd0f6a3ff4ee08d6c8fd24d7b9e02'

import Martlet

extension Roles {
  static var administrators: Roles { .role(0) }
}

struct User: SessionUser {
  let id: UserID
  let name: StaticString
  let password: PasswordHash
  let token: StaticString
  let roles: Roles
}

struct Site: CredentialsApplication, ~Copyable {
  let users: [2 of User] = [
    User(
      id: "user001", name: "susan",
      password: """
        pbkdf2-hmac-sha256:6d6172746c65742d7375736172000001:10000:\
        a490a7858438832f9e19ae8b98e75fcdbb847c5047a55d95b065a36e905b603c
        """,
      token: "5f1dd0f6a3ff4ee08d6c8fd24d7b9e02", roles: .administrators),
    User(
      id: "user002", name: "david",
      password: """
        pbkdf2-hmac-sha256:6d6172746c65742d6461766964000002:10000:\
        cd7271ea1ca4a1db4cf64d5acd11684c5e52a5ea7531411c0fd0301c04a698c6
        """,
      token: "0a4b4d8c9e1f4c6e9b3d7a52c8f0e6b1", roles: .none),
  ]
  var throttle = Throttle()

  enum Page: UInt8 { case index, admin, whoami }

  static func route(to page: Page) -> Route {
    switch page {
    case .index: .get("/", for: .loggedIn)
    case .admin: .get("/admin", for: .loggedIn(as: .administrators))
    case .whoami: .get("/whoami", for: .loggedIn).forPrograms()
    }
  }

  static var challenge: Challenge { .basicOrBearer(realm: "auth-example") }

  mutating func user(
    for credentials: borrowing Credentials, _ request: borrowing Request<Self>
  ) -> CredentialsCheck<User> {
    var named: User?
    for i in users.indices {
      if credentials.isToken(users[i].token) { return .user(users[i]) }
      if credentials.name.equals(users[i].name) { named = users[i] }
    }
    return credentials.check(
      for: named, against: named?.password ?? .decoy(iterations: 10_000), from: request.client(), &throttle)
  }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .index:
      response.html(
        """
        <!doctype html>
        <h1>Hello, \(request.user?.name)!</h1>
        <p><a href="/admin">For administrators</a></p>
        """)
    case .admin:
      response.html("<!doctype html>\n<h1>\(request.user?.name) may do everything.</h1>\n")
    case .whoami:
      response.json("{\"name\":\(request.user?.name)}\n")
    }
  }
}

@main
enum AuthExample {
  static func main() {
    serve(Site(), Options(program: "auth-example", listen: "127.0.0.1:5000"))
  }
}
