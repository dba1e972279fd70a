// Dates, entity tags, the order of preconditions, codings and media types.

import MartletBytes
import MartletHTTP
import TestSupport
import Testing

@Suite("Dates of requests")
struct HTTPDateParseTests {
  func parse(_ text: String, now: Int64 = 1_800_000_000) -> Int64? {
    withGuardedOctets(text) { HTTPDate.parse($0, now: now) }
  }

  @Test("The three forms of RFC 9110 section 5.6.7 are one moment")
  func forms() {
    for text in [
      "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
      "Sun Nov 06 08:49:37 1994",
    ] { #expect(parse(text) == 784_111_777, "\(text)") }
  }

  @Test("What is written is parsed again, at the bounds and in between")
  func roundTrip() {
    var random = SeededRandom(6)
    let bounds: [Int64] = [
      0, 59, 86_399, 951_782_399, 951_782_400, 951_868_800, 4_107_542_399, 253_402_300_799,
    ]
    for seconds in bounds + (0..<3_000).map({ _ in Int64.random(in: 0...253_402_300_799, using: &random) }) {
      let date = HTTPDate(seconds)
      let text = String(date.span)
      #expect(parse(text) == seconds, "\(text)")
    }
  }

  @Test(
    "Two digits of a year stand for the latest year that is at most 50 years ahead",
    arguments: [
      (1_800_000_000, "77", 3_376_684_800), (1_800_000_000, "78", 252_460_800),
      (1_800_000_000, "27", 1_798_761_600),
      (946_684_799, "49", 2_493_072_000), (946_684_799, "50", 0), (0, "20", 1_577_836_800), (-5, "69", 0),
    ] as [(Int64, String, Int64)])
  func years(_ now: Int64, _ digits: String, _ expected: Int64) {
    #expect(parse("Monday, 01-Jan-\(digits) 00:00:00 GMT", now: now) == expected)
  }

  @Test("A date before 1970 is the first second of 1970, and a leap second is the next second")
  func ends() {
    #expect(parse("Sun, 06 Nov 1894 08:49:37 GMT") == 0 && parse("Mon, 01 Jan 0000 00:00:00 GMT") == 0)
    #expect(parse("Sat, 31 Dec 2016 23:59:60 GMT") == 1_483_228_800)
    #expect(parse("Tue, 29 Feb 2000 00:00:00 GMT") == 951_782_400)
  }

  @Test(
    "What is no date is refused",
    arguments: [
      "", "0", "yesterday", "1994-11-06T08:49:37Z", "Sun, 06 Nov 1994 08:49:37",
      "Sun, 06 Nov 1994 08:49:37 UTC",
      "Sun, 06 Nov 1994 08:49:37 GMT ", "sun, 06 Nov 1994 08:49:37 GMT", "Xun, 06 Nov 1994 08:49:37 GMT",
      "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
      "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT",
      "Sun, 29 Feb 1900 08:49:37 GMT", "Sun, 30 Feb 2000 08:49:37 GMT", "Sun, 6 Nov 1994 08:49:37 GMT",
      "Sun, 06-Nov-1994 08:49:37 GMT", "Sunday, 06-Nov-1994 08:49:37 GMT", "Sunday, 06 Nov 94 08:49:37 GMT",
      "Sund, 06-Nov-94 08:49:37 GMT", "Sun Nov 6 08:49:37 1994", "Sun Nov  6 08:49:37 94",
      "Sun Nov   608:49:37 1994",
      "Sun, 06 Nov -994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:3\u{0} GMT", ",", "Sun,",
      ", 06 Nov 1994 08:49:37 GMT",
    ])
  func refused(_ text: String) { #expect(parse(text) == nil) }

  @Test("Every beginning is refused, and an octet changed gives a date or none")
  func flips() {
    var random = SeededRandom(8)
    for text in [
      "Sun, 06 Nov 1994 08:49:37 GMT", "Wednesday, 09-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
    ] {
      let octets = Array(text.utf8)
      for i in octets.indices {
        #expect(parse(String(text.prefix(i))) == nil)
        for _ in 0..<50 {
          var changed = octets
          changed[i] = UInt8.random(in: 0...255, using: &random)
          if let seconds = withGuardedOctets(changed, { HTTPDate.parse($0, now: 0) }) {
            #expect((0...253_402_300_800).contains(seconds))
          }
        }
      }
    }
  }
}

@Suite("Entity tags")
struct EntityTagTests {
  func contains(_ list: String, _ tag: String, _ comparison: TagComparison) -> Bool {
    let tag = Array(tag.utf8)
    return withGuardedOctets(list) { EntityTag.list($0, contains: tag.span, comparison) }
  }

  @Test(
    "Tags are compared as in the table of RFC 9110 section 8.8.3.2",
    arguments: [
      ("W/\"1\"", "W/\"1\"", false, true), ("W/\"1\"", "W/\"2\"", false, false),
      ("W/\"1\"", "\"1\"", false, true),
      ("\"1\"", "\"1\"", true, true), ("\"1\"", "\"2\"", false, false), ("1", "1", false, false),
      ("w/\"1\"", "w/\"1\"", false, false), ("\"1\" ", "\"1\" ", false, false), ("", "", false, false),
    ])
  func table(_ a: String, _ b: String, _ strong: Bool, _ weak: Bool) {
    let other = Array(b.utf8)
    for (comparison, expected) in [(TagComparison.strong, strong), (.weak, weak)] {
      #expect(withGuardedOctets(a) { EntityTag.equals($0, other.span, comparison) } == expected)
    }
  }

  @Test("A list has a tag wherever it stands; commas may be in tags")
  func lists() {
    for list in [
      "\"a\"", " \"a\"", "\"b\",\"a\"", "\"b\" , W/\"c\",, \"a\" ,", "\"x,\", \"a\"", "\"\",\"a\"", "*",
    ] {
      #expect(contains(list, "\"a\"", .strong), "\(list)")
    }
    for list in [
      "", ",", "\"b\"", "a", "\"a", "a\"", "\"b\"\"a\"", "\"b\";\"a\"", "x, \"a\"", "\"b, \"a\"", "**", "W/",
      "W/a",
    ] {
      #expect(!contains(list, "\"a\"", .weak), "\(list)")
    }
    #expect(contains("\"a,b\"", "\"a,b\"", .strong) && !contains("\"a\",\"b\"", "\"a,b\"", .weak))
    #expect(contains("W/\"a\"", "\"a\"", .weak) && !contains("W/\"a\"", "\"a\"", .strong))
    #expect(contains("\"\u{FC}\"", "\"\u{FC}\"", .strong))
  }

  @Test("Octets changed and lists cut anywhere are read within their bounds")
  func flips() {
    var random = SeededRandom(9)
    let text = Array("W/\"ab\", \"cd\",\"e,f\" , \"gh\"".utf8)
    let tag = Array("\"gh\"".utf8)
    for i in text.indices {
      for _ in 0..<20 {
        var changed = text
        changed[i] = UInt8.random(in: 0...255, using: &random)
        for octets in [changed, Array(text[..<i])] {
          let isFound = withGuardedOctets(octets) { EntityTag.list($0, contains: tag.span, .strong) }
          #expect(!isFound || octets.count > 4 && octets.suffix(10).contains(0x67) || octets == [0x2A])
        }
      }
    }
  }
}

@Suite("Preconditions")
struct PreconditionTests {
  static let tag = "\"5-10\""
  static let date: Int64 = 784_111_777
  static let now: Int64 = 1_800_000_000
  let same = "Sun, 06 Nov 1994 08:49:37 GMT"
  let earlier = "Sun, 06 Nov 1994 08:49:36 GMT"

  func section<R>(_ fields: [String], _ body: (FieldSection, borrowing Validators) -> R) -> R {
    let tag = Array(Self.tag.utf8)
    return withGuardedOctets("Host: a\r\n" + fields.map { $0 + "\r\n" }.joined()) {
      body(FieldSection($0), Validators(tag: tag.span, lastModified: Self.date))
    }
  }

  func outcome(_ fields: [String], _ method: MartletHTTP.Method = .get) -> Precondition {
    section(fields) { $0.precondition(method, $1, now: Self.now) }
  }

  func ranges(_ fields: [String], _ method: MartletHTTP.Method = .get, now: Int64 = now) -> Bool {
    section(fields) {
      if case .ranges = $0.ranges(method, size: 10, $1, now: now) { return true }
      return false
    }
  }

  @Test("The order is that of RFC 9110 section 13.2.2")
  func order() {
    #expect(outcome([]) == .proceed)
    #expect(outcome(["If-Match: \(Self.tag)"]) == .proceed && outcome(["If-Match: \"x\""]) == .failed)
    #expect(outcome(["If-Unmodified-Since: \(same)"]) == .proceed)
    #expect(outcome(["If-Unmodified-Since: \(earlier)"]) == .failed)
    #expect(outcome(["If-Match: \(Self.tag)", "If-Unmodified-Since: \(earlier)"]) == .proceed)
    #expect(outcome(["If-None-Match: W/\(Self.tag)"]) == .notModified)
    #expect(outcome(["If-None-Match: \"x\"", "If-Modified-Since: \(same)"]) == .proceed)
    #expect(
      outcome(["If-None-Match: *"], .head) == .notModified && outcome(["If-None-Match: *"], .put) == .failed)
    #expect(outcome(["If-Modified-Since: \(same)"]) == .notModified)
    #expect(outcome(["If-Modified-Since: \(earlier)"]) == .proceed)
    #expect(outcome(["If-Modified-Since: \(same)"], .post) == .proceed)
    #expect(outcome(["If-Match: \"x\"", "If-None-Match: \(Self.tag)"]) == .failed)
    #expect(outcome(["If-Match: \"x\"", "If-Match: \(Self.tag)"]) == .proceed)
    #expect(outcome(["If-Match:"]) == .failed && outcome(["If-None-Match:"]) == .proceed)
  }

  @Test("A date that is malformed, or stands twice, is ignored")
  func dates() {
    #expect(
      outcome(["If-Modified-Since: soon"]) == .proceed && outcome(["If-Unmodified-Since: soon"]) == .proceed)
    #expect(outcome(["If-Modified-Since: \(same)", "If-Modified-Since: \(same)"]) == .proceed)
  }

