// A page's answer. Answering consumes the `Response`, so a page cannot answer twice. Only a `Response` makes
// an `Answer`, so a page cannot forget to answer.

import MartletBytes
public import MartletHTTP
public import MartletServer

/// Proof that a page has answered, and a summary of the answer. Consuming a `Response` makes it.
public struct Answer {
  /// What the library does after the page.
  enum Action {
    case none
    /// Redirects to the page that the visitor wanted before the login, or else to that path.
    case toNext(StaticString)
    /// Redirects to the login page, with the current target as `next`.
    case toLogin
    /// Sends an error page. The text that was written is the reason.
    case refuse
    /// Sends nothing yet; the page is asked again.
    case later
    /// Sends nothing yet; the request's content is received piece by piece.
    case receive(countMax: Int)
  }

  var status: Status
  var contentCount = 0
  var fieldsCount = 0
  var action = Action.none
  /// Whether the content or the headers did not fit.
  var overflowed = false
  /// Whether caches may give the answer to others. Such an answer carries no cookies.
  var isPublic = false
  /// Where the content is, unless it is the text that was written.
  var content = Reply.Kind.written
  /// What the page has changed in the session.
  let session: SessionChanges
  /// Milliseconds until the page is asked again at the earliest, where the page answers `later`.
  var pauseMilliseconds = 0
  /// Whether the program ends after the answer has been sent.
  var stopsProgram = false
}

/// How long a login is remembered.
public enum Remember: Equatable, Sendable {
  /// The login ends with the browser's session.
  case no
  /// The login is remembered for that many days, from 1 to 400 (`Limits.rememberDaysMax`), counted anew at
  /// each renewal.
  case days(Int)

  /// Remembers the login for 30 days if `isWanted`, as a checkbox says.
  public init(_ isWanted: Bool) { self = isWanted ? .days(30) : .no }
}

/// The value that a page answers with.
///
/// Unless the page calls `cache`, the answer is for this visitor at this moment only:
/// `Cache-Control: no-store` and `Vary: Cookie`.
public struct Response<Site: Application & ~Copyable>: ~Copyable, ~Escapable {
  private let isReadInPlace = ByAddress()

  var fields: Writer
  /// Octets of page text that belong to the answer.
  var contentCount = 0
  /// Seconds that caches may keep a success. Without a call of `cache` the value is -1. It is -2 where
  /// caches may never keep the answer, and -3 where an error page has written its header already.
  var cacheSeconds: Int32
  /// Whether the browser has come by https.
  private let isSecure: Bool
  let memory: SiteMemory
  private var stopsProgram = false
  var hasLocation = false

  /// The visitor's session, empty in an application without sessions.
  private var kept: Session

  /// Makes a response whose content is the text in `PageText`.
  @_lifetime(copy fields, copy session)
  init(
    fields: consuming Writer, session: consuming Session, _ memory: SiteMemory, isForEveryone: Bool,
    isSecure: Bool, isErrorPage: Bool = false
  ) {
    self.memory = memory
    cacheSeconds = isErrorPage ? -3 : isForEveryone ? -1 : -2
    self.isSecure = isSecure
    self.fields = fields
    kept = session
  }

  // MARK: Headers

  /// Adds a header with a literal value.
  ///
  /// A header that the library writes itself (Content-Length, Content-Type, Set-Cookie and others) is a bug.
  /// The answer then becomes a 500.
  @_lifetime(self: copy self)
  public mutating func setHeader(_ name: StaticString, _ value: StaticString) {
    setHeader(name, value.octets)
  }

  /// Adds a header with a value from anywhere. A value with a control octet other than HTAB makes the answer
  /// a 500, because CR LF in a value would begin another header.
  @_lifetime(self: copy self)
  public mutating func setHeader(_ name: StaticString, _ value: Span<UInt8>) {
    guard !ServerHeaders.contain(name.octets), fields.append(field: name, checking: value) else {
      PageText.misuse()
      return fields.overflow()
    }
  }

  /// Adds a header whose value is a number.
  @_lifetime(self: copy self)
  public mutating func setHeader(_ name: StaticString, _ number: Int) {
    var digits = InlineArray<24, UInt8>(repeating: 0)
    var writer = Writer(digits.mutableSpan)
    writer.append(decimal: number)
    let count = writer.count
    setHeader(name, digits.span.extracting(first: count))
  }

