// What pages answer, and what requests are not let through to them.

import MartletTesting
import TestSupport
import Testing

@testable import Martlet

@Suite struct PageTests {
  @Test("A path that no page has is 404, a method that a path has not is 405 with Allow")
  func routing() {
    let (client, directory) = makeClient()
    for target in [
      "/nowhere", "/nowhere/", "//nowhere", "/LOGIN", "/LOGIN/", "/login%00", "/login%00/", "/index",
      "/login/x", "/login/x/", "/login/...", "/.login", "/login.", "/\\login", "/login\\", "/login;/",
      "/login%20/", "/login/index.htm", "/loginindex.html", "/x/../y",
      "/logout/", "//example.com/", "//example.com/..;/login", "/" + String(repeating: "a", count: 300),
    ] {
      let response = client.get(target)
      #expect(response.status == .notFound, "\(target)")
      #expect(response.body.contains("There is no such page here."))
      #expect(response.body.contains("<a href=\"/\">"))
      #expect(response.header("Cache-Control") == "no-store")
    }
    for (method, target, allow) in [
      ("POST", "/", "GET, HEAD, OPTIONS"), ("PUT", "/login", "GET, HEAD, POST, OPTIONS"),
      ("GET", "/logout", "POST, OPTIONS"), ("DELETE", "/values", "GET, HEAD, OPTIONS"),
      ("HEAD", "/form", "POST, OPTIONS"), ("TRACE", "/", "GET, HEAD, OPTIONS"),
    ] {
      let response = client.request(method, target)
      #expect(response.status == .methodNotAllowed, "\(method) \(target)")
      #expect(response.header("Allow") == allow)
    }
    #expect(directory.log == [])
  }

  @Test("A path is found however it is percent-encoded")
  func encodedPaths() {
    let (client, _) = makeClient()
    client.logIn()
    for target in ["/a%20b/c", "/%61%20b%2Fc", "/a%20b/%63?x"] {
      #expect(client.get(target).status == .ok, "\(target)")
    }
    #expect(client.get("http://localhost/fresh").status == .ok)
    #expect(client.get("http://localhost").status == .ok)
    #expect(client.get("http://localhost?x").status == .ok)
  }

  @Test(
    "Another spelling of a page's path leads to the path, with the query, and nowhere else",
    arguments: [
      ("/login/", "/login"), ("//login", "/login"), ("/login//", "/login"), ("///login///", "/login"),
      ("/./login", "/login"), ("/a/../login", "/login"), ("/../login", "/login"),
      ("/../../login/.", "/login"), ("/login/..", "/"), ("/login/../", "/"), ("//", "/"),
      ("/index.html", "/"), ("//index.html", "/"), ("/index.html/", "/"), ("/login/index.html", "/login"),
      ("/.", "/"), ("/%2e", "/"), ("/%2E%2e/login", "/login"), ("/a/%2e./%6Cogin%2f", "/login"),
      ("/%2f/login", "/login"), ("/a%20b//c", "/a%20b/c"),
      ("/index.html/login", "/login"), ("/%69ndex.html", "/"),
      ("http://h//login/", "/login"), ("//evil.example/../login", "/login"),
      ("//evil.example/%2e%2e/", "/"), ("/login" + String(repeating: "/", count: 500), "/login"),
      ("/" + String(repeating: "a/../", count: 200) + "login", "/login"),
    ])
  func plainPath(target: String, path: String) {
    let (client, directory) = makeClient()
    for query in ["", "?", "?next=/fresh&x=%zz+//a?b"] {
      for method in ["GET", "HEAD"] {
        let response = client.request(method, target + query)
        #expect(response.status == .permanentRedirect, "\(target)")
        #expect(response.location == path + query)
        #expect(response.header("Cache-Control") == "no-store")
      }
    }
    #expect(client.get(target + "?\"<>|^`{}").location == path + "?%22%3C%3E%7C%5E%60%7B%7D")
    #expect(directory.log == [])
  }

  @Test("A redirect keeps the method, and is given where the page takes it; a query has a bound")
  func plainPathOfOtherMethods() {
    let (client, _) = makeClient()
    #expect(client.post("/login/", form: [("username", "susan")]).status == .permanentRedirect)
    #expect(client.post("//logout", form: []).location == "/logout")
    for method in ["PUT", "OPTIONS", "DELETE"] {
      #expect(client.request(method, "/login/").status == .notFound)
    }
    #expect(client.post("/values/", form: []).status == .notFound)
    #expect(client.get("/login/?" + String(repeating: "x", count: 4_000)).status == .permanentRedirect)
    #expect(client.get("/login/?" + String(repeating: "|", count: 4_000)).status == .notFound)
  }

