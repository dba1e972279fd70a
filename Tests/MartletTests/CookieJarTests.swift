// Which cookies a browser sends where (RFC 6265 §5).

import MartletTesting
import Testing

@Suite struct CookieJarTests {
  @Test("A cookie is sent to its path and what lies below it, and nowhere else")
  func paths() {
    var jar = CookieJar()
    jar.set("a", "1", path: "/admin")
    jar.set("b", "2", path: "/files/")
    for path in ["/admin", "/admin/", "/admin/x/y"] { #expect(jar.header(forPath: path, now: 0) == "a=1") }
    for path in ["/files/", "/files/x"] { #expect(jar.header(forPath: path, now: 0) == "b=2") }
    for path in ["/", "/other", "/other/admin", "/administrator", "/admi", "/files"] {
      #expect(jar.header(forPath: path, now: 0) == nil, "\(path)")
    }
  }

  @Test("Cookies of longer paths come first, and of equal paths the oldest")
  func order() {
    var jar = CookieJar()
    jar.set("a", "1")
    jar.set("b", "2", path: "/x")
    jar.set("c", "3")
    jar.set("d", "4", path: "/x/y")
    #expect(jar.header(forPath: "/x/y", now: 0) == "d=4; b=2; a=1; c=3")
    jar.set("b", "5", path: "/x")
    #expect(jar.header(forPath: "/x", now: 0) == "b=5; a=1; c=3")
  }

  @Test("A cookie without a path belongs to the folder of the request, and a path in the field counts more")
  func folders() {
    for (setCookie, request, path) in [
      ("a=1", "/", "/"), ("a=1", "/x", "/"), ("a=1", "/x/", "/x"), ("a=1", "/x/y/z", "/x/y"),
      ("a=1; Path=/p", "/x/y", "/p"), ("a=1; path=/p ; Secure", "/x/y", "/p"), ("a=1; Path=p", "/x/y", "/x"),
    ] {
      var jar = CookieJar()
      jar.store(setCookie, requestPath: request, now: 0)
      #expect(jar.cookies.map(\.path) == [path], "\(setCookie) of \(request)")
    }
  }

  @Test("A cookie ends when its time has come, at once with Max-Age=0, and otherwise with the browser")
  func times() {
    var jar = CookieJar()
    jar.store("a=1; Max-Age=10", requestPath: "/", now: 100)
    jar.store("b=2=3", requestPath: "/", now: 100)
    #expect(jar.header(forPath: "/", now: 109) == "a=1; b=2=3")
    #expect(jar.header(forPath: "/", now: 110) == "b=2=3")
    jar.endBrowserSession()
    #expect(jar.cookies.map(\.name) == ["a"])
    jar.store("a=; Max-Age=0; Path=/x", requestPath: "/", now: 100)
    #expect(jar["a"] == "1", "the cookie of another path is another cookie")
    jar.store("a=; Max-Age=0", requestPath: "/", now: 100)
    #expect(jar["a"] == nil && jar.cookies.isEmpty)
  }
}
