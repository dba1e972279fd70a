// Answers that are given twice, or not at all.

import Martlet

struct Site: Application {
  enum Page: UInt8 { case twice, none, half, body }

  static func route(to page: Page) -> Route { .get("/", for: .everyone) }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .twice: return twice(response)
    case .none: return none(response)
    case .half: return half(response)
    case .body: return body(response)
    }
  }

  // error: 'response' consumed more than once
  func twice(_ response: consuming Response<Self>) -> Answer {
    _ = response.html("<p>One")
    return response.html("<p>Two")
  }

  func none(_ response: consuming Response<Self>) -> Answer {
    // error: missing return in instance method expected to return 'Answer'
  }

  func half(_ response: consuming Response<Self>) -> Answer {
    if Page.half.rawValue > 1 { return response.html("<p>Half") }
    // error: missing return in instance method expected to return 'Answer'
  }

  func body(_ response: consuming Response<Self>) -> Answer {
    // error: 'body' consumed more than once
    var body = response.body()
    body.write("<p>One")
    _ = body.end()
    return body.end()
  }
}
