import Foundation
import MartletBytes
import MartletHTTP
import TestSupport
import Testing

@Suite("Form fields")
struct FormFieldsTests {
  /// All fields, decoded.
  func fields(_ octets: [UInt8]) -> [[String]] {
    withGuardedOctets(octets) { octets in
      var form = FormFields(octets)
      var result: [[String]] = []
      while let field = form.next() {
        var texts: [String] = []
        for isName in [true, false] {
          var decoder = isName ? field.name.decoder : field.value.decoder
          var decoded: [UInt8] = []
          while let octet = decoder.next() { decoded.append(octet) }
          texts.append(String(decoding: decoded, as: UTF8.self))
        }
        result.append(texts)
      }
      return result
    }
  }

  func fields(_ text: String) -> [[String]] { fields(Array(text.utf8)) }

  /// The value of the field `a`, by value.
  func value(_ text: String) -> String? {
    withGuardedOctets(text) { octets in
      guard let value = FormFields(octets)["a"] else { return nil }
      let decoded: Text<16>? = value.text()
      return decoded.map { String($0.span) }
    }
  }

  @Test(
    "Fields are read as browsers write them",
    arguments: [
      ("", []),
      ("a=1&b=2", [["a", "1"], ["b", "2"]]),
      ("&&a=1&&", [["a", "1"]]),
      ("a", [["a", ""]]),
      ("a=", [["a", ""]]),
      ("=", [["", ""]]),
      ("=a", [["", "a"]]),
      ("a=b=c", [["a", "b=c"]]),
      ("a+b=c+d", [["a b", "c d"]]),
      ("%61=%2B%26%3d", [["a", "+&="]]),
      ("a=%&b=%4&c=%zz&d=%%41", [["a", "%"], ["b", "%4"], ["c", "%zz"], ["d", "%A"]]),
      ("a;b=c", [["a;b", "c"]]),
      ("a=%C3%A9", [["a", "é"]]),
      ("a=%00", [["a", "\u{0}"]]),
    ] as [(String, [[String]])])
  func pairs(text: String, expected: [[String]]) {
    #expect(fields(text) == expected)
  }

  @Test("The first of several counts, names compared decoded")
  func lookUp() {
    #expect(value("b=0&%61=1&a=2") == "1")
    #expect(value("A=1") == nil)
    #expect(value("aa=1&=2") == nil)
    #expect(value("a&a=1") == "")
    #expect(value("a=0123456789abcdef") == "0123456789abcdef")
    #expect(value("a=0123456789abcdefg") == nil)
  }

  @Test("A value can be compared and decoded without a copy of it")
  func formValue() throws {
    withGuardedOctets("a=x%20y+z&b=") { octets in
      let form = FormFields(octets)
      var target = [UInt8](repeating: 0, count: 5)
      if let value = form["a"] {
        #expect(value.equals("x y z") && !value.isEmpty)
        #expect(!value.equals("x y") && !value.equals("x y z ") && !value.equals("x%20y+z"))
        var span = target.mutableSpan
        let count = value.decode(into: &span)
        #expect(count == 5)
        var short = span._mutatingExtracting(first: 4)
        let none = value.decode(into: &short)
        #expect(none == nil)
      } else {
        Issue.record("a is missing")
      }
      #expect(String(decoding: target, as: UTF8.self) == "x y z")
      if let value = form["b"] { #expect(value.isEmpty && value.equals("")) }
      if form["c"] != nil { Issue.record("c is not there") }
    }
  }

  @Test("Every beginning and every damage of a form is read without harm")
  func damaged() {
    let text = Array("name=Ann+Lee&pass=%C3%A9%2&remember&=".utf8)
    #expect(fields(text).count == 4)
    for count in text.indices { #expect(fields(Array(text.prefix(count))).count <= 4) }
    var random = SeededRandom(3)
    for position in text.indices {
      var damaged = text
      damaged[position] ^= UInt8.random(in: 1...255, using: &random)
      #expect(fields(damaged).count <= 6)
    }
  }

  @Test("The vectors of the web platform tests")
  func vectors() throws {
    let cases = try #require(
      try vectorJSON("wpt-urlencoded/urlencoded-parser-data.json") as? [[String: Any]])
    #expect(cases.count == 35)
    for vector in cases {
      let input = try #require(vector["input"] as? String)
      let output = try #require(vector["output"] as? [[String]])
      // Strings that differ only in normalization are equal in Swift: compare their octets.
      #expect(
        fields(input).map { $0.map { Array($0.utf8) } } == output.map { $0.map { Array($0.utf8) } })
    }
  }
}
