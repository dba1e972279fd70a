// The Cookie field, read.

import MartletBytes
import MartletHTTP

@Sendable func fuzzCookies(_ input: Span<UInt8>) {
  let octets = Octets(input)
  checkCookieString(octets, input)
  checkHead(octets)
}

private typealias Pair = (name: Octets, value: Octets)

/// The pairs of a cookie-string, read in the simplest way (RFC 6265bis §5.8.3, §5.7 step 3).
private func pairs(_ octets: Octets) -> [Pair] {
  octets.split(separator: UInt8(ascii: ";")).compactMap { piece in
    guard let equals = piece.firstIndex(of: UInt8(ascii: "=")) else { return nil }
    let name = trimmed(piece[..<equals])
    return name.isEmpty ? nil : (name, trimmed(piece[(equals + 1)...]))
  }
}

private func trimmed(_ octets: ArraySlice<UInt8>) -> Octets {
  var octets = octets
  while let first = octets.first, first == 0x20 || first == 0x09 { octets.removeFirst() }
  while let last = octets.last, last == 0x20 || last == 0x09 { octets.removeLast() }
  return Octets(octets)
}

private func checkCookieString(_ octets: Octets, _ span: Span<UInt8>) {
  var cookies = CookieString(span)
  var expected = pairs(octets).makeIterator()
  while let cookie = cookies.next() {
    guard let pair = expected.next() else { return check(false, "there are no more cookies") }
    check(
      Octets(cookie.name) == pair.name && Octets(cookie.value) == pair.value,
      "a cookie is what stands between the semicolons")
  }
  check(expected.next() == nil, "no cookie hides another")
}

/// Each line of the input as a Cookie field of one head: the first cookie of a name counts.
private func checkHead(_ octets: Octets) {
  let values = octets.split(separator: 0x0A, omittingEmptySubsequences: false).map { line in
    trimmed(line.filter { ASCII.isFieldValueOctet($0) }[...])
  }
  var text = Octets("GET / HTTP/1.1\r\nHost: h\r\nX-Cookie: session=none\r\n")
  for value in values { text += Octets("cOOkie:") + value + Octets("\r\n") }
  text += Octets("\r\n")
  guard values.count < 90, text.count <= Limits.requestHeadSizeMax else { return }
  withExactCopy(text) { span in
    guard case .value(let head) = outcome(span, RequestHead.parse) else {
      return check(false, "cookies of any octets but controls are taken")
    }
    let found = Cookie.find("session", in: head.cookieFields(in: span))
    let all = values.flatMap(pairs)
    let expected = all.first { $0.name == Octets("session") }?.value
    check(copied(found) == expected, "the first cookie of the name is found")
    guard let any = all.last else { return }
    let other = Cookie.find(any.name.span, in: head.fields(in: span))
    let first = all.first { $0.name == any.name }?.value
    check(copied(other) == first, "so it is with every name")
  }
}
