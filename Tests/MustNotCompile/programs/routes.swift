// A page without a route, a route without access, a mount without the routes of its part.

import Martlet

struct Site: Application {
  enum Page: UInt8 { case index, about }

  static func route(to page: Page) -> Route {
    switch page {
    case .index: .get("/", for: .everyone)
    // error: missing argument for parameter 'for' in call
    case .about: .get("/about")
    }
  }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer { response.html("") }
}

struct WithoutRoute: Application {
  enum Page: UInt8 { case index, about }

  static func route(to page: Page) -> Route {
    // error: switch must be exhaustive
    switch page {
    case .index: .get("/", for: .everyone)
    }
  }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer { response.html("") }
}

// error: does not conform to protocol 'MountingApplication'
struct WithoutPartsRoutes: MountingApplication {
  enum Page: UInt8 { case shop }

  static func route(to page: Page) -> Route { .mount("/shop", for: .everyone) }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer { response.html("") }
}
