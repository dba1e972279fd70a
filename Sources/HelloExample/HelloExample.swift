// The smallest whole program: one page, open to everyone.

import Martlet

struct Site: Application {
  enum Page: UInt8 { case index }

  static func route(to page: Page) -> Route {
    switch page {
    case .index: .get("/", for: .everyone)
    }
  }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .index: response.html("<!doctype html><title>Hello</title><h1>Hello!</h1>\n")
    }
  }
}

@main
enum HelloExample {
  static func main() {
    serve(Site(), Options(program: "hello-example", listen: "127.0.0.1:5000"))
  }
}
