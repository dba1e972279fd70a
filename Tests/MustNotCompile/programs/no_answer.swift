// An answer that no response has made.

import Martlet

struct Site: Application {
  enum Page: UInt8 { case index }

  static func route(to page: Page) -> Route { .get("/", for: .everyone) }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    // error: 'Answer' initializer is inaccessible
    Answer(status: .ok)  // error: missing argument for parameter 'session' in call
  }
}
