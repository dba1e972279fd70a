// Hashes passwords and verifies them. The stored text has the format of Microdot's login example, so that
// accounts of Microdot can be used:
//
//     password-hash = "pbkdf2-hmac-sha256:" salt ":" iterations ":" digest
//     salt          = 8*32( 2HEXDIG )          ; written with 16 octets
//     iterations    = 1*DIGIT                  ; 1 to 10,000,000, no leading zero
//     digest        = 32( 2HEXDIG )
//
// Invariant: every hash can be verified in bounded time. A password of more than 64 octets is hashed as
// RFC 8018 requires, and as Python's `hashlib` does. Microdot's example hashes such a password differently,
// so neither program accepts the other program's hash of it.

public import MartletBytes

/// The reasons why a password cannot be hashed.
public enum PasswordRefusal: Error, Equatable, Sendable {
  /// More octets than `Limits.passwordSizeMax`.
  case tooLong
  /// The password contains a NUL.
  case malformed
  /// The number of iterations is outside `PasswordHash.iterationCountRange`.
  case iterationCount
}

/// The stored form of a password: a salt, a number of iterations, and the PBKDF2-HMAC-SHA256 of the password
/// with both.
public struct PasswordHash: Sendable, ExpressibleByStringLiteral {
  /// How many iterations a hash may have. The upper bound exists so that a damaged file cannot make a
  /// verification last for hours.
  public static var iterationCountRange: ClosedRange<UInt32> { 1...10_000_000 }

  /// Octets of a written hash at most, with a salt of 32 octets and eight digits of iterations.
  public static var textSizeMax: Int { 19 + 64 + 1 + 8 + 1 + 64 }

  private static var scheme: StaticString { "pbkdf2-hmac-sha256" }

  fileprivate let salt: Text<32>
  /// How many iterations the digest and each verification need.
  public let iterations: UInt32
  fileprivate let digest: Digest

  fileprivate init(salt: Text<32>, iterations: UInt32, digest: Digest) {
    self.salt = salt
    self.iterations = iterations
    self.digest = digest
  }

  /// Checks that a password can be hashed with that many iterations.
  ///
  /// A password may not contain a NUL, because HMAC fills short keys up with NULs (RFC 2104 §2). `hello` and
  /// `hello` with a NUL behind it would be equal passwords.
  ///
  /// - Throws: The reason why the password cannot be hashed.
  public static func check(
    _ password: borrowing PasswordKey, iterations: UInt32
  ) throws(PasswordRefusal) {
    if let refusal = password.refusal { throw refusal }
    guard iterationCountRange.contains(iterations) else { throw .iterationCount }
  }

  /// Parses a written hash.
  ///
  /// - Parameter text: The hash without blanks and line ends. Hexadecimal digits may be in either case.
  /// - Returns: `nil` for any other text, for a salt of fewer than 8 or more than 32 octets, and for
  ///   iterations outside `iterationCountRange`.
  public init?(_ text: Span<UInt8>) {
    guard let schemeEnd = text.firstIndex(of: 0x3A),  // ":"
      text.extracting(0..<schemeEnd).equals(Self.scheme),
      let saltEnd = text.firstIndex(of: 0x3A, from: schemeEnd + 1),
      let iterationsEnd = text.firstIndex(of: 0x3A, from: saltEnd + 1)
    else { return nil }

    var salt = InlineArray<32, UInt8>(repeating: 0)
    var saltTarget = salt.mutableSpan
    let saltText = text.extracting(schemeEnd + 1..<saltEnd)
    guard let saltCount = saltText.decodeHexadecimal(into: &saltTarget), saltCount >= 8,
      let storedSalt = Text<32>(salt.span.extracting(first: saltCount))
    else { return nil }

    let iterationsText = text.extracting(saltEnd + 1..<iterationsEnd)
    guard let iterations = iterationsText.decimal(), iterationsText[0] != "0",
      iterations <= Self.iterationCountRange.upperBound
    else { return nil }

    var digest = Digest(repeating: 0)
    var digestTarget = digest.mutableSpan
    let digestText = text.extracting(iterationsEnd + 1..<text.count)
    guard digestText.decodeHexadecimal(into: &digestTarget) == 32 else { return nil }
    self.init(salt: storedSalt, iterations: UInt32(iterations), digest: digest)
  }

  /// The hash in a source file. A literal that is none is a bug and stops the program.
  public init(stringLiteral literal: StaticString) {
    let hash = PasswordHash(literal.octets)
    invariant(hash != nil, "a password hash is one")
    self = hash ?? .decoy(iterations: 1)
  }

  /// Writes the hash as text: 123 octets with a salt of 16 octets and 100,000 iterations.
  @_lifetime(writer: copy writer)
  public func write(to writer: inout Writer) {
    writer.append(Self.scheme)
    writer.append(0x3A)
    writer.append(hexadecimal: salt.span)
    writer.append(0x3A)
    writer.append(decimal: iterations)
    writer.append(0x3A)
    writer.append(hexadecimal: digest.span)
  }

