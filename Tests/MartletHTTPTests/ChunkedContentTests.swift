import MartletBytes
import MartletHTTP
import TestSupport
import Testing

/// What a decoder has made of content in chunks.
struct DecodedChunks: Equatable {
  let content: [UInt8]
  /// Octets with all framing. What follows them is the next request's.
  let size: Int
}

/// Decodes chunks that arrive together. `nil`: their end is missing.
func decodeChunks(_ octets: Span<UInt8>) throws(Refusal) -> DecodedChunks? {
  try decodeChunks(octets, pieceSize: octets.count)
}

/// Decodes chunks that arrive in pieces, in place behind a head that stays, as the server does.
func decodeChunks(_ octets: Span<UInt8>, pieceSize: Int) throws(Refusal) -> DecodedChunks? {
  let head = Array("head".utf8)
  var decoder = try ContentDecoder(.chunked, countMax: Limits.requestContentSizeMax)
  var buffer = head + [UInt8](repeating: 0xA5, count: octets.count)
  var contentEnd = head.count
  var end = head.count
  var received = 0
  while received < octets.count, !decoder.isComplete {
    for i in received..<min(received + pieceSize, octets.count) {
      buffer[end] = octets[i]
      end += 1
      received += 1
    }
    var span = buffer.mutableSpan
    contentEnd = try decoder.decode(&span, from: contentEnd, to: &end)
  }
  #expect(buffer.starts(with: head))
  guard decoder.isComplete else { return nil }
  return DecodedChunks(
    content: Array(buffer[head.count..<contentEnd]), size: received - (end - contentEnd))
}

@Suite("Chunked content")
struct ChunkedContentTests {
  /// Decodes all at once, each beginning, with each octet damaged, and in pieces.
  func driveChunks(
    _ text: String, sourceLocation: SourceLocation = #_sourceLocation
  ) -> Outcome<DecodedChunks> {
    let octets = Array(text.utf8)
    let whole = drive(octets, size: \.size, sourceLocation: sourceLocation, decodeChunks)
    for pieceSize in [1, 2, 5, 997] {
      let inPieces = outcome(octets) { octets throws(Refusal) in
        try decodeChunks(octets, pieceSize: pieceSize)
      }
      #expect(inPieces == whole, "in pieces of \(pieceSize)", sourceLocation: sourceLocation)
    }
    return whole
  }

  /// How many octets of content a text has, when it is complete and nothing is left over.
  func contentCount(
    _ text: String, sourceLocation: SourceLocation = #_sourceLocation
  ) -> Int? {
    guard case .value(let decoded) = driveChunks(text, sourceLocation: sourceLocation),
      decoded.size == text.utf8.count
    else { return nil }
    return decoded.content.count
  }

