import Martlet

struct Person: SessionUser {
  var id: UserID
}

struct Site: SessionApplication, ~Copyable {
  enum Page: UInt8 { case login }
  static func route(to page: Page) -> Route { .getAndPost("/login", for: .everyone) }
  func user(_ id: UserID) -> Person? { nil }
  var throttle = Throttle()

  mutating func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    let form = request.form
    let name: Text<40> = form["name"]?.text() ?? ""
    let user: Person? = nil
    let hash = PasswordHash.decoy(iterations: 10_000)
    @snippet@
  }
}