  @Test("An error page links to the first page where there is one")
  func wayBack() {
    let (client, directory) = makeClient()
    directory.value = Array(repeating: 0x61, count: 2_000)
    let link = "<a href=\"/\">Go to the first page</a>"
    for response in [
      client.get("/nowhere"), client.request("PUT", "/login"), client.get("/refused"),
      client.get("/overflow"), client.post("/form", form: [], headers: [("Origin", "http://x")]),
    ] {
      #expect(response.body.contains(link), "\(response.status)")
      #expect(response.header("Cache-Control") == "no-store")
    }
  }

  @Test("OPTIONS says what a path allows, to everyone")
  func options() {
    let (client, directory) = makeClient()
    let response = client.request("OPTIONS", "/logout")
    #expect(response.status == .ok)
    #expect(response.header("Allow") == "POST, OPTIONS")
    #expect(response.header("Content-Length") == "0")
    #expect(client.request("OPTIONS", "*").status == .ok)
    #expect(client.request("OPTIONS", "/nowhere").status == .notFound)
    #expect(directory.log == [])
  }

  @Test("HEAD gets the headers that GET gets, and no content")
  func head() {
    let (client, _) = makeClient()
    client.logIn()
    for target in ["/", "/style.css", "/nowhere", "/refused"] {
      let (get, head) = (client.get(target), client.request("HEAD", target))
      #expect(head.status == get.status && head.headers == get.headers, "\(target)")
      #expect(head.body.isEmpty && !get.body.isEmpty)
    }
  }

  @Test("Each page that is numbered is found, and those that need a login say so")
  func table() {
    #expect(Site<Strict>.needsLogin)
    var rawValue: UInt8 = 0
    for page in Site<Strict>.Page.allCases {
      #expect(page.rawValue == rawValue, "pages are numbered without a gap")
      rawValue += 1
    }
    let (client, directory) = makeClient()
    #expect(client.get("/status").status == .created)
    #expect(directory.log == ["status - false"])
  }

  @Test("A request of another site that changes something is refused")
  func crossOrigin() {
    let (client, directory) = makeClient()
    let refused = [
      [("Sec-Fetch-Site", "cross-site")], [("Sec-Fetch-Site", "same-site")],
      [("Sec-Fetch-Site", "")], [("Origin", "null")], [("Origin", "http://evil.example")],
      [("Origin", "http://localhost:81")], [("Origin", "ftp://localhost")],
      [("Origin", "localhost")], [("Origin", "http://localhos")],
      [("Sec-Fetch-Site", "cross-site"), ("Origin", "http://localhost")],
    ]
    for headers in refused {
      let response = client.post(
        "/login", form: [("username", "susan"), ("password", "hello")], headers: headers)
      #expect(response.status == .forbidden, "\(headers)")
      #expect(response.setCookies == [])
    }
    #expect(directory.log == [])
    let allowed = [
      [], [("Sec-Fetch-Site", "same-origin")], [("Sec-Fetch-Site", "none")],
      [("Origin", "http://localhost")], [("Origin", "https://LOCALHOST")],
      [("Sec-Fetch-Site", "same-origin"), ("Origin", "http://other.example")],
    ]
    for headers in allowed {
      let response = client.post(
        "/login", form: [("username", "susan"), ("password", "hello")], headers: headers)
      #expect(response.status == .found, "\(headers)")
    }
    #expect(client.get("/", headers: [("Sec-Fetch-Site", "cross-site")]).status == .ok)
    client.host = "localhost"
    let old = client.send([UInt8]("POST /login HTTP/1.0\r\nOrigin: http://h\r\n\r\n".utf8))
    #expect(old.status == .forbidden, "nobody knows which host was meant")
  }

