// What a program is told and what it says: its arguments, where to listen, and why it ends.

import Glibc
import MartletTesting
import TestSupport
import Testing

@testable import Martlet

@Suite struct EndpointTests {
  private func endpoint(_ text: String) -> String? {
    withGuardedOctets(text) { octets in
      Endpoint(octets).map { "\(String($0.host.span)) \($0.port)" }
    }
  }

  @Test(
    "An address and a port are read",
    arguments: [
      ("127.0.0.1:5001", "127.0.0.1 5001"), ("0.0.0.0:0", "0.0.0.0 0"), ("[::]:8080", ":: 8080"),
      ("[fe80::1%eth0]:80", "fe80::1%eth0 80"), ("localhost:1", "127.0.0.1 1"),
      ("1.2.3.4:65535", "1.2.3.4 65535"), (":80", " 80"), ("[]:80", " 80"),
    ])
  func read(text: String, result: String) { #expect(endpoint(text) == result) }

  @Test(
    "What is no address and port is not",
    arguments: [
      "", ":", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+1",
      "127.0.0.1:1x", "::1:80", "[::1]", "[::1:80", "::1]:80", "a:b:80", "1.2.3.4: 80",
      String(repeating: "1", count: 65) + ":80", "1.2.3.4:99999999999999999999",
    ])
  func refused(text: String) { #expect(endpoint(text) == nil) }
}

@Suite struct ProgramTests {
  @Test("The arguments are those that the program was started with, and then none")
  func arguments() {
    var arguments = Arguments()
    for expected in CommandLine.arguments.dropFirst() {
      #expect(string(arguments.next()) == expected)
    }
    #expect(string(arguments.next()) == nil)
    #expect(string(arguments.next()) == nil)
  }

  @Test("A message is one line; what comes from outside does not steer the terminal")
  func message() async throws {
    let exit1 = await #expect(
      processExitsWith: .exitCode(1), observing: [\.standardErrorContent]
    ) {
      var message = Message("a ")
      message.add([0x62, 0x1B, 0x5B, 0x0A, 0x7F, 0xC3, 0xA4].span)
      message.add(Text<4>(" c "))
      message.add(Int.min)
      message.fail()
    }
    let result = errorText(exit1)
    #expect(result == "a b?[??ä c -9223372036854775808\n")
  }

  @Test("A message that is too long is cut, and one can be written after another")
  func longMessage() async throws {
    var message = Message("")
    message.print(.error)
    for _ in 0..<300 { message.add("12345") }
    message.add([UInt8](repeating: 0x61, count: 2_000).span)
    let exit2 = await #expect(
      processExitsWith: .exitCode(2), observing: [\.standardErrorContent]
    ) {
      var message = Message()
      for _ in 0..<300 { message.add("12345") }
      message.add("end")
      message.print(.error)
      message.add("next")
      message.fail(status: 2)
    }
    let result = errorText(exit2)
    #expect(result.utf8.count <= 1_024 + 5)
    #expect(result.hasPrefix("1234512345"))
    #expect(result.hasSuffix("next\n"))
  }

