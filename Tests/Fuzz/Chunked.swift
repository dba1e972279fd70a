// Content in chunks: checked, and decoded as it arrives.

import MartletBytes
import MartletHTTP

@Sendable func fuzzChunked(_ input: Span<UInt8>) {
  let octets = expanded(input)
  let whole = driven(octets, size: \.size, decodedChunks)
  check(
    outcome(octets.span) { octets throws(Refusal) in try decodedChunks(octets, Draw(Octets(octets))) }
      == whole,
    "chunks are the same in pieces")
  if case .value(let decoded) = whole {
    check(decoded.content.count <= Limits.requestContentSizeMax, "content is within its limit")
    check(decoded.content == dechunked(octets), "the content is all chunks' data")
  }
  checkRoundTrip(octets)
}

/// What a decoder has made of chunks.
struct DecodedChunks: Equatable {
  var content: Octets
  /// Octets with all framing.
  var size: Int
}

/// Decodes chunks that arrive together. `nil`: their end is missing.
func decodedChunks(_ octets: Span<UInt8>) throws(Refusal) -> DecodedChunks? {
  try decodedChunks(octets, nil)
}

/// Decodes chunks that arrive in pieces as drawn, behind something that must not change.
private func decodedChunks(_ octets: Span<UInt8>, _ draw: Draw?) throws(Refusal) -> DecodedChunks? {
  var draw = draw
  let before = Octets("before")
  let all = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: before.count + octets.count)
  defer { all.deallocate() }
  _ = all.initialize(from: before + Octets(octets))
  var decoder = try ContentDecoder(.chunked, countMax: Limits.requestContentSizeMax)
  var contentEnd = before.count
  var end = before.count
  var receivedCount = 0
  while receivedCount < octets.count, !decoder.isComplete {
    let rest = octets.count - receivedCount
    let count = draw == nil ? rest : 1 + (draw?.below(min(rest, 60)) ?? 0)
    for i in receivedCount..<receivedCount + count {
      all[end] = octets[i]
      end += 1
    }
    receivedCount += count
    var span = all.mutableSpan
    contentEnd = try decoder.decode(&span, from: contentEnd, to: &end)
  }
  check(Octets(all.prefix(before.count)) == before, "what is before the chunks stays")
  guard decoder.isComplete else { return nil }
  return DecodedChunks(
    content: Octets(all[before.count..<contentEnd]), size: receivedCount - (end - contentEnd))
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
  switch outcome(text.span, decodedChunks) {
  case .value(let decoded):
    check(decoded.size == text.count, "all of it is framing or content")
    check(decoded.content == content, "content comes back")
  case .incomplete: check(false, "the last chunk ends the content")
  case .refused(let refusal):
    check(refusal == .contentTooLarge, "right chunks are refused for their size only")
    check(content.count > Limits.requestContentSizeMax, "what is within the limits is taken")
  }
}
