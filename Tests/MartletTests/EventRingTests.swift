import MartletBytes
import TestSupport
import Testing

@testable import Martlet
@testable import MartletServer
@testable import MartletTesting

@Suite struct EventRingTests {
  /// The events that a reader gets that has the event with that number, as numbers and data.
  private func events<let capacity: Int>(
    _ ring: borrowing EventRing<capacity>, after number: Int64 = 0
  ) -> [(Int64, TestEvent)] {
    var found: [(Int64, TestEvent)] = []
    var number = number
    while let event = ring.event(after: number) {
      number = event.number
      let text = (0..<event.text.count).map { event.text[$0] }
      let answer = [UInt8]("HTTP/1.1 200 OK\r\n\r\n".utf8) + text
      found += TestResponse(answer: answer).events.map { (number, $0) }
    }
    return found
  }

  private func send<let capacity: Int>(
    _ data: String, _ name: StaticString = "", to ring: inout EventRing<capacity>
  ) -> Bool {
    let octets = [UInt8](data.utf8)
    return ring.send(name, octets: octets.span)
  }

  @Test("A reader gets the events behind the one that it has, each once and in order")
  func order() {
    var ring = EventRing<1_024>()
    #expect(events(ring).isEmpty && ring.newest == 0)
    for i in 1...5 {
      let isSent = send("\(i)", to: &ring)
      #expect(isSent)
    }
    let all = events(ring)
    #expect(all.map(\.0) == [1, 2, 3, 4, 5] && all.map(\.1.data) == ["1", "2", "3", "4", "5"])
    #expect(events(ring, after: 3).map(\.1.data) == ["4", "5"])
    #expect(events(ring, after: 4).map(\.1.data) == ["5"])
    #expect(events(ring, after: 5).isEmpty && events(ring, after: 99).isEmpty)
    #expect(events(ring, after: -7).count == 5)
    ring.removeAll()
    #expect(events(ring).isEmpty && ring.newest == 5)
    let isSent = send("6", to: &ring)
    #expect(isSent && events(ring).map(\.0) == [6] && events(ring, after: 2).map(\.0) == [6])
  }

  @Test("The data's lines become lines of data, however they end; the name is the event's type")
  func lines() {
    for (data, expected) in [
      ("", ""), ("a", "a"), ("a\nb", "a\nb"), ("a\r\nb", "a\nb"), ("a\rb", "a\nb"), ("a\r\rb\n", "a\n\nb\n"),
      ("\n", "\n"), ("\r\n\r\n", "\n\n"), (" a", " a"), ("id: 7\nretry: 1", "id: 7\nretry: 1"),
      ("a\n\nevent: evil\ndata: b", "a\n\nevent: evil\ndata: b"), (": c", ": c"), ("\u{0}", "\u{0}"),
    ] {
      var ring = EventRing<1_024>()
      let isSent = send(data, "reading", to: &ring)
      let found = events(ring)
      #expect(isSent && found.count == 1)
      #expect(found.first?.1.data == expected && found.first?.1.name == "reading", "\(data.debugDescription)")
    }
  }

  @Test("Data that do not fit are not sent, and lose no other event")
  func tooLarge() {
    var ring = EventRing<256>()
    let first = send("one", to: &ring)
    let large = send(String(repeating: "x", count: 256), to: &ring)
    let lines = send(String(repeating: "\n", count: 40), to: &ring)
    #expect(first && !large && !lines)
    #expect(events(ring).map(\.1.data) == ["one"] && ring.newest == 1)
    var none = EventRing<0>()
    var small = EventRing<64>()
    let intoNone = send("", to: &none)
    let intoSmall = send("a", to: &small)
    #expect(!intoNone && !intoSmall && events(small).isEmpty)
    var huge = EventRing<70_000>()
    let beyond = send(String(repeating: "x", count: 66_000), to: &huge)
    #expect(!beyond)
  }

