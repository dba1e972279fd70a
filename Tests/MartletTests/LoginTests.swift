// Logins as Microdot's example has them: who may enter, what the cookies say, where one is sent.

import Martlet
import MartletTesting
import TestSupport
import Testing

@Suite struct LoginTests {
  @Test("Who is not logged in is sent to the login page, which knows where they were going")
  func sentToLogin() {
    let (client, directory) = makeClient()
    let response = client.get("/")
    #expect(response.status == .found)
    #expect(response.location == "/login?next=/")
    #expect(response.setCookies == [])
    #expect(response.header("Cache-Control") == "no-store")
    #expect(response.header("Vary") == "Cookie")
    #expect(response.body.isEmpty)
    #expect(client.get("/fresh").location == "/login?next=/fresh")
    #expect(client.post("/logout").location == "/login")
    #expect(client.request("HEAD", "/").status == .found)
    #expect(directory.log == [])
  }

  @Test("A login sets one session cookie and leads to the first page")
  func login() {
    let (client, directory) = makeClient()
    let response = client.logIn()
    #expect(response.status == .found)
    #expect(response.location == "/")
    #expect(response.setCookies.count == 1)
    #expect(response.setCookies[0].hasPrefix("session="))
    #expect(response.setCookies[0].hasSuffix("; Path=/; HttpOnly; SameSite=Lax"))
    #expect(
      client.claims("session")
        == #"{"_user_id":"user001","_fresh":true,"_session":0,"_boot":1,"_up":1800000000,"_at":1800000000}"#)
    let page = client.get("/")
    #expect(page.status == .ok)
    #expect(page.body == "<h1>Hello, susan!</h1>")
    #expect(page.setCookies == [])
    #expect(client.get("/fresh").status == .ok)
    #expect(directory.log.suffix(2) == ["index susan true", "fresh susan true"])
  }