  @Test("An origin is the same when host and port are, an absent port being the scheme's own")
  func sameOrigin() {
    let (client, _) = makeClient()
    func isSame(_ host: String, _ origin: String) -> Bool {
      client.host = host
      let response = client.post("/form", form: [("text", "x")], headers: [("Origin", origin)])
      #expect(response.status == .ok || response.status == .forbidden, "\(host) \(origin)")
      return response.status == .ok
    }
    let same = [
      ("localhost", "http://localhost"), ("localhost", "http://localhost:80"),
      ("localhost:80", "http://localhost"), ("localhost:080", "http://localhost"),
      ("localhost:", "http://localhost"), ("LocalHost", "http://LOCALHOST"),
      ("localhost", "https://localhost"), ("localhost:443", "https://localhost"),
      ("localhost", "https://localhost:443"), ("localhost:8080", "http://localhost:8080"),
      ("127.0.0.1:8080", "http://127.0.0.1:8080"), ("[::1]", "http://[::1]"),
      ("[0:0:0:0:0:0:0:1]:80", "http://[::1]"), ("[FE80::1]", "http://[fe80:0::0001]:80"),
      ("[::ffff:127.0.0.1]", "http://[::ffff:7f00:1]"),
    ]
    for (host, origin) in same { #expect(isSame(host, origin), "\(host) \(origin)") }
    let other = [
      ("localhost:443", "http://localhost"), ("localhost:80", "https://localhost"),
      ("localhost", "http://localhost:8080"), ("localhost:8080", "http://localhost"),
      ("localhost:8080", "http://localhost:80"), ("localhost", "http://localhost:65616"),
      ("localhost", "http://localhost:99999999999999999999"), ("localhost", "http://localhost:x"),
      ("localhost", "http://localhost:-80"), ("localhost", "http://localhost."),
      ("localhost", "http://localhost/"), ("localhost", "http://user@localhost"),
      ("localhost", "http://localhost:80@evil.example"), ("localhost", "http://xlocalhost"),
      ("localhost", "http://"), ("localhost", "http://:80"), ("localhost", "HTTP://localhost:81"),
      ("localhost", "null"), ("localhost", "NULL"), ("localhost", ""), ("localhost", "http:"),
      ("127.0.0.1", "http://[::ffff:127.0.0.1]"), ("127.0.0.1", "http://2130706433"),
      ("127.0.0.1", "http://127.1"), ("[::1]", "http://[::2]"), ("[::1]", "http://[::1"),
      ("[::1]", "http://[::1]x"), ("[::1]", "http://::1"), ("[::1]", "http://[1]"),
      ("localhost", "http://localhost, http://localhost"),
    ]
    for (host, origin) in other { #expect(!isSame(host, origin), "\(host) \(origin)") }
  }

  @Test("Who is refused as another site's request is told what to do")
  func crossOriginTells() {
    let (client, _) = makeClient()
    let null = client.post("/form", form: [("text", "x")], headers: [("Origin", "null")])
    #expect(null.status == .forbidden && null.body.contains("Open the page directly"))
    let other = client.post("/form", form: [("text", "x")], headers: [("Origin", "http://a.example")])
    #expect(other.status == .forbidden && other.body.contains("a page of another site"))
    #expect(other.body.contains("try again"))
  }

  @Test("A login leads to what GET answers, and nobody is asked to come back to anything else")
  func nextIsForGET() {
    let (client, _) = makeClient()
    #expect(client.post("/logout").location == "/login")
    #expect(client.post("/logout?a=b").location == "/login")
    #expect(client.post("/epoch").location == "/login")
    #expect(client.logIn(at: "/login?next=/logout").location == "/")
    #expect(client.logIn(at: "/login?next=/%6Cogout%3Fx").location == "/")
    #expect(client.logIn(at: "/login?next=/logout/more").location == "/logout/more")
  }

  @Test("Content that is no form is refused")
  func mediaTypes() {
    let (client, _) = makeClient()
    for type in [
      "text/plain", "application/json", "multipart/form-data; boundary=x", "",
      "application/x-www-form-urlencodedx",
    ] {
      let response = client.request(
        "POST", "/form", headers: [("Content-Type", type)], content: [UInt8]("text=x".utf8))
      #expect(response.status == .unsupportedMediaType, "\(type)")
      #expect(response.body.contains("curl sends such a form with -d or --data-urlencode"))
    }
    for type in [
      "application/x-www-form-urlencoded", "Application/X-WWW-Form-URLEncoded ; charset=utf-8",
    ] {
      let response = client.request(
        "POST", "/form", headers: [("Content-Type", type)], content: [UInt8]("text=x".utf8))
      #expect(response.body == "[x] 1800000000")
    }
    #expect(client.request("POST", "/form", content: [UInt8]("text=x".utf8)).status == .ok)
    #expect(
      client.request("POST", "/form", headers: [("Content-Type", "text/plain")]).status
        == .badRequest)
  }

  @Test("What the server refuses never reaches a page")
  func refusals() {
    let (client, directory) = makeClient()
    #expect(client.send([UInt8]("GET / HTTP/1.1\r\n\r\n".utf8)).status == .badRequest)
    #expect(client.send([UInt8]("GET / HT".utf8)).status == .requestTimeout)
    #expect(
      client.send([UInt8]("POST /form HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n".utf8))
        .status
        == .requestTimeout)
    #expect(directory.log == [])
    let chunked = client.send(
      [UInt8](
        ("POST /form HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
          + "5\r\ntext=\r\n2\r\nab\r\n0\r\n\r\n").utf8))
    #expect(chunked.body == "[ab] 1800000000")
    #expect(chunked.header("Connection") == "keep-alive")
    let old = client.send([UInt8]("GET /values HTTP/1.0\r\n\r\n".utf8))
    #expect(old.header("Connection") == "close")
  }

