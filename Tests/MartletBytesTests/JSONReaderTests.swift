import Foundation
import MartletBytes
import TestSupport
import Testing

@Suite("JSON by type")
struct JSONReaderTests {
  /// What `body` reads from an object, or the sentence that says why not.
  func read<Value>(
    _ text: String, _ body: (borrowing JSONObject) throws(JSONError) -> Value
  ) -> String {
    withGuardedOctets(text) { octets in
      do throws(JSONError) { return "\(try body(try JSONDocument(octets).object()))" } catch {
        let error = error
        return "\(error.kind) " + written { $0.append(error) }
      }
    }
  }

  /// A whole text, walked without recursion into one line.
  func walked(_ octets: [UInt8]) -> String? {
    withGuardedOctets(octets) { octets in
      guard let document = try? JSONDocument(octets) else { return nil }
      return show(document.root)
    }
  }

  func show(_ item: borrowing JSONItem) -> String {
    switch item.kind {
    case .object:
      guard let object = try? item.object() else { return "?" }
      var result: [String] = []
      var member = object.member(after: nil)
      while let current = member {
        result.append(String(item.octets[current.name]))
        member = object.member(after: current)
      }
      return "{" + result.joined(separator: ",") + "}"
    case .array:
      guard var array = try? item.array() else { return "?" }
      let count = array.count
      var result: [String] = []
      while let element = array.next() { result.append(show(element)) }
      #expect(count == result.count && array.count == 0)
      return "[" + result.joined(separator: ",") + "]"
    default: return String(item.octets)
    }
  }

  let settings = """
    { "port" : 8080, "name":"caf\\u00e9", "on":true, "celsius":-21.5, "ratio":2.5e-1, "none":null,
      "wifi":{"ssid":"home","channels":[1, 6 ,11]}, "tags":["a","bc"], "twice":1, "tw\\u0069ce":2, "": 0 }
    """

