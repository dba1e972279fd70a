// base64 with padding (RFC 4648 §4), strict and canonical like base64url (Base64URL.swift): one text
// for each octet sequence.

/// base64 as the Basic scheme (RFC 7617 §2) and PEM (RFC 7468) use it.
public enum Base64 {
  /// Writes `octets` in base64, with padding.
  @_lifetime(writer: copy writer)
  public static func encode(_ octets: Span<UInt8>, to writer: inout Writer) {
    var start = 0
    while start < octets.count {
      let count = min(3, octets.count - start)
      var group: UInt32 = 0
      for i in 0..<count { group |= UInt32(octets[start + i]) << UInt32(16 - 8 * i) }
      for place in 0...3 {
        writer.append(place > count ? 0x3D : Base64URL.character(group >> UInt32(18 - 6 * place), 0x2B, 0x2F))
      }
      start += count
    }
  }

  /// Decodes `text` to the start of `target`.
  ///
  /// - Returns: How many octets, or `nil` when `text` is not canonical or `target` is too small; part of the
  ///   octets may be written then. Not canonical is a text with a wrong character, a blank, missing or
  ///   surplus padding, or unused bits that are not zero.
  @inline(never)
  public static func decode(_ text: Span<UInt8>, into target: inout MutableSpan<UInt8>) -> Int? {
    guard text.count % 4 == 0 else { return nil }
    var end = text.count
    // A group ends in at most two characters of padding.
    if end > 0, text[end - 1] == "=" { end -= 1 }
    if end > 0, text[end - 1] == "=" { end -= 1 }
    return Base64URL.decode(text.extracting(0..<end), into: &target, "+", "/")
  }
}
