// Compares secrets in a time that does not depend on where they differ.
//
// If a comparison ended at the first difference, an attacker who measures its time could find a MAC octet by
// octet. That needs 32 * 256 guesses instead of 2^256. So every octet is compared, whatever octets came
// before.

import CMartletPlatform
import MartletBytes

/// Whether both spans hold equal octets. The time depends on the count only.
///
/// - Parameters:
///   - a: A secret, or octets to compare with a secret. Its count is public.
///   - b: Octets to compare with `a`. Their count is public.
/// - Returns: `false` at once when the counts differ.
/// - Complexity: O(n); all octets are always compared.
@inline(never)
public func constantTimeEquals(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
  // This line reveals whether the counts differ. They are no secret: a digest has 32 octets, and the peer
  // knows how many octets it sent.
  guard a.count == b.count else { return false }
  // Safe: C reads `a.count` octets at both addresses. The loop in C has no branch that depends on octets: it
  // collects differences, and the addresses depend on the count alone.
  return unsafe a.withUnsafeBufferPointer { a in
    unsafe b.withUnsafeBufferPointer { b in
      unsafe martlet_equal_constant_time(a.baseAddress, b.baseAddress, a.count) != 0
    }
  }
}
