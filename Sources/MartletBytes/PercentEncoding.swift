// Percent-encoding (RFC 3986 §2.1), and the variant of forms, in which `+` is a space. The decoder
// returns one octet a call, so that no decoded copy needs memory.

/// Decodes octets one at a time, in place.
public struct PercentDecoder: ~Escapable {
  private let octets: Span<UInt8>
  private var index = 0
  private let plusIsSpace: Bool

  /// - Parameters:
  ///   - octets: The encoded octets. A `%` without two hexadecimal digits behind it stands for itself,
  ///     as browsers read it (WHATWG URL §1.3). Check `isWellFormed` first where that must not be.
  ///   - plusIsSpace: Whether `+` means a space (application/x-www-form-urlencoded).
  @_lifetime(copy octets)
  public init(_ octets: Span<UInt8>, plusIsSpace: Bool) {
    self.octets = octets
    self.plusIsSpace = plusIsSpace
  }

  /// The next decoded octet, or `nil` at the end.
  @inline(never)
  @_lifetime(self: copy self)
  public mutating func next() -> UInt8? {
    guard index < octets.count else { return nil }
    let octet = octets[index]
    index &+= 1
    if octet == "+", plusIsSpace { return 0x20 }
    guard octet == "%", index &+ 1 < octets.count,
      let high = ASCII.hexadecimalDigit(octets[index]),
      let low = ASCII.hexadecimalDigit(octets[index &+ 1])
    else { return octet }
    index &+= 2
    return high << 4 | low
  }

  /// Whether every `%` is followed by two hexadecimal digits.
  public static func isWellFormed(_ octets: Span<UInt8>) -> Bool {
    for i in octets.indices where octets[i] == "%" {
      guard i + 2 < octets.count, ASCII.hexadecimalDigit(octets[i + 1]) != nil,
        ASCII.hexadecimalDigit(octets[i + 2]) != nil
      else { return false }
    }
    return true
  }
}

extension Writer {
  /// Writes one octet as `%` and two upper-case hexadecimal digits.
  @_lifetime(self: copy self)
  public mutating func append(percentEncoded octet: UInt8) {
    append(0x25)
    append(ASCII.hexadecimal(octet >> 4, uppercase: true))
    append(ASCII.hexadecimal(octet & 15, uppercase: true))
  }
}
