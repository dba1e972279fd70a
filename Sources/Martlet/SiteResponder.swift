// The whole journey in one place: request → route → session → user → page → response → cookies.

package import MartletBytes
import MartletHTTP
package import MartletServer
import MartletToken

/// Answers requests with an application's pages: for the server, and for tests without one.
///
/// What an application does not have - sessions - is left out where `A.hasSessions` is asked: the
/// optimizer knows the answer.
package struct SiteResponder<A: Application & ~Copyable>: Responder, ~Copyable {
  var site: A
  let key: HMACKey
  /// How browsers reach the program, and the port that it listens on.
  let reach: Reach
  let port: UInt16
  /// How the browser that is being answered has come.
  var approach: Approach
  /// For whom tokens are remembered.
  let tokenOwner: UInt32
  /// What the time is. Only where there are sessions.
  var keeper: ClockKeeper
  /// What has become of the request that is being answered.
  var kind = Reply.Kind.written
  /// What the page of an upload notes at first.
  var uploadCursor = Cursor()
  /// How long that request rests before it comes again.
  var pauseMilliseconds = 0

  /// - Parameters:
  ///   - secret: What cookies are signed with; without one, with a key that nobody knows.
  ///   - reach: How browsers reach the program.
  ///   - port: The port that the program listens on.
  package init(
    _ site: consuming A, secret: Span<UInt8>, reach: Reach = Reach(), port: UInt16 = 0
  ) {
    keeper = ClockKeeper(newest: A.hasSessions ? site.newestMoment : 0)
    self.site = site
    tokenOwner = TokenCache.newOwner()
    self.reach = reach
    self.port = port
    approach = Approach(isHTTPS: false)
    guard A.hasSessions else {
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

  package static var fields: StaticString { A.fields }

  package mutating func respond(
    to request: borrowing IncomingRequest, content: consuming Writer, fields: consuming Writer
  ) -> Reply {
    kind = .written
    if A.hasSessions { keeper.update(request.moment) }
    pauseMilliseconds = 0
    fields.append(A.fields)
    let fieldsStart = fields.count
    var status = journey(request, &content, &fields)
    if content.overflowed || fields.overflowed {
      status = writeOverflow(from: fieldsStart, &content, &fields)
    }
    var reply = Reply(
      status: status, contentCount: content.count, fieldsCount: fields.count, kind: kind)
    reply.pauseMilliseconds = pauseMilliseconds
    if reply.isUnfinished {
      reply.turn = PasswordWork.turn
    } else {
      PasswordWork.end(request.connection)
    }
    return reply
  }

  /// Says what the system would say about its clock.
  package mutating func simulateClock(boot: Int64, isSynchronized: Bool) {
    keeper.simulate(boot: boot, isSynchronized: isSynchronized)
  }

  /// What the page has written does not fit: an error page takes its place.
  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  mutating func writeOverflow(
    from fieldsStart: Int, _ content: inout Writer, _ fields: inout Writer
  ) -> Status {
    if case .file(let file, _) = kind { OpenFile.close(file) }
    kind = .written
    content.truncate(to: 0)
    fields.truncate(to: fieldsStart)
    let reason: StaticString =
      PageText.isMisused
      ? "A bug: this page puts a text into a tag, a script or a style."
      : "What this page wanted to say does not fit this device's memory."
    return refuse(.internalServerError, reason, &content, &fields)
  }

  /// Writes an error page with its fields.
  ///
  /// - Returns: The status, for the caller to return.
  @inline(never)
  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  func refuse(
    _ status: Status, _ reason: StaticString, _ content: inout Writer, _ fields: inout Writer
  ) -> Status {
    writeErrorPage(status, reason, &content)
    RefusalPage.writeFields(to: &fields)
    return status
  }

  /// Writes an error page, with a link to the first page where there is one.
  @inline(never)
  @_lifetime(content: copy content)
  private func writeErrorPage(_ status: Status, _ reason: StaticString, _ content: inout Writer) {
    let home: StaticString = "/"
    RefusalPage.write(
      status, reason.octets, home: A.isAnsweredByGET(home.octets) ? home : "",
      below: A.isGuarded ? PageText.prefix : Span(), to: &content)
  }

  /// Writes the error page that a page has asked for; its fields come with the answer's.
  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  func writeRefusal(
    _ status: Status, _ reason: StaticString, _ content: inout Writer, _ fields: inout Writer
  ) {
    writeErrorPage(status, reason, &content)
    fields.append("Content-Type: text/html; charset=utf-8\r\n")
  }

  /// From the route to the cookies.
  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  private mutating func journey(
    _ request: borrowing IncomingRequest, _ content: inout Writer, _ fields: inout Writer
  ) -> Status {
    if A.isGuarded {
      approach = Approach(isHTTPS: A.usesHTTPS || reach.isHTTPS)
      PageText.setPrefix(reach.prefix.span)
      if reach.proxies.contains(request.peer) {
        approach.read(request.head.fields(in: request.octets))
      }
      // Before anything else is decided: nothing of this request counts.
      if A.hasSessions || !request.head.method.isSafe, isMisdirected(request) {
        if let host = request.head.host {
          site.refused(
            host: request.octets[host], request.head.fields(in: request.octets), from: request.peer)
        }
        RefusalPage.write(.misdirectedRequest, Self.misdirected.octets, to: &content)
        RefusalPage.writeFields(to: &fields)
        return .misdirectedRequest
      }
    }
    let path = request.octets[request.head.target.path]
    switch A.destination(request.head.method, path) {
    case .nowhere:
      if request.head.method == .options, path.equals("*") { return .ok }
      return writePlainLocation(request, scratch: content.roomSpan, &fields)
        ?? refuse(.notFound, "There is no such page here.", &content, &fields)
    case .otherMethods(let methods):
      fields.append(field: "Allow", value: methods.allow)
      if request.head.method == .options { return .ok }
      return refuse(
        .methodNotAllowed, "This page cannot be asked for in this way.", &content, &fields)
    case .page(let page, let access, let takesPieces):
      // Where nothing takes POST, what checks it is left out.
      if A.isGuarded, request.head.method == .post,
        let refusal = request.refusal(asForm: !takesPieces, approach.scheme)
      {
        return refuse(refusal.status, refusal.reason, &content, &fields)
      }
      if A.hasSessions {
        var storage = PageText.sessionMemory
        return enter(page, access, request, &storage, &content, &fields)
      }
      guard !access.needsLogin else {
        return refuse(.forbidden, "Nobody can log in here.", &content, &fields)
      }
      return enterWithoutSession(page, request, &content, &fields)
    }
  }

  /// Whether the request is for a host that the program does not answer.
  private func isMisdirected(_ request: borrowing IncomingRequest) -> Bool {
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
  private mutating func enterWithoutSession(
    _ page: A.Page, _ request: borrowing IncomingRequest, _ content: inout Writer,
    _ fields: inout Writer
  ) -> Status {
    let answer = respond(page, .everyone, Visitor(), Session(), request, &content, &fields)
    kind = answer.content.of(page)
    switch answer.action {
    case .none: break
    case .refuse(let reason): writeRefusal(answer.status, reason, &content, &fields)
    case .later: kind = .later
    case .take(let cursor, let countMax): beginUpload(cursor, countMax, page)
    case .toNext, .toLogin: stop("an application without sessions has no login")
    }
    return answer.status
  }

  /// - Parameter storage: Memory for the session.
  @inline(never)
  @_lifetime(storage: copy storage)
  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  private mutating func enter(
    _ page: A.Page, _ access: Access, _ request: borrowing IncomingRequest,
    _ storage: inout MutableSpan<UInt8>, _ content: inout Writer, _ fields: inout Writer
  ) -> Status {
    var session = Session(storage._mutatingExtracting(0..<storage.count))
    var visitor = Visitor<A.User>()
    readSession(request, &session, &visitor)
    var isRenewal = false
    // A session that names somebody gone does not fall back to the remember cookie, as in Microdot.
    // Where a fresh login is asked for, a restored one would not do, so the cookie is left alone. At the
    // login page a restored login leads on (`writeWayOn`), and tells the page which user's cookie came.
    let isLogin = A.skipsLogin && request.octets[request.head.target.path].equals(site.loginPath)
    if access.rule == .loggedIn || isLogin, visitor.user == nil, !visitor.sessionIsDead {
      restoreLogin(request, &session, &visitor, scratch: content.roomSpan)
      isRenewal = visitor.user != nil
    }
    guard visitor.mayEnter(access) else {
      if visitor.sessionIsDead { session.logOut() }
      let status = turnAway(page, request, &content, &fields)
      writeCookies(request, session, isRenewal: false, to: &fields)
      fields.append("Cache-Control: no-store\r\nVary: Cookie\r\n")
      return status
    }
    if isLogin, visitor.user != nil, request.head.method != .post,
      writeWayOn(request, visitor, &fields)
    {
      return .found
    }
    let answer = respond(page, access, visitor, session, request, &content, &fields)
    switch answer.action {
    case .later:
      kind = .later
      return answer.status
    case .take(let cursor, let countMax): beginUpload(cursor, countMax, page)
      return answer.status
    case .none, .toNext, .toLogin, .refuse: kind = answer.content.of(page)
    }
    complete(answer, request, &content, &fields)
    if answer.session.overflowed { content.overflow() }
    if answer.isPublic { return answer.status }
    var after = Session(storage._mutatingExtracting(0..<storage.count), answer.session)
    if after.isMinted {
      after.stamp(keeper.clock, A.sessionLimits, age: after.age, passwordAge: 0)
    } else if visitor.isDue, after.userID != nil {
      renew(request, &after, visitor)
    }
    if after.outcome.overflowed { content.overflow() }
    // A page that logs out has the last word on the remember cookie.
    let renews = isRenewal && answer.session.remember != .clear
    if after.wantsCookies { writeCookies(request, after, isRenewal: renews, to: &fields) }
    return answer.status
  }

  /// Answers who may not enter: a person is sent to the login page, a program is told with 401.
  ///
  /// The scheme `Session` is nobody's, so a browser asks for no password of its own (RFC 9110 §11.6.1
  /// demands the field, and Basic would open a dialog).
  @inline(never)
  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  private mutating func turnAway(
    _ page: A.Page, _ request: borrowing IncomingRequest, _ content: inout Writer,
    _ fields: inout Writer
  ) -> Status {
    let preference = request.head.fields(in: request.octets).htmlPreference
    guard preference == .excluded || preference == .possible && A.route(to: page).isForPrograms else {
      writeLoginLocation(request, keepingNext: false, &fields)
      return .found
    }
    fields.append(
      "WWW-Authenticate: Session realm=\"this device\"\r\nContent-Type: text/plain; charset=utf-8\r\n")
    content.append("This page needs a login. Log in at ")
    content.append(PageText.prefix)
    content.append(site.loginPath)
    content.append(" and send the cookie of that answer with each request.\n")
    return .unauthorized
  }

  /// Writes the Location of the page whose path the request spells in another way (PlainPath.swift).
  ///
  /// - Parameter scratch: Memory to work in.
  /// - Returns: The status, or `nil` when no page with that path answers the method, or when the query
  ///   does not fit.
  @inline(never)
  @_lifetime(fields: copy fields)
  private func writePlainLocation(
    _ request: borrowing IncomingRequest, scratch: consuming MutableSpan<UInt8>,
    _ fields: inout Writer
  ) -> Status? {
    let target = request.head.target
    guard let count = PlainPath.write(request.octets[target.path], to: &scratch) else { return nil }
    let path = scratch.span.extracting(0..<count)
    guard case .page = A.destination(request.head.method, path) else { return nil }
    let start = fields.count
    fields.append("Cache-Control: no-store\r\nLocation: ")
    if A.isGuarded { fields.append(PageText.prefix) }
    NextTarget.write(path: path, to: &fields)
    if let query = target.query { NextTarget.write(query: request.octets[query], to: &fields) }
    fields.append("\r\n")
    guard fields.overflowed else { return .permanentRedirect }
    fields.truncate(to: start)
    return nil
  }

  /// Lets the page answer, in what remains of the two writers.
  @inline(never)
  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  private mutating func respond(
    _ page: A.Page, _ access: Access, _ visitor: borrowing Visitor<A.User>, _ session: consuming Session,
    _ request: borrowing IncomingRequest, _ content: inout Writer, _ fields: inout Writer
  ) -> Answer {
    let view = Request<A.User>(
      request.copy(), user: visitor.user, isFresh: visitor.isFresh, clock: keeper.clock)
    PasswordWork.enter(
      request.connection, now: request.moment.monotonicMilliseconds)
    let response = Response(
      fields: fields.remainder, session: session, isForEveryone: access == .everyone)
    PageText.begin(in: content.roomSpan)
    let answer = site.respond(to: page, view, response)
    PageText.end()
    content.advance(by: answer.contentCount)
    fields.advance(by: answer.fieldsCount)
    if answer.overflowed { content.overflow() }
    pauseMilliseconds = answer.pauseMilliseconds
    return answer
  }

  /// Adds to an answer what only the library knows.
  @inline(never)
  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  private mutating func complete(
    _ answer: borrowing Answer, _ request: borrowing IncomingRequest, _ content: inout Writer,
    _ fields: inout Writer
  ) {
    switch answer.action {
    case .none, .later, .take: return
    case .toLogin: writeLoginLocation(request, keepingNext: true, &fields)
    case .toNext(let path):
      _ = writeNextLocation(request, orElse: path, &fields)
      fields.append("\r\n")
    case .refuse(let reason): writeRefusal(answer.status, reason, &content, &fields)
    }
  }

  /// Writes the Location of where a login leads: the `next` of the query where it is a path of this
  /// site that GET may answer, or else `path`.
  ///
  /// - Returns: Where the path begins in what has been written.
  @inline(never)
  @_lifetime(fields: copy fields)
  private func writeNextLocation(
    _ request: borrowing IncomingRequest, orElse path: StaticString, _ fields: inout Writer
  ) -> Int {
    fields.append("Location: ")
    fields.append(PageText.prefix)
    let start = fields.count
    var isWritten = false
    if let next = request.query["next"], NextTarget.write(next, to: &fields) {
      isWritten = true
      // What only POST answers, such as a logout, would be answered 405.
      if case .otherMethods = destination(fields.span, from: start) { isWritten = false }
    }
    if !isWritten {
      fields.truncate(to: start)
      fields.append(path)
    }
    return start
  }

  /// What GET finds at a target that ends a text.
  private func destination(_ text: Span<UInt8>, from start: Int) -> Destination<A.Page> {
    A.destination(
      .get, text.extracting(start..<(text.firstIndex(of: 0x3F, from: start) ?? text.count)))
  }

  /// Sends somebody who is logged in from the login page to where a login would lead.
  ///
  /// - Returns: Whether the visitor may enter there; nothing is written where it takes a fresher login.
  @inline(never)
  @_lifetime(fields: copy fields)
  private func writeWayOn(
    _ request: borrowing IncomingRequest, _ visitor: borrowing Visitor<A.User>,
    _ fields: inout Writer
  ) -> Bool {
    let start = fields.count
    let pathStart = writeNextLocation(request, orElse: "/", &fields)
    if case .page(_, let access, _) = destination(fields.span, from: pathStart),
      !visitor.mayEnter(access)
    {
      fields.truncate(to: start)
      return false
    }
    fields.append("\r\nCache-Control: no-store\r\nVary: Cookie\r\n")
    return true
  }

  /// Writes the Location of the login page.
  ///
  /// - Parameter keepingNext: Whether to hand on the `next` of this request's query, or else to come
  ///   back to this request's target. A target that GET does not answer is no place to come back to.
  @inline(never)
  @_lifetime(fields: copy fields)
  private mutating func writeLoginLocation(
    _ request: borrowing IncomingRequest, keepingNext: Bool, _ fields: inout Writer
  ) {
    fields.append("Location: ")
    fields.append(PageText.prefix)
    fields.append(site.loginPath)
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
  /// Why a POST is not one of this site's, or `nil`.
  ///
  /// - Parameters:
  ///   - asForm: Whether its content is to be a form.
  ///   - scheme: By which the browser has come.
  fileprivate func refusal(
    asForm: Bool, _ scheme: Approach.Scheme
  ) -> (status: Status, reason: StaticString)? {
    if let reason = crossOriginRefusal(scheme) { return (.forbidden, reason) }
    guard asForm, content.count > 0 else { return nil }
    let fields = head.fields(in: octets)
    guard let mediaType = fields.value(of: "Content-Type") else { return nil }
    let end = mediaType.firstIndex(of: 0x3B) ?? mediaType.count
    let essence = mediaType.extracting(mediaType.trimmed(0..<end))
    if essence.equalsIgnoringCase("application/x-www-form-urlencoded") { return nil }
    return (
      .unsupportedMediaType,
      """
      This page takes forms of the type application/x-www-form-urlencoded only. curl sends such a form \
      with -d or --data-urlencode, and another one with -F.
      """
    )
  }
}
