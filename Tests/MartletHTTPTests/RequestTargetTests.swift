import MartletBytes
import MartletHTTP
import TestSupport
import Testing

@Suite("Request targets")
struct RequestTargetTests {
  @Test(
    "Path and query are found in every form",
    arguments: [
      ("/", "/", nil),
      ("/a/b", "/a/b", nil),
      ("/a?", "/a", ""),
      ("/a?b=c?d", "/a", "b=c?d"),
      ("//host/a", "//host/a", nil),
      ("/a%20b", "/a%20b", nil),
      ("/a?%zz", "/a", "%zz"),
      ("/\"<>\\^`{|}~", "/\"<>\\^`{|}~", nil),
      ("http://host/a?b", "/a", "b"),
      ("HTTPS://host:1/", "/", nil),
      ("http://host", "/", nil),
      ("http://host?b", "/", "b"),
      ("http://[::1]:80/a", "/a", nil),
    ] as [(String, String, String?)])
  func parts(target: String, path: String, query: String?) throws {
    let request = "GET \(target) HTTP/1.1\r\nHost: h\r\n\r\n"
    let parsed = try head(request).target
    #expect(text(request, parsed.path) == path)
    #expect(text(request, parsed.query) == query)
  }

  @Test("The authority of an absolute-form target takes precedence over Host")
  func authority() throws {
    let request = "GET http://first:80/ HTTP/1.1\r\nHost: second\r\n\r\n"
    #expect(text(request, try head(request).host) == "first:80")
    #expect(drive("GET http://first/ HTTP/1.1\r\n\r\n") == .refused(.hostMissing))
  }

  @Test("User information in an absolute-form target is no part of the host")
  func userInformation() throws {
    for user in ["user@", "user:password@", "a@b@"] {
      let request = "GET http://\(user)first:80/path?q HTTP/1.1\r\nHost: second\r\n\r\n"
      #expect(text(request, try head(request).host) == "first:80")
      #expect(text(request, try head(request).target.path) == "/path")
    }
    #expect(drive("GET http://user@/ HTTP/1.1\r\nHost: h\r\n\r\n") == .refused(.targetMalformed))
  }

  @Test("An asterisk is a target of OPTIONS only")
  func asterisk() throws {
    let request = "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"
    #expect(text(request, try head(request).target.path) == "*")
    #expect(drive("GET * HTTP/1.1\r\nHost: h\r\n\r\n") == .refused(.targetMalformed))
  }

  @Test(
    "What is in none of the forms is refused",
    arguments: [
      "a", "a/b", "*/", "**", "host:80", "ftp://host/", "http:/a", "http://", "http:///a",
      "http://h:x/", "?a", "#a", "#", "\\a", "http",
      "/a?b#c", "/a#b?c", "/#", "http://host#b", "http://host/a#", "http://host/?#", "/é", "/a?é",
      "http://é/", "http://host/é", "/\u{80}", "*#", "*é",
      "javascript:alert(1)",
    ])
  func malformed(target: String) {
    for method in ["GET", "OPTIONS"] {
      #expect(
        drive("\(method) \(target) HTTP/1.1\r\nHost: h\r\n\r\n") == .refused(.targetMalformed))
    }
  }

  @Test(
    "A broken percent-encoding in the path is refused", arguments: ["/%", "/%4", "/%zz/", "/a%%41"])
  func path(target: String) {
    for prefix in ["", "http://h"] {
      #expect(
        drive("GET \(prefix)\(target) HTTP/1.1\r\nHost: h\r\n\r\n") == .refused(.pathMalformed))
    }
  }
}
