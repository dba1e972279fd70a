// Where a visitor was going: whatever a link says, a login ends on this site.

import Martlet
import MartletBytes
import MartletHTTP
import MartletServer

@Sendable func fuzzNext(_ input: Span<UInt8>) {
  let octets = Octets(input)
  checkWritten(octets)
  checkReturned(octets)
}

/// What a Location may be: this must hold as it is, decoded, and decoded twice.
private func checkLocation(_ location: Octets) {
  check(location.first == UInt8(ascii: "/"), "a location is a path")
  check(location.allSatisfy { ASCII.isURIOctet($0) }, "a location is a URI reference")
  var text = location
  for _ in 0..<2 {
    check(text.first == UInt8(ascii: "/"), "a path begins with a slash")
    check(
      text.count < 2 || text[1] != UInt8(ascii: "/") && text[1] != UInt8(ascii: "\\"),
      "a path names no host")
    check(text.allSatisfy { !ASCII.isControl($0) }, "a path has no control")
    text = percentDecoded(text)
  }
}

private func percentDecoded(_ octets: Octets) -> Octets {
  var decoder = PercentDecoder(octets.span, plusIsSpace: false)
  var result = Octets()
  while let octet = decoder.next() { result.append(octet) }
  return result
}

/// `next=INPUT` of any octets.
private func checkWritten(_ octets: Octets) {
  withExactCopy(Octets("a=b&next=") + octets) { query in
    guard let next = FormFields(query)["next"] else { return check(false, "there is a next") }
    var isLocal = false
    let location = written(capacity: 16_384) { isLocal = NextTarget.write(next, to: &$0) }
    if let location, isLocal {
      check(location.count <= 3 * Limits.nextSizeMax, "a location is within its limit")
      checkLocation(location)
      // Once more through the login page it is the same.
      var isKept = false
      let kept = written(capacity: 16_384) { isKept = NextTarget.reencode(next, to: &$0) }
      if let kept, isKept {
        check(
          kept.allSatisfy { ASCII.isURIOctet($0) && $0 != 0x26 && $0 != 0x3D && $0 != 0x23 },
          "a next is one value of a query")
        withExactCopy(Octets("next=") + kept) { again in
          guard let next = FormFields(again)["next"] else { return check(false, "there is a next") }
          var isWritten = false
          let second = written(capacity: 16_384) { isWritten = NextTarget.write(next, to: &$0) }
          check(isWritten && second == location, "handed on, a next leads to the same place")
        }
      }
    }
  }
}

/// The target of a request, carried through the login page, leads back to that target.
private func checkReturned(_ octets: Octets) {
  let target = octets.filter { $0 > 0x20 && $0 != 0x7F }
  let text = Octets("GET /") + target + Octets(" HTTP/1.1\r\nHost: h\r\n\r\n")
  withExactCopy(text) { span in
    guard case .value(let head) = outcome(span, RequestHead.parse) else { return }
    let request = IncomingRequest(
      octets: span, head: head, content: span.extracting(0..<0),
      moment: Moment(monotonicMilliseconds: 0, unixSeconds: 0))
    var isKept = false
    let kept = written(capacity: 32_768) { isKept = NextTarget.encode(request, to: &$0) }
    guard let kept, isKept else { return }
    withExactCopy(Octets("next=") + kept) { query in
      guard let next = FormFields(query)["next"] else { return check(false, "there is a next") }
      var isLocal = false
      let location = written(capacity: 16_384) { isLocal = NextTarget.write(next, to: &$0) }
      guard let location, isLocal else { return }
      checkLocation(location)
      var asked = Octets(span[head.target.path])
      if let query = head.target.query { asked += [0x3F] + Octets(span[query]) }
      let expected = asked.flatMap { octet in
        ASCII.isURIOctet(octet) ? [octet] : written(capacity: 3) { $0.append(percentEncoded: octet) }!
      }
      check(location == expected, "a login leads back to where the visitor was going")
    }
  }
}
