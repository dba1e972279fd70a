// Text → octets of certificates and keys, and back (RFC 7468).
//
//     block   = "-----BEGIN " label "-----" eol *line "-----END " label "-----" eol
//     line    = base64 of RFC 4648 §4, with blanks anywhere between its characters
//
// What stands outside of blocks is text for people and is left out (RFC 7468 §2). Lines end in LF or CR LF.

package import MartletBytes

/// Text with blocks of base64.
package enum PEM {
  /// A block of a text.
  struct Block {
    let label: Range<Int>
    /// What stands between the first line and the last.
    let body: Range<Int>
  }

  /// Characters of base64 in a line that is written (RFC 7468 §2).
  private static var lineSize: Int { 64 }

  /// The next block of a text, or `nil` after the last.
  ///
  /// - Parameter position: Where to begin; afterwards the end of the block.
  /// - Throws: `malformed` for a block without an end, or whose last line has another label.
  @inline(never)
  static func next(_ text: Span<UInt8>, from position: inout Int) throws(CertificateProblem) -> Block? {
    while position < text.count {
      let first = line(text, &position)
      guard let label = label(text, first, "-----BEGIN ") else { continue }
      let start = position
      while position < text.count {
        let last = line(text, &position)
        guard text.extracting(last).hasPrefix("-----") else { continue }
        guard let end = self.label(text, last, "-----END "),
          text.extracting(end).equals(text.extracting(label))
        else { throw .malformed }
        return Block(label: label, body: start..<last.lowerBound)
      }
      throw .malformed
    }
    return nil
  }

  /// The range of the line at `position`, without its end and the blanks before that; moves to the next line.
  private static func line(_ text: Span<UInt8>, _ position: inout Int) -> Range<Int> {
    let start = position
    var end = text.firstIndex(of: 0x0A, from: start) ?? text.count
    position = min(end + 1, text.count)
    while end > start, isBlank(text[end - 1]) { end -= 1 }
    return start..<end
  }

  private static func isBlank(_ octet: UInt8) -> Bool {
    ASCII.isBlank(octet) || octet == 0x0D || octet == 0x0A
  }

  /// The label of a first or last line, or `nil` for another line.
  private static func label(_ text: Span<UInt8>, _ line: Range<Int>, _ prefix: StaticString) -> Range<Int>? {
    let start = line.lowerBound + prefix.utf8CodeUnitCount
    let end = line.upperBound - 5
    guard start <= end, text.extracting(line).hasPrefix(prefix),
      text.extracting(end..<line.upperBound).equals("-----")
    else { return nil }
    return start..<end
  }

  /// Decodes the body of a block to `start`, in the memory that holds the text. The octets are fewer than the
  /// characters, so that nothing is overwritten that has not been read.
  ///
  /// - Parameter start: Not behind the body's start.
  /// - Returns: How many octets, or `nil` when the body is not canonical base64.
  @inline(never)
  static func decode(_ memory: inout MutableSpan<UInt8>, _ body: Range<Int>, to start: Int) -> Int? {
    invariant(start <= body.lowerBound, "what is decoded stays before what has not been read")
    var group = InlineArray<4, UInt8>(repeating: 0)
    var (groupCount, written) = (0, 0)
    var isPadded = false
    for i in body {
      let octet = memory[i]
      if isBlank(octet) { continue }
      // Padding ends the text.
      guard !isPadded else { return nil }
      group[groupCount] = octet
      groupCount += 1
      guard groupCount == 4 else { continue }
      groupCount = 0
      var octets = InlineArray<3, UInt8>(repeating: 0)
      var target = octets.mutableSpan
      guard let count = Base64.decode(group.span, into: &target) else { return nil }
      isPadded = count < 3
      memory.copy(octets.span.extracting(first: count), to: start + written)
      written += count
    }
    return groupCount == 0 ? written : nil
  }

  /// Writes a block.
  @inline(never)
  @_lifetime(writer: copy writer)
  package static func write(_ label: StaticString, _ octets: Span<UInt8>, to writer: inout Writer) {
    writer.append("-----BEGIN ")
    writer.append(label)
    writer.append("-----\n")
    var position = 0
    while position < octets.count {
      let end = min(position + lineSize / 4 * 3, octets.count)
      Base64.encode(octets.extracting(position..<end), to: &writer)
      writer.append(0x0A)
      position = end
    }
    writer.append("-----END ")
    writer.append(label)
    writer.append("-----\n")
  }
}
