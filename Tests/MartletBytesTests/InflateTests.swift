// gzip → its content: what gzip writes comes back, and whatever else the octets are, nothing stops.

import MartletBytes
import TestSupport
import Testing

private func octets(_ hexadecimal: String) -> [UInt8] {
  let digits = Array(hexadecimal.utf8).map { $0 < 0x3A ? $0 - 0x30 : $0 - 0x57 }
  return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

/// The content of a member; `nil` where it is refused.
private func unpacked(_ gzip: [UInt8], capacity: Int = 8_192, before: String = "") -> String? {
  var isWhole = false
  let result = withGuardedOctets(gzip) { gzip in
    writtenOctets(capacity: capacity) { writer in
      for octet in before.utf8 { writer.append(octet) }
      isWhole = Inflate.unpack(gzip, to: &writer)
    }
  }
  return isWhole && !result.overflowed ? String(decoding: result.octets, as: UTF8.self) : nil
}

/// A member with these bits as blocks: the first digit is the first bit. Blanks do not count.
private func member(_ bits: String) -> [UInt8] {
  var octets: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 3]
  for (i, bit) in bits.filter({ $0 != " " }).enumerated() {
    if i % 8 == 0 { octets.append(0) }
    if bit == "1" { octets[octets.count - 1] |= 1 << UInt8(i % 8) }
  }
  return octets
}

@Suite struct InflateTests {
  /// Members that zlib has written, and their contents.
  static let members: [(kind: String, gzip: [UInt8], content: String)] = [
    (
      "stored",
      octets(
        """
        1f8b0800000000000203011100eeff53746f7265642c2061732069742069732ebc22f28711000000
        """), "Stored, as it is."
    ),
    (
      "fixed",
      octets(
        """
        1f8b08000000000002034b5448cbac484d5148ce4f49b552c84d2c2ac9492d19a5c9a4016a8882d64e010000
        """), "a fixed code: " + String(repeating: "martlet ", count: 40)
    ),
    (
      "dynamic",
      octets(
        """
        1f8b08000000000002035d93d771c0300c4357d1086ca24aa649f61f22805ce53f92e7131e085a6691f25374162dbf7f\
        3fc56609142c7d96b14a36810ff2ecd8d759acde3d27398be76bc259c36b03cff75932d6fb6396aea7800a1e15b93594\
        14a62f15058e466c3aea44191f2525e0485a21da62439dc4cc4b0f38d61f4f0a2cb778eb0d9ad04dcf401937e53d056b\
        8442cfb8b27eb833b0551ba79e81a9b6bcf50c64f9da1a26e0cb96bb1e289b7dfd19581b5450718571a4e5601b271b3a\
        308d9b1e3db7279b41e7f2a48f4dd1b93baddff0bc320ef0a24c96230f5100aae7e5d2fbca281e59006add720c269ddb\
        123164dcd9f5231ba46e49ab41da1e63c9c64ad8af308331cbbd4d0c98b56e471a0cdc64771be03597f8ca82da429868\
        155ecda245034a4bb96eb682ce9a3c6eabf3a85e1a1881d486eeb156f0ba6cffcc1af3b7c13629dbd6391e6e2b6fd3f3\
        fa172b0f33fa93ed3fc5cb9f79b8030000
        """),
      (0..<60).map { "\($0): \($0 * $0) \(String(repeating: "ab", count: $0 % 7)); " }.joined()
    ),
    (
      "several blocks",
      octets(
        """
        1f8b08000000000002034acb2c2a2e5100000000ffff2a4e4dcecf4b5100000000ffff2ac9c82c4a01000000ffff0300\
        07a9dc0712000000
        """), "first second third"
    ),
    (
      "a match that copies itself",
      octets(
        """
        1f8b0800000000000203aba81805a360140c770000e6c9413be8030000
        """), String(repeating: "x", count: 1_000)
    ),
  ]

  @Test("What gzip has compressed comes back, in blocks of every kind", arguments: members)
  func contents(_ kind: String, _ gzip: [UInt8], _ content: String) {
    #expect(unpacked(gzip) == content)
    #expect(unpacked(gzip, capacity: content.utf8.count) == content, "it fits exactly")
    #expect(unpacked(gzip, capacity: content.utf8.count - 1) == nil, "one octet too many")
    #expect(unpacked(gzip, capacity: 0) == nil)
    #expect(unpacked(gzip, before: "before ") == "before " + content, "what stands before stays")
  }

  @Test("A member that is cut before its checksum is refused", arguments: members)
  func prefixes(_ kind: String, _ gzip: [UInt8], _ content: String) {
    for end in 0..<gzip.count - 8 { #expect(unpacked(Array(gzip[..<end])) == nil, "\(end)") }
  }

  @Test("With any bit changed nothing stops, and no more is written than fits", arguments: members)
  func flips(_ kind: String, _ gzip: [UInt8], _ content: String) {
    for i in 0..<gzip.count * 8 {
      var changed = gzip
      changed[i / 8] ^= 1 << UInt8(i % 8)
      let result = unpacked(changed, capacity: 300)
      if i < 32 { #expect(result == nil, "another header") }
    }
    var random = SeededRandom(7)
    for _ in 0..<2_000 {
      var changed = gzip
      for _ in 0..<3 {
        changed[Int.random(in: 4..<gzip.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      _ = unpacked(changed, capacity: 2_000)
    }
  }

  @Test("Octets of chance are refused or are something; nothing stops")
  func chance() {
    var random = SeededRandom(11)
    for _ in 0..<20_000 {
      let count = Int.random(in: 0...60, using: &random)
      var gzip: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3]
      for _ in 0..<count { gzip.append(UInt8.random(in: 0...255, using: &random)) }
      _ = unpacked(gzip, capacity: 500)
    }
  }

  @Test(
    "What is no member is refused",
    arguments: [
      // The third type of a block is not assigned.
      "1 11",
      // A stored block whose two lengths do not agree.
      "1 00 00000 1000000000000000 0000000000000000",
      // Fixed: a match of 3 octets before the first octet.
      "1 10 0000001 00000 0000000",
      // Fixed: the symbols 286 and 287 stand for nothing, and so does the distance 30.
      "1 10 11000110 0000000", "1 10 00110000 0000001 11110 0000000",
      // Dynamic: 287 letters.
      "1 01 01111 00000 0000 000 000 000 000",
      // Dynamic: four codes of one bit.
      "1 01 00000 00000 0000 100 100 100 100",
      // Dynamic: the first length repeats the one before.
      "1 01 00000 00000 0000 100 000 000 100 0 00 00000000000000000000",
      // Dynamic: more lengths than there are symbols, 138 zeros a time.
      "1 01 00000 00000 0000 000 000 100 000 0 1111111 0 1111111 0 1111111 000",
    ])
  func refused(_ bits: String) {
    #expect(unpacked(member(bits + String(repeating: "0", count: 64))) == nil)
  }

  @Test("A fixed block can be written by hand: the letter a, and the end")
  func byHand() {
    // 0x61 is the 8-bit code 0x30 + 0x61 = 10010001; the end is 0000000.
    #expect(unpacked(member("1 10 10010001 0000000")) == "a")
    // A match of 3 octets at a distance of 1 behind it: symbol 257, 0000001, and the distance 00000.
    #expect(unpacked(member("1 10 10010001 0000001 00000 0000000")) == "aaaa")
    #expect(unpacked(member("1 10 10010001 0000001 00001 0000000")) == nil, "a distance of 2 behind one octet")
  }
}
