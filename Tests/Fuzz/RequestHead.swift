// A request's head, and how far a request has come when its octets trickle in.

import MartletBytes
import MartletHTTP
import MartletServer

@Sendable func fuzzRequestHead(_ input: Span<UInt8>) {
  let octets = expanded(input)
  if case .value(let head) = driven(octets, size: \.size, RequestHead.parse) {
    withExactCopy(octets) { checkHead(head, $0) }
  }
  checkProgress(octets)
}

/// What every later step relies on.
private func checkHead(_ head: RequestHead, _ octets: Span<UInt8>) {
  check(head.size <= Limits.requestHeadSizeMax, "a head is within its limit")
  check(RequestHead.endOfHead(octets) == head.size, "a head ends at its first empty line")
  for i in 0..<head.size where octets[i] == "\r" || octets[i] == "\n" {
    check(
      octets[i] == "\r" ? octets[i + 1] == "\n" : i > 0 && octets[i - 1] == "\r",
      "lines end in CR LF and nothing else")
  }
  let start = octets[0] == "\r" ? 2 : 0
  check(
    octets.extracting(start..<start + head.method.name.count).equals(head.method.name)
      && head.method != .connect, "the method is the first word")
  checkTarget(head, octets)
  checkFields(head, octets)
  if let host = head.host {
    check(host.end <= head.size, "a host is part of the head")
    for i in octets[host].indices {
      let octet = octets[host][i]
      check(octet > 0x20 && octet != "/" && octet != "@", "a host can be compared and shown")
    }
  } else {
    check(head.minorVersion == 0, "only HTTP/1.0 has no host")
  }
}

private func checkTarget(_ head: RequestHead, _ octets: Span<UInt8>) {
  let path = octets[head.target.path]
  check(
    path.count > 0 && (path[0] == "/" || path.equals("*") && head.method == .options),
    "a path begins with a slash")
  check(PercentDecoder.isWellFormed(path), "a path is well encoded")
  for i in path.indices {
    check(!ASCII.isControl(path[i]) && path[i] != 0x20, "a path has no control and no blank")
    check(path[i] != "?" && path[i] != "#", "a path ends before the query")
    check(path[i] < 0x80, "a path is ASCII")
  }
  guard let range = head.target.query else { return }
  check(range.end <= head.size, "a query is part of the head")
  let query = octets[range]
  for i in query.indices {
    check(!ASCII.isControl(query[i]) && query[i] != 0x20, "a query has no control and no blank")
    check(query[i] < 0x80 && query[i] != "#", "a query is ASCII without a fragment")
  }
}

private func checkFields(_ head: RequestHead, _ octets: Span<UInt8>) {
  let section = head.fields(in: octets)
  check(head.fieldSection.end + 2 == head.size, "an empty line ends the section")
  var fields = section
  var count = 0
  var closes = false
  while let field = fields.next() {
    count += 1
    check(field.name.count > 0, "a field has a name")
    for i in field.name.indices {
      check(ASCII.isTokenCharacter(field.name[i]), "a field name is a token")
    }
    for i in field.value.indices {
      check(ASCII.isFieldValueOctet(field.value[i]), "a field value has no control")
    }
    if field.value.count > 0 {
      check(
        !ASCII.isBlank(field.value[0]) && !ASCII.isBlank(field.value[field.value.count - 1]),
        "a value has no blanks around it")
    }
    if field.name.equalsIgnoringCase("connection"), field.value.equalsIgnoringCase("close") {
      closes = true
    }
  }
  var lines = 0
  let text = octets[head.fieldSection]
  for i in text.indices where text[i] == "\n" { lines += 1 }
  check(count == lines && count <= Limits.fieldLineCountMax, "each line is one field")
  check(!(closes && head.keepsAlive), "who asks to close is not kept")
  check(!head.keepsAlive || head.minorVersion > 0, "HTTP/1.0 is not kept")
  let lengths = section.count(of: "Content-Length")
  let codings = section.count(of: "Transfer-Encoding")
  check(lengths + codings <= 1, "content is framed in one way")
  for name in ["Host", "Authorization", "Origin", "Sec-Fetch-Site", "Content-Type"] as [StaticString] {
    check(section.count(of: name) <= 1, "a field by which access is decided comes once")
  }
  let length = section.value(of: "Content-Length")?.decimal()
  switch head.framing {
  case .none: check(codings == 0 && (lengths == 0 || length == 0), "no framing, no content")
  case .length(let count):
    check(length == UInt64(count) && count > 0, "the length is the field's")
    check(count <= Limits.requestPiecesSizeMax, "content is within its limit")
  case .chunked: check(codings == 1 && head.minorVersion > 0, "chunked by its field")
  }
}

/// A look that continues an earlier one says what a look at the whole says, but for one thing: as
/// long as the head has not ended, it may find only later that the head is refused.
private func checkProgress(_ octets: Octets) {
  var draw = Draw(octets)
  let examinedCount = draw.below(octets.count + 1)
  guard RequestHead.endOfHead(octets.span.extracting(0..<examinedCount)) == nil else { return }
  let whole = RequestProgress.of(octets.span, examinedCount: 0)
  let continued = RequestProgress.of(octets.span, examinedCount: examinedCount)
  guard continued != whole else { return }
  guard case .refused = whole, RequestHead.endOfHead(octets.span) == nil else {
    return check(false, "a request is the same in pieces")
  }
  check(continued == .head, "a head that has not ended is waited for")
}
