// A part of a request that leaves the function which has made a copy of it.

import Martlet

@_lifetime(immortal)
func path(of octets: [UInt8]) -> Span<UInt8> {
  // error: lifetime-dependent value escapes its scope
  octets.span
}

@_lifetime(immortal)
func path(of request: borrowing Request<Site>) -> Span<UInt8> {
  // error: lifetime-dependent value escapes its scope
  request.path
}

struct Site: Application {
  enum Page: UInt8 { case index }

  static func route(to page: Page) -> Route { .get("/", for: .everyone) }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer { response.html("") }
}
