// A request as a page sees it: a view of the octets received, which the compiler keeps from outliving
// them.

public import MartletBytes
public import MartletHTTP
import MartletServer

/// The request that a page answers.
public struct Request<Site: Application & ~Copyable>: ~Escapable {
  let incoming: IncomingRequest
  private let match: RouteMatch
  private let approach: Approach

  /// The user who is logged in, or whose credentials the request carries. There is always one on a page that
  /// is not for everyone.
  public let user: Site.User?

  /// Whether the user has entered the password in this session.
  public let isFresh: Bool

  /// What the time is, and whether that is known. For an application with sessions.
  public let clock: SystemClock

  @_lifetime(copy incoming)
  init(
    _ incoming: consuming IncomingRequest, _ match: RouteMatch, user: Site.User?, isFresh: Bool,
    clock: SystemClock, _ approach: Approach
  ) {
    self.match = match
    self.approach = approach
    self.clock = clock
    self.incoming = incoming
    self.user = user
    self.isFresh = isFresh
  }

  // MARK: What is asked for

  /// The method; HEAD comes as GET does.
  public var method: Method { incoming.head.method == .head ? .get : incoming.head.method }

  /// The path as it was received, percent-encoded.
  public var path: Span<UInt8> {
    @_lifetime(copy self) get { incoming.octets[incoming.head.target.path] }
  }

  /// The value of a parameter of the path.
  ///
  ///     let id = request[.id]
  ///
  /// A key whose name the page's pattern does not have, or whose type the value is not of, is a bug and stops
  /// the program.
  public subscript<Value>(key: PathParameter<Value>) -> Value {
    guard let found = parameter(named: key.parameterName), let value = Value(found) else {
      stop("a page reads the parameters of its path, with the types that the path names")
    }
    return value
  }

  /// The value of a parameter of the path, in place; `nil` where the page's pattern has no such parameter.
  @_lifetime(copy self)
  public func parameter(named name: StaticString) -> PathValue? {
    guard let index = PathPattern(match.pattern).parameter(named: name) else { return nil }
    return match.parameters.value(index, in: pathBelowMount)
  }

  /// The path below the mount; the whole path of a page that is in no part.
  private var pathBelowMount: Span<UInt8> {
    @_lifetime(copy self)
    get {
      let path = incoming.octets[incoming.head.target.path]
      return path.extracting(Int(match.mountSize)..<path.count)
    }
  }

  /// The path that the part is mounted at which the page belongs to; empty for a page that is in no part. A
  /// part puts it before its own paths.
  ///
  ///     "<a href=\"\(request.mount)/\(id)\">"        response.redirect("\(request.mount)/\(id)")
  public var mount: MountPath {
    @_lifetime(copy self)
    get {
      MountPath(incoming.octets[incoming.head.target.path].extracting(first: Int(match.mountSize)))
    }
  }

  /// The page of a part that the path leads to; `nil` where the part has no such page.
  public func page<P: Part & ~Copyable>(of part: P.Type) -> P.Page? {
    guard match.partPage >= 0 else { return nil }
    return P.Page(rawValue: UInt8(match.partPage))
  }

  /// The form in the target's query.
  public var query: FormFields {
    @_lifetime(copy self) get { incoming.query }
  }

  // MARK: What comes with it

  /// The headers.
  public var headers: FieldSection {
    @_lifetime(copy self) get { incoming.head.fields(in: incoming.octets) }
  }

  /// The content, chunks put together; empty where there is none, and on a page of an upload.
  public var content: Span<UInt8> {
    @_lifetime(copy self) get { incoming.content }
  }

  /// The form in the content (application/x-www-form-urlencoded).
  public var form: FormFields {
    @_lifetime(copy self) get { FormFields(incoming.content) }
  }

  /// The JSON object in the content (`Route.taking(.json)`).
  ///
  /// - Throws: Where the content is no JSON, or no object; the words name what is wrong and where.
  @_lifetime(copy self)
  public func json() throws(JSONError) -> JSONObject { try JSONDocument(incoming.content).object() }

  /// The value of a cookie of the application's own, as it was sent; `nil` where there is none. Whoever uses
  /// the browser can change it.
  @_lifetime(copy self)
  public func cookie(_ name: CookieName) -> Span<UInt8>? {
    var values = CookieValues(of: name.octets, in: incoming.head.cookieFields(in: incoming.octets))
    return values.next()
  }

  // MARK: Where it comes from

  /// Where the client is: the peer, or what a trusted proxy says of it in X-Forwarded-For.
  ///
  /// - Parameter proxies: The proxies that are believed; as a rule those on this machine.
  public func client(trusting proxies: borrowing TrustedProxies = .loopback) -> ClientAddress {
    headers.client(peer: incoming.peer, trusting: proxies)
  }

  /// Where the client is, who asks to be let in as `candidate`: a client whose session is the candidate's is
  /// recognized, so that others' failures never keep the owner out (`Throttle`).
  ///
  /// - Parameters:
  ///   - candidate: The user of the name that was typed; `nil` where there is none.
  ///   - proxies: The proxies that are believed.
  public func client(
    for candidate: Site.User?, trusting proxies: borrowing TrustedProxies = .loopback
  ) -> ClientAddress {
    var client = client(trusting: proxies)
    if let user, let candidate { client.isRecognized = user.id == candidate.id }
    return client
  }

  /// The host that the request names, as it was received, with its port where there is one.
  public var host: Span<UInt8> {
    @_lifetime(copy self)
    get {
      guard let host = incoming.head.host else { return incoming.octets.extracting(0..<0) }
      return incoming.octets[host]
    }
  }

  /// Whether the browser has come by https, as the command line or a trusted proxy says.
  public var isHTTPS: Bool { approach.scheme == .https }

  /// Which connection the request came on: the same each time that a page answers `later`.
  public var connection: UInt64 { incoming.connection }

  // MARK: When

  /// Seconds since 1970 UTC, as the system believes.
  public var time: Int64 { incoming.moment.unixSeconds }

  /// Milliseconds of a clock that never goes back.
  public var monotonicMilliseconds: Int64 { incoming.moment.monotonicMilliseconds }
}

/// The path that a part is mounted at (`Request.mount`). No other value can be made, so that no path from
/// outside stands in a redirection.
public struct MountPath: ~Escapable {
  /// As received, percent-encoded.
  let octets: Span<UInt8>

  @_lifetime(copy octets)
  init(_ octets: Span<UInt8>) { self.octets = octets }
}

extension IncomingRequest {
  /// The form in the target's query; empty without one.
  var query: FormFields {
    @_lifetime(copy self) get {
      guard let query = head.target.query else { return FormFields(octets.extracting(0..<0)) }
      return FormFields(octets[query])
    }
  }
}