  @Test("Every answer has the site's fields; what depends on a session is stored nowhere")
  func fields() {
    let (client, _) = makeClient()
    client.logIn()
    for target in ["/", "/values", "/nowhere", "/refused", "/redirect", "/style.css", "/overflow"] {
      let response = client.get(target)
      #expect(response.header("X-Content-Type-Options") == "nosniff")
      #expect(response.header("X-Frame-Options") == "DENY")
      #expect(response.header("Referrer-Policy") == "same-origin")
      let policy = response.header("Content-Security-Policy") ?? ""
      #expect(policy.hasPrefix("default-src 'self'; "))
      #expect(policy.contains("frame-ancestors 'none'; base-uri 'none'"))
      #expect(!policy.contains("script-src") && !policy.contains("unsafe-eval"))
      #expect(response.header("Date") == "Fri, 15 Jan 2027 08:00:00 GMT")
    }
    for target in ["/", "/values", "/refused", "/redirect"] {
      #expect(client.get(target).values(of: "Cache-Control") == ["no-store"])
      #expect(client.get(target).values(of: "Vary") == ["Cookie"])
    }
    #expect(client.get("/redirect").location == "/elsewhere")
    #expect(client.get("/redirect?literal=1").body == "a&lt;b")
    let own = client.get("/fields", headers: [("User-Agent", "a<b")])
    #expect(own.header("x-own") == "yes")
    #expect(own.body == "a&lt;b")
    #expect(client.get("/fields").body == "none")
  }

  @Test("An asset may be kept, and sets no cookie, whoever asks for it")
  func asset() {
    let (client, _) = makeClient()
    client.logIn(remember: true)
    for _ in 0..<2 {
      let response = client.get("/style.css")
      #expect(response.status == .ok)
      #expect(response.body == "p { color: red }")
      #expect(response.header("Content-Type") == "text/css; charset=utf-8")
      #expect(response.values(of: "Cache-Control") == ["public, max-age=3600"])
      #expect(response.header("Vary") == nil)
      #expect(response.setCookies == [])
      client.cookies.remove("session")
    }
  }

  @Test("Only the success of a page that is for everyone may be kept")
  func caching() {
    let (client, _) = makeClient()
    for (query, status) in [("", Status.ok), ("?created=1", .created)] {
      let response = client.get("/cached" + query)
      #expect(response.status == status)
      #expect(response.values(of: "Cache-Control") == ["public, max-age=60"])
      #expect(response.setCookies == [])
    }
    for (query, status) in [
      ("?missing=1", Status.notFound), ("?busy=1", .serviceUnavailable), ("?elsewhere=1", .found),
      ("?broken=1", .internalServerError), ("?file=1", .notFound),
    ] {
      let response = client.get("/cached" + query)
      #expect(response.status == status)
      #expect(response.values(of: "Cache-Control") == ["no-store"], "\(query)")
      #expect(response.setCookies.count == 1, "what is stored nowhere may carry cookies")
    }
    client.logIn()
    let own = client.get("/cached/own")
    #expect(own.status == .ok)
    #expect(own.values(of: "Cache-Control") == ["no-store"])
  }

