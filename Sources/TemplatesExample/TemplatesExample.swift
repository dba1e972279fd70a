// Pages from templates, with a style sheet and a picture. The build compiles the folders Templates and Assets, so the
// program is one file that reads no other.
//
//     templates-example
//     curl localhost:5000/          curl -i --compressed localhost:5000/assets/style.css

import Martlet

struct Lamp: BitwiseCopyable {
  var name: StaticString
  var isOn = false
}

extension PathParameter<Int> {
  static var number: Self { "number" }
}

struct Site: Application {
  var lamps: [3 of Lamp] = [Lamp(name: "Kitchen"), Lamp(name: "Hall"), Lamp(name: "Bath & cellar")]

  enum Page: UInt8 { case index, lamps, lamp, assets }

  static func route(to page: Page) -> Route {
    switch page {
    case .index: .get("/", for: .everyone)
    case .lamps: .get("/lamps", for: .everyone)
    case .lamp: .post("/lamps/<int:number>", for: .everyone)
    case .assets: Assets.route
    }
  }

  mutating func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .index:
      var body = response.body()
      Templates.index(
        to: &body, title: "Greeting", current: page, name: request.query["name"]?.text() ?? "")
      return body.end()

    case .lamps:
      var body = response.body()
      Templates.lamps(to: &body, title: "Lamps", current: page, lamps: lamps.span)
      return body.end()

    case .lamp:
      let number = request[.number]
      guard lamps.indices.contains(number) else {
        return response.refuse(.notFound, "There is no lamp \(number).")
      }
      lamps[number].isOn.toggle()
      return response.redirect("/lamps", .seeOther)

    case .assets: return response.asset(from: Assets.self, request)
    }
  }
}

@main
enum TemplatesExample {
  static func main() {
    serve(Site(), Options(program: "templates-example", listen: "127.0.0.1:5000"))
  }
}
