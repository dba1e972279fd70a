// Cookies → the visitor. A token is checked in this order: its signature, its times, its purpose, the user,
// the user's epoch. The application must know the user, and the token's epoch must be the user's. A visitor
// whose token fails a check is not logged in; the response does not say which check failed.
//
// Of several cookies with one name, the first valid cookie counts. Other programs of the host can put cookies
// of that name before it. At most `Limits.cookieTryCountMax` cookies of a name are checked.

import MartletBytes
import MartletHTTP
import MartletServer
import MartletTLS
import MartletToken

/// How long a session lasts.
public struct SessionLimits: Sendable {
  /// Seconds that a session may be unused, and seconds from the login to the end of the session.
  let idleTime: Int64
  let lifetime: Int64

  /// - Parameters:
  ///   - unused: How long a session may be unused.
  ///   - inAll: How long a session may last, however much it is used.
  public init(unused: Duration, inAll: Duration) {
    idleTime = SessionFacts.duration(unused.components.seconds)
    lifetime = SessionFacts.duration(inAll.components.seconds)
  }

  /// Seconds until a session of that age ends, if it is not used.
  func lifetime(age: Int64) -> Int64 { min(idleTime, lifetime - age) }

  /// Whether the end of the session must be moved. The end moves after a sixteenth of the idle time, not at
  /// each request.
  func isDue(after seconds: Int64) -> Bool { seconds >= idleTime / 16 }
}

/// The visitor of one request.
struct Visitor<User: SessionUser> {
  var user: User?
  var isFresh = false
  /// Seconds since the session began, and since the password was entered; `nil` when they are not known.
  var age: Int64?
  var passwordAge: Int64?
  /// Whether the session's token must be minted anew.
  var isDue = false
  /// Whether the session's token is valid but names a user who is gone, or a session that was ended.
  var sessionIsDead = false

  /// Why a visitor may not enter.
  enum Obstacle {
    /// No user is logged in, or the login is not fresh enough.
    case login
    /// The user lacks a role.
    case role
  }

  /// What keeps the visitor from a page; `nil` where the visitor may enter.
  func obstacle(to access: Access) -> Obstacle? {
    guard access.needsLogin else { return nil }
    guard let user else { return .login }
    guard access.allows(user.roles) else { return .role }
    guard access.needsFreshLogin else { return nil }
    guard isFresh, access.passwordAgeMax == .max || (passwordAge ?? .max) <= access.passwordAgeMax else {
      return .login
    }
    return nil
  }
}

extension SiteResponder where A: ~Copyable {
  /// Reads the session and the user that it names.
  @inline(never)
  @_lifetime(session: copy session)
  mutating func readSession(
    _ request: borrowing IncomingRequest, _ session: inout Session,
    _ visitor: inout Visitor<A.User>
  ) {
    readSession(named: cookies.name(of: .session), request, &session, &visitor)
    guard visitor.user == nil, !visitor.sessionIsDead, mayHaveOlderCookies(request) else { return }
    readSession(named: olderCookies.name(of: .session), request, &session, &visitor)
    if visitor.user != nil { session.writeAgain() }
  }

  /// Whether cookies count that the browser has from before the program had TLS, under names without a prefix. They
  /// were sent unencrypted, and others can put such cookies into a browser. So they count only where they let
  /// nobody change anything, and where a list of sessions can end them. The answer has the cookie with the name of
  /// today.
  private func mayHaveOlderCookies(_ request: borrowing IncomingRequest) -> Bool {
    A._hasTLS && A._listsSessions && RequestChannel.current == .encrypted && request.head.method.isSafe
  }

  /// The two cookies as a browser has them from before the program had TLS.
  private var olderCookies: OwnCookies {
    var older = cookies
    older.isSecure = false
    return older
  }

  @inline(never)
  @_lifetime(session: copy session)
  private mutating func readSession(
    named name: borrowing FixedBuffer<64>, _ request: borrowing IncomingRequest, _ session: inout Session,
    _ visitor: inout Visitor<A.User>
  ) {
    var tokens = CookieValues(of: name.span, in: request.head.cookieFields(in: request.octets))
    for _ in 0..<Limits.cookieTryCountMax {
      guard let token = tokens.next() else { return }
      var facts = SessionFacts()
      guard
        session.load(
          token, key, memory, owner: tokenOwner, keeper.clock, A._listsSessions ? nil : A._sessionLimits,
          &facts)
      else { continue }
      guard let id = facts.user else { return }
      visitor.user = user(id, epoch: facts.epoch, facts.hasEpoch)
      visitor.sessionIsDead = visitor.user == nil
      guard !visitor.sessionIsDead else { continue }
      visitor.isFresh = facts.isFresh
      return note(facts, &visitor)
    }
  }