  /// Lets browsers and shared caches keep the answer for that time, and give it to anybody. The call applies
  /// to successes (2xx, 304) of a page that is for everyone. Every other answer is stored nowhere. Do not
  /// call it for what depends on the session, because the answer then carries no cookies.
  @_lifetime(self: copy self)
  public mutating func cache(forSeconds seconds: Int) {
    if cacheSeconds > -2 { cacheSeconds = Int32(clamping: max(0, seconds)) }
  }

  /// Sets Retry-After: the seconds after which a new request makes sense (RFC 9110 §10.2.3).
  @_lifetime(self: copy self)
  public mutating func setRetryAfter(seconds: Int) {
    fields.append("Retry-After: ")
    fields.append(decimal: seconds)
    fields.append("\r\n")
  }

  /// Sets Location (RFC 9110 §10.2.2): for example the path of what the page has created, with the status
  /// 201. `redirect` sends the visitor there.
  ///
  ///     response.setLocation("/items/\(id)")
  ///     return response.json(.created, "{\"id\":\(id)}")
  ///
  /// A second location is a bug: the answer becomes a 500.
  ///
  /// - Parameter location: A path of the program, or a URL.
  @_lifetime(self: copy self)
  public mutating func setLocation(_ location: Location) {
    if hasLocation { PageText.misuse() }
    hasLocation = true
    fields.append("Location: ")
    location.write(to: &fields)
    fields.append("\r\n")
    PageText.truncate(to: contentCount)
  }

  /// Notes that no cache may keep the answer.
  @_lifetime(self: copy self)
  mutating func keepFromCaches() { cacheSeconds = min(cacheSeconds, -2) }

  // MARK: Cookies

  /// Sets a cookie of the application's own, for all pages. An answer with a cookie is not kept by caches.
  ///
  /// - Parameters:
  ///   - name: The cookie's name, a literal.
  ///   - value: Octets that a cookie can have: printable ASCII without blanks, quotation marks, commas,
  ///     semicolons and backslashes (RFC 6265 §4.1.1). Another octet makes the answer a 500.
  ///   - seconds: How long the browser keeps the cookie; `nil` until the browser ends its session.
  ///   - isReadByScripts: Whether scripts of the page may read the cookie (no `HttpOnly`).
  ///   - sameSite: The requests to which the browser adds the cookie.
  @_lifetime(self: copy self)
  public mutating func setCookie(
    _ name: CookieName, _ value: Span<UInt8>, forSeconds seconds: Int? = nil,
    isReadByScripts: Bool = false, sameSite: SameSite = .lax
  ) {
    guard SetCookie.isValue(value) else {
      PageText.misuse()
      return fields.overflow()
    }
    keepFromCaches()
    fields.append("Set-Cookie: ")
    fields.append(name.octets)
    fields.append("=")
    fields.append(value)
    fields.append("; Path=")
    let start = fields.count
    fields.append(PageText.prefix)
    if fields.count == start { fields.append("/") }
    if let seconds {
      fields.append("; Max-Age=")
      fields.append(decimal: max(0, seconds))
    }
    // A browser accepts SameSite=None only together with Secure.
    if isSecure || sameSite == .none { fields.append("; Secure") }
    if !isReadByScripts { fields.append("; HttpOnly") }
    fields.append(sameSite.attribute)
  }

  /// Deletes a cookie of the application's own.
  @_lifetime(self: copy self)
  public mutating func deleteCookie(_ name: CookieName) {
    let nothing: StaticString = ""
    setCookie(name, nothing.octets, forSeconds: 0)
  }

  // MARK: Content

  /// Answers with an HTML page.
  public consuming func html(_ page: HTML) -> Answer { html(.ok, page) }

  /// Answers with an HTML page and a status.
  public consuming func html(_ status: Status, _ page: HTML) -> Answer {
    fields.append("Content-Type: text/html; charset=utf-8\r\n")
    write(page)
    return answer(status, .none)
  }

  /// Begins a page that is written in several parts.
  ///
  /// - Parameters:
  ///   - status: The status of the answer.
  ///   - mediaType: The media type of the page. In every type, values in an `HTML` text are escaped as in
  ///     HTML. `write(json:)` and `write(plain:)` are for other types, and `write(octets:)` escapes nothing.
  @_lifetime(copy self)
  public consuming func body(
    _ status: Status = .ok, mediaType: StaticString = "text/html; charset=utf-8"
  ) -> Body<Site> {
    setMediaType(mediaType)
    if !mediaType.octets.hasPrefix("text/html") { PageText.setPlain() }
    return Body(self, status)
  }

