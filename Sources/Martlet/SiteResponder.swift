// The whole journey in one place: request → route → session → user → page → response → cookies.

package import MartletBytes
import MartletHTTP
package import MartletServer
import MartletToken

/// Answers requests with an application's pages: for the server, and for tests without one.
package struct SiteResponder<A: Application & ~Copyable>: Responder, ~Copyable {
  var site: A
  /// The secret's key. An application without logins has one that nobody knows.
  let key: HMACKey
  /// The session of the request under way: exactly one.
  var state: InlineArray<1, SessionState>
  /// Whether the page wants to be asked again.
  private var isUnfinished = false

  package init(_ site: consuming A, secret: Span<UInt8>) {
    self.site = site
    key = HMACKey(secret)
    state = InlineArray { _ in SessionState() }
  }

  /// For an application without a secret: cookies are signed with a key that nobody knows.
  init(_ site: consuming A) {
    var secret = Digest(repeating: 0)
    var target = secret.mutableSpan
    Random.fill(&target)
    self.init(site, secret: secret.span)
  }

  package mutating func respond(
    to request: borrowing IncomingRequest, content: consuming Writer, fields: consuming Writer
  ) -> Reply {
    state[0].reset()
    isUnfinished = false
    fields.append(A.fields)
    let fieldsStart = fields.count
    var status = journey(request, &content, &fields)
    if content.overflowed || fields.overflowed || state[0].overflowed {
      content.truncate(to: 0)
      fields.truncate(to: fieldsStart)
      status = refuse(
        .internalServerError, "What this page wanted to say does not fit this device's memory.",
        &content, &fields)
    }
    return Reply(
      status: status, contentCount: content.count, fieldsCount: fields.count,
      isUnfinished: isUnfinished)
  }

  /// From the route to the cookies.
  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  private mutating func journey(
    _ request: borrowing IncomingRequest, _ content: inout Writer, _ fields: inout Writer
  ) -> Status {
    let path = request.octets[request.head.target.path]
    switch A.destination(request.head.method, path) {
    case .nowhere:
      if request.head.method == .options, path.equals("*") { return .ok }
      return refuse(.notFound, "There is no such page here.", &content, &fields)
    case .otherMethods(let methods):
      fields.append(field: "Allow", value: methods.allow)
      if request.head.method == .options { return .ok }
      return refuse(
        .methodNotAllowed, "This page cannot be asked for in this way.", &content, &fields)
    case .page(let page, let access):
      if let refusal = precondition(request) {
        return refuse(refusal.0, refusal.1, &content, &fields)
      }
      return enter(page, access, request, &content, &fields)
    }
  }

  /// What a request that changes something must fulfil.
  private func precondition(_ request: borrowing IncomingRequest) -> (Status, StaticString)? {
    guard request.head.method == .post else { return nil }
    if request.isCrossOrigin {
      return (.forbidden, "This request was caused by a page of another site.")
    }
    guard request.content.count > 0 else { return nil }
    let fields = request.head.fields(in: request.octets)
    guard let mediaType = fields.value(of: "Content-Type") else { return nil }
    let end = mediaType.firstIndex(of: 0x3B) ?? mediaType.count
    let essence = mediaType.extracting(mediaType.trimmed(0..<end))
    if essence.equalsIgnoringCase("application/x-www-form-urlencoded") { return nil }
    return (.unsupportedMediaType, "This page takes forms only.")
  }

  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  private mutating func enter(
    _ page: A.Page, _ access: Access, _ request: borrowing IncomingRequest,
    _ content: inout Writer, _ fields: inout Writer
  ) -> Status {
    var visitor = readSession(request)
    var isRenewal = false
    // A session that names somebody gone does not fall back to the remember cookie, as in Microdot.
    // Where a fresh login is asked for, a restored one would not do, so the cookie is left alone.
    if access.rule == .loggedIn, visitor.user == nil, !visitor.sessionIsDead {
      visitor.user = restoreLogin(request)
      isRenewal = visitor.user != nil
    }
    guard visitor.mayEnter(access, now: request.moment.unixSeconds) else {
      if visitor.sessionIsDead { state[0].logOut() }
      writeLoginLocation(request, keepingNext: false, &fields)
      writeCookies(request, isRenewal: false, to: &fields)
      fields.append("Cache-Control: no-store\r\nVary: Cookie\r\n")
      return .found
    }
    let answer = respond(page, visitor, request, &content, &fields)
    if case .later = answer.action {
      isUnfinished = true
      return answer.status
    }
    complete(answer, request, &content, &fields)
    if answer.isPublic { return answer.status }
    // A page that logs out has the last word on the remember cookie.
    writeCookies(request, isRenewal: isRenewal && state[0].remember != .clear, to: &fields)
    return answer.status
  }

  /// Lets the page answer, in what remains of the two writers.
  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  private mutating func respond(
    _ page: A.Page, _ visitor: consuming Visitor<A.User>, _ request: borrowing IncomingRequest,
    _ content: inout Writer, _ fields: inout Writer
  ) -> Answer {
    let view = Request<A.User>(request.copy(), user: visitor.user, isFresh: visitor.isFresh)
    let response = Response(
      content: content.remainder, fields: fields.remainder, session: Session(state.mutableSpan),
      time: request.moment.unixSeconds)
    let answer = site.respond(to: page, view, response)
    content.advance(by: answer.contentCount)
    fields.advance(by: answer.fieldsCount)
    if answer.overflowed { content.overflow() }
    return answer
  }

  /// Adds to an answer what only the library knows.
  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  private func complete(
    _ answer: Answer, _ request: borrowing IncomingRequest, _ content: inout Writer,
    _ fields: inout Writer
  ) {
    switch answer.action {
    case .none, .later: return
    case .toLogin: writeLoginLocation(request, keepingNext: true, &fields)
    case .toNext(let path):
      fields.append("Location: ")
      if let next = request.query["next"], NextTarget.write(next, to: &fields) {
        fields.append("\r\n")
      } else {
        fields.append(path)
        fields.append("\r\n")
      }
    case .refuse(let reason):
      RefusalPage.write(answer.status, reason, to: &content)
      fields.append("Content-Type: text/html; charset=utf-8\r\n")
    }
  }

  /// Writes the Location of the login page.
  ///
  /// - Parameter keepingNext: Whether to hand on the `next` of this request's query, or else to come
  ///   back to this request's target.
  @_lifetime(fields: copy fields)
  private func writeLoginLocation(
    _ request: borrowing IncomingRequest, keepingNext: Bool, _ fields: inout Writer
  ) {
    fields.append("Location: ")
    fields.append(site.loginPath)
    let start = fields.count
    fields.append("?next=")
    var isWritten = false
    if !keepingNext {
      isWritten = NextTarget.encode(request, to: &fields)
    } else if let next = request.query["next"] {
      isWritten = NextTarget.reencode(next, to: &fields)
    }
    if !isWritten { fields.truncate(to: start) }
    fields.append("\r\n")
  }

  /// Writes an error page.
  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  private func refuse(
    _ status: Status, _ reason: StaticString, _ content: inout Writer, _ fields: inout Writer
  ) -> Status {
    RefusalPage.write(status, reason, to: &content)
    RefusalPage.writeFields(to: &fields)
    return status
  }
}
