// Composes a letter and a combining mark into one character, for passwords. Keyboards type `ü` as one
// character (U+00FC), or as a letter and a mark (U+0075 U+0308). Both look alike and have different octets,
// so a password typed on one device would not match on another device. Unicode's composed form (NFC, UAX
// #15) makes both equal. Its tables have 100 KiB, so this file covers the Latin letters of Europe only,
// U+00C0 to U+017F. For every other character `hasVariants` says whether a device may type it differently.

/// Unicode's composition of letters and marks, for U+00C0 to U+017F.
public enum ComposedLetters {
  private static var first: UInt32 { 0xC0 }
  private static var firstMark: UInt32 { 0x300 }

  /// Two characters for each letter from U+00C0 on: the base letter, then the mark. `0` is the mark
  /// U+0300, `1` is U+0301, and so on. Two blanks: the letter has no decomposition. `!!`: the letter has a
  /// compatibility decomposition, so another text looks alike.
  private static var parts: StaticString {
    """
    A0A1A2A3A8A:  CWE0E1E2E8I0I1I2I8  N3O0O1O2O3O8    U0U1U2U8Y1    \
    a0a1a2a3a8a:  cWe0e1e2e8i0i1i2i8  n3o0o1o2o3o8    u0u1u2u8y1  y8\
    A4a4A6a6AXaXC1c1C2c2C7c7C<c<D<d<    E4e4E6e6E7e7EXeXE<e<G2g2G6g6\
    G7g7GWgWH2h2    I3i3I4i4I6i6IXiXI7  !!!!J2j2KWkW  L1l1LWlWL<l<!!\
    !!    N1n1NWnWN<n<!!    O4o4O6o6O;o;    R1r1RWrWR<r<S1s1S2s2SWsW\
    S<s<TWtWT<t<    U3u3U4u4U6u6U:u:U;u;UXuXW2w2Y2y2Y8Z1z1Z7z7Z<z<!!
    """
  }

  /// The composed character for a letter and a mark, or `nil` when the table has none.
  @inline(never)
  public static func compose(_ letter: UInt32, _ mark: UInt32) -> UInt32? {
    guard letter < 0x80, mark >= firstMark, mark < firstMark + 0x30 else { return nil }
    let parts = parts.octets
    for i in 0..<parts.count / 2
    where UInt32(parts[2 * i]) == letter && UInt32(parts[2 * i + 1]) == mark - firstMark + 0x30 {
      return first + UInt32(i)
    }
    return nil
  }

  /// Whether keyboards or programs may type a character differently in a way that `compose` does not make
  /// equal. Decided by blocks of Unicode, so that the answer is `true` for a few characters too many.
  @inline(never)
  public static func hasVariants(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0..<0xA0: false
    // Blank, spacing marks, superscripts, micro, fractions.
    case 0xA0...0xBF: 0x773C_8501 >> (scalar - 0xA0) & 1 == 1
    case 0xC0...0x17F: parts.octets[Int(scalar - first) * 2] == "!"
    // Latin letters beyond Europe's; modifiers and combining marks.
    case 0x180...0x24F, 0x2B0...0x36F, 0x1D2C...0x1EFF: true
    // Greek with accents, and its symbols.
    case 0x37A...0x390, 0x3AA...0x3B0, 0x3CA...0x3FF, 0x1F00...0x1FFF: true
    // Cyrillic letters that consist of two parts.
    case 0x400, 0x401, 0x403, 0x407, 0x40C...0x40E, 0x419, 0x439, 0x450, 0x451, 0x453, 0x457,
      0x45C...0x45E, 0x476, 0x477, 0x483...0x489, 0x4C1, 0x4C2, 0x4D0...0x4F9:
      true
    // Hebrew and Arabic with points, scripts of South Asia, Hangul's parts.
    case 0x587, 0x591...0x5C7, 0x610...0x61A, 0x622...0x626, 0x64B...0x678, 0x6C0...0x6ED,
      0x900...0x109F, 0x1100...0x11FF, 0x1B00...0x1BFF:
      true
    // Quotation marks, blanks, superscripts, signs made of letters, numbers in circles.
    case 0x2000...0x209F, 0x20D0...0x218F, 0x2460...0x24FF: true
    // Kana with marks, radicals, compatibility characters of East Asia, Hangul.
    case 0x2E80...0x3000, 0x304C...0x30FF, 0x3131...0x33FF, 0xAC00...0xD7FF: true
    // Compatibility forms: ligatures, wide and narrow characters, variants.
    case 0xF900...0xFFFF, 0x1_D000...0x1_D7FF, 0x1_F100...0x1_F2FF, 0x2_F800...0x2_FFFF: true
    default: false
    }
  }
}
