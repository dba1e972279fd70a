// A password ↔ what is stored of it, in the format of Microdot's login example, so that accounts
// can move over:
//
//     password-hash = "pbkdf2-hmac-sha256:" salt ":" iterations ":" digest
//     salt          = 8*32( 2HEXDIG )          ; written with 16 octets
//     iterations    = 1*DIGIT                  ; 1 to 10,000,000, no leading zero
//     digest        = 32( 2HEXDIG )
//
// Invariant: a hash in hand can be verified in bounded time. A password of more than 64 octets is hashed
// as RFC 8018 says, and as `hashlib` does it. Microdot's example does it otherwise, so a hash that it has
// made of such a password does not fit here, and the other way round.

public import MartletBytes

/// Why no hash is made of a password.
public enum PasswordRefusal: Error, Equatable, Sendable {
  /// More octets than `Limits.passwordSizeMax`.
  case tooLong
  /// A NUL is in it.
  case malformed
  /// Not within `PasswordHash.iterationCountRange`.
  case iterationCount
}

/// What is stored of a password: a salt, a number of iterations, and the PBKDF2-HMAC-SHA256 of both
/// with the password.
public struct PasswordHash: Sendable {
  /// How many iterations a hash may have. The upper bound keeps a damaged file from asking for
  /// hours.
  public static var iterationCountRange: ClosedRange<UInt32> { 1...10_000_000 }

  /// Octets of a written hash at most: with a salt of 32 octets and eight digits of iterations.
  public static var textSizeMax: Int { 19 + 64 + 1 + 8 + 1 + 64 }

  private static var scheme: StaticString { "pbkdf2-hmac-sha256" }

  fileprivate let salt: Text<32>
  /// How many iterations the digest took, and a verification takes.
  public let iterations: UInt32
  fileprivate let digest: Digest

  fileprivate init(salt: Text<32>, iterations: UInt32, digest: Digest) {
    self.salt = salt
    self.iterations = iterations
    self.digest = digest
  }

  /// Whether a hash can be made of a password. It has no NUL, because HMAC fills a short key up with NULs
  /// (RFC 2104 §2), so `hello` and `hello` with a NUL behind it would be one password.
  ///
  /// - Throws: Why not.
  public static func check(
    _ password: borrowing PasswordKey, iterations: UInt32
  ) throws(PasswordRefusal) {
    if let refusal = password.refusal { throw refusal }
    guard iterationCountRange.contains(iterations) else { throw .iterationCount }
  }

  /// Parses a written hash.
  ///
  /// - Parameter text: The hash and nothing else, no blank and no line end; hexadecimal digits in
  ///   either case.
  /// - Returns: `nil` for anything else, for a salt that is not of 8 to 32 octets, and for
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

  /// Writes the hash as text; 123 octets with a salt of 16 and 100,000 iterations.
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

  /// Whether that is the same hash: salt, iterations and digest.
  public func isSame(as other: PasswordHash) -> Bool {
    iterations == other.iterations && salt == other.salt
      && constantTimeEquals(digest.span, other.digest.span)
  }

  /// Hashes a password with a new random salt, here and now: for tools. A server takes the same
  /// work in slices, as `PasswordHashing`.
  ///
  /// - Throws: `PasswordRefusal`.
  /// - Complexity: Two compressions an iteration.
  public static func make(
    _ password: Span<UInt8>, iterations: UInt32
  ) throws(PasswordRefusal) -> PasswordHash {
    let key = PasswordKey(password)
    try check(key, iterations: iterations)
    var hashing = PasswordHashing(key.octets, iterations: iterations)
    // One step of all the iterations finishes.
    guard let hash = hashing.step(iterations) else { stop("hashing a password comes to an end") }
    return hash
  }

  /// Whether this is the password's hash, found out here and now: for tools. A server takes the
  /// same work in slices, as `PasswordVerification`.
  ///
  /// - Returns: `false` at once for a password that `PasswordKey.refusal` refuses.
  /// - Complexity: Two compressions an iteration.
  public func verify(_ password: Span<UInt8>) -> Bool {
    let key = PasswordKey(password)
    guard key.refusal == nil else { return false }
    var verification = PasswordVerification(key.octets, against: self)
    return verification.step(iterations) ?? false
  }

  /// The hash of no password that anybody knows. Whoever logs in under a name that does not exist
  /// is verified against this one, so that the time taken does not tell which names exist.
  ///
  /// - Parameter iterations: As many as the hashes of users have; brought into
  ///   `iterationCountRange`.
  public static func decoy(iterations: UInt32) -> PasswordHash {
    let range = iterationCountRange
    let count = min(max(iterations, range.lowerBound), range.upperBound)
    // A digest of zeros: to find a password for it is to invert SHA-256. The salt is as long as a
    // real one, so that it costs as many compressions.
    return PasswordHash(
      salt: "martlet's decoys", iterations: count, digest: Digest(repeating: 0))
  }
}

/// The verification of a password under way, to be done in slices.
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
  ///   - key: A password's `PasswordKey.octets`; not needed any more afterwards.
  ///   - hash: The user's, or `PasswordHash.decoy`.
  package init(_ key: Span<UInt8>, against hash: PasswordHash) {
    expected = hash.digest
    derivation = PBKDF2(password: key, salt: hash.salt.span, iterations: hash.iterations)
  }

  /// Goes on for up to `iterationCount` iterations.
  ///
  /// - Returns: Whether the password is right, compared in constant time; `nil` while that is not
  ///   yet known.
  public mutating func step(_ iterationCount: UInt32) -> Bool? {
    guard derivation.step(iterationCount) else { return nil }
    let digest = derivation.digest
    return constantTimeEquals(digest.span, expected.span)
  }
}

/// The hashing of a new password under way, to be done in slices.
public struct PasswordHashing: ~Copyable {
  private var derivation: PBKDF2
  private let salt: Text<32>
  private let iterations: UInt32

  /// Takes a random salt of 16 octets and begins.
  ///
  /// - Parameters:
  ///   - key: The `PasswordKey.octets` of a password that has been checked; not needed any more
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

  /// Goes on for up to `iterationCount` iterations.
  ///
  /// - Returns: The hash, or `nil` while there is more to do.
  public mutating func step(_ iterationCount: UInt32) -> PasswordHash? {
    guard derivation.step(iterationCount) else { return nil }
    return PasswordHash(salt: salt, iterations: iterations, digest: derivation.digest)
  }
}
