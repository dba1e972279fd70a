import Foundation
import MartletBytes
import TestSupport
import Testing

@Suite("JSON")
struct JSONTests {
  func isValid(_ octets: [UInt8]) -> Bool { withGuardedOctets(octets) { JSON.isValid($0) } }
  func isValid(_ text: String) -> Bool { isValid(Array(text.utf8)) }

  /// The members of an object: names, kinds and raw values.
  func members(_ text: String) -> [[String]]? {
    withGuardedOctets(text) { octets in
      guard let object = JSONObject(octets) else { return nil }
      var result: [[String]] = []
      var member = object.member(after: nil)
      while let current = member {
        result.append([
          String(octets[current.name]), "\(current.value.kind)",
          String(octets[current.value.range]),
          String(octets[current.range]),
        ])
        member = object.member(after: current)
      }
      return result
    }
  }

  func find(_ name: StaticString, in text: String) -> String? {
    withGuardedOctets(text) { octets in
      JSONObject(octets)?.find(name).map { String(octets[$0.range]) }
    }
  }

  @Test("The vectors of JSONTestSuite")
  func vectors() throws {
    let cases = try #require(try vectorJSON("json-nst/cases.json") as? [[String: String]])
    #expect(cases.count == 154)
    for vector in cases {
      let name = try #require(vector["name"])
      let raw = octets(hexadecimal: try #require(vector["raw_hex"]))
      let valid = isValid(raw)
      switch vector["expect"] {
      case "accept": #expect(valid, "\(name)")
      case "reject": #expect(!valid, "\(name)")
      default: break
      }
      for count in 0..<min(raw.count, 200) { _ = isValid(Array(raw.prefix(count))) }
    }
  }

  @Test("Every damage of a text is judged as Foundation judges it, or more strictly")
  func damaged() {
    let text = Array(
      #"{"a":[1,-2.5e+3,true],"b":{"c":null,"d":false},"é":"x\n\u00e9\"","":{},"e":[]}"#.utf8)
    #expect(isValid(text))
    for count in text.indices { #expect(!isValid(Array(text.prefix(count)))) }
    var random = SeededRandom(11)
    for position in text.indices {
      for _ in 0..<4 {
        var damaged = text
        damaged[position] ^= UInt8.random(in: 1...255, using: &random)
        guard isValid(damaged) else { continue }
        let foundation = try? JSONSerialization.jsonObject(with: Data(damaged))
        #expect(foundation != nil, "\(String(decoding: damaged, as: UTF8.self))")
      }
    }
  }

  @Test("Empty containers may stand anywhere")
  func empty() {
    for text in [
      "{}", "[]", " { } ", "[ ]", "[[]]", "[{},[]]", #"{"a":{},"b":[]}"#, "[[],[[]],{}]",
    ] {
      #expect(isValid(text), "\(text)")
    }
    for text in [
      "{,}", "[,]", "[[],]", "{}{}", "[}", "{]", "[", "{", "}", "", " ", #"{"a"}"#, #"{"a":}"#,
      #"{"a":1,}"#, #"{"a":1 "b":2}"#, "{1:2}", "[1 2]", "nul", "trueish", "\u{FEFF}{}", #""\"#,
      #""\x""#,
    ] {
      #expect(!isValid(text), "\(text)")
    }
  }

  @Test("Nesting goes to the limit and no further")
  func depth() {
    func nested(_ depth: Int, _ open: String, _ close: String) -> String {
      String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
    }
    #expect(isValid(nested(Limits.jsonDepthMax, "[", "]")))
    #expect(!isValid(nested(Limits.jsonDepthMax + 1, "[", "]")))
    #expect(isValid(nested(Limits.jsonDepthMax, #"{"a":"#, "}")))
    #expect(!isValid(nested(Limits.jsonDepthMax + 1, #"{"a":"#, "}")))
    #expect(!isValid(String(repeating: "[", count: 60_000)))
    // The kind of each level is remembered.
    #expect(isValid(nested(16, #"[{"a":"#, "}]")))
    #expect(!isValid(nested(15, #"[{"a":"#, "]}")))
  }

  @Test("Members are walked in order, whatever stands between them")
  func walk() {
    #expect(members("{}") == [])
    #expect(
      members(
        #" { "a" : "x\"y" , "b":-1.5,"c":{"d":[1,{}]} ,"e":[],"f":true,"g":false,"h":null } "#)
        == [
          ["a", "string", #"x\"y"#, #""a" : "x\"y""#], ["b", "number", "-1.5", #""b":-1.5"#],
          ["c", "object", #"{"d":[1,{}]}"#, #""c":{"d":[1,{}]}"#],
          ["e", "array", "[]", #""e":[]"#],
          ["f", "true", "true", #""f":true"#], ["g", "false", "false", #""g":false"#],
          ["h", "null", "null", #""h":null"#],
        ])
  }

  @Test("Only one whole object is an object")
  func objects() {
    for text in ["", "[]", "1", "\"{}\"", "{}x", "{} {}", "null", "{"] {
      #expect(members(text) == nil)
    }
  }

  @Test("The last member of a name counts, names compared with their escapes read")
  func find() {
    #expect(find("a", in: #"{"a":1,"b":2,"\u0061":3}"#) == "3")
    #expect(find("a", in: #"{"b":{"a":1},"A":2,"aa":3,"":4}"#) == nil)
    #expect(find("é", in: #"{"\u00e9":1}"#) == "1")
    #expect(find("", in: #"{"":1}"#) == "1")
  }

  @Test(
    "Numbers are rounded down, and saturate",
    arguments: [
      ("0", 0), ("-0", 0), ("1", 1), ("-1", -1), ("1.9", 1), ("-1.1", -2), ("-1.0", -1),
      ("0.5", 0), ("-0.5", -1), ("-0.0", 0), ("1797973169.9142106", 1_797_973_169),
      ("1e3", 1_000), ("1E+3", 1_000), ("1.5e1", 15), ("15e-1", 1), ("-15e-1", -2), ("1e-9", 0),
      ("-1e-9", -1), ("0.001e5", 100), ("123456e-3", 123), ("-123000e-3", -123),
      ("9223372036854775807", .max), ("9223372036854775808", .max),
      ("-9223372036854775808", .min), ("-9223372036854775809", .min),
      ("-9223372036854775807.5", .min),
      ("1e400", .max), ("-1e400", .min), ("1e99999999999999999999", .max), ("0e99999999999", 0),
      ("1e-99999999999999999999", 0), ("18446744073709551616", .max),
      ("-99999999999999999999999.5", .min), ("1234567890123456789012e-10", 123_456_789_012),
    ] as [(String, Int64)])
  func floor(text: String, expected: Int64) {
    #expect(isValid(text))
    #expect(withGuardedOctets(text) { JSON.floor($0) } == expected)
    let isInteger = withGuardedOctets(text) { JSON.isInteger($0) }
    #expect(isInteger == !text.contains { ".eE".contains($0) })
  }

  @Test("A number with more digits than fit keeps its magnitude")
  func longNumber() {
    // Saturating too early would lose what the exponent takes away again.
    #expect(withGuardedOctets("100000000000000000000000e-20") { JSON.floor($0) } == 1_000)
    let zeros = String(repeating: "0", count: 300)
    #expect(withGuardedOctets("1\(zeros)e-300") { JSON.floor($0) } == 1)
    #expect(withGuardedOctets("0.\(zeros)1e301") { JSON.floor($0) } == 1)
  }
}

@Suite("JSON strings")
struct JSONStringTests {
  func decode(_ raw: String) -> [UInt8] {
    withGuardedOctets(raw) { raw in
      var decoder = JSONStringDecoder(raw)
      var result: [UInt8] = []
      while let octet = decoder.next() { result.append(octet) }
      return result
    }
  }

  func encode(_ octets: [UInt8]) -> String {
    withGuardedOctets(octets) { octets in written { $0.append(jsonString: octets) } }
  }

  @Test(
    "Escapes are read",
    arguments: [
      ("", ""), ("abc é", "abc é"), (#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{C}\n\r\t"),
      (#"\u0041\u00e9\u20AC"#, "Aé€"), (#"\ud83d\udc26"#, "🐦"), (#"\u0000"#, "\u{0}"),
      (#"\ud83d"#, "\u{FFFD}"), (#"\ud83dx"#, "\u{FFFD}x"), (#"\udc26"#, "\u{FFFD}"),
      (#"\ud83d\u0041"#, "\u{FFFD}A"), (#"\ud83d\n"#, "\u{FFFD}\n"),
      (#"\ud83d\ud83d\udc26"#, "\u{FFFD}🐦"),
    ])
  func decoding(raw: String, expected: String) {
    #expect(decode(raw) == Array(expected.utf8))
  }

  @Test("Strings that nobody has checked are read without harm")
  func unchecked() {
    for raw in ["\\", "\\u", "\\u1", "\\u123", "\\ud83d\\u", "\\x", "\\ud83d\\udc2"] {
      _ = decode(raw)
    }
  }

  @Test("What is written is JSON and can be read again")
  func roundTrip() throws {
    var all = (0x00...0x7F).map { UInt8($0) } + Array("é€🐦".utf8)
    let text = encode(all)
    #expect(withGuardedOctets(text) { JSON.isValid($0) })
    #expect(decode(String(text.dropFirst().dropLast())) == all)
    let value = try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
    #expect(value as? String == String(decoding: all, as: UTF8.self))
    all = [0x61, 0xFF, 0x62, 0xC3]
    #expect(encode(all) == "\"a\u{FFFD}b\u{FFFD}\"")
  }

  @Test("A string is compared with a literal, escapes read")
  func equality() {
    func equals(_ raw: String, _ literal: StaticString) -> Bool {
      withGuardedOctets(raw) { JSON.string($0, equals: literal) }
    }
    #expect(equals("HS256", "HS256") && equals(#"\u0048S256"#, "HS256"))
    #expect(!equals("HS25", "HS256") && !equals("HS2566", "HS256") && !equals("hs256", "HS256"))
  }
}
