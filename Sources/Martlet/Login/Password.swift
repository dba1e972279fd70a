// What a person typed → whether the text is the password. One call counts the attempt and verifies the
// password, so that no page forgets half of it. The decoded text lies in one buffer, which is overwritten
// after use.

import MartletBytes
public import MartletHTTP
import MartletServer
public import MartletToken

/// The result of an attempt to log in.
public enum PasswordCheck: Equatable, Sendable {
  /// The password is right, and the failures before it are forgotten.
  case right
  /// The password is wrong, and the failure has been counted.
  case wrong
  /// The password was not verified, because too many attempts have failed before. Answer 429 with
  /// `setRetryAfter(seconds:)`.
  case wait(seconds: Int)
  /// The result is not known yet. Answer `later()`.
  case later
}

extension Response where Site: DeferringApplication & ~Copyable {
  /// Counts an attempt to log in, and verifies the password.
  ///
  ///     switch response.checkPassword(
  ///       form["password"], of: name, against: hash, from: request.client(for: user), &throttle)
  ///     {
  ///     case .later: return response.later()
  ///     case .wait(let seconds):
  ///       return response.refuse(.tooManyRequests, "Too many failed attempts.", retryAfter: seconds)
  ///     case .wrong: …
  ///     case .right: …
  ///     }
  ///
  /// The attempt counts once and as failed from its beginning, however often the page is asked. The right
  /// password removes the count. An attempt whose client closes the connection stays counted as failed.
  ///
  /// The result counts for `hash`. A password that was verified against an older hash is verified again.
  ///
  /// Call this once a request. Hashing a new password (`hash`) may follow.
  ///
  /// - Parameters:
  ///   - typed: The password. A password that is absent, longer than `Limits.passwordSizeMax`, or contains a
  ///     NUL is wrong.
  ///   - name: The typed name, in the form that accounts are looked up by.
  ///   - hash: The account's hash, or `PasswordHash.decoy` for a name that does not exist.
  ///   - client: Where the request comes from.
  ///   - throttle: The application's throttle, shared by all pages that ask for a password.
  /// - Complexity: Two SHA-256 compressions an iteration, spread over many turns of the loop.
  @_lifetime(self: copy self)
  public mutating func checkPassword(
    _ typed: borrowing FormValue?, of name: Span<UInt8>, against hash: PasswordHash,
    from client: ClientAddress, _ throttle: inout Throttle
  ) -> PasswordCheck {
    var password = Self.password(typed)
    defer { password.wipe() }
    return checkPassword(password, of: name, against: hash, from: client, &throttle)
  }

  /// Counts an attempt to log in, and verifies a password that was appended in parts.
  @_lifetime(self: copy self)
  public mutating func checkPassword(
    _ password: borrowing PasswordKey, of name: Span<UInt8>, against hash: PasswordHash,
    from client: ClientAddress, _ throttle: inout Throttle
  ) -> PasswordCheck {
    PasswordAttempt.check(password, of: name, against: hash, from: client, &throttle, memory.work)
  }

  /// Counts an attempt with another secret, such as a code, that the page has compared itself. The right
  /// secret never waits.
  ///
  /// - Parameters:
  ///   - name: The name of what the secret belongs to.
  ///   - isRight: Whether the secret is right.
  ///   - client: Where the request comes from.
  ///   - throttle: The application's throttle.
  /// - Returns: `.right`, `.wrong`, or `.wait` with the seconds where too many secrets have been wrong
  ///   before.
  @_lifetime(self: copy self)
  public mutating func countAttempt(
    of name: Span<UInt8>, isRight: Bool, from client: ClientAddress, _ throttle: inout Throttle
  ) -> PasswordCheck {
    let now = memory.work.now
    if !isRight {
      switch throttle.begin(name, from: client, now: now) {
      case .begun: break
      case .wait(let seconds): return .wait(seconds: seconds)
      case .line(let moment): return .wait(seconds: Int((moment - now) / 1_000) + 1)
      }
    }
    // A right secret ends an attempt that has not begun, so that earlier failures are forgotten.
    throttle.end(name, from: client, now: now, isRight: isRight)
    return isRight ? .right : .wrong
  }

