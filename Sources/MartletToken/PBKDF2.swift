// A password and a salt → octets that cost time to guess: PBKDF2-HMAC-SHA256 (RFC 8018 §5.2).
//
//     U_1 = PRF(P, S || INT(i));  U_c = PRF(P, U_{c-1});  T_i = U_1 ^ U_2 ^ ... ^ U_c
//
// The work can be cut into slices, so that a server goes on serving while a password is checked.
// The password is the HMAC key, so an iteration is two compressions. Invariant: `sum` is the
// exclusive or of as many U as have been computed; it is the result once `remaining` is 0.

import MartletBytes

/// One block of 32 octets of a PBKDF2-HMAC-SHA256 derivation under way.
///
///     var derivation = PBKDF2(password: password, salt: salt, iterations: 100_000)
///     while !derivation.step(1_000) { /* let others have their turn */ }
///     let digest = derivation.digest
public struct PBKDF2: ~Copyable {
  private var key: HMACKey
  /// The U computed last.
  private var last: Digest
  private var sum: Digest
  /// How many iterations are still to come.
  public private(set) var remaining: UInt32

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

  /// Goes on for up to `iterationCount` iterations.
  ///
  /// - Returns: Whether the derivation is finished; further steps then do nothing.
  /// - Complexity: Two compressions an iteration.
  public mutating func step(_ iterationCount: UInt32) -> Bool {
    guard remaining > 0 else { return true }
    let count = min(iterationCount, remaining)
    for _ in 0..<count {
      last = key.authenticate(last.span)
      for i in sum.indices { sum[i] ^= last[i] }
    }
    remaining -= count
    if remaining == 0 { wipe() }
    return remaining == 0
  }

  /// The result; only once a step has said that the derivation is finished.
  public var digest: Digest {
    invariant(remaining == 0, "only a finished derivation has a result")
    return sum
  }

  /// The result, computed here and now.
  public consuming func finish() -> Digest {
    _ = step(remaining)
    return digest
  }

  /// The password's states are needed no more: nothing of it stays.
  private mutating func wipe() {
    key.wipe()
    last = sum
  }
}
