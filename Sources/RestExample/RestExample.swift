// A table of items for programs: JSON in and JSON out.
//
//     curl localhost:5000/items --json '{"name":"lamp","count":3}'
//     curl localhost:5000/items
//     curl localhost:5000/items/1 -X PUT --json '{"name":"lamp","count":2}'
//     curl localhost:5000/items/1 -X DELETE

import Martlet

struct Item {
  let id: Int
  let name: Text<32>
  let count: Int

  /// Makes an item from the JSON object of a request.
  init(id: Int, _ object: JSONObject) throws(JSONError) {
    self.id = id
    name = try object.text("name")
    count = try object.integer("count", in: 0...1_000_000)
  }
}

extension JSONText.Interpolation {
  mutating func appendInterpolation(_ item: Item) {
    appendInterpolation(json: "{\"id\":\(item.id),\"name\":\(item.name),\"count\":\(item.count)}")
  }
}

extension PathParameter<Int> {
  static var id: Self { "id" }
}

struct Site: ErrorPageApplication {
  var items = [16 of Item?](repeating: nil)
  var nextID = 1

  enum Page: UInt8 { case list, add, item, replace, remove }

  static func route(to page: Page) -> Route {
    switch page {
    case .list: .get("/items", for: .everyone)
    case .add: .post("/items", for: .everyone).taking(.json).forPrograms()
    case .item: .get("/items/<int:id>", for: .everyone).forPrograms()
    case .replace: .put("/items/<int:id>", for: .everyone).taking(.json).forPrograms()
    case .remove: .delete("/items/<int:id>", for: .everyone).forPrograms()
    }
  }

  /// Index of a free place in the table; `nil` where the table is full.
  func freeIndex() -> Int? {
    for i in items.indices where items[i] == nil { return i }
    return nil
  }

  /// Index of the item in the table; `nil` where no item has that number.
  func index(of id: Int) -> Int? {
    for i in items.indices where items[i]?.id == id { return i }
    return nil
  }

  mutating func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .list:
      var body = response.body(mediaType: "application/json")
      body.write(json: "[")
      var separator: StaticString = ""
      for i in items.indices {
        guard let item = items[i] else { continue }
        body.write(json: "\(markup: separator)\(item)")
        separator = ","
      }
      body.write(json: "]\n")
      return body.end()

    case .add:
      guard let free = freeIndex() else {
        return response.refuse(.conflict, "There is room for \(items.count) items. Remove one first.")
      }
      do throws(JSONError) {
        let item = try Item(id: nextID, request.json())
        items[free] = item
        nextID += 1
        response.setLocation("/items/\(item.id)")
        return response.json(.created, "\(item)")
      } catch { return response.refuse(.badRequest, "\(error)") }

    case .item:
      guard let i = index(of: request[.id]), let item = items[i] else {
        return response.refuse(.notFound, "There is no such item.")
      }
      return response.json("\(item)")

    case .replace:
      guard let i = index(of: request[.id]) else {
        return response.refuse(.notFound, "There is no such item.")
      }
      do throws(JSONError) {
        let item = try Item(id: request[.id], request.json())
        items[i] = item
        return response.json("\(item)")
      } catch { return response.refuse(.badRequest, "\(error)") }

    case .remove:
      guard let i = index(of: request[.id]) else {
        return response.refuse(.notFound, "There is no such item.")
      }
      items[i] = nil
      return response.noContent()
    }
  }

  /// Writes an error page for people. Programs get problem details (RFC 9457).
  func errorPage(
    _ error: borrowing ErrorPage, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    response.html(error.status, "<!doctype html><title>Items</title><p>\(error.reason)\n")
  }
}

@main
enum RestExample {
  static func main() {
    serve(Site(), Options(program: "rest-example", listen: "127.0.0.1:5000"))
  }
}
