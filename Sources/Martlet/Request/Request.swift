// A request as a page sees it: a view of the received octets. The compiler keeps the view from outliving the
// octets.

public import MartletBytes
public import MartletHTTP
import MartletServer

/// The request that a page answers.
public struct Request<Site: Application & ~Copyable>: ~Copyable, ~Escapable {
  private let isReadInPlace = ByAddress()

  let incoming: IncomingRequest
  private let match: RouteMatch
  private let approach: Approach

  /// The user who is logged in, or whose credentials the request carries. On a page that is not for everyone
  /// the user is never `nil`.
  public let user: Site.User?

  /// Whether the user has entered the password in this session.
  public let isFresh: Bool

  /// The clocks, and whether the time of day is known. For an application with sessions.
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

  /// The method; HEAD is shown as GET.
  public var method: Method { incoming.head.method == .head ? .get : incoming.head.method }

  /// The path as it was received, percent-encoded.
  public var path: Span<UInt8> {
    @_lifetime(copy self) get { incoming.octets[incoming.head.target.path] }
  }

  /// Whether programs read the page rather than people (`Route.forPrograms`).
  public var isForPrograms: Bool { match.isForPrograms }

  /// The value of a parameter of the path.
  ///
  ///     let id = request[.id]
  ///
  /// A key whose name is not in the page's pattern is a bug and stops the program. So is a key whose type
  /// does not fit the value.
  public subscript<Value>(key: PathParameter<Value>) -> Value {
    guard let found = parameter(named: key.parameterName), let value = Value(found) else {
      stop("a page reads the parameters of its path, with the types that the path names")
    }
    return value
  }

  /// The value of a parameter of the path, still encoded; `nil` where the page's pattern has no such
  /// parameter.
  @_lifetime(copy self)
  public func parameter(named name: StaticString) -> PathValue? {
    guard let index = PathPattern(match.pattern).parameter(named: name) else { return nil }
    return match.parameters.value(index, in: pathBelowMount)
  }

  /// The last parameter of the path, still encoded, where it is the rest of the path.
  var rest: PathValue? {
    @_lifetime(copy self)
    get {
      let index = match.parameters.count - 1
      guard let value = match.parameters.value(index, in: pathBelowMount), value.kind == .path else {
        return nil
      }
      return value
    }
  }

  /// The path below the mount. For a page outside of parts, the whole path.
  private var pathBelowMount: Span<UInt8> {
    @_lifetime(copy self)
    get {
      let path = incoming.octets[incoming.head.target.path]
      return path.extracting(Int(match.mountSize)..<path.count)
    }
  }

  /// The path that the page's part is mounted at; empty for a page outside of parts. A part writes it before
  /// its own paths.
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

  /// The content, with chunks joined. Empty where the request has no content, and on the page of an upload.
  public var content: Span<UInt8> {
    @_lifetime(copy self) get { incoming.content }
  }

  /// The form in the content (application/x-www-form-urlencoded).
  public var form: FormFields {
    @_lifetime(copy self) get { FormFields(incoming.content) }
  }

  /// The JSON object in the content (`Route.taking(.json)`).
  ///
  /// - Throws: `JSONError` where the content is no JSON, or no object. The error's words name the fault and
  ///   its place.
  @_lifetime(copy self)
  public func json() throws(JSONError) -> JSONObject { try JSONDocument(incoming.content).object() }

  /// The value of a cookie of the application's own, as it was received; `nil` where the request has no such
  /// cookie. The person at the browser can change the value. A request that another site has caused has no
  /// cookies, unless the page is shared with credentials (`Sharing`).
  @_lifetime(copy self)
  public func cookie(_ name: CookieName) -> Span<UInt8>? {
    if Site._hasSharing, approach.isForeign { return nil }
    var values = CookieValues(of: name.octets, in: incoming.head.cookieFields(in: incoming.octets))
    return values.next()
  }

  // MARK: Where it comes from

  /// The address of the client: the peer, or what a trusted proxy says in X-Forwarded-For.
  ///
  /// - Parameter proxies: The proxies that are trusted; by default those on this machine.
  public func client(trusting proxies: borrowing TrustedProxies = .loopback) -> ClientAddress {
    headers.client(peer: incoming.peer, trusting: proxies)
  }

  /// The address of a client that asks to log in as `candidate`. A client whose session is the candidate's is
  /// recognized. So failures of others never keep the owner out (`Throttle`).
  ///
  /// - Parameters:
  ///   - candidate: The user of the typed name; `nil` where no user has the name.
  ///   - proxies: The proxies that are trusted.
  public func client(
    for candidate: Site.User?, trusting proxies: borrowing TrustedProxies = .loopback
  ) -> ClientAddress {
    var client = client(trusting: proxies)
    if let user, let candidate { client.isRecognized = user.id == candidate.id }
    return client
  }

  /// The host that the request names, as it was received, with the port where the request names a port.
  public var host: Span<UInt8> {
    @_lifetime(copy self)
    get {
      guard let host = incoming.head.host else { return incoming.octets.extracting(0..<0) }
      return incoming.octets[host]
    }
  }

  /// Whether the browser has come by https, as the command line or a trusted proxy says. In an application without
  /// sessions whose pages take no POST, PUT, PATCH or DELETE, only the command line counts.
  public var isHTTPS: Bool { approach.scheme == .https }

  /// Whether others on the way could have read the request, because it has come from another machine without
  /// encryption. A trusted proxy may say so of its client. A proxy on this machine that says nothing is believed to
  /// encrypt.
  ///
  /// - Parameter proxies: The proxies that are trusted; by default those on this machine.
  public func isExposed(trusting proxies: borrowing TrustedProxies = .loopback) -> Bool {
    switch approach.scheme {
    case .https: false
    case .http: !client(trusting: proxies).address.isLoopback
    case .unknown: !incoming.peer.isLoopback && incoming.peer != .unspecified
    }
  }

  /// The number of the request's connection. The number is unchanged each time that a page answers `later`.
  public var connection: UInt64 { incoming.connection }

  // MARK: When

  /// Seconds since 1970 UTC, by the system's clock.
  public var time: Int64 { incoming.moment.unixSeconds }

  /// Milliseconds of a clock that never goes back.
  public var monotonicMilliseconds: Int64 { incoming.moment.monotonicMilliseconds }
}

/// The path that a part is mounted at (`Request.mount`). Only the library makes such values, so that no path
/// from outside gets into a redirection.
public struct MountPath: ~Escapable {
  /// The octets as they were received, percent-encoded.
  let octets: Span<UInt8>

  @_lifetime(copy octets)
  init(_ octets: Span<UInt8>) { self.octets = octets }
}

extension IncomingRequest {
  /// The form in the target's query; empty without a query.
  var query: FormFields {
    @_lifetime(copy self) get {
      guard let query = head.target.query else { return FormFields(octets.extracting(0..<0)) }
      return FormFields(octets[query])
    }
  }
}
