// What an application can do beyond answering pages: a protocol each. A protocol's requirements have no
// default where the capability is nothing without them, so that no half of it is forgotten.
//
// The library asks through the requirements of `Application` whose names begin with an underscore. Each has
// an answer for applications without the capability, and one for those with it; the compiler knows which
// counts, and leaves out what cannot happen.

import MartletBytes
public import MartletHTTP
public import MartletServer

// MARK: Parts

/// An application with parts that are mounted below a path (`Part`, `Route.mount`).
///
///     static func route(number: UInt8, of mount: Page) -> Route? {
///       switch mount {
///       case .shop: Shop.route(number: number)
///       default: nil
///       }
///     }
public protocol MountingApplication: Application, ~Copyable {
  /// The route of a part's page; `nil` after the part's last page, and for a page that mounts nothing.
  static func route(number: UInt8, of mount: Page) -> Route?
}

// MARK: Sessions

/// An application with sessions and logins. `response.session`, `response.login` and `response.logout` are
/// there for these.
///
///     struct Site: SessionApplication {
///       func user(_ id: UserID) -> Person? { … }
public protocol SessionApplication: Application, ~Copyable {
  /// The users.
  associatedtype User

  /// The user of that identifier, or `nil` when there is none (Microdot's `user_loader`). Called for
  /// each request that carries a valid session.
  func user(_ id: UserID) -> User?

  /// The user whose token carries that epoch, or `nil` when the token is no longer good. As long as
  /// an application does not say otherwise: when it is the user's own. An application that keeps a
  /// list of sessions (`listsSessions`) gives each session an epoch of its own, looks the epoch up here, and
  /// notes that the session is used.
  mutating func user(_ id: UserID, epoch: Int64, at clock: SystemClock) -> User?

  /// The server has stopped: the last chance to store something.
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
}

extension SessionApplication where Self: ~Copyable {
  public mutating func user(_ id: UserID, epoch: Int64, at clock: SystemClock) -> User? {
    guard let user = user(id), user.epoch == epoch else { return nil }
    return user
  }

  public mutating func serverStopped(at clock: SystemClock) {}
  public var loginPath: StaticString { "/login" }
  public static var acceptsMicrodotTokens: Bool { false }
  public static var cookieNames: CookieNames {
    acceptsMicrodotTokens ? .microdot : .perPort("martlet")
  }
  public static var skipsLogin: Bool { !acceptsMicrodotTokens }
  public static var sessionLimits: SessionLimits? { nil }
  public static var listsSessions: Bool { false }
  public var newestMoment: Int64 { 0 }
}

extension SessionApplication where Self: ~Copyable, User == NoUser {
  /// Sessions without users.
  public func user(_ id: UserID) -> NoUser? { nil }
}

// MARK: Credentials

/// An application that programs and browsers may enter with an Authorization header: Basic (RFC 7617) or
/// Bearer (RFC 6750). Beside sessions, the header counts more than a cookie.
public protocol CredentialsApplication: Application, ~Copyable {
  /// The users.
  associatedtype User

  /// What is asked of a visitor who may not enter: the scheme and the realm. Where the application has
  /// sessions too, a browser is sent to the login page instead.
  static var challenge: Challenge { get }

  /// The user whose credentials those are.
  ///
  ///     mutating func user(
  ///       for credentials: borrowing Credentials, _ request: borrowing Request<Self>
  ///     ) -> CredentialsCheck<Person> {
  ///       let person = person(named: credentials.name)
  ///       return credentials.check(
  ///         for: person, against: person?.hash ?? .decoy(iterations: 10_000), from: request.client(),
  ///         &throttle)
  ///     }
  mutating func user(
    for credentials: borrowing Credentials, _ request: borrowing Request<Self>
  ) -> CredentialsCheck<User>
}

// MARK: Long content

/// An application with pages that receive content of any length, piece by piece (`Route.upload`,
/// `response.receive`). At most one piece of an upload is in memory.
///
/// Each upload has a state of the application's own type, at most `Limits.uploadStateSizeMax` octets, in
/// memory that is lent as long as the upload lasts. The page answers `receive(atMost:into:)` with the first
/// state; then `receive` gets each piece; then `finish` answers. Whatever else ends an upload calls `abandon`.
public protocol UploadApplication: Application, ~Copyable {
  /// What is kept of an upload from one piece to the next.
  associatedtype UploadState

  /// Handles the next piece.
  mutating func receive(
    _ octets: Span<UInt8>, for page: Page, _ request: borrowing Request<Self>, _ state: inout UploadState
  ) -> UploadStep

  /// Answers when all of the content has been received. The request's user is judged anew: a visitor whose
  /// session has ended meanwhile does not get here, and `abandon` is called.
  mutating func finish(
    _ page: Page, _ request: borrowing Request<Self>, _ state: UploadState,
    _ response: consuming Response<Self>
  ) -> Answer

