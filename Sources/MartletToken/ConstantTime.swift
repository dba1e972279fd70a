// Two secrets → whether they are equal, in a time that says nothing about where they differ.
//
// An attacker who can measure how long a comparison took finds a MAC octet by octet: 32 * 256
// guesses instead of 2^256. So every octet is looked at whatever the ones before it were.

import CMbedTLS
import MartletBytes

/// Whether both hold the same octets, in a time that depends on their count only.
///
/// - Parameters:
///   - a: A secret, or what is compared with one.
///   - b: The other; the count of both is taken for public.
/// - Returns: `false` at once when the counts differ.
/// - Complexity: O(n), always all of it.
@inline(never)
public func constantTimeEquals(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
  // Leaks the counts, which are no secret: those of a digest and of what a peer sent.
  guard a.count == b.count else { return false }
  var difference: UInt32 = 0
  for i in a.indices {
    // No branch: a difference is kept, not acted on. The addresses read depend on `i` alone.
    difference |= UInt32(a[i] ^ b[i])
    // Closes the leak that an optimizer could open: were it to see that bits once set stay set, it
    // might leave the loop early. What comes out of the barrier is unknown to it.
    difference = cmbedtls_opaque(difference)
  }
  // The only thing told is whether there was any difference at all.
  return difference == 0
}
