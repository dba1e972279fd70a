import MartletBytes
import MartletHTTP
import TestSupport
import Testing

@Suite("Set-Cookie")
struct SetCookieTests {
  func line(
    _ name: CookieName, _ value: String, _ attributes: CookieAttributes = CookieAttributes()
  ) throws -> String {
    try withGuardedOctets(value) { value in
      try written { try $0.append(setCookie: name, value: value, attributes: attributes) }
    }
  }

  func line(path: String, name: CookieName = "a") throws -> String {
    try withGuardedOctets(path) { path in
      try written { writer in
        try writer.append(
          setCookie: name, value: ("b" as StaticString).octets, path: path,
          attributes: CookieAttributes(path: "/ignored", secure: true))
      }
    }
  }

  @Test("The lines that Microdot writes")
  func microdot() throws {
    #expect(
      try line("session", "e30.x-_", CookieAttributes(path: "/", httpOnly: true))
        == "Set-Cookie: session=e30.x-_; Path=/; HttpOnly\r\n")
    #expect(
      try line("_remember", "t", CookieAttributes(maxAge: 2_592_000))
        == "Set-Cookie: _remember=t; Max-Age=2592000\r\n")
    #expect(
      try line("session", "", CookieAttributes(path: "/", expires: 1, maxAge: 0, httpOnly: true))
        == "Set-Cookie: session=; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; "
        + "HttpOnly\r\n")
  }

  @Test("All attributes stand in Microdot's order, then those it does not know")
  func attributes() throws {
    let all = CookieAttributes(
      path: "/a b", domain: "Panel-1.local", expires: 784_111_777, maxAge: -1, secure: true,
      httpOnly: true, sameSite: .some(.none), partitioned: true)
    #expect(
      try line("a", "b", all)
        == "Set-Cookie: a=b; Path=/a b; Domain=Panel-1.local; "
        + "Expires=Sun, 06 Nov 1994 08:49:37 GMT; Max-Age=0; Secure; HttpOnly; SameSite=None; "
        + "Partitioned\r\n")
    #expect(
      try line("a", "b", CookieAttributes(sameSite: .lax)) == "Set-Cookie: a=b; SameSite=Lax\r\n")
    #expect(
      try line("a", "b", CookieAttributes(sameSite: .strict))
        == "Set-Cookie: a=b; SameSite=Strict\r\n")
  }

  @Test("A value is made of cookie-octets only, so nothing can be injected")
  func value() throws {
    for octet in UInt8.min...UInt8.max {
      let result = try? withGuardedOctets([0x61, octet]) { value in
        try written { try $0.append(setCookie: "a", value: value, attributes: CookieAttributes()) }
      }
      #expect((result != nil) == ASCII.isCookieOctet(octet), "\(octet)")
    }
    #expect(throws: SetCookieError.valueMalformed) { try line("a", "b\r\nSet-Cookie: c=d") }
    #expect(throws: SetCookieError.valueMalformed) { try line("a", "b; Domain=evil") }
  }

  @Test("Nothing is written when a part is refused")
  func atomic() {
    let result = writtenOctets { writer in
      do {
        try writer.append(
          setCookie: "a", value: ("b" as StaticString).octets,
          attributes: CookieAttributes(path: "relative"))
      } catch {}
    }
    #expect(result.octets.isEmpty && !result.overflowed)
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
    "A path known at run time is checked",
    arguments: ["", "a", "/;", "/\u{0}", "/\r\n", "/é", "/\u{7F}"])
  func malformedPath(path: String) {
    #expect(throws: SetCookieError.pathMalformed) { try line(path: path) }
  }

  @Test("A path known at run time takes the place of the attribute")
  func path() throws {
    #expect(try line(path: "/admin/") == "Set-Cookie: a=b; Path=/admin/; Secure\r\n")
    let longest = "/" + String(repeating: "a", count: SetCookie.attributeSizeMax - 1)
    #expect(try line(path: longest).contains(longest))
    #expect(throws: SetCookieError.pathMalformed) { try line(path: longest + "a") }
  }

  @Test("A domain is made of letters, digits, hyphens and dots")
  func domain() throws {
    func line(_ domain: StaticString) throws -> String {
      try self.line("a", "b", CookieAttributes(domain: domain))
    }
    #expect(try line("a.b-1").contains("; Domain=a.b-1\r\n"))
    #expect(throws: SetCookieError.domainMalformed) { try line("") }
    #expect(throws: SetCookieError.domainMalformed) { try line("a;b") }
    #expect(throws: SetCookieError.domainMalformed) { try line("a:80") }
  }

  @Test("What user agents take only with Secure is refused without it")
  func secure() throws {
    for attributes in [
      CookieAttributes(sameSite: .some(.none)), CookieAttributes(partitioned: true),
    ] {
      #expect(throws: SetCookieError.secureMissing) { try line("a", "b", attributes) }
    }
    #expect(throws: SetCookieError.secureMissing) { try line("__Secure-a", "b") }
    #expect(throws: SetCookieError.secureMissing) {
      try line("__host-a", "b", CookieAttributes(path: "/"))
    }
    #expect(
      try line("__Secure-a", "b", CookieAttributes(secure: true))
        == "Set-Cookie: __Secure-a=b; Secure\r\n")
  }

  @Test("A __Host- cookie has the path / and no domain")
  func hostPrefix() throws {
    #expect(
      try line("__Host-a", "b", CookieAttributes(path: "/", secure: true))
        == "Set-Cookie: __Host-a=b; Path=/; Secure\r\n")
    for attributes in [
      CookieAttributes(secure: true), CookieAttributes(path: "/a", secure: true),
      CookieAttributes(path: "/", domain: "h", secure: true),
    ] {
      #expect(throws: SetCookieError.hostPrefixViolated) { try line("__Host-a", "b", attributes) }
    }
    #expect(throws: SetCookieError.hostPrefixViolated) { try line(path: "/a", name: "__Host-a") }
  }

  @Test("Name and value are at most what a browser keeps")
  func size() throws {
    let longest = String(repeating: "v", count: SetCookie.sizeMax - 1)
    #expect(try line("a", longest).utf8.count == SetCookie.sizeMax + 15)
    #expect(throws: SetCookieError.tooLarge) { try line("a", longest + "v") }
  }
}
