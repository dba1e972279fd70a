// A browser for tests, with cookies and a clock that the test sets. The client asks for an application's
// pages in this process, without sockets and without waiting. The server itself runs, over a transport that
// holds the request's octets (ClientTransport.swift).

public import Martlet
public import MartletBytes
import MartletHTTP
import MartletServer

/// A client of an application.
///
///     let client = TestClient(Site())
///     let page = client.get("/")
///     #expect(page.location == "/login?next=/")
public final class TestClient<A: Application & ~Copyable> {
  private let world = ClientWorld()
  private let memory = ClientMemory()
  private var server: Server<ClientTransport, HeldResponder<A>>

  /// The true time in seconds since 1970 UTC. The application sees this time as long as `clockError` is 0.
  /// The time stands still.
  public var time: Int64 = 1_800_000_000

  /// Seconds by which the system's time of day is wrong. The value is negative for a board without a clock
  /// that has just been switched on.
  public var clockError: Int64 = 0

  /// True Unix seconds of the kernel's start, from which the boot clock counts.
  public var bootTime: Int64 = 0

  /// A number that identifies this boot of the kernel.
  public var boot: Int64 = 1

  /// Whether the kernel says that its time of day is synchronized.
  public var isSynchronized = false

  /// The cookies, kept from one request to the next.
  public var cookies = CookieJar()

  /// The address that the requests come from. The default is the unknown address, as through a Unix socket.
  public var peer = IPAddress.unspecified

  /// The value of the Host header.
  public var host = "localhost"

  /// How long a request waits for the end of its answer, in seconds of the clock that ticks and pauses count
  /// on. A stream that has no end is cut off then, and the response has what came until then. The wait itself
  /// takes no time.
  public var waitSecondsMax: Int64 = 60

  /// Makes a client of an application.
  ///
  /// - Parameters:
  ///   - site: The application.
  ///   - secret: The secret that signs cookies; not empty. A test seldom needs one of its own.
  ///   - reach: The host names, the scheme and the path by which browsers reach the application.
  ///   - port: The port that the application believes it listens on.
  public init(
    _ site: consuming A, secret: String = "a secret of tests", reach: Reach = Reach(), port: UInt16 = 8080
  ) {
    let responder = SiteResponder(
      site, secret: [UInt8](secret.utf8).span, reach: reach, port: port, memory.site)
    server = Server(
      transport: ClientTransport(world: world), responder: HeldResponder(responder, world),
      memory.lent)
  }

  /// Sends a GET request for a page.
  public func get(_ target: String, headers: [(String, String)] = []) -> TestResponse {
    request("GET", target, headers: headers)
  }

  /// Sends a form with POST.
  public func post(
    _ target: String, form: [(String, String)] = [], headers: [(String, String)] = []
  ) -> TestResponse {
    let content = form.map { "\(encoded($0.0))=\(encoded($0.1))" }.joined(separator: "&")
    return request(
      "POST", target,
      headers: [("Content-Type", "application/x-www-form-urlencoded")] + headers,
      content: [UInt8](content.utf8))
  }

  /// Sends a request with the jar's cookies. Host and Content-Length are added. Cookies in `headers` come
  /// before those of the jar, as cookies of a more specific path do.
  public func request(
    _ method: String, _ target: String, headers: [(String, String)] = [], content: [UInt8] = []
  ) -> TestResponse {
    let head = head(
      method, target, headers: headers,
      contentCount: method == "POST" || !content.isEmpty ? content.count : nil)
    let response = send([UInt8](head.utf8) + content)
    for line in response.setCookies {
      cookies.store(line, requestPath: path(of: target), now: time)
    }
    return response
  }

  private func head(
    _ method: String, _ target: String, headers: [(String, String)], contentCount: Int?
  ) -> String {
    var head = "\(method) \(target) HTTP/1.1\r\nHost: \(host)\r\n"
    for (name, value) in headers { head += "\(name): \(value)\r\n" }
    if let cookie = cookies.header(forPath: path(of: target), now: time) {
      head += "Cookie: \(cookie)\r\n"
    }
    if let contentCount { head += "Content-Length: \(contentCount)\r\n" }
    return head + "\r\n"
  }

  /// Sends the octets of one whole request unchanged; the jar is neither read nor changed.
  ///
  /// A request that the server refuses before its page is asked gets the status of the refusal. A request
  /// without its end gets 408, because the server would wait for the end.
  public func send(_ octets: [UInt8]) -> TestResponse { finish(world.connect(octets, from: peer)) }

