// Literals, names and pieces of Swift.

import Testing

@testable import MartletCompile

@Suite struct SwiftSourceTests {
  @Test("A literal has no octet that would end it, interpolate, or hide what follows")
  func literals() {
    #expect(SwiftSource.literal("a\"b\\(c)\n\r\t\u{0}") == #""a\"b\\(c)\n\r\t\u{0}""#)
    #expect(SwiftSource.literal("é\u{202E}\u{2028}\u{FEFF}") == #""é\u{202e}\u{2028}\u{feff}""#)
    for scalar in (UInt32(0)...0x2FFF).compactMap(UnicodeScalar.init) {
      let literal = SwiftSource.literal(String(Character(scalar)))
      let inside = literal.dropFirst().dropLast()
      #expect(!inside.contains("\n") && !inside.contains("\r") && !inside.unicodeScalars.contains("\u{0}"))
      if inside.contains("\"") { #expect(inside == "\\\"") }
    }
  }

  @Test("UTF-8 becomes a string literal, other octets an integer literal with the first octet lowest")
  func constants() {
    #expect(SwiftSource.constant(Array("a\n".utf8)) == #"ConstantOctets("a\n")"#)
    #expect(SwiftSource.constant([]) == #"ConstantOctets("")"#)
    #expect(SwiftSource.constant([0x89, 0x50, 0x0A]) == "ConstantOctets(0x010a5089, count: 3)")
    #expect(SwiftSource.constant([0xFF, 0x00]) == "ConstantOctets(0x0100ff, count: 2)")
  }

  @Test(
    "A file's path becomes a name of Swift",
    arguments: [
      ("style.css", "styleCss"), ("img/logo-small.png", "imgLogoSmallPng"), ("README.txt", "readmeTxt"),
      ("2x.png", "_2xPng"), ("self", "_self"), ("asset", "_asset"), ("Index", "index"), ("a_b", "aB"),
      ("default", "_default"), ("-", "_"), ("ä.css", "css"),
    ])
  func identifiers(_ path: String, _ name: String) {
    #expect(SwiftSource.identifier(path, taken: ["asset"]) == name)
  }

  @Test("A piece of Swift ends at its mark outside of brackets and strings")
  func pieces() throws {
    func end(_ text: String, _ mark: (UInt8, UInt8) = (0x7D, 0x7D)) throws -> Int? {
      try SwiftPiece.end(in: Array(text.utf8)[...], mark: mark)
    }
    #expect(try end("a }}") == 2)
    #expect(try end(#""}}" }}"#) == 5)
    #expect(try end(#""\(f("}}"))" }}"#) == 13)
    #expect(try end("x.map { $0 }}}") == 12)
    #expect(try end("x % 2 %}", (0x25, 0x7D)) == 6)
    #expect(try end("a") == nil)
  }

  @Test(
    "A piece that could change what is around it is refused",
    arguments: [
      "a) }}", "(a }}", "[a) }}", "a // b }}", "a /* b */ }}", "\"a }}", "\"\"\"a\"\"\" }}", "#\"a\"# }}",
      "##\"a\"## }}", "a; b }}", "`a` }}", "\"a\nb\" }}", "\"\\(a }}", "a } }}",
    ])
  func refusedPieces(_ text: String) {
    #expect(throws: SwiftPiece.Fault.self) {
      if try SwiftPiece.end(in: Array(text.utf8)[...], mark: (0x7D, 0x7D)) == nil {
        throw SwiftPiece.Fault(index: 0, words: "no end")
      }
    }
  }

  @Test("A list is parted at commas outside of brackets, angle brackets and strings")
  func lists() throws {
    let text = "a: Span<(Int, Int)>, b: (Int) -> Int, c: StaticString = \"x, y\", d: [2 of Pair<A, B>]"
    let octets = Array(text.utf8)
    let parts = try SwiftPiece.list(octets[...]).map { String(decoding: octets[$0], as: UTF8.self) }
    #expect(parts.count == 4 && parts[2] == " c: StaticString = \"x, y\"")
  }
}
