// The site that connections talk to: a page for each thing that a page can do. Between requests the site keeps
// how often a connection has asked for a slow page, and how many uploads and streams have begun and not ended.

import Martlet

struct Person: SessionUser {
  let id: UserID
  let name: StaticString
}

/// What a site has begun and not ended: at rest there is nothing of it.
final class Ledger {
  var uploadCount = 0
  var streamCount = 0
}

extension PathParameter<Int> {
  static var id: Self { "id" }
}

extension PathParameter<Text<32>> {
  static var name: Self { "name" }
  static var color: Self { "color" }
}

extension PathParameter<Text<64>> {
  static var rest: Self { "rest" }
}

struct Site: SessionApplication, CredentialsApplication, UploadApplication, StreamingApplication {
  let ledger: Ledger
  /// Whether answers may depend on how octets are cut, and on what happens at other connections.
  let isRough: Bool
  private let susan = Person(id: "user001", name: "susan")
  private let root = Person(id: 0, name: "root")
  /// How often each connection has asked for `/slow` since its last answer.
  private var turns = [64 of Int](repeating: 0)

  init(ledger: Ledger, isRough: Bool) {
    self.ledger = ledger
    self.isRough = isRough
  }

  enum Page: UInt8 {
    case index, login, fresh, logout, form, session, big, slow, style
    case upload, slowUpload, closedUpload, list, events, wake, json, item, color, files
  }

  /// The state of an upload: how many octets, and a sum in which their order counts.
  struct UploadState: BitwiseCopyable {
    var count = 0
    var sum: UInt32 = 0
  }

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
    case .upload: .upload("/upload", for: .everyone)
    case .slowUpload: .upload("/upload/slow", for: .everyone)
    case .closedUpload: .upload("/upload/closed", for: .loggedIn).forPrograms()
    case .list: .get("/list", for: .everyone)
    case .events: .get("/events", for: .everyone)
    case .wake: .post("/wake", for: .everyone)
    case .json: .methods(.post.union(.put), "/json", for: .everyone).taking(.json, atMost: 4_096)
    case .item: .get("/items/<int:id>/<text:name>", for: .everyone)
    case .color: .get("/colors/<color:color>", for: .everyone)
    case .files: .methods(.get.union(.delete), "/files/<path:rest>", for: .everyone)
    }
  }

  static var acceptsMicrodotTokens: Bool { true }
  static var hosts: StaticString { "h" }
  static var challenge: Challenge { .basicOrBearer(realm: "a fuzzed site") }

  static func isType(_ type: Span<UInt8>) -> Bool { type.equals("color") }
  static func accepts(_ value: Span<UInt8>, ofType type: Span<UInt8>) -> Bool {
    value.equals("red") || value.equals("gr%65en")
  }

  func user(_ id: UserID) -> Person? {
    if id == susan.id { return susan }
    return id == root.id ? root : nil
  }

  mutating func user(
    for credentials: borrowing Credentials, _ request: borrowing Request<Self>
  ) -> CredentialsCheck<Person> {
    if credentials.isToken("susans-token") { return .user(susan) }
    let isSusan = credentials.name.equals(susan.name)
    // A throttle for each attempt: what other connections have tried changes no answer.
    var throttle = Throttle()
    return credentials.check(
      for: isSusan ? susan : nil, against: isSusan ? Self.hash : .decoy(iterations: 2),
      from: request.client(),
      &throttle)
  }

  /// The hash of "hello".
  private static var hash: PasswordHash {
    """
    pbkdf2-hmac-sha256:6d6172746c65742d7375736172000001:2:\
    57843bb72c2311d2c5d6edc9f6d7441e30f52cb03f0a7838694878e072bd4c19
    """
  }

  /// Whether a slow page answers now: the fourth time that its connection asks.
  private mutating func isDue(_ connection: UInt64) -> Bool {
    let index = Int(connection % 64)
    turns[index] += 1
    guard turns[index] > 3 else { return false }
    turns[index] = 0
    return true
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
      guard isDue(request.connection) else { return response.later() }
      return response.html("at last")
    case .style:
      response.cache(forSeconds: 60)
      return response.asset("text/css", "p { color: red }")
    case .upload, .slowUpload, .closedUpload:
      if request.query.has("no") { return response.refuse(.conflict, "Not now.") }
      ledger.uploadCount += 1
      return response.receive(atMost: Limits.requestContentSizeMax, into: UploadState())
    case .list:
      let count: Text<4>? = request.query["count"]?.text()
      ledger.streamCount += 1
      return response.stream(
        "text/html; charset=utf-8", from: StreamState(note: Int64(count?.span.decimal() ?? 10)))
    case .events:
      ledger.streamCount += 1
      return response.stream("text/event-stream")
    case .wake:
      response.wake(Page.events)
      return response.noContent()
    case .json:
      do throws(JSONError) {
        let object = try request.json()
        let id = try object.integer("id", in: -1_000...1_000) as Int
        let name = try object.text("name") as Text<32>
        return response.json("{\"id\":\(id),\"name\":\(name)}")
      } catch { return response.refuse(.badRequest, "\(error)") }
    case .item:
      return response.html("<p title=\"\(request[.name])\">\(request[.id]): \(request[.name])")
    case .color:
      return response.html(request[.color].span.equals("red") ? "as blood" : "as grass")
    case .files:
      guard request.method != .delete else { return response.noContent() }
      return response.plain("\(request[.rest])")
    }
  }

  // MARK: Uploads

  mutating func receive(
    _ octets: Span<UInt8>, for page: Page, _ request: borrowing Request<Self>, _ state: inout UploadState
  ) -> UploadStep {
    check(octets.count > 0, "a piece has octets")
    for i in octets.indices {
      // Whether a malformed chunk behind it is seen first depends on the pieces.
      if isRough, octets[i] == 0x21 { return .refuse(.unprocessableContent, "No exclamation marks.") }
      state.sum = state.sum &* 31 &+ UInt32(octets[i])
    }
    state.count += octets.count
    check(state.count <= Limits.requestContentSizeMax, "an upload is within its limit")
    return .more
  }

  mutating func finish(
    _ page: Page, _ request: borrowing Request<Self>, _ state: UploadState,
    _ response: consuming Response<Self>
  ) -> Answer {
    if page == .slowUpload, !isDue(request.connection) { return response.later() }
    ledger.uploadCount -= 1
    return response.html("\(state.count) octets, \(state.sum), of \(request.user?.name)")
  }

  mutating func abandon(_ page: Page, _ request: borrowing Request<Self>, _ state: UploadState) {
    ledger.uploadCount -= 1
  }

  // MARK: Streams

  mutating func write(_ page: Page, _ state: inout StreamState, to body: inout StreamBody) -> StreamStep {
    if page == .list {
      // An entry has at most 15 octets.
      while body.room >= 15, state.position < state.note {
        body.write("<li>\(state.position)</li>\n")
        state.position += 1
      }
      if state.position < state.note { return .more }
    } else if state.position < 3 {
      body.write(plain: "data: \(state.position)\n\n")
      state.position += 1
      if state.position < 3 { return isRough ? .wait : .pause(milliseconds: 1) }
    }
    ledger.streamCount -= 1
    return .end
  }

  mutating func streamEnded(_ page: Page, _ state: StreamState) { ledger.streamCount -= 1 }
}