  /// Opens a page that answers as a stream, with GET and the jar's cookies. The stream stays open while the
  /// client sends other requests.
  ///
  ///     let stream = client.open("/events")
  ///     _ = client.post("/say", form: [("text", "hello")])
  ///     #expect(stream.events.map(\.data) == ["hello"])
  public func open(_ target: String, headers: [(String, String)] = []) -> TestStream {
    let head = head("GET", target, headers: headers, contentCount: nil)
    let peer = world.connect([UInt8](head.utf8), from: peer)
    world.standsStill = true
    run(until: { world.isIdle && !peer.answer.isEmpty || peer.isClosed })
    world.standsStill = false
    return TestStream(peer)
  }

  /// A request that needs several turns and has not been answered.
  package struct PendingRequest {
    fileprivate let peer: ClientPeer
    fileprivate let connection: UInt64
  }

  /// The result of the first turns of a request.
  package enum Start {
    case answered(TestResponse)
    case putOff(PendingRequest)
  }

  /// Sends a form, and holds the work of the request, for tests of what happens meanwhile. The request has
  /// the cookies that are in the jar now.
  package func startPost(_ target: String, form: [(String, String)]) -> Start {
    let content = form.map { "\(encoded($0.0))=\(encoded($0.1))" }.joined(separator: "&")
    let head = head(
      "POST", target, headers: [("Content-Type", "application/x-www-form-urlencoded")],
      contentCount: content.utf8.count)
    return start(world.connect([UInt8]((head + content).utf8), from: peer))
  }

  /// Does that many steps of the held work of a request.
  package func work(on pending: PendingRequest, steps: Int) {
    server.responder.workHeld(pending.connection, steps: steps)
  }

  /// Does the work of a request until the request is answered.
  package func finish(_ pending: PendingRequest) -> TestResponse {
    world.held.remove(pending.connection)
    return finish(pending.peer)
  }

  /// Lets the server ask the page of a request again, when the request's work is done.
  package func resume(_ pending: PendingRequest) -> Start {
    world.held.remove(pending.connection)
    return start(pending.peer)
  }

  /// Closes the client's end of a request's connection.
  package func abandon(_ pending: PendingRequest) {
    pending.peer.isGone = true
    run(until: { pending.peer.isClosed })
  }

  /// Runs turns until a request is answered, or its page has answered `later`.
  private func start(_ peer: ClientPeer) -> Start {
    world.holdsNext = true
    world.putOff = nil
    run(until: { isAnswered(peer) || world.putOff != nil })
    world.holdsNext = false
    guard let connection = world.putOff else { return .answered(response(to: peer)) }
    return .putOff(PendingRequest(peer: peer, connection: connection))
  }

  private func finish(_ peer: ClientPeer) -> TestResponse {
    run(until: { isAnswered(peer) })
    return response(to: peer)
  }

  /// Whether the server has sent its whole answer.
  private func isAnswered(_ peer: ClientPeer) -> Bool {
    peer.isClosed || peer.isRead && !peer.answer.isEmpty
  }

  /// Runs turns of the server until `isReached` returns true. A page may wait for an event that never comes.
  /// So the turns also end where the server would wait for ever, or has waited for `waitSecondsMax`.
  private func run(until isReached: () -> Bool) {
    world.milliseconds = (time &- bootTime) &* 1_000
    world.unixSeconds = time &+ clockError
    world.boot = boot
    world.isSynchronized = isSynchronized
    let end = world.waitedMilliseconds &+ waitSecondsMax &* 1_000
    repeat {
      _ = server.turn()
    } while !isReached() && !world.isAtRest && world.waitedMilliseconds < end
  }

  /// Parses the answer, and ends the connection.
  private func response(to peer: ClientPeer) -> TestResponse {
    let response = TestResponse(answer: [UInt8](peer.answer))
    peer.isGone = true
    run(until: { peer.isClosed })
    return response
  }

  /// The path of a target, for cookies, without the scheme and the host of an absolute target.
  private func path(of target: String) -> String {
    let target = target.prefix { $0 != "?" && $0 != "#" }
    guard !target.hasPrefix("/") else { return String(target) }
    let parts = target.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: true)
    return parts.count > 2 ? "/" + parts[2] : "/"
  }

  /// A text in the encoding of application/x-www-form-urlencoded (WHATWG URL §5.2).
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
