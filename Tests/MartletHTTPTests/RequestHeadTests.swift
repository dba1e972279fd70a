import MartletBytes
import MartletHTTP
import TestSupport
import Testing

/// The head of a request that must be one.
func head(
  _ text: String, sourceLocation: SourceLocation = #_sourceLocation
) throws -> RequestHead {
  let outcome = drive(text, sourceLocation: sourceLocation)
  guard case .value(let head) = outcome else {
    Issue.record("\(outcome)", sourceLocation: sourceLocation)
    throw Refusal.requestLineMalformed
  }
  return head
}

/// The text at a range of a request.
func text(_ request: String, _ range: ByteRange?) -> String? {
  range.map { String(decoding: Array(request.utf8)[Int($0.offset)..<$0.end], as: UTF8.self) }
}

@Suite("Request heads")
struct RequestHeadTests {
  @Test("A plain request is read into its parts")
  func plain() throws {
    let request = "GET /login?next=/a HTTP/1.1\r\nHost: panel:8080\r\nAccept: */*\r\n\r\n"
    let head = try head(request)
    #expect(head.method == .get)
    #expect(text(request, head.target.path) == "/login")
    #expect(text(request, head.target.query) == "next=/a")
    #expect(text(request, head.target.query) == "next=/a")
    #expect(head.minorVersion == 1)
    #expect(text(request, head.fieldSection) == "Host: panel:8080\r\nAccept: */*\r\n")
    #expect(head.size == request.utf8.count)
    #expect(head.framing == .none)
    #expect(head.keepsAlive)
    #expect(!head.expectsContinue)
    #expect(text(request, head.host) == "panel:8080")
  }

  @Test("A head ends at its empty line, whatever follows")
  func pipelined() throws {
    let first = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n"
    let head = try head(first + "hiGET /b HTTP/1.1\r\nHost: h\r\n\r\n")
    #expect(head.size == first.utf8.count)
    #expect(head.framing == .length(2))
  }

  @Test("One empty line before the request line is skipped, two are not")
  func leadingEmptyLine() throws {
    let head = try head("\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n")
    #expect(head.size == 29)
    #expect(drive("\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n") == .refused(.requestLineMalformed))
    #expect(drive("\nGET / HTTP/1.1\r\nHost: h\r\n\r\n") == .refused(.requestLineMalformed))
    #expect(drive("\rGET / HTTP/1.1\r\nHost: h\r\n\r\n") == .refused(.lineEndMalformed))
  }

  @Test("A head without fields is one in HTTP/1.0")
  func noFields() throws {
    let head = try head("GET / HTTP/1.0\r\n\r\n")
    #expect(head.fieldSection.isEmpty)
    #expect(head.host == nil)
  }

  @Test(
    "What is not a request line is refused",
    arguments: [
      (" / HTTP/1.1", Refusal.requestLineMalformed),
      ("\u{16}\u{3}\u{1}", .requestLineMalformed),
      ("GET", .requestLineMalformed),
      ("GET /", .requestLineMalformed),
      ("GET\t/ HTTP/1.1", .requestLineMalformed),
      ("GET  / HTTP/1.1", .targetMalformed),
      ("GET /  HTTP/1.1", .versionMalformed),
      ("GET / HTTP/1.1 ", .requestLineMalformed),
      ("GET /a b HTTP/1.1", .versionMalformed),
      ("GET /\u{0} HTTP/1.1", .requestLineMalformed),
      ("GET /\u{7F} HTTP/1.1", .requestLineMalformed),
      ("G\u{0}T / HTTP/1.1", .requestLineMalformed),
      ("get / HTTP/1.1", .methodUnknown),
      ("FETCH / HTTP/1.1", .methodUnknown),
      ("PROPFIND / HTTP/1.1", .methodUnknown),
      ("CONNECT h:443 HTTP/1.1", .methodUnknown),
      ("GET / http/1.1", .versionMalformed),
      ("GET / HTTP/1", .versionMalformed),
      ("GET / HTTP/11", .versionMalformed),
      ("GET / HTTP/1.x", .versionMalformed),
      ("GET / HTTP/x.1", .versionMalformed),
      ("GET / HTTP/1.10", .requestLineMalformed),
      ("GET / HTTP/0.9", .versionUnsupported),
      ("GET / HTTP/2.0", .versionUnsupported),
      ("GET / HTTP/1.1\n", .requestLineMalformed),
    ])
  func requestLine(line: String, refusal: Refusal) {
    #expect(drive(line + "\r\nHost: h\r\n\r\n") == .refused(refusal))
  }

