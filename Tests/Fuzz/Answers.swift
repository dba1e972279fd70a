// What a peer reads: as many answers as it has sent requests, each framed so that the next one begins
// where it ends (RFC 9112 §6.3), and after the last one nothing.

import MartletBytes
import MartletHTTP
import MartletServer

/// What a stream of requests is owed.
struct Owed {
  /// For each request that is answered, whether it is HEAD: its response has no content.
  var isHead: [Bool] = []
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
        isHead.append(head.method == .head)
        closes = !head.keepsAlive
        start += size
      case .refused(let refusal):
        self.refusal = refusal
        closes = true
      case .head, .content: return
      }
    }
  }

  /// Reads the answers as a client would, and checks that they are what is owed.
  func check(_ answers: Octets) {
    var rest = answers[...]
    for isHead in isHead {
      guard let answer = Answer(&rest, hasContent: !isHead) else { return }
      let isLast = rest.isEmpty
      broken(answer.closes != (closes && isLast && refusal == nil), "only the last answer closes")
    }
    if let refusal, let answer = Answer(&rest, hasContent: true) {
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
    check((length != nil) == Status(status).allowsContent, "who has content says how much")
    let size = end + (hasContent ? Int(length ?? 0) : 0)
    check(size <= octets.count, "an answer is sent whole")
    rest = rest.dropFirst(size)
  }
}