  @Test(
    "Who may not enter and wants no HTML is told with 401; everybody else is sent to the login",
    arguments: [
      // What Accept says, whether a page sends to the login, and whether one for programs does.
      (nil, true, false), ("*/*", true, false), ("text/html", true, true),
      ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true, true),
      ("TEXT/HTML;level=1; q=0.1", true, true), ("application/xhtml+xml", true, true),
      ("text/*", true, false), ("text/*;q=0.5, application/json", true, false), ("", true, false),
      (", ,", true, false),
      ("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", true, false),
      ("application/json", false, false), ("text/plain", false, false), ("image/*", false, false),
      ("text/html;q=0, */*", false, false), ("*/*, text/html; Q=0.000", false, false),
      ("text/html;q=0;level=1, text/html;q=0.1", true, true), ("*/*;q=0", false, false),
      ("text/htmlx, xtext/html, text", false, false), ("text/html;q=0.01", true, true),
    ] as [(String?, Bool, Bool)])
  func programs(accept: String?, page: Bool, figures: Bool) {
    let (client, _) = makeClient()
    let headers = accept.map { [("Accept", $0)] } ?? []
    for (target, isSent) in [("/", page), ("/figures", figures)] {
      let response = client.get(target, headers: headers)
      #expect(response.header("Cache-Control") == "no-store")
      #expect(response.header("Vary") == "Cookie")
      if isSent {
        #expect(response.status == .found, "\(target)")
        #expect(response.location == "/login?next=" + target)
        #expect(response.header("WWW-Authenticate") == nil)
      } else {
        #expect(response.status == .unauthorized, "\(target)")
        #expect(response.header("WWW-Authenticate") == "Session realm=\"this device\"")
        #expect(response.header("Content-Type") == "text/plain; charset=utf-8")
        #expect(response.body.contains("Log in at /login "))
        #expect(response.location == nil)
      }
    }
    client.logIn()
    #expect(client.get("/figures", headers: headers).body == "figures")
  }

  @Test("Of several Accept lines all count, and a session that has ended is cleared with 401 as well")
  func programsFurther() {
    let (client, directory) = makeClient()
    let two = [("Accept", "application/json"), ("accept", "text/html")]
    #expect(client.get("/", headers: two).status == .found)
    client.logIn()
    directory.people[0].epoch += 1
    let response = client.get("/figures")
    #expect(response.status == .unauthorized)
    #expect(response.setCookies.count == 1)
    #expect(client.request("HEAD", "/figures").status == .unauthorized)
    #expect(client.post("/logout", headers: [("Accept", "application/json")]).status == .unauthorized)
  }

  @Test("A refusal of a page is a page")
  func refused() {
    let (client, _) = makeClient()
    let response = client.get("/refused")
    #expect(response.status == .conflict)
    #expect(response.body.contains("<h1>Conflict</h1><p>This cannot be now.</p>"))
    #expect(response.header("Content-Type") == "text/html; charset=utf-8")
  }
}

@Suite struct HTMLTests {
  @Test("A text and what was typed are escaped alike, octet by octet, wherever it stands")
  func alike() {
    let (client, directory) = makeClient()
    for octet in UInt8.min...UInt8.max where octet != 0x7C {
      for value in [[octet], [0x61, octet, 0x62], [0xC3, octet, 0x61], [octet, octet]] {
        directory.value = value
        let shown = client.get("/values").body.utf8.prefix(while: { $0 != 0x7C })
        let form = "text=" + value.map { "%" + String(UInt16($0) + 0x100, radix: 16).dropFirst() }.joined()
        let typed = client.request("POST", "/form", content: [UInt8](form.utf8)).body
        #expect([UInt8](typed.utf8) == shown + [UInt8]("] 1800000000".utf8), "octet \(octet)")
      }
    }
  }

  private func page(_ value: [UInt8], number: Int = 0) -> String {
    let (client, directory) = makeClient()
    directory.value = value
    directory.number = number
    return client.get("/values").body
  }

