// The Authorization header → a user, with the application's help. The password is decoded into a buffer that
// is overwritten afterwards.

import MartletBytes
import MartletHTTP
import MartletServer
public import MartletToken

/// What has come of credentials.
public enum CredentialsCheck<User> {
  case user(User)
  /// No user has these credentials.
  case wrong
  /// Not looked at, because too many attempts have failed before.
  case wait(seconds: Int)
  /// Not yet known: the application is asked again when its password has been verified.
  case later
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

  /// Whether the token is exactly `secret`, compared in a time that does not tell how much of it is right.
  ///
  /// - Parameter secret: The token that a program was given, at least 128 random bits.
  public func isToken(_ secret: Span<UInt8>) -> Bool {
    guard let token, secret.count > 0 else { return false }
    return constantTimeEquals(token, secret)
  }

  /// Whether the token is exactly that of a literal, as above.
  public func isToken(_ secret: StaticString) -> Bool { isToken(secret.octets) }

  /// Counts an attempt, and verifies the password of Basic: one call for both, as
  /// `Response.checkPassword` is.
  ///
  /// - Parameters:
  ///   - user: The user of the name; `nil` for a name that does not exist: no password is right then.
  ///   - hash: The user's, or `PasswordHash.decoy` for a name that does not exist.
  ///   - client: Where the request comes from.
  ///   - throttle: The application's, one for all that ask for a password.
  /// - Complexity: Two SHA-256 compressions an iteration, spread over many turns of the loop, at each
  ///   request. A program that asks often is better served with a token.
  public func check<User>(
    for user: User?, against hash: PasswordHash, from client: ClientAddress, _ throttle: inout Throttle
  ) -> CredentialsCheck<User> {
    guard let password else { return .wrong }
    var key = PasswordKey(password)
    defer { key.wipe() }
    switch PasswordAttempt.check(key, of: name, against: hash, from: client, &throttle, memory.work) {
    case .later: return .later
    case .wait(let seconds): return .wait(seconds: seconds)
    case .wrong: return .wrong
    case .right: return user.map { .user($0) } ?? .wrong
    }
  }
}
