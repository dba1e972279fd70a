import MartletBytes
import MartletHTTP
import TestSupport
import Testing

@Suite("Cookies")
struct CookieTests {
  /// All cookies of one field value.
  func cookies(_ octets: [UInt8]) -> [[String]] {
    withGuardedOctets(octets) { octets in
      var cookies = CookieString(octets)
      var result: [[String]] = []
      while let cookie = cookies.next() {
        result.append([String(cookie.name), String(cookie.value)])
      }
      return result
    }
  }

  func cookies(_ text: String) -> [[String]] { cookies(Array(text.utf8)) }

  /// The value of the cookie `session` among the Cookie fields of a request.
  func session(_ values: [String]) throws -> String? {
    let lines = values.map { "Cookie: \($0)\r\n" }.joined()
    return try withGuardedOctets("GET / HTTP/1.1\r\nHost: h\r\n\(lines)A: b\r\n\r\n") { octets in
      let head = try #require(try RequestHead.parse(octets))
      return string(Cookie.find("session", in: head.cookieFields(in: octets)))
    }
  }

  @Test(
    "Cookies are split at semicolons and the first equals sign",
    arguments: [
      ("", []),
      ("a=1", [["a", "1"]]),
      ("a=1; b=2", [["a", "1"], ["b", "2"]]),
      ("a=1;b=2", [["a", "1"], ["b", "2"]]),
      ("a=1;;  ; ;b=2;", [["a", "1"], ["b", "2"]]),
      (" a\t=\t1 ;\tb = 2 ", [["a", "1"], ["b", "2"]]),
      ("a=", [["a", ""]]),
      ("a=b=c==", [["a", "b=c=="]]),
      ("a=1 2", [["a", "1 2"]]),
      ("a b=1", [["a b", "1"]]),
      ("a", []),
      ("=", []),
      ("=a", []),
      (" =a; b=1", [["b", "1"]]),
      ("junk; a=1; more", [["a", "1"]]),
      ("q=\"x\"", [["q", "\"x\""]]),
      ("q=\"a;b=\"; c=1", [["q", "\"a"], ["b", "\""], ["c", "1"]]),
      ("q=\"; a=1", [["q", "\""], ["a", "1"]]),
      ("a=1,b=2", [["a", "1,b=2"]]),
      ("ä=ö; a=1", [["ä", "ö"], ["a", "1"]]),
      ("a=%31", [["a", "%31"]]),
      ("$Version=1; a=1", [["$Version", "1"], ["a", "1"]]),
    ] as [(String, [[String]])])
  func pairs(text: String, expected: [[String]]) {
    #expect(cookies(text) == expected)
  }

  @Test("Octets of any kind beside a cookie never hide it")
  func junk() {
    for octet in UInt8.min...UInt8.max where octet != 0x3B {
      let junk: [UInt8] = [octet, 0x3D, octet]
      let all = cookies(junk + Array("; session=x; ".utf8) + junk)
      #expect(all.contains(["session", "x"]), "\(octet)")
    }
  }

  @Test("A cookie string cut off anywhere gives the cookies before the cut")
  func prefixes() {
    let text = "theme=dark;  session = eyJ.x ; junk; =lost; q=\"a;b\""
    let all = cookies(text)
    #expect(all == [["theme", "dark"], ["session", "eyJ.x"], ["q", "\"a"]])
    for count in 0..<text.utf8.count {
      let part = cookies(Array(text.utf8.prefix(count)))
      // The last one may be cut; those before it are whole.
      #expect(part.count <= all.count)
      for (cookie, whole) in zip(part.dropLast(), all) { #expect(cookie == whole) }
      if let last = part.last {
        #expect(last[0] == all[part.count - 1][0])
        #expect(all[part.count - 1][1].hasPrefix(last[1]))
      }
    }
  }

  @Test("Damaged octets change no more than their own cookie")
  func damaged() {
    let text = Array("a=1; b=22; c=333; d=4444".utf8)
    let whole = cookies(text)
    var random = SeededRandom(7)
    for position in text.indices {
      var damaged = text
      damaged[position] ^= UInt8.random(in: 1...255, using: &random)
      let kept = cookies(damaged).filter { whole.contains($0) }
      #expect(kept.count >= (text[position] == 0x3B ? 2 : 3), "\(position)")
    }
  }

  @Test("The first cookie of a name wins, within a line and over several")
  func first() throws {
    #expect(try session(["session=1; session=2"]) == "1")
    #expect(try session(["a=b", "session=1", "session=2"]) == "1")
    #expect(try session(["session=; session=2"]) == "")
    #expect(try session(["session; session=2"]) == "2")
  }

  @Test("Names are compared exactly")
  func names() throws {
    #expect(try session(["Session=1; SESSION=2"]) == nil)
    #expect(try session(["xsession=1; session2=2; ses=3"]) == nil)
    #expect(try session([]) == nil)
    #expect(try session(["session =1"]) == "1")
  }

  @Test("Ten thousand cookies are read one by one")
  func many() {
    let text = (0..<10_000).map { "c\($0)=\($0)" }.joined(separator: "; ")
    let all = cookies(text)
    #expect(all.count == 10_000)
    #expect(all.last == ["c9999", "9999"])
  }

  @Test("The vectors of jshttp/cookie on which Microdot agrees")
  func vectors() throws {
    let cases = try #require(try vectorJSON("cookie-jshttp/parse-cases.json") as? [[String: Any]])
    var count = 0
    for vector in cases {
      let input = try #require(vector["input"] as? String)
      var expected = try #require(vector["expected"] as? [[String]])
      let found = cookies(input)
      guard vector["same_as_microdot_2_7"] as? Bool == true else { continue }
      // Microdot makes an empty value of a piece without "="; no pair can have come from one.
      expected.removeAll { $0[0].isEmpty }
      #expect(firstOfEach(found) == expected, "\(input)")
      count += 1
    }
    #expect(count >= 20)
  }

  @Test("The vectors of jshttp/cookie on which Microdot differs: the first wins, names are trimmed")
  func otherVectors() throws {
    let cases = try #require(try vectorJSON("cookie-jshttp/parse-cases.json") as? [[String: Any]])
    for vector in cases where vector["same_as_microdot_2_7"] as? Bool == false {
      let input = try #require(vector["input"] as? String)
      let expected = try #require(vector["expected"] as? [[String]])
      // jshttp decodes values, and keeps a cookie without a name.
      guard !input.contains("%20"), !expected.contains(where: { $0[0].isEmpty }) else { continue }
      #expect(firstOfEach(cookies(input)) == expected, "\(input)")
    }
  }

  /// The first cookie of each name.
  func firstOfEach(_ cookies: [[String]]) -> [[String]] {
    var names: Set<String> = []
    return cookies.filter { names.insert($0[0]).inserted }
  }
}
