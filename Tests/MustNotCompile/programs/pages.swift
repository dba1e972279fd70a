// A page without an answer.

import Martlet

struct Site: Application {
  enum Page: UInt8 { case index, about }

  static func route(to page: Page) -> Route {
    switch page {
    case .index: .get("/", for: .everyone)
    case .about: .get("/about", for: .everyone)
    }
  }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    // error: switch must be exhaustive
    switch page {
    case .index: response.html("")
    }
  }
}
