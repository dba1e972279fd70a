// A page's answer. `Response` is used up by the answer, so none is given twice; `Answer` cannot be
// made otherwise, so none is forgotten.

import MartletBytes
public import MartletHTTP
public import MartletServer

/// Proof that a page has answered, and what; made by consuming a `Response`.
public struct Answer {
  /// What the library adds to the answer.
  enum Action {
    case none
    /// To where the visitor was going before the login, or else to that path.
    case toNext(StaticString)
    /// To the login page, which remembers where the visitor was going.
    case toLogin
    /// An error page with that reason.
    case refuse(StaticString)
    /// Nothing yet.
    case later
    /// Nothing yet; the request's content is to be taken in pieces.
    case take(Cursor, countMax: Int)
  }

  var status: Status
  var contentCount = 0
  var fieldsCount = 0
  var action = Action.none
  /// Whether the content or the fields did not fit.
  var overflowed = false
  /// Whether caches may hand it to others: then it carries no cookies.
  var isPublic = false
  /// Where the content is, if not in what has been written.
  var content = Reply.Kind.written
  /// What has become of the session.
  var session = SessionChanges()
  /// Milliseconds until the page is asked again at the earliest, where there is no answer yet.
  var pauseMilliseconds = 0
}

/// How long a login is remembered.
public enum Remember: Equatable, Sendable {
  /// Until the browser ends its session.
  case no
  /// That many days, from 1 to 400 (`Limits.rememberDaysMax`), counted anew at each renewal.
  case days(Int)

  /// 30 days, or not at all: a checkbox.
  public init(_ isWanted: Bool) { self = isWanted ? .days(30) : .no }
}

/// What a page answers with.
///
/// Unless `cache` is called, the answer is for this visitor at this moment only:
/// `Cache-Control: no-store` and `Vary: Cookie`.
public struct Response: ~Copyable, ~Escapable {
  private var fields: Writer
  /// Octets of page text that belong to the answer.
  private var contentCount = 0
  /// Seconds that caches may keep a success; -1 for not at all, and -2 where they never may.
  private var cacheSeconds: Int32

  /// The visitor's session.
  public var session: Session

  /// Its content is `PageText`.
  @_lifetime(copy fields, copy session)
  init(fields: consuming Writer, session: consuming Session, isForEveryone: Bool) {
    cacheSeconds = isForEveryone ? -1 : -2
    self.fields = fields
    self.session = session
  }

  // MARK: Fields

  /// Adds a field. Both parts are literals, so nothing from outside can become a field.
  @_lifetime(self: copy self)
  public mutating func setField(_ name: StaticString, _ value: StaticString) {
    fields.append(field: name, value: value)
  }

  /// Lets browsers and caches keep the answer for that time, and give it to anybody. It counts for the
  /// successes (2xx, 304) of a page that is for everyone; every other answer is stored nowhere. Not for
  /// what depends on the session: the answer carries no cookies, whatever has changed.
  @_lifetime(self: copy self)
  public mutating func cache(forSeconds seconds: Int) {
    if cacheSeconds > -2 { cacheSeconds = Int32(clamping: max(0, seconds)) }
  }

  /// Says when it is worth while to ask again (Retry-After, RFC 9110 §10.2.3).
  @_lifetime(self: copy self)
  public mutating func setRetryAfter(seconds: Int) {
    fields.append("Retry-After: ")
    fields.append(decimal: seconds)
    fields.append("\r\n")
  }

  // MARK: Content

  /// Answers with an HTML page.
  public consuming func html(_ page: HTML) -> Answer { html(.ok, page) }

  /// Answers with an HTML page and a status.
  public consuming func html(_ status: Status, _ page: HTML) -> Answer {
    var body = self.body(status)
    body.write(page)
    return body.end()
  }

