// A request, or a part of a request, that is kept beyond its page.

import Martlet

// error: stored property 'request' of 'Escapable'-conforming struct 'Kept' has non-Escapable type
struct Kept: ~Copyable { var request: Request<Site>? }

// error: stored property 'path' of 'Escapable'-conforming struct 'KeptPath' has non-Escapable type
struct KeptPath { var path: Span<UInt8> }

struct Site: Application {
  enum Page: UInt8 { case index }

  static func route(to page: Page) -> Route { .get("/", for: .everyone) }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer { response.html("") }
}