  @Test("Whatever is sent, the ring has the newest events, whole and in order", arguments: 0..<40)
  func model(seed: UInt64) {
    var random = SeededRandom(seed)
    var ring = EventRing<700>()
    var sent: [(Int64, String)] = []
    for _ in 0..<400 {
      let count = Int(random.next() % 400)
      let data = String((0..<count).map { _ in "ab\n".randomElement(using: &random)! })
      let isSent = send(data, to: &ring)
      if isSent { sent.append((Int64(sent.count) + 1, data)) }
      let found = events(ring)
      let newest = sent.suffix(found.count)
      #expect(found.map(\.0) == newest.map(\.0) && found.map(\.1.data) == newest.map(\.1))
      #expect(found.count == ring.count && (found.count > 0 || sent.isEmpty))
      let start = Int64(random.next() % 410)
      #expect(events(ring, after: start).map(\.0) == found.map(\.0).filter { $0 > start })
    }
  }

  @Test("An identifier counts in its own run of the program, and up to the newest event")
  func identifiers() {
    var ring = EventRing<512>()
    for i in 1...3 { _ = send("\(i)", to: &ring) }
    let ids = events(ring).map(\.1.id)
    for (i, id) in ids.enumerated() {
      let octets = [UInt8](id.utf8)
      #expect(ring.number(of: octets.span) == Int64(i + 1))
    }
    let run = ids[0].split(separator: "-")[0]
    for id in [
      "", "-", "\(run)", "\(run)-", "-1", "\(run)-4", "\(run)-99999999999999999999", "\(run)--1", "\(run)-1x",
      "0-1", "\(run)0-1", "1", "\(run)-1-1",
    ] {
      let octets = [UInt8](id.utf8)
      #expect(ring.number(of: octets.span) == nil, "\(id)")
    }
  }

  // MARK: A site with events

  private let client = TestClient(EventSite())

  private func request(_ id: String? = nil, _ path: String = "/events") -> TestResponse {
    client.get(path, headers: id.map { [("Last-Event-ID", $0)] } ?? [])
  }

  @Test("A new reader gets all events of the ring, or only those to come, and goes on where it was")
  func readers() {
    client.waitSecondsMax = 2
    _ = client.get("/send?text=one")
    _ = client.get("/send?text=two")
    let all = request()
    #expect(all.header("Content-Type") == "text/event-stream" && all.header("X-Accel-Buffering") == "no")
    #expect(all.header("Cache-Control") == "no-store")
    #expect(all.body.hasPrefix("retry: 1500\n\n"))
    #expect(all.events.map(\.data) == ["{\"text\":\"one\"}", "{\"text\":\"two\"}"])
    #expect(all.events.map(\.name) == ["said", "said"])
    #expect(request(all.events[0].id).events.map(\.data) == ["{\"text\":\"two\"}"])
    #expect(request(all.events[1].id).events.isEmpty)
    #expect(request("another-run-7").events.count == 2)
    #expect(request("").events.count == 2)
    #expect(request(nil, "/news").events.isEmpty)
    #expect(request(all.events[0].id, "/news").events.map(\.data) == ["{\"text\":\"two\"}"])
  }

  @Test("The text of an event is not the page's")
  func ownText() {
    #expect(client.get("/send?text=x").body == "<p>before after")
    #expect(request().events.map(\.data) == ["{\"text\":\"x\"}"])
  }

  @Test("A timer sends events")
  func timer() {
    client.waitSecondsMax = 35
    let events = request(nil, "/ticks").events
    #expect(events.count >= 3 && events.allSatisfy { $0.name == "tick" })
    let first = events.first.flatMap { Int($0.data.prefix { $0 != "\n" }) } ?? 0
    #expect(events.map(\.data) == events.indices.map { "\(first + $0)\n\(first + $0)" })
  }

