// Uploads that know their user, streams that are woken, timers, and a page that ends the program.

import MartletTesting
import Testing

@testable import Martlet

/// What a test tells the site, and learns from it.
private final class Desk {
  var epoch: Int64 = 0
  var log: [String] = []
  /// Whether the user's sessions end while the upload is under way.
  var endsSessions = false
  var ticks = 0
}

private struct UploadSite: SessionApplication, UploadApplication, StreamingApplication, TimedApplication {
  enum Page: UInt8 { case login, upload, open, events, stop, wake }

  /// Larger than a cursor: a parser has some hundred octets.
  struct UploadState: BitwiseCopyable {
    var count = 0
    var sum: UInt64
    var buffer = InlineArray<400, UInt8>(repeating: 7)
  }

  let desk: Desk

  static func route(to page: Page) -> Route {
    switch page {
    case .login: .post("/login", for: .everyone)
    case .upload: .upload("/upload", for: .loggedIn)
    case .open: .upload("/open/<int:id>", for: .everyone)
    case .events: .get("/events", for: .everyone)
    case .stop: .get("/stop", for: .everyone)
    case .wake: .get("/wake", for: .everyone)
    }
  }

  static var period: Duration { .seconds(1) }

  func user(_ id: UserID) -> Person? {
    Person(id: id, name: id == "user001" ? "susan" : "david", epoch: desk.epoch)
  }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .login: return response.login(Person(id: "user001", name: "susan", epoch: desk.epoch))
    case .upload, .open:
      desk.log.append("asked \(request.user != nil)")
      return response.receive(atMost: 10_000, into: UploadState(sum: 100))
    case .events: return response.stream("text/event-stream")
    case .stop:
      response.stopProgram()
      return response.plain("bye")
    case .wake:
      response.wake(.events)
      return response.plain("woken")
    }
  }

  func receive(
    _ octets: Span<UInt8>, for page: Page, _ request: borrowing Request<Self>, _ state: inout UploadState
  ) -> UploadStep {
    #expect(request.method == .post && request.user == nil)
    if request.isHTTPS { desk.log.append("https") }
    for i in octets.indices { state.sum &+= UInt64(octets[i]) }
    state.count += octets.count
    if desk.endsSessions { desk.epoch += 1 }
    return octets[0] == 0x21 ? .refuse(.conflict, "Not this.") : .more
  }

  func finish(
    _ page: Page, _ request: borrowing Request<Self>, _ state: UploadState,
    _ response: consuming Response<Self>
  ) -> Answer {
    desk.log.append("finished")
    #expect((0..<400).allSatisfy { state.buffer[$0] == 7 })
    if page == .open, request.query.has("login") {
      return response.login(Person(id: "user002", name: "david", epoch: desk.epoch))
    }
    if request.query.has("logout") { return response.logout(to: "/gone") }
    response.session.set("uploads", integer: Int64(state.count))
    return response.plain("\(state.count) \(state.sum) \(request.user?.name)")
  }

  func abandon(_ page: Page, _ request: borrowing Request<Self>, _ state: UploadState) {
    desk.log.append("abandoned \(state.count)")
  }

  func write(_ page: Page, _ state: inout StreamState, to body: inout StreamBody) -> StreamStep {
    body.write(plain: "data: \(desk.ticks)\n\n")
    state.position += 1
    return state.position < 4 ? .wait : .end
  }

  func tick(_ tick: inout Tick) {
    desk.ticks += 1
    if desk.ticks % 2 == 0 { tick.wake(Page.events) }
  }
}

@Suite struct UploadTests {
  private let desk: Desk
  private let client: TestClient<UploadSite>

  init() {
    desk = Desk()
    client = TestClient(UploadSite(desk: desk), secret: secret)
  }

  private func upload(_ target: String, _ content: [UInt8]) -> TestResponse {
    client.request("POST", target, content: content)
  }

  @Test("An upload keeps its state, and its end knows the user and the session")
  func knowsUser() {
    _ = client.post("/login")
    let answer = upload("/upload", [UInt8](repeating: 2, count: 9_000))
    #expect(answer.body == "9000 18100 susan")
    #expect(answer.setCookies.count == 1, "a change of the session counts")
    #expect(desk.log == ["asked true", "finished"])
  }

  @Test("An upload without a login goes no further than its head")
  func closed() {
    #expect(upload("/upload", [1, 2, 3]).location == "/login")
    #expect(desk.log == [])
  }

  @Test("An upload may log in and out")
  func logsIn() {
    #expect(upload("/open/5?login=1", [1]).location == "/")
    #expect(upload("/upload", [1]).body == "1 101 david")
    #expect(upload("/upload?logout=1", [1]).location == "/gone")
    #expect(upload("/upload", [1]).status == .found)
  }

