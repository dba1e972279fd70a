// Checks that a line of a head, a chunk or a trailer section ends with CR LF (RFC 9112 §2.2). RFC 9112
// lets a recipient accept a bare LF. This server refuses a bare LF, because a proxy that does not accept
// LF would see other requests in the same octets.

import MartletBytes

/// Whether CR LF stands at `start`. `false` while CR LF may still arrive.
///
/// - Throws: `refusal` when another octet than CR stands at `start`; `.lineEndMalformed` when another octet
///   than LF follows CR.
func hasLineEnd(
  _ octets: Span<UInt8>, at start: Int, orElse refusal: Refusal
) throws(Refusal) -> Bool {
  guard start < octets.count else { return false }
  guard octets[start] == "\r" else { throw refusal }
  guard start + 1 < octets.count else { return false }
  guard octets[start + 1] == "\n" else { throw .lineEndMalformed }
  return true
}