  @Test("While nothing is sent, a comment is written every so often")
  func comments() {
    client.waitSecondsMax = 100
    let text = request().body
    #expect(text == "retry: 1500\n\n" + String(repeating: ":\n\n", count: 6))
  }

  @Test("A stream that is open gets each event when it is sent, and no event twice")
  func open() {
    let streams = [client.open("/events"), client.open("/news")]
    for text in ["one", "two", "three"] {
      _ = client.get("/send?text=\(text)")
      #expect(streams.allSatisfy { $0.events.last?.data == "{\"text\":\"\(text)\"}" })
    }
    #expect(streams.allSatisfy { $0.events.count == 3 && !$0.isEnded })
    streams[0].close()
    _ = client.get("/send?text=four")
    #expect(streams[0].events.count == 3 && streams[1].events.count == 4)
  }

  @Test("JSON that is a misuse is not sent, and the page is a 500")
  func misuse() {
    #expect(client.get("/misuse").status == .internalServerError)
    client.waitSecondsMax = 2
    #expect(request().events.isEmpty)
  }
}

private struct EventSite: StreamingApplication, TimedApplication, ~Copyable {
  var said = EventRing<1_024>()
  var ticks = EventRing<1_024>()
  var count = 0

  enum Page: UInt8 { case events, news, send, ticks, misuse }

  static func route(to page: Page) -> Route {
    switch page {
    case .events: .get("/events", for: .everyone)
    case .news: .get("/news", for: .everyone)
    case .send: .get("/send", for: .everyone)
    case .ticks: .get("/ticks", for: .everyone)
    case .misuse: .get("/misuse", for: .everyone)
    }
  }

  static var period: Duration { .seconds(10) }

  mutating func tick(_ tick: inout Tick) {
    count += 1
    ticks.send("tick", plain: "\(count)\n\(count)")
    tick.wake(Page.ticks)
  }

  mutating func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .events: return response.events(said, request, retry: .milliseconds(1_500))
    case .news: return response.events(said, request, from: .next)
    case .ticks: return response.events(ticks, request, from: .next)
    case .send:
      let text: Text<40> = request.query["text"]?.text() ?? ""
      var response = response
      for page in [Page.events, .news] { response.wake(page) }
      var body = response.body()
      body.write("<p>before ")
      said.send("said", json: "{\"text\":\(text)}")
      body.write("after")
      return body.end()
    case .misuse:
      said.send("said", json: "{\"text\":\"\(1)\"}")
      return response.html("never")
    }
  }

  mutating func write(_ page: Page, _ state: inout StreamState, to body: inout StreamBody) -> StreamStep {
    page == .ticks
      ? body.write(events: ticks, &state) : body.write(events: said, &state)
  }
}

// MARK: The end of a login

@Suite struct StreamEndTests {
  private let accounts = Accounts()
  private var susan: TestClient<GuardedSite>

  init() { susan = TestClient(GuardedSite(accounts: accounts)) }

  /// Logs in, in a browser of its own or in the browser that is logged in already.
  private func logIn(_ name: String, anew: Bool = true) {
    if anew { susan.cookies = CookieJar() }
    _ = susan.post("/login", form: [("name", name)])
  }

  private enum End: CaseIterable {
    case logout, epoch, another, removed, ended
  }

  @Test("Streams end with the login of their reader, and so do no other streams", arguments: End.allCases)
  private func ends(end: End) {
    let everyone = susan.open("/for-everyone")
    logIn("david")
    let davids = susan.open("/events")
    logIn("susan")
    let susans = [susan.open("/events"), susan.open("/events"), susan.open("/for-everyone")]
    _ = susan.post("/say")
    #expect(susans.allSatisfy { $0.events.count == 1 && !$0.isEnded })
    switch end {
    case .logout: _ = susan.post("/logout")
    case .epoch: _ = susan.post("/renew")
    case .another: logIn("root", anew: false)
    case .removed: _ = susan.post("/remove", form: [("name", "susan")])
    case .ended: _ = susan.post("/member")
    }
    let isSame = end == .ended
    #expect(susans.allSatisfy { $0.isEnded == !isSame })
    logIn("root")
    _ = susan.post("/say")
    #expect(susans.allSatisfy { $0.events.count == (isSame ? 2 : 1) })
    #expect(davids.events.count == 2 && everyone.events.count == 2 && !davids.isEnded && !everyone.isEnded)
    #expect(accounts.endedCount == (isSame ? 0 : 3))
  }