  @Test("A representation without a date has no conditions about dates")
  func noDate() {
    let fields = "If-Modified-Since: \(same)\r\nIf-Unmodified-Since: \(earlier)\r\n"
    let outcome = withGuardedOctets(fields) {
      FieldSection($0).precondition(.get, Validators(tag: Span(), lastModified: nil), now: Self.now)
    }
    #expect(outcome == .proceed)
  }

  @Test("Ranges are for GET, from one field, and for the version that If-Range names")
  func ifRange() {
    let range = "Range: bytes=0-1"
    #expect(ranges([range]) && !ranges([range], .head) && !ranges([range], .post) && !ranges([range, range]))
    #expect(ranges([range, "If-Range: \(Self.tag)"]) && !ranges([range, "If-Range: W/\(Self.tag)"]))
    #expect(
      !ranges([range, "If-Range: \"x\""]) && !ranges([range, "If-Range: *"]) && !ranges([range, "If-Range:"]))
    #expect(ranges([range, "If-Range: \(same)"]) && !ranges([range, "If-Range: \(earlier)"]))
    #expect(
      !ranges([range, "If-Range: \(same)"], now: Self.date), "another change may come within the second")
    #expect(!ranges([range, "If-Range: \(Self.tag)", "If-Range: \(Self.tag)"]))
    #expect(!ranges([range, "If-Range: \(Self.tag), \(Self.tag)"]))
  }
}

