// What a person typed → whether it is the password. Counting the attempt and verifying the password are
// one call, so that no page forgets one half of it. The decoded text lives in one buffer, which is
// overwritten afterwards.

import MartletBytes
public import MartletHTTP
import MartletServer
public import MartletToken

/// What has come of an attempt to log in.
public enum PasswordCheck: Equatable, Sendable {
  /// The password is right, and the failures before it are forgotten.
  case right
  /// The password is wrong, and has been counted.
  case wrong
  /// Not looked at: too many have failed before it. Answer 429 with `setRetryAfter(seconds:)`.
  case wait(seconds: Int)
  /// Not yet known. Answer `later()`.
  case later
}

extension Response where Site: ~Copyable {
  /// Counts an attempt to log in, and verifies its password.
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
  /// The attempt counts as failed from its beginning, and once, however often the page is asked; the
  /// right password takes it back. One whose client goes away stays failed. The result is that of the
  /// hash which is handed over: where that has changed meanwhile the password is verified anew.
  ///
  /// One call a request; hashing a new password (`hash`) may follow it.
  ///
  /// - Parameters:
  ///   - typed: Absent, longer than `Limits.passwordSizeMax`, or with a NUL in it, it is wrong.
  ///   - name: What was typed, in the form that accounts are looked up by.
  ///   - hash: The account's, or `PasswordHash.decoy` for a name that does not exist.
  ///   - client: Where it was typed.
  ///   - throttle: The application's, one for all pages that ask for a password.
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

  /// The same for a password that was fed in parts.
  @_lifetime(self: copy self)
  public mutating func checkPassword(
    _ password: borrowing PasswordKey, of name: Span<UInt8>, against hash: PasswordHash,
    from client: ClientAddress, _ throttle: inout Throttle
  ) -> PasswordCheck {
    PasswordAttempt.check(password, of: name, against: hash, from: client, &throttle, memory.work)
  }

  /// Counts an attempt with another secret, such as a code, that the page has compared by itself. The
  /// right one is never kept out.
  ///
  /// - Parameters:
  ///   - name: What the secret is of.
  ///   - isRight: Whether the secret is right.
  ///   - client: Where it was typed.
  ///   - throttle: The application's.
  /// - Returns: `.right`, `.wrong`, or how long to wait where too many have been wrong before.
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
    // One that has not begun is ended in the same way: what has failed before is forgotten.
    throttle.end(name, from: client, now: now, isRight: isRight)
    return isRight ? .right : .wrong
  }

  /// Whether a password is that of a hash; `nil` while that is not yet known: then answer `later()`.
  /// Attempts are not counted: for a program that is not to slow guesses down, as Microdot's example
  /// does not. Every other calls `checkPassword`.
  ///
  /// - Parameters:
  ///   - typed: Absent, longer than `Limits.passwordSizeMax`, or with a NUL in it, it is wrong.
  ///   - hash: The account's.
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

  /// The same for a hash in Microdot's format, `pbkdf2-hmac-sha256:SALT:ITERATIONS:KEY`. One that is
  /// none is a bug and stops the program.
  @_lifetime(self: copy self)
  public mutating func verify(
    _ typed: borrowing FormValue?, against hash: StaticString
  ) -> Bool? {
    guard let hash = PasswordHash(hash.octets) else { stop("a password hash is one") }
    return verify(typed, against: hash)
  }

  /// What was typed, as a hash needs it.
  private static func password(_ typed: borrowing FormValue?) -> PasswordKey {
    var password = PasswordKey()
    if let typed = copy typed {
      var decoder = typed.decoder
      while let octet = decoder.next() { password.append(octet) }
    }
    password.end()
    return password
  }

  /// The hash of a new password; `nil` while it is not yet there: then answer `later()`.
  ///
  /// - Throws: `PasswordRefusal`.
  @_lifetime(self: copy self)
  public mutating func hash(
    _ password: Span<UInt8>, iterations: UInt32
  ) throws(PasswordRefusal) -> PasswordHash? {
    try hash(PasswordKey(password), iterations: iterations)
  }

  /// The same for a password that was fed in parts.
  @_lifetime(self: copy self)
  public mutating func hash(
    _ password: borrowing PasswordKey, iterations: UInt32
  ) throws(PasswordRefusal) -> PasswordHash? {
    if let hash = memory.work.hash { return hash }
    try memory.work.hash(password, iterations: iterations)
    return nil
  }
}

/// An attempt to log in.
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
      // Who has to wait for a place has not begun.
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
  /// Whether the form has that field with just that text.
  public func field(_ name: StaticString, equals text: StaticString) -> Bool {
    guard let value = self[name] else { return false }
    return value.equals(text)
  }

  /// Whether the form has that field with anything in it: a checked box, a text that is not empty.
  public func has(_ name: StaticString) -> Bool {
    guard let value = self[name] else { return false }
    return !value.isEmpty
  }
}