  /// Answers without content (204).
  public consuming func noContent() -> Answer { answer(.noContent, .none) }

  /// Answers with octets that are part of the program, of any number. The octets are sent from where they
  /// lie, without a copy.
  ///
  /// - Parameters:
  ///   - mediaType: For example `text/css; charset=utf-8`.
  ///   - octets: A literal, which lies in the program's file.
  public consuming func asset(_ mediaType: StaticString, _ octets: StaticString) -> Answer {
    setMediaType(mediaType)
    return answer(.ok, .none, .data(ConstantOctets(octets)))
  }

  @_lifetime(self: copy self)
  mutating func setMediaType(_ mediaType: StaticString) {
    fields.append(field: "Content-Type", value: mediaType)
  }

  // MARK: Redirection and refusal

  /// Redirects the visitor to a path of the program or to a URL. Before a path, the path under which browsers
  /// see the program is written.
  ///
  ///     return response.redirect("/items/\(id)")
  ///
  /// - Parameters:
  ///   - location: A path, or a URL.
  ///   - status: 302; use `.seeOther` after a form, so that the browser continues with GET.
  public consuming func redirect(_ location: Location, _ status: Status = .found) -> Answer {
    setLocation(location)
    return answer(status, .none)
  }

  /// Answers with an error page that says the reason.
  ///
  ///     return response.refuse(.notFound, "There is no item \(id).")
  ///
  /// - Parameters:
  ///   - status: A status of an error, 400 or above.
  ///   - reason: HTML, as in `html(_:)`; values are escaped. At most `Limits.reasonSizeMax` octets; a longer
  ///     reason is omitted.
  public consuming func refuse(_ status: Status, _ reason: HTML) -> Answer {
    write(reason)
    return answer(status, .refuse)
  }

  /// Answers with an error page that says the reason, and with Retry-After.
  public consuming func refuse(
    _ status: Status, _ reason: HTML, retryAfter seconds: Int
  ) -> Answer {
    setRetryAfter(seconds: seconds)
    return refuse(status, reason)
  }

  // MARK: The program

  /// Ends the program after the answer has been sent, as SIGTERM does: responses that are being sent are
  /// finished. With a service manager that restarts the program (`Restart=always`), the call is a restart.
  @_lifetime(self: copy self)
  public mutating func stopProgram() { stopsProgram = true }

  // MARK: Answering

  @_lifetime(self: copy self)
  fileprivate mutating func write(_ text: HTML) {
    invariant(
      text.range.lowerBound == contentCount && text.range.upperBound == PageText.count,
      "page text is written where it is made")
    contentCount = text.range.upperBound
  }

  @_lifetime(self: copy self)
  fileprivate mutating func write(octets: Span<UInt8>) {
    invariant(PageText.count == contentCount, "page text is written where it is made")
    PageText.append(octets)
    contentCount = PageText.count
  }

  consuming func answer(
    _ status: Status, _ action: Answer.Action, _ content: Reply.Kind = .written
  ) -> Answer {
    let isPublic = cacheSeconds >= 0 && status.isSuccess
    if isPublic {
      fields.append("Cache-Control: public, max-age=")
      fields.append(decimal: cacheSeconds)
      fields.append("\r\n")
    } else if cacheSeconds > -3 {
      fields.append("Cache-Control: no-store\r\nVary: Cookie\r\n")
    }
    return finished(status, action, content, isPublic: isPublic)
  }

  /// The answer, after all headers have been written.
  consuming func finished(
    _ status: Status, _ action: Answer.Action, _ content: Reply.Kind, isPublic: Bool
  ) -> Answer {
    Answer(
      status: status, contentCount: contentCount, fieldsCount: fields.count, action: action,
      overflowed: PageText.overflowed || fields.overflowed, isPublic: isPublic,
      content: content, session: kept.outcome, stopsProgram: stopsProgram)
  }
}

// MARK: Later turns

