// DER (X.690) → ranges of octets. Input comes from outside, so every length is compared with the octets that are
// left. A length that is not in its shortest form is refused.
//
//     element = tag length content
//     tag     = 1 octet; tags of several octets do not occur in certificates and are refused
//     length  = %x00-7F / %x81 %x80-FF / %x82 %x01-FF OCTET      ; at most 65,535

import MartletBytes

/// An element among octets.
struct DERElement {
  let tag: UInt8
  /// The element with its tag and its length.
  let whole: Range<Int>
  let content: Range<Int>
}

/// Reads the elements of a range from the first to the last.
struct DERReader {
  /// What has not been read.
  private(set) var rest: Range<Int>

  init(_ range: Range<Int>) { rest = range }

  var isAtEnd: Bool { rest.isEmpty }

  /// The next element; `nil` at the end, and where no element is well-formed.
  ///
  /// - Parameter octets: What the range is of.
  @inline(never)
  mutating func next(_ octets: Span<UInt8>) -> DERElement? {
    let start = rest.lowerBound
    guard rest.count >= 2, rest.upperBound <= octets.count, octets[start] & 0x1F != 0x1F else { return nil }
    var content = start + 2
    var length = Int(octets[start + 1])
    if length > 0x7F {
      let extra = length & 0x7F
      guard extra == 1 || extra == 2, rest.count >= 2 + extra else { return nil }
      length = Int(octets[content])
      if extra == 2 { length = length << 8 | Int(octets[content + 1]) }
      // A length that a shorter form could hold is not DER.
      guard length >= (extra == 2 ? 0x100 : 0x80) else { return nil }
      content += extra
    }
    guard length <= rest.upperBound - content else { return nil }
    let end = content + length
    rest = end..<rest.upperBound
    return DERElement(tag: octets[start], whole: start..<end, content: content..<end)
  }

  /// The content of the next element, which must have that tag; otherwise `nil`, and nothing has been read.
  @inline(never)
  mutating func next(_ octets: Span<UInt8>, _ tag: UInt8) -> Range<Int>? {
    let former = rest
    if let element = next(octets), element.tag == tag { return element.content }
    rest = former
    return nil
  }
}

extension Span where Element == UInt8 {
  /// Whether the octets of a range are those that a literal of hexadecimal digits spells.
  @inline(never)
  func equals(_ range: Range<Int>, hexadecimal digits: StaticString) -> Bool {
    let digits = digits.octets
    guard range.count == digits.count / 2 else { return false }
    for i in 0..<range.count {
      let high = ASCII.hexadecimalDigit(digits[2 * i]) ?? 0
      guard self[range.lowerBound + i] == high << 4 | (ASCII.hexadecimalDigit(digits[2 * i + 1]) ?? 0) else {
        return false
      }
    }
    return true
  }
}
