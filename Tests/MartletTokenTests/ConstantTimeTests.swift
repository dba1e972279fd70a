import MartletToken
import TestSupport
import Testing

private func areEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
  withGuardedOctets(a) { a in withGuardedOctets(b) { b in constantTimeEquals(a, b) } }
}

@Suite struct ConstantTimeTests {
  @Test("Equal octets are equal, and any single bit makes them different")
  func everyBit() {
    var random = SeededRandom(1)
    for count in [0, 1, 31, 32, 33, 100] {
      let octets = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      var other = octets
      #expect(areEqual(octets, other))
      for i in 0..<count {
        for bit in 0..<8 {
          other[i] ^= 1 << bit
          #expect(!areEqual(octets, other))
          other[i] ^= 1 << bit
        }
      }
    }
  }

  @Test("Different counts are different, whatever the octets")
  func counts() {
    let zeros = [UInt8](repeating: 0, count: 33)
    #expect(!areEqual(zeros, Array(zeros.dropLast())))
    #expect(!areEqual([], zeros))
  }
}
