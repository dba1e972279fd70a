// What an application can do beyond answering pages: each capability is a protocol. A requirement has no
// default where the capability makes no sense without it, so that half a capability does not compile.
//
// The library asks through the requirements of `Application` whose names begin with an underscore. Each of
// these has an answer for applications without the capability, and another for applications with it. The
// compiler knows which answer counts, and removes code that cannot run.

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

// MARK: Later turns

/// An application with pages that answer in a later turn of the loop.
///
/// Such a page waits for the end of a password's verification, has long work of its own, or rests
/// (`response.later`). An application with sessions or credentials is a `DeferringApplication` too.
public protocol DeferringApplication: Application, ~Copyable {}

// MARK: TLS

/// An application that is served over TLS (https). The program serves it with `TLSOptions`; `serve` without them does
/// not compile for such an application. Cookies then have the attribute `Secure` and a name that begins with
/// `__Host-` where a browser has come by https.
///
///     struct Site: SessionApplication, TLSApplication { … }
///
///     serve(Site(), options, tls)
///
/// TLS adds some 100 KB to a program. An application that does not conform has nothing of it.
public protocol TLSApplication: Application, ~Copyable {}

// MARK: Sessions

/// An application with sessions and logins. Only such an application has `response.session`, `response.login`
/// and `response.logout`.
///
///     struct Site: SessionApplication {
///       func user(_ id: UserID) -> Person? { … }
public protocol SessionApplication: DeferringApplication, ~Copyable {
  /// The type of the users.
  associatedtype User

  /// The user of that identifier, or `nil` when there is no such user (Microdot's `user_loader`). Called for
  /// each request with a valid session.
  func user(_ id: UserID) -> User?

  /// The user whose token carries that epoch, or `nil` when the token is no longer valid. By default a token
  /// is valid when its epoch is the user's own.
  ///
  /// An application that keeps a list of sessions (`listsSessions`) gives each session its own epoch. It
  /// looks the epoch up here, and notes that the session is used.
  mutating func user(_ id: UserID, epoch: Int64, at clock: SystemClock) -> User?

  /// Called when the server has stopped: the last chance to store something.
  mutating func serverStopped(at clock: SystemClock)

  /// The path of the login page. Visitors who may not enter a page are redirected there.
  var loginPath: StaticString { get }

  /// Whether sessions and remember cookies are accepted that Microdot minted with the same secret. They have
  /// no epoch, so they cannot be ended early. The default is no.
  static var acceptsMicrodotTokens: Bool { get }

  /// The names of the session cookie and of the remember cookie. By default the names are Microdot's where
  /// Microdot's tokens are accepted, or else `martlet-PORT` and `martlet-PORT-remember`.
  static var cookieNames: CookieNames { get }

  /// Whether GET of the login page redirects a visitor who is logged in, to the page that a login would lead
  /// to. A visitor who needs a fresher login still gets the form. The default is yes, unless Microdot's
  /// tokens are accepted.
  static var skipsLogin: Bool { get }

  /// How long a session lasts. With `nil`, as in Microdot, a session lasts until something ends it. The token
  /// carries the end, so that Microdot obeys the end as well. The end moves while the session is used.
  static var sessionLimits: SessionLimits? { get }

  /// Whether the application keeps a list of the sessions that have not ended. Then `user(_:epoch:at:)` alone
  /// decides when a session ends. Tokens then carry no end, because a board that does not know the time of
  /// day could not check it.
  static var listsSessions: Bool { get }

  /// The newest moment that the application has recorded on the disk, in Unix seconds; 0 when it records
  /// none. A system clock before that moment has not been set yet (`SystemClock.State`).
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
  /// The answer for sessions without users: no user.
  public func user(_ id: UserID) -> NoUser? { nil }
}

// MARK: Credentials

/// An application that programs and browsers may enter with an Authorization header: Basic (RFC 7617) or
/// Bearer (RFC 6750). In an application with sessions, the header counts more than a cookie.
public protocol CredentialsApplication: DeferringApplication, ~Copyable {
  /// The type of the users.
  associatedtype User

  /// The scheme and the realm that are sent to a visitor who may not enter. In an application with sessions,
  /// a browser is redirected to the login page instead.
  static var challenge: Challenge { get }

  /// Whether passwords are accepted (Basic), and not only tokens. The default is yes. Without passwords, a
  /// header that is no `Bearer` and a token is ignored, whatever is in it, and the code for Basic is not linked.
  static var acceptsPasswords: Bool { get }