  /// Computes the age of the session, and whether its token must be minted anew.
  private mutating func note(_ facts: SessionFacts, _ visitor: inout Visitor<A.User>) {
    guard let seconds = facts.seconds(at: keeper.clock) else { return }
    visitor.age = facts.age + seconds
    visitor.passwordAge = facts.passwordAge + seconds
    guard !A._listsSessions, facts.hasEpoch else { return }
    // A token that was minted before the time of day was known is minted anew once the time is known.
    visitor.isDue =
      facts.at == SessionFacts.none && keeper.clock.isSet
      || A._sessionLimits.map { $0.isDue(after: seconds) } ?? false
  }

  /// Mints the session's token anew. A remember cookie without a time of day for its end gets one.
  @inline(never)
  @_lifetime(session: copy session)
  mutating func renew(
    _ request: borrowing IncomingRequest, _ session: inout Session,
    _ visitor: borrowing Visitor<A.User>
  ) {
    session.stamp(
      keeper.clock, A._sessionLimits, age: visitor.age ?? 0, passwordAge: visitor.passwordAge ?? 0)
    guard keeper.clock.isSet, session.remember == .keep else { return }
    var scratch = FixedBuffer<576>()
    var target = scratch.storageSpan
    let name = cookies.name(of: .remember)
    var tokens = CookieValues(of: name.span, in: request.head.cookieFields(in: request.octets))
    guard let token = tokens.next(), let found = remembered(token, into: &target),
      !found.hasExpiration
    else { return }
    session.setRemember(.set(days: found.days))
  }

  /// Restores a login from the remember cookie. A restored login is never fresh. The session then names the
  /// user, and the remember cookie is renewed for its original number of days.
  ///
  /// A remember cookie with a valid signature but without a known user is deleted.
  ///
  /// - Parameter scratch: Memory for the token's claims.
  @inline(never)
  @_lifetime(session: copy session)
  mutating func restoreLogin(
    _ request: borrowing IncomingRequest, _ session: inout Session,
    _ visitor: inout Visitor<A.User>, scratch: consuming MutableSpan<UInt8>
  ) {
    restoreLogin(named: cookies.name(of: .remember), request, &session, &visitor, scratch: &scratch)
    guard visitor.user == nil, mayHaveOlderCookies(request) else { return }
    restoreLogin(named: olderCookies.name(of: .remember), request, &session, &visitor, scratch: &scratch)
  }

  @inline(never)
  @_lifetime(session: copy session)
  private mutating func restoreLogin(
    named name: borrowing FixedBuffer<64>, _ request: borrowing IncomingRequest, _ session: inout Session,
    _ visitor: inout Visitor<A.User>, scratch: inout MutableSpan<UInt8>
  ) {
    var tokens = CookieValues(of: name.span, in: request.head.cookieFields(in: request.octets))
    for _ in 0..<Limits.cookieTryCountMax {
      guard let token = tokens.next() else { return }
      guard let found = remembered(token, into: &scratch) else { continue }
      visitor.user = user(found.user, epoch: found.epoch, found.hasEpoch)
      guard let user = visitor.user else {
        session.setRemember(.clear)
        continue
      }
      session.logIn(user.id, epoch: user.epoch, isFresh: false, age: found.age)
      session.setRemember(.set(days: found.days))
      return
    }
  }

  /// What a remember token says; `nil` where the token is not valid.
  ///
  /// - Parameter scratch: Memory for the token's claims.
  @inline(never)
  private mutating func remembered(
    _ token: Span<UInt8>, into scratch: inout MutableSpan<UInt8>
  ) -> RememberFacts? {
    guard let count = key.claims(of: token, into: &scratch),
      let claims = try? ClaimsSet(scratch.span.extracting(0..<count)),
      let facts = RememberFacts(
        claims, keeper.clock, isListed: A._listsSessions, A._sessionLimits)
    else { return nil }
    return facts
  }

  /// The user with that identifier, when the application knows the user and the user's epoch is the token's.
  /// A token without an epoch was minted by Microdot.
  @inline(never)
  private mutating func user(_ id: UserID, epoch: Int64?, _ hasEpoch: Bool) -> A.User? {
    if hasEpoch { return epoch.flatMap { site._user(id, epoch: $0, at: keeper.clock) } }
    return A._acceptsMicrodotTokens ? site._user(id) : nil
  }
}