  @Test("A wrong name or password leads back to the login page, with its next")
  func wrong() {
    let (client, _) = makeClient()
    for form in [
      [("username", "susan"), ("password", "wrong")],
      [("username", "nobody"), ("password", "hello")],
      [("username", "susan")], [("password", "hello")], [],
    ] {
      let response = client.post("/login?next=/fresh", form: form)
      #expect(response.status == .found)
      #expect(response.location == "/login?next=/fresh")
      #expect(response.setCookies == [])
    }
    #expect(client.post("/login", form: []).location == "/login")
    #expect(client.post("/login?next=", form: []).location == "/login")
    #expect(
      client.post("/login?next=/%3Fa%3D%252B%26b", form: []).location
        == "/login?next=/%3Fa%3D%252B%26b")
  }

  @Test("A user whose identifier is 0 stays logged in")
  func integerIdentifier() {
    let (client, _) = makeClient()
    client.logIn("root")
    #expect(client.claims("session")?.hasPrefix(#"{"_user_id":0,"#) == true)
    #expect(client.get("/").body == "<h1>Hello, root!</h1>")
    client.logIn("root", remember: true)
    client.cookies.remove("session")
    #expect(client.get("/").body == "<h1>Hello, root!</h1>")
  }

  @Test("Logout ends the session: the login, and what the program has put into it")
  func logout() {
    let (client, directory) = makeClient()
    directory.change = { $0.set("theme", text: ("dark" as StaticString).octets) }
    client.logIn()
    _ = client.get("/members")
    let response = client.post("/logout")
    #expect(response.status == .found && response.location == "/")
    #expect(response.setCookies.count == 1)
    #expect(client.claims("session") == "{}")
    #expect(client.get("/").location == "/login?next=/")
  }

  @Test("Logout deletes the remember cookie, also at the folder where Microdot's lies")
  func logoutRemembered() {
    let (client, _) = makeClient(Lenient.self)
    client.logIn(remember: true)
    let response = client.post("/logout")
    #expect(response.setCookies.count == 2)
    #expect(response.setCookies[0].hasPrefix("session="))
    #expect(response.setCookies[1] == "_remember=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax")
    #expect(client.cookies["_remember"] == nil)

    client.logIn(remember: true)
    client.cookies.set("_remember", client.cookies["_remember"]!, path: "/admin")
    let other = client.post("/admin/logout")
    #expect(
      other.setCookies.dropFirst() == [
        "_remember=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
        "_remember=; Path=/admin; Max-Age=0; HttpOnly; SameSite=Lax",
      ])
    #expect(client.cookies["_remember"] == nil)
  }

  @Test("Logging out by the remember cookie alone ends with nobody remembered")
  func logoutByRemember() {
    let (client, _) = makeClient()
    client.logIn(remember: true)
    client.cookies.remove("session")
    let response = client.post("/logout")
    #expect(response.location == "/")
    #expect(client.cookies["_remember"] == nil)
    #expect(client.claims("session") == "{}")
    #expect(client.get("/").status == .found)
  }

  @Test("A login by another user begins a session of its own")
  func anotherUser() {
    let (client, directory) = makeClient()
    directory.change = { $0.set("basket", integer: 3) }
    client.logIn("susan")
    _ = client.get("/members")
    client.logIn("susan")
    #expect(client.claims("session")?.contains(#""basket":3"#) == true)
    client.logIn("david")
    #expect(client.claims("session")?.contains("basket") == false)
    #expect(client.claims("session")?.contains(#""_user_id":"user002""#) == true)
  }

  @Test("A session that names somebody gone is cleared, and does not fall back to remember")
  func gone() {
    let (client, directory) = makeClient()
    client.logIn(remember: true)
    directory.people.removeAll { $0.id == "user001" }
    let response = client.get("/")
    #expect(response.location == "/login?next=/")
    #expect(response.setCookies.map { $0.prefix(8) } == ["session="])
    #expect(client.claims("session") == "{}")
    // Only now the remember cookie is tried, and goes as well.
    let next = client.get("/")
    #expect(next.status == .found)
    #expect(next.setCookies.count == 1)
    #expect(client.cookies["_remember"] == nil)
    #expect(client.get("/").setCookies == [])
  }

  @Test("Counting the epoch up ends every other session, and renewing keeps this one")
  func epoch() {
    let (client, directory) = makeClient()
    client.logIn(remember: true)
    let other = client.cookies
    let response = client.post("/epoch")
    #expect(response.status == .found)
    #expect(client.get("/fresh").status == .ok)
    client.cookies = other
    let dead = client.get("/")
    #expect(dead.status == .found)
    #expect(client.get("/").status == .found)
    #expect(client.cookies["_remember"] == nil)
    #expect(directory.people[0].epoch == 1)
  }

  @Test("A fresh login counts for as long as the page says, and not when the clock was set back")
  func freshWithin() {
    let (client, _) = makeClient()
    #expect(client.get("/recent").location == "/login?next=/recent")
    client.logIn()
    #expect(client.get("/recent").status == .ok)
    client.time += 300
    #expect(client.get("/recent").status == .ok)
    client.time += 1
    #expect(client.get("/recent").location == "/login?next=/recent")
    #expect(client.get("/fresh").status == .ok)
    client.logIn()
    client.time -= 1
    #expect(client.get("/recent").status == .found)
    #expect(client.get("/fresh").status == .ok)
    client.sign("session", #"{"_user_id":"user001","_fresh":true,"_session":0}"#)
    #expect(client.get("/recent").status == .found)
    #expect(client.get("/fresh").status == .ok)
  }

  @Test("Whatever is wrong with a session, one is not logged in, and it is left as it is")
  func badSessions() {
    let (client, _) = makeClient()
    let good = #"{"_user_id":"user001","_fresh":true,"_session":0}"#
    let bad = [
      "", "x", "a.b.c", token(good, secret: "another"), String(token(good).dropLast()),
      token(good) + "A", token(good) + ".", token("[]"), token("\"x\""), token("{"),
      token(#"{"_user_id":["user001"],"_session":0}"#), token(#"{"_user_id":null,"_session":0}"#),
      token(#"{"_user_id":"user001","_session":0,"exp":1799999999}"#),
      token(#"{"_user_id":"user001","_session":0,"exp":"x"}"#),
      token(#"{"_user_id":"user001","_session":0,"nbf":1800000001}"#),
      token(#"{"_user_id":"user001","_session":0,"_remember":0}"#),
      String(repeating: "a", count: 4_097),
    ]
    for value in bad {
      client.cookies = CookieJar()
      client.cookies.set("session", value)
      let response = client.get("/")
      #expect(response.status == .found, "\(value)")
      #expect(response.setCookies == [], "\(value)")
    }
    client.sign("session", good)
    #expect(client.get("/").status == .ok)
    // The first of two cookies of a name counts: the one of the more specific path.
    let first = client.request(
      "GET", "/", headers: [("Cookie", "session=" + token(#"{"_user_id":"user002","_session":0}"#))])
    #expect(first.body.contains("david"))
  }

  @Test("Of several cookies of a name the first valid one counts, of at most four")
  func severalCookies() {
    let (client, directory) = makeClient()
    let susan = "session=" + token(#"{"_user_id":"user001","_fresh":true,"_session":0}"#)
    let david = "session=" + token(#"{"_user_id":"user002","_fresh":true,"_session":0}"#)
    let foreign = [
      "session=abc.def.ghi", "session=", "session=" + token("{}", secret: "another"),
      "session=" + token(#"{"_user_id":"user002","_session":0,"exp":1799999999}"#),
      "session=" + token(#"{"user_id":"user002","_remember":0,"exp":1900000000}"#),
    ]
    func get(_ lines: String...) -> TestResponse {
      client.cookies = CookieJar()
      return client.request("GET", "/fresh", headers: lines.map { ("Cookie", $0) })
    }
    for junk in foreign {
      for response in [
        get("\(junk); \(susan)"), get(junk, susan), get("a=b; \(junk); \(junk)", "c; \(junk);\(susan)"),
        get("\(susan); \(junk)"), get("\(junk); \(susan); \(david)"),
      ] {
        #expect(response.body.contains("susan"), "\(junk)")
        #expect(response.setCookies == [])
      }
      #expect(get(Array(repeating: junk, count: 4).joined(separator: ";"), susan).status == .found)
    }
    #expect(get("Session=x; SESSION=y; session2=z; \(susan)").status == .ok)
    // A session that has ended gives way to one that has not; alone it is cleared.
    directory.people[0].epoch += 1
    #expect(get("\(susan); \(david)").body.contains("david"))
    #expect(get("\(susan); session=x").setCookies.count == 1)
  }

  @Test("Of several remember cookies the first valid one counts, of at most four")
  func severalRememberCookies() {
    let (client, directory) = makeClient()
    func remember(_ id: String, secret key: String = secret) -> String {
      "_remember=" + token(#"{"user_id":"\#(id)","days":3,"exp":1900000000,"_remember":0}"#, secret: key)
    }
    let (susan, david) = (remember("user001"), remember("user002"))
    func get(_ line: String) -> TestResponse {
      client.cookies = CookieJar()
      return client.request("GET", "/", headers: [("Cookie", line)])
    }
    for junk in ["_remember=x", remember("user002", secret: "another"), "_remember="] {
      #expect(get("\(junk); \(susan); \(david)").body.contains("susan"), "\(junk)")
      #expect(get("session=x; \(junk); session=y; \(susan)").body.contains("susan"), "\(junk)")
      #expect(get("\(junk); \(junk); \(junk); \(junk); \(susan)").status == .found, "\(junk)")
    }
    directory.people[0].epoch += 1
    let response = get("\(susan); \(david)")
    #expect(response.body.contains("david"))
    #expect(response.setCookies.count == 2)
    #expect(get("\(susan); _remember=x").setCookies.count == 1)
  }

  @Test("Junk cookies beside ours neither hide nor break it")
  func junkCookies() {
    let (client, _) = makeClient()
    client.sign("session", #"{"_user_id":"user001","_session":0}"#)
    let session = "session=\(client.cookies["session"]!)"
    client.cookies = CookieJar()
    for line in [";;; \(session)", "a; =; =x; \(session)", "\u{FF}\u{FE}=\u{E4}; \(session); x"] {
      #expect(client.request("GET", "/", headers: [("Cookie", line)]).status == .ok)
    }
  }

  @Test("A fresh claim that is not true is not fresh")
  func freshClaim() {
    let (client, _) = makeClient()
    for fresh in ["false", "null", "1", #""no""#, #""true""#] {
      client.sign("session", #"{"_user_id":"user001","_session":0,"_fresh":\#(fresh)}"#)
      #expect(client.get("/").status == .ok)
      #expect(client.get("/fresh").location == "/login?next=/fresh")
    }
    client.sign("session", #"{"_fresh":true,"_session":0}"#)
    #expect(client.get("/fresh").status == .found)
  }

  @Test("Cookies are for TLS only where the program says so")
  func secure() {
    let (client, _) = makeClient(Secure.self)
    let response = client.logIn(remember: true)
    #expect(response.setCookies.allSatisfy { $0.contains("; Path=/; ") })
    #expect(response.setCookies.allSatisfy { $0.contains("; Secure; HttpOnly; SameSite=Lax") })
    #expect(response.setCookies.count == 2)
    #expect(response.setCookies[0].hasPrefix("__Host-session="))
    #expect(response.setCookies[1].hasPrefix("__Host-_remember="))
    #expect(client.get("/").status == .ok)
    client.cookies.remove("__Host-session")
    #expect(client.get("/").status == .ok, "the remember cookie restores the login")
    _ = client.post("/logout")
    #expect(client.cookies["__Host-_remember"] == nil)
  }
}

@Suite struct RememberTests {
  @Test("Being remembered is a second cookie of thirty days")
  func remember() {
    let (client, _) = makeClient()
    let response = client.logIn(remember: true)
    #expect(response.setCookies.count == 2)
    #expect(response.setCookies[0].hasPrefix("session="))
    #expect(response.setCookies[1].hasPrefix("_remember="))
    #expect(
      response.setCookies[1].hasSuffix("; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax"))
    #expect(
      client.claims("_remember")
        == #"{"user_id":"user001","days":30,"exp":1802592000,"_remember":0,"_boot":1,"_up":1800000000}"#)
  }

  @Test("A remembered login is restored, never fresh, and renewed: remember first, then session")
  func restored() {
    let (client, directory) = makeClient()
    client.logIn(remember: true)
    client.cookies.endBrowserSession()
    #expect(client.cookies["session"] == nil)
    client.time += 86_400
    let fresh = client.get("/fresh")
    #expect(fresh.location == "/login?next=/fresh")
    #expect(fresh.setCookies == [], "a page that it would not do for leaves it alone")
    let response = client.get("/")
    #expect(response.status == .ok)
    #expect(
      response.setCookies.map { String($0.prefix { $0 != "=" }) } == ["_remember", "session"])
    #expect(
      client.claims("session")
        == #"{"_user_id":"user001","_fresh":false,"_session":0,"_boot":1,"_up":1800086400,"_at":1800086400}"#
    )
    #expect(client.claims("_remember")?.contains(#""exp":1802678400"#) == true)
    #expect(directory.log.last == "index susan false")
    #expect(client.get("/").setCookies == [])
    #expect(client.get("/fresh").status == .found)
    // On a page for everyone nobody is restored.
    client.cookies.endBrowserSession()
    #expect(client.get("/values").setCookies == [])
  }

  @Test(
    "A login remembered for some days is renewed for the same days", arguments: [1, 7, 365, 400])
  func days(count: Int) {
    let (client, directory) = makeClient()
    directory.remember = .days(count)
    #expect(client.logIn().setCookies[1].contains("; Max-Age=\(count * 86_400);"))
    for _ in 0..<3 {
      client.cookies.endBrowserSession()
      client.time += 86_399
      let response = client.get("/")
      #expect(response.status == .ok)
      #expect(response.setCookies[0].contains("; Max-Age=\(count * 86_400);"))
      #expect(client.claims("_remember")?.contains("\"days\":\(count),") == true)
    }
  }

  @Test(
    "Days beyond the bounds become the nearest bound",
    arguments: [
      (0, 1), (-7, 1), (Int.min, 1), (401, 400), (Int.max, 400),
    ])
  func bounds(asked: Int, got: Int) {
    let (client, directory) = makeClient()
    directory.remember = .days(asked)
    #expect(client.logIn().setCookies[1].contains("; Max-Age=\(got * 86_400);"))
  }

  @Test("What a remember cookie says about days counts only within the bounds")
  func claimedDays() {
    let (client, _) = makeClient(Lenient.self)
    for (claim, days) in [
      (#""days":7"#, 7), (#""_days":9"#, 9), (#""days":7,"_days":9"#, 7), (#""days":0"#, 30),
      (#""days":401"#, 30), (#""days":"7""#, 30), (#""x":1"#, 30), (#""days":7.5"#, 30),
    ] {
      client.cookies = CookieJar()
      client.sign("_remember", #"{"user_id":"user001",\#(claim),"exp":1830000000.25}"#)
      #expect(client.get("/").setCookies[0].contains("; Max-Age=\(days * 86_400);"), "\(claim)")
    }
  }

  @Test("A remember cookie ends at its time, whatever the browser thinks")
  func expiry() {
    let (client, directory) = makeClient()
    directory.remember = .days(1)
    client.logIn()
    let remember = client.cookies["_remember"]!
    client.cookies = CookieJar()
    client.cookies.set("_remember", remember)
    client.time += 86_399
    #expect(client.get("/").status == .ok)
    client.time += 1
    client.cookies = CookieJar()
    client.cookies.set("_remember", remember)
    let response = client.get("/")
    #expect(response.location == "/login?next=/")
    #expect(response.setCookies == [])
  }

  @Test("A remember cookie of another epoch, or of somebody gone, is cleared and not renewed")
  func epoch() {
    let (client, directory) = makeClient()
    for change in [
      { directory.people[0].epoch += 1 },
      {
        directory.people.remove(at: 0)
        ()
      },
    ] {
      client.cookies = CookieJar()
      client.logIn(remember: true)
      client.cookies.endBrowserSession()
      change()
      let response = client.get("/")
      #expect(response.location == "/login?next=/")
      #expect(response.setCookies == ["_remember=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"])
      #expect(client.cookies["_remember"] == nil)
    }
  }

  @Test("A session is no remember cookie and a remember cookie is no session")
  func purposes() {
    let (client, directory) = makeClient()
    directory.change = { session in
      session.set("user_id", text: ("user001" as StaticString).octets)
      session.set("days", integer: 30)
    }
    client.logIn(remember: true)
    _ = client.get("/members")
    let (session, remember) = (client.cookies["session"]!, client.cookies["_remember"]!)
    client.cookies = CookieJar()
    client.cookies.set("session", remember)
    #expect(client.get("/").status == .found)
    client.cookies = CookieJar()
    client.cookies.set("_remember", session)
    #expect(client.get("/").status == .found)
    // A session of somebody who is not logged in, with members that look like a remember cookie's.
    client.cookies = CookieJar()
    _ = client.get("/members")
    client.cookies.set("_remember", client.cookies["session"]!)
    client.cookies.remove("session")
    #expect(client.get("/").status == .found)
    for claims in [
      #"{"user_id":"user001","exp":1900000000,"_user_id":"x","_remember":0}"#,
      #"{"user_id":"user001","exp":1900000000,"_session":0,"_remember":0}"#,
      #"{"user_id":"user001","_remember":0}"#, #"{"user_id":null,"exp":1900000000,"_remember":0}"#,
      #"{"exp":1900000000,"_remember":0}"#,
    ] {
      client.cookies = CookieJar()
      client.sign("_remember", claims)
      #expect(client.get("/").status == .found, "\(claims)")
    }
  }

  @Test("Remember is for a checkbox and compares by its days")
  func values() {
    #expect(Remember(true) == .days(30))
    #expect(Remember(false) == .no)
    #expect(Remember.days(1) != .days(2))
  }
}

@Suite struct MicrodotTests {
  static let fresh =
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJfdXNlcl9pZCI6InUxIiwiX2ZyZXNoIjp0cnVlfQ"
    + ".6SqGLTYFuSPZxqI_PJF7IWcTMfUqNxrqCF1Psh3YTL0"
  static let stale =
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJfdXNlcl9pZCI6InUxIiwiX2ZyZXNoIjpmYWxzZX0"
    + ".8ketNkHG5IhLfn_hzWFaylSS2xCqPl3Qifg7-SXvV28"
  static let microPython =
    "eyJ0eXAiOiAiSldUIiwgImFsZyI6ICJIUzI1NiJ9"
    + ".eyJfZnJlc2giOiB0cnVlLCAiX3VzZXJfaWQiOiAidTEifQ.JOErdofGj-Kj8vSWpmxMaZO3xw7uCSpnR6Z6bj8Xsg0"

  @Test("Microdot's sessions are accepted where the program says so, and only there")
  func sessions() {
    for (token, isFresh) in [(Self.fresh, true), (Self.stale, false), (Self.microPython, true)] {
      let (lenient, directory) = makeClient(Lenient.self)
      directory.people.append(Person(id: "u1", name: "una"))
      lenient.cookies.set("session", token)
      #expect(lenient.get("/").body == "<h1>Hello, una!</h1>")
      #expect((lenient.get("/fresh").status == .ok) == isFresh)
      #expect(
        lenient.get("/recent").status == .found, "it does not say when the password was given")
      let (strict, other) = makeClient(Strict.self)
      other.people.append(Person(id: "u1", name: "una"))
      strict.cookies.set("session", token)
      #expect(strict.get("/").status == .found)
    }
  }

  @Test("Microdot's remember cookies are accepted where the program says so, and only there")
  func remember() {
    let claims = #"{"user_id": "user001", "days": 30, "exp": 1802592000.5}"#
    let (lenient, _) = makeClient(Lenient.self)
    lenient.sign("_remember", claims)
    let response = lenient.get("/")
    #expect(response.status == .ok)
    #expect(response.setCookies.count == 2)
    let (strict, _) = makeClient(Strict.self)
    strict.sign("_remember", claims)
    #expect(strict.get("/").status == .found)
  }
}
