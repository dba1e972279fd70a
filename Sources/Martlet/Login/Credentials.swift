// The Authorization header → a user, with the application's help. The password is decoded into a buffer that
// is overwritten after use.

import MartletBytes
import MartletHTTP
import MartletServer
public import MartletToken

/// The result of checking credentials.
public enum CredentialsCheck<User> {
  case user(User)
  /// No user has these credentials.
  case wrong
  /// The password was not verified, because too many attempts have failed before. The attempt may be repeated
  /// after that many seconds.
  case wait(seconds: Int)
  /// The result is not known yet: the application is asked again when the password has been verified.
  case later
  /// The credentials are not for this page. The request goes on as if it had none: a session counts then.
  case ignored
}

/// The credentials of a request: a name and a password (Basic), or a token (Bearer).
public struct Credentials: ~Escapable {
  /// The name; empty with Bearer.
  public let name: Span<UInt8>
  /// The password; `nil` with Bearer.
  public let password: Span<UInt8>?
  /// The token; `nil` with Basic. Compare it with `isToken(_:)`.
  public let token: Span<UInt8>?

  private let memory: SiteMemory

  @_lifetime(copy name, copy password)
  init(name: Span<UInt8>, password: Span<UInt8>, _ memory: SiteMemory) {
    self.memory = memory
    self.name = name
    self.password = password
    token = nil
  }

  @_lifetime(copy token)
  init(token: Span<UInt8>, _ memory: SiteMemory) {
    self.memory = memory
    self.token = token
    password = nil
    name = token.extracting(0..<0)
  }

  /// Whether the token is exactly `secret`. The time of the comparison does not tell how many octets are
  /// right.
  ///
  /// - Parameter secret: The token that a program was given, at least 128 random bits.
  public func isToken(_ secret: Span<UInt8>) -> Bool {
    guard let token, secret.count > 0 else { return false }
    return constantTimeEquals(token, secret)
  }

  /// Whether the token is exactly the text of a literal, compared in constant time.
  public func isToken(_ secret: StaticString) -> Bool { isToken(secret.octets) }

  /// Counts a token that is nobody's. Call it for a wrong token only, because a right one never waits.
  ///
  /// Wrong tokens from all addresses are counted together, and apart from passwords. So a program that sends an
  /// old token keeps nobody at its address from logging in, and wrong tokens displace no failed passwords.
  ///
  /// - Parameters:
  ///   - name: A name that all such tokens are counted under, and that is no user's, such as `a token`.
  ///   - throttle: The application's throttle.
  /// - Returns: `.wrong`, or `.wait` where too many tokens have been wrong before.
  public func countWrongToken<User>(
    of name: StaticString, _ throttle: inout Throttle
  ) -> CredentialsCheck<User> {
    countFailure(of: name, &throttle).map { .wait(seconds: $0) } ?? .wrong
  }

  /// - Returns: Seconds to wait, where the failure was not counted.
  @inline(never)
  private func countFailure(of name: StaticString, _ throttle: inout Throttle) -> Int? {
    // A client that is recognized is counted under the name alone.
    var client = ClientAddress(.unspecified, isShared: true)
    client.isRecognized = true
    let now = memory.work.now
    switch throttle.begin(name.octets, from: client, now: now) {
    case .begun: break
    case .wait(let seconds): return seconds
    case .line(let moment): return Int((moment - now) / 1_000) + 1
    }
    throttle.end(name.octets, from: client, now: now, isRight: false)
    return nil
  }

  /// Counts an attempt, and verifies the password of Basic. As in `Response.checkPassword`, one call does
  /// both, so that no attempt goes uncounted.
  ///
  /// - Parameters:
  ///   - user: The user of the name; `nil` for a name that does not exist. Without a user no password is
  ///     right.
  ///   - hash: The user's hash, or `PasswordHash.decoy` for a name that does not exist.
  ///   - client: Where the request comes from.
  ///   - throttle: The application's throttle, shared by all pages that ask for a password.
  /// - Complexity: Two SHA-256 compressions an iteration, spread over many turns of the loop, at each
  ///   request. A token costs less where a program asks often.
  public func check<User>(
    for user: User?, against hash: PasswordHash, from client: ClientAddress, _ throttle: inout Throttle
  ) -> CredentialsCheck<User> {
    guard let password else { return .wrong }
    // The page has asked for a later turn, and the request comes again.
    if memory.work.isProved(hash) { return user.map { .user($0) } ?? .wrong }
    var key = PasswordKey(password)
    defer { key.wipe() }
    switch PasswordAttempt.check(key, of: name, against: hash, from: client, &throttle, memory.work) {
    case .later: return .later
    case .wait(let seconds): return .wait(seconds: seconds)
    case .wrong: return .wrong
    case .right:
      memory.work.prove()
      return user.map { .user($0) } ?? .wrong
    }
  }
}
