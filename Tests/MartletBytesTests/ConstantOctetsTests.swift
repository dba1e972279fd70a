// Octets of string literals and of integer literals.

import MartletBytes
import TestSupport
import Testing

@Suite struct ConstantOctetsTests {
  @Test("The octets of a string literal are its UTF-8")
  func strings() {
    #expect([UInt8](ConstantOctets("aé\u{0}b").octets) == [0x61, 0xC3, 0xA9, 0, 0x62])
    #expect(ConstantOctets("").count == 0 && [UInt8](ConstantOctets("").octets) == [])
  }

  @Test("The octets of an integer literal come from the lowest to the highest")
  func integers() {
    let png = ConstantOctets(0x01_47_4E_50_89, count: 4)
    #expect([UInt8](png.octets) == [0x89, 0x50, 0x4E, 0x47] && png.count == 4)
    #expect([UInt8](ConstantOctets(0x01, count: 0).octets) == [])
    #expect([UInt8](ConstantOctets(0x01_FF, count: 1).octets) == [0xFF])
    #expect([UInt8](ConstantOctets(0x01_00_00, count: 2).octets) == [0, 0])
  }

  @Test("Around the size of a word, no octet is lost or added")
  func words() {
    #expect([UInt8](ConstantOctets(0x01_87_86_85_84_83_82_81, count: 7).octets) == Array(0x81...0x87))
    #expect([UInt8](ConstantOctets(0x01_88_87_86_85_84_83_82_81, count: 8).octets) == Array(0x81...0x88))
    #expect([UInt8](ConstantOctets(0x01_89_88_87_86_85_84_83_82_81, count: 9).octets) == Array(0x81...0x89))
    let sixteen = ConstantOctets(0x01_90_8F_8E_8D_8C_8B_8A_89_88_87_86_85_84_83_82_81, count: 16)
    #expect([UInt8](sixteen.octets) == Array(0x81...0x90))
  }

  @Test("The octets are those that the literal's words say")
  func wordsOfTheLiteral() {
    let literal: StaticBigInt = 0x01_90_8F_8E_8D_8C_8B_8A_89_88_87_86_85_84_83_82_81
    let octets = [UInt8](ConstantOctets(literal, count: 16).octets)
    for index in octets.indices {
      let size = UInt.bitWidth / 8
      #expect(octets[index] == UInt8(truncatingIfNeeded: literal[index / size] >> UInt(index % size * 8)))
    }
  }

  @Test("A literal with another size than it says stops the program")
  func sizes() async {
    await #expect(processExitsWith: .failure) { _ = ConstantOctets(0x01_FF, count: 2) }
    await #expect(processExitsWith: .failure) { _ = ConstantOctets(0x02_FF, count: 1) }
    await #expect(processExitsWith: .failure) { _ = ConstantOctets(-0x01_FF, count: 1) }
  }
}
