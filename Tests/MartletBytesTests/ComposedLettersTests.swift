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
