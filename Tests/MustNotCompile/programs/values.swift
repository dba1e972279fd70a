// Headers, cookies, paths and statuses of another type than they have.

import Martlet

extension PathParameter<Int> {
  static var id: Self { "id" }
}

struct Site: Application {
  enum Page: UInt8 { case name, cookie, status, refusal, parameter, key, location, asset, member }

  static func route(to page: Page) -> Route { .get("/<int:id>", for: .everyone) }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .name:
      // error: cannot convert value of type 'Span<UInt8>' to expected argument type 'StaticString'
      response.setHeader(request.path, "value")
      return response.html("")
    case .cookie:
      // error: cannot convert value of type 'Span<UInt8>' to expected argument type 'CookieName'
      response.setCookie(request.path, request.path)
      return response.html("")
    case .status:
      // error: cannot convert value of type 'Int' to expected argument type 'Status'
      return response.html(404, "")
    case .refusal:
      // error: cannot convert value of type 'Int' to expected argument type 'Status'
      return response.refuse(404, "There is no such item.")
    case .parameter:
      // error: cannot convert value of type 'Int' to specified type 'Text<8>'
      let id: Text<8> = request[.id]
      return response.html("\(id)")
    case .key:
      // error: has no member 'name'
      return response.html("\(request[.name])")
    case .location:
      // error: cannot convert value of type 'Span<UInt8>' to expected argument type 'Location'
      return response.redirect(request.path)
    case .asset:
      // error: cannot convert value of type 'Span<UInt8>' to expected argument type 'StaticString'
      return response.asset("text/plain", request.path)
    case .member:
      // error: A member is read by its type, as in try object.text("name")
      let name: Text<8>? = try? request.json()["name"]?.text()
      return response.html("\(name)")
    }
  }
}