  @Test("Where the session ends while content comes, the page does not finish, and abandons once")
  func sessionEnds() {
    _ = client.post("/login")
    desk.endsSessions = true
    #expect(upload("/upload", [1, 1]).status == .found)
    #expect(desk.log == ["asked true", "abandoned 2"])
  }

  @Test(
    "Whatever ends an upload early abandons it once",
    arguments: [
      ("!", 409), (String(repeating: "x", count: 10_001), 413),
    ])
  func refused(_ content: String, _ status: Int) {
    #expect(Int(upload("/open/1", [UInt8](content.utf8)).status.code) == status)
    #expect(desk.log.last == (status == 413 ? "abandoned 0" : "abandoned 1") || status == 413)
    #expect(!desk.log.contains("finished"))
  }

  @Test("A parameter that is not of its type is 404 for an upload too")
  func notFound() { #expect(upload("/open/x", [1]).status == .notFound) }

  @Test("Another site cannot upload")
  func crossOrigin() {
    let answer = client.request("POST", "/open/1", headers: [("Origin", "http://evil.example")], content: [1])
    #expect(answer.status == .forbidden && desk.log == [])
  }

  @Test("A stream waits until it is woken, and a timer is asked whether or not anybody visits")
  func woken() {
    #expect(client.get("/wake").body == "woken")
    desk.ticks = 0
    #expect(client.get("/events").body == "data: 0\n\ndata: 2\n\ndata: 4\n\ndata: 6\n\n")
    #expect(desk.ticks == 6)
  }

  @Test("A page wakes the streams of the pages that it names")
  func wakes() {
    var responder = SiteResponder(UploadSite(desk: desk), secret: ("top-secret!" as StaticString).octets)
    for page in [UInt8(0), 5, 62] {
      responder.memory.wake(page: page)
      let woken = responder.removeWoken()
      let pages = (0...255).filter { woken.contains(UInt8($0)) }
      #expect(pages == [Int(page)])
    }
    responder.memory.wake(page: 63)
    let woken = responder.removeWoken()
    let pages = (0...255).filter { woken.contains(UInt8($0)) }
    #expect(pages == Array(63...255))
    let after = responder.removeWoken()
    #expect(after.isEmpty)
  }

  @Test("A piece sees the scheme of its own upload, whatever has been answered before the piece")
  func ownScheme() throws {
    var responder = SiteResponder(UploadSite(desk: desk), secret: ("top-secret!" as StaticString).octets)
    let memory = UnsafeMutableRawBufferPointer.allocate(
      byteCount: SiteResponder<UploadSite>.uploadStateSize, alignment: 16)
    memory.initializeMemory(as: UInt8.self, repeating: 0)
    defer { memory.deallocate() }
    var state = memory.assumingMemoryBound(to: UInt8.self).mutableSpan
    let secure = try Incoming("POST /open/1", "X-Forwarded-Proto: https", "Content-Length: 1")
    let plain = try Incoming("GET /wake")
    let octets: [UInt8] = [1]
    secure.answer(&responder)
    responder.beginUpload(&state)
    plain.answer(&responder)
    secure.with { _ = responder.receive(octets.span, of: $0, &state) }
    plain.answer(&responder)
    secure.with { responder.abandon($0, &state) }
    #expect(desk.log.contains("https"))
  }

  @Test("A page that ends the program is answered first")
  func stops() { #expect(client.get("/stop").body == "bye") }
}

/// A request from the machine itself, where a proxy is believed.
private struct Incoming {
  let octets: [UInt8]
  let head: RequestHead
  let peer: IPAddress

  init(_ line: String, _ fields: String...) throws {
    let text = Array(
      ([line + " HTTP/1.1", "Host: localhost"] + fields + ["", ""]).joined(separator: "\r\n").utf8)
    let local = Array("127.0.0.1".utf8)
    guard let head = try RequestHead.parse(text.span), let peer = IPAddress(local.span) else {
      fatalError("a whole request")
    }
    octets = text
    self.head = head
    self.peer = peer
  }

  func with<Result>(_ body: (borrowing IncomingRequest) -> Result) -> Result {
    body(
      IncomingRequest(
        octets: octets.span, head: head, content: Span(),
        moment: Moment(monotonicMilliseconds: 1, unixSeconds: 1), connection: 1, peer: peer))
  }

  func answer(_ responder: inout SiteResponder<UploadSite>) {
    var content = [UInt8](repeating: 0, count: 8_192)
    var fields = content
    with { request in
      _ = responder.respond(
        to: request, content: Writer(content.mutableSpan), fields: Writer(fields.mutableSpan))
    }
  }
}
