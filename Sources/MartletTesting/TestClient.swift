// A browser for tests: an application's pages are asked for in this process, with cookies and a
// clock that the test sets. No socket, no waiting; everything between the octets of a request and
// those of its response is what the server runs.

public import Martlet
public import MartletBytes
import MartletHTTP
import MartletServer
import Synchronization

/// Held while a page is answered; tests may run side by side. Its value numbers requests, because the
/// table of passwords that are hashed is one for the process.
private let onePage = Mutex<UInt64>(0)

/// A client of an application.
///
///     let client = TestClient(Site(), secret: "top-secret!")
///     let page = client.get("/")
///     #expect(page.location == "/login?next=/")
public final class TestClient<A: Application & ~Copyable> {
  private var responder: SiteResponder<A>

  /// The true time, seconds since 1970 UTC: what the application takes for the time as long as
  /// `clockError` is 0. It stands still.
  public var time: Int64 = 1_800_000_000

  /// Seconds that the system's time of day is wrong by: negative on a board that has just been switched
  /// on and has no clock.
  public var clockError: Int64 = 0

  /// When the kernel was started, in true Unix seconds; where the boot clock counts from.
  public var bootTime: Int64 = 0

  /// A number of this boot of the kernel.
  public var boot: Int64 = 1

  /// Whether the kernel says that its time of day is synchronized.
  public var isSynchronized = false

  /// The cookies, kept from one request to the next.
  public var cookies = CookieJar()

  /// Where the requests come from; unknown, as through a Unix socket, as long as a test does not say.
  public var peer = IPAddress.unspecified

  /// The value of the Host field.
  public var host = "localhost"

  /// - Parameters:
  ///   - secret: What cookies are signed with; not empty.
  ///   - reach: How browsers reach the application.
  ///   - port: The port that it is said to listen on.
  public init(
    _ site: consuming A, secret: String, reach: Reach = Reach(), port: UInt16 = 8080
  ) {
    responder = SiteResponder(site, secret: [UInt8](secret.utf8).span, reach: reach, port: port)
  }

  /// Looks at a page.
  public func get(_ target: String, fields: [(String, String)] = []) -> TestResponse {
    request("GET", target, fields: fields)
  }

  /// Sends a form.
  public func post(
    _ target: String, form: [(String, String)] = [], fields: [(String, String)] = []
  ) -> TestResponse {
    let content = form.map { "\(encoded($0.0))=\(encoded($0.1))" }.joined(separator: "&")
    return request(
      "POST", target,
      fields: [("Content-Type", "application/x-www-form-urlencoded")] + fields,
      content: [UInt8](content.utf8))
  }

  /// Sends a request with the jar's cookies; Host and Content-Length are added. Cookies that
  /// `fields` name come first, as those of a more specific path do.
  public func request(
    _ method: String, _ target: String, fields: [(String, String)] = [], content: [UInt8] = []
  ) -> TestResponse {
    let head = head(
      method, target, fields: fields,
      contentCount: method == "POST" || !content.isEmpty ? content.count : nil)
    let response = send([UInt8](head.utf8) + content)
    for line in response.setCookies {
      cookies.take(line, requestPath: path(of: target), now: time)
    }
    return response
  }

  private func head(
    _ method: String, _ target: String, fields: [(String, String)], contentCount: Int?
  ) -> String {
    var head = "\(method) \(target) HTTP/1.1\r\nHost: \(host)\r\n"
    for (name, value) in fields { head += "\(name): \(value)\r\n" }
    if let cookie = cookies.field(forPath: path(of: target), now: time) {
      head += "Cookie: \(cookie)\r\n"
    }
    if let contentCount { head += "Content-Length: \(contentCount)\r\n" }
    return head + "\r\n"
  }

  /// Sends the octets of one whole request as they are; the jar is left alone.
  ///
  /// A request that the server refuses before any page sees it gets the refusal's status; one whose
  /// end is missing, which the server would wait for, gets 408.
  public func send(_ octets: [UInt8]) -> TestResponse {
    // Page text has one place in a process.
    let start = onePage.withLock { number in
      number += 1
      return begin(octets, connection: number)
    }
    switch start {
    case .answered(let response): return response
    case .putOff(let pending): return finish(pending)
    }
  }

