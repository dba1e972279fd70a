// Boards whose clock is wrong, is set, or goes backwards; and sessions that end. `time` is the true time,
// `clockError` is what the system's time of day is wrong by.

import Martlet
import MartletTesting
import TestSupport
import Testing

private let day: Int64 = 86_400

/// The clock of a board without a battery.
private let in1970: Int64 = -1_799_999_000

/// A client whose kernel has been running for an hour.
private func makeBoard<P: Policy>(
  _ policy: P.Type = Strict.self, clockError: Int64 = 0
) -> (Client<P>, Directory) {
  let (client, directory) = makeClient(policy)
  client.bootTime = client.time - 3_600
  client.clockError = clockError
  return (client, directory)
}

/// The kernel restarts: another program, the same browser.
private func restartKernel<P: Policy>(
  _ client: Client<P>, _ directory: Directory, clockError: Int64 = 0
) -> Client<P> {
  let next = TestClient(Site<P>(directory: directory), secret: secret)
  next.cookies = client.cookies
  next.time = client.time
  next.bootTime = client.time
  next.boot = client.boot + 1
  next.clockError = clockError
  return next
}

@Suite struct SystemClockTests {
  /// What the time of day is wrong by before and after.
  static let jumps: [(before: Int64, after: Int64)] = [
    (in1970, 0), (0, in1970), (-30 * day, 0), (380_000_000, 0), (0, 380_000_000),
    (in1970, 380_000_000), (380_000_000, in1970), (-3_600, 0), (3_600, 0),
  ]

  @Test("Remembered days count on, however the clock is set", arguments: jumps)
  func remembered(before: Int64, after: Int64) {
    let (client, _) = makeBoard(clockError: before)
    client.logIn(remember: true)
    let cookie = client.cookies["_remember"]!
    client.clockError = after
    client.time += 30 * day - 1
    client.cookies = CookieJar()
    client.cookies.set("_remember", cookie, path: "/")
    #expect(client.get("/").status == .ok, "29 days later")
    client.time += 1
    client.cookies = CookieJar()
    client.cookies.set("_remember", cookie, path: "/")
    #expect(client.get("/").status == .found, "30 days later")
  }

  @Test("A password is fresh for as long as the page says, however the clock is set", arguments: jumps)
  func fresh(before: Int64, after: Int64) {
    let (client, _) = makeBoard(clockError: before)
    client.logIn()
    client.time += 200
    #expect(client.get("/recent").status == .ok)
    client.clockError = after
    #expect(client.get("/recent").status == .ok)
    client.time += 100
    #expect(client.get("/recent").status == .ok)
    client.time += 1
    #expect(client.get("/recent").status == .found)
    #expect(client.get("/fresh").status == .ok)
  }

  @Test("A session lasts as long as the application says, however the clock is set", arguments: jumps)
  func limited(before: Int64, after: Int64) {
    let (client, _) = makeBoard(Limited.self, clockError: before)
    client.logIn()
    client.clockError = after
    client.time += day - 1
    #expect(client.get("/").status == .ok)
    client.time += day
    #expect(client.get("/").status == .found)
  }