  @Test("Values are escaped, literals are not")
  func escaping() {
    #expect(
      page([UInt8](#"<a href="x" title='y'>&amp;"#.utf8)).hasPrefix(
        "[&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;|"))
    let (client, _) = makeClient()
    #expect(client.get("/empty").body == "[a&amp;ba&amp;b<br>]")
    #expect(
      client.post("/form", form: [("text", "<ä'&+ %>")]).body
        == "[&lt;ä&#39;&amp;+ %&gt;] 1800000000")
    #expect(client.post("/form", form: [("other", "x")]).status == .badRequest)
  }

  @Test("What is no UTF-8 becomes U+FFFD")
  func illFormed() {
    #expect(page([0x61, 0xFF, 0x62]).hasPrefix("[a\u{FFFD}b|"))
    #expect(page([0xE2, 0x82]).hasPrefix("[\u{FFFD}|"))
    #expect(page([0xC0, 0xBC]).hasPrefix("[\u{FFFD}\u{FFFD}|"))
    #expect(page([0xE2, 0x82, 0xAC, 0x3C]).hasPrefix("[€&lt;|"))
    let (client, _) = makeClient()
    let response = client.request("POST", "/form", content: [UInt8]("text=%E2%82&x".utf8))
    #expect(response.body == "[\u{FFFD}] 1800000000")
  }

  @Test("Numbers are written whole, the longest ones too")
  func numbers() {
    #expect(page([], number: 0) == "[|0|-9223372036854775808|18446744073709551615]")
    #expect(page([], number: -1).hasPrefix("[|-1|"))
    #expect(page([], number: .max).hasPrefix("[|9223372036854775807|"))
  }

  @Test("Values have the whole page, and what does not fit it is a 500, never a cut page")
  func tooManyValues() {
    let (client, directory) = makeClient()
    // The brackets and bars of the page, and its numbers: 5 + 1 + 20 + 20.
    directory.value = [UInt8](repeating: 0x61, count: Limits.responseContentSizeMax - 46)
    #expect(client.get("/values").status == .ok)
    directory.value.append(0x61)
    let response = client.get("/values")
    #expect(response.status == .internalServerError)
    #expect(!response.body.contains("aaa"))
    directory.value = [UInt8](repeating: 0x3C, count: Limits.responseContentSizeMax / 4)
    #expect(client.get("/values").status == .internalServerError)
    #expect(client.get("/many").body.hasSuffix("a23a24a25a"))
    #expect(client.get("/long").body.hasSuffix("<p>18</p><p>19</p>"))
  }

  @Test("A page that does not fit is a 500 and changes no cookie")
  func tooLong() {
    let (client, directory) = makeClient()
    directory.value = [UInt8](repeating: 0x61, count: 1_000)
    client.logIn()
    let session = client.cookies["session"]
    let response = client.get("/overflow")
    #expect(response.status == .internalServerError)
    #expect(response.setCookies == [])
    #expect(response.body.contains("does not fit this device's memory"))
    #expect(client.cookies["session"] == session)
    #expect(client.get("/").status == .ok)
    directory.value = []
    #expect(client.get("/overflow").setCookies.count == 1)
  }
}

@Suite struct SessionTests {
  @Test("Members are read as they were set, and only when their kind is asked for")
  func members() {
    let (client, directory) = makeClient()
    directory.change = { session in
      session.set("text", text: ("ä \"quoted\" \\" as StaticString).octets)
      session.set("integer", integer: .min)
      session.set("boolean", boolean: true)
    }
    let response = client.get("/members")
    #expect(response.setCookies.count == 1)
    #expect(response.header("Vary") == "Cookie")
    var seen: [String] = []
    directory.change = { session in
      let text: Text<40>? = session.text(of: "text")
      let short: Text<3>? = session.text(of: "text")
      let wrong: Text<40>? = session.text(of: "integer")
      seen.append(text.map { String($0.span) } ?? "-")
      seen.append("\(short == nil) \(wrong == nil)")
      seen.append("\(session.integer(of: "integer")!) \(session.integer(of: "text") == nil)")
      seen.append("\(session.boolean(of: "boolean")!) \(session.boolean(of: "none") == nil)")
    }
    #expect(client.get("/members").setCookies == [], "reading changes nothing")
    #expect(seen == ["ä \"quoted\" \\", "true true", "-9223372036854775808 true", "true true"])
    directory.change = { $0.remove("text") }
    _ = client.get("/members")
    #expect(client.claims("session")?.contains("text") == false)
  }

