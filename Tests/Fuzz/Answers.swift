// What a peer reads: as many answers as it has sent requests, each framed so that the next one begins
// where it ends (RFC 9112 §6.3), and after the last one nothing.

import MartletBytes
import MartletHTTP
import MartletServer

/// What a stream of requests is owed.
struct Owed {
  /// A request that is answered.
  struct Request {
    /// Whether its response has no content.
    let isHead: Bool
    /// Whether its page may refuse it before its content has come. The refusal is the last answer.
    let isUpload: Bool
  }

  var requests: [Request] = []
  /// Whether the stream ends, or is refused, in the content of an upload.
  var endsInUpload = false
  /// Why the stream is refused behind them.
  var refusal: Refusal?
  /// Whether the last answer says that the connection closes.
  var closes = false

  /// Reads a stream as one recipient after the other would.
  init(_ stream: Octets) {
    var start = 0
    while !closes {
      let rest = stream.span.extracting(start..<stream.count)
      let received = rest.extracting(first: min(rest.count, Limits.receiveSizeMax))
      switch RequestProgress.of(received, examinedCount: 0) {
      case .complete(let head, let size):
        requests.append(Request(isHead: head.method == .head, isUpload: Self.isUpload(head, rest)))
        closes = !head.keepsAlive
        start += size
      case .refused(let refusal):
        self.refusal = refusal
        closes = true
        if case .value(let head) = outcome(received, RequestHead.parse) {
          endsInUpload = Self.isUpload(head, rest)
        }
      case .content(let head, _):
        endsInUpload = Self.isUpload(head, rest)
        return
      case .head: return
      }
    }
  }

  private static func isUpload(_ head: RequestHead, _ octets: Span<UInt8>) -> Bool {
    head.method == .post && head.framing != .none && octets[head.target.path].hasPrefix("/upload")
  }

  /// Reads the answers as a client would, and checks that they are what is owed.
  func check(_ answers: Octets) {
    var rest = answers[...]
    for request in requests {
      guard let answer = Answer(&rest, hasContent: !request.isHead) else { return }
      let isLast = rest.isEmpty
      if request.isUpload, answer.closes, isLast, answer.status != 200 { return }
      broken(answer.closes != (closes && isLast && refusal == nil), "only the last answer closes")
    }
    if endsInUpload {
      if !rest.isEmpty, let answer = Answer(&rest, hasContent: true) {
        broken(answer.status < 300 || !answer.closes, "an upload without its end is refused or not answered")
      } else {
        broken(refusal != nil, "a refused upload is answered")
      }
    } else if let refusal, let answer = Answer(&rest, hasContent: true) {
      broken(answer.status != refusal.status.code, "a refusal has its status")
      broken(!answer.closes, "a refusal closes")
    }
    broken(!rest.isEmpty, "there is no answer that nobody asked for")
  }

  private func broken(_ isBroken: Bool, _ rule: StaticString) { Fuzz.check(!isBroken, rule) }
}

/// One response.
private struct Answer {
  var status: UInt16 = 0
  var closes = false

  /// Takes the response that `rest` begins with off it.
  init?(_ rest: inout ArraySlice<UInt8>, hasContent: Bool) {
    let octets = Octets(rest)
    guard octets.starts(with: Octets("HTTP/1.1 ")), let end = RequestHead.endOfHead(octets.span),
      let code = octets.span.extracting(9..<12).decimal()
    else {
      check(false, "each request is answered")
      return nil
    }
    status = UInt16(code)
    let lineEnd = octets.firstIndex(of: 0x0A) ?? 0
    let section = FieldSection(octets.span.extracting(lineEnd + 1..<end - 2))
    for name in ["Date", "Connection", "Content-Length", "Content-Type", "Location"] as [StaticString] {
      check(section.count(of: name) <= 1, "no field comes twice")
    }
    closes = section.value(of: "Connection")?.equals("close") ?? false
    let length = section.value(of: "Content-Length")?.decimal()
    let isChunked = section.value(of: "Transfer-Encoding")?.equals("chunked") ?? false
    check(length == nil || !isChunked, "content is framed in one way")
    // The stream of an HTTP/1.0 client ends with its connection.
    check(
      (length != nil || isChunked || closes && status == 200) == Status(status).allowsContent,
      "who has content says how much")
    rest = rest.dropFirst(end)
    guard hasContent, Status(status).allowsContent else { return }
    if isChunked {
      check(Self.dropChunks(&rest), "chunks are sent whole")
    } else {
      let size = length.map { Int($0) } ?? rest.count
      check(size <= rest.count, "an answer is sent whole")
      rest = rest.dropFirst(size)
    }
  }

  /// Removes a chunked content from the front (RFC 9112 §7.1); false where it is no such content.
  private static func dropChunks(_ rest: inout ArraySlice<UInt8>) -> Bool {
    while let lineEnd = rest.firstIndex(of: 0x0D),
      let count = Int(String(decoding: rest[..<lineEnd], as: UTF8.self), radix: 16)
    {
      let size = lineEnd - rest.startIndex + 2 + count
      guard rest.count >= size + 2 else { return false }
      rest = rest.dropFirst(size)
      guard rest.starts(with: [0x0D, 0x0A]) else { return false }
      rest = rest.dropFirst(2)
      if count == 0 { return true }
    }
    return false
  }
}
