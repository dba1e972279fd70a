// The Authorization header of a request → the visitor. The header is read before the session cookie.

import MartletBytes
import MartletHTTP
import MartletServer
import MartletToken

extension SiteResponder where A: ~Copyable {
  /// Finds the user whose credentials the request carries.
  ///
  /// - Returns: A status where the request ends here: its answer has been written, or comes in a later turn.
  ///   `nil` where the request goes on.
  @inline(never)
  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  mutating func readCredentials(
    _ match: borrowing RouteMatch, _ request: borrowing IncomingRequest, _ visitor: inout Visitor<A.User>,
    _ content: inout Writer, _ fields: inout Writer
  ) -> Status? {
    // The head's parser has refused a second Authorization (HeadFields.swift). Another scheme is ignored,
    // because the header may be meant for a proxy before the program.
    guard let value = request.head.fields(in: request.octets).value(of: "Authorization") else { return nil }
    let check: CredentialsCheck<A.User>
    if A._acceptsPasswords {
      check = self.check(value, match, request)
    } else if let token = Authorization.bearerToken(in: value) {
      check = self.check(.bearer(token), value, value.extracting(0..<0), match, request)
    } else {
      return nil
    }
    switch check {
    case .user(let user):
      visitor.user = user
      // The password or the token came with this request, so the login is fresh.
      visitor.isFresh = true
      visitor.passwordAge = 0
      return nil
    case .later:
      outcome.kind = .later
      return .ok
    case .wait(let seconds):
      fields.append("Retry-After: ")
      fields.append(decimal: seconds)
      fields.append("\r\n")
      return refuse(request, .tooManyRequests, "Too many failed attempts.", &content, &fields)
    case .wrong: return challenge(request, &content, &fields)
    case .ignored: return nil
    }
  }

  /// Checks the credentials of either scheme.
  private mutating func check(
    _ value: Span<UInt8>, _ match: borrowing RouteMatch, _ request: borrowing IncomingRequest
  ) -> CredentialsCheck<A.User> {
    var buffer = CredentialsBuffer()
    defer { buffer.wipe() }
    var room = buffer.storageSpan
    do throws(AuthorizationRefusal) {
      let authorization = try Authorization.parse(value, into: &room)
      // A browser adds Basic by itself, also to a form of another site. A token comes from the script.
      if A._hasSharing, approach.isForeign, case .basic = authorization { return .ignored }
      return check(authorization, value, room.span, match, request)
    } catch {
      return error == .schemeUnknown ? .ignored : .wrong
    }
  }

  private mutating func check(
    _ authorization: Authorization, _ value: Span<UInt8>, _ decoded: Span<UInt8>,
    _ match: borrowing RouteMatch, _ request: borrowing IncomingRequest
  ) -> CredentialsCheck<A.User> {
    memory.work.enter(request.connection, now: request.moment.monotonicMilliseconds)
    let view = view(request, match, Visitor())
    switch authorization {
    case .basic(let user, let password):
      return site._user(Credentials(name: decoded[user], password: decoded[password], memory), view)
    case .bearer(let token): return site._user(Credentials(token: value[token], memory), view)
    }
  }

  /// Answers 401 with WWW-Authenticate, which asks the client for credentials. A client that has sent a token learns
  /// that the token is not valid.
  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  mutating func challenge(
    _ request: borrowing IncomingRequest, _ content: inout Writer, _ fields: inout Writer
  ) -> Status {
    fields.append("WWW-Authenticate: ")
    var isToken = false
    if let value = request.head.fields(in: request.octets).value(of: "Authorization") {
      isToken = Authorization.bearerToken(in: value) != nil
    }
    fields.append(A._challenge, isTokenInvalid: isToken)
    fields.append("\r\n")
    return refuse(request, .unauthorized, "This page asks for a login or a token.", &content, &fields)
  }
}