  @Test("A method is waited for up to the length of the longest, and refused with one octet more")
  func longMethod() {
    #expect(outcome(Array("OPTIONX".utf8), RequestHead.parse) == .incomplete)
    #expect(outcome(Array("OPTIONXX".utf8), RequestHead.parse) == .refused(.methodUnknown))
  }

  @Test("A line that ends in a bare CR is refused")
  func bareCarriageReturn() {
    #expect(drive("GET / HTTP/1.1\rHost: h\r\n\r\n") == .refused(.lineEndMalformed))
  }

  @Test("Later versions of HTTP/1 are served as HTTP/1.1")
  func laterVersion() throws {
    #expect(try head("GET / HTTP/1.9\r\nHost: h\r\n\r\n").minorVersion == 1)
    #expect(drive("GET / HTTP/1.2\r\n\r\n") == .refused(.hostMissing))
  }

  @Test(
    "A field line that could be read in two ways is refused",
    arguments: [
      ("A : b", Refusal.spaceBeforeColon),
      ("A\t: b", .spaceBeforeColon),
      ("A b: c", .spaceBeforeColon),
      (": b", .fieldNameMalformed),
      ("A", .fieldNameMalformed),
      ("A(: b", .fieldNameMalformed),
      ("Ä: b", .fieldNameMalformed),
      ("A\u{0}: b", .fieldNameMalformed),
      ("A: b\r\n c", .fieldLineFolded),
      ("A: b\r\n\tc", .fieldLineFolded),
      ("A: b\u{0}", .fieldValueMalformed),
      ("A: \u{7F}", .fieldValueMalformed),
      ("A: b\u{1B}c", .fieldValueMalformed),
      ("A: b\nB: c", .lineEndMalformed),
      ("A: b\rB: c", .lineEndMalformed),
      ("A: b\n", .lineEndMalformed),
      ("A: b\r\n\nB: c", .lineEndMalformed),
      ("A: b\r\n\rB: c", .lineEndMalformed),
    ])
  func fieldLine(line: String, refusal: Refusal) {
    #expect(drive("GET / HTTP/1.1\r\nHost: h\r\n" + line + "\r\n\r\n") == .refused(refusal))
  }

  @Test("A blank before the first field line is refused")
  func leadingBlank() {
    #expect(drive("GET / HTTP/1.1\r\n Host: h\r\n\r\n") == .refused(.fieldLineFolded))
  }

  @Test("Tabs and octets over 127 in a value are let through")
  func lenientValues() throws {
    _ = try head("GET / HTTP/1.1\r\nHost: h\r\nA:\tä\t b \r\nB:\r\n\r\n")
  }

  @Test("The end of a head is found from any place before it")
  func endOfHead() {
    let request = "GET / HTTP/1.1\r\nHost: h\r\n\r\nrest"
    withGuardedOctets(request) { octets in
      for seen in 0...26 { #expect(RequestHead.endOfHead(octets, from: seen) == 27) }
      #expect(RequestHead.endOfHead(octets, from: 31) == nil)
      #expect(RequestHead.endOfHead(octets.extracting(first: 26)) == nil)
      #expect(RequestHead.endOfHead(octets.extracting(first: 2)) == nil)
    }
  }
}

@Suite("Host")
struct HostTests {
  @Test(
    "A host with or without a port is taken",
    arguments: [
      "h", "panel.local", "panel.local:8080", "192.168.0.1:80", "[::1]", "[fe80::1]:8080", "h:",
      "a_b~c", "0.0.0.0=5000", "h%41", "[v1.a:b]", "", "[fe80::1%eth0]", "[fe80::1%eth0]:8080",
      "[fe80::1%25eth0]:8080", "[FE80::1%ETH0.100]", "[fe80::1%2]", "[fe80::1%25br%2dlan]",
      "[fe80::1%" + String(repeating: "z", count: Limits.zoneSizeMax) + "]",
    ])
  func valid(host: String) throws {
    let request = "GET / HTTP/1.1\r\nhOST: \(host) \r\n\r\n"
    #expect(text(request, try head(request).host) == host)
  }

