// Derives a key from a password and a salt, slowly on purpose: PBKDF2-HMAC-SHA256 (RFC 8018 §5.2).
//
//     U_1 = PRF(P, S || INT(i));  U_c = PRF(P, U_{c-1});  T_i = U_1 ^ U_2 ^ ... ^ U_c
//
// The work can be done in slices, so that a server goes on serving while a password is verified. The
// password is the HMAC key, so an iteration is two compressions. Where the processor has instructions for
// SHA-256, they compute all iterations but the first; elsewhere mbedTLS does. Invariant: `sum` is the exclusive or
// of all U that have been computed. When `remaining` is 0, `sum` is the result.

import MartletBytes

/// One block of 32 octets of a PBKDF2-HMAC-SHA256 derivation under way.
///
///     var derivation = PBKDF2(password: password, salt: salt, iterations: 100_000)
///     while !derivation.step(1_000) { /* let others have their turn */ }
///     let digest = derivation.digest
public struct PBKDF2: ~Copyable {
  private var key: HMACKey
  /// The U that was computed last.
  private var last: Digest
  private var sum: Digest
  /// How many iterations have not been computed yet.
  public private(set) var remaining: UInt32
  private let usesInstructions: Bool

  /// Begins a derivation and computes the first iteration.
  ///
  /// - Parameters:
  ///   - password: Any number of octets.
  ///   - salt: Any number of octets.
  ///   - iterations: 1 or more.
  ///   - block: Which 32 octets of the derived key, counted from 1.
  public init(
    password: Span<UInt8>, salt: Span<UInt8>, iterations: UInt32, block: UInt32 = 1
  ) {
    self.init(
      password: password, salt: salt, iterations: iterations, block: block,
      usesInstructions: SHA256.hasInstructions)
  }

  /// Begins a derivation that uses the processor's instructions for SHA-256, or does without.
  ///
  /// - Parameter usesInstructions: `true` only where `SHA256.hasInstructions`.
  package init(
    password: Span<UInt8>, salt: Span<UInt8>, iterations: UInt32, block: UInt32 = 1, usesInstructions: Bool
  ) {
    self.usesInstructions = usesInstructions
    invariant(iterations >= 1, "a derivation has an iteration")
    invariant(block >= 1, "the blocks of a derived key are counted from 1")
    key = HMACKey(password)
    // INT(i): four octets, most significant first.
    var index = InlineArray<4, UInt8>(repeating: 0)
    for i in 0..<4 { index[i] = UInt8(truncatingIfNeeded: block >> (24 - 8 * UInt32(i))) }
    last = key.authenticate(salt, index.span)
    sum = last
    remaining = iterations - 1
    if remaining == 0 { wipe() }
  }

  /// How many iterations a server may do without looking at the clock. They take 1 ms on the slowest board, and
  /// some 10 to 30 µs on a PC.
  public var sliceIterations: UInt32 { usesInstructions ? 256 : 16 }

  /// Computes up to `iterationCount` iterations.
  ///
  /// - Returns: Whether the derivation is finished. Further steps do nothing then.
  /// - Complexity: Two compressions an iteration.
  public mutating func step(_ iterationCount: UInt32) -> Bool {
    guard remaining > 0 else { return true }
    let count = min(iterationCount, remaining)
    if usesInstructions {
      key.iterate(&last, addingTo: &sum, count)
    } else {
      for _ in 0..<count {
        last = key.authenticate(last.span)
        for i in sum.indices { sum[i] ^= last[i] }
      }
    }
    remaining -= count
    if remaining == 0 { wipe() }
    return remaining == 0
  }

  /// The result. A call before the derivation is finished is a bug and stops the program.
  public var digest: Digest {
    invariant(remaining == 0, "only a finished derivation has a result")
    return sum
  }

  /// Computes all remaining iterations, and returns the result.
  public consuming func finish() -> Digest {
    _ = step(remaining)
    return digest
  }

  /// Overwrites the states that were made from the password, because they are not needed any more.
  private mutating func wipe() {
    key.wipe()
    last = sum
  }
}