  /// A request whose answer takes several turns, at any point of its work.
  package struct PendingRequest: Sendable {
    fileprivate let octets: [UInt8]
    fileprivate let connection: UInt64
  }

  /// What has become of a request at once.
  package enum Start: Sendable {
    case answered(TestResponse)
    case putOff(PendingRequest)
  }

  /// Sends a form, and leaves its work where it is: for tests of what happens meanwhile. The cookies are
  /// those of the jar at this moment.
  package func startPost(_ target: String, form: [(String, String)]) -> Start {
    let content = form.map { "\(encoded($0.0))=\(encoded($0.1))" }.joined(separator: "&")
    let head = head(
      "POST", target, fields: [("Content-Type", "application/x-www-form-urlencoded")],
      contentCount: content.utf8.count)
    return onePage.withLock { number in
      number += 1
      return begin([UInt8]((head + content).utf8), connection: number)
    }
  }

  /// Does that many steps of the work of a request.
  package func work(on pending: PendingRequest, steps: Int) {
    onePage.withLock { _ in
      for _ in 0..<steps { _ = responder.work(pending.connection) }
    }
  }

  /// Does the work of a request until it is answered.
  package func finish(_ pending: PendingRequest) -> TestResponse {
    while true {
      let response = onePage.withLock { _ -> TestResponse? in
        while !responder.work(pending.connection) {}
        switch begin(pending.octets, connection: pending.connection) {
        case .answered(let response): return response
        case .putOff: return nil
        }
      }
      if let response { return response }
    }
  }

  /// Asks the page of a request again, as the server does when its work is done.
  package func resume(_ pending: PendingRequest) -> Start {
    onePage.withLock { _ in begin(pending.octets, connection: pending.connection) }
  }

  /// The client of a request goes away.
  package func abandon(_ pending: PendingRequest) {
    onePage.withLock { _ in responder.cancel(pending.connection) }
  }

  private func begin(_ octets: [UInt8], connection: UInt64) -> Start {
    if let head = try? RequestHead.parse(octets.span), head.framing != .none,
      responder.isUpload(head, octets.span)
    {
      return answer(octets, head, [UInt8](octets[head.size...]), inPieces: true, connection)
    }
    switch RequestProgress.of(octets.span, examinedCount: 0) {
    case .complete(let head, let size):
      return answer(octets, head, [UInt8](octets[head.size..<size]), inPieces: false, connection)
    case .pieces: return .answered(refuse(.contentTimeout))
    case .refused(let refusal): return .answered(refuse(refusal))
    case .head: return .answered(refuse(.headTimeout))
    case .content: return .answered(refuse(.contentTimeout))
    }
  }

  /// The moment that pages see.
  private var moment: Moment {
    Moment(
      monotonicMilliseconds: (time &- bootTime) &* 1_000, unixSeconds: time &+ clockError)
  }

  private func answer(
    _ octets: [UInt8], _ head: RequestHead, _ received: [UInt8], inPieces: Bool,
    _ connection: UInt64
  ) -> Start {
    var received = received
    if head.framing == .chunked {
      var chunks = received.mutableSpan
      let count = ChunkedContent.compact(&chunks)
      received = [UInt8](received[..<count])
    }
    var content = [UInt8](repeating: 0, count: Limits.responseContentSizeMax)
    var fields = [UInt8](repeating: 0, count: Limits.responseFieldsSizeMax)
    // Content that is taken in pieces is not there when the page is asked.
    let whole = inPieces ? [] : received
    responder.simulateClock(boot: boot, isSynchronized: isSynchronized)
    let request = IncomingRequest(
      octets: octets.span, head: head, content: whole.span,
      moment: moment, connection: connection, peer: peer)
    var reply = responder.respond(
      to: request, content: Writer(content.mutableSpan), fields: Writer(fields.mutableSpan))
    if reply.isUnfinished {
      return .putOff(PendingRequest(octets: octets, connection: connection))
    }
    if case .upload(let countMax) = reply.kind {
      var storage = [UInt8](repeating: 0, count: SiteResponder<A>.uploadStateSize)
      var state = storage.mutableSpan
      responder.beginUpload(&state)
      if let refusal = receive(received, atMost: countMax, of: request, &state) {
        responder.abandon(request, &state)
        return .answered(refusal)
      }
      reply = responder.finish(
        request, &state, content: Writer(content.mutableSpan), fields: Writer(fields.mutableSpan))
    }
    return .answered(
      response(
        reply, all(of: reply, [UInt8](content[..<reply.contentCount])),
        [UInt8](fields[..<reply.fieldsCount]),
        sendsContent: head.method != .head && reply.status.allowsContent,
        closes: !head.keepsAlive))
  }

