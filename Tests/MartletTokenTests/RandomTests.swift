import MartletToken
import TestSupport
import Testing

@Suite struct RandomTests {
  @Test("Every length is filled to its end and no further")
  func lengths() {
    for count in [0, 1, 2, 31, 32, 255, 256, 257, 4_096] {
      var octets = [UInt8](repeating: 0, count: count + 1)
      // An octet that stays zero in 16 fillings would be a chance of 2^-128.
      var seen = [UInt8](repeating: 0, count: count)
      for _ in 0..<16 {
        var span = octets.mutableSpan
        var target = span._mutatingExtracting(0..<count)
        Random.fill(&target)
        for i in 0..<count { seen[i] |= octets[i] }
        #expect(octets[count] == 0)
      }
      #expect(!seen.contains(0))
    }
  }

  @Test("Two fillings differ")
  func differ() {
    var (first, second) = ([UInt8](repeating: 0, count: 32), [UInt8](repeating: 0, count: 32))
    var span = first.mutableSpan
    Random.fill(&span)
    span = second.mutableSpan
    Random.fill(&span)
    #expect(first != second)
  }
}
