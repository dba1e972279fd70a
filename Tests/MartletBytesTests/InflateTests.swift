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
      "matches",
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
      "a match that copies itself",
      octets(
        """
        1f8b0800000000000203edd0b97504510844d1542a82399f1dc2e9bdf38f40a5894286b0f01e97b5616476b4f5818a3a\
        91951762e246883f70b31716ba414b76c8ac03b2e684f685f1bad1990faae3452ddf906a3bc2f580a79cb05e1774e686\
        4a3f10ab1791ac56b03a7ea0c54e94e9850c61b516ab3d2f7cf506d3daa19eac669c68bf603746f5e12e6ce662b34888\
        2121840437122c48d02241860411128c82090a3a29a826a11609a9248493e049823509b6485025417cfd7e84d5a2a087\
        821612ca48c820218a041f125c483023419d0449129a02de3ffabd9f804a12b249c8454228096e245890a045820c0922\
        241805131474515023fbe77ffed4fc006162b21a44030000
        """), words
    ),
    (
      "no matches, and no code of a distance",
      octets(
        """
        1f8b080000000000020305c10711c3300004302a8f40176f1b4ebaf923a874dd39e53cb2db7e668df5ca5cf39d71c627\
        a3f46f7a6bbfb451efd4551e29e77aa65ce795badf397d7db2e7fc66edf1cbbafa9d59db23a3d767fa2cafb47dbd53cf\
        f9a496fd4d69eb9731ef9c351ed9a73fb34b7b65b5face1ce593b1ae6ffa3ebff46bdf69753d52fb7ca6ccf1caeeefb4\
        4f4eaddfec5e7e59f3ba33d779649cfdcc28eb95dee63b6d8c4feaeadf94d37e29a5de69e59133ae67f63cafacbddf59\
        d7fa64d6f9cde8e3973efb9db6db23edaacfd45a5e29fd7a679c4fcedadfecb37ed965de596d3c32477f66acf64a3ff5\
        9d5eca27ad5ddfd47e7e2973dfd9eb91f9cca9e395ddfb3b6bb64fe6aedfccabfc32ea75a7b7f3481bfb99bad62be5cc\
        774a199fb4fecd19ed97bdea9d75ca030000000000000000000000000000000000000000000000000000000000000000\
        0000000000000000000000000000000000e00f6162b21a44030000
        """), words
    ),
  ]

  static let words =
    (0..<90).map { "\($0 * 7_919 % 1_000)\(Array("abcdefgh")[$0 % 8])" }.joined(separator: " ")
    + String(repeating: ".", count: 400)

  @Test("What gzip has compressed comes back", arguments: members)
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
    "What is no member of one dynamic block is refused",
    arguments: [
      // A stored block, a fixed block, a type that is not assigned, a block that is not the last.
      "1 00 00000 0000000000000000 1111111111111111", "1 10 10010001 0000000", "1 11", "0 01",
      // 287 letters.
      "1 01 01111 00000 0000 000 000 000 000",
      // Four codes of one bit.
      "1 01 00000 00000 0000 100 100 100 100",
      // The first length repeats the one before.
      "1 01 00000 00000 0000 100 000 000 100 0 00 00000000000000000000",
      // More lengths than there are symbols, 138 zeros a time.
      "1 01 00000 00000 0000 000 000 100 000 0 1111111 0 1111111 0 1111111 000",
    ])
  func refused(_ bits: String) {
    #expect(unpacked(member(bits + String(repeating: "0", count: 64))) == nil)
  }

  @Test("Symbols that stand for nothing, and distances behind the first octet, are refused")
  func symbols() {
    // The code of lengths: 18 is 0, 1 is 10, 2 is 11. Of the letters, a has 1 bit (0), the end has 2 (10), and so
    // has 257, a match of 3 octets (11). The distances 1 and 2 have 1 bit each.
    let order = "000 000 100 " + String(repeating: "000 ", count: 12) + "010 000 010"
    // 97 times no code, a, 138 and 20 times no code, the end, 257; both distances.
    let lengths = "0 0110101 10 0 1111111 0 1001000 11 11 10 10"
    let head = "1 01 10000 10000 0111 \(order) \(lengths)"
    #expect(unpacked(member(head + " 0 10")) == "a")
    #expect(unpacked(member(head + " 0 11 0 10")) == "aaaa")
    #expect(unpacked(member(head + " 0 0 11 1 10")) == "aaaaa")
    #expect(unpacked(member(head + " 11 0 10")) == nil, "nothing stands before")
    #expect(unpacked(member(head + " 0 11 1 10")) == nil, "a distance of 2 behind one octet")
  }
}