  /// Begins a page that is written in several parts.
  ///
  /// - Parameter mediaType: What it is. Of whatever type, values that are put into a text are escaped
  ///   as in HTML, which leaves numbers as they are; `Body.write(octets:)` escapes nothing.
  @_lifetime(copy self)
  public consuming func body(
    _ status: Status = .ok, mediaType: StaticString = "text/html; charset=utf-8"
  ) -> Body {
    setField("Content-Type", mediaType)
    if !mediaType.octets.hasPrefix("text/html") { PageText.setPlain() }
    return Body(self, status)
  }

  /// Answers with octets that are part of the program: any number of them. They are sent from where
  /// they lie.
  ///
  /// - Parameter mediaType: For example `text/css; charset=utf-8`.
  public consuming func asset(_ mediaType: StaticString, _ octets: StaticString) -> Answer {
    setField("Content-Type", mediaType)
    return answer(.ok, .none, .data(octets))
  }

  /// Answers with a file of the system, which is sent without being read into the program. A reader
  /// who is slow costs the file's descriptor and no memory.
  ///
  /// A page that is not there is answered with 404; one that cannot be opened now, because
  /// descriptors have run out, with 503. A file that becomes shorter while it is sent ends the
  /// connection. Files without a length, such as those of `/proc`, come out empty: those are for
  /// `pieces`.
  ///
  /// - Parameters:
  ///   - mediaType: For example `application/octet-stream`.
  ///   - path: At most 511 octets, without a NUL; relative to the working directory. Nothing in it
  ///     is checked: a path must not come from outside.
  public consuming func file(_ mediaType: StaticString, at path: Span<UInt8>) -> Answer {
    switch OpenFile.open(path) {
    case .file(let descriptor, let count):
      setField("Content-Type", mediaType)
      return answer(.ok, .none, .file(descriptor: descriptor, count: count))
    case .notNow:
      setField("Retry-After", "5")
      return refuse(.serviceUnavailable, "This device is busy. Try again in a few seconds.")
    case .notThere:
      return refuse(.notFound, "There is no such file here.")
    }
  }

  /// Answers in pieces, which `Application.write(_:_:to:)` is asked for one after the other, whenever
  /// the visitor has taken those before: for what is longer than a buffer, or has no end yet. A
  /// reader who is slow costs nothing else. For an application that says so with `answersInPieces`.
  ///
  /// - Parameter cursor: What `write` gets to see first.
  public consuming func pieces(
    _ mediaType: StaticString, from cursor: Cursor = Cursor()
  ) -> Answer {
    setField("Content-Type", mediaType)
    return answer(.ok, .none, .stream(cursor))
  }

  // MARK: Redirection and refusal

  /// Sends the visitor to a path of the program (302), below the path under which browsers see it.
  public consuming func redirect(_ path: StaticString) -> Answer {
    fields.append("Location: ")
    if path.octets.hasPrefix("/") { fields.append(PageText.prefix) }
    fields.append(path)
    fields.append("\r\n")
    return answer(.found, .none)
  }

  /// Answers with an error page that says why.
  public consuming func refuse(_ status: Status, _ reason: StaticString) -> Answer {
    answer(status, .refuse(reason))
  }

  /// Answers with an error page that says why, and when it is worth while to ask again.
  public consuming func refuse(
    _ status: Status, _ reason: StaticString, retryAfter seconds: Int
  ) -> Answer {
    setRetryAfter(seconds: seconds)
    return answer(status, .refuse(reason))
  }

  /// Answers in a later turn: the page is asked again, with the same request, when what it has asked
  /// for is done (`checkPassword`, `verify`, `hash`); without such a wish, in one of the next turns, so that a page can
  /// do long work of its own in steps of some 0.1 ms, whose state it keeps under
  /// `request.connection`. All such work together gets 2 ms of a turn. Changes to the session made in
  /// this turn are forgotten.
  ///
  /// At most `Limits.workCountMax` requests are worked on at a time, and `Limits.workQueueCountMax`
  /// wait for that; beyond, or when it takes too long, the visitor gets a 503 with Retry-After. A
  /// visitor who closes the connection ends the work.
  public consuming func later() -> Answer { answer(.ok, .later) }

