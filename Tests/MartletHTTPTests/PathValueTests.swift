import MartletBytes
import MartletHTTP
import TestSupport
import Testing

@Suite("Values of path parameters")
struct PathValueTests {
  /// What `body` makes of the value of `<TYPE:x>` in `/VALUE`; `nil` when the path does not match.
  func value<R>(_ pattern: StaticString, _ path: String, _ body: (borrowing PathValue) -> R) -> R? {
    withGuardedOctets("/" + path) { path in
      guard let match = PathPattern(pattern).match(path, isOwn: { _, _ in true }),
        let value = match.value(0, in: path)
      else { return nil }
      return body(value)
    }
  }

  func integer(_ text: String) -> Int64? {
    value("/<int:x>", text) { $0.integer } ?? nil
  }

  func text(_ text: String) -> String? {
    value("/<x>", text) { value -> String? in
      let text: Text<8>? = value.text()
      return text.map { String($0.span) }
    } ?? nil
  }

  @Test(
    "Numbers are those of 64 bits with a sign",
    arguments: [
      ("0", 0), ("5", 5), ("-5", -5), ("-0", 0), ("007", 7), ("-007", -7), ("%35", 5), ("%2D%31%32", -12),
      ("9223372036854775807", .max), ("-9223372036854775808", .min),
      ("00000000000000000000000000000000000005", 5),
    ] as [(String, Int64)])
  func integers(text: String, expected: Int64) {
    #expect(integer(text) == expected)
  }

  @Test(
    "What is no such number does not match",
    arguments: [
      "+5", "%2B5", "-", "--1", "-+1", "5-", "1.0", "1e3", "0x1", "1_000", " 5", "%205", "5%20", "5+", "٣",
      "9223372036854775808", "-9223372036854775809", "12345678901234567890", "99999999999999999999",
      "-99999999999999999999", "92233720368547758070", "%", "5%", "5%3", "%00", "5%00", "",
    ])
  func noIntegers(text: String) {
    #expect(value("/<int:x>", text) { _ in true } == nil)
  }

  @Test("Numbers around every power of ten survive, cut off anywhere too")
  func powers() {
    var power: Int64 = 1
    while power <= Int64.max / 10 {
      power *= 10
      for number in [power - 1, power, power + 1, -power, 1 - power, -power - 1] {
        #expect(integer("\(number)") == number)
        let text = "\(number)"
        for count in 0..<text.count {
          #expect(integer(String(text.prefix(count))) == Int64(text.prefix(count)))
        }
      }
    }
  }

  @Test("A damaged digit gives the other number or none")
  func damaged() {
    let text = Array("-9223372036854775808".utf8)
    for position in text.indices {
      for octet in UInt8(0x21)...0x7E where ![0x25, 0x2F, 0x2B].contains(octet) {
        var damaged = text
        damaged[position] = octet
        let spelled = String(decoding: damaged, as: UTF8.self)
        #expect(integer(spelled) == Int64(spelled), "\(spelled)")
      }
    }
  }

  @Test("Texts are decoded, into room that is large enough")
  func texts() {
    #expect(text("a%20b") == "a b")
    #expect(text("a+b") == "a+b")
    #expect(text("%C3%A9%2F%25") == "é/%")
    #expect(text("12345678") == "12345678")
    #expect(text("123456789") == nil)
    for room in 0...9 {
      var target = [UInt8](repeating: 0xAA, count: room)
      var span = target.mutableSpan
      let count = value("/<x>", "1234567%38") { $0.decode(into: &span) } ?? nil
      #expect(count == (room < 8 ? nil : 8))
      if room >= 8 { #expect(target.prefix(8).elementsEqual("12345678".utf8)) }
    }
  }

  @Test("A value is compared decoded")
  func equals() {
    #expect(value("/<x>", "a%2Fb") { $0.equals("a/b") } == true)
    for other in ["a/", "a/bc", "", "a%2Fb"] as [StaticString] {
      #expect(value("/<x>", "a%2Fb") { $0.equals(other) } == false)
    }
    #expect(value("/<x>", "a%2Fb") { String($0.encoded) } == "a%2Fb")
    #expect(value("/<x>", "5") { $0.integer } == .some(5))
    #expect(value("/<x>", "a") { $0.integer } == .some(nil))
  }

  @Test("A value knows its type")
  func kinds() {
    #expect(value("/<x>", "5") { $0.kind } == .text)
    #expect(value("/<text:x>", "5") { $0.kind } == .text)
    #expect(value("/<int:x>", "5") { $0.kind } == .int)
    #expect(value("/<path:x>", "5") { $0.kind } == .path)
    #expect(value("/<other:x>", "5") { $0.kind } == .own)
    #expect(value("/<:x>", "5") { $0.kind } == .own)
  }

  @Test("There is no value at another index, or in a path that is shorter")
  func indices() throws {
    let match = try #require(withGuardedOctets("/a/b") { PathPattern("/<x>/<y>").match($0) })
    func hasValue(_ index: Int, _ path: String) -> Bool {
      withGuardedOctets(path) { path in
        guard let value = match.value(index, in: path) else { return false }
        return value.encoded.count == 1
      }
    }
    #expect(hasValue(0, "/a/b") && hasValue(1, "/a/b"))
    for index in [-1, 2, 3, 4, 5, .max, .min] { #expect(!hasValue(index, "/a/b")) }
    #expect(hasValue(0, "/a/") && !hasValue(1, "/a/"))
  }

  @Test("A match is small")
  func size() {
    #expect(MemoryLayout<PathMatch>.stride <= 24)
    #expect(_isPOD(PathMatch.self))
  }
}
