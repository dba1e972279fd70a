import Martlet

struct Person: SessionUser {
  var id: UserID
  var name: StaticString = ""
}

extension PathParameter<Int> { static var id: Self { "id" } }
extension PathParameter<Text<32>> { static var name: Self { "name" } }

struct Site: SessionApplication, StreamingApplication, ~Copyable {
  enum Page: UInt8 { case index, login, events, stop }
  static func route(to page: Page) -> Route { .get("/", for: .everyone) }
  func user(_ id: UserID) -> Person? { nil }
  var throttle = Throttle()
  var celsius: Int32 = 2_150
  var note: Text<200> = ""
  var temperatures = History<288>(intervalMilliseconds: 300_000)
  let folder: Folder
  var isOn = true
  var items = [4 of Text<32>](repeating: "")
  let hash = PasswordHash.decoy(iterations: 10_000)

  mutating func write(_ page: Page, _ state: inout StreamState, to body: inout StreamBody) -> StreamStep { .end }

  mutating func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    @snippet@
  }
}