  /// Whether a password is that of a hash. `nil` while the result is not known: then answer `later()`.
  ///
  /// Attempts are not counted, so guesses are not slowed down. Microdot's login example works like this.
  /// Every other program calls `checkPassword`.
  ///
  /// - Parameters:
  ///   - typed: The password. A password that is absent, longer than `Limits.passwordSizeMax`, or contains a
  ///     NUL is wrong.
  ///   - hash: The account's hash.
  @_lifetime(self: copy self)
  public mutating func verify(
    _ typed: borrowing FormValue?, against hash: PasswordHash
  ) -> Bool? {
    switch memory.work.standing(against: hash) {
    case .underWay: return nil
    case .known(let isRight): return isRight
    case .new, .outdated: break
    }
    var password = Self.password(typed)
    defer { password.wipe() }
    guard password.refusal == nil else { return false }
    memory.work.verify(password, against: hash)
    return nil
  }

  /// Whether a password is that of a hash in Microdot's format, `pbkdf2-hmac-sha256:SALT:ITERATIONS:KEY`. A
  /// literal in another format is a bug and stops the program.
  @_lifetime(self: copy self)
  public mutating func verify(
    _ typed: borrowing FormValue?, against hash: StaticString
  ) -> Bool? {
    guard let hash = PasswordHash(hash.octets) else { stop("a password hash is one") }
    return verify(typed, against: hash)
  }

  /// Decodes a form value into the key of a hash.
  private static func password(_ typed: borrowing FormValue?) -> PasswordKey {
    var password = PasswordKey()
    if let typed = copy typed {
      var decoder = typed.decoder
      while let octet = decoder.next() { password.append(octet) }
    }
    password.end()
    return password
  }

  /// The hash of a new password; `nil` while the hash is not computed: then answer `later()`.
  ///
  /// - Throws: `PasswordRefusal`.
  @_lifetime(self: copy self)
  public mutating func hash(
    _ password: Span<UInt8>, iterations: UInt32
  ) throws(PasswordRefusal) -> PasswordHash? {
    try hash(PasswordKey(password), iterations: iterations)
  }

  /// The hash of a new password that was appended in parts; `nil` while the hash is not computed.
  @_lifetime(self: copy self)
  public mutating func hash(
    _ password: borrowing PasswordKey, iterations: UInt32
  ) throws(PasswordRefusal) -> PasswordHash? {
    if let hash = memory.work.hash { return hash }
    try memory.work.hash(password, iterations: iterations)
    return nil
  }
}

/// The steps of an attempt to log in.
enum PasswordAttempt {
  /// Counts the attempt and verifies the password (`Response.checkPassword`).
  @inline(never)
  static func check(
    _ password: borrowing PasswordKey, of name: Span<UInt8>, against hash: PasswordHash,
    from client: ClientAddress, _ throttle: inout Throttle, _ work: PasswordWork
  ) -> PasswordCheck {
    let now = work.now
    let isKnown = throttle.knows(name, from: client)
    var turn = WorkTurn(rank: isKnown ? .first : .password, share: throttle.share(of: client))
    work.turn = turn
    switch work.standing(against: hash) {
    case .underWay: return .later
    case .known(let isRight):
      if work.settle() { throttle.end(name, from: client, now: now, isRight: isRight) }
      return isRight ? .right : .wrong
    case .new:
      // An attempt that waits for a place in the table has not begun, so the throttle does not count it.
      guard work.hasRoom else { return .later }
      switch throttle.begin(name, from: client, now: now) {
      case .begun: break
      case .wait(let seconds): return .wait(seconds: seconds)
      case .line(let moment):
        turn.rank = .line
        turn.notBefore = moment
        work.turn = turn
        return .later
      }
    case .outdated: break
    }
    guard password.refusal == nil else {
      throttle.end(name, from: client, now: now, isRight: false)
      return .wrong
    }
    work.verify(password, against: hash)
    return .later
  }
}

extension FormFields {
  /// Whether the form has the field `name` and its text is exactly `text`.
  public func field(_ name: StaticString, equals text: StaticString) -> Bool {
    guard let value = self[name] else { return false }
    return value.equals(text)
  }

  /// Whether the form has the field `name` and its text is not empty, as that of a checked box.
  public func has(_ name: StaticString) -> Bool {
    guard let value = self[name] else { return false }
    return !value.isEmpty
  }
}