  @Test("What is minted before the clock is set names no time of day, and is minted anew afterwards")
  func mintedAnew() {
    let (client, directory) = makeBoard(Limited.self, clockError: in1970)
    client.logIn(remember: true)
    let up = "\"_boot\":1,\"_up\":3600"
    #expect(
      client.claims("session") == "{\"_user_id\":\"user001\",\"_fresh\":true,\"_session\":0,\(up)}")
    #expect(
      client.claims("_remember") == "{\"user_id\":\"user001\",\"days\":30,\"_remember\":0,\(up)}")
    client.time += 60
    #expect(client.get("/").setCookies == [], "it is still not set")
    client.clockError = 0
    let response = client.get("/")
    #expect(
      response.setCookies.map { String($0.prefix { $0 != "=" }) } == ["session", "_remember"])
    #expect(client.claims("session")?.contains(#""_at":1800000060"#) == true)
    #expect(client.claims("session")?.contains(#""_ago":60"#) == true)
    #expect(client.claims("session")?.contains(#""exp":1800086460"#) == true)
    #expect(client.claims("_remember")?.contains(#""exp":1802592060"#) == true)
    #expect(client.get("/").setCookies == [], "once")
    client.time += 240
    #expect(client.get("/recent").status == .ok)
    client.time += 1
    #expect(client.get("/recent").status == .found)
    // Now both outlast the kernel.
    let next = restartKernel(client, directory)
    #expect(next.get("/").status == .ok)
    next.cookies.remove("session")
    #expect(next.get("/").status == .ok)
  }

  @Test("After the next start of the kernel the time of day decides, when it is known")
  func otherBoot() {
    let (client, directory) = makeBoard()
    client.logIn(remember: true)
    client.cookies.endBrowserSession()
    let unset = restartKernel(client, directory, clockError: in1970)
    let response = unset.get("/")
    #expect(response.status == .found, "nobody knows how old it is")
    #expect(response.setCookies == [], "and it is kept")
    unset.clockError = 0
    #expect(unset.get("/").status == .ok)
    client.time += 30 * day
    let late = restartKernel(client, directory)
    #expect(late.get("/").status == .found)
  }

  @Test("What a clock of the future has minted does not live for decades", arguments: [false, true])
  func future(isListedAsSynchronized: Bool) {
    let (client, directory) = makeBoard(clockError: 380_000_000)
    client.isSynchronized = isListedAsSynchronized
    client.logIn(remember: true)
    let session = client.claims("session")
    client.cookies.endBrowserSession()
    let next = restartKernel(client, directory)
    #expect(next.get("/").status == .found)
    // The session has no end in this application, but nobody is fresh by it.
    next.sign("session", session!)
    #expect(next.get("/").status == .ok)
    #expect(next.get("/recent").status == .found)
    let (limited, other) = makeBoard(Limited.self, clockError: 380_000_000)
    limited.logIn()
    #expect(restartKernel(limited, other).get("/").status == .found)
    #expect(restartKernel(limited, other, clockError: in1970).get("/").status == .found)
  }

  @Test("Tokens that end at a time of day have ended before a clock that is not set knows it")
  func lowerBound() {
    let (client, _) = makeBoard(Lenient.self, clockError: in1970)
    for (end, status) in [
      (1_700_000_000, Status.found), (SystemClock.earliest, .found), (SystemClock.earliest + 1, .ok),
    ] {
      client.cookies = CookieJar()
      client.sign("session", #"{"_user_id":"user001","exp":\#(end)}"#)
      #expect(client.get("/").status == status, "\(end)")
      client.cookies = CookieJar()
      client.sign("_remember", #"{"user_id":"user001","days":30,"exp":\#(end)}"#)
      #expect(client.get("/").status == status, "\(end)")
    }
  }
}

@Suite struct SessionLimitsTests {
  @Test("A session that is used ends in a week, moved on quietly and not at each request")
  func used() {
    let (client, _) = makeBoard(Limited.self)
    client.logIn()
    #expect(client.claims("session")?.contains(#""exp":1800086400"#) == true)
    let begin = client.time
    var renewals = 0
    while client.get("/").status == .ok {
      client.time += 600
      if client.get("/").setCookies.count > 0 { renewals += 1 }
    }
    #expect(client.time - begin >= 7 * day - 600 && client.time - begin <= 7 * day)
    #expect(renewals > 20 && renewals <= 7 * 16, "\(renewals)")
  }

  @Test("A session that is not used ends after a day, wherever it has been minted anew")
  func unused() {
    for wait in [0, 4_000, 50_000] as [Int64] {
      let (client, _) = makeBoard(Limited.self)
      client.logIn()
      client.time += wait
      _ = client.get("/")
      let copy = client.cookies
      client.time += day - 6_000
      #expect(client.get("/").status == .ok)
      client.cookies = copy
      client.time += 6_000
      #expect(client.get("/").status == .found)
      #expect(client.get("/values").status == .ok, "a page for everyone is one")
    }
  }

  @Test("A session that remember restores is as old as the login")
  func restored() {
    let (client, _) = makeBoard(Limited.self)
    client.logIn(remember: true)
    for _ in 0..<6 {
      client.time += day
      client.cookies.endBrowserSession()
      #expect(client.get("/").status == .ok)
    }
    #expect(client.claims("_remember")?.contains("\"_age\":\(6 * day)") == true)
    client.time += day
    client.cookies.endBrowserSession()
    #expect(client.get("/").status == .found)
  }

  @Test("A session that remember restores after a start of the kernel is as old as the login")
  func restoredInOtherBoots() {
    var (client, directory) = makeBoard(Limited.self)
    client.logIn(remember: true)
    for days in 1...6 as ClosedRange<Int64> {
      client.time += day
      client.cookies.endBrowserSession()
      client = restartKernel(client, directory)
      #expect(client.get("/").status == .ok)
      #expect(client.claims("_remember")?.contains("\"_age\":\(days * day)") == true, "\(days)")
    }
    client.time += day
    client.cookies.endBrowserSession()
    client = restartKernel(client, directory)
    #expect(client.get("/").status == .found)
  }

  @Test("A parallel request with the former token is no loss, and a logout stays one")
  func parallel() {
    let (client, _) = makeBoard(Limited.self)
    client.logIn()
    client.time += 40_000
    let former = client.cookies
    #expect(client.get("/").setCookies.count == 1)
    let renewed = client.cookies
    client.cookies = former
    #expect(client.get("/").status == .ok)
    client.cookies = renewed
    #expect(client.get("/").status == .ok)
    client.time += 40_000
    let response = client.post("/logout")
    #expect(response.setCookies.count == 1)
    #expect(client.claims("session") == "{}")
  }

  @Test("The password is no fresher by a token that is minted anew")
  func freshness() {
    let (client, _) = makeBoard(Limited.self)
    client.logIn()
    client.time += 10_000
    #expect(client.get("/").setCookies.count == 1)
    #expect(client.get("/recent").status == .found)
    #expect(client.get("/fresh").status == .ok)
    client.sign("session", #"{"_user_id":"user001","_fresh":true,"_session":0}"#)
    #expect(client.get("/").status == .found, "nobody knows how old it is")
  }
}

@Suite struct SessionDeletionTests {
  @Test("All members end at a logout, and when another user logs in")
  func members() {
    let (client, directory) = makeClient()
    directory.change = { session in
      session.set("theme", text: ("dark" as StaticString).octets)
      session.set("basket", integer: 3)
    }
    for name in ["susan", "david"] {
      client.logIn("susan")
      _ = client.get("/members")
      if name == "susan" { _ = client.post("/logout") }
      client.logIn(name)
      for member in ["theme", "basket"] {
        #expect(client.claims("session")?.contains(member) == false, "\(name)")
      }
    }
  }

  @Test("A deleted session is a deleted cookie, and what is set afterwards begins a new one")
  func deleted() {
    let (client, directory) = makeClient()
    client.logIn()
    directory.change = { $0.delete() }
    let response = client.get("/members")
    #expect(response.setCookies == ["session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"])
    #expect(client.cookies["session"] == nil)
    #expect(client.get("/").status == .found)
    client.logIn()
    directory.change = { session in
      session.delete()
      session.set("theme", integer: 1)
    }
    _ = client.get("/members")
    #expect(client.claims("session") == #"{"theme":1}"#)
  }
}

@Suite struct ExtremeClaimsTests {
  static let numbers = [
    "-9223372036854775808", "-9223372036854775809", "9223372036854775807", "9223372036854775808",
    "18446744073709551616", "-1", "0", "1", "1e400", "-1e400", "1.5", "-0", "9007199254740993",
    "1e-400", "\"1\"", "null", "true", "[]", "{}", "-9223372036854775808.5", "1800000000",
  ]

  @Test("No value of any claim stops the program or lets anybody in who was not", arguments: numbers)
  func extremes(number: String) {
    for isSet in [true, false] {
      let (client, _) = makeBoard(Lenient.self, clockError: isSet ? 0 : in1970)
      let (limited, _) = makeBoard(Limited.self, clockError: isSet ? 0 : in1970)
      for name in [
        "_at", "_boot", "_up", "_age", "_ago", "exp", "nbf", "iat", "_session", "_fresh", "days", "_days",
        "_remember", "_user_id", "user_id",
      ] {
        for others in ["", #","_boot":1"#, #","_boot":1,"_up":3600"#, #","_at":1800000000"#] {
          let session = #"{"_user_id":"user001","_fresh":true,"_session":0"# + others
          let remember = #"{"user_id":"user001","days":30,"exp":1800000900,"_remember":0"# + others
          for page in ["/", "/recent", "/fresh"] {
            client.cookies = CookieJar()
            client.sign("session", session + ",\"\(name)\":\(number)}")
            let status = client.get(page).status
            #expect(status == .ok || status == .found)
            // Only a moment of this boot, or of a known time of day, is recent.
            if page == "/recent", others.isEmpty, number != "1800000000" {
              #expect(status == .found, "\(name)")
            }
            client.cookies = CookieJar()
            client.sign("_remember", remember + ",\"\(name)\":\(number)}")
            _ = client.get(page)
            limited.cookies = CookieJar()
            limited.sign("session", session + ",\"\(name)\":\(number)}")
            _ = limited.get(page)
            limited.cookies = CookieJar()
            limited.sign("_remember", remember + ",\"\(name)\":\(number)}")
            _ = limited.get(page)
          }
        }
      }
    }
  }
}