extension Response where Site: DeferringApplication & ~Copyable {
  /// Answers in a later turn: the page is asked again with the unchanged request. Changes to the session in
  /// this turn are dropped.
  ///
  /// The page is asked again when the work that it has begun is done (`checkPassword`, `verify`, `hash`). A
  /// page without such work is asked in one of the next turns. So a page can do long work of its own in steps
  /// of some 0.1 ms. The page keeps the state of its work under `request.connection`. All such work together
  /// gets 2 ms of a turn.
  ///
  /// At most `Limits.workCountMax` requests are worked on at a time, and `Limits.workQueueCountMax` more
  /// wait. Beyond these, or after too long a time, the visitor gets a 503 with Retry-After. A visitor who
  /// closes the connection ends the work.
  public consuming func later() -> Answer { answer(.ok, .later) }

  /// Answers in a later turn, as `later()` does, but after that many milliseconds at the earliest. This is
  /// for a page that waits for something outside of the program. The loop sleeps meanwhile.
  public consuming func later(inMilliseconds milliseconds: Int) -> Answer {
    var answer = later()
    answer.pauseMilliseconds = milliseconds
    return answer
  }
}

// MARK: Logins

extension Response where Site: SessionApplication & ~Copyable {
  /// The visitor's session, with the application's own members by name.
  public var session: Session {
    @_lifetime(borrow self)
    _read { yield kept }
    @_lifetime(&self)
    _modify { yield &kept }
  }

  /// Logs a user in with a fresh login, and redirects to the page that the visitor wanted. That page is the
  /// `next` of the login page's query when it is a path of this site, or else `path`.
  ///
  /// - Parameters:
  ///   - user: The user who has entered the password.
  ///   - remember: Whether and how long a cookie restores the login after the browser's session. A restored
  ///     login is not fresh. Days outside of 1...400 become the nearest bound.
  ///   - path: The target without a `next`.
  public consuming func login(
    _ user: borrowing some SessionUser, remember: Remember = .no, to path: StaticString = "/"
  ) -> Answer {
    session.logIn(user.id, epoch: user.epoch, isFresh: true)
    if case .days(let days) = remember {
      session.setRemember(.set(days: UInt16(min(max(days, 1), Limits.rememberDaysMax))))
    }
    return answer(.found, .toNext(path))
  }

  /// Keeps the visitor logged in, with a fresh login, after the user's epoch was increased.
  @_lifetime(self: copy self)
  public mutating func renewLogin(_ user: borrowing some SessionUser) {
    session.logIn(user.id, epoch: user.epoch, isFresh: true)
  }

  /// Redirects the visitor to the login page, and keeps the `next` of the query.
  public consuming func redirectToLogin() -> Answer { answer(.found, .toLogin) }

  /// Logs the visitor out, deletes the remember cookie, and redirects to `path`. All members of the session
  /// are removed, those of the program as well.
  public consuming func logout(to path: Location) -> Answer {
    session.logOut()
    session.setRemember(.clear)
    return redirect(path)
  }
}

// MARK: Long content and long answers

extension Response where Site: UploadApplication & ~Copyable {
  /// Receives the request's content piece by piece (`UploadApplication`), for a page whose route is an
  /// `upload`. On another page, and in `finish`, the call is a bug and stops the program. Changes to the
  /// session in this call are dropped; changes in `finish` count.
  ///
  /// - Parameters:
  ///   - countMax: The largest content in octets. A request with more is refused with 413. Where the request
  ///     states its length, it is refused at once.
  ///   - state: The state that `receive` gets with the first piece.
  public consuming func receive(atMost countMax: Int, into state: Site.UploadState) -> Answer {
    var answer = answer(.ok, .receive(countMax: countMax))
    // The state is kept, whatever the page has written before, so that `abandon` gets the state.
    PageText.restart()
    answer.contentCount = PageText.write(state)
    return answer
  }
}

extension Response where Site: StreamingApplication & ~Copyable {
  /// Answers piece by piece, for an answer that is longer than a buffer or has no end yet. `write` of the
  /// application is asked for the next piece whenever the client has room for more. A slow reader costs
  /// nothing else.
  ///
  /// - Parameters:
  ///   - mediaType: For example `text/event-stream`.
  ///   - state: The state that `write` gets first.
  public consuming func stream(
    _ mediaType: StaticString, from state: StreamState = StreamState()
  ) -> Answer {
    setMediaType(mediaType)
    return answer(.ok, .none, .stream(state))
  }

  /// Wakes the streams of a page: each stream writes its next piece at once.
  @_lifetime(self: copy self)
  public mutating func wake(_ page: Site.Page) {
    memory.wake(page: page.rawValue)
  }

