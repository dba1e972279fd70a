// Octets received so far → what a server is to do: wait, refuse, or answer. Pure and without state: it is
// asked again from the first octet whenever more has arrived. The fuzzers hold the server against it.

import MartletBytes
import MartletHTTP

/// How far a request has come.
enum RequestProgress: Equatable, Sendable {
  /// The head is not complete.
  case head
  /// The head is complete, the content is not; nothing new can be said before `wakeCount` octets
  /// are there.
  case content(RequestHead, wakeCount: Int)
  /// A request of `size` octets is complete.
  case complete(RequestHead, size: Int)
  /// It never will be a request that is answered with its page.
  case refused(Refusal)

  /// Looks at what has been received and not yet taken.
  ///
  /// - Parameters:
  ///   - octets: All of it, from the first octet of the request; the next request may follow.
  ///   - examinedCount: How many of them have been looked at before, while the end of the head was
  ///     not among them; 0 once it was. A head that trickles in is searched only for its end, and
  ///     parsed anew once a kibibyte: otherwise each octet would cost a parse of all before it.
  /// - Complexity: O(n), n = `octets.count`, which the content and its framing bound.
  static func of(_ octets: Span<UInt8>, examinedCount: Int) -> RequestProgress {
    if examinedCount > 0, examinedCount / 1_024 == octets.count / 1_024,
      RequestHead.endOfHead(octets, from: examinedCount) == nil
    {
      return .head
    }
    do throws(Refusal) {
      guard let head = try RequestHead.parse(octets) else { return .head }
      return try of(octets, head)
    } catch {
      return .refused(error)
    }
  }

  private static func of(
    _ octets: Span<UInt8>, _ head: RequestHead
  ) throws(Refusal) -> RequestProgress {
    switch head.framing {
    case .none:
      return .complete(head, size: head.size)
    case .length(let count):
      guard count <= Limits.requestContentSizeMax else { throw .contentTooLarge }
      let size = head.size + count
      return octets.count >= size
        ? .complete(head, size: size) : .content(head, wakeCount: size)
    case .chunked:
      let rest = octets.extracting(head.size..<octets.count)
      if let chunks = try decodedChunks(rest) {
        return .complete(head, size: head.size + chunks.size)
      }
      return .content(head, wakeCount: octets.count + 1)
    }
  }
}