  /// The user to whom the credentials belong.
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

extension CredentialsApplication where Self: ~Copyable {
  public static var acceptsPasswords: Bool { true }
}

// MARK: Forms in parts

/// An application whose forms may come as multipart/form-data (RFC 7578) as well. `curl -F` sends such a form,
/// and so does a form with `enctype="multipart/form-data"`. A conformance needs no member.
///
/// Each route that takes `.form` takes both types then, up to `Limits.requestContentSizeMax` octets. The
/// fields are read with `request.form` in either case. Of a file, `request.form` has the content and not the
/// name; `request.content` has the fields as application/x-www-form-urlencoded. For longer files, and for
/// their names, use an upload (`Request.multipart()`).
public protocol FormDataApplication: Application, ~Copyable {}

// MARK: Other origins

/// An application with pages that scripts of other origins may use (Fetch standard §3.2, CORS), or that forms of
/// other sites may be sent to.
///
///     static func sharing(of page: Page) -> Sharing {
///       switch page {
///       case .weather: .anyOrigin()
///       case .items: .origins("https://shop.example", methods: .getAndPost, headers: "Content-Type")
///       case .paid: .exemptFromOriginCheck
///       case .index: .none
///       }
///     }
public protocol CrossOriginApplication: Application, ~Copyable {
  /// What other origins may do with a page. The rule of a page that mounts a part counts for the whole part.
  ///
  /// The rules are checked when the program starts.
  static func sharing(of page: Page) -> Sharing
}

// MARK: Form tokens

/// An application with pages that ask for a form token. A form token is a random value that only this site's
/// pages know, and only in the visitor's session.
///
/// `response.formToken()` gives the token, and `\(token)` writes it into a form. The browser sends the token
/// back in the form's field `form-token`, or a script sends it in the header `X-CSRF-Token`. The token is kept in
/// the session, and ends with it. A login begins a new token.
///
/// The check comes in addition to the check of the origin, which each request passes that changes something.
public protocol FormTokenApplication: SessionApplication, ~Copyable {
  /// Whether requests for the page need the token. Methods that change nothing never do. For a page that mounts a
  /// part, the answer counts for the whole part. An upload needs the token in the header.
  static func needsFormToken(_ page: Page) -> Bool
}

// MARK: Security headers of one page

/// An application with pages whose security headers differ from `headers`. Such a page has a script in the page
/// or pictures of other sites, or another page may frame it.
public protocol PagePolicyApplication: Application, ~Copyable {
  /// The security headers of a page, also of its refusals; `.standard` for those of `headers`. For a page that
  /// mounts a part, the headers count for the whole part.
  static func policy(of page: Page) -> PagePolicy
}

// MARK: Long content

/// An application with pages that receive content of any length, piece by piece (`Route.upload`,
/// `response.receive`). At most one piece of an upload is in memory.
///
/// Each upload has a state of the application's own type, of at most `Limits.uploadStateSizeMax` octets. The
/// server lends the memory of the state while the upload lasts. The page answers `receive(atMost:into:)` with
/// the first state. Then `receive` gets each piece, and `finish` answers. An upload that ends in another way
/// calls `abandon`. So for each `receive(atMost:into:)` either `finish` answers once, or `abandon` is called
/// once.
public protocol UploadApplication: Application, ~Copyable {
  /// The type of the state that an upload keeps from one piece to the next.
  associatedtype UploadState

  /// Handles the next piece.
  mutating func receive(
    _ octets: Span<UInt8>, for page: Page, _ request: borrowing Request<Self>, _ state: inout UploadState
  ) -> UploadStep

  /// Answers when the whole content has been received. The request's user is checked again. For a visitor
  /// whose session has ended meanwhile, `abandon` is called instead.
  ///
  /// In a `DeferringApplication` the page may answer `later`. Then `finish` is called again with the
  /// unchanged state, or `abandon` where the client does not wait.
  mutating func finish(
    _ page: Page, _ request: borrowing Request<Self>, _ state: UploadState,
    _ response: consuming Response<Self>
  ) -> Answer

  /// Called when the upload has ended before its last piece. Reasons are a client that is gone, too slow or
  /// sends too much, a refused upload, and a server that stops. The request's user is not known here.
  mutating func abandon(_ page: Page, _ request: borrowing Request<Self>, _ state: UploadState)
}

// MARK: Files

/// An application with pages that answer with files (`response.file`): with one file, or with the files of a
/// folder (`StaticFolder`).
public protocol FileApplication: Application, ~Copyable {}

// MARK: Long answers

/// An application with pages that answer piece by piece (`response.stream`), because the answer is longer
/// than a buffer or has no end yet.
public protocol StreamingApplication: Application, ~Copyable {
  /// Writes the next piece of an answer that `response.stream` has begun.
  ///
  /// - Parameters:
  ///   - page: The page that has begun the answer.
  ///   - state: The state of the stream. A change is kept for the next piece.
  ///   - body: The place to write at most `body.room` octets to. A piece may be empty.
  mutating func write(_ page: Page, _ state: inout StreamState, to body: inout StreamBody) -> StreamStep

