// Which hosts are answered: this machine's own and those that are allowed.

import MartletTesting
import TestSupport
import Testing

@testable import Martlet

@Suite struct HostNamesTests {
  private func allows(_ host: String, _ names: StaticString = "") -> Bool {
    withGuardedOctets(host) { HostNames.allow($0, names: names, allowsOption: false, now: 0) }
  }

  @Test("Addresses and names of this machine need not be named")
  func own() {
    for host in [
      "127.0.0.1", "10.1.2.3:8080", "[::1]", "[fe80::1%25eth0]:80", "localhost", "LOCALHOST.:1",
      "a.localhost", "",
    ] { #expect(allows(host), "\(host)") }
    for host in [
      "2130706433", "0x7f.1", "127.1", "0177.0.0.1", "127.0.0.1.", "[127.0.0.1]", "[v1.x]", "[]",
      "evil.example", "localhost.evil", ".", "..", "localhost..", "a:70000", "%6cocalhost",
    ] { #expect(!allows(host), "\(host)") }
  }

  @Test("A name that is allowed is that name, and one with an asterisk every name below it")
  func named() {
    for host in ["a.example", "A.Example:80", "a.example.", "x.b.example", "x.y.b.example"] {
      #expect(allows(host, "a.example *.b.example"), "\(host)")
    }
    for host in ["x.a.example", "b.example", "xb.example", ".b.example", "a.example.evil", "example"] {
      #expect(!allows(host, "a.example *.b.example"), "\(host)")
    }
  }

  @Test("A name of one letter is a name, and an asterisk alone is none")
  func shortest() {
    #expect(allows("a", "a") && allows("A:80", "b a") && !allows("c", "a b"))
    for host in ["a", "a.example", "evil.example"] { #expect(!allows(host, "*"), "\(host)") }
  }

  @Test("An application answers its hosts; one without sessions answers reading for every host")
  func application() {
    let (client, directory) = makeClient()
    client.host = "evil.example"
    #expect(client.get("/login").status == .misdirectedRequest)
    #expect(client.post("/login", form: [("username", "susan"), ("password", "hello")]).setCookies == [])
    #expect(client.get("/nowhere").status == .misdirectedRequest)
    #expect(directory.log == [])
    client.host = "x.wild.example:8080"
    #expect(client.get("/login").status == .ok)
  }
}

@Suite struct ReachTests {
  private func setsPrefix(_ path: String) -> Bool {
    var reach = Reach()
    return withGuardedOctets(path) { reach.setPrefix($0) }
  }

  @Test("A path below which a program is seen has plain segments")
  func paths() {
    for path in ["", "/", "/box", "/box/", "/a/b-c_d.e~f", "/..a", "/" + String(repeating: "x", count: 63)] {
      #expect(setsPrefix(path), "\(path)")
    }
    for path in [
      "box", "//", "//box", "/box//", "/a//b", "/.", "/..", "/a/../b", "/a/.", "/a b", "/a%20", "/a?b",
      "/a:b", "/<a>", "/a\\b", "http://a/", "/" + String(repeating: "x", count: 64),
    ] { #expect(!setsPrefix(path), "\(path)") }
  }

  @Test("Links, redirects and cookies lead below the path")
  func below() {
    var reach = Reach()
    #expect(withGuardedOctets("/box") { reach.setPrefix($0) })
    let client = TestClient(Site<Strict>(directory: Directory()), secret: secret, reach: reach)
    #expect(client.get("/?a").location == "/box/login?next=/%3Fa")
    #expect(client.get("/redirect").location == "/box/elsewhere")
    let response = client.logIn(at: "/login?next=/fresh")
    #expect(response.location == "/box/fresh")
    #expect(response.setCookies[0].contains("; Path=/box; HttpOnly"))
  }

  @Test("A proxy says scheme and path in its last field, and one that is not trusted says nothing")
  func forwarded() {
    let (client, _) = makeClient()
    let headers = [
      ("X-Forwarded-Proto", "http"), ("X-Forwarded-Prefix", "/a"), ("X-Forwarded-Prefix", "/b, /c/"),
      ("X-Forwarded-Proto", "HTTPS"),
    ]
    var response = client.request("GET", "/", headers: headers)
    #expect(response.location == "/c/login?next=/")
    let form = [("username", "susan"), ("password", "hello")]
    response = client.post("/login", form: form, headers: headers)
    #expect(response.setCookies[0].hasPrefix("__Secure-session="))
    #expect(response.setCookies[0].contains("; Path=/c; Secure; "))
    client.peer = IPAddress(high: 0, low: 0xFFFF_C000_0201)
    response = client.post("/login", form: form, headers: headers)
    #expect(response.location == "/" && response.setCookies[0].hasPrefix("session="))
  }

  @Test("The login page sends on who is logged in, where the application says so")
  func sendsOn() {
    let (client, _) = makeClient(Secure.self)
    #expect(client.get("/login").status == .ok)
    client.logIn(remember: true)
    #expect(client.get("/login?next=/fresh").location == "/fresh")
    #expect(client.get("/login").location == "/")
    client.cookies.remove("__Host-session")
    #expect(client.get("/").status == .ok)
    #expect(client.get("/login?next=/fresh").status == .ok, "a fresh login is wanted there")
    #expect(client.get("/login").location == "/")
  }
}
