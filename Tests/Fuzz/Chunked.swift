// Content in chunks: found, checked, put together.

import MartletBytes
import MartletHTTP

@Sendable func fuzzChunked(_ input: Span<UInt8>) {
  let octets = expanded(input)
  if case .value(let extent) = driven(octets, size: \.size, ChunkedContent.parse) {
    check(extent.contentCount <= Limits.requestContentSizeMax, "content is within its limit")
    check(extent.size <= ChunkedContent.sizeMax, "framing is within its limit")
    let content = dechunked(octets)
    check(content.count == extent.contentCount, "the count is that of all chunks")
    check(compacted(Octets(octets.prefix(extent.size))) == content, "the content is all chunks' data")
  }
  checkRoundTrip(octets)
}

/// The data of all chunks, read in the simplest way; for content that has been found complete.
private func dechunked(_ octets: Octets) -> Octets {
  var content = Octets()
  var rest = octets[...]
  while true {
    let digits = rest.prefix { $0 != 0x0D && $0 != 0x3B && $0 != 0x20 && $0 != 0x09 }
    guard let size = Int(String(decoding: digits, as: UTF8.self), radix: 16) else {
      fatalError("broken: a chunk size is hexadecimal")
    }
    guard let lineFeed = rest.firstIndex(of: 0x0A) else { fatalError("broken: a line ends") }
    rest = rest[(lineFeed + 1)...]
    if size == 0 { return content }
    content += rest.prefix(size)
    rest = rest.dropFirst(size + 2)
  }
}

/// The content put together behind something that must not change.
private func compacted(_ octets: Octets) -> Octets {
  let before = Octets("before")
  let all = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: before.count + octets.count)
  defer { all.deallocate() }
  _ = all.initialize(from: before + octets)
  var span = all.mutableSpan
  let count = ChunkedContent.compact(&span, from: before.count)
  check(Octets(all.prefix(before.count)) == before, "what is before the chunks stays")
  check(count <= octets.count, "content is not longer than its chunks")
  return Octets(all[before.count..<before.count + count])
}

/// Any content, cut anywhere into chunks, comes back.
private func checkRoundTrip(_ content: Octets) {
  var draw = Draw(content)
  var text = Octets()
  var rest = content[...]
  while !rest.isEmpty {
    let size = 1 + draw.below(draw.below(8) == 0 ? rest.count : min(40, rest.count))
    text += String(size, radix: 16, uppercase: draw.below(2) == 0).utf8
    text += Octets("\r\n") + rest.prefix(size) + Octets("\r\n")
    rest = rest.dropFirst(size)
  }
  text += Octets("0\r\n\r\n")
  switch outcome(text.span, ChunkedContent.parse) {
  case .value(let extent):
    check(extent.size == text.count, "all of it is framing or content")
    check(compacted(text) == content, "content comes back")
  case .incomplete: check(false, "the last chunk ends the content")
  case .refused(let refusal):
    check(refusal == .contentTooLarge, "right chunks are refused for their size only")
    check(
      content.count > Limits.requestContentSizeMax || text.count > ChunkedContent.sizeMax,
      "what is within the limits is taken")
  }
}
