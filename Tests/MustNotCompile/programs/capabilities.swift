// Calls of a capability that the application does not name.

import Martlet

struct Person: SessionUser {
  let id: UserID
}

struct Site: Application {
  enum Page: UInt8 { case read, login, logout, back, stream, wake, receive, later, token, file }

  static func route(to page: Page) -> Route { .get("/", for: .everyone) }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .read:
      // error: requires that 'Site' conform to 'SessionApplication'
      response.session.set("a", integer: 1)
      return response.html("")
    case .login:
      // error: requires that 'Site' conform to 'SessionApplication'
      return response.login(Person(id: "susan"))
    case .logout:
      // error: requires that 'Site' conform to 'SessionApplication'
      return response.logout(to: "/")
    case .back:
      // error: requires that 'Site' conform to 'SessionApplication'
      return response.redirectToLogin()
    case .later:
      // error: requires that 'Site' conform to 'DeferringApplication'
      return response.later()
    case .token:
      // error: requires that 'Site' conform to 'FormTokenApplication'
      _ = response.formToken()
      return response.html("")
    case .stream:
      // error: requires that 'Site' conform to 'StreamingApplication'
      return response.stream("text/html")
    case .wake:
      // error: requires that 'Site' conform to 'StreamingApplication'
      response.wake(.stream)
      return response.html("")
    case .file:
      // error: requires that 'Site' conform to 'FileApplication'
      return response.file("text/plain", at: request.path)
    case .receive:
      // error: requires that 'Site' conform to 'UploadApplication'
      return response.receive(atMost: 1, into: 0)  // error: to expected argument type 'NoUpload'
    }
  }
}
