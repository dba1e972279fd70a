// A site of one page, which each test writes itself.

import MartletTesting
import Testing

@testable import Martlet

/// What the page answers with.
typealias Page = (borrowing Request<TextSite>, consuming Response<TextSite>) -> Answer

struct TextSite: Application {
  enum Page: UInt8 { case index }

  let page: (borrowing Request<TextSite>, consuming Response<TextSite>) -> Answer

  static func route(to page: Page) -> Route { .get("/", for: .everyone) }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer { self.page(request, response) }
}

/// The response of a page that is asked for with a query.
func response(query: String = "", _ page: @escaping Page) -> TestResponse {
  TestClient(TextSite(page: page), secret: "").get("/?" + query)
}

/// What a page of JSON says; `nil` when it is a 500.
func json(query: String = "", _ page: @escaping Page) -> String? {
  let response = response(query: query, page)
  guard response.status != .internalServerError else { return nil }
  // The test's client repairs UTF-8; what a page writes needs no repair.
  #expect(response.header("Content-Length") == "\(response.body.utf8.count)")
  return response.body
}
