import Martlet

struct Person: SessionUser {
  var id: UserID
  var name: StaticString = ""
  var roles: Roles = .none
}

struct Site: @words@, ~Copyable {
  var throttle = Throttle()  // unless: Throttle()
  enum Page: UInt8 { case index, about, login, events, upload, metrics }  // unless: enum Page
  static func route(to page: Page) -> Route { .get("/", for: .everyone) }  // unless: func route(to
  mutating func respond(  // unless: func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>  // unless: func respond(
  ) -> Answer { response.noContent() }  // unless: func respond(

  @snippet@
}
