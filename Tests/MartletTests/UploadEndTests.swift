// How uploads end where their application checks passwords, has hooks, and sets headers from outside.

import MartletTesting
import Testing

@testable import Martlet

/// What a test learns from the site.
private final class Ends {
  var log: [String] = []
  /// Whether `finish` answers in a later turn, and how often it has.
  var rests = 0
  var hookRefuses = false
  var streamsEnded = 0
}

/// A user who has the password `hello`.
private let hash = PasswordHash(
  stringLiteral: """
    pbkdf2-hmac-sha256:6d6172746c65742d7375736172000001:10000:\
    a490a7858438832f9e19ae8b98e75fcdbb847c5047a55d95b065a36e905b603c
    """)

private struct EndSite: SessionApplication, CredentialsApplication, UploadApplication, StreamingApplication,
  HookedApplication, ErrorPageApplication, ~Copyable
{
  enum Page: UInt8 { case upload, open, stream, index, rest, form }
  struct UploadState: BitwiseCopyable { var count = 0 }

  let ends: Ends
  var throttle = Throttle()

  static func route(to page: Page) -> Route {
    switch page {
    case .upload: .upload("/upload", for: .loggedIn)
    case .open: .upload("/open", for: .everyone)
    case .stream: .get("/stream", for: .everyone)
    case .index: .get("/", for: .everyone)
    case .rest: .get("/rest", for: .everyone)
    case .form: .post("/form", for: .everyone)
    }
  }

  static var challenge: Challenge { .basic(realm: "ends") }

  func user(_ id: UserID) -> Person? { nil }

  mutating func user(
    for credentials: borrowing Credentials, _ request: borrowing Request<Self>
  ) -> CredentialsCheck<Person> {
    credentials.check(
      for: Person(id: "user001", name: "susan"), against: hash, from: request.client(), &throttle)
  }

  mutating func before(
    _ page: Page, _ request: borrowing Request<Self>, _ response: inout Response<Self>
  ) -> Verdict {
    response.setHeader("X-Hook", "yes")
    return ends.hookRefuses && ends.log.contains("piece") ? .refuse(.forbidden, "Not now.") : .proceed
  }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    if let name: Text<255> = request.query["name"]?.text() {
      for _ in 0..<(request.query.has("many") ? 200 : 1) { response.setHeader("X-Name", name.span) }
    }
    switch page {
    case .upload, .open, .form:
      ends.log.append("begun")
      return response.receive(atMost: 1_000, into: UploadState())
    case .stream: return response.stream("text/plain")
    case .index: return response.html("index")
    case .rest: return response.later(inMilliseconds: .max)
    }
  }

  func receive(
    _ octets: Span<UInt8>, for page: Page, _ request: borrowing Request<Self>, _ state: inout UploadState
  ) -> UploadStep {
    ends.log.append("piece")
    state.count += octets.count
    return octets[0] == 0x21 ? .refuse(.conflict, "Not this.") : .more
  }

  func finish(
    _ page: Page, _ request: borrowing Request<Self>, _ state: UploadState,
    _ response: consuming Response<Self>
  ) -> Answer {
    if ends.rests > 0 {
      ends.rests -= 1
      return response.later()
    }
    if request.query.has("again") { return response.receive(atMost: 1, into: state) }
    ends.log.append("finished \(state.count)")
    return response.plain("\(state.count) \(request.user?.name)")
  }

  func abandon(_ page: Page, _ request: borrowing Request<Self>, _ state: UploadState) {
    ends.log.append("abandoned \(state.count)")
  }

  func write(_ page: Page, _ state: inout StreamState, to body: inout StreamBody) -> StreamStep {
    body.write(plain: "piece")
    return .pause(milliseconds: .max)
  }

  func streamEnded(_ page: Page, _ state: StreamState) { ends.streamsEnded += 1 }

  /// Uses a session that an error page does not have.
  func errorPage(
    _ error: borrowing ErrorPage, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    let count = response.session.integer(of: "count")
    response.session.set("count", integer: 1)
    response.session.remove("count")
    response.renewLogin(Person(id: "user001", name: "susan"))
    response.session.delete()
    return response.html(error.status, "own: \(error.reason) \(count == nil ? 0 : 1)")
  }
}

@Suite struct UploadEndTests {
  private let ends: Ends
  private let client: TestClient<EndSite>
  private let basic = ("Authorization", "Basic c3VzYW46aGVsbG8=")

  init() {
    ends = Ends()
    client = TestClient(EndSite(ends: ends), secret: secret)
  }

  private func upload(_ target: String, headers: [(String, String)] = []) -> TestResponse {
    client.request("POST", target, headers: headers, content: [1, 2, 3])
  }

  @Test("An upload with a password is finished once the password has been verified again")
  func basicUpload() {
    let answer = upload("/upload", headers: [basic])
    #expect(answer.body == "3 susan")
    #expect(ends.log == ["begun", "piece", "finished 3"])
    #expect(upload("/upload", headers: [basic]).body == "3 susan")
  }

