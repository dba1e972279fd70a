// Microdot's sessions example as a Martlet program. A signed cookie remembers a visitor's name, and how often
// the visitor has been here. There are no users and no passwords.

import Martlet

struct Site: SessionApplication, FormDataApplication {
  enum Page: UInt8 { case index, forget }

  static func route(to page: Page) -> Route {
    switch page {
    case .index: .getAndPost("/", for: .everyone)
    case .forget: .post("/forget", for: .everyone)
    }
  }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .index where request.method == .post:
      guard let name: Text<40> = request.form["name"]?.text(), !name.isEmpty, name.span.isUTF8 else {
        return response.refuse(.badRequest, "A name has 1 to 40 octets.")
      }
      response.session.set("name", text: name.span)
      return response.redirect("/", .seeOther)

    case .index:
      guard let name: Text<40> = response.session.text(of: "name") else {
        return response.html(
          """
          <!doctype html>
          <h1>Hello, stranger!</h1>
          <form method="POST">
            <p>Who are you? <input name="name" maxlength="40" autofocus> <button>Remember me</button></p>
          </form>
          """)
      }
      let count = (response.session.integer(of: "count") ?? 0) + 1
      response.session.set("count", integer: count)
      return response.html(
        """
        <!doctype html>
        <h1>Hello, \(name)!</h1>
        <p>Visits: \(count)</p>
        <form method="POST" action="/forget"><button>Forget me</button></form>
        """)

    case .forget:
      response.session.delete()
      return response.redirect("/", .seeOther)
    }
  }
}

@main
enum SessionsExample {
  static func main() {
    serve(
      Site(), Options(program: "sessions-example", listen: "127.0.0.1:5000", secret: "top-secret!"))
  }
}
