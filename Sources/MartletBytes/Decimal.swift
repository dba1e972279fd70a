// Decimal digits → a number. Strict: digits only, no sign, no blank, and no wrap.

extension Span where Element == UInt8 {
  /// The number that `1*DIGIT` spells (Content-Length, RFC 9110 §8.6), or `nil` when there is no
  /// digit, anything else than digits, or more than `UInt64` holds.
  public func decimal() -> UInt64? {
    guard count > 0 else { return nil }
    var value: UInt64 = 0
    for i in indices {
      guard let digit = ASCII.digit(self[i]) else { return nil }
      let (product, productWraps) = value.multipliedReportingOverflow(by: 10)
      let (sum, sumWraps) = product.addingReportingOverflow(UInt64(digit))
      guard !productWraps, !sumWraps else { return nil }
      value = sum
    }
    return value
  }

  /// The octets that pairs of hexadecimal digits spell, written to `target`.
  ///
  /// - Returns: How many octets, or `nil` when a digit is missing or wrong or the room too small.
  public func decodeHexadecimal(into target: inout MutableSpan<UInt8>) -> Int? {
    guard count % 2 == 0, count / 2 <= target.count else { return nil }
    for i in 0..<count / 2 {
      guard let high = ASCII.hexadecimalDigit(self[2 &* i]),
        let low = ASCII.hexadecimalDigit(self[2 &* i &+ 1])
      else { return nil }
      target[i] = high << 4 | low
    }
    return count / 2
  }
}
