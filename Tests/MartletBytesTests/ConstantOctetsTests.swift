// Octets of string literals and of integer literals.

import MartletBytes
import TestSupport
import Testing

/// All octets, read as a server sends them: from where each run ends.
private func all(_ constant: ConstantOctets) -> [UInt8] {
  var octets: [UInt8] = []
  while octets.count < constant.count {
    let run = constant.octets(from: octets.count)
    guard run.count > 0 else { break }
    for i in run.indices { octets.append(run[i]) }
  }
  return octets
}

/// Memory in the place of four literals, with a gap behind each of them.
nonisolated(unsafe) private let memory: UnsafeMutablePointer<UInt8> = {
  let (size, stride) = (ConstantOctets.pieceSize, ConstantOctets.pieceSize + 100)
  let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: 4 * stride)
  memory.initialize(repeating: 0xEE, count: 4 * stride)
  for piece in 0..<4 {
    for i in 0..<size { memory[piece * stride + i] = UInt8(truncatingIfNeeded: i &+ piece) }
  }
  return memory
}()

private func octetsOfPiece(_ number: Int) -> UnsafePointer<UInt8> {
  UnsafePointer(memory + number * (ConstantOctets.pieceSize + 100))
}

@Suite struct ConstantOctetsTests {
  @Test("The octets of a string literal are its UTF-8")
  func strings() {
    #expect(all(ConstantOctets("aé\u{0}b")) == [0x61, 0xC3, 0xA9, 0, 0x62])
    #expect(ConstantOctets("").count == 0 && all(ConstantOctets("")) == [])
  }

  @Test("The octets of an integer literal come from the lowest to the highest")
  func integers() {
    let png = ConstantOctets(0x01_47_4E_50_89, count: 4)
    #expect(all(png) == [0x89, 0x50, 0x4E, 0x47] && png.count == 4)
    #expect(all(ConstantOctets(0x01, count: 0)) == [])
    #expect(all(ConstantOctets(0x01_FF, count: 1)) == [0xFF])
    #expect(all(ConstantOctets(0x01_00_00, count: 2)) == [0, 0])
  }

  @Test("Around the size of a word, no octet is lost or added")
  func words() {
    #expect(all(ConstantOctets(0x01_87_86_85_84_83_82_81, count: 7)) == Array(0x81...0x87))
    #expect(all(ConstantOctets(0x01_88_87_86_85_84_83_82_81, count: 8)) == Array(0x81...0x88))
    #expect(all(ConstantOctets(0x01_89_88_87_86_85_84_83_82_81, count: 9)) == Array(0x81...0x89))
    let sixteen = ConstantOctets(0x01_90_8F_8E_8D_8C_8B_8A_89_88_87_86_85_84_83_82_81, count: 16)
    #expect(all(sixteen) == Array(0x81...0x90))
  }

  @Test("The octets are those that the literal's words say")
  func wordsOfTheLiteral() {
    let literal: StaticBigInt = 0x01_90_8F_8E_8D_8C_8B_8A_89_88_87_86_85_84_83_82_81
    let octets = all(ConstantOctets(literal, count: 16))
    for index in octets.indices {
      let size = UInt.bitWidth / 8
      #expect(octets[index] == UInt8(truncatingIfNeeded: literal[index / size] >> UInt(index % size * 8)))
    }
  }

  @Test("Octets are read from each index to the end of their literal")
  func indices() {
    let constant = ConstantOctets(0x01_84_83_82_81, count: 4)
    for index in 0...4 {
      #expect([UInt8](constant.octets(from: index)) == Array(UInt8(0x81)...0x84)[index...] + [])
    }
  }

  @Test("Several pieces are read one after the other, each to its end")
  func pieces() {
    let size = ConstantOctets.pieceSize
    for count in [1, size - 1, size, size + 1, 2 * size, 3 * size, 3 * size + 7] {
      let constant = ConstantOctets(count: count, pieces: { octetsOfPiece($0) })
      #expect(constant.count == count)
      let octets = all(constant)
      #expect(octets == (0..<count).map { UInt8(truncatingIfNeeded: $0 % size &+ $0 / size) })
      #expect(constant.octets(from: count).count == 0)
    }
    let constant = ConstantOctets(count: 2 * size + 3, pieces: { octetsOfPiece($0) })
    #expect(constant.octets(from: size - 1).count == 1 && constant.octets(from: size).count == size)
    #expect(constant.octets(from: 2 * size - 1).count == 1 && constant.octets(from: 2 * size).count == 3)
  }

  @Test("A literal with another size than it says stops the program")
  func sizes() async {
    await #expect(processExitsWith: .failure) { _ = ConstantOctets(0x01_FF, count: 2) }
    await #expect(processExitsWith: .failure) { _ = ConstantOctets(0x02_FF, count: 1) }
    await #expect(processExitsWith: .failure) { _ = ConstantOctets(-0x01_FF, count: 1) }
  }
}