  /// Answers in a later turn, as `later()` does, but not before that many milliseconds have passed: for
  /// a page that waits for something outside of the program. The loop rests meanwhile.
  public consuming func later(inMilliseconds milliseconds: Int) -> Answer {
    var answer = later()
    answer.pauseMilliseconds = milliseconds
    return answer
  }

  /// Takes the request's content in pieces: `Application.take(_:for:_:)` gets them one after the
  /// other, then `Application.finish(_:_:_:)` answers. For a page whose route is an `upload`, in an
  /// application that `hasUploads`.
  ///
  /// - Parameters:
  ///   - countMax: Octets that are taken; a request with more is refused with 413, at once where it
  ///     says how many.
  ///   - cursor: What `take` gets to see first.
  public consuming func take(atMost countMax: Int, from cursor: Cursor = Cursor()) -> Answer {
    answer(.ok, .take(cursor, countMax: countMax))
  }

  // MARK: Login

  /// Logs a user in, freshly, and sends the visitor to where they were going: the `next` of the
  /// login page's query when it is a path of this site, or else `path`.
  ///
  /// - Parameter remember: Whether and how long a cookie restores the login, no longer fresh, after
  ///   the browser's session. Days outside of 1...400 become the nearest bound.
  public consuming func login(
    _ user: borrowing some SessionUser, remember: Remember = .no, to path: StaticString = "/"
  ) -> Answer {
    session.logIn(user.id, epoch: user.epoch, isFresh: true)
    if case .days(let days) = remember {
      session.setRemember(.set(days: UInt16(min(max(days, 1), Limits.rememberDaysMax))))
    }
    return answer(.found, .toNext(path))
  }

  /// Keeps the visitor logged in, freshly, after the user's epoch has been counted up.
  @_lifetime(self: copy self)
  public mutating func renewLogin(_ user: borrowing some SessionUser) {
    session.logIn(user.id, epoch: user.epoch, isFresh: true)
  }

  /// Sends the visitor back to the login page, which still knows where they were going.
  public consuming func redirectToLogin() -> Answer { answer(.found, .toLogin) }

  /// Logs the visitor out, forgets the remember cookie, and sends them to `path`. All members of the
  /// session end, those of the program too.
  public consuming func logout(to path: StaticString) -> Answer {
    session.logOut()
    session.setRemember(.clear)
    return redirect(path)
  }

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

  fileprivate consuming func answer(
    _ status: Status, _ action: Answer.Action, _ content: Reply.Kind = .written
  ) -> Answer {
    let isPublic = cacheSeconds >= 0 && status.isSuccess
    if isPublic {
      fields.append("Cache-Control: public, max-age=")
      fields.append(decimal: cacheSeconds)
      fields.append("\r\n")
    } else {
      fields.append("Cache-Control: no-store\r\nVary: Cookie\r\n")
    }
    return Answer(
      status: status, contentCount: contentCount, fieldsCount: fields.count, action: action,
      overflowed: PageText.overflowed || fields.overflowed, isPublic: isPublic,
      content: content, session: session.outcome)
  }
}

/// An HTML page under way.
///
///     var body = response.body()
///     body.write("<h1>\(title)</h1>")
///     return body.end()
public struct Body: ~Copyable, ~Escapable {
  private var response: Response
  private let status: Status

  @_lifetime(copy response)
  fileprivate init(_ response: consuming Response, _ status: Status) {
    self.response = response
    self.status = status
  }

  /// Adds to the page. What does not fit makes the response a 500.
  @_lifetime(self: copy self)
  public mutating func write(_ text: HTML) { response.write(text) }

  /// Adds octets as they are: for media types other than HTML.
  @_lifetime(self: copy self)
  public mutating func write(octets: Span<UInt8>) { response.write(octets: octets) }

  /// Answers with the page.
  public consuming func end() -> Answer { response.answer(status, .none) }
}
