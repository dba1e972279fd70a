// The site that connections talk to: a page for each thing that a page can do, and nothing kept
// between requests but how often a connection has asked for the slow one.

import Martlet

struct Person: SessionUser {
  let id: UserID
  let name: StaticString
}

struct Site: SessionApplication {
  private let susan = Person(id: "user001", name: "susan")
  private let root = Person(id: 0, name: "root")
  /// How often each connection has asked for `/slow` since its last answer.
  private var turns = [64 of Int](repeating: 0)

  enum Page: UInt8 { case index, login, fresh, logout, form, session, big, slow, style }

  static func route(to page: Page) -> Route {
    switch page {
    case .index: .get("/", for: .loggedIn)
    case .login: .getAndPost("/login", for: .everyone)
    case .fresh: .get("/fresh", for: .freshLogin(within: .minutes(5)))
    case .logout: .post("/logout", for: .loggedIn)
    case .form: .getAndPost("/form", for: .everyone)
    case .session: .getAndPost("/session", for: .everyone)
    case .big: .get("/big", for: .everyone)
    case .slow: .getAndPost("/slow", for: .everyone)
    case .style: .get("/style.css", for: .everyone)
    }
  }

  static var acceptsMicrodotTokens: Bool { true }
  static var hosts: StaticString { "h" }

  func user(_ id: UserID) -> Person? {
    if id == susan.id { return susan }
    return id == root.id ? root : nil
  }

  mutating func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .index, .fresh:
      return response.html("<h1>Hello, \(request.user?.name)!</h1>")
    case .login:
      guard request.method == .post else { return response.html("<h1>Please Login</h1>") }
      let form = request.form
      for person in [susan, root] where form.field("username", equals: person.name) {
        return response.login(person, remember: Remember(form.has("remember_me")))
      }
      return response.redirectToLogin()
    case .logout:
      return response.logout(to: "/")
    case .form:
      var body = response.body()
      var query = request.query
      while let field = query.next() { body.write("\(field.name)=\(field.value)\n") }
      var form = request.form
      while let field = form.next() { body.write("\(field.name)=\(field.value)\n") }
      var fields = request.headers
      while let field = fields.next() { body.write("\(field.name): \(field.value)\n") }
      return body.end()
    case .session:
      if let text: Text<255> = request.query["text"]?.text() {
        response.session.set("text", text: text.span)
      }
      if request.query.has("count") {
        let count = response.session.integer(of: "count") ?? 0
        response.session.set("count", integer: count &+ 1)
      }
      if request.query.has("remove") { response.session.remove("text") }
      let text: Text<64>? = response.session.text(of: "text")
      return response.html("[\(text)]")
    case .big:
      var body = response.body()
      for i in 0..<30 {
        body.write(
          """
          \(i): This page is long, so that it is sent in several pieces to whoever takes little. \
          It holds a response buffer until its last octet is gone; there are two of them, and a \
          third who asks must wait. Nothing in it depends on the time, on other connections, or on \
          how the request came, because the same octets in other pieces must have the same answer. \
          That is all that it has to say, and it says it thirty times, each time with its number.\n
          """)
      }
      return body.end()
    case .slow:
      let connection = Int(request.connection % 64)
      turns[connection] += 1
      guard turns[connection] > 3 else { return response.later() }
      turns[connection] = 0
      return response.html("at last")
    case .style:
      response.cache(forSeconds: 60)
      return response.asset("text/css", "p { color: red }")
    }
  }
}
