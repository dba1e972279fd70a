// One part, mounted twice: notes that everyone reads and writes, and notes of users who are logged in.
//
//     curl localhost:5000/guestbook -d note=Hello
//     curl localhost:5000/team -u susan:hello

import Martlet

struct User: SessionUser {
  var id: UserID { "susan" }
}

struct Site: MountingApplication, CredentialsApplication, ~Copyable {
  var guestbook = Notes("Guests' notes")
  var team = Notes("The team's notes")
  var throttle = Throttle()

  enum Page: UInt8 { case index, guestbook, team }

  static func route(to page: Page) -> Route {
    switch page {
    case .index: .get("/", for: .everyone)
    case .guestbook: .mount("/guestbook", for: .everyone)
    case .team: .mount("/team", for: .loggedIn)
    }
  }

  static func route(number: UInt8, of mount: Page) -> Route? {
    switch mount {
    case .index: nil
    case .guestbook, .team: Notes.route(number: number)
    }
  }

  static var challenge: Challenge { .basic(realm: "subapps-example") }

  mutating func user(
    for credentials: borrowing Credentials, _ request: borrowing Request<Self>
  ) -> CredentialsCheck<User> {
    let hash: PasswordHash =
      """
      pbkdf2-hmac-sha256:6d6172746c65742d7375736172000001:10000:\
      a490a7858438832f9e19ae8b98e75fcdbb847c5047a55d95b065a36e905b603c
      """
    let user = credentials.name.equals("susan") ? User() : nil
    return credentials.check(for: user, against: hash, from: request.client(), &throttle)
  }

  mutating func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .index:
      response.html(
        """
        <!doctype html>
        <p><a href="/guestbook">Guests' notes</a>, <a href="/team">the team's notes</a></p>
        """)
    case .guestbook: guestbook.respond(request, response)
    case .team: team.respond(request, response)
    }
  }
}

@main
enum SubappsExample {
  static func main() {
    serve(Site(), Options(program: "subapps-example", listen: "127.0.0.1:5000"))
  }
}