  @Test(
    "Chunks are found and put together",
    arguments: [
      ("0\r\n\r\n", ""),
      ("5\r\nhello\r\n0\r\n\r\n", "hello"),
      ("5\r\nhello\r\n6\r\n world\r\n000\r\n\r\n", "hello world"),
      ("1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n", "abc"),
      ("A\r\n0123456789\r\n0a\r\n9876543210\r\n0\r\n\r\n", "01234567899876543210"),
      ("0000000000000001\r\na\r\n0\r\n\r\n", "a"),
      ("5; some; parameters=stuff\r\nhello\r\n0;last=\"x\"\r\n\r\n", "hello"),
      ("5 \t ;a\r\nhello\r\n0\r\n\r\n", "hello"),
      ("5;a;b=c;d\t= \"e;\\\"\\\\ ä\" ; f\r\nhello\r\n0;g=\"\"\r\n\r\n", "hello"),
      ("2\r\n\r\n\r\n0\r\n\r\n", "\r\n"),
      ("3\r\n0\r\n\r\n0\r\nVary: *\r\nA:\r\n\r\n", "0\r\n"),
    ])
  func valid(text: String, content: String) {
    let size = text.utf8.count
    #expect(
      driveChunks(text + "GET / HTTP/1.1")
        == .value(DecodedChunks(content: Array(content.utf8), size: size)))
  }

  @Test(
    "A chunk that could be read in two ways is refused",
    arguments: [
      ("\r\n", Refusal.chunkSizeMalformed),
      (";a\r\n", .chunkSizeMalformed),
      (" 5\r\n", .chunkSizeMalformed),
      ("5 \r\n", .chunkSizeMalformed),
      ("5 5\r\n", .chunkSizeMalformed),
      ("+5\r\n", .chunkSizeMalformed),
      ("-5\r\n", .chunkSizeMalformed),
      ("0x5\r\n", .chunkSizeMalformed),
      ("5_0\r\n", .chunkSizeMalformed),
      ("5\n", .chunkSizeMalformed),
      ("g\r\n", .chunkSizeMalformed),
      ("00000000000000005\r\n", .chunkSizeMalformed),
      ("5\rhello", .lineEndMalformed),
      ("5;a\nhello", .chunkExtensionMalformed),
      ("5;\r\n", .chunkExtensionMalformed),
      ("5; \r\n", .chunkExtensionMalformed),
      ("5;;a\r\n", .chunkExtensionMalformed),
      ("5;a;\r\n", .chunkExtensionMalformed),
      ("5;a \r\n", .chunkExtensionMalformed),
      ("5;a b\r\n", .chunkExtensionMalformed),
      ("5;bad[=x\r\n", .chunkExtensionMalformed),
      ("5;=x\r\n", .chunkExtensionMalformed),
      ("5;a=\r\n", .chunkExtensionMalformed),
      ("5;a= ;b\r\n", .chunkExtensionMalformed),
      ("5;a=b=c\r\n", .chunkExtensionMalformed),
      ("5;a=b c\r\n", .chunkExtensionMalformed),
      ("5;a=\"b\"c\r\n", .chunkExtensionMalformed),
      ("5;a=\"b\r\n", .chunkExtensionMalformed),
      ("5;a=b\"c\"\r\n", .chunkExtensionMalformed),
      ("5;ä\r\n", .chunkExtensionMalformed),
      ("0;\r\n\r\n", .chunkExtensionMalformed),
      ("5;a\rb\r\nhello", .lineEndMalformed),
      ("5;\u{0}\r\nhello", .chunkExtensionMalformed),
      ("5\r\nhello0\r\n\r\n", .chunkEndMissing),
      ("5\r\nhello\n0\r\n\r\n", .chunkEndMissing),
      ("5\r\nhello\r0\r\n\r\n", .lineEndMalformed),
      ("4001\r\n", .contentTooLarge),
      ("4000\r\n" + String(repeating: "a", count: 16_384) + "\r\n1\r\n", .contentTooLarge),
      ("100000000\r\n", .contentTooLarge),
      ("FFFFFFFFFFFFFFFF\r\n", .contentTooLarge),
      ("10000000000000005\r\n", .contentTooLarge),
      ("0\r\nA : b\r\n\r\n", .spaceBeforeColon),
      ("0\r\n A: b\r\n\r\n", .fieldLineFolded),
      ("0\r\nA\r\n\r\n", .fieldNameMalformed),
      ("0\r\nA: \u{0}\r\n\r\n", .fieldValueMalformed),
      ("0\r\n\n", .lineEndMalformed),
      ("0\r\ncontent-length: 1\r\n\r\n", .trailerFieldForbidden),
      ("0\r\nTransfer-Encoding: chunked\r\n\r\n", .trailerFieldForbidden),
      ("0\r\nHost: h\r\n\r\n", .trailerFieldForbidden),
    ])
  func malformed(text: String, refusal: Refusal) {
    #expect(driveChunks(text) == .refused(refusal))
  }

  @Test("The largest content is taken whole")
  func largest() {
    let text = "4000\r\n" + String(repeating: "a", count: 16_384) + "\r\n0\r\n\r\n"
    #expect(contentCount(text) == Limits.requestContentSizeMax)
  }

  @Test("Extensions are bounded over all chunks together")
  func extensions() {
    let half = ";" + String(repeating: "e", count: Limits.chunkExtensionSizeMax / 2 - 1)
    let whole = half + half
    #expect(contentCount("1\(half)\r\na\r\n0\(half)\r\n\r\n") == 1)
    #expect(driveChunks("1\(half)\r\na\r\n0\(half)e\r\n\r\n") == .refused(.chunkExtensionsTooLarge))
    #expect(driveChunks("1\(whole)e") == .refused(.chunkExtensionsTooLarge))
    // Found by fuzzing: in pieces too many, in one piece malformed.
    #expect(driveChunks("1\(whole)ee\u{0}") == .refused(.chunkExtensionsTooLarge))
    let blanks = String(repeating: " ", count: Limits.chunkExtensionSizeMax + 1)
    #expect(driveChunks("1" + blanks) == .refused(.chunkExtensionsTooLarge))
  }

  @Test("The trailer section is bounded")
  func trailers() {
    let longest = "A: " + String(repeating: "b", count: Limits.chunkExtensionSizeMax - 5) + "\r\n"
    #expect(contentCount("0\r\n\(longest)\r\n") == 0)
    #expect(driveChunks("0\r\nA\(longest)\r\n") == .refused(.trailerSectionTooLarge))
    let unfinished = "0\r\n" + String(repeating: "A", count: Limits.chunkExtensionSizeMax + 2)
    #expect(driveChunks(unfinished) == .refused(.trailerSectionTooLarge))
  }

  @Test("Content that is mostly framing is decoded, up to its own limit")
  func framing() {
    let text = String(repeating: "1\r\na\r\n", count: Limits.requestContentSizeMax)
    #expect(contentCount(text + "0\r\n\r\n") == Limits.requestContentSizeMax)
    #expect(driveChunks(text + "1\r\n") == .refused(.contentTooLarge))
  }
}
