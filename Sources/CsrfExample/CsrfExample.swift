// Microdot's CSRF example as a Martlet program: a bank account that other sites cannot make a visitor empty. The
// form has a token as well, and one page takes the forms of another site.

import Martlet

struct Site: FormTokenApplication, CrossOriginApplication, ~Copyable {
  var balance = 1_000

  enum Page: UInt8 { case index, transfer, paid }

  static func route(to page: Page) -> Route {
    switch page {
    case .index: .get("/", for: .everyone)
    case .transfer: .post("/transfer", for: .everyone)
    case .paid: .post("/paid", for: .everyone)
    }
  }

  static func needsFormToken(_ page: Page) -> Bool { page == .transfer }

  static func sharing(of page: Page) -> Sharing { page == .paid ? .exemptFromOriginCheck : .none }

  mutating func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .index:
      var response = response
      let token = response.formToken()
      return response.html(
        """
        <!doctype html>
        <p>You have $\(balance).</p>
        <form method="POST" action="/transfer">
          \(token)
          <input name="amount" value="100" inputmode="numeric"> <button>Give to a friend</button>
        </form>
        """)
    case .transfer:
      guard let amount = try? request.form["amount"]?.integer(in: 1...1_000), amount <= balance else {
        return response.refuse(.badRequest, "You have $\(balance).")
      }
      balance -= amount
      return response.redirect("/", .seeOther)
    case .paid:
      // Whatever a form of another site says, it is the bank that must be asked.
      return response.html("<!doctype html><p>Thank you! <a href=\"/\">Your account</a>")
    }
  }
}

@main
enum CsrfExample {
  static func main() {
    serve(Site(), Options(program: "csrf-example", listen: "127.0.0.1:5000", secret: "top-secret!"))
  }
}