/// What a valid remember token says.
struct RememberFacts {
  let user: UserID
  let epoch: Int64?
  let hasEpoch: Bool
  let hasExpiration: Bool
  let days: UInt16
  /// Age of the session in seconds.
  let age: Int64

  /// - Parameter isListed: Whether the application's list says when the session ends.
  /// - Returns: `nil` when the token is no remember token, or not valid now.
  init?(
    _ claims: borrowing ClaimsSet, _ clock: SystemClock, isListed: Bool, _ limits: SessionLimits?
  ) {
    // A session token is no remember token, whatever members the program has put into the session.
    guard !claims.contains("_session"), !claims.contains("_user_id"),
      let user = claims.userID("user_id")
    else { return nil }
    self.user = user
    epoch = claims.integer(of: "_remember")
    hasEpoch = claims.contains("_remember")
    hasExpiration = claims.contains("exp")
    // Microdot writes `days` and reads `_days`, so both are read.
    let days = claims.integer(of: "days") ?? claims.integer(of: "_days") ?? 30
    let isPossible = days >= 1 && days <= Int64(Limits.rememberDaysMax)
    self.days = isPossible ? UInt16(days) : 30
    let times = SessionFacts(times: claims)
    guard clock.lowerBound >= times.notBefore else { return nil }
    let lifetime = Int64(self.days) * 86_400
    var seconds: Int64 = 0
    if isListed, hasEpoch {
      if clock.lowerBound >= times.expiration { return nil }
    } else if clock.isSameBoot(times.boot, times.up) {
      seconds = clock.bootSeconds - times.up
      if seconds >= lifetime { return nil }
    } else {
      // A token without an end is no remember token.
      guard hasExpiration, clock.lowerBound < times.expiration else { return nil }
      if times.boot != SessionFacts.none {
        // A token that this library minted in another boot can be checked only when the time of day is known.
        // A token that ends in more than its days was minted by a clock that was wrong. Both numbers are
        // positive, because a token that ended before 1970 was refused above.
        guard clock.isSet, times.expiration - clock.unixSeconds <= lifetime else { return nil }
        seconds = lifetime - (times.expiration - clock.unixSeconds)
      }
    }
    age = times.age + seconds
    if let limits, age >= limits.lifetime { return nil }
  }
}

extension HMACKey {
  /// Verifies a token's signature, and checks its claims except their times.
  ///
  /// - Parameter payload: Receives the claims.
  /// - Returns: Octets of the claims, or `nil` when the token is not valid.
  fileprivate func claims(
    of token: Span<UInt8>, into payload: inout MutableSpan<UInt8>
  ) -> Int? {
    do throws(TokenRefusal) {
      let count = try JWS.verify(token, with: self, payload: &payload)
      try ClaimsSet(payload.span.extracting(0..<count)).check()
      return count
    } catch {
      return nil
    }
  }
}

extension Session {
  /// Copies the claims of a session token, if the token is valid.
  ///
  /// - Parameters:
  ///   - owner: The responder's number. Tokens in the cache are valid for their owner only.
  ///   - limits: How long sessions last, where the tokens say so.
  ///   - facts: Receives what the claims say about the visitor.
  /// - Returns: Whether the token is a valid session token.
  @_lifetime(self: copy self)
  fileprivate mutating func load(
    _ token: Span<UInt8>, _ key: borrowing HMACKey, _ memory: SiteMemory, owner: UInt32, _ clock: SystemClock,
    _ limits: SessionLimits?, _ facts: inout SessionFacts
  ) -> Bool {
    var cache = TokenCache(memory, of: token, owner: owner)
    if cache.find(token, &facts) {
      guard facts.areValid(at: clock, limits) else { return false }
      var target = claims.storageSpan
      claims.resume(cache.copyClaims(to: &target))
      return true
    }
    guard verify(token, key, &facts), facts.areValid(at: clock, limits) else {
      claims.removeAll()
      return false
    }
    cache.remember(token, facts, claims: claims.span)
    return true
  }

  /// Verifies a token, and copies its claims.
  @_lifetime(self: copy self)
  private mutating func verify(
    _ token: Span<UInt8>, _ key: borrowing HMACKey, _ facts: inout SessionFacts
  ) -> Bool {
    var target = claims.storageSpan
    guard let count = key.claims(of: token, into: &target), claims.adopt(count),
      let set = try? ClaimsSet(claims.span)
    else { return false }
    facts = SessionFacts(set)
    // A remember token is no session token, because its purpose is another.
    return !set.contains("_remember")
  }
}
