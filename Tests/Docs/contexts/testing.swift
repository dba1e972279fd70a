import Martlet
import MartletTesting
import Testing

struct Person: SessionUser {
  var id: UserID
}

struct Site: SessionApplication {
  enum Page: UInt8 { case index, closed, login }
  static func route(to page: Page) -> Route { .get("/", for: .everyone) }
  func user(_ id: UserID) -> Person? { nil }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer { response.noContent() }
}

@Suite struct SiteTests {
  @snippet@
}
