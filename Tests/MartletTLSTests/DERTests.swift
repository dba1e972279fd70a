// DER, octet by octet: lengths, prefixes, flips.

import TestSupport
import Testing

@testable import MartletTLS

/// What `body` writes.
func der(capacity: Int = 70_000, _ body: (inout DERWriter) throws -> Void) rethrows -> [UInt8]? {
  var storage = [UInt8](repeating: 0xAA, count: capacity)
  var writer = DERWriter(storage.mutableSpan)
  try body(&writer)
  let (octets, overflowed) = ([UInt8](writer.span), writer.overflowed)
  return overflowed ? nil : octets
}

@Suite struct DERTests {
  @Test("A length has the shortest form", arguments: [0, 1, 127, 128, 255, 256, 300, 65_535])
  func lengths(_ count: Int) throws {
    let content = [UInt8](repeating: 7, count: count)
    let octets = try #require(der { $0.append(DERTag.octetString, content.span) })
    let head: [UInt8] =
      count < 128
      ? [4, UInt8(count)]
      : count < 256 ? [4, 0x81, UInt8(count)] : [4, 0x82, UInt8(count >> 8), UInt8(count & 255)]
    #expect(octets == head + content)
    var reader = DERReader(0..<octets.count)
    let range = reader.next(octets.span, DERTag.octetString)
    #expect(range == head.count..<octets.count)
    #expect(reader.isAtEnd)
  }

  @Test("More than 65,535 octets do not fit an element")
  func tooLong() {
    let content = [UInt8](repeating: 7, count: 65_536)
    #expect(der { $0.append(DERTag.octetString, content.span) } == nil)
  }

  @Test("Elements within elements have the right lengths")
  func nesting() throws {
    let inner = [UInt8](repeating: 1, count: 126)
    let octets = try #require(
      der {
        let outer = $0.begin(DERTag.sequence)
        let middle = $0.begin(DERTag.set)
        $0.append(DERTag.octetString, inner.span)
        $0.end(middle)
        $0.append(hexadecimal: "0500")
        $0.end(outer)
      })
    #expect(octets == [0x30, 0x81, 0x85, 0x31, 0x81, 0x80, 4, 126] + inner + [5, 0])
  }

  @Test("What does not fit is not written", arguments: 0..<140)
  func overflow(_ capacity: Int) {
    let content = [UInt8](repeating: 1, count: 128)
    let octets = der(capacity: capacity) {
      let outer = $0.begin(DERTag.sequence)
      $0.append(DERTag.octetString, content.span)
      $0.end(outer)
    }
    #expect((octets == nil) == (capacity < 134))
  }

  @Test(
    "Lengths and tags that are not DER are refused",
    arguments: [
      "", "04", "0480", "048100", "04817f" + String(repeating: "00", count: 127), "04820080", "0482",
      "048200ff" + String(repeating: "00", count: 255), "0483000001ff", "04ff", "0401", "1f0100", "040201",
      "048180",
    ])
  func refused(_ text: String) {
    let octets = octets(hexadecimal: text)
    withGuardedOctets(octets) { span in
      var reader = DERReader(0..<span.count)
      let isThere = reader.next(span) != nil
      #expect(!isThere)
    }
  }

  @Test("An element of another tag is not consumed")
  func otherTag() {
    let octets: [UInt8] = [2, 1, 5]
    var reader = DERReader(0..<3)
    let missing = reader.next(octets.span, DERTag.sequence)
    #expect(missing == nil)
    let range = reader.next(octets.span, DERTag.integer)
    #expect(range == 2..<3)
  }

  @Test("Integers are as short as can be and positive")
  func integers() {
    for (octets, expected) in [
      ([0, 0, 1], [2, 1, 1]), ([0, 0x80], [2, 2, 0, 0x80]), ([0, 0], [2, 1, 0]),
      ([0x7F, 0xFF], [2, 2, 0x7F, 0xFF]),
    ] as [([UInt8], [UInt8])] {
      #expect(der { CertificateWriter.append(integer: octets.span, to: &$0) } == expected)
    }
  }

  /// The moment of an element.
  private func date(_ octets: [UInt8]) -> Int64? {
    var reader = DERReader(0..<octets.count)
    guard let element = reader.next(octets.span) else { return -1 }
    return octets.span.certificateDate(element)
  }

  @Test(
    "Dates are those of RFC 5280",
    arguments: [
      (0, "170d3730303130313030303030305a"), (2_524_607_999, "170d3439313233313233353935395a"),
      (2_524_608_000, "180f32303530303130313030303030305a"),
      (1_767_225_600, "170d3236303130313030303030305a"),
      (1_709_210_096, "170d3234303232393132333435365a"),
    ] as [(Int64, String)])
  func dates(_ seconds: Int64, _ text: String) throws {
    let octets = octets(hexadecimal: text)
    #expect(der { $0.append(date: seconds) } == octets)
    #expect(date(octets) == seconds)
  }

  @Test("What is no date is refused, whichever octet is changed")
  func noDates() throws {
    let good = octets(hexadecimal: "170d3236303130313030303030305a")
    for i in 2..<good.count {
      for value: UInt8 in [0, 0x2F, 0x3A, 0x5A, 0xFF] where good[i] != value {
        var bad = good
        bad[i] = value
        #expect(date(bad) == nil, "octet \(i) is \(value)")
      }
    }
    for text in [
      "170d3236313330313030303030305a", "170d3236303033313030303030305a", "170d3236303130303030303030305a",
      "170d3236303130313234303030305a", "170d3236303130313030363030305a", "170d3236303130313030303036305a",
      "170b323630313031303030305a", "04 0d3236303130313030303030305a".replacing(" ", with: ""),
    ] {
      let bad = octets(hexadecimal: text)
      #expect(date(bad) == nil, "\(text)")
    }
  }
}