  @Test("Members are read by type")
  func members() {
    #expect(read(settings) { o throws(JSONError) in try o.integer("port", in: 1...65_535) } == "8080")
    #expect(read(settings) { o throws(JSONError) in try o.integer("port") as UInt16 } == "8080")
    #expect(
      read(settings) { o throws(JSONError) in
        let name: Text<5> = try o.text("name")
        return String(name.span)
      } == "café")
    #expect(read(settings) { o throws(JSONError) in try o.boolean("on") } == "true")
    #expect(read(settings) { o throws(JSONError) in try o.decimal("celsius", digits: 2).value } == "-2150")
    #expect(read(settings) { o throws(JSONError) in try o.double("ratio") } == "0.25")
    #expect(read(settings) { o throws(JSONError) in try o.integer("") as Int } == "0")
    #expect(
      read(settings) { o throws(JSONError) in
        let wifi = try o.object("wifi")
        var channels = try wifi.array("channels")
        var sum = channels.count * 100
        while let channel = channels.next() { sum += try channel.integer(in: 1...13) }
        return sum
      } == "318")
    #expect(
      read(settings) { o throws(JSONError) in
        var buffer = FixedBuffer<4>()
        try o.object("wifi").text("ssid", into: &buffer)
        return String(buffer.span)
      } == "home")
    #expect(read(settings) { o throws(JSONError) in try o.value("name").equals("café") } == "true")
    #expect(read(settings) { o throws(JSONError) in try o.value("port").equals("8080") } == "false")
  }

  @Test("Absent and null are told apart, and both are nil where a member may be missing")
  func optionals() {
    #expect(
      read(settings) { o throws(JSONError) in
        let (a, b, c) = (try o.presence(of: "x"), try o.presence(of: "none"), try o.presence(of: "on"))
        return "\(a) \(b) \(c)"
      } == "absent null value")
    for name in ["x", "none"] as [StaticString] {
      #expect(read(settings) { o throws(JSONError) in try o.integerIfPresent(name, in: 1...9) } == "nil")
      #expect(read(settings) { o throws(JSONError) in try o.booleanIfPresent(name) } == "nil")
      #expect(read(settings) { o throws(JSONError) in try o.doubleIfPresent(name) } == "nil")
      #expect(read(settings) { o throws(JSONError) in try o.decimalIfPresent(name, digits: 1) } == "nil")
      #expect(
        read(settings) { o throws(JSONError) in try o.textIfPresent(name) as Text<8>? } == "nil")
      #expect(
        read(settings) { o throws(JSONError) in
          if try o.objectIfPresent(name) != nil { return true }
          return try o.arrayIfPresent(name) != nil
        } == "false")
    }
    #expect(
      read(settings) { o throws(JSONError) in
        guard var tags = try o.arrayIfPresent("tags"), try o.objectIfPresent("wifi") != nil,
          let port = try o.integerIfPresent("port", in: 1...65_535),
          let tag: Text<4> = try tags.next()?.text(),
          let on = try o.booleanIfPresent("on"), let ratio = try o.doubleIfPresent("ratio"),
          let celsius = try o.decimalIfPresent("celsius", digits: 1),
          let name: Text<8> = try o.textIfPresent("name")
        else { return "" }
        return "\(port) \(String(tag.span)) \(on) \(ratio) \(celsius.value) \(String(name.span))"
      } == "8080 a true 0.25 -215 café")
    // What is there is read, or refused.
    #expect(
      read(settings) { o throws(JSONError) in try o.integerIfPresent("name", in: 1...9) }
        == "wrongType name: a whole number from 1 to 9")
  }

  @Test("A line of JSON is a text without controls, without the blanks around it, and not empty")
  func lines() {
    func line(_ value: String) -> String {
      read(#"{"name":\#(value)}"#) { o throws(JSONError) in
        let name: Text<4> = try o.line("name")
        let same: Text<4>? = try o.lineIfPresent("name")
        return "[\(String(name.span))]\(same == name)"
      }
    }
    for (value, expected) in [
      (#""abcd""#, "[abcd]true"), (#""  a b  ""#, "[a b]true"), (#""é\u0020""#, "[é]true"),
      (#""\t\tabcd      ""#, "[abcd]true"),
    ] {
      #expect(line(value) == expected, "\(value)")
    }
    let sentence = " name: a line of 1 to 4 octets"
    for none in [#""""#, #""   ""#, #""a\nb""#, #""a\tb""#, #""\u0000""#, #""\r\n""#] {
      #expect(line(none) == "notLine" + sentence, "\(none)")
    }
    for long in [#""abcde""#, #""a   b""#, #""ééé""#, #""abcd   e""#] {
      #expect(line(long) == "tooLong" + sentence, "\(long)")
    }
    #expect(line("7") == "wrongType" + sentence)
    #expect(line("null") == "wrongType" + sentence)
    #expect(
      read("{}") { o throws(JSONError) in (try o.line("name") as Text<4>).count }
        == "missing name is missing: a line of 1 to 4 octets")
    #expect(
      read(#"{"name":null}"#) { o throws(JSONError) in
        let name: Text<4>? = try o.lineIfPresent("name")
        return "\(name == nil)"
      } == "true")
  }

  @Test("A refusal names the member and says what is expected")
  func refusals() {
    func integer(_ value: String) -> String {
      read(#"{"port":\#(value)}"#) { o throws(JSONError) in try o.integer("port", in: 1...65_535) }
    }
    let sentence = " port: a whole number from 1 to 65535"
    for value in ["0", "65536", "-1", "1e99", "9223372036854775808", "1e99999999999"] {
      #expect(integer(value) == "outOfRange" + sentence, "\(value)")
    }
    for value in ["1.5", "1e-1", "65535.0000000000000000000000000000000001"] {
      #expect(integer(value) == "notExact" + sentence, "\(value)")
    }
    for value in ["null", "true", "\"80\"", "[80]", "{}"] {
      #expect(integer(value) == "wrongType" + sentence, "\(value)")
    }
    for value in ["80", "8e1", "80.0", "800e-1"] { #expect(integer(value) == "80") }
    #expect(
      read("{}") { o throws(JSONError) in try o.integer("port", in: 1...65_535) }
        == "missing port is missing: a whole number from 1 to 65535")
    #expect(
      read(settings) { o throws(JSONError) in try o.integer("twice") as Int }
        == "duplicate twice stands there twice")
    #expect(
      read(settings) { o throws(JSONError) in try o.presence(of: "twice") }
        == "duplicate twice stands there twice")
    #expect(
      read(settings) { o throws(JSONError) in (try o.text("name") as Text<4>).count }
        == "tooLong name: a text of at most 4 octets")
    #expect(
      read(settings) { o throws(JSONError) in (try o.text("name", atMost: 3) as Text<16>).count }
        == "tooLong name: a text of at most 3 octets")
    #expect(
      read(settings) { o throws(JSONError) in (try o.text("port") as Text<300>).count }
        == "wrongType port: a text of at most 300 octets")
    #expect(
      read(settings) { o throws(JSONError) in try o.decimal("celsius", digits: 2, in: -2_000...8_500) }
        == "outOfRange celsius: a number from -20.00 to 85.00 with at most 2 decimals")
    #expect(
      read(settings) { o throws(JSONError) in try o.decimal("celsius", digits: 0) }
        == "notExact celsius: a number with at most 0 decimals")
    #expect(
      read(settings) { o throws(JSONError) in try o.double("ratio", in: 0.5...1) }
        == "outOfRange ratio: a number from 0.5 to 1")
    #expect(
      read(#"{"x":1e400}"#) { o throws(JSONError) in try o.double("x") } == "outOfRange x: a number")
    #expect(read(#"{"x":1}"#) { o throws(JSONError) in try o.boolean("x") } == "wrongType x: true or false")
    #expect(
      read(settings) { o throws(JSONError) in try o.object("tags").integer("x") as Int }
        == "wrongType tags: an object")
    #expect(read(settings) { o throws(JSONError) in try o.array("wifi").count } == "wrongType wifi: an array")
    #expect(
      read(settings) { o throws(JSONError) in
        var tags = try o.array("tags")
        while let tag = tags.next() { let _: Text<1> = try tag.text() }
        return 0
      } == "tooLong tags[1]: a text of at most 1 octets")
    #expect(
      read(settings) { o throws(JSONError) in
        var buffer: FixedBuffer<3> = FixedBuffer()
        buffer.append(0x41)
        do throws(JSONError) { try o.object("wifi").text("ssid", into: &buffer) } catch {
          guard buffer.count == 0 else { return 1 }
          throw error
        }
        return 0
      } == "tooLong ssid: a text of at most 3 octets")
    for text in ["[]", "1", "null", "\"{}\""] {
      #expect(read(text) { (o) throws(JSONError) in 0 } == "wrongType an object")
    }
    for text in ["", "{", "{}x", "[1,]", "\u{FEFF}{}"] {
      #expect(read(text) { (o) throws(JSONError) in 0 } == "notJSON the text is no JSON")
    }
  }

  @Test("Bounds that no Int64 holds refuse, and trap nowhere")
  func bounds() {
    func number(_ value: String, in range: ClosedRange<UInt64>) -> String {
      read(#"{"a":\#(value)}"#) { o throws(JSONError) in try o.integer("a", in: range) }
    }
    let beyond = UInt64(Int64.max) + 2
    #expect(number("9223372036854775807", in: beyond...UInt64.max).hasPrefix("outOfRange"))
    #expect(number("9223372036854775809", in: 0...UInt64.max).hasPrefix("outOfRange"))
    #expect(number("9223372036854775807", in: 0...UInt64.max) == "9223372036854775807")
    #expect(
      read(#"{"a":-128}"#) { o throws(JSONError) in try o.integer("a") as Int8 } == "-128")
    #expect(
      read(#"{"a":-129}"#) { o throws(JSONError) in try o.integer("a") as Int8 }
        == "outOfRange a: a whole number from -128 to 127")
  }

  @Test("The vectors of JSONTestSuite are walked when they are JSON, and only then")
  func vectors() throws {
    let cases = try #require(try vectorJSON("json-nst/cases.json") as? [[String: String]])
    for vector in cases {
      let raw = octets(hexadecimal: try #require(vector["raw_hex"]))
      let isValid = withGuardedOctets(raw) { JSON.isValid($0) }
      #expect((walked(raw) != nil) == isValid, "\(vector["name"] ?? "")")
      // The same as a member and as an element.
      let element = walked(Array("[ 0,".utf8) + raw + Array(", [ ] ]".utf8))
      if isValid, let element { #expect(element.hasPrefix("[0,") && element.hasSuffix(",[]]")) }
    }
  }

  @Test("Nested arrays are walked to the deepest, and a text of the largest size is read")
  func limits() {
    let depth = Limits.jsonDepthMax
    let text = String(repeating: "[", count: depth) + "7" + String(repeating: "]", count: depth)
    #expect(walked(Array(text.utf8)) == text)
    let long = Array("\"\(String(repeating: "a", count: Limits.jsonSizeMax - 2))\"".utf8)
    #expect(walked(long)?.count == Limits.jsonSizeMax - 2)
    #expect(walked(long + [0x20]) == nil)
    #expect(walked(Array("[\(String(repeating: "1,", count: 30_000))1]".utf8)) != nil)
  }

  @Test("Every beginning is refused, and every damage is read or refused without harm")
  func damaged() {
    let text = Array(settings.utf8)
    #expect(
      walked(text) == "{port,name,on,celsius,ratio,none,wifi,tags,twice,tw\\u0069ce,}")
    for count in text.indices { #expect(walked(Array(text.prefix(count))) == nil) }
    var random = SeededRandom(5)
    for i in text.indices {
      for octet in [UInt8.random(in: 0...255, using: &random), 0x22, 0x5C, 0x5D, 0x2C, 0x7B] {
        var damaged = text
        damaged[i] = octet
        _ = walked(damaged)
        _ = withGuardedOctets(damaged) { octets in
          try? JSONDocument(octets).object().object("wifi").array("channels").count
        }
      }
    }
  }
}
