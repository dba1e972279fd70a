// gzip → the octets that were compressed. For files that are part of the program in gzip only, and a client that
// does not accept gzip. The decoder reads one bit at a time: it is small, and what it reads is short.
//
//     member = 1F 8B 08 00 MTIME(4) XFL OS block CRC32(4) ISIZE(4)      ; RFC 1952 §2.3, without optional fields
//     block  = BFINAL BTYPE codes symbols                               ; RFC 1951 §3.2.7, the last one and dynamic
//
// gzip writes one such block for a text of some hundred octets to some 15 KB. MartletCompile refuses a file for which
// gzip writes something else. The output is the window: a match is copied from what the writer has already.
// The checksum is not computed, because the build has written the octets. Whatever the octets are, nothing is read or
// written out of bounds.

/// Decompresses gzip.
public enum Inflate {
  /// Writes the content of a gzip member.
  ///
  /// - Parameters:
  ///   - gzip: One member without optional fields, as `gzip -n` writes it, with one block that has codes of its own.
  ///   - writer: Gets the content.
  /// - Returns: `false` where the octets are no such member, or the content does not fit. A part of the content may
  ///   have been written then.
  /// - Complexity: O(n) in the octets of both.
  @inline(never)
  @_lifetime(writer: copy writer)
  public static func unpack(_ gzip: Span<UInt8>, to writer: inout Writer) -> Bool {
    var block = Block(gzip)
    guard block.bits(16) == 0x8B1F, block.bits(16) == 8 else { return false }
    block.skip(bits: 48)
    guard block.bits(3) == 5, block.readCodes() else { return false }
    return block.unpackSymbols(to: &writer)
  }
}

/// A prefix code (RFC 1951 §3.2.2): how many codes there are of each length, and the symbols in their order.
///
/// Invariant: the counts of all lengths above 0 are those of a code, perhaps of an incomplete one.
private struct PrefixCode {
  var counts = InlineArray<16, UInt16>(repeating: 0)
  var symbols = InlineArray<288, UInt16>(repeating: 0)

  /// Makes the code of symbols with these lengths, at most 288 of at most 15 bits.
  ///
  /// - Returns: `false` where no code has such lengths.
  @inline(never)
  mutating func set(_ lengths: Span<UInt8>) -> Bool {
    counts = .init(repeating: 0)
    for i in lengths.indices { counts[Int(lengths[i])] &+= 1 }
    counts[0] = 0
    var starts = InlineArray<16, UInt16>(repeating: 0)
    var left = 1
    for length in 1..<16 {
      left = left << 1 - Int(counts[length])
      if left < 0 { return false }
      starts[length] = starts[length - 1] &+ counts[length - 1]
    }
    for i in lengths.indices where lengths[i] > 0 {
      symbols[Int(starts[Int(lengths[i])])] = UInt16(truncatingIfNeeded: i)
      starts[Int(lengths[i])] &+= 1
    }
    return true
  }
}

/// A member with one block.
private struct Block: ~Escapable {
  private let octets: Span<UInt8>
  /// The index of the next bit; behind the last one where octets are missing.
  private var next = 0
  private var letters = PrefixCode()
  private var distances = PrefixCode()

  @_lifetime(copy octets)
  init(_ octets: Span<UInt8>) { self.octets = octets }

  /// The next bits as a number, the lowest bit first; 0 behind the last octet.
  @inline(never)
  @_lifetime(self: copy self)
  mutating func bits(_ count: Int) -> Int {
    var value = 0
    for i in 0..<count { value |= bit() << i }
    return value
  }

  // Inlined: most bits are read one at a time.
  @inline(__always)
  @_lifetime(self: copy self)
  private mutating func bit() -> Int {
    let index = next >> 3
    let value = index < octets.count ? Int(octets[index] >> UInt8(next & 7) & 1) : 0
    next &+= 1
    return value
  }

  @_lifetime(self: copy self)
  mutating func skip(bits count: Int) { next += count }

  private var hasEnded: Bool { next > octets.count << 3 }

  /// The symbol whose code is next; 288 where no symbol has it.
  @inline(never)
  @_lifetime(self: copy self)
  private mutating func symbol(ofDistance isDistance: Bool) -> Int {
    var (code, first, index) = (0, 0, 0)
    for length in 1..<16 {
      code |= bit()
      let count = Int(isDistance ? distances.counts[length] : letters.counts[length])
      if code < first + count {
        index += code - first
        return Int(isDistance ? distances.symbols[index] : letters.symbols[index])
      }
      index += count
      first = (first + count) << 1
      code <<= 1
    }
    return 288
  }

  /// The number that a symbol and the bits behind it stand for (RFC 1951 §3.2.5). Lengths come in groups of four
  /// symbols, distances in groups of two. Each group has one more bit than the group before.
  @_lifetime(self: copy self)
  private mutating func number(_ symbol: Int, groupBits: Int) -> Int {
    let size = 1 << groupBits
    guard symbol >= size else { return symbol }
    let extra = symbol >> groupBits - 1
    return (size | symbol & (size - 1)) << extra + bits(extra)
  }

  /// Reads the codes of a block, whose lengths are themselves in a code (RFC 1951 §3.2.7).
  @_lifetime(self: copy self)
  mutating func readCodes() -> Bool {
    var lengths = InlineArray<320, UInt8>(repeating: 0)
    let letterCount = bits(5) + 257
    let countOfBoth = letterCount + bits(5) + 1
    let order: StaticString =
      "\u{10}\u{11}\u{12}\0\u{8}\u{7}\u{9}\u{6}\u{A}\u{5}\u{B}\u{4}\u{C}\u{3}\u{D}\u{2}\u{E}\u{1}\u{F}"
    for i in 0..<bits(4) + 4 {
      lengths[Int(order.octets[i])] = UInt8(truncatingIfNeeded: bits(3))
    }
    guard letterCount <= 286, letters.set(lengths.span.extracting(0..<19)) else { return false }
    var count = 0
    while count < countOfBoth {
      var length = UInt8(truncatingIfNeeded: symbol(ofDistance: false))
      var repetitions = 1
      switch length {
      case 0..<16: break
      case 16:
        guard count > 0 else { return false }
        length = lengths[count - 1]
        repetitions = bits(2) + 3
      default:
        repetitions = length == 17 ? bits(3) + 3 : bits(7) + 11
        // A code that stands for nothing is 32 here.
        guard length < 19 else { return false }
        length = 0
      }
      guard count + repetitions <= countOfBoth else { return false }
      for _ in 0..<repetitions {
        lengths[count] = length
        count += 1
      }
    }
    return letters.set(lengths.span.extracting(0..<letterCount))
      && distances.set(lengths.span.extracting(letterCount..<countOfBoth))
  }

  /// Unpacks octets and matches up to the end of a block.
  @_lifetime(self: copy self)
  @_lifetime(writer: copy writer)
  mutating func unpackSymbols(to writer: inout Writer) -> Bool {
    while true {
      let letter = symbol(ofDistance: false)
      guard !hasEnded, letter < 286, !writer.overflowed else { return false }
      if letter == 256 { return true }
      if letter < 256 {
        writer.append(UInt8(truncatingIfNeeded: letter))
        continue
      }
      let count = letter == 285 ? 258 : number(letter - 257, groupBits: 2) + 3
      let symbol = symbol(ofDistance: true)
      guard symbol < 30 else { return false }
      let distance = number(symbol, groupBits: 1) + 1
      guard distance <= writer.count else { return false }
      for _ in 0..<count {
        let octet = writer.span[writer.count - distance]
        writer.append(octet)
        if writer.overflowed { return false }
      }
    }
  }
}
