// Compiles: a program that uses most of what the others use wrongly.

import Martlet

struct Person: SessionUser {
  let id: UserID
  let name: StaticString
}

extension PathParameter<Int> {
  static var id: Self { "id" }
}

struct Site: SessionApplication, StreamingApplication, UploadApplication, TimedApplication {
  enum Page: UInt8 { case index, item, login, logout, list, upload }

  static func route(to page: Page) -> Route {
    switch page {
    case .index: .get("/", for: .loggedIn)
    case .item: .get("/items/<int:id>", for: .everyone)
    case .login: .getAndPost("/login", for: .everyone)
    case .logout: .post("/logout", for: .loggedIn)
    case .list: .get("/list", for: .everyone)
    case .upload: .upload("/upload", for: .everyone)
    }
  }

  static var period: Duration { .seconds(1) }
  mutating func tick(_ tick: inout Tick) { tick.wake(Page.list) }

  func user(_ id: UserID) -> Person? { Person(id: id, name: "susan") }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .index:
      response.setHeader("X-Path", request.path)
      return response.html(.notFound, "<p>\(request.user?.name) \(request.path)")
    case .item:
      let id = request[.id]
      return response.json("{\"id\":\(id)}")
    case .login:
      response.session.set("count", integer: 1)
      return response.login(Person(id: "a", name: "susan"))
    case .logout: return response.logout(to: "/")
    case .list: return response.stream("text/plain; charset=utf-8")
    case .upload: return response.receive(atMost: 1_000, into: 0)
    }
  }

  func write(_ page: Page, _ state: inout StreamState, to body: inout StreamBody) -> StreamStep { .end }

  func receive(
    _ octets: Span<UInt8>, for page: Page, _ request: borrowing Request<Self>, _ state: inout Int
  ) -> UploadStep { .more }

  func finish(
    _ page: Page, _ request: borrowing Request<Self>, _ state: Int, _ response: consuming Response<Self>
  ) -> Answer { response.plain("\(state)") }

  func abandon(_ page: Page, _ request: borrowing Request<Self>, _ state: Int) {}
}