  @Test("Members that the program does not know survive a save, octet for octet")
  func unknownMembers() {
    let (client, directory) = makeClient()
    client.sign(
      "session",
      #"{"cart": [1, {"a": [true, null]}],  "_user_id":"user001", "_session":0, "#
        + #""x":{"y": "\u00e4"}, "f":1.50e3}"#
    )
    directory.change = { $0.set("seen", boolean: true) }
    _ = client.get("/members")
    #expect(
      client.claims("session")
        == #"{"cart":[1, {"a": [true, null]}],"_user_id":"user001","_session":0,"#
        + #""x":{"y": "\u00e4"},"f":1.50e3,"seen":true}"#
    )
    #expect(client.get("/").status == .ok)
    client.logIn()
    #expect(client.claims("session")?.contains(#""cart":[1, {"a": [true, null]}]"#) == true)
  }

  @Test("A session that does not fit is a 500, and the browser keeps the one it had")
  func overflow() {
    let (client, directory) = makeClient()
    client.logIn()
    let session = client.cookies["session"]
    let long = [UInt8](repeating: 0x61, count: 2_048)
    directory.change = { $0.set("long", text: long.span) }
    let response = client.get("/members")
    #expect(response.status == .internalServerError)
    #expect(response.setCookies == [])
    #expect(client.cookies["session"] == session)
    directory.change = { $0.set("text", text: [0xFF].span) }
    #expect(client.get("/members").status == .internalServerError, "what is no UTF-8 is not stored")
    let fits = [UInt8](repeating: 0x61, count: 1_900)
    directory.change = { $0.set("long", text: fits.span) }
    #expect(client.get("/members").status == .ok)
    // The login still fits beside it, and with it the longest path to come back to.
    #expect(client.logIn(remember: true).status == .found)
    #expect(client.get("/").status == .ok)
  }

  @Test("Nothing of one visitor's session reaches the next one's")
  func separate() {
    let (client, directory) = makeClient()
    directory.change = { $0.set("mine", integer: 1) }
    _ = client.get("/members")
    client.cookies = CookieJar()
    var found: Int64?
    directory.change = { found = $0.integer(of: "mine") }
    _ = client.get("/members")
    #expect(found == nil)
  }

  @Test(
    "A reserved name stops the program",
    arguments: ["_user_id", "_x", "exp", "nbf", "aud", "iat", "sub", "iss", "jti"])
  func reserved(name: String) async {
    await #expect(processExitsWith: .failure) { [name] in
      let (client, directory) = makeClient()
      directory.change = { session in
        switch name {
        case "_user_id": session.set("_user_id", integer: 1)
        case "_x": session.remove("_x")
        case "exp": session.set("exp", integer: 1)
        case "nbf": session.set("nbf", boolean: true)
        case "aud": session.set("aud", text: [0x61].span)
        case "iat": session.set("iat", integer: 1)
        case "sub": session.set("sub", integer: 1)
        case "iss": session.set("iss", integer: 1)
        default: session.set("jti", integer: 1)
        }
      }
      _ = client.get("/members")
    }
  }

  @Test("A refusal may say when to ask again")
  func retryAfter() {
    let (client, _) = makeClient()
    let response = client.get("/busy")
    #expect(response.status == .tooManyRequests)
    #expect(response.values(of: "Retry-After") == ["40"])
    #expect(response.body.contains("<h1>Too Many Requests</h1><p>Later.</p>"))
    #expect(response.header("Cache-Control") == "no-store")
    #expect(client.get("/refused").header("Retry-After") == nil)
  }

  @Test("A page learns where its client is, from a proxy on this machine only")
  func clientAddress() {
    let (client, _) = makeClient()
    let headers = [("X-Forwarded-For", "0.0.0.9, 0.0.0.7")]
    func low(_ address: Int) -> String { "\(0xFFFF_0000_0000 + address)" }
    #expect(client.get("/whence").body == "0 shared")
    #expect(client.get("/whence", headers: headers).body == low(7) + " its own")
    client.peer = IPAddress(high: 0, low: 0xFFFF_7F00_0001)
    #expect(client.get("/whence").body == low(0x7F00_0001) + " shared")
    #expect(client.get("/whence", headers: headers).body == low(7) + " its own")
    client.peer = IPAddress(high: 0, low: 0xFFFF_0000_0005)
    #expect(client.get("/whence", headers: headers).body == low(5) + " its own")
  }
}