  @Test(
    "What is no host is refused",
    arguments: [
      ":80", "h:80a", "h:-1", "a b", "user@h", "h/", "h,i:1:2", "h?", "[::1", "[]", "[::1]x",
      "[::g/]", "a\\b", "h%4", "h%zz", "<h>", "hä", "::1",
      "[fe80::1%]", "[fe80::1%]:80", "[%eth0]", "[fe80::1%eth0", "[fe80::1%e th0]", "[fe80::1%e/0]",
      "[fe80::1%eth%4]", "[fe80::1%25%]", "[fe80::1%eth:0]", "[fe80::1]%eth0", "fe80::1%eth0",
      "[fe80::1%" + String(repeating: "z", count: Limits.zoneSizeMax + 1) + "]",
    ])
  func invalid(host: String) {
    #expect(drive("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n") == .refused(.hostMalformed))
    #expect(drive("GET / HTTP/1.0\r\nHost: \(host)\r\n\r\n") == .refused(.hostMalformed))
  }

  @Test("HTTP/1.1 has exactly one Host")
  func count() {
    #expect(drive("GET / HTTP/1.1\r\nA: b\r\n\r\n") == .refused(.hostMissing))
    #expect(drive("GET / HTTP/1.1\r\n\r\n") == .refused(.hostMissing))
    #expect(drive("GET / HTTP/1.1\r\nHost: h\r\nhost: h\r\n\r\n") == .refused(.hostRepeated))
    #expect(drive("GET / HTTP/1.0\r\nHost: h\r\nhost: h\r\n\r\n") == .refused(.hostRepeated))
  }
}

@Suite("Fields that come twice")
struct RepeatedFieldTests {
  @Test(
    "A second line of a field by which access is decided is refused, also when both lines agree",
    arguments: ["Authorization", "Content-Type", "Origin", "Sec-Fetch-Site"])
  func refused(name: String) throws {
    for version in ["1.0", "1.1"] {
      let start = "POST / HTTP/\(version)\r\nHost: h\r\n\(name): a\r\nX: y\r\n"
      _ = try head(start + "\r\n")
      for second in ["\(name): a", "\(name.uppercased()): b", "\(name.lowercased()):"] {
        #expect(drive(start + second + "\r\n\r\n") == .refused(.fieldRepeated))
      }
    }
  }

  @Test("One line each of all fields that may come once is served")
  func served() throws {
    _ = try head(
      """
      POST / HTTP/1.1\r\nHost: h\r\nAuthorization: a\r\nContent-Type: b\r\nOrigin: c\r\n\
      Sec-Fetch-Site: d\r\nContent-Length: 1\r\nAuthorizations: e\r\nOrigins: f\r\n\r\n
      """)
  }

  @Test(
    "Several lines of a list, and of fields of which one line is defined to count, are served",
    arguments: [
      "Accept", "Cookie", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Prefix", "If-Match",
      "If-None-Match", "Forwarded", "Upgrade", "Range", "X-Anything",
    ])
  func lists(name: String) throws {
    _ = try head("GET / HTTP/1.1\r\nHost: h\r\n\(name): a\r\n\(name): b\r\n\r\n")
  }