  /// Called when the stream has ended before its last piece, because the client is gone or the server stops.
  mutating func streamEnded(_ page: Page, _ state: StreamState)
}

extension StreamingApplication where Self: ~Copyable {
  public mutating func streamEnded(_ page: Page, _ state: StreamState) {}
}

// MARK: Commands

/// An application with pages that start programs of the board, and show their output (`response.output`). Beside
/// `write` of a `StreamingApplication` a conformance needs no member.
///
///     case .diagnose: return response.output(of: Command(["/bin/df", "-h"]))
///
/// A page that changes something must take POST, as always: other sites can make a browser send GET.
public protocol CommandApplication: StreamingApplication, ~Copyable {}

// MARK: Timers

/// An application that is called at regular times, whether or not anybody visits: to sample a sensor, or to
/// store what has changed.
public protocol TimedApplication: Application, ~Copyable {
  /// The time between two calls, from 10 ms to 24 days.
  static var period: Duration { get }

  /// Called when a period is over. Connections wait during the call, so it may need some milliseconds at
  /// most. Missed periods are skipped.
  mutating func tick(_ tick: inout Tick)
}

/// One call of a `TimedApplication`.
public struct Tick: ~Copyable {
  /// Seconds since 1970 UTC, by the system's clock.
  public let time: Int64
  /// Milliseconds of a clock that never goes back.
  public let monotonicMilliseconds: Int64
  let memory: SiteMemory

  init(_ moment: Moment, _ memory: SiteMemory = SiteMemory()) {
    self.memory = memory
    time = moment.unixSeconds
    monotonicMilliseconds = moment.monotonicMilliseconds
  }

  /// Wakes the streams of a page: each stream writes its next piece at once.
  public mutating func wake<Page: RawRepresentable>(_ page: Page) where Page.RawValue == UInt8 {
    memory.wake(page: page.rawValue)
  }
}

// MARK: Around each page

/// An application with calls before and after each page.
public protocol HookedApplication: Application, ~Copyable {
  /// Called before a page that the visitor may enter. Headers that are set on the response stay.
  ///
  /// The call comes each time that the page is asked: again after an answer `later`, and for an upload before
  /// `receive(atMost:into:)` and before `finish`.
  mutating func before(
    _ page: Page, _ request: borrowing Request<Self>, _ response: inout Response<Self>
  ) -> Verdict

  /// Called when a request has been answered, also with an error page.
  ///
  /// - Parameters:
  ///   - page: `nil` where no page has the path or the method.
  ///   - request: The request.
  ///   - status: The status of the answer.
  mutating func after(_ page: Page?, _ request: borrowing Request<Self>, _ status: Status)
}

extension HookedApplication where Self: ~Copyable {
  public mutating func before(
    _ page: Page, _ request: borrowing Request<Self>, _ response: inout Response<Self>
  ) -> Verdict { .proceed }

  public mutating func after(_ page: Page?, _ request: borrowing Request<Self>, _ status: Status) {}
}

/// The decision of `HookedApplication.before`.
public enum Verdict: Sendable {
  /// The page answers.
  case proceed
  /// An error page answers, with that status and that reason.
  case refuse(Status, StaticString)
  /// The visitor is redirected to that path of the program.
  case redirect(StaticString)
}

/// An application that writes its own error pages. A program that asks for JSON gets problem details
/// (RFC 9457) instead. Requests that the server refuses before their page is known get the library's page. These
/// are requests whose head, or whose form, is malformed, too large or too slow.
public protocol ErrorPageApplication: Application, ~Copyable {
  /// Writes the page of an error, for example with `response.html(error.status, …)`. The response has no
  /// session, and the request has no user, because an error may come before both are known.
  mutating func errorPage(
    _ error: borrowing ErrorPage, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer
}

/// An error that an error page describes.
public struct ErrorPage: ~Escapable {
  public let status: Status
  /// The reason, for a person: HTML without tags. `\(error.reason)` writes the reason into a page.
  public let reason: EscapedText

  @_lifetime(copy reason)
  init(_ status: Status, _ reason: EscapedText) {
    self.status = status
    self.reason = reason
  }
}

// MARK: Log lines

/// An application that logs to standard error, one line for each event. Each answer with a status of 500 or
/// above is logged with its reason. Where `logsRequests` is true, each answered request is logged as well.
public protocol LoggingApplication: Application, ~Copyable {
  /// Whether each request is logged. The default is no.
  static var logsRequests: Bool { get }
}

extension LoggingApplication where Self: ~Copyable {
  public static var logsRequests: Bool { false }
}
