import MartletBytes
import MartletHTTP
import TestSupport
import Testing

@Suite("Sets of methods")
struct MethodSetTests {
  static let all: [Method] = [
    .get, .head, .post, .put, .patch, .delete, .query, .options, .connect, .trace,
  ]

  func allow(_ methods: Methods) -> String { written { $0.append(allow: methods) } }

  @Test("Safe methods are those of RFC 9110 and QUERY")
  func safe() {
    #expect(Self.all.filter(\.isSafe) == [.get, .head, .query, .options, .trace])
    for method in Self.all where ![.connect].contains(method) {
      #expect(Methods(method).hasUnsafe == !method.isSafe)
    }
    #expect(Methods.get.union(.query).union(.options).hasUnsafe == false)
    #expect(Methods.get.union(.delete).hasUnsafe)
  }

  @Test("A set of one method holds that method; HEAD comes with GET")
  func one() {
    for method in Self.all {
      let held = Self.all.filter(Methods(method).contains)
      switch method {
      case .get: #expect(held == [.get, .head])
      case .connect, .trace: #expect(held == [])
      default: #expect(held == [method])
      }
      #expect(Methods(method).isEmpty == held.isEmpty)
    }
    #expect(MemoryLayout<Methods>.size == 2)
  }

  @Test("Names stand for their methods")
  func names() {
    let sets: [(Methods, Method)] = [
      (.get, .get), (.post, .post), (.put, .put), (.patch, .patch), (.delete, .delete),
      (.query, .query), (.options, .options),
    ]
    for (set, method) in sets { #expect(set == Methods(method), "\(method)") }
    #expect(Methods.none.isEmpty && Methods.none == Methods(.trace))
  }

  @Test("Union and intersection are those of sets, for every pair of methods")
  func pairs() {
    for first in Self.all {
      for second in Self.all {
        let (a, b) = (Methods(first), Methods(second))
        let both = a.union(b)
        #expect(both == b.union(a))
        for method in Self.all {
          #expect(both.contains(method) == (a.contains(method) || b.contains(method)))
        }
        let shared = Self.all.contains { a.contains($0) && b.contains($0) }
        #expect(a.intersects(b) == shared, "\(first) \(second)")
      }
    }
  }

  @Test(
    "Allow names the methods in one order, and OPTIONS always",
    arguments: [
      (Methods.none, "OPTIONS"),
      (.options, "OPTIONS"),
      (.get, "GET, HEAD, OPTIONS"),
      (.post, "POST, OPTIONS"),
      (Methods.delete.union(.get), "GET, HEAD, DELETE, OPTIONS"),
      (Methods.query.union(.patch).union(.put), "PUT, PATCH, QUERY, OPTIONS"),
      (
        Methods.options.union(.query).union(.delete).union(.patch).union(.put).union(.post).union(.get),
        "GET, HEAD, POST, PUT, PATCH, DELETE, QUERY, OPTIONS"
      ),
    ])
  func allow(methods: Methods, expected: String) {
    #expect(allow(methods) == expected)
  }

  @Test("A room that is too small for an Allow field is told, at every size")
  func overflow() {
    let methods = Methods.get.union(.post)
    let whole = Array(allow(methods).utf8)
    for capacity in 0...whole.count {
      let result = writtenOctets(capacity: capacity) { $0.append(allow: methods) }
      #expect(result.overflowed == (capacity < whole.count))
      #expect(Array(whole.prefix(result.octets.count)) == result.octets)
    }
  }
}