  @Test("An upload with a password that is wrong does not begin")
  func wrongPassword() {
    #expect(upload("/upload", headers: [("Authorization", "Basic c3VzYW46aGVsbGE=")]).status == .unauthorized)
    #expect(ends.log == [])
  }

  @Test("The end of an upload may be answered in a later turn, with the state that it had")
  func later() {
    ends.rests = 3
    #expect(upload("/open").body == "3 ")
    #expect(ends.log == ["begun", "piece", "finished 3"])
  }

  @Test("A header that cannot be sent ends the upload that it should have begun, once")
  func badHeader() {
    for name in ["%0D%0AX:y", "x%00", String(repeating: "x", count: 200) + "&many=1"] {
      ends.log = []
      #expect(upload("/open?name=\(name)").status == .internalServerError)
      #expect(ends.log == ["begun", "abandoned 0"])
      #expect(client.get("/").body == "index", "the next request has its own page")
    }
  }

  @Test("An upload that is refused gets the error page of the application, or problem details")
  func refusedUpload() {
    let json = [("Accept", "application/json")]
    let page = client.request("POST", "/open", content: [0x21])
    #expect(page.status == .conflict && page.body.hasPrefix("own: Not this."))
    #expect(ends.log == ["begun", "piece", "abandoned 1"])
    #expect(page.values(of: "Content-Security-Policy").count == 1)
    let problem = client.request("POST", "/open", headers: json, content: [0x21])
    #expect(problem.header("Content-Type") == "application/problem+json")
    #expect(problem.body.hasPrefix("{\"title\":\"Conflict\",\"status\":409,"))
    let large = client.request("POST", "/open", headers: json, content: [UInt8](repeating: 1, count: 1_001))
    #expect(large.status == .contentTooLarge && large.header("Content-Type") == "application/problem+json")
    #expect(ends.log.last == "abandoned 0")
    #expect(client.get("/").body == "index")
  }

  @Test("A stream whose answer becomes an error page has ended")
  func badStream() {
    #expect(client.get("/stream?name=%0A").status == .internalServerError)
    #expect(ends.streamsEnded == 1)
  }

  @Test("A pause of any length is only a pause")
  func endlessPauses() {
    #expect(client.get("/stream").body.contains("piece"))
    #expect(client.get("/rest").status == .serviceUnavailable)
    #expect(client.get("/").body == "index")
  }

  @Test("A page that receives content twice, or without the route of an upload, ends the program")
  func misplacedReceive() async {
    await #expect(processExitsWith: .failure) {
      let client = TestClient(EndSite(ends: Ends()), secret: secret)
      _ = client.request("POST", "/form", content: [1])
    }
    await #expect(processExitsWith: .failure) {
      let client = TestClient(EndSite(ends: Ends()), secret: secret)
      _ = client.request("POST", "/open?again=1", content: [1])
    }
  }

  @Test("The hook before a page counts for the answer of an upload as well")
  func hook() {
    #expect(upload("/open").values(of: "X-Hook") == ["yes"])
    ends.log = []
    ends.hookRefuses = true
    #expect(upload("/open").status == .forbidden)
    #expect(ends.log == ["begun", "piece", "abandoned 3"])
  }

  @Test("An error page that asks for a session finds none, and sets no cookie")
  func errorPage() {
    let answer = client.get("/nowhere")
    #expect(answer.status == .notFound && answer.body.hasPrefix("own: ") && answer.body.hasSuffix(" 0"))
    #expect(answer.setCookies.isEmpty)
  }
}

/// A page and an upload that fail, and say why.
private struct LoggedSite: LoggingApplication, UploadApplication {
  enum Page: UInt8 { case page, upload }

  static func route(to page: Page) -> Route {
    switch page {
    case .page: .get("/", for: .everyone)
    case .upload: .upload("/upload", for: .everyone)
    }
  }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .page: response.refuse(.insufficientStorage, "The disk is full.")
    case .upload: response.receive(atMost: 10, into: NoUpload())
    }
  }

  func receive(
    _ octets: Span<UInt8>, for page: Page, _ request: borrowing Request<Self>, _ state: inout NoUpload
  ) -> UploadStep { .refuse(.serviceUnavailable, "The sensor is gone.") }

  func finish(
    _ page: Page, _ request: borrowing Request<Self>, _ state: NoUpload, _ response: consuming Response<Self>
  ) -> Answer { response.noContent() }

  func abandon(_ page: Page, _ request: borrowing Request<Self>, _ state: NoUpload) {}
}

@Suite struct LoggedReasonTests {
  @Test("Each answer of 500 and above is one log line, with the reason that its page gives")
  func reasons() async {
    let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
      let client = TestClient(LoggedSite(), secret: "")
      #expect(client.get("/").status == .insufficientStorage)
      #expect(client.request("POST", "/upload", content: [1]).status == .serviceUnavailable)
      #expect(client.get("/nowhere").status == .notFound)
    }
    let printed = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    let lines = printed.split(separator: "\n").filter { $0.contains("event=") }
    #expect(lines.count == 2)
    #expect(lines.first?.contains("status=507 reason=\"The disk is full.\"") == true)
    #expect(lines.last?.contains("status=503 reason=\"The sensor is gone.\"") == true)
  }
}