  /// Hands a content over in pieces of at most 1,000 octets.
  ///
  /// - Returns: The refusal, where the page wants no more of it.
  private func receive(
    _ received: [UInt8], atMost countMax: Int, of request: borrowing IncomingRequest,
    _ state: inout MutableSpan<UInt8>
  ) -> TestResponse? {
    guard received.count <= countMax else { return refuse(.contentTooLarge) }
    var start = 0
    while start < received.count {
      let end = min(start + 1_000, received.count)
      if case .refuse(let status, let reason) = responder.receive(
        received.span.extracting(start..<end), of: request, &state)
      {
        return refuse(status, reason.octets)
      }
      start = end
    }
    return nil
  }

  /// The whole content of a reply, wherever it lies.
  private func all(of reply: Reply, _ written: [UInt8]) -> [UInt8] {
    switch reply.kind {
    case .written, .upload, .later: return written
    case .data(let data): return [UInt8](copying: data.octets)
    case .file(let file, let count): return TestFile.read(file, count: count)
    case .stream(var state):
      var content: [UInt8] = []
      while true {
        var piece = [UInt8](repeating: 0, count: Limits.responseContentSizeMax)
        let produced = responder.produce(&state, content: Writer(piece.mutableSpan))
        content += piece[..<produced.count]
        switch produced.next {
        case .more, .pause: continue
        case .wait, .end, .failed: return content
        }
      }
    }
  }

  private func refuse(_ refusal: Refusal) -> TestResponse { refuse(refusal.status, refusal.reason) }

  private func refuse(_ status: Status, _ reason: Span<UInt8>) -> TestResponse {
    let content = written { RefusalPage.write(status, reason, to: &$0) }
    let fields = written {
      $0.append(A.headers)
      RefusalPage.writeFields(to: &$0)
    }
    let reply = Reply(status: status, contentCount: content.count, fieldsCount: fields.count)
    return response(reply, content, fields, sendsContent: true, closes: true)
  }

  private func response(
    _ reply: Reply, _ content: [UInt8], _ fields: [UInt8], sendsContent: Bool, closes: Bool
  ) -> TestResponse {
    let head = written { writer in
      var head = ResponseHead(
        status: reply.status, contentLength: content.count, closes: closes)
      if case .stream = reply.kind { head.framing = .chunked }
      writer.append(head, date: HTTPDate(time), fieldLines: fields.span)
    }
    return TestResponse(head: head, content: sendsContent ? content : [])
  }

  private func written(_ write: (inout Writer) -> Void) -> [UInt8] {
    var octets = [UInt8](repeating: 0, count: Limits.responseHeadSizeMax)
    var writer = Writer(octets.mutableSpan)
    write(&writer)
    let count = writer.count
    return [UInt8](octets[..<count])
  }

  /// The path of a target, for cookies: without the scheme and the host that an absolute one has.
  private func path(of target: String) -> String {
    let target = target.prefix { $0 != "?" && $0 != "#" }
    guard !target.hasPrefix("/") else { return String(target) }
    let parts = target.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: true)
    return parts.count > 2 ? "/" + parts[2] : "/"
  }

  /// application/x-www-form-urlencoded (WHATWG URL §5.2).
  private func encoded(_ text: String) -> String {
    let digits = [UInt8]("0123456789ABCDEF".utf8)
    var octets: [UInt8] = []
    for octet in text.utf8 {
      switch octet {
      case UInt8(ascii: " "): octets.append(UInt8(ascii: "+"))
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "*"), UInt8(ascii: "-"),
        UInt8(ascii: "."), UInt8(ascii: "_"):
        octets.append(octet)
      default:
        octets += [UInt8(ascii: "%"), digits[Int(octet >> 4)], digits[Int(octet & 15)]]
      }
    }
    return String(decoding: octets, as: UTF8.self)
  }
}
