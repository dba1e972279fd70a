// A part of a site. The part knows its own pages, but neither its mount nor the access of its mount.

import Martlet

extension PathParameter<Int> {
  static var number: Self { "number" }
}

/// Short notes that visitors leave.
struct Notes: Part {
  let title: StaticString
  private var notes = [8 of Text<80>](repeating: "")
  private var count = 0
  private var visits = 0

  init(_ title: StaticString) { self.title = title }

  enum Page: UInt8 { case list, note }

  static func route(to page: Page) -> Route {
    switch page {
    case .list: .getAndPost("/", for: .everyone)
    case .note: .get("/<int:number>", for: .everyone)
    }
  }

  mutating func respond<Site: Application & ~Copyable>(
    _ request: borrowing Request<Site>, _ response: consuming Response<Site>
  ) -> Answer {
    // This code runs before each page of the part.
    visits += 1
    response.setHeader("X-Visits", visits)

    switch request.page(of: Notes.self) {
    case .list where request.method == .post:
      guard let note: Text<80> = request.form["note"]?.text(), !note.isEmpty else {
        return response.refuse(.badRequest, "A note has 1 to 80 octets.")
      }
      guard count < notes.count else { return response.refuse(.conflict, "\(title) are full.") }
      notes[count] = note
      count += 1
      return response.redirect("\(request.mount)/\(count)", .seeOther)

    case .list:
      var body = response.body()
      body.write("<!doctype html>\n<h1>\(title)</h1>\n<ul>\n")
      for i in 0..<count {
        body.write("<li><a href=\"\(request.mount)/\(i + 1)\">Note \(i + 1)</a>\n")
      }
      body.write("</ul>\n<form method=\"POST\"><input name=\"note\"> <button>Leave it</button></form>\n")
      return body.end()

    case .note:
      let number = request[.number]
      guard 1...notes.count ~= number, number <= count else {
        return response.refuse(.notFound, "There is no note \(number).")
      }
      return response.html("<!doctype html>\n<p>\(notes[number - 1])</p>\n")

    case nil:
      return response.html(
        .notFound, "<!doctype html>\n<p>\(title) have no such page. <a href=\"\(request.mount)\">Back</a>\n")
    }
  }
}