@Suite("Codings and media types")
struct ContentCodingTests {
  func coding(_ values: [String], gzip: Bool = true, brotli: Bool = true) -> ContentCoding {
    let fields = values.map { "Accept-Encoding: \($0)\r\nX: gzip;q=0\r\n" }.joined()
    return withGuardedOctets(fields) { FieldSection($0).contentCoding(hasGzip: gzip, hasBrotli: brotli) }
  }

  @Test(
    "The coding with the greatest weight is chosen",
    arguments: [
      ([], .identity), ([""], .identity), (["gzip"], .gzip), (["gzip, deflate, br"], .brotli),
      (["br, gzip"], .brotli),
      (["gzip", "br"], .brotli), (["gzip;q=1.0, br;q=0.9"], .gzip), (["*"], .brotli), (["*;q=0"], .identity),
      (["*;q=0, gzip"], .gzip), (["gzip;q=0, *"], .brotli), (["br;q=0,gzip;q=0"], .identity),
      (["compress"], .identity),
      (["identity;q=0.5, gzip;q=0.4"], .identity), (["identity;q=0.5, gzip ; q=0.501"], .gzip),
      (["X-GZIP"], .gzip), (["gzip;q=0.000"], .identity), (["gzip;q=0.001"], .gzip),
      (["gzip;q=1.001"], .identity),
      (["gzip;q=2"], .identity), (["gzip;q="], .identity), (["gzip;q=0.1234"], .identity),
      (["gzip;level=1"], .identity),
      (["gzip;q=.5"], .identity), (["gzip;q=0.a"], .identity), (["gzipx, xgzip"], .identity),
      ([";q=1"], .identity),
    ] as [([String], ContentCoding)])
  func weights(_ values: [String], _ expected: ContentCoding) { #expect(coding(values) == expected) }

  @Test(
    "gzip is accepted where gzip is named, or else all codings, without a weight of zero",
    arguments: [
      ([], false), ([""], false), (["gzip"], true), (["br, GZIP"], true), (["deflate", "gzip"], true),
      (["x-gzip"], true), (["gzip;q=0"], false), (["gzip;q=0.000"], false), (["gzip ; q=0.001"], true),
      (["*"], true), (["*;q=0"], false), (["*;q=0, gzip"], true), (["gzip;q=0, *"], false),
      (["gzip;q=0.5, identity"], true), (["identity"], false), (["gzipx, xgzip"], false), ([";q=1"], false),
      (["gzip;q="], false),
    ] as [([String], Bool)])
  func acceptsGzip(_ values: [String], _ expected: Bool) {
    let fields = values.map { "Accept-Encoding: \($0)\r\nX: gzip;q=0\r\n" }.joined()
    #expect(withGuardedOctets(fields) { FieldSection($0).acceptsGzip } == expected)
  }

  @Test("Only a coding that there is is chosen")
  func present() {
    #expect(coding(["br, gzip"], brotli: false) == .gzip && coding(["br"], brotli: false) == .identity)
    #expect(coding(["*"], gzip: false, brotli: false) == .identity)
  }

  @Test("Values cut and changed anywhere choose a coding that there is")
  func flips() {
    var random = SeededRandom(10)
    let text = Array("Accept-Encoding: gzip;q=0.5, br;q=0.25, identity;q=0.1, *;q=0\r\n".utf8)
    for i in text.indices {
      for _ in 0..<20 {
        var changed = text
        changed[i] = UInt8.random(in: 0...255, using: &random)
        for octets in [changed, Array(text[..<i])] {
          let coding = withGuardedOctets(octets) {
            FieldSection($0).contentCoding(hasGzip: true, hasBrotli: false)
          }
          #expect(coding != .brotli)
        }
      }
    }
  }

  @Test(
    "The media type follows from the last suffix",
    arguments: [
      ("a.css", "text/css; charset=utf-8"), ("a.b.HTML", "text/html; charset=utf-8"),
      ("x/y.JpEg", "image/jpeg"),
      ("a.mjs", "text/javascript; charset=utf-8"), ("a.tar.gz", "application/gzip"),
      ("a.woff2", "font/woff2"),
      ("a", "application/octet-stream"), ("css", "application/octet-stream"),
      (".css", "application/octet-stream"),
      ("x/.css", "application/octet-stream"), ("a.css/b", "application/octet-stream"),
      ("a.", "application/octet-stream"),
      ("a.html ", "application/octet-stream"), ("a.text/html;", "application/octet-stream"),
      ("a.charset=utf-8", "application/octet-stream"), ("", "application/octet-stream"),
      (".", "application/octet-stream"),
      ("a.step", "model/step"), ("a.STP", "model/step"), ("a.txt", "text/x-own"), ("a.svg", "image/svg+xml"),
    ])
  func types(_ name: String, _ expected: String) {
    #expect(
      withGuardedOctets(name) { String(MediaType.of($0, "stp step model/step\ntxt text/x-own\n")) }
        == expected)
  }
}