  /// Whether both hashes have equal salts, iterations and digests.
  public func isSame(as other: PasswordHash) -> Bool {
    iterations == other.iterations && salt == other.salt
      && constantTimeEquals(digest.span, other.digest.span)
  }

  /// Hashes a password with a new random salt, in one call. This function is for tools; a server uses
  /// `PasswordHashing`, which works in slices.
  ///
  /// - Throws: `PasswordRefusal`.
  /// - Complexity: Two compressions an iteration.
  public static func make(
    _ password: Span<UInt8>, iterations: UInt32
  ) throws(PasswordRefusal) -> PasswordHash {
    let key = PasswordKey(password)
    try check(key, iterations: iterations)
    var hashing = PasswordHashing(key.octets, iterations: iterations)
    // A step of all iterations always finishes.
    guard let hash = hashing.step(iterations) else { stop("hashing a password comes to an end") }
    return hash
  }

  /// Whether this is the hash of the password, in one call. This function is for tools; a server uses
  /// `PasswordVerification`, which works in slices.
  ///
  /// - Returns: `false` at once for a password that `PasswordKey.refusal` refuses.
  /// - Complexity: Two compressions an iteration.
  public func verify(_ password: Span<UInt8>) -> Bool {
    let key = PasswordKey(password)
    guard key.refusal == nil else { return false }
    var verification = PasswordVerification(key.octets, against: self)
    return verification.step(iterations) ?? false
  }

  /// A hash whose password nobody knows. A login with a name that does not exist is verified against this
  /// hash, so that the time does not reveal which names exist.
  ///
  /// - Parameter iterations: As many as the hashes of users have. A number outside `iterationCountRange`
  ///   becomes the nearest number within the range.
  public static func decoy(iterations: UInt32) -> PasswordHash {
    let range = iterationCountRange
    let count = min(max(iterations, range.lowerBound), range.upperBound)
    // The digest is zeros: to find a password for it is to invert SHA-256. The salt has the length of a real
    // salt, so that a verification needs as many compressions.
    return PasswordHash(
      salt: "martlet's decoys", iterations: count, digest: Digest(repeating: 0))
  }
}

/// The verification of a password, done in slices.
///
///     var verification = PasswordVerification(key, against: hash)
///     // In each turn of the loop:
///     if let isRight = verification.step(1_000) { ... }
public struct PasswordVerification: ~Copyable {
  private var derivation: PBKDF2
  private let expected: Digest

  /// Begins a verification.
  ///
  /// - Parameters:
  ///   - key: A password's `PasswordKey.octets`. They may be overwritten afterwards.
  ///   - hash: The user's hash, or `PasswordHash.decoy`.
  package init(_ key: Span<UInt8>, against hash: PasswordHash) {
    expected = hash.digest
    derivation = PBKDF2(password: key, salt: hash.salt.span, iterations: hash.iterations)
  }

  /// How many iterations a server may do without looking at the clock.
  package var sliceIterations: UInt32 { derivation.sliceIterations }

  /// Computes up to `iterationCount` iterations.
  ///
  /// - Returns: Whether the password is right, compared in constant time. `nil` while iterations remain.
  public mutating func step(_ iterationCount: UInt32) -> Bool? {
    guard derivation.step(iterationCount) else { return nil }
    let digest = derivation.digest
    return constantTimeEquals(digest.span, expected.span)
  }
}

/// The hashing of a new password, done in slices.
public struct PasswordHashing: ~Copyable {
  private var derivation: PBKDF2
  private let salt: Text<32>
  private let iterations: UInt32

  /// Makes a random salt of 16 octets, and begins.
  ///
  /// - Parameters:
  ///   - key: The `PasswordKey.octets` of a password that has been checked. They may be overwritten
  ///     afterwards.
  ///   - iterations: Within `PasswordHash.iterationCountRange`.
  package init(_ key: Span<UInt8>, iterations: UInt32) {
    var octets = InlineArray<16, UInt8>(repeating: 0)
    var target = octets.mutableSpan
    Random.fill(&target)
    var salt = Text<32>()
    salt.append(octets.span)
    self.salt = salt
    self.iterations = iterations
    derivation = PBKDF2(password: key, salt: salt.span, iterations: iterations)
  }

  /// How many iterations a server may do without looking at the clock.
  package var sliceIterations: UInt32 { derivation.sliceIterations }

  /// Computes up to `iterationCount` iterations.
  ///
  /// - Returns: The hash, or `nil` while iterations remain.
  public mutating func step(_ iterationCount: UInt32) -> PasswordHash? {
    guard derivation.step(iterationCount) else { return nil }
    return PasswordHash(salt: salt, iterations: iterations, digest: derivation.digest)
  }
}
