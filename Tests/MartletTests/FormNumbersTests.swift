import MartletTesting
import Testing

@testable import Martlet

@Suite struct FormNumbersTests {
  func read(_ query: String, _ read: @escaping (borrowing FormValue) throws(NumberRefusal) -> String)
    -> String
  {
    MartletTests.response(query: "x=" + query) { request, response in
      guard let value = request.query["x"] else { return response.plain("none") }
      do throws(NumberRefusal) {
        let text = try read(value)
        return response.plain("\([UInt8](text.utf8).span)")
      } catch {
        return response.plain("\([UInt8]("\(error)".utf8).span)")
      }
    }.body
  }

  @Test(
    "A number is read from a form",
    arguments: [
      ("21.5", "215"), ("%32%31.5", "215"), ("+21.5+", "215"), ("-.5", "-5"), ("85", "850"),
      ("", "malformed"),
      ("21,5", "malformed"), ("%2B1", "malformed"), ("1+2", "malformed"), ("21.55", "notExact"),
      ("85.1", "outOfRange"),
      ("1e1", "100"), ("%FF", "malformed"), ("1%00", "malformed"),
      (String(repeating: "0", count: 65), "malformed"),
      (String(repeating: "0", count: 64), "0"),
    ])
  func fixedPoint(query: String, expected: String) {
    #expect(
      read(query) { v throws(NumberRefusal) in "\(try v.fixedPoint(digits: 1, in: -400...850).value)" }
        == expected)
  }

  @Test("Whole numbers and doubles are read from a form")
  func others() {
    func port(_ query: String) -> String {
      read(query) { v throws(NumberRefusal) in "\(try v.integer(in: 1...65_535) as UInt16)" }
    }
    #expect(port("80") == "80" && port("0") == "outOfRange" && port("65536") == "outOfRange")
    #expect(port("8.5") == "notExact" && port("x") == "malformed" && port("1e99") == "outOfRange")
    func ratio(_ query: String) -> String {
      read(query) { v throws(NumberRefusal) in "\(try v.double(in: 0...1))" }
    }
    #expect(ratio("0.1") == "0.1" && ratio("1.1") == "outOfRange" && ratio("1e999") == "outOfRange")
    #expect(ratio("nan") == "malformed" && ratio("+.25+") == "0.25")
  }
}

@Suite struct FormLineTests {
  /// What `line` makes of a field that was typed, or why the field is refused.
  private func line(_ typed: String) -> String {
    response(query: "a=" + typed) { request, response in
      do throws(LineRefusal) {
        guard let line: Text<8> = try request.query["a"]?.line() else { return response.plain("-") }
        return response.plain("[\(line)]")
      } catch {
        switch error {
        case .empty: return response.plain("empty")
        case .tooLong: return response.plain("tooLong")
        case .malformed: return response.plain("malformed")
        }
      }
    }.body
  }

  @Test("A line is text without controls, without the blanks around it, and not empty")
  func lines() {
    #expect(line("abc") == "[abc]")
    #expect(line("+a+b+") == "[a b]")
    #expect(line("S%C3%BC") == "[Sü]")
    #expect(line("12345678") == "[12345678]")
    let blanks = String(repeating: "+", count: 300)
    #expect(line(blanks + "12345678" + blanks) == "[12345678]")
    for none in ["", "+", "+%09+", blanks] { #expect(line(none) == "empty", "\(none)") }
    for long in ["123456789", "1++++++++2", "12345678+9", String(repeating: "x", count: 300)] {
      #expect(line(long) == "tooLong", "\(long)")
    }
    for none in ["a%00b", "a%0D%0Ab", "%FF", "%C3", "a%7F", "a%09b"] {
      #expect(line(none) == "malformed", "\(none)")
    }
  }

  @Test("A text and a line may have more than 255 octets")
  func long() {
    let typed = String(repeating: "x", count: 400)
    let counts = response(query: "a=" + typed) { request, response in
      let text: Text<400>? = request.query["a"]?.text()
      let line: Text<400>? = try? request.query["a"]?.line()
      let short: Text<399>? = request.query["a"]?.text()
      return response.plain("\(text?.count) \(line?.count) \(short == nil)")
    }.body
    #expect(counts == "400 400 true")
  }
}
