// Errors that nobody answers for: a page does not throw, and an answer is named for each error.

import Martlet

enum Trouble: Error { case sensor, disk }

func reading() throws(Trouble) -> Int { throw .sensor }

struct Site: Application {
  enum Page: UInt8 { case thrown, forgotten }

  static func route(to page: Page) -> Route { .get("/", for: .everyone) }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .thrown: return thrown(response)
    case .forgotten: return forgotten(response)
    }
  }

  func thrown(_ response: consuming Response<Self>) -> Answer {
    // error: errors thrown from here are not handled
    let value = try reading()
    return response.plain("\(value)")
  }

  func forgotten(_ response: consuming Response<Self>) -> Answer {
    do throws(Trouble) {
      let value = try reading()
      return response.plain("\(value)")
    } catch {
      // error: switch must be exhaustive
      switch error {
      case .sensor: return response.refuse(.serviceUnavailable, "The sensor is silent.")
      }
    }
  }
}
