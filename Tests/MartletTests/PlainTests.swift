import MartletTesting
import Testing

@testable import Martlet

@Suite struct PlainTests {
  @Test("Values are written as they are, and UTF-8 is repaired")
  func values() {
    let response = MartletTests.response(query: "x=%3Cb%3E%FF") { request, response in
      let nothing: Text<4>? = nil
      return response.plain(
        """
        \(Text<8>("<a>&")) \(nothing)\("'\"" as StaticString) \(nil as StaticString?)\([0x62, 0xC3] as [UInt8]) \
        \(request.query["x"]!) \(-7) \(nil as Int?)\(FixedPoint(2150, digits: 2)) \(0.5) \(true)\n
        """)
    }
    // The test's client repairs UTF-8, too, but it does not count what it repairs.
    #expect(response.header("Content-Length") == "\(response.body.utf8.count)")
    #expect(response.body == "<a>& '\" b\u{FFFD} <b>\u{FFFD} -7 21.50 0.5 true\n")
    #expect(response.status == .ok && response.header("Content-Type") == "text/plain; charset=utf-8")
  }

  @Test("It is written in pieces, too")
  func pieces() {
    let response = MartletTests.response { _, response in
      var body = response.body(.created, mediaType: "text/plain")
      body.write(plain: "a<\(1)")
      body.write(plain: " \("<" as StaticString)")
      return body.end()
    }
    #expect(response.status == .created && response.body == "a<1 <")
  }
}

extension Plain.Interpolation {
  fileprivate mutating func appendInterpolation(_ octets: [UInt8]) { appendInterpolation(octets.span) }
}
