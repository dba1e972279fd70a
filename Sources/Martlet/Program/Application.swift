// What a program writes: its pages as an enumeration, where each is reached and by whom, and what
// each answers. Both are a `switch` without a default, so a page without a route, a route without
// access and a page without an answer do not compile.

public import MartletBytes
public import MartletHTTP
public import MartletServer

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
///         to page: Page, _ request: borrowing Request<NoUser>, _ response: consuming Response
///       ) -> Answer {
///         switch page {
///         case .index: response.html("<h1>Hello!</h1>")
///         }
///       }
///     }
public protocol Application: ~Copyable {
  /// The pages: an enumeration whose raw values are 0, 1, 2 …, as Swift numbers them by itself.
  associatedtype Page: RawRepresentable where Page.RawValue == UInt8

  /// The users; `NoUser` for an application without logins.
  associatedtype User: SessionUser = NoUser

  /// Where a page is reached, and by whom.
  static func route(to page: Page) -> Route

  /// The user of that identifier, or `nil` when there is none (Microdot's `user_loader`). Called for
  /// each request that carries a valid session.
  func user(_ id: UserID) -> User?

  /// The user whose token carries that epoch, or `nil` when the token is no longer good. As long as
  /// an application does not say otherwise: when it is the user's own. An application that keeps a
  /// list of sessions (`listsSessions`) gives each one an epoch of its own, looks it up here, and
  /// notes that it is used.
  mutating func user(_ id: UserID, epoch: Int64, at clock: SystemClock) -> User?

  /// Answers a request for a page that the requester may enter.
  mutating func respond(
    to page: Page, _ request: borrowing Request<User>, _ response: consuming Response
  ) -> Answer

  /// Writes the next piece of an answer that `response.pieces` has begun.
  ///
  /// - Parameters:
  ///   - cursor: What the page has noted before; what it notes now it gets to see the next time.
  ///   - body: Where to write: at most `body.room` octets. A piece with nothing in it is possible.
  mutating func write(
    _ page: Page, _ cursor: inout Cursor, to body: inout PieceBody
  ) -> Piece.Next

  /// Takes the next piece of the content that `response.take` has asked for.
  mutating func take(
    _ octets: Span<UInt8>, for page: Page, _ cursor: inout Cursor
  ) -> Reception

  /// Answers when all of the content has been taken.
  mutating func finish(
    _ page: Page, _ cursor: Cursor, _ response: consuming Response
  ) -> Answer

  /// The visitor has gone before the last piece, of either direction.
  mutating func abandon(_ page: Page, _ cursor: Cursor)

  /// The server has stopped: the last chance to store something. For an application with sessions.
  mutating func serverStopped(at clock: SystemClock)

  /// The path of the login page, where those are sent who may not enter.
  var loginPath: StaticString { get }

  /// Whether sessions and remember cookies minted by Microdot with the same secret are accepted.
  /// They lack the epoch, so they cannot be ended before their time; the default is no.
  static var acceptsMicrodotTokens: Bool { get }

  /// The names of the session cookie and of the remember cookie. As long as an application does not
  /// say otherwise: Microdot's when it accepts Microdot's tokens, or else `martlet-PORT` and
  /// `martlet-PORT-remember`.
  static var cookieNames: CookieNames { get }

  /// Whether browsers reach the application by https alone, because TLS ends at a proxy. Cookies then
  /// have the attribute `Secure` and a name that begins with `__Host-`, and an Origin must be one of
  /// https. Without it a trusted proxy may say so for each request (X-Forwarded-Proto).
  static var usesHTTPS: Bool { get }

  /// The host names that the application answers, with blanks between; `*.example.org` stands for
  /// every name below that one. IP addresses, `localhost` and the machine's own name need not be
  /// named. Requests for other hosts are refused with 421, because another site may have had its name
  /// resolved to this machine (DNS rebinding). An application without sessions refuses only requests
  /// that change something.
  static var hosts: StaticString { get }

