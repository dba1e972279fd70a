// The whole journey in one place: request → route → session → user → page → response → cookies.

package import MartletBytes
import MartletHTTP
package import MartletServer
import MartletTLS
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
    approach = Approach(isHTTPS: A.usesHTTPS || reach.isHTTPS)
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

  package mutating func note(_ channel: Channel) {
    if A._hasTLS { RequestChannel.current = channel }
  }

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
  var isUnfinished: Bool {
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
    _ request: borrowing IncomingRequest, _ match: borrowing RouteMatch, _ visitor: borrowing Visitor<A.User>
  ) -> Request<A> {
    Request(
      request.copy(), copy match, user: visitor.user, isFresh: visitor.isFresh, clock: keeper.clock, approach)
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
      if A.hasStrictTransport { writeFirstFields(request, nil, &fields) }
      // The Host is checked before anything else, because nothing of a request for another host may count.
      if A._hasSessions || !request.head.method.isSafe, isMisdirected(request) {
        if let host = request.head.host {
          site.refused(
            host: request.octets[host], request.head.fields(in: request.octets), from: request.peer)
        }
        return refuse(request, .misdirectedRequest, Self.misdirected, &content, &fields)
      }
    } else if A.hasStrictTransport || A._hasTLS {
      readApproach(request)
      if A.hasStrictTransport { writeFirstFields(request, nil, &fields) }
    }
    let path = request.octets[request.head.target.path]
    if A._hasSharing, request.head.method == .options, answerPreflight(request, path, &fields) {
      return .noContent
    }
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
      if A.hasFirstFields { writeFirstFields(request, page, &fields) }
      let isAdmitted = A._hasSharing && admits(request, page)
      if A._takesFormData, match.content == .form, request.content.count > 0, request.isFormData {
        return respondToFormData(page, match, request, isAdmitted: isAdmitted, &content, &fields)
      }
      // The check is left out of programs in which no page changes anything.
      if A.isGuarded, let refusal = request.refusal(match, approach.scheme, isAdmitted: isAdmitted) {
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
    let isEncrypted = A._hasTLS && RequestChannel.current == .encrypted
    approach = Approach(isHTTPS: A.usesHTTPS || reach.isHTTPS || isEncrypted)
    if reach.proxies.contains(request.peer) { approach.read(request.head.fields(in: request.octets)) }
  }

  /// Whether the request names a host that the program does not answer.
  private mutating func isMisdirected(_ request: borrowing IncomingRequest) -> Bool {
    guard let host = request.head.host else { return false }
    return !HostNames.allow(
      request.octets[host], names: A.hosts, allowsOption: reach.allowsHostOption,
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
    _ page: A.Page, _ match: borrowing RouteMatch, _ request: borrowing IncomingRequest,
    _ content: inout Writer, _ fields: inout Writer
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
    store(answer, page, visitor, &content)
    if case .refuse = answer.action { writeRefusal(request, answer.status, &content, &fields) }
    return answer.status
  }

  /// - Parameter storage: Memory for the session.
  @inline(never)
  @_lifetime(storage: copy storage)
  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  mutating func enter(
    _ page: A.Page, _ match: borrowing RouteMatch, _ request: borrowing IncomingRequest,
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
    let isForeign = A._hasSharing && approach.isForeign
    // Credentials count more than a session cookie.
    if visitor.user == nil, !isForeign { readSession(request, &session, &visitor) }
    var isRenewal = false
    // A session of a user who is gone does not fall back to the remember cookie, as in Microdot. For a page
    // that needs a fresh login the remember cookie is not read, because a restored login is not fresh. At the
    // login page a restored login redirects the visitor (`writeWayOn`), and tells the page which user's
    // cookie came.
    let isLogin = A._skipsLogin && request.octets[request.head.target.path].equals(site._loginPath)
    if access.needsLogin && !access.needsFreshLogin || isLogin, visitor.user == nil, !visitor.sessionIsDead,
      !isForeign
    {
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
    if A._hasFormTokens, !request.head.method.isSafe, A._needsFormToken(page),
      !session.holdsFormToken(of: request)
    {
      return refuse(request, .forbidden, Self.staleForm, &content, &fields)
    }
    let answer = respond(page, match, visitor, session, request, &content, &fields)
    store(answer, page, visitor, &content)
    guard !isUnfinished else { return answer.status }
    finish(answer, visitor, isRenewal: isRenewal, request, &storage, &content, &fields)
    return answer.status
  }

  /// Stores the answer of a page in `outcome`.
  @_lifetime(content: copy content)
  private mutating func store(
    _ answer: Answer, _ page: A.Page, _ visitor: borrowing Visitor<A.User>, _ content: inout Writer
  ) {
    switch answer.action {
    case .later: outcome.kind = .later
    case .receive(let countMax):
      // The text that was written is the first state of the upload.
      pendingUpload = KeptUpload<A.UploadState>.loaded(content.span)
      content.truncate(to: 0)
      if answer.overflowed { content.overflow() }
      outcome.kind = .upload(countMax: countMax)
    case .none, .toNext, .toLogin, .refuse:
      outcome.kind = answer.content.of(page, A._hasStreams ? visitor.user?.id.streamLogin ?? 0 : 0)
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
    if A._hasStreams, answer.session.isChanged || answer.session.isDeleted, let user = visitor.user,
      after.isMinted || after.userID != user.id
    {
      memory.endStreams(login: user.id.streamLogin)
    }
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
    _ obstacle: Visitor<A.User>.Obstacle, _ match: borrowing RouteMatch, _ request: borrowing IncomingRequest,
    _ content: inout Writer, _ fields: inout Writer
  ) -> Status {
    if obstacle == .role {
      let reason: StaticString =
        A._hasCredentials
        ? "This account or token may not open this page." : "Your account may not open this page."
      return refuse(request, .forbidden, reason, &content, &fields)
    }
    let preference = request.head.fields(in: request.octets).htmlPreference
    if A._hasSessions, preference != .excluded, preference != .possible || !outcome.isForPrograms {
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

  /// Lets the page answer, in the room that remains in both writers.
  @inline(never)
  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  private mutating func respond(
    _ page: A.Page, _ match: borrowing RouteMatch, _ visitor: borrowing Visitor<A.User>,
    _ session: consuming Session, _ request: borrowing IncomingRequest, _ content: inout Writer,
    _ fields: inout Writer
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
      let isUpload = match.content == .upload
      invariant(
        isUpload && !isFinishing, "a page receives content once, and its route is an upload")
    }
    note(answer, &content, &fields)
    return answer
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
    _ answer: borrowing Answer, _ content: inout Writer, _ fields: inout Writer
  ) {
    PageText.end()
    UnderWay.end()
    content.advance(by: answer.contentCount)
    fields.advance(by: answer.fieldsCount)
    if answer.overflowed { content.overflow() }
    outcome.pauseMilliseconds = answer.pauseMilliseconds
    outcome.stopsProgram = answer.stopsProgram
  }
}

extension IncomingRequest {
  /// The request line up to the end of its path, such as `GET /items/5`.
  var line: Span<UInt8> {
    @_lifetime(copy self)
    get { octets.extracting(first: head.target.path.end) }
  }
}
