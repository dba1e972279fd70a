// Session tokens that have been verified lately. A browser sends the same token with every request, and
// to verify it costs more than everything else that a small page takes: five compressions of SHA-256,
// base64url, JSON. A token has one text (JWS refuses every other), so octets that were valid once are
// valid again as long as the secret is the same, but for its times, which are judged each time.
//
// What is compared is secret, so it is compared in constant time; and only a valid token gets in, so
// nobody without one can push another out. This file faces C: the memory is an array of it.

import CMartletPlatform
import MartletBytes
import MartletToken

/// What a session's claims say about who it is.
struct SessionFacts {
  /// Whom it names; `nil` when nobody is logged in.
  var user: UserID?
  /// The epoch, and whether there is any: Microdot's tokens have none.
  var epoch: Int64?
  var hasEpoch = false
  var isFresh = false
  /// When the token was minted: the time of day, the boot, and the boot clock; `none` where the token
  /// does not say.
  var at = Self.none
  var boot = Self.none
  var up = Self.none
  /// How old the session was then, and how long ago the password had been entered, in seconds.
  var age: Int64 = 0
  var passwordAge: Int64 = 0
  /// When it becomes and when it ceases to be valid (`nbf`, `exp`); always, where it does not say so.
  var notBefore = Int64.min
  var expiration = Int64.max

  /// No number.
  static var none: Int64 { .min }

  /// Of nobody.
  init() {}

  /// Reads what valid claims say.
  init(_ claims: borrowing ClaimsSet) {
    self.init(times: claims)
    user = claims.userID("_user_id")
    epoch = claims.integer(of: "_session")
    hasEpoch = claims.contains("_session")
    isFresh = claims.boolean(of: "_fresh") ?? false
  }

  /// Reads what valid claims say about times.
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

  /// A duration of a claim, held within bounds whose sums stay in reach.
  static func duration(_ claim: Int64?) -> Int64 { min(max(claim ?? 0, 0), 1 << 40) }

  /// Seconds since the token was minted, or `nil` where nobody knows.
  func seconds(at clock: SystemClock) -> Int64? { clock.seconds(since: boot, up, at) }

  /// Whether the token is good at that moment.
  ///
  /// - Parameter limits: How long the application's sessions last. A token of this boot is judged on
  ///   the boot clock alone, however the time of day was set meanwhile.
  func areValid(at clock: SystemClock, _ limits: SessionLimits?) -> Bool {
    if let limits, hasEpoch {
      guard let seconds = seconds(at: clock), seconds < limits.lifetime(age: age)
      else { return false }
      if clock.isSameBoot(boot, up) { return clock.lowerBound >= notBefore }
    }
    return clock.lowerBound < expiration && clock.lowerBound >= notBefore
  }
}

/// The tokens.
@safe struct TokenCache {
  private let site: UnsafeMutablePointer<martlet_site>
  private let tokens: UnsafeMutablePointer<martlet_token>
  /// What is remembered of the token that `find` has found.
  private var entry: UnsafeMutablePointer<martlet_token>
  private let owner: UInt32
  /// Of the token's last octets, which are as good as random: entries with another tag are passed over.
  private let tag: UInt32

  /// The cache, asked for one token.
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

  /// Tells what is known of the token.
  ///
  /// - Returns: Whether it is remembered.
  mutating func find(_ token: Span<UInt8>, _ facts: inout SessionFacts) -> Bool {
    for index in 0..<Limits.rememberedTokenCountMax {
      unsafe entry = tokens + index
      // Entries are filled in order.
      guard unsafe entry.pointee.owner != 0 else { return false }
      guard unsafe entry.pointee.owner == owner, unsafe entry.pointee.tag == tag, isEntry(of: token)
      else { continue }
      // Safe: facts were written there.
      unsafe withUnsafeBytes(of: &entry.pointee.facts) {
        unsafe facts = $0.load(as: SessionFacts.self)
      }
      return true
    }
    return false
  }

  private func isEntry(of token: Span<UInt8>) -> Bool {
    // Safe: the entry holds so many octets.
    unsafe withUnsafeBytes(of: &entry.pointee.octets) { octets -> Bool in
      let count = unsafe Int(entry.pointee.count)
      let known = unsafe Span<UInt8>(
        _unsafeStart: octets.baseAddress!.assumingMemoryBound(to: UInt8.self), count: count)
      return constantTimeEquals(token, known)
    }
  }

  /// The claims of the token that is remembered here.
  func copyClaims(to target: inout MutableSpan<UInt8>) -> Int {
    let count = unsafe Int(entry.pointee.claims_count)
    // Safe: so many octets have been written.
    unsafe withUnsafeBytes(of: &entry.pointee.claims) { octets in
      target.copy(
        unsafe Span<UInt8>(
          _unsafeStart: octets.baseAddress!.assumingMemoryBound(to: UInt8.self), count: count),
        to: 0)
    }
    return count
  }

  /// Remembers a valid token in the place of the one that was remembered first, if the token is not too
  /// long for that.
  mutating func remember(_ token: Span<UInt8>, _ facts: SessionFacts, claims: Span<UInt8>) {
    guard token.count <= Int(MARTLET_TOKEN_SIZE), claims.count <= Int(MARTLET_TOKEN_CLAIMS_SIZE)
    else { return }
    invariant(
      MemoryLayout<SessionFacts>.size <= Int(MARTLET_TOKEN_FACTS_SIZE), "facts fit their place")
    // An unused entry, or the entry that was filled first.
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
