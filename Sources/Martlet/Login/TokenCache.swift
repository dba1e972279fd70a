// The session tokens that were verified last. A browser sends its token with every request. Verifying the
// token costs more than the rest of a small page: five compressions of SHA-256, base64url, JSON. A token has
// one text, because JWS refuses every other spelling. So octets that were valid once stay valid as long as
// the secret is unchanged. Only the token's times are checked again, at each request.
//
// Tokens are secret, so they are compared in constant time. Only a valid token is stored, so nobody without a
// valid token can displace another token. This file faces C: the memory is an array of C.

import CMartletPlatform
import MartletBytes
import MartletToken

/// What a session's claims say about the visitor.
struct SessionFacts {
  /// The user that the session names; `nil` when no user is logged in.
  var user: UserID?
  /// The epoch, and whether there is any: Microdot's tokens have none.
  var epoch: Int64?
  var hasEpoch = false
  var isFresh = false
  /// When the token was minted: the time of day, the boot, and the boot clock; `none` where the token does
  /// not say.
  var at = Self.none
  var boot = Self.none
  var up = Self.none
  /// Age of the session when the token was minted, and age of the password then, in seconds.
  var age: Int64 = 0
  var passwordAge: Int64 = 0
  /// When the token becomes valid and when it ends (`nbf`, `exp`). A token without these claims is always
  /// valid.
  var notBefore = Int64.min
  var expiration = Int64.max

  /// The value for "no number".
  static var none: Int64 { .min }

  /// The facts of an empty session.
  init() {}

  /// Copies what valid claims say.
  init(_ claims: borrowing ClaimsSet) {
    self.init(times: claims)
    user = claims.userID("_user_id")
    epoch = claims.integer(of: "_session")
    hasEpoch = claims.contains("_session")
    isFresh = claims.boolean(of: "_fresh") ?? false
  }

  /// Copies what valid claims say about times.
  @inline(never)
  init(times claims: borrowing ClaimsSet) {
    at = claims.integer(of: "_at") ?? Self.none
    boot = claims.integer(of: "_boot") ?? Self.none
    up = claims.integer(of: "_up") ?? Self.none
    age = Self.duration(claims.integer(of: "_age"))
    passwordAge = Self.duration(claims.integer(of: "_ago"))
    notBefore = claims.number(of: "nbf") ?? .min
    expiration = claims.number(of: "exp") ?? .max
  }

  /// A duration from a claim, clamped to 0...2^40, so that sums do not overflow.
  static func duration(_ claim: Int64?) -> Int64 { min(max(claim ?? 0, 0), 1 << 40) }

  /// Seconds since the token was minted; `nil` where they are not known.
  func seconds(at clock: SystemClock) -> Int64? { clock.seconds(since: boot, up, at) }

  /// Whether the token is valid at that moment.
  ///
  /// - Parameter limits: How long the application's sessions last. A token of this boot is checked by the
  ///   boot clock alone, so that a change of the time of day does not matter.
  func areValid(at clock: SystemClock, _ limits: SessionLimits?) -> Bool {
    if let limits, hasEpoch {
      guard let seconds = seconds(at: clock), seconds < limits.lifetime(age: age)
      else { return false }
      if clock.isSameBoot(boot, up) { return clock.lowerBound >= notBefore }
    }
    return clock.lowerBound < expiration && clock.lowerBound >= notBefore
  }
}

/// The cache of verified tokens.
@safe struct TokenCache {
  private let site: UnsafeMutablePointer<martlet_site>
  private let tokens: UnsafeMutablePointer<martlet_token>
  /// The entry of the token that `find` has found.
  private var entry: UnsafeMutablePointer<martlet_token>
  private let owner: UInt32
  /// The last four octets of the token, which are as good as random. Entries with another tag are skipped.
  private let tag: UInt32

  /// The cache, for a search for one token.
  init(_ memory: SiteMemory, of token: Span<UInt8>, owner: UInt32) {
    unsafe site = memory.site
    let tokens = unsafe site.pointee.tokens ?? martlet_static_tokens()
    unsafe site.pointee.tokens = tokens
    unsafe self.tokens = tokens
    self.owner = owner
    var tag: UInt32 = 0
    for i in max(0, token.count - 4)..<token.count { tag = tag << 8 | UInt32(token[i]) }
    self.tag = tag
    unsafe entry = tokens
  }

  /// Finds the token's entry and copies its facts.
  ///
  /// - Returns: Whether the token has an entry.
  mutating func find(_ token: Span<UInt8>, _ facts: inout SessionFacts) -> Bool {
    for index in 0..<Limits.rememberedTokenCountMax {
      unsafe entry = tokens + index
      // Entries are filled in order, so an unused entry ends the search.
      guard unsafe entry.pointee.owner != 0 else { return false }
      guard unsafe entry.pointee.owner == owner, unsafe entry.pointee.tag == tag, isEntry(of: token)
      else { continue }
      // Safe: `remember` has written facts there.
      unsafe withUnsafeBytes(of: &entry.pointee.facts) {
        unsafe facts = $0.load(as: SessionFacts.self)
      }
      return true
    }
    return false
  }

  private func isEntry(of token: Span<UInt8>) -> Bool {
    // Safe: the entry holds `count` octets.
    unsafe withUnsafeBytes(of: &entry.pointee.octets) { octets -> Bool in
      let count = unsafe Int(entry.pointee.count)
      let known = unsafe Span<UInt8>(
        _unsafeStart: octets.baseAddress!.assumingMemoryBound(to: UInt8.self), count: count)
      return constantTimeEquals(token, known)
    }
  }

  /// Copies the claims of the token that `find` has found.
  func copyClaims(to target: inout MutableSpan<UInt8>) -> Int {
    let count = unsafe Int(entry.pointee.claims_count)
    // Safe: `remember` has written `claims_count` octets.
    unsafe withUnsafeBytes(of: &entry.pointee.claims) { octets in
      target.copy(
        unsafe Span<UInt8>(
          _unsafeStart: octets.baseAddress!.assumingMemoryBound(to: UInt8.self), count: count),
        to: 0)
    }
    return count
  }

  /// Stores a valid token in an unused entry, or else in the oldest entry. A token that is too long is not
  /// stored.
  mutating func remember(_ token: Span<UInt8>, _ facts: SessionFacts, claims: Span<UInt8>) {
    guard token.count <= Int(MARTLET_TOKEN_SIZE), claims.count <= Int(MARTLET_TOKEN_CLAIMS_SIZE)
    else { return }
    invariant(
      MemoryLayout<SessionFacts>.size <= Int(MARTLET_TOKEN_FACTS_SIZE), "facts fit their place")
    // An unused entry, or else the entry that was filled first.
    unsafe entry = tokens + site.pointee.token_count % Limits.rememberedTokenCountMax
    unsafe site.pointee.token_count += 1
    // Safe: each array has room for what is written to it; facts are plain octets.
    unsafe withUnsafeMutableBytes(of: &entry.pointee.octets) { target in
      for i in token.indices { unsafe target[i] = token[i] }
    }
    unsafe withUnsafeMutableBytes(of: &entry.pointee.claims) { target in
      for i in claims.indices { unsafe target[i] = claims[i] }
    }
    unsafe withUnsafeMutableBytes(of: &entry.pointee.facts) {
      unsafe $0.storeBytes(of: facts, as: SessionFacts.self)
    }
    unsafe entry.pointee.owner = owner
    unsafe entry.pointee.tag = tag
    unsafe entry.pointee.count = UInt32(token.count)
    unsafe entry.pointee.claims_count = UInt32(claims.count)
  }
}
