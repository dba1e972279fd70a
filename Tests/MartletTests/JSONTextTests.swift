// JSON that pages write: every value is encoded by its type and stands where JSON has a value.

import Foundation
import MartletTesting
import TestSupport
import Testing

@testable import Martlet

/// A type of a program that joins by extension.
private struct Reading {
  var name: Text<8>
  var celsius: FixedPoint
}

extension JSONText.Interpolation {
  fileprivate mutating func appendInterpolation(_ reading: Reading) {
    appendLiteral("{\"name\":")
    appendInterpolation(reading.name)
    appendLiteral(",\"celsius\":")
    appendInterpolation(reading.celsius)
    appendLiteral("}")
  }
}

private func pair(_ value: Int) -> JSONText { "[\(value),\(value + 1)]" }

@Suite struct JSONTextTests {
  @Test("Values are encoded by their type")
  func types() {
    let nothing: Text<4>? = nil
    let number: Int? = nil
    let name: StaticString? = "n"
    let body = json { _, response in
      response.json(
        """
        [\(Text<4>("te\"x")),\(nothing),\("lit\\" as StaticString),\(name),\(nil as StaticString?),\
        \(Int.min),\(UInt64.max),\(number),\(7 as Int?),\(true),\(nil as Bool?),\(false as Bool?),\
        \(FixedPoint(-5, digits: 2)),\(nil as FixedPoint?),\(0.1),\(Double.nan),\(-Double.infinity),\
        \(nil as Double?),\(2.675, digits: 2),\(Double.infinity, digits: 1),\(nil as Double?, digits: 1),\
        \(Reading(name: "a", celsius: FixedPoint(2150, digits: 2))),\(json: pair(3)),\("literal")]
        """)
    }
    #expect(
      body == #"["te\"x",null,"lit\\","n",null,-9223372036854775808,18446744073709551615,null,7,true,null,"#
        + #"false,-0.05,null,0.1,null,null,null,2.67,null,null,{"name":"a","celsius":21.50},[3,4],"literal"]"#
    )
  }

  @Test("It is JSON, with the status and the media type of JSON")
  func response() {
    let response = MartletTests.response { _, response in response.json(.created, "{\"a\":\(1)}") }
    #expect(response.status == .created && response.header("Content-Type") == "application/json")
    #expect(response.body == "{\"a\":1}")
  }

  @Test("Any octets become a JSON string that reads as the same text, and hold nothing that ends a script")
  func texts() throws {
    var inputs: [[UInt8]] = (0...255).map { [$0] }
    inputs += (0...255).map { [0x61, 0xE2, $0, 0xA8, 0x62] } + (0...255).map { [0xE2, 0x80, $0] }
    inputs += [
      [], Array("</script><!-- & ' \" \\ \u{2028}\u{2029} é 🐦 \u{0}\n".utf8), [0xF0, 0x9F], [0xC3, 0x22],
    ]
    var random = SeededRandom(3)
    for _ in 0..<200 { inputs.append((0..<40).map { _ in UInt8.random(in: 0...255, using: &random) }) }
    for input in inputs {
      let typed = input.map { "%" + String(UInt16($0) + 0x100, radix: 16).dropFirst() }.joined()
      let body = try #require(json { _, response in response.json("{\"a\":\(input.span)}") })
      #expect(json(query: "x=" + typed) { $1.json("{\"a\":\($0.query["x"]!)}") } == body)
      let value = try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: String]
      // JSONSerialization drops a byte order mark at the start of a string, as no JSON reader should.
      #expect(value?["a"] == String(decoding: input, as: UTF8.self), "\(input)")
      #expect(
        !body.unicodeScalars.contains { "<>&\u{2028}\u{2029}".unicodeScalars.contains($0) || $0.value < 0x20 }
      )
    }
  }

  @Test("A value between quotation marks, or beside a value, is a bug of the page")
  func misuse() {
    let evil: StaticString = "evil"
    let pages: [Page] = [
      { _, r in r.json("{\"a\":\"\(evil)\"}") }, { _, r in r.json("{\"a\":\"x\(1)\"}") },
      { _, r in r.json("{\"\(evil)\":1}") }, { _, r in r.json("[\"\\\"\(evil)\"]") },
      { _, r in r.json("[\"\\\\\"\(evil)]") }, { _, r in r.json("[\(evil)\(evil)]") },
      { _, r in r.json("[1\(evil)]") }, { _, r in r.json("[\(evil)\"x\"]") },
      { _, r in r.json("[\(evil) x]") },
      { _, r in r.json("{}\(evil)") }, { _, r in r.json("[\(1)\(markup: "1")]") },
      { _, r in r.json("[\"a") }, { _, r in r.json("[\"a\\\"") }, { _, r in r.json("[\(evil),\"a") },
      { _, r in
        var body = r.body(mediaType: "application/json")
        body.write(json: "[\"")
        body.write(json: "\(evil)\"]")
        return body.end()
      },
      { _, r in r.json("{\"a\":\"\(json: pair(1))\"}") }, { _, r in r.json("{\"a\":\"\(true)\"}") },
      { _, r in r.json("{\"a\":\"\(nil as Int?)\"}") }, { _, r in r.json("{\"a\":\"\(0.5)\"}") },
      { _, r in r.json("{\"a\":\"\(FixedPoint(1, digits: 1))\"}") },
      { _, r in r.json("{\"a\":\"\(0.5, digits: 1)\"}") },
      { q, r in r.json("{\"a\":\"\(q.query["x"]!)\"}") },
    ]
    for (i, page) in pages.enumerated() {
      let response = MartletTests.response(query: "x=evil", page)
      #expect(response.status == .internalServerError, "\(i)")
      #expect(response.body.contains("A bug:") && !response.body.contains("evil"), "\(i)")
    }
    #expect(json { _, r in r.json("[\"\\\\\",\(evil),\"\\\"\"]") } == #"["\\","evil","\""]"#)
    #expect(json { _, r in r.json("{ \(evil) : \(evil) , \"b\" : [ \(1) , \(2) ] }") } != nil)
    #expect(json { _, r in r.json("\(evil)") } == "\"evil\"")
  }

  @Test("A long text is written in pieces")
  func pieces() {
    let body = json { _, response in
      var body = response.body(mediaType: "application/json")
      body.write(json: "{\"list\":[")
      for i in 0..<3 { body.write(json: "\(markup: i > 0 ? "," : "")\(i)") }
      body.write(json: "]}")
      return body.end()
    }
    #expect(body == "{\"list\":[0,1,2]}")
  }

  @Test("JSON in HTML stands right after the tag of a script, and nowhere else")
  func script() {
    let evil: StaticString = "</script><b>"
    let good: [Page] = [
      { _, r in r.html("<script>\(json: "{\"a\":\(evil)}")</script><p>\(evil)") },
      { _, r in r.html("<p title=\"\(1)\"><SCRIPT id=x type='application/json'>\(json: "[\(evil)]")</script>")
      },
    ]
    for (i, page) in good.enumerated() {
      let response = MartletTests.response(page)
      #expect(response.status == .ok, "\(i)")
      #expect(response.body.contains("\"\\u003C/script\\u003E\\u003Cb\\u003E\""), "\(response.body)")
    }
    #expect(MartletTests.response(good[0]).body.hasSuffix("</script><p>&lt;/script&gt;&lt;b&gt;"))
    let bad: [Page] = [
      { _, r in r.html("\(json: "[1]")") }, { _, r in r.html("<p>\(json: "[1]")") },
      { _, r in r.html("<script> \(json: "[1]")") }, { _, r in r.html("<script>a=\(json: "[1]")") },
      { _, r in r.html("<script>a>\(json: "[1]")") }, { _, r in r.html("<script \(json: "[1]")") },
      { _, r in r.html("<style>\(json: "[1]")") }, { _, r in r.html("<p a=\"<script>\(json: "[1]")") },
      { _, r in r.html("<script></p>\(json: "[1]")") }, { _, r in r.html("<script></script>\(json: "[1]")") },
      { _, r in r.html("<!-- <script>\(json: "[1]")") }, { _, r in r.html("<p onclick='>\(json: "[1]")") },
      { _, r in r.html("<script>\(json: "[1]")\(json: "[1]")") },
      { _, r in r.html("<script>\(1)\(json: "[1]")") },
      { _, r in r.html("<script>\(json: "[1]")\(evil)") },
    ]
    for (i, page) in bad.enumerated() {
      #expect(MartletTests.response(page).status == .internalServerError, "\(i)")
    }
  }

  @Test("Why a value was refused is told as JSON")
  func errors() {
    let body = json { _, response in
      do throws(JSONError) {
        let port: Int = try JSONDocument([UInt8]("{\"port\":0}".utf8).span).object()
          .integer("port", in: 1...65_535)
        return response.json("\(port)")
      } catch {
        return response.json(.unprocessableContent, "{\"detail\":\(error)}")
      }
    }
    #expect(body == "{\"detail\":\"port: a whole number from 1 to 65535\"}")
  }

  @Test("What does not fit is a 500, and the next page begins anew")
  func overflow() {
    let long = [UInt8](repeating: 0x22, count: 9_000)
    #expect(json { _, r in r.json("[\(long.span),\(long.span)]") } == nil)
    #expect(json { _, r in r.json("[1]") } == "[1]")
  }
}
