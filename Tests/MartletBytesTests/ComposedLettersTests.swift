// Letters that are typed in two ways, against Unicode's own tables, which full Swift has.

import MartletBytes
import TestSupport
import Testing

/// The scalars of a text's composed form, as `Character` compares: equal when canonically equivalent.
private func areAlike(_ first: [UInt32], _ second: [UInt32]) -> Bool {
  func string(_ scalars: [UInt32]) -> String {
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars.compactMap { Unicode.Scalar($0) })
    return String(text)
  }
  return string(first) == string(second)
}

@Suite struct ComposedLettersTests {
  @Test("Each letter and mark that make a letter from U+00C0 to U+017F make just that one, and no others do")
  func compose() {
    var count = 0
    for letter: UInt32 in 0x20..<0x7F {
      for mark: UInt32 in 0x2F0..<0x340 {
        let expected = (0xC0..<0x180).first { areAlike([letter, mark], [UInt32($0)]) }
        #expect(ComposedLetters.compose(letter, mark) == expected.map { UInt32($0) })
        count += expected == nil ? 0 : 1
      }
    }
    #expect(count == 161)
    for letter: UInt32 in [0, 0x80, 0xFC, 0x308, 0x430, 0x10FFFF] {
      #expect(ComposedLetters.compose(letter, 0x308) == nil)
    }
  }

  @Test("Of letters that it does not compose it says that there are variants")
  func hasVariants() {
    for value: UInt32 in [
      0xA0, 0xB5, 0xBD, 0x132, 0x17F, 0x1A0, 0x1E9, 0x301, 0x390, 0x3AC, 0x401, 0x419, 0x439, 0x457,
      0x5C1, 0x622, 0x958, 0xE33, 0x1100, 0x1EC7, 0x1F00, 0x2019, 0x212B, 0x2460, 0x304C, 0x30AC, 0xAC00,
      0xD7A3, 0xF900, 0xFB01, 0xFF21, 0x1D400, 0x2F800,
    ] {
      #expect(ComposedLetters.hasVariants(value), "U+\(String(value, radix: 16))")
    }
    for value: UInt32 in [
      0x20, 0x41, 0x7E, 0xA3, 0xE4, 0xDF, 0x142, 0x3B1, 0x430, 0x5D0, 0x627, 0x4E2D, 0x9FFF, 0x20AC,
      0x1F600, 0x10FFFF,
    ] {
      #expect(!ComposedLetters.hasVariants(value), "U+\(String(value, radix: 16))")
    }
  }

  @Test("No block of letters with variants is a character longer or shorter than it is")
  func blocks() {
    let ranges: [ClosedRange<UInt32>] = [
      0x180...0x24F, 0x2B0...0x36F, 0x37A...0x390, 0x3AA...0x3B0, 0x3CA...0x401, 0x403...0x403, 0x407...0x407,
      0x40C...0x40E, 0x419...0x419, 0x439...0x439, 0x450...0x451, 0x453...0x453, 0x457...0x457,
      0x45C...0x45E, 0x476...0x477, 0x483...0x489, 0x4C1...0x4C2, 0x4D0...0x4F9, 0x587...0x587,
      0x591...0x5C7, 0x610...0x61A, 0x622...0x626, 0x64B...0x678, 0x6C0...0x6ED, 0x900...0x109F,
      0x1100...0x11FF, 0x1B00...0x1BFF, 0x1D2C...0x209F, 0x20D0...0x218F, 0x2460...0x24FF, 0x2E80...0x3000,
      0x304C...0x30FF, 0x3131...0x33FF, 0xAC00...0xD7FF, 0xF900...0xFFFF, 0x1_D000...0x1_D7FF,
      0x1_F100...0x1_F2FF, 0x2_F800...0x2_FFFF,
    ]
    var expected = Set<UInt32>()
    for range in ranges { expected.formUnion(range) }
    for value: UInt32 in 0x180...0x3_0000 {
      let hasVariants = ComposedLetters.hasVariants(value)
      if hasVariants != expected.contains(value) { Issue.record("U+\(String(value, radix: 16))") }
    }
  }

  @Test("A decoder by number gives each character, and says what is ill-formed")
  func scalars() {
    for text in ["", "a", "ä", "日本", "😀", "a\u{0}\u{7F}\u{80}\u{7FF}\u{800}\u{FFFF}\u{10000}\u{10FFFF}"] {
      var decoder = UTF8Decoder()
      var found: [UInt32] = []
      for octet in text.utf8 {
        switch decoder.feed(octet) {
        case .needsMore: #expect(!decoder.isAtStart)
        case .scalar(let scalar):
          found.append(scalar)
          #expect([UInt8](Text.utf8(scalar).span) == Array(String(Unicode.Scalar(scalar)!).utf8))
        case .illFormed: Issue.record("\(text) is UTF-8")
        }
      }
      #expect(found == text.unicodeScalars.map(\.value) && decoder.isAtStart)
    }
    for octets: [UInt8] in [[0x80], [0xC0], [0xE0, 0x80], [0xED, 0xA0], [0xF4, 0x90], [0xC3, 0x41]] {
      var decoder = UTF8Decoder()
      var last = UTF8Decoder.Step.needsMore
      for octet in octets { last = decoder.feed(octet) }
      #expect(last == .illFormed)
    }
  }
}
