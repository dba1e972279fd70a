// Two secrets → whether they are equal, in a time that says nothing about where they differ.
//
// An attacker who can measure how long a comparison took finds a MAC octet by octet: 32 * 256
// guesses instead of 2^256. So every octet is looked at whatever the ones before it were.

import CMartletPlatform
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
  // Safe: C reads that many octets at both places. It sees no branch either: a difference is kept,
  // not acted on, and the addresses read depend on the counts alone.
  return unsafe a.withUnsafeBufferPointer { a in
    unsafe b.withUnsafeBufferPointer { b in
      unsafe martlet_equal_constant_time(a.baseAddress, b.baseAddress, a.count) != 0
    }
  }
}