  @Test("What the test was started with are no options of a program")
  func options() async throws {
    let exit3 = await #expect(
      processExitsWith: .exitCode(2), observing: [\.standardErrorContent]
    ) {
      _ = Options(program: "tester", listen: "127.0.0.1:1", secret: "x")
      exit(9)
    }
    let result = errorText(exit3)
    #expect(result.hasPrefix("tester: "))
    #expect(
      result.hasSuffix(
        " Usage: tester [--listen ADDRESS:PORT] [--host NAME] [--secret-file PATH | --secret TEXT]\n")
        && result.contains("is not an option"))
  }

  @Test("A wrong address is one line and status 2")
  func notAnEndpoint() async throws {
    let exit4 = await #expect(
      processExitsWith: .exitCode(2), observing: [\.standardErrorContent]
    ) {
      fail("tester", notAnEndpoint: ("x\u{1B}" as StaticString).octets)
    }
    let result = errorText(exit4)
    #expect(result.hasPrefix("tester: x? is not ADDRESS:PORT; give for example 127.0.0.1:8080"))
    let exit5 = await #expect(
      processExitsWith: .exitCode(2), observing: [\.standardErrorContent]
    ) {
      fail("tester", "no.")
    }
    let other = errorText(exit5)
    #expect(other == "tester: no.\n")
  }

  @Test("A default address that is none stops the program")
  func defaultAddress() async {
    await #expect(processExitsWith: .failure) { _ = Options(program: "tester", listen: "nowhere") }
  }

  @Test("Without a secret a site with logins does not start")
  func noSecret() async throws {
    let exit6 = await #expect(
      processExitsWith: .exitCode(2), observing: [\.standardErrorContent]
    ) {
      serveSite(at: "127.0.0.1:0", secret: "")
    }
    let result = errorText(exit6)
    #expect(result == "tester: no secret to sign sessions with; give one with --secret-file PATH.\n")
  }

  @Test("Where it cannot listen a program says why and ends with status 1")
  func cannotListen() async throws {
    let exit7 = await #expect(
      processExitsWith: .exitCode(1), observing: [\.standardErrorContent]
    ) {
      serveSite(at: "192.0.2.1:8080", secret: "x")
    }
    var result = errorText(exit7)
    #expect(
      result == "tester: cannot listen on http://192.0.2.1:8080/: this machine does not have the "
        + "address; 0.0.0.0 stands for all it has.\n")
    let exit8 = await #expect(
      processExitsWith: .exitCode(1), observing: [\.standardErrorContent]
    ) {
      serveSite(at: "somewhere:80", secret: "x")
    }
    result = errorText(exit8)
    #expect(result.contains("http://somewhere:80/: not a numeric address"))
    let exit9 = await #expect(
      processExitsWith: .exitCode(1), observing: [\.standardErrorContent]
    ) {
      serveSite(at: "[::x]:80", secret: "x")
    }
    result = errorText(exit9)
    #expect(result.contains("http://[::x]:80/: not a numeric address"))
    let exit10 = await #expect(
      processExitsWith: .exitCode(1), observing: [\.standardErrorContent]
    ) {
      var transport = try POSIXTransport(
        host: [UInt8]("127.0.0.1".utf8).span, port: 0,
        PollTable(.allocate(capacity: PollTable.entryCountMax)))
      defer { transport.stopListening() }
      serveSite(at: "127.0.0.1:\(transport.port)", secret: "x")
    }
    result = errorText(exit10)
    #expect(result.contains(": another program does; stop it or choose another port"))
  }

  @Test("A site that is told to stop ends with status 0")
  func stops() async {
    await #expect(processExitsWith: .exitCode(0)) {
      // It waits for this thread until the server looks.
      var set = sigset_t()
      sigemptyset(&set)
      sigaddset(&set, SIGTERM)
      sigprocmask(SIG_BLOCK, &set, nil)
      pthread_kill(pthread_self(), SIGTERM)
      serveSite(at: "127.0.0.1:0", secret: "x")
    }
    await #expect(processExitsWith: .exitCode(0)) {
      var set = sigset_t()
      sigemptyset(&set)
      sigaddset(&set, SIGTERM)
      sigprocmask(SIG_BLOCK, &set, nil)
      pthread_kill(pthread_self(), SIGTERM)
      serve(
        OpenSite(),
        on: Listener(
          program: "tester", at: Endpoint(("127.0.0.1:0" as StaticString).octets)!),
        secret: ("" as StaticString).octets)
    }
  }

  @Test("A site that is open to everyone needs no secret, and has no login page of its own")
  func openSite() {
    #expect(!OpenSite.needsLogin)
    #expect(NoUser().id == 0 && NoUser().epoch == 0)
    #expect(!OpenSite._hasSessions && !OpenSite.usesHTTPS)
    var responder = SiteResponder(OpenSite(), secret: ("" as StaticString).octets)
    let octets = [UInt8]("GET / HTTP/1.1\r\nHost: h\r\nCookie: session=x\r\n\r\n".utf8)
    guard let head = try? RequestHead.parse(octets.span) else { return }
    var content = [UInt8](repeating: 0, count: 9_000)
    var fields = [UInt8](repeating: 0, count: 9_000)
    let reply = responder.respond(
      to: IncomingRequest(
        octets: octets.span, head: head, content: octets.span.extracting(0..<0),
        moment: Moment(monotonicMilliseconds: 0, unixSeconds: 0)),
      content: Writer(content.mutableSpan), fields: Writer(fields.mutableSpan))
    #expect(reply.status == .ok)
    #expect(String(decoding: content.prefix(reply.contentCount), as: UTF8.self) == "open")
  }

  @Test("Without sessions there are no cookies, and a page that needs a login lets nobody in")
  func withoutSessions() {
    let client = TestClient(ClosedSite(), secret: secret)
    client.sign("session", #"{"_user_id":"user001","_fresh":true,"_session":0}"#)
    client.sign("_remember", #"{"user_id":"user001","days":30,"exp":9999999999,"_remember":0}"#)
    #expect(client.get("/").body == "open")
    let response = client.get("/closed")
    #expect(response.status == .forbidden)
    #expect(response.body.contains("Nobody can log in here."))
    #expect(response.setCookies == [] && response.location == nil)
    #expect(client.get("/refused").status == .conflict)
    #expect(!ClosedSite._hasSessions && Site<Strict>._hasSessions)
  }

  @Test("An application without users may have sessions all the same")
  func sessionsWithoutUsers() {
    let client = TestClient(CountingSite(), secret: secret)
    #expect(client.get("/").body == "1")
    #expect(client.get("/").body == "2")
    #expect(client.claims("martlet-8080") == #"{"count":2}"#)
  }

  @Test("Page text that is kept for later stops the program")
  func lateText() async {
    await #expect(processExitsWith: .failure) {
      _ = TestClient(ClosedSite(), secret: secret).get("/late")
    }
    await #expect(processExitsWith: .failure) {
      _ = TestClient(ClosedSite(), secret: secret).get("/twice")
    }
  }

  @Test("Identifiers are the same when their kind is")
  func identifiers() {
    #expect(("1" as UserID) != 1)
    #expect((1 as UserID) == 1 && ("a" as UserID) == "a" && ("a" as UserID) != "b")
  }

  @Test("A password is what its hash says, and nothing that is longer than a hash takes")
  func passwords() {
    let client = TestClient(PasswordSite(), secret: secret)
    func verifies(_ form: [(String, String)]) -> Bool {
      client.post("/verify", form: form).body == "right"
    }
    #expect(verifies([("password", "hello")]))
    #expect(verifies([("x", "y"), ("password", "hello")]))
    #expect(!verifies([("password", "hello1")]) && !verifies([("password", "")]))
    #expect(!verifies([("hello", "password")]))
    #expect(!verifies([("password", String(repeating: "a", count: 65))]))
    let form = FormFields([UInt8]("a=&b=x".utf8).span)
    #expect(!form.has("a") && form.has("b") && !form.has("c"))
    #expect(
      form.field("b", equals: "x") && !form.field("b", equals: "y") && !form.field("c", equals: ""))
  }

  @Test("A password hash that is none stops the program")
  func notAHash() async {
    await #expect(processExitsWith: .failure) {
      _ = TestClient(PasswordSite(hash: "hello"), secret: secret)
        .post("/verify", form: [("password", "x")])
    }
  }
}

