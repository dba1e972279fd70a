// The login example over TLS: the same pages, users and cookies. The certificate is made at the first start, in the
// directory ./https-data, or comes from --tls-certificate and --tls-key.

import Martlet

struct User: SessionUser {
  let id: UserID
  let username: StaticString
  let password: StaticString
}

struct Site: SessionApplication, TLSApplication {
  let users: [2 of User] = [
    User(
      id: "user001", username: "susan",
      password: """
        pbkdf2-hmac-sha256:6d6172746c65742d7375736172000001:10000:\
        a490a7858438832f9e19ae8b98e75fcdbb847c5047a55d95b065a36e905b603c
        """),
    User(
      id: "user002", username: "david",
      password: """
        pbkdf2-hmac-sha256:6d6172746c65742d6461766964000002:10000:\
        cd7271ea1ca4a1db4cf64d5acd11684c5e52a5ea7531411c0fd0301c04a698c6
        """),
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
    let users = users.span
    for i in users.indices where users[i].id == id { return users[i] }
    return nil
  }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .index:
      return response.html(
        """
        <!doctype html>
        <h1>Hello, \(request.user?.username)!</h1>
        <p><a href="/fresh">Click here</a> to access the fresh login page.</p>
        <form method="POST" action="/logout"><button type="submit">Logout</button></form>
        """)

    case .login:
      guard request.method == .post else {
        return response.html(
          """
          <!doctype html>
          <h1>Please Login</h1>
          <form method="POST">
            <p>Username<br><input name="username" autofocus></p>
            <p>Password:<br><input name="password" type="password"></p>
            <p><input name="remember_me" type="checkbox"> Remember me</p>
            <p><button type="submit">Login</button></p>
          </form>
          """)
      }
      let form = request.form
      for i in users.indices where form.field("username", equals: users[i].username) {
        guard let isRight = response.verify(form["password"], against: users[i].password) else {
          return response.later()
        }
        if isRight { return response.login(users[i], remember: Remember(form.has("remember_me"))) }
      }
      return response.redirectToLogin()

    case .fresh:
      return response.html(
        """
        <!doctype html>
        <h1>Hello, \(request.user?.username)!</h1>
        <p>This page requires a fresh login session.</p>
        <p><a href="/">Go back</a> to the main page.</p>
        """)

    case .logout:
      return response.logout(to: "/")
    }
  }
}

@main
enum HttpsExample {
  static func main() {
    var tls = TLSOptions(directory: "https-data")
    let options = Options(program: "https-example", listen: "127.0.0.1:5001", secret: "top-secret!", &tls)
    serve(Site(), options, tls)
  }
}
