// What a program writes: an enumeration of its pages, the route of each page, and the answer of each page.
// Routes and answers are a `switch` without a default. So a page without a route, a route without access and
// a page without an answer do not compile.

public import MartletBytes
public import MartletHTTP

/// A web application.
///
///     struct Site: Application {
///       enum Page: UInt8 { case index }
///
///       static func route(to page: Page) -> Route {
///         switch page {
///         case .index: .get("/", for: .everyone)
///         }
///       }
///
///       func respond(
///         to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
///       ) -> Answer {
///         switch page {
///         case .index: response.html("<h1>Hello!</h1>")
///         }
///       }
///     }
///
/// Each further capability is a protocol. Its calls exist only for an application that conforms to the
/// protocol:
///
/// - `TLSApplication`: TLS
/// - `SessionApplication`: logins and sessions
/// - `CredentialsApplication`: Basic and Bearer
/// - `UploadApplication`: long content
/// - `FileApplication`: files
/// - `StreamingApplication`: long answers
/// - `CommandApplication`: programs of the board, and their output
/// - `TimedApplication`: timers
/// - `HookedApplication`: calls around each page
/// - `ErrorPageApplication`: error pages
/// - `LoggingApplication`: log lines
/// - `CrossOriginApplication`: pages that other origins may use
/// - `FormTokenApplication`: forms with a token
/// - `PagePolicyApplication`: security headers of one page
/// - `MountingApplication`: parts below a path
///
/// A protocol that the application does not name adds nothing to the program.
public protocol Application: ~Copyable {
  /// The pages: an enumeration whose raw values are 0, 1, 2 …, as Swift numbers them by itself.
  associatedtype Page: RawRepresentable where Page.RawValue == UInt8

  /// The type of the users; `NoUser` for an application without logins.
  associatedtype User: SessionUser = NoUser

  /// The state that a page of an upload keeps from one piece to the next (`UploadApplication`).
  associatedtype UploadState: BitwiseCopyable = NoUpload

  /// The route of a page: what the page is reached by, and who may enter. The first page answers whose route
  /// matches a request's path and method. The table of routes is checked when the program starts.
  static func route(to page: Page) -> Route

  /// Answers a request for a page that the visitor may enter.
  mutating func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer

  /// Whether the value of a path's parameter is of a type of the application's own: `<color:c>` asks for
  /// `color`. Another value does not match, so that the answer is 404. The result for a value never changes,
  /// because the route of an upload is searched for at each piece.
  ///
  /// - Parameters:
  ///   - value: The value, still encoded: text without controls (`PathPattern.match`).
  ///   - type: The name of the type, as in the path.
  static func accepts(_ value: Span<UInt8>, ofType type: Span<UInt8>) -> Bool

  /// Whether the application has a type of that name. The library asks when the program starts.
  static func isType(_ type: Span<UInt8>) -> Bool

  /// Header lines of every response, each ended by CRLF.
  static var headers: StaticString { get }

  /// The host names that the application answers, with blanks between; `*.example.org` stands for every name
  /// below `example.org`. IP addresses, `localhost` and the machine's own name are always answered. Requests
  /// for other hosts are refused with 421, because another site may have its name resolved to this machine
  /// (DNS rebinding). An application without sessions refuses only requests that change something.
  static var hosts: StaticString { get }

  /// Whether programs use the application rather than people. Errors are then problem details (RFC 9457), also
  /// where no page has the path. A browser, whose Accept names text/html, still gets a page. `forPrograms`
  /// counts for every route.
  static var isForPrograms: Bool { get }

  /// Whether browsers reach the application by https only, because TLS ends at a proxy. Cookies then have the
  /// attribute `Secure` and a name that begins with `__Host-`. An Origin must then be an https origin. Where
  /// this is false, a trusted proxy may say for each request that it came by https (X-Forwarded-Proto).
  static var usesHTTPS: Bool { get }

  /// The value of Strict-Transport-Security (RFC 6797), such as `max-age=31536000`; empty for none, which is
  /// the default. The header is sent to browsers that have come by https, and never by http.
  ///
  /// A browser that knows the header comes by https only, to every port of the host, until `max-age` seconds are
  /// over. So other programs on the host become unreachable by http. Browsers ignore the header at an IP address.
  static var strictTransportSecurity: StaticString { get }

