// Parses decimal and hexadecimal digits. Signs, blanks and numbers beyond 64 bits are refused.

extension Span where Element == UInt8 {
  /// The number that `1*DIGIT` spells (Content-Length, RFC 9110 §8.6). `nil` without digits, with
  /// anything else than digits, and for a number that `UInt64` does not hold.
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

  /// Decodes pairs of hexadecimal digits to the start of `target`.
  ///
  /// - Returns: How many octets were written. `nil` when a digit is missing or wrong, or when `target` is
  ///   too small.
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
