// Encodes and decodes base64url without padding (RFC 4648 §5, RFC 7515 §2). The decoder accepts exactly
// one text for each octet sequence. Padding, base64's `+` and `/`, blanks and unused bits are refused,
// because otherwise several texts would be one token.

/// base64url as JSON Web Signatures use it.
public enum Base64URL {
  /// How many characters `count` octets have in base64url.
  public static func encodedCount(_ count: Int) -> Int { (count * 4 + 2) / 3 }

  /// Writes `octets` in base64url.
  @_lifetime(writer: copy writer)
  public static func encode(_ octets: Span<UInt8>, to writer: inout Writer) {
    var i = 0
    while i < octets.count {
      let remaining = octets.count &- i
      let first = UInt32(octets[i]) << 16
      let second = remaining > 1 ? UInt32(octets[i &+ 1]) << 8 : 0
      let group = first | second | (remaining > 2 ? UInt32(octets[i &+ 2]) : 0)
      writer.append(character(group >> 18))
      writer.append(character(group >> 12))
      if remaining > 1 { writer.append(character(group >> 6)) }
      if remaining > 2 { writer.append(character(group)) }
      i &+= 3
    }
  }

  /// Decodes `text` to the start of `target`.
  ///
  /// - Returns: How many octets were decoded, or `nil` when `text` is not canonical or `target` is too
  ///   small. Not canonical are: a wrong character, padding, a length of 4n + 1, unused bits other than
  ///   zero.
  public static func decode(_ text: Span<UInt8>, into target: inout MutableSpan<UInt8>) -> Int? {
    decode(text, into: &target, "-", "_")
  }

  /// Decodes characters of either alphabet without padding; `c62` and `c63` are those that differ.
  /// Inlined, because the characters are constants.
  @inline(__always)
  static func decode(
    _ text: Span<UInt8>, into target: inout MutableSpan<UInt8>, _ c62: Unicode.Scalar,
    _ c63: Unicode.Scalar
  ) -> Int? {
    let rest = text.count % 4
    let size = text.count / 4 * 3 + max(0, rest - 1)
    guard rest != 1, size <= target.count else { return nil }
    var bits: UInt32 = 0
    var written = 0
    for i in text.indices {
      let value = value(of: text[i], c62, c63)
      guard value < 64 else { return nil }
      bits = bits << 6 | value
      // The 2nd, 3rd and 4th character of a group complete one octet each.
      switch i & 3 {
      case 0: continue
      case 1: target[written] = UInt8(truncatingIfNeeded: bits >> 4)
      case 2: target[written] = UInt8(truncatingIfNeeded: bits >> 2)
      default: target[written] = UInt8(truncatingIfNeeded: bits)
      }
      written &+= 1
    }
    let unused: UInt32 = rest == 2 ? 0b1111 : rest == 3 ? 0b11 : 0
    return bits & unused == 0 ? written : nil
  }

  private static func character(_ bits: UInt32) -> UInt8 { character(bits, 0x2D, 0x5F) }

  /// The character of six bits; `c62` and `c63` are those that differ between the alphabets.
  @inline(__always)
  static func character(_ bits: UInt32, _ c62: UInt8, _ c63: UInt8) -> UInt8 {
    let value = UInt8(truncatingIfNeeded: bits & 63)
    return switch value {
    case 0..<26: 0x41 &+ value
    case 26..<52: 0x61 &+ (value &- 26)
    case 52..<62: 0x30 &+ (value &- 52)
    case 62: c62
    default: c63
    }
  }

  /// The six bits of a character, or 64 for an octet that is not in the alphabet.
  @inline(__always)
  private static func value(
    of octet: UInt8, _ c62: Unicode.Scalar, _ c63: Unicode.Scalar
  ) -> UInt32 {
    switch octet {
    case "A"..."Z": UInt32(octet) &- 0x41
    case "a"..."z": UInt32(octet) &- 0x61 &+ 26
    case "0"..."9": UInt32(octet) &- 0x30 &+ 52
    case c62: 62
    case c63: 63
    default: 64
    }
  }
}
