// The one way in which lines end, of heads, chunks and trailers alike: CR LF (RFC 9112 §2.2). A
// recipient may take a bare LF for a line end, and some do; one that does and one that does not can
// be made to see different requests in the same octets, so here it is refused.

import MartletBytes

/// Whether CR LF stands at `start`; `false` while it may still come.
///
/// - Throws: `refusal` when something else than CR stands there, `.lineEndMalformed` when only LF
///   is missing.
func hasLineEnd(
  _ octets: Span<UInt8>, at start: Int, orElse refusal: Refusal
) throws(Refusal) -> Bool {
  guard start < octets.count else { return false }
  guard octets[start] == "\r" else { throw refusal }
  guard start + 1 < octets.count else { return false }
  guard octets[start + 1] == "\n" else { throw .lineEndMalformed }
  return true
}
