// The whole journey in one place: request → route → session → user → page → response → cookies.

package import MartletBytes
import MartletHTTP
package import MartletServer
import MartletToken

/// The result of handling a request.
struct Outcome {
  var kind = Reply.Kind.written
  /// The number of the page that the request is for.
  var page: UInt8?
  var isForPrograms = false
  /// Milliseconds until the request is handled again, where it rests.
  var pauseMilliseconds = 0
  var stopsProgram = false
  /// Whether the answer has been logged, with its reason.
  var isLogged = false
}

/// Answers requests with an application's pages, for the server and for tests.
///
/// Code for sessions is behind `A._hasSessions`. The optimizer knows its value, and removes the code from
/// applications without sessions.
package struct SiteResponder<A: Application & ~Copyable>: Responder, ~Copyable {
  var site: A
  let key: HMACKey
  /// The host names, the scheme and the path by which browsers reach the program, and the port that it
  /// listens on.
  let reach: Reach
  let port: UInt16
  /// The scheme and the path by which the current browser has come.
  var approach: Approach
  /// The number under which the cache keeps this responder's tokens.
  let tokenOwner: UInt32
  let memory: SiteMemory
  /// Keeps the clock, in an application with sessions.
  var keeper: ClockKeeper
  /// The result of handling the current request.
  var outcome = Outcome()
  /// The state of an upload on its way from the page to the server's memory at the start, and back at the
  /// end.
  var pendingUpload: A.UploadState?
  /// Pages whose streams must write at once.
  var woken = StreamSet()

  /// - Parameters:
  ///   - secret: The secret that signs cookies. Without a secret, a random key signs them.
  ///   - reach: The host names, the scheme and the path by which browsers reach the program.
  ///   - port: The port that the program listens on.
  ///   - memory: The memory that the site keeps between requests. The static memory is for one site in a
  ///     process.
  package init(
    _ site: consuming A, secret: Span<UInt8>, reach: Reach = Reach(), port: UInt16 = 0,
    _ memory: SiteMemory = SiteMemory()
  ) {
    self.memory = memory
    keeper = ClockKeeper(newest: A._hasSessions ? site._newestMoment : 0)
    self.site = site
    tokenOwner = memory.newOwner()
    self.reach = reach
    self.port = port
    approach = Approach(isHTTPS: false)
    guard A._hasSessions else {
      key = HMACKey()
      return
    }
    if secret.count > 0 {
      key = HMACKey(secret)
    } else {
      var random = Digest(repeating: 0)
      var target = random.mutableSpan
      Random.fill(&target)
      key = HMACKey(random.span)
    }
  }

  package static var fields: StaticString { A.headers }

  package mutating func respond(
    to request: borrowing IncomingRequest, content: consuming Writer, fields: consuming Writer
  ) -> Reply {
    if A._hasSessions { keeper.update(request.moment) }
    return reply(to: request, &content, &fields) { $0.journey($1, &$2, &$3) }
  }

  /// Lets `write` answer, and makes a reply of the text that was written.
  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  mutating func reply(
    to request: borrowing IncomingRequest, _ content: inout Writer, _ fields: inout Writer,
    _ write: (
      inout Self, borrowing IncomingRequest, inout Writer, inout Writer
    ) -> Status
  ) -> Reply {
    outcome = Outcome()
    outcome.isForPrograms = A.isForPrograms
    PageText.setPrefix(reach.prefix.span)
    fields.append(A.headers)
    let fieldsStart = fields.count
    var status = write(&self, request, &content, &fields)
    if content.overflowed || fields.overflowed {
      status = writeOverflow(request, from: fieldsStart, &content, &fields)
    }
    if A._logsErrors, !outcome.isLogged { log(request, status, Span()) }
    if A._hasHooks, !isUnfinished {
      let page = outcome.page.flatMap { A.Page(rawValue: $0) }
      site._after(page, view(request, RouteMatch.none, Visitor()), status)
    }
    var reply = Reply(
      status: status, contentCount: content.count, fieldsCount: fields.count, kind: outcome.kind)
    reply.pauseMilliseconds = outcome.pauseMilliseconds
    reply.stopsServer = outcome.stopsProgram
    if case .later = outcome.kind {
      reply.turn = memory.work.turn
    } else if A._hasWork {
      memory.work.end(request.connection)
    }
    return reply
  }

  /// Whether the page has not answered yet.
  private var isUnfinished: Bool {
    switch outcome.kind {
    case .later, .upload: true
    case .written, .data, .file, .stream: false
    }
  }

  /// Sets what the system would say about its clock.
  package mutating func simulateClock(boot: Int64, isSynchronized: Bool) {
    keeper.simulate(boot: boot, isSynchronized: isSynchronized)
  }

  /// The request as a page sees it.
  @_lifetime(copy request)
  mutating func view(
    _ request: borrowing IncomingRequest, _ match: RouteMatch, _ visitor: borrowing Visitor<A.User>
  ) -> Request<A> {
    Request(
      request.copy(), match, user: visitor.user, isFresh: visitor.isFresh, clock: keeper.clock, approach)
  }

  // MARK: Errors

  /// Writes an error page in place of a page whose text or headers do not fit.
  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  private mutating func writeOverflow(
    _ request: borrowing IncomingRequest, from fieldsStart: Int, _ content: inout Writer,
    _ fields: inout Writer
  ) -> Status {
    dropBegun(request)
    outcome.kind = .written
    content.truncate(to: 0)
    fields.truncate(to: fieldsStart)
    let reason: StaticString =
      PageText.isMisused
      ? "A bug: this page puts a value where none can stand."
      : "What this page wanted to say does not fit this device's memory."
    return refuse(request, .internalServerError, reason, &content, &fields)
  }

  /// Writes an error page with its headers.
  ///
  /// - Returns: The status, for the caller to return.
  @inline(never)
  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  mutating func refuse(
    _ request: borrowing IncomingRequest, _ status: Status, _ reason: StaticString,
    _ content: inout Writer, _ fields: inout Writer
  ) -> Status {
    refuse(request, status, reason.octets, &content, &fields)
  }

  /// Writes an error page with its headers, for a reason that is no literal.
  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  mutating func refuse(
    _ request: borrowing IncomingRequest, _ status: Status, _ reason: Span<UInt8>,
    _ content: inout Writer, _ fields: inout Writer
  ) -> Status {
    if A._logsErrors { log(request, status, reason) }
    if A._hasErrorPages || A.hasProgramPages {
      writeOwnError(request, status, reason, &content, &fields)
      fields.append("Cache-Control: no-store\r\n")
    } else {
      writeErrorPage(status, reason, &content)
      RefusalPage.writeFields(to: &fields)
    }
    return status
  }

  /// Writes an error page, with a link to `/` where a page answers GET there.
  @inline(never)
  @_lifetime(content: copy content)
  private mutating func writeErrorPage(_ status: Status, _ reason: Span<UInt8>, _ content: inout Writer) {
    let home: StaticString = "/"
    RefusalPage.write(
      status, reason, home: A.isAnsweredByGET(home.octets) ? home : "",
      below: PageText.prefix, to: &content)
  }

  /// Writes the error page that a page has asked for. Its other headers come with the answer's headers.
  ///
  /// - Parameter reason: The text that the page has written, at the start of `content`.
  @inline(never)
  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  private mutating func writeRefusal(
    _ request: borrowing IncomingRequest, _ status: Status, _ content: inout Writer,
    _ fields: inout Writer
  ) {
    var reason = FixedBuffer<512>()
    if content.count <= Limits.reasonSizeMax { reason.append(content.span) }
    content.truncate(to: 0)
    if A._logsErrors { log(request, status, reason.span) }
    if A._hasErrorPages || A.hasProgramPages {
      writeOwnError(request, status, reason.span, &content, &fields)
    } else {
      writeErrorPage(status, reason.span, &content)
      fields.append("Content-Type: text/html; charset=utf-8\r\n")
    }
  }

  /// Lets the application write an error page. A program that asks for JSON gets problem details.
  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  private mutating func writeOwnError(
    _ request: borrowing IncomingRequest, _ status: Status, _ reason: Span<UInt8>,
    _ content: inout Writer, _ fields: inout Writer
  ) {
    let headers = request.head.fields(in: request.octets)
    if headers.htmlPreference == .excluded || outcome.isForPrograms && headers.htmlPreference == .possible {
      fields.append("Content-Type: application/problem+json\r\n")
      return ProblemDetails.write(status, reason, to: &content)
    }
    guard A._hasErrorPages else {
      writeErrorPage(status, reason, &content)
      return fields.append("Content-Type: text/html; charset=utf-8\r\n")
    }
    let response = Response<A>(
      fields: fields.remainder, session: Session(), memory, isForEveryone: false, isSecure: false,
      isErrorPage: true)
    PageText.begin(in: content.roomSpan)
    let answer = site._errorPage(
      ErrorPage(status, EscapedText(reason)), view(request, RouteMatch.none, Visitor()), response)
    PageText.end()
    // An error page of the application that fails is replaced by the library's error page.
    guard case .none = answer.action, case .written = answer.content, answer.status == status,
      !answer.overflowed
    else {
      if case .file(let file, _) = answer.content { OpenFile.close(file) }
      writeErrorPage(status, reason, &content)
      return fields.append("Content-Type: text/html; charset=utf-8\r\n")
    }
    content.advance(by: answer.contentCount)
    fields.advance(by: answer.fieldsCount)
  }

  /// Logs the answer to a request.
  ///
  /// - Parameter reason: Why the request is refused; empty where nobody says.
  @inline(never)
  private mutating func log(_ request: borrowing IncomingRequest, _ status: Status, _ reason: Span<UInt8>) {
    let isError = status.code >= 500
    guard isError || A._logsRequests, !isUnfinished else { return }
    outcome.isLogged = true
    var line = LogLine(isError ? .error : .info, isError ? "request_failed" : "request")
    line.add(request.head.fields(in: request.octets).client(peer: request.peer, trusting: .loopback))
    line.add("method", text: request.head.method.name)
    line.add("path", text: request.octets[request.head.target.path])
    line.add("status", Int(status.code))
    if isError, !reason.isEmpty { line.add("reason", text: reason) }
    line.write()
  }

  // MARK: The journey

  /// Handles a request from its route to its cookies.
  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  private mutating func journey(
    _ request: borrowing IncomingRequest, _ content: inout Writer, _ fields: inout Writer
  ) -> Status {
    if A.isGuarded {
      readApproach(request)
      // The Host is checked before anything else, because nothing of a request for another host may count.
      if A._hasSessions || !request.head.method.isSafe, isMisdirected(request) {
        if let host = request.head.host {
          site.refused(
            host: request.octets[host], request.head.fields(in: request.octets), from: request.peer)
        }
        return refuse(request, .misdirectedRequest, Self.misdirected, &content, &fields)
      }
    }
    let path = request.octets[request.head.target.path]
    switch A.destination(request.head.method, path) {
    case .nowhere:
      if request.head.method == .options, path.equals("*") { return .ok }
      return writePlainLocation(request, scratch: content.roomSpan, &fields)
        ?? refuse(request, .notFound, "There is no such page here.", &content, &fields)
    case .otherMethods(let methods, let areForPrograms):
      if areForPrograms { outcome.isForPrograms = true }
      fields.append("Allow: ")
      fields.append(allow: methods)
      fields.append("\r\n")
      if request.head.method == .options { return .ok }
      return refuse(
        request, .methodNotAllowed, "This page cannot be asked for in this way.", &content, &fields)
    case .page(let page, let match):
      if A._hasMounts, match.isInPart, match.partPage < 0,
        let status = writePlainLocation(request, scratch: content.roomSpan, &fields)
      {
        return status
      }
      outcome.page = page.rawValue
      outcome.isForPrograms = match.isForPrograms
      // The check is left out of programs in which no page changes anything.
      if A.isGuarded, let refusal = request.refusal(match, approach.scheme) {
        return refuse(request, refusal.status, refusal.reason, &content, &fields)
      }
      guard A._hasSessions else {
        return enterWithoutSession(page, match, request, &content, &fields)
      }
      var storage = memory.session
      return enter(page, match, request, &storage, &content, &fields)
    }
  }

  /// Finds the scheme by which the browser has come: the command line decides, or else a trusted proxy.
  mutating func readApproach(_ request: borrowing IncomingRequest) {
    approach = Approach(isHTTPS: A.usesHTTPS || reach.isHTTPS)
    if reach.proxies.contains(request.peer) { approach.read(request.head.fields(in: request.octets)) }
  }

  /// Whether the request names a host that the program does not answer.
  private mutating func isMisdirected(_ request: borrowing IncomingRequest) -> Bool {
    guard let host = request.head.host else { return false }
    return !HostNames.allow(
      request.octets[host], names: A.hosts, takesOption: reach.takesHostOption,
      now: request.moment.monotonicMilliseconds)
  }

  private static var misdirected: StaticString {
    """
    This device does not answer to the name in the address bar: another site may have pointed its \
    name here. Open the device by its IP address or by its own name, or allow the name: start the \
    program with --host NAME.
    """
  }

  @inline(never)
  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  mutating func enterWithoutSession(
    _ page: A.Page, _ match: RouteMatch, _ request: borrowing IncomingRequest, _ content: inout Writer,
    _ fields: inout Writer
  ) -> Status {
    var visitor = Visitor<A.User>()
    if A._hasCredentials {
      if let status = readCredentials(match, request, &visitor, &content, &fields) { return status }
      if let obstacle = visitor.obstacle(to: match.access) {
        return turnAway(obstacle, match, request, &content, &fields)
      }
    } else if match.access.needsLogin {
      return refuse(request, .forbidden, "Nobody can log in here.", &content, &fields)
    }
    let answer = respond(page, match, visitor, Session(), request, &content, &fields)
    take(answer, page, &content)
    if case .refuse = answer.action { writeRefusal(request, answer.status, &content, &fields) }
    return answer.status
  }

  /// - Parameter storage: Memory for the session.
  @inline(never)
  @_lifetime(storage: copy storage)
  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  mutating func enter(
    _ page: A.Page, _ match: RouteMatch, _ request: borrowing IncomingRequest,
    _ storage: inout MutableSpan<UInt8>, _ content: inout Writer, _ fields: inout Writer
  ) -> Status {
    let access = match.access
    var session = Session(storage._mutatingExtracting(0..<storage.count))
    var visitor = Visitor<A.User>()
    if A._hasCredentials,
      let status = readCredentials(match, request, &visitor, &content, &fields)
    {
      return status
    }
    // Credentials count more than a session cookie.
    if visitor.user == nil { readSession(request, &session, &visitor) }
    var isRenewal = false
    // A session of a user who is gone does not fall back to the remember cookie, as in Microdot. For a page
    // that needs a fresh login the remember cookie is not read, because a restored login is not fresh. At the
    // login page a restored login redirects the visitor (`writeWayOn`), and tells the page which user's
    // cookie came.
    let isLogin = A._skipsLogin && request.octets[request.head.target.path].equals(site._loginPath)
    if access.needsLogin && !access.needsFreshLogin || isLogin, visitor.user == nil, !visitor.sessionIsDead {
      restoreLogin(request, &session, &visitor, scratch: content.roomSpan)
      isRenewal = visitor.user != nil
    }
    if let obstacle = visitor.obstacle(to: access) {
      if visitor.sessionIsDead { session.logOut() }
      let status = turnAway(obstacle, match, request, &content, &fields)
      writeCookies(request, session, isRenewal: false, to: &fields)
      fields.append("Vary: Cookie\r\n")
      return status
    }
    if isLogin, visitor.user != nil, request.head.method.isSafe,
      writeWayOn(request, visitor, &fields)
    {
      return .found
    }
    let answer = respond(page, match, visitor, session, request, &content, &fields)
    take(answer, page, &content)
    guard !isUnfinished else { return answer.status }
    finish(answer, visitor, isRenewal: isRenewal, request, &storage, &content, &fields)
    return answer.status
  }

  /// Stores the answer of a page in `outcome`.
  @_lifetime(content: copy content)
  private mutating func take(_ answer: Answer, _ page: A.Page, _ content: inout Writer) {
    switch answer.action {
    case .later: outcome.kind = .later
    case .receive(let countMax):
      // The text that was written is the first state of the upload.
      pendingUpload = KeptUpload<A.UploadState>.loaded(content.span)
      content.truncate(to: 0)
      if answer.overflowed { content.overflow() }
      outcome.kind = .upload(countMax: countMax)
    case .none, .toNext, .toLogin, .refuse: outcome.kind = answer.content.of(page)
    }
  }

  /// Adds to an answer what only the library knows: the target of a redirection, and the cookies.
  @inline(never)
  @_lifetime(storage: copy storage)
  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  private mutating func finish(
    _ answer: Answer, _ visitor: borrowing Visitor<A.User>, isRenewal: Bool,
    _ request: borrowing IncomingRequest, _ storage: inout MutableSpan<UInt8>,
    _ content: inout Writer, _ fields: inout Writer
  ) {
    switch answer.action {
    case .none, .later, .receive: break
    case .toLogin: writeLoginLocation(request, keepingNext: true, &fields)
    case .toNext(let path):
      _ = writeNextLocation(request, orElse: path, &fields)
      fields.append("\r\n")
    case .refuse: writeRefusal(request, answer.status, &content, &fields)
    }
    if answer.session.overflowed { content.overflow() }
    if answer.isPublic { return }
    var after = Session(storage._mutatingExtracting(0..<storage.count), answer.session)
    if after.isMinted {
      after.stamp(keeper.clock, A._sessionLimits, age: after.age, passwordAge: 0)
    } else if visitor.isDue, after.userID != nil {
      renew(request, &after, visitor)
    }
    if after.outcome.overflowed { content.overflow() }
    // A page that logs the visitor out decides about the remember cookie, so a renewal is dropped.
    let renews = isRenewal && answer.session.remember != .clear
    if after.wantsCookies { writeCookies(request, after, isRenewal: renews, to: &fields) }
  }

  /// Answers a visitor who may not enter: a browser is redirected to the login page, a program gets 401.
  ///
  /// RFC 9110 §11.6.1 demands WWW-Authenticate with 401. The scheme is `Session`, which no browser knows,
  /// because Basic would open a dialog for a password.
  @inline(never)
  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  private mutating func turnAway(
    _ obstacle: Visitor<A.User>.Obstacle, _ match: RouteMatch, _ request: borrowing IncomingRequest,
    _ content: inout Writer, _ fields: inout Writer
  ) -> Status {
    if obstacle == .role {
      return refuse(
        request, .forbidden, "Your account may not open this page.", &content, &fields)
    }
    let preference = request.head.fields(in: request.octets).htmlPreference
    if A._hasSessions, preference != .excluded, preference != .possible || !match.isForPrograms {
      writeLoginLocation(request, keepingNext: false, &fields)
      fields.append("Cache-Control: no-store\r\n")
      return .found
    }
    guard A._hasCredentials else {
      fields.append(
        """
        WWW-Authenticate: Session realm="this device"\r
        Content-Type: text/plain; charset=utf-8\r
        Cache-Control: no-store\r

        """)
      content.append("This page needs a login. Log in at ")
      content.append(PageText.prefix)
      content.append(site._loginPath)
      content.append(" and send the cookie of that answer with each request.\n")
      return .unauthorized
    }
    return challenge(request, &content, &fields)
  }

  /// Writes the Location of the page whose path the request spells in another way (PlainPath.swift).
  ///
  /// - Parameter scratch: Memory for the plain path.
  /// - Returns: The status. `nil` when no page with that path answers the method, or when the query does not
  ///   fit.
  @inline(never)
  @_lifetime(fields: copy fields)
  private mutating func writePlainLocation(
    _ request: borrowing IncomingRequest, scratch: consuming MutableSpan<UInt8>,
    _ fields: inout Writer
  ) -> Status? {
    let target = request.head.target
    guard let count = PlainPath.write(request.octets[target.path], to: &scratch) else { return nil }
    let path = scratch.span.extracting(0..<count)
    guard A.isAnswered(request.head.method, path) else { return nil }
    let start = fields.count
    fields.append("Cache-Control: no-store\r\nLocation: ")
    fields.append(PageText.prefix)
    NextTarget.write(path: path, to: &fields)
    if let query = target.query { NextTarget.write(query: request.octets[query], to: &fields) }
    fields.append("\r\n")
    guard fields.overflowed else { return .permanentRedirect }
    fields.truncate(to: start)
    return nil
  }

  /// Lets the page answer, in the room that remains in both writers.
  @inline(never)
  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  private mutating func respond(
    _ page: A.Page, _ match: RouteMatch, _ visitor: borrowing Visitor<A.User>, _ session: consuming Session,
    _ request: borrowing IncomingRequest, _ content: inout Writer, _ fields: inout Writer
  ) -> Answer {
    let view = view(request, match, visitor)
    if A._hasWork {
      memory.work.enter(request.connection, now: request.moment.monotonicMilliseconds)
    }
    var response = Response<A>(
      fields: fields.remainder, session: session, memory, isForEveryone: match.access == .everyone,
      isSecure: approach.scheme == .https)
    UnderWay.begin(page: page.rawValue, request: request.line)
    PageText.begin(in: content.roomSpan)
    let isFinishing = A._hasUploads && pendingUpload != nil
    let answer: Answer
    if A._hasHooks {
      let verdict = site._before(page, view, &response)
      answer = obey(verdict, page, view, response)
    } else {
      answer = ask(page, view, response)
    }
    if A._hasUploads, case .receive = answer.action {
      // All content of another route, and of an upload that is finished, has been received already.
      invariant(
        match.content == .upload && !isFinishing, "a page receives content once, and its route is an upload")
    }
    return note(answer, &content, &fields)
  }

  /// Asks the page, or the page of an upload whose content is complete.
  private mutating func ask(
    _ page: A.Page, _ request: borrowing Request<A>, _ response: consuming Response<A>
  ) -> Answer {
    guard A._hasUploads, let state = pendingUpload else { return site.respond(to: page, request, response) }
    pendingUpload = nil
    return site._finish(page, request, state, response)
  }

  /// Carries out what a hook has decided.
  private mutating func obey(
    _ verdict: Verdict, _ page: A.Page, _ request: borrowing Request<A>, _ response: consuming Response<A>
  ) -> Answer {
    switch verdict {
    case .proceed: ask(page, request, response)
    case .refuse(let status, let reason): response.refuse(status, "\(reason)")
    case .redirect(let path): response.redirect(Location(stringLiteral: path))
    }
  }

  /// Ends a page's text, and sets its length in both writers.
  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  mutating func note(
    _ answer: Answer, _ content: inout Writer, _ fields: inout Writer
  ) -> Answer {
    PageText.end()
    UnderWay.end()
    content.advance(by: answer.contentCount)
    fields.advance(by: answer.fieldsCount)
    if answer.overflowed { content.overflow() }
    outcome.pauseMilliseconds = answer.pauseMilliseconds
    outcome.stopsProgram = answer.stopsProgram
    if A._hasStreams { wake(answer.wokenPages) }
    return answer
  }

  /// Writes the Location after a login: the `next` of the query, or else `path`. A `next` counts when it is a
  /// path of this site and a page may answer GET there.
  ///
  /// - Returns: The index in `fields` where the path begins.
  @inline(never)
  @_lifetime(fields: copy fields)
  private mutating func writeNextLocation(
    _ request: borrowing IncomingRequest, orElse path: StaticString, _ fields: inout Writer
  ) -> Int {
    fields.append("Location: ")
    fields.append(PageText.prefix)
    let start = fields.count
    var isWritten = false
    if let next = request.query["next"], NextTarget.write(next, to: &fields) {
      isWritten = true
      // A target that only POST answers, such as a logout, is not used, because GET would be answered 405.
      if case .otherMethods = destination(fields.span, from: start) { isWritten = false }
    }
    if !isWritten {
      fields.truncate(to: start)
      fields.append(path)
    }
    return start
  }

  /// The page that answers GET at the target from `start` to the end of a text.
  private mutating func destination(_ text: Span<UInt8>, from start: Int) -> Destination<A.Page> {
    A.destination(
      .get, text.extracting(start..<(text.firstIndex(of: 0x3F, from: start) ?? text.count)))
  }

  /// Redirects a visitor who is logged in from the login page to the page that a login would lead to.
  ///
  /// - Returns: Whether the visitor may enter that page. Nothing is written where the page needs a fresher
  ///   login.
  @inline(never)
  @_lifetime(fields: copy fields)
  private mutating func writeWayOn(
    _ request: borrowing IncomingRequest, _ visitor: borrowing Visitor<A.User>,
    _ fields: inout Writer
  ) -> Bool {
    let start = fields.count
    let pathStart = writeNextLocation(request, orElse: "/", &fields)
    if case .page(_, let match) = destination(fields.span, from: pathStart),
      visitor.obstacle(to: match.access) != nil
    {
      fields.truncate(to: start)
      return false
    }
    fields.append("\r\nCache-Control: no-store\r\nVary: Cookie\r\n")
    return true
  }

  /// Writes the Location of the login page.
  ///
  /// - Parameter keepingNext: Whether to copy the `next` of this request's query. Otherwise `next` becomes
  ///   this request's target, unless no page answers GET there.
  @inline(never)
  @_lifetime(fields: copy fields)
  private mutating func writeLoginLocation(
    _ request: borrowing IncomingRequest, keepingNext: Bool, _ fields: inout Writer
  ) {
    fields.append("Location: ")
    fields.append(PageText.prefix)
    fields.append(site._loginPath)
    let start = fields.count
    fields.append("?next=")
    var isWritten = false
    if !keepingNext {
      isWritten =
        A.isAnsweredByGET(request.octets[request.head.target.path])
        && NextTarget.encode(request, to: &fields)
    } else if let next = request.query["next"] {
      isWritten = NextTarget.reencode(next, to: &fields)
    }
    if !isWritten { fields.truncate(to: start) }
    fields.append("\r\n")
  }
}

extension IncomingRequest {
  /// The request line up to the end of its path, such as `GET /items/5`.
  var line: Span<UInt8> {
    @_lifetime(copy self)
    get { octets.extracting(first: head.target.path.end) }
  }
}
