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

/// Who is there.
struct Visitor<User: SessionUser> {
  var user: User?
  var isFresh = false
  /// When the password was entered, Unix seconds; `nil` when the token does not say.
  var authenticatedAt: Int64?
  /// Whether the session is ours and names a user who is gone, or was ended.
  var sessionIsDead = false

  /// Whether the visitor may enter.
  func mayEnter(_ access: Access, now: Int64) -> Bool {
    switch access.rule {
    case .everyone: return true
    case .loggedIn: return user != nil
    case .freshLogin(nil): return user != nil && isFresh
    case .freshLogin(let seconds?):
      guard user != nil, isFresh, let authenticatedAt else { return false }
      // A moment still to come means that the clock was set back: nobody knows how long it is ago.
      return authenticatedAt <= now && now - authenticatedAt <= seconds
    }
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
      guard session.load(token, request.moment, key, owner: tokenOwner, &facts) else { continue }
      guard let id = facts.user else { return }
      visitor.user = user(id, epoch: facts.epoch, facts.hasEpoch)
      visitor.sessionIsDead = visitor.user == nil
      guard !visitor.sessionIsDead else { continue }
      visitor.isFresh = facts.isFresh
      visitor.authenticatedAt = facts.authenticatedAt
      return
    }
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
      guard let count = key.claims(of: token, request.moment, into: &scratch),
        let claims = try? ClaimsSet(scratch.span.extracting(0..<count)),
        // A session is no remember token, whatever members the program has put into it. One that
        // never ends is none either.
        !claims.contains("_session"), !claims.contains("_user_id"), claims.contains("exp"),
        let id = claims.userID("user_id")
      else { continue }
      visitor.user = user(id, epoch: claims.integer(of: "_remember"), claims.contains("_remember"))
      guard let user = visitor.user else {
        session.setRemember(.clear)
        continue
      }
      // Microdot writes `days` and reads `_days`, so both are read.
      let days = claims.integer(of: "days") ?? claims.integer(of: "_days") ?? 30
      let isPossible = days >= 1 && days <= Int64(Limits.rememberDaysMax)
      session.logIn(user.id, epoch: user.epoch, authenticatedAt: nil)
      session.setRemember(.set(days: isPossible ? UInt16(days) : 30))
      return
    }
  }

  /// The user, when the application knows one of that identifier and the token's epoch is theirs.
  /// A token without any epoch is one of Microdot's.
  @inline(never)
  private mutating func user(_ id: UserID, epoch: Int64?, _ hasEpoch: Bool) -> A.User? {
    if hasEpoch { return epoch.flatMap { site.user(id, epoch: $0) } }
    return A.acceptsMicrodotTokens ? site.user(id) : nil
  }
}

extension HMACKey {
  /// Verifies a token: signature and times.
  ///
  /// - Parameter payload: Receives the claims.
  /// - Returns: How many octets of claims, or `nil` when it is no good.
  fileprivate func claims(
    of token: Span<UInt8>, _ moment: Moment, into payload: inout MutableSpan<UInt8>
  ) -> Int? {
    do throws(TokenRefusal) {
      let count = try JWS.verify(token, with: self, payload: &payload)
      try ClaimsSet(payload.span.extracting(0..<count)).check(now: moment.unixSeconds)
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
  ///   - facts: What they say about who it is.
  /// - Returns: Whether it is one.
  @_lifetime(self: copy self)
  fileprivate mutating func load(
    _ token: Span<UInt8>, _ moment: Moment, _ key: borrowing HMACKey, owner: UInt32,
    _ facts: inout SessionFacts
  ) -> Bool {
    let cache = TokenCache(of: token, owner: owner)
    if cache.find(token, &facts) {
      guard facts.areValid(now: moment.unixSeconds) else { return false }
      var target = claims.storageSpan
      claims.resume(cache.copyClaims(to: &target))
      return true
    }
    guard verify(token, moment, key) else {
      claims.removeAll()
      return false
    }
    guard let set = try? ClaimsSet(claims.span) else { return false }
    facts = SessionFacts(set)
    cache.remember(token, facts, claims: claims.span)
    return true
  }

  /// Verifies a token, and takes over its claims.
  @_lifetime(self: copy self)
  private mutating func verify(
    _ token: Span<UInt8>, _ moment: Moment, _ key: borrowing HMACKey
  ) -> Bool {
    var target = claims.storageSpan
    guard let count = key.claims(of: token, moment, into: &target), claims.adopt(count),
      let set = try? ClaimsSet(claims.span)
    else { return false }
    // A remember token is no session: its purpose is another.
    return !set.contains("_remember")
  }
}