  @Test("Two logins that end in one turn end all streams of readers who are logged in, and no other")
  func two() {
    var set = StreamSet()
    #expect(set.isEmpty)
    set.end(login: 0)
    #expect(set.isEmpty)
    set.end(login: 7)
    #expect(!set.isEmpty)
    set.end(login: 7)
    let (seven, eight, none) = (set.ends(login: 7), set.ends(login: 8), set.ends(login: 0))
    #expect(seven && !eight && !none)
    set.end(login: 9)
    let (all, still) = (set.ends(login: 8), set.ends(login: 0))
    #expect(all && !still)
  }

  @Test("Users have numbers of their own, also text and integer that look alike")
  func numbers() {
    let ids: [UserID] = ["", "a", "b", "ab", "ba", "1", 1, 0, -1, 256, 1_099_511_627_776]
    let numbers = Set(ids.map(\.streamLogin))
    #expect(numbers.count == ids.count && !numbers.contains(0))
  }
}

private final class Accounts {
  var epochs: [(UserID, Int64)] = []
  var removed: [UserID] = []
  var endedCount = 0
}

private struct Reader: SessionUser {
  let id: UserID
  var epoch: Int64
}

private struct GuardedSite: SessionApplication, StreamingApplication, ~Copyable {
  let accounts: Accounts
  var said = EventRing<1_024>()

  enum Page: UInt8 { case events, open, login, logout, renew, remove, member, say }

  static func route(to page: Page) -> Route {
    switch page {
    case .events: .get("/events", for: .loggedIn)
    case .open: .get("/for-everyone", for: .everyone)
    case .login: .getAndPost("/login", for: .everyone)
    case .logout: .post("/logout", for: .loggedIn)
    case .renew: .post("/renew", for: .loggedIn)
    case .remove: .post("/remove", for: .loggedIn)
    case .member: .post("/member", for: .loggedIn)
    case .say: .post("/say", for: .loggedIn)
    }
  }

  var loginPath: StaticString { "/login" }

  func user(_ id: UserID) -> Reader? {
    accounts.removed.contains(id) ? nil : Reader(id: id, epoch: accounts.epochs.last { $0.0 == id }?.1 ?? 0)
  }

  func id(_ request: borrowing Request<Self>) -> UserID {
    let name: Text<64> = request.form["name"]?.text() ?? ""
    return .text(name)
  }

  mutating func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    var response = response
    switch page {
    case .events, .open: return response.events(said, request)
    case .login: return response.login(Reader(id: id(request), epoch: 0))
    case .logout: return response.logout(to: "/login")
    case .renew:
      guard var user = request.user else { return response.noContent() }
      user.epoch += 1
      accounts.epochs.append((user.id, user.epoch))
      response.renewLogin(user)
      return response.noContent()
    case .remove:
      let id = id(request)
      accounts.removed.append(id)
      response.endStreams(of: id)
      return response.noContent()
    case .member:
      response.session.set("count", integer: 1)
      return response.noContent()
    case .say:
      said.send(plain: "said")
      response.wake(.events)
      response.wake(.open)
      return response.noContent()
    }
  }

  mutating func write(_ page: Page, _ state: inout StreamState, to body: inout StreamBody) -> StreamStep {
    body.write(events: said, &state)
  }

  mutating func streamEnded(_ page: Page, _ state: StreamState) { accounts.endedCount += 1 }
}