  @Test("Each line of Expect and of Connection counts")
  func eachLine() throws {
    let start = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n"
    let expect = "Expect: 100-continue\r\n"
    #expect(try head(start + expect + expect + "\r\n").expectsContinue)
    #expect(drive(start + expect + "Expect: tea\r\n\r\n") == .refused(.expectationUnknown))
    let connection = "Connection: keep-alive\r\nConnection: close\r\n"
    #expect(try !head(start + connection + "\r\n").keepsAlive)
  }
}

@Suite("Framing and connection")
struct FramingTests {
  func framing(_ fields: String, version: String = "1.1") -> Outcome<RequestHead> {
    drive("POST / HTTP/\(version)\r\nHost: h\r\n\(fields)\r\n")
  }

  @Test(
    "Content-Length is one number of digits",
    arguments: [
      ("-1", Refusal.contentLengthMalformed), ("+1", .contentLengthMalformed),
      ("", .contentLengthMalformed), ("0x10", .contentLengthMalformed),
      ("1_0", .contentLengthMalformed), ("1,1", .contentLengthMalformed),
      ("1, 1", .contentLengthMalformed), ("1 1", .contentLengthMalformed),
      ("1.0", .contentLengthMalformed), ("1e1", .contentLengthMalformed),
      ("٣", .contentLengthMalformed),
      ("2147483648", .contentTooLarge), ("4294967296", .contentTooLarge),
      ("4294967297", .contentTooLarge), ("9223372036854775808", .contentTooLarge),
      ("18446744073709551616", .contentTooLarge), ("18446744073709551617", .contentTooLarge),
      ("99999999999999999999999999999999", .contentTooLarge),
    ])
  func contentLength(value: String, refusal: Refusal) {
    #expect(framing("Content-Length: \(value)\r\n") == .refused(refusal))
  }

  @Test("A valid Content-Length frames the content")
  func validContentLength() throws {
    func length(_ value: String) throws -> BodyFraming {
      try head("POST / HTTP/1.1\r\nHost: h\r\nContent-Length:\(value)\r\n\r\n").framing
    }
    #expect(try length("0") == .none)
    #expect(try length("00000000000000000000000001") == .length(1))
    #expect(try length(" 16384\t") == .length(16_384))
  }

  @Test("Two Content-Length lines are refused, also when they agree")
  func repeatedContentLength() {
    let line = "Content-Length: 1\r\n"
    #expect(framing(line + line) == .refused(.contentLengthRepeated))
    #expect(framing(line + "content-length: 2\r\n") == .refused(.contentLengthRepeated))
  }

  @Test("The only transfer coding is chunked")
  func transferEncoding() throws {
    let chunked = try head("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n")
    #expect(chunked.framing == .chunked)
    for value in [
      "", " ", ",", "gzip", "chunked, gzip", "chunked, chunked", "chunked;q=1", "chunked;a=b",
      "xchunked", "identity", "\"chunked\"", "chunked,", ", chunked", "gzip,, chunked",
      "gzip, chunked, chunked", "chunkedx", "chunked chunked", "gzip chunked", ";, chunked",
      "gzip, chunked", "gzip,chunked", "a;b=c , deflate,\tCHUNKED", "identity, chunked",
    ] {
      #expect(framing("Transfer-Encoding: \(value)\r\n") == .refused(.transferEncodingMalformed))
    }
    // A recipient that joins the lines would see another value, so the first line decides.
    #expect(
      framing("Transfer-Encoding:\r\n chunked\r\n") == .refused(.transferEncodingMalformed))
    let line = "Transfer-Encoding: chunked\r\n"
    #expect(framing(line + line) == .refused(.transferEncodingRepeated))
    #expect(framing(line, version: "1.0") == .refused(.transferEncodingInOldVersion))
  }

  @Test("Content-Length and Transfer-Encoding together are refused in either order")
  func both() {
    let length = "Content-Length: 1\r\n"
    let coding = "Transfer-Encoding: chunked\r\n"
    #expect(framing(length + coding) == .refused(.framingAmbiguous))
    #expect(framing(coding + length) == .refused(.framingAmbiguous))
  }

