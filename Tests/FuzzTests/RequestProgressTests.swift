// What has arrived → what to do, at every prefix.

import MartletBytes
import MartletHTTP
import TestSupport
import Testing

@testable import Fuzz

/// A request head with the fields given.
private func request(_ line: String, _ fields: String...) -> String {
  "\(line) HTTP/1.1\r\nHost: h\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n"
}

/// A POST with that content.
private func post(_ path: String, _ content: String) -> String {
  request("POST \(path)", "Content-Length: \(content.utf8.count)") + content
}

@Suite struct RequestProgressTests {
  private let requests = [
    request("GET /"), request("GET /", "X: " + String(repeating: "y", count: 2_500)),
    post("/a", "name=value"),
    request("POST /b", "Transfer-Encoding: chunked") + "4\r\nabcd\r\n1;x\r\ne\r\n0\r\nA: b\r\n\r\n",
  ]

  private func progress(_ octets: [UInt8], _ examinedCount: Int = 0) -> RequestProgress {
    withGuardedOctets(octets) { RequestProgress.of($0, examinedCount: examinedCount) }
  }

  @Test("No prefix of a request is a request, and each says how much more it takes")
  func prefixes() throws {
    for text in requests {
      let octets = [UInt8](text.utf8)
      guard case .complete(let head, let size) = progress(octets) else {
        Issue.record("a whole request is complete")
        continue
      }
      #expect(size == octets.count)
      for count in stride(from: 0, to: octets.count, by: octets.count < 200 ? 1 : 17) {
        switch progress([UInt8](octets.prefix(count))) {
        case .head: #expect(count < head.size)
        case .content(let other, let wakeCount):
          #expect(other == head && count >= head.size)
          #expect(wakeCount > count && wakeCount <= octets.count)
        case .complete, .refused: Issue.record("\(count) octets are no request")
        }
      }
      let followed = progress(octets + [UInt8]("GET / HTTP/1.1".utf8))
      #expect(followed == .complete(head, size: size))
    }
  }

  @Test("Having looked at some of a head before does not change what is seen at its end")
  func examined() {
    for text in requests {
      let octets = [UInt8](text.utf8)
      let whole = progress(octets)
      guard case .complete(let head, _) = whole else { continue }
      let unfinished = [UInt8](octets.prefix(head.size - 1))
      for examinedCount in stride(from: 0, to: head.size, by: head.size < 200 ? 1 : 53) {
        #expect(progress(octets, examinedCount) == whole)
        #expect(progress(unfinished, examinedCount) == .head)
      }
    }
  }

  @Test("A head that can become none is refused at the next kibibyte at the latest")
  func refusedLate() {
    var octets = [UInt8]("GET / HTTP/1.1\r\nb@d: x\r\n".utf8)
    #expect(progress(octets, 5) == .head)
    #expect(progress(octets) == .refused(.fieldNameMalformed))
    octets += [UInt8](repeating: 0x61, count: 1_024)
    #expect(progress(octets, 30) == .refused(.fieldNameMalformed))
  }

  @Test("A head without an end is refused at its limit")
  func headTooLarge() {
    let octets = [UInt8]("GET / HTTP/1.1\r\nX: ".utf8) + [UInt8](repeating: 0x61, count: 16_384)
    #expect(progress(octets, 16_300) == .refused(.headTooLarge))
  }

  @Test("More content than a buffer holds is refused as soon as it is announced")
  func contentTooLarge() {
    #expect(
      progress([UInt8](request("POST /", "Content-Length: 16385").utf8))
        == .refused(.contentTooLarge))
    let head = [UInt8](request("POST /", "Content-Length: 16384").utf8)
    guard case .content(_, let wakeCount) = progress(head) else {
      Issue.record("16 KiB are taken")
      return
    }
    #expect(wakeCount == head.count + 16_384)
  }
}
