// Microdot's CORS example as a Martlet program, with more pages. Scripts of other origins may read some pages. The
// page of this site has a script in the page.

import Martlet

struct Site: CrossOriginApplication, PagePolicyApplication, ~Copyable {
  var count = 0

  enum Page: UInt8 { case index, weather, count, own }

  static func route(to page: Page) -> Route {
    switch page {
    case .index: .get("/", for: .everyone)
    case .weather: .get("/weather", for: .everyone)
    case .count: .methods(.getAndPost.union(.put), "/count", for: .everyone).taking(.json)
    case .own: .get("/own", for: .everyone)
    }
  }

  static func sharing(of page: Page) -> Sharing {
    switch page {
    case .weather: .anyOrigin()
    case .count:
      .origins(
        "http://localhost:5001 https://example.org", methods: .get.union(.put), headers: "Content-Type",
        exposedHeaders: "X-Count", maxAgeSeconds: 600)
    case .index, .own: .none
    }
  }

  static let script: StaticString = """
    fetch("/weather").then((answer) => answer.json()).then((weather) => {
      document.getElementById("degrees").textContent = weather.degrees
    })
    """

  static func policy(of page: Page) -> PagePolicy {
    page == .index ? PagePolicy(inlineScript: script) : .standard
  }

  mutating func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .index:
      return response.html(
        "<!doctype html><p><b id=\"degrees\">…</b> °C</p><script>\(markup: Self.script)</script>")
    case .weather: return response.json("{\"degrees\": 21}")
    case .count:
      if request.method != .get { count += 1 }
      var response = response
      response.setHeader("X-Count", count)
      return response.json("{\"count\": \(count)}")
    case .own: return response.json("{\"own\": true}")
    }
  }
}

@main
enum CorsExample {
  static func main() {
    serve(Site(), Options(program: "cors-example", listen: "127.0.0.1:5000"))
  }
}
