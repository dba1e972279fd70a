// Which octets a Range field asks for.

import MartletBytes
import MartletHTTP
import TestSupport
import Testing

@Suite("Ranges")
struct ByteRangesTests {
  /// The ranges as text: `whole`, `none`, or `0..<1 5..<9`.
  func ranges(_ value: [UInt8], size: Int64) -> String {
    withGuardedOctets(value) { span in
      switch RequestedRanges.parse(span, size: size) {
      case .whole: "whole"
      case .unsatisfiable: "none"
      case .ranges(let ranges): (0..<ranges.count).map { "\(ranges[$0])" }.joined(separator: " ")
      }
    }
  }

  func ranges(_ value: String, size: Int64 = 10) -> String { ranges(Array(value.utf8), size: size) }

  @Test(
    "Ranges are as RFC 9110 section 14.1.2 shows them",
    arguments: [
      ("bytes=0-499", "0..<500"), ("bytes=500-999", "500..<1000"), ("bytes=-500", "9500..<10000"),
      ("bytes=9500-", "9500..<10000"), ("bytes=0-0,-1", "0..<1 9999..<10000"),
      (" bytes=0-0", "whole"), ("bytes= 0-999, 4500-5499, -1000", "0..<1000 4500..<5500 9000..<10000"),
      ("bytes=500-600,601-999", "500..<1000"), ("bytes=500-700,601-999", "500..<1000"),
      ("BYTES=1-1", "1..<2"), ("bytes=9999-10000", "9999..<10000"), ("bytes=0-99999", "0..<10000"),
    ])
  func examples(_ value: String, _ expected: String) {
    #expect(ranges(value, size: 10_000) == expected)
  }

  @Test(
    "A malformed field, another unit and an empty list ask for the whole",
    arguments: [
      "", "bytes", "bytes=", "bytes=-", "bytes=,", "bytes=a", "bytes=1", "bytes=1-a", "bytes=a-1", "bytes=-a",
      "bytes=5-4", "bytes=1--2", "bytes=--1", "bytes=1 -2", "bytes=1-2;x", "bytes=+1-2", "bytes=1-2,a",
      "octets=1-2",
      "bytes =1-2", "bytes=0x1-2", "bytes=1.0-2", "bytes=\u{FF11}-2",
    ])
  func malformed(_ value: String) { #expect(ranges(value) == "whole") }

  @Test(
    "Ranges behind the end are left out, and without any other range nothing can be given",
    arguments: [
      ("bytes=10-", "none"), ("bytes=10-20", "none"), ("bytes=-0", "none"), ("bytes=10-,-0,99-", "none"),
      ("bytes=10-,9-", "9..<10"), ("bytes=-0,0-0", "0..<1"), ("bytes=-10", "0..<10"), ("bytes=-11", "0..<10"),
      ("bytes=9223372036854775807-", "none"), ("bytes=9223372036854775808-9223372036854775809", "none"),
      ("bytes=1-18446744073709551616", "1..<10"),
      ("bytes=-340282366920938463463374607431768211456", "0..<10"),
      ("bytes=00000000000000000000000000000009-", "9..<10"),
    ])
  func bounds(_ value: String, _ expected: String) { #expect(ranges(value) == expected) }

  @Test("An empty representation is given whole")
  func empty() {
    for value in ["bytes=0-", "bytes=-1", "bytes=0-0", "bytes=-0"] {
      #expect(ranges(value, size: 0) == "whole")
    }
  }

  @Test("The largest representation has ranges at its end")
  func largest() {
    #expect(ranges("bytes=9223372036854775806-", size: .max) == "\(Int64.max - 1)..<\(Int64.max)")
    #expect(ranges("bytes=-1,0-9223372036854775807", size: .max) == "0..<\(Int64.max)")
  }

  @Test(
    "Ranges that overlap or touch become one, at the place of the first",
    arguments: [
      ("bytes=5-6,0-1,3-5", "3..<7 0..<2"), ("bytes=0-1,4-5,8-9,2-7", "0..<10"),
      ("bytes=4-5,0-1,8-9,1-4", "0..<6 8..<10"),
      ("bytes=0-0,0-0,0-0", "0..<1"), ("bytes=0-,0-,0-", "0..<10"), ("bytes=8-9,0-1,7-9", "7..<10 0..<2"),
    ])
  func merged(_ value: String, _ expected: String) { #expect(ranges(value) == expected) }

  @Test("More ranges than the limit ask for the whole")
  func many() {
    let list = { (count: Int) in "bytes=" + (0..<count).map { "\($0 * 2)-\($0 * 2)" }.joined(separator: ",") }
    let most = Limits.rangeCountMax
    #expect(
      ranges(list(most), size: 10_000)
        == (0..<most).map { "\($0 * 2)..<\($0 * 2 + 1)" }.joined(separator: " "))
    #expect(ranges(list(most + 1), size: 10_000) == "whole")
    #expect(ranges(list(1_000), size: 10_000) == "whole")
    #expect(ranges(list(most) + ",0-9999", size: 10_000) == "0..<10000")
  }

  @Test("A simple model finds the same octets, and ranges neither overlap nor touch")
  func model() {
    var random = SeededRandom(14)
    for _ in 0..<3_000 {
      let size = Int.random(in: 1...40, using: &random)
      var wanted = Set<Int>()
      let specs = (0..<Int.random(in: 1...8, using: &random)).map { _ -> String in
        let first = Int.random(in: 0...45, using: &random)
        let last = Int.random(in: first...50, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0:
          wanted.formUnion((first...last).filter { $0 < size })
          return "\(first)-\(last)"
        case 1:
          wanted.formUnion((first..<max(first, size)))
          return "\(first)-"
        default:
          wanted.formUnion(max(0, size - first)..<size)
          return "-\(first)"
        }
      }
      let value = Array(("bytes=" + specs.joined(separator: ",")).utf8)
      let found: [Range<Int64>] = withGuardedOctets(value) { span in
        guard case .ranges(let ranges) = RequestedRanges.parse(span, size: Int64(size)) else { return [] }
        return (0..<ranges.count).map { ranges[$0] }
      }
      #expect(Set(found.flatMap { $0.map { Int($0) } }) == wanted, "\(specs) of \(size)")
      let sorted = found.sorted { $0.lowerBound < $1.lowerBound }
      for (a, b) in zip(sorted, sorted.dropFirst()) { #expect(a.upperBound < b.lowerBound, "\(specs)") }
    }
  }

  @Test("Every beginning, and every octet changed, gives ranges within the representation or none")
  func flips() {
    let text = Array("bytes=0-4, 9-, -3,12-18446744073709551616".utf8)
    var random = SeededRandom(15)
    for i in text.indices {
      for _ in 0..<20 {
        var changed = text
        changed[i] = UInt8.random(in: 0...255, using: &random)
        for octets in [changed, Array(changed[...i])] {
          withGuardedOctets(octets) { span in
            guard case .ranges(let ranges) = RequestedRanges.parse(span, size: 20) else { return }
            for index in 0..<ranges.count {
              let range = ranges[index]
              #expect(!range.isEmpty && range.lowerBound >= 0 && range.upperBound <= 20)
            }
          }
        }
      }
    }
  }
}