struct OpenSite: Application {
  enum Page: UInt8 { case index }
  static func route(to page: Page) -> Route { .get("/", for: .everyone) }
  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer { response.html("open") }
}

/// Without users and without sessions.
private struct ClosedSite: Application {
  enum Page: UInt8 { case index, closed, refused, late, twice }
  static func route(to page: Page) -> Route {
    switch page {
    case .index: .get("/", for: .everyone)
    case .closed: .get("/closed", for: .loggedIn)
    case .refused: .get("/refused", for: .everyone)
    case .late: .get("/late", for: .everyone)
    case .twice: .get("/twice", for: .everyone)
    }
  }
  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .index, .closed: return response.html("open")
    case .refused: return response.refuse(.conflict, "No.")
    case .late:
      let text: HTML = "late"
      var body = response.body()
      body.write("early")
      body.write(text)
      return body.end()
    case .twice:
      let text: HTML = "twice"
      var body = response.body()
      body.write(text)
      body.write(text)
      return body.end()
    }
  }
}

/// Without users, with sessions.
private struct CountingSite: SessionApplication {
  enum Page: UInt8 { case index }
  static func route(to page: Page) -> Route { .get("/", for: .everyone) }
  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    let count = (response.session.integer(of: "count") ?? 0) + 1
    response.session.set("count", integer: count)
    return response.html("\(count)")
  }
}

private func serveSite(at text: String, secret: StaticString) -> Never {
  let octets = [UInt8](text.utf8)
  let endpoint = Endpoint(octets.span)!
  serve(
    Site<Strict>(directory: Directory()), on: Listener(program: "tester", at: endpoint),
    secret: secret.octets)
}

/// What a child process has written to standard error.
func errorText(_ result: ExitTest.Result?) -> String {
  String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
}
