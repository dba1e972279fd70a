import MartletBytes
import MartletHTTP
import TestSupport
import Testing

@Suite("Set-Cookie")
struct SetCookieTests {
  func isPath(_ path: String) -> Bool {
    withGuardedOctets(path) { SetCookie.isPath($0) }
  }

  @Test("A name is a token")
  func name() throws {
    for name in ["", "a b", "a=b", "a;b", "a\r\n", "ä"] as [StaticString] {
      #expect((CookieName(validating: name) == nil))
    }
    let name = try #require(CookieName(validating: "__Host-a"))
    #expect(String(name.octets) == "__Host-a")
  }

  @Test("A literal name that is no token stops the program")
  func literalName() async {
    await #expect(processExitsWith: .failure) { _ = "a b" as CookieName }
  }

  @Test(
    "What user agents replace with a path of their own, or what ends the attribute, is no path",
    arguments: ["", "a", "/;", "/\u{0}", "/\r\n", "/é", "/\u{7F}"])
  func malformedPath(path: String) {
    #expect(!isPath(path))
  }

  @Test("A path begins with a slash and is at most what a user agent takes")
  func path() {
    #expect(isPath("/") && isPath("/admin/") && isPath("/a b"))
    let longest = "/" + String(repeating: "a", count: SetCookie.attributeSizeMax - 1)
    #expect(isPath(longest) && !isPath(longest + "a"))
  }
}