  @Test(
    "A connection is kept unless one of the options is close",
    arguments: [
      ("", true), ("Connection: close\r\n", false), ("Connection: Close\r\n", false),
      ("Connection: keep-alive\r\n", true), ("Connection: a, close ,b\r\n", false),
      ("Connection: a,,\r\nConnection: ,close\r\n", false), ("Connection: closed\r\n", true),
      ("Connection:\r\n", true),
    ])
  func keepsAlive(fields: String, expected: Bool) throws {
    #expect(try head("GET / HTTP/1.1\r\nHost: h\r\n\(fields)\r\n").keepsAlive == expected)
    #expect(try !head("GET / HTTP/1.0\r\n\(fields)\r\n").keepsAlive)
  }

  @Test("100-continue is the only expectation, and HTTP/1.0 has none")
  func expectation() throws {
    let fields = "Content-Length: 1\r\nExpect: 100-Continue\r\n"
    #expect(try head("POST / HTTP/1.1\r\nHost: h\r\n\(fields)\r\n").expectsContinue)
    #expect(try !head("POST / HTTP/1.0\r\nHost: h\r\n\(fields)\r\n").expectsContinue)
    #expect(try !head("GET / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n").expectsContinue)
    #expect(framing("Expect: 200-ok\r\n") == .refused(.expectationUnknown))
    #expect(framing("Expect:\r\n") == .refused(.expectationUnknown))
  }
}

@Suite("Limits of a head")
struct HeadLimitTests {
  /// A request whose target, `/` included, has so many octets.
  func request(target count: Int) -> String {
    "GET /" + String(repeating: "a", count: count - 1) + " HTTP/1.1\r\nHost: h\r\n\r\n"
  }

  @Test("A target at the limit is served, a longer one is refused before it ends")
  func target() throws {
    _ = try head(request(target: Limits.requestTargetSizeMax))
    #expect(drive(request(target: Limits.requestTargetSizeMax + 1)) == .refused(.targetTooLong))
    let unfinished = "GET /" + String(repeating: "a", count: Limits.requestTargetSizeMax)
    #expect(drive(unfinished) == .refused(.targetTooLong))
  }

  @Test("A head at the limit is served, a longer one is refused before it ends")
  func size() throws {
    func request(_ size: Int) -> String {
      let start = "GET / HTTP/1.1\r\nHost: h\r\nA: "
      return start + String(repeating: "a", count: size - start.utf8.count - 4) + "\r\n\r\n"
    }
    #expect(try head(request(Limits.requestHeadSizeMax)).size == Limits.requestHeadSizeMax)
    #expect(drive(request(Limits.requestHeadSizeMax + 1)) == .refused(.headTooLarge))
    let unfinished = request(Limits.requestHeadSizeMax + 4).utf8.dropLast(4)
    #expect(drive(String(unfinished)!) == .refused(.headTooLarge))
  }

  @Test("Field lines up to the limit are served, one more is refused before the head ends")
  func fieldLines() throws {
    let start = "GET / HTTP/1.1\r\nHost: h\r\n"
    let lines = String(repeating: "A: b\r\n", count: Limits.fieldLineCountMax - 1)
    _ = try head(start + lines + "\r\n")
    #expect(drive(start + lines + "A: b\r\n") == .refused(.tooManyFieldLines))
  }

  @Test("Cookies have no limit but the head's, over all their lines")
  func cookies() throws {
    let start = "GET / HTTP/1.1\r\nHost: h\r\n"
    func lines(_ size: Int) -> String {
      let half = String(repeating: "a", count: (size - start.utf8.count - 2) / 2 - 10)
      return "Cookie: \(half)\r\nCookie: \(half)\r\n"
    }
    _ = try head(start + lines(Limits.requestHeadSizeMax) + "\r\n")
    #expect(drive(start + lines(Limits.requestHeadSizeMax + 2) + "\r\n") == .refused(.headTooLarge))
  }
}