  /// Called when a request has been refused with 421, so that the application can log it.
  ///
  /// - Parameters:
  ///   - host: The host that the request names.
  ///   - headers: The request's headers, for `client(peer:trusting:)`.
  ///   - peer: The address of the connection's peer.
  func refused(host: Span<UInt8>, _ headers: FieldSection, from peer: IPAddress)

  // The answers of capabilities (Capabilities.swift). A program does not implement these.
  static var _hasMounts: Bool { get }
  static func _route(number: UInt8, of mount: Page) -> Route?
  static var _hasTLS: Bool { get }
  static var _hasWork: Bool { get }
  static var _hasSessions: Bool { get }
  static var _acceptsMicrodotTokens: Bool { get }
  static var _cookieNames: CookieNames { get }
  static var _skipsLogin: Bool { get }
  static var _sessionLimits: SessionLimits? { get }
  static var _listsSessions: Bool { get }
  var _loginPath: StaticString { get }
  var _newestMoment: Int64 { get }
  func _user(_ id: UserID) -> User?
  mutating func _user(_ id: UserID, epoch: Int64, at clock: SystemClock) -> User?
  mutating func _serverStopped(at clock: SystemClock)
  static var _hasCredentials: Bool { get }
  static var _challenge: Challenge { get }
  static var _acceptsPasswords: Bool { get }
  mutating func _user(
    _ credentials: borrowing Credentials, _ request: borrowing Request<Self>
  ) -> CredentialsCheck<User>
  static var _takesFormData: Bool { get }
  static var _hasSharing: Bool { get }
  static func _sharing(of page: Page) -> Sharing
  static var _hasFormTokens: Bool { get }
  static func _needsFormToken(_ page: Page) -> Bool
  static var _hasPolicies: Bool { get }
  static func _policy(of page: Page) -> PagePolicy
  static var _hasUploads: Bool { get }
  mutating func _receive(
    _ octets: Span<UInt8>, for page: Page, _ request: borrowing Request<Self>, _ state: inout UploadState
  ) -> UploadStep
  mutating func _finish(
    _ page: Page, _ request: borrowing Request<Self>, _ state: UploadState,
    _ response: consuming Response<Self>
  ) -> Answer
  mutating func _abandon(_ page: Page, _ request: borrowing Request<Self>, _ state: UploadState)
  static var _hasFiles: Bool { get }
  static var _hasStreams: Bool { get }
  mutating func _write(_ page: Page, _ state: inout StreamState, to body: inout StreamBody) -> StreamStep
  mutating func _streamEnded(_ page: Page, _ state: StreamState)
  static var _hasCommands: Bool { get }
  static var _tickMilliseconds: Int { get }
  mutating func _tick(_ tick: inout Tick)
  static var _hasHooks: Bool { get }
  mutating func _before(
    _ page: Page, _ request: borrowing Request<Self>, _ response: inout Response<Self>
  ) -> Verdict
  mutating func _after(_ page: Page?, _ request: borrowing Request<Self>, _ status: Status)
  static var _hasErrorPages: Bool { get }
  mutating func _errorPage(
    _ error: borrowing ErrorPage, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer
  static var _logsErrors: Bool { get }
  static var _logsRequests: Bool { get }
}

extension Application where Self: ~Copyable {
  public static func accepts(_ value: Span<UInt8>, ofType type: Span<UInt8>) -> Bool { false }
  public static func isType(_ type: Span<UInt8>) -> Bool { false }
  public static var hosts: StaticString { "" }
  public static var isForPrograms: Bool { false }
  public static var usesHTTPS: Bool { false }
  public static var strictTransportSecurity: StaticString { "" }
  public func refused(host: Span<UInt8>, _ headers: FieldSection, from peer: IPAddress) {}

  /// Headers that forbid content and scripts from other sites, scripts in a page, framing by other sites, and
  /// guessing of media types. The address of a page is not sent to other sites. Styles may stand in a page. Where
  /// one page needs more, a `PagePolicyApplication` changes these headers for the page.
  public static var headers: StaticString {
    """
    Content-Security-Policy: default-src 'self'; img-src 'self' data:; \
    style-src 'self' 'unsafe-inline'; object-src 'none'; form-action 'self'; \
    frame-ancestors 'none'; base-uri 'none'\r
    X-Content-Type-Options: nosniff\r
    X-Frame-Options: DENY\r
    Referrer-Policy: same-origin\r

    """
  }
}

/// The state of applications that receive no uploads.
public struct NoUpload: BitwiseCopyable, Sendable {}
