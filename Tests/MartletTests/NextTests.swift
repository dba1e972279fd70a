// Where a login leads: back to where one was going, and never to another site.

import Martlet
import MartletTesting
import Testing

@Suite struct NextTests {
  @Test(
    "A target comes through the login as it was",
    arguments: [
      "/", "/?foo=bar", "/?a=1&b=2", "/?q=a+b", "/?q=a%2Bb", "/?q=%25", "/?q=100%", "/?q='x'",
      "/?%C3%A4=%E2%82%AC", "/a%20b/c", "/a%20b/c?x=y/z?", "/?next=/fresh", "/?=", "/?&&",
    ])
  func roundTrip(target: String) {
    let (client, _) = makeClient()
    let sent = client.get(target)
    #expect(sent.location?.hasPrefix("/login?next=/") == true)
    let response = client.logIn(at: sent.location ?? "")
    #expect(response.location == target)
    #expect(client.get(response.location ?? "").status == .ok)
  }

  @Test("The next of a target is written as Microdot does, but with the percent sign first")
  func encoding() {
    let (client, _) = makeClient()
    #expect(client.get("/?foo=bar").location == "/login?next=/%3Ffoo%3Dbar")
    #expect(client.get("/?q=a+b&c").location == "/login?next=/%3Fq%3Da%2Bb%26c")
    #expect(client.get("/?%41").location == "/login?next=/%3F%2541")
    #expect(client.get("/?%C3%A4<\"").location == "/login?next=/%3F%25C3%25A4%3C%22")
    #expect(client.get("/?a%23b").location == "/login?next=/%3Fa%2523b")
  }

  @Test(
    "A next of this site is where a login leads",
    arguments: [
      ("/fresh", "/fresh"), ("/ok+space", "/ok%20space"), ("/%3Fa%3Db", "/?a=b"), ("/", "/"),
      ("/a//b", "/a//b"), ("/%C3%A4", "/%C3%A4"), ("/100%", "/100%"), ("/%zz", "/%zz"),
      ("/a\\b", "/a%5Cb"),
    ])
  func accepted(next: String, location: String) {
    let (client, _) = makeClient()
    let response = client.logIn(at: "/login?next=\(next)")
    #expect(response.location == location)
    #expect(response.setCookies.count == 1)
  }

  @Test(
    "A next of another site is not, however it is disguised",
    arguments: [
      "", "fresh", "http://evil.example", "https:/evil.example", "//evil.example",
      "%2F%2Fevil.example", "/%2Fevil.example", "/\\evil.example", "/%5Cevil.example",
      "\\\\evil.example", "/%09/evil.example", "/%0D%0AX:y", "/%00", "/a%0Ab", "/%7F",
      "/%252Fevil.example", "/%255Cevil.example", "/%2509/evil.example", "%252F", "/a%250Ab",
      "+/evil.example", "%20/", "javascript:alert(1)", "./x", "?x", "/%25252", "x&next=/fresh",
    ].filter { $0 != "/%25252" })
  func refused(next: String) {
    let (client, _) = makeClient()
    let response = client.logIn(at: "/login?next=\(next)")
    #expect(response.status == .found)
    #expect(response.location == "/", "\(next)")
    #expect(response.setCookies.count == 1, "the login succeeds all the same")
  }

  @Test("The first next of a query wins")
  func first() {
    let (client, _) = makeClient()
    #expect(client.logIn(at: "/login?next=/a&next=/b").location == "/a")
    #expect(client.logIn(at: "/login?x&&next=/a").location == "/a")
  }

  @Test("A next that is too long is forgotten, and the login goes on without")
  func tooLong() {
    let (client, _) = makeClient()
    let long = "/?" + String(repeating: "a", count: 4_000)
    #expect(client.get(long).location == "/login")
    #expect(client.logIn(at: "/login?next=\(long.dropFirst(2))").location == "/")
    let response = client.logIn(at: "/login?next=/" + String(repeating: "b", count: 4_000))
    #expect(response.location == "/")
    #expect(
      client.post("/login?next=/" + String(repeating: "b", count: 4_000)).location == "/login")
    let fits = "/?" + String(repeating: "a", count: 3_000)
    client.cookies = CookieJar()
    #expect(client.get(fits).location == "/login?next=/%3F" + fits.dropFirst(2))
  }

  @Test("A next of 3,072 octets is kept, and one octet more is too many")
  func limit() {
    let (client, _) = makeClient()
    for (count, fits) in [(3_072, true), (3_073, false)] {
      client.cookies = CookieJar()
      // `?` is written as three octets.
      let target = "/?" + String(repeating: "a", count: count - 4)
      let isNext = client.get(target).location == "/login?next=/%3F" + target.dropFirst(2)
      let path = "/" + String(repeating: "b", count: count - 1)
      let isFollowed = client.logIn(at: "/login?next=" + path).location == path
      #expect(isNext == fits && isFollowed == fits, "\(count)")
    }
  }

  @Test("What grows when it is written may not fit either; the answer is still whole")
  func growing() {
    let (client, _) = makeClient()
    let quotes = "/?" + String(repeating: "%", count: 2_000)
    #expect(client.get(quotes).location == "/login")
    let back = client.logIn(
      remember: true, at: "/login?next=/" + String(repeating: "\"", count: 3_000))
    #expect(back.status == .found || back.status == .internalServerError)
    if back.status == .found { #expect(back.setCookies.count == 2) }
  }
}
