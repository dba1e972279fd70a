// Cookies → who is there. A token is judged in this order: its signature, its times, its purpose,
// whether the application knows the user, whether the user's epoch is still the token's. Whatever
// fails, the visitor is simply not logged in; nobody is told why.
//
// Of several cookies of a name the first that passes counts, because other programs of the same host
// can put cookies of that name before it. At most `Limits.cookieTryCountMax` of a name are judged.

import MartletBytes
import MartletHTTP
import MartletServer
import MartletToken

/// How long a session lasts.
public struct SessionLimits: Sendable {
  /// Seconds that it may be unused, and from the login to its end.
  let idleTime: Int64
  let lifetime: Int64

  /// - Parameters:
  ///   - unused: How long it may be unused.
  ///   - inAll: How long it may last, however much it is used.
  public init(unused: Duration, inAll: Duration) {
    idleTime = SessionFacts.duration(unused.components.seconds)
    lifetime = SessionFacts.duration(inAll.components.seconds)
  }

  /// Seconds that a session of that age has from now on, if it is not used.
  func lifetime(age: Int64) -> Int64 { min(idleTime, lifetime - age) }

  /// Whether its end is to be moved: not at each request, but after a sixteenth of the idle time.
  func isDue(after seconds: Int64) -> Bool { seconds >= idleTime / 16 }
}

/// Who is there.
struct Visitor<User: SessionUser> {
  var user: User?
  var isFresh = false
  /// Seconds since the session began, and since the password was entered; `nil` when nobody knows.
  var age: Int64?
  var passwordAge: Int64?
  /// Whether the session's token is to be minted anew.
  var isDue = false
  /// Whether the session is ours and names a user who is gone, or was ended.
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
    let name = cookies.name(of: .session)
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

  /// Finds out how old the session is, and whether its token is to be minted anew.
  private func note(_ facts: SessionFacts, _ visitor: inout Visitor<A.User>) {
    guard let seconds = facts.seconds(at: keeper.clock) else { return }
    visitor.age = facts.age + seconds
    visitor.passwordAge = facts.passwordAge + seconds
    guard !A._listsSessions, facts.hasEpoch else { return }
    // What was minted before the time of day was known is minted anew when it is.
    visitor.isDue =
      facts.at == SessionFacts.none && keeper.clock.isSet
      || A._sessionLimits.map { $0.isDue(after: seconds) } ?? false
  }

  /// Mints the session's token anew. A remember cookie that does not say at which time of day it ends is
  /// made to say so.
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

  /// Restores a login from the remember cookie: never a fresh one. The session then names the user
  /// and the remember cookie is renewed for the days that it was made for.
  ///
  /// A cookie that is ours and useless is cleared.
  ///
  /// - Parameter scratch: Memory to work in.
  @inline(never)
  @_lifetime(session: copy session)
  mutating func restoreLogin(
    _ request: borrowing IncomingRequest, _ session: inout Session,
    _ visitor: inout Visitor<A.User>, scratch: consuming MutableSpan<UInt8>
  ) {
    let name = cookies.name(of: .remember)
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

  /// Finds out what a remember token says; `nil` where it is no good.
  ///
  /// - Parameter scratch: Memory to work in.
  @inline(never)
  private func remembered(
    _ token: Span<UInt8>, into scratch: inout MutableSpan<UInt8>
  ) -> RememberFacts? {
    guard let count = key.claims(of: token, into: &scratch),
      let claims = try? ClaimsSet(scratch.span.extracting(0..<count)),
      let facts = RememberFacts(
        claims, keeper.clock, isListed: A._listsSessions, A._sessionLimits)
    else { return nil }
    return facts
  }

  /// The user, when the application knows one of that identifier and the token's epoch is theirs.
  /// A token without any epoch is one of Microdot's.
  @inline(never)
  private mutating func user(_ id: UserID, epoch: Int64?, _ hasEpoch: Bool) -> A.User? {
    if hasEpoch { return epoch.flatMap { site._user(id, epoch: $0, at: keeper.clock) } }
    return A._acceptsMicrodotTokens ? site._user(id) : nil
  }
}

/// What a good remember token says.
struct RememberFacts {
  let user: UserID
  let epoch: Int64?
  let hasEpoch: Bool
  let hasExpiration: Bool
  let days: UInt16
  /// How old the session is, in seconds.
  let age: Int64

  /// - Parameter isListed: Whether the application knows when it ends.
  /// - Returns: `nil` when it is no remember token, or not a good one now.
  init?(
    _ claims: borrowing ClaimsSet, _ clock: SystemClock, isListed: Bool, _ limits: SessionLimits?
  ) {
    // A session is no remember token, whatever members the program has put into it.
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
      // One that never ends is no remember token.
      guard hasExpiration, clock.lowerBound < times.expiration else { return nil }
      if times.boot != SessionFacts.none {
        // Ours of another boot can be judged only when the time of day is known. One with more than its
        // days before it was minted by a clock that was wrong. Both numbers are positive: nothing that
        // ends before 1970 gets here.
        guard clock.isSet, times.expiration - clock.unixSeconds <= lifetime else { return nil }
        seconds = lifetime - (times.expiration - clock.unixSeconds)
      }
    }
    age = times.age + seconds
    if let limits, age >= limits.lifetime { return nil }
  }
}

extension HMACKey {
  /// Verifies a token's signature, and checks its claims but for their times.
  ///
  /// - Parameter payload: Receives the claims.
  /// - Returns: How many octets of claims, or `nil` when it is no good.
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
  /// Takes over the claims of a session token, if it is a good one.
  ///
  /// - Parameters:
  ///   - owner: For whom tokens are remembered that were verified with that key.
  ///   - limits: How long sessions last, where their tokens say so.
  ///   - facts: What they say about who it is.
  /// - Returns: Whether it is one.
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

  /// Verifies a token, and takes over its claims.
  @_lifetime(self: copy self)
  private mutating func verify(
    _ token: Span<UInt8>, _ key: borrowing HMACKey, _ facts: inout SessionFacts
  ) -> Bool {
    var target = claims.storageSpan
    guard let count = key.claims(of: token, into: &target), claims.adopt(count),
      let set = try? ClaimsSet(claims.span)
    else { return false }
    facts = SessionFacts(set)
    // A remember token is no session: its purpose is another.
    return !set.contains("_remember")
  }
}