  /// The upload has ended before its last piece: the client has gone, was too slow or sent too much, the
  /// upload was refused, or the server stops. The request's user is not known here.
  mutating func abandon(_ page: Page, _ request: borrowing Request<Self>, _ state: UploadState)
}

// MARK: Long answers

/// An application with pages that answer piece by piece (`response.stream`): with what is longer than a
/// buffer, or has no end yet.
public protocol StreamingApplication: Application, ~Copyable {
  /// Writes the next piece of an answer that `response.stream` has begun.
  ///
  /// - Parameters:
  ///   - page: The page that has begun the answer.
  ///   - state: What the page has noted before; what it notes now it gets to see the next time.
  ///   - body: Where to write: at most `body.room` octets. A piece with nothing in it is possible.
  mutating func write(_ page: Page, _ state: inout StreamState, to body: inout StreamBody) -> StreamStep

  /// The stream has ended before its last piece: the client has gone, or the server stops.
  mutating func streamEnded(_ page: Page, _ state: StreamState)
}

extension StreamingApplication where Self: ~Copyable {
  public mutating func streamEnded(_ page: Page, _ state: StreamState) {}
}

// MARK: Timers

/// An application that is asked every so often, whether or not anybody visits: to sample a sensor, or to
/// store what has changed.
public protocol TimedApplication: Application, ~Copyable {
  /// How often, from 10 ms to 24 days.
  static var period: Duration { get }

  /// A period is over. Connections wait meanwhile, so this takes some milliseconds at most. Periods that
  /// were missed are not made up for.
  mutating func tick(_ tick: inout Tick)
}

/// A period of a `TimedApplication`.
public struct Tick: ~Copyable {
  /// Seconds since 1970 UTC, as the system believes.
  public let time: Int64
  /// Milliseconds of a clock that never goes back.
  public let monotonicMilliseconds: Int64
  var woken = StreamSet()

  init(_ moment: Moment) {
    time = moment.unixSeconds
    monotonicMilliseconds = moment.monotonicMilliseconds
  }

  /// Wakes the streams of a page: each writes its next piece at once.
  public mutating func wake<Page: RawRepresentable>(_ page: Page) where Page.RawValue == UInt8 {
    woken.insert(page.rawValue)
  }
}

// MARK: Around each page

/// An application with calls before and after each page.
public protocol HookedApplication: Application, ~Copyable {
  /// A page is about to be asked, which the visitor may enter. Headers that are set on the response stay.
  mutating func before(
    _ page: Page, _ request: borrowing Request<Self>, _ response: inout Response<Self>
  ) -> Verdict

  /// A request has been answered, with an error page too.
  ///
  /// - Parameters:
  ///   - page: `nil` where no page has the path or the method.
  ///   - request: The request.
  ///   - status: What has been answered.
  mutating func after(_ page: Page?, _ request: borrowing Request<Self>, _ status: Status)
}

extension HookedApplication where Self: ~Copyable {
  public mutating func before(
    _ page: Page, _ request: borrowing Request<Self>, _ response: inout Response<Self>
  ) -> Verdict { .proceed }

  public mutating func after(_ page: Page?, _ request: borrowing Request<Self>, _ status: Status) {}
}

/// What `HookedApplication.before` decides.
public enum Verdict: Sendable {
  /// The page answers.
  case proceed
  /// An error page answers, with that reason.
  case refuse(Status, StaticString)
  /// The visitor is sent to a path of the program.
  case redirect(StaticString)
}

/// An application that writes its own error pages. A program that asks for JSON gets problem details
/// (RFC 9457) instead. Requests that the server refuses before their head is parsed get the library's page.
public protocol ErrorPageApplication: Application, ~Copyable {
  /// Writes the page of an error: `response.html(error.status, …)`.
  mutating func errorPage(
    _ error: borrowing ErrorPage, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer
}

/// An error that a page says something about.
public struct ErrorPage: ~Escapable {
  public let status: Status
  /// Why, for a person: HTML without tags. `\(error.reason)` puts the reason into a page.
  public let reason: EscapedText

  @_lifetime(copy reason)
  init(_ status: Status, _ reason: EscapedText) {
    self.status = status
    self.reason = reason
  }
}

// MARK: Log lines

/// An application that says on standard error, in one line each, why it has answered with a status of 500 or
/// above; and each request that it has answered where `logsRequests` says so.
public protocol LoggingApplication: Application, ~Copyable {
  /// Whether each request is logged. As long as an application does not say otherwise: no.
  static var logsRequests: Bool { get }
}

extension LoggingApplication where Self: ~Copyable {
  public static var logsRequests: Bool { false }
}
