import MartletBytes
import MartletHTTP
import TestSupport
import Testing

@Suite("Field sections")
struct FieldSectionTests {
  /// All fields of a section.
  func fields(_ text: String) -> [[String]] {
    withGuardedOctets(text) { octets in
      var section = FieldSection(octets)
      var result: [[String]] = []
      while let field = section.next() { result.append([String(field.name), String(field.value)]) }
      return result
    }
  }

  @Test("Fields come in their order, values without the blanks around them")
  func order() {
    #expect(
      fields("A:b\r\nc: \t d e\t\r\nA:\r\nX: :\r\n") == [
        ["A", "b"], ["c", "d e"], ["A", ""], ["X", ":"],
      ])
    #expect(fields("") == [])
  }

  @Test("A value is found without regard to case, the first of several")
  func value() {
    withGuardedOctets("a: 1\r\nContent-Type: text/plain\r\nA: 2\r\n") { octets in
      let section = FieldSection(octets)
      #expect(string(section.value(of: "A")) == "1")
      #expect(string(section.value(of: "content-type")) == "text/plain")
      #expect(string(section.value(of: "content")) == nil)
      #expect(section.count(of: "A") == 2)
      #expect(section.count(of: "B") == 0)
    }
  }

  @Test("A head gives back its own fields")
  func ofHead() throws {
    let request = "POST / HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\nC: d\r\n"
    try withGuardedOctets(request) { octets in
      let head = try #require(try RequestHead.parse(octets))
      let section = head.fields(in: octets)
      #expect(string(section.value(of: "A")) == "b")
      #expect(section.count(of: "C") == 0)
    }
  }

  @Test("Octets that nobody has checked are read without harm")
  func unchecked() {
    #expect(fields("no colon") == [])
    #expect(fields("a:") == [["a", ""]])
    #expect(fields("a:b\r") == [["a", "b"]])
    #expect(fields(":") == [["", ""]])
    var random = SeededRandom(1)
    for _ in 0..<500 {
      let text = (0..<20).map { _ in "a:\r\n ".randomElement(using: &random)! }
      _ = fields(String(text))
    }
  }
}