  /// Called when a request has been refused with 421, for a line in the log.
  ///
  /// - Parameters:
  ///   - host: What the request names.
  ///   - fields: The request's fields, for `client(peer:trusting:)`.
  func refused(host: Span<UInt8>, _ fields: FieldSection, from peer: IPAddress)

  /// Whether GET of the login page sends on who is logged in already: to where a login would lead. The
  /// form is still shown to whoever has come for a page that wants a fresher login. As long as an
  /// application does not say otherwise: yes, unless it accepts Microdot's tokens.
  static var skipsLogin: Bool { get }

  /// How long a session lasts; `nil`, as in Microdot, until something ends it. The end travels with the
  /// token, so that Microdot holds to it too, and moves on quietly while the session is used.
  static var sessionLimits: SessionLimits? { get }

  /// Whether the application keeps a list of the sessions that have not ended, and decides alone, in
  /// `user(_:epoch:at:)`, when one ends. Tokens then need no end of their own, which a board that does
  /// not know the time of day could not judge.
  static var listsSessions: Bool { get }

  /// The newest moment that the application has ever recorded on the disk, Unix seconds; 0 when it
  /// records none. A system whose clock is earlier has not been told the time yet (`SystemClock.State`).
  var newestMoment: Int64 { get }

  /// Whether there are sessions: who is logged in, and `response.session`. Without them cookies are
  /// neither read nor written, and a program is not made larger by what it does not use. As long as
  /// an application does not say otherwise: yes when it has users.
  static var hasSessions: Bool { get }

  /// Whether there are pages that take content in pieces (`Route.upload`), and pages that answer in
  /// pieces (`response.pieces`). Where there are none, a program is not made larger by what they need.
  static var hasUploads: Bool { get }
  static var answersInPieces: Bool { get }

  /// Field lines for every response, each ended by CRLF.
  static var fields: StaticString { get }
}

extension Application where Self: ~Copyable {
  public mutating func user(_ id: UserID, epoch: Int64, at clock: SystemClock) -> User? {
    guard let user = user(id), user.epoch == epoch else { return nil }
    return user
  }

  public mutating func write(
    _ page: Page, _ cursor: inout Cursor, to body: inout PieceBody
  ) -> Piece.Next { stop("an application that answers in pieces says how") }

  public mutating func take(
    _ octets: Span<UInt8>, for page: Page, _ cursor: inout Cursor
  ) -> Reception { stop("an application that takes content in pieces says how") }

  public mutating func finish(
    _ page: Page, _ cursor: Cursor, _ response: consuming Response
  ) -> Answer { stop("an application that takes content in pieces says how") }

  public mutating func abandon(_ page: Page, _ cursor: Cursor) {}
  public mutating func serverStopped(at clock: SystemClock) {}

  public var loginPath: StaticString { "/login" }
  public static var acceptsMicrodotTokens: Bool { false }
  public static var cookieNames: CookieNames {
    acceptsMicrodotTokens ? .microdot : .perPort("martlet")
  }
  public static var usesHTTPS: Bool { false }
  public static var hosts: StaticString { "" }
  public func refused(host: Span<UInt8>, _ fields: FieldSection, from peer: IPAddress) {}
  public static var skipsLogin: Bool { !acceptsMicrodotTokens }
  public static var sessionLimits: SessionLimits? { nil }
  public static var listsSessions: Bool { false }
  public var newestMoment: Int64 { 0 }
  public static var hasSessions: Bool { true }
  public static var hasUploads: Bool { false }
  public static var answersInPieces: Bool { false }

  /// Nothing is loaded from other sites and no script stands in a page, no framing by other sites, no
  /// guessing of media types, no address handed to other sites. Styles may stand in a page; a program
  /// whose pages need more says its own `Content-Security-Policy`.
  public static var fields: StaticString {
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

extension Application where Self: ~Copyable, User == NoUser {
  public func user(_ id: UserID) -> NoUser? { nil }
  public static var hasSessions: Bool { false }
}