  /// Ends the streams of a user, whose login the page has ended or changed: the user is deleted, or has lost a
  /// role. A browser that reads events asks again, and is checked anew.
  ///
  /// Where the visitor logs out, or logs in anew (`renewLogin`), the library ends the visitor's streams without
  /// this call.
  @_lifetime(self: copy self)
  public mutating func endStreams(of user: UserID) { memory.endStreams(login: user.streamLogin) }
}

/// Headers that the library writes itself.
private enum ServerHeaders {
  private static var names: StaticString {
    """
    Content-Length
    Content-Type
    Transfer-Encoding
    Connection
    Keep-Alive
    Date
    Location
    Set-Cookie
    Cache-Control
    Retry-After
    """
  }

  static func contain(_ name: Span<UInt8>) -> Bool {
    var number = 0
    while true {
      let own = names.line(number)
      if own.isEmpty { return false }
      if own.equalsIgnoringCase(name) { return true }
      number += 1
    }
  }
}

/// The requests of other sites to which a browser adds a cookie (RFC 6265bis §4.1.2.7).
public enum SameSite: Sendable {
  /// No requests of other sites.
  case strict
  /// Links of other sites that a person follows.
  case lax
  /// All requests of other sites, by https only.
  case none

  fileprivate var attribute: StaticString {
    switch self {
    case .strict: "; SameSite=Strict\r\n"
    case .lax: "; SameSite=Lax\r\n"
    case .none: "; SameSite=None\r\n"
    }
  }
}

/// A page that is being written.
///
///     var body = response.body()
///     body.write("<h1>\(title)</h1>")
///     return body.end()
public struct Body<Site: Application & ~Copyable>: PageWriter, ~Copyable, ~Escapable {
  private var response: Response<Site>
  private let status: Status

  @_lifetime(copy response)
  fileprivate init(_ response: consuming Response<Site>, _ status: Status) {
    self.response = response
    self.status = status
  }

  /// Octets that still fit. Text that does not fit makes the response a 500.
  public var room: Int { PageText.room }

  /// Adds HTML to the page; values are escaped.
  // A page in parts has many calls, and all of them check what this one function checks.
  @inline(never)
  @_lifetime(self: copy self)
  public mutating func write(_ text: HTML) { response.write(text) }

  /// Adds JSON to an answer whose media type is JSON; values are encoded.
  @_lifetime(self: copy self)
  public mutating func write(json piece: JSONText) { write(HTML(range: piece.range)) }

  /// Adds plain text to an answer whose media type is plain text.
  @_lifetime(self: copy self)
  public mutating func write(plain piece: Plain) { write(HTML(range: piece.range)) }

  /// Adds octets as they are, for other media types.
  @_lifetime(self: copy self)
  public mutating func write(octets: Span<UInt8>) { response.write(octets: octets) }

  /// Answers with the page.
  public consuming func end() -> Answer { response.answer(status, .none) }
}

extension Body where Site: StreamingApplication & ~Copyable {
  /// Answers with what was written, and then piece by piece, for a page that may be longer than a buffer. The first
  /// piece can use the request; those that follow are written by `write` of the application.
  ///
  ///     var body = response.body()
  ///     body.write("<!doctype html><title>Log</title><h1>Log of \(name)</h1>")
  ///     return body.stream()
  ///
  /// - Parameter state: The state that `write` gets first.
  public consuming func stream(from state: StreamState = StreamState()) -> Answer {
    if room < Limits.chunkEndSize { response.fields.overflow() }
    return response.answer(status, .none, .stream(state))
  }
}

/// A target of page text: a whole page (`Body`), or a piece of a long answer (`StreamBody`). A function with
/// a parameter `inout some PageWriter` writes its layout to both.
public protocol PageWriter: ~Copyable, ~Escapable {
  /// Octets that still fit.
  var room: Int { get }

  /// Adds HTML to the page; values are escaped.
  @_lifetime(self: copy self)
  mutating func write(_ text: HTML)

  /// Adds JSON to an answer whose media type is JSON; values are encoded.
  @_lifetime(self: copy self)
  mutating func write(json piece: JSONText)

  /// Adds plain text to an answer whose media type is plain text.
  @_lifetime(self: copy self)
  mutating func write(plain piece: Plain)

  /// Adds octets as they are, for other media types.
  @_lifetime(self: copy self)
  mutating func write(octets: Span<UInt8>)
}
