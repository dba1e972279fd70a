// Classes of octets, each with its grammar rule. Operators compare `UInt8` with characters
// (`octet == "a"`, `case "0"..."9"`), so that code needs no magic numbers.

package func ~= (pattern: ClosedRange<Unicode.Scalar>, octet: UInt8) -> Bool {
  pattern.contains(Unicode.Scalar(octet))
}

package func ~= (pattern: Unicode.Scalar, octet: UInt8) -> Bool { octet == pattern }

package func == (octet: UInt8, character: Unicode.Scalar) -> Bool {
  UInt32(octet) == character.value
}

package func != (octet: UInt8, character: Unicode.Scalar) -> Bool { !(octet == character) }

/// Classes of octets, named as the RFCs name them.
public enum ASCII {
  /// token = 1*tchar (RFC 9110 §5.6.2): methods, field names, cookie names.
  public static func isTokenCharacter(_ octet: UInt8) -> Bool {
    switch octet {
    case "!", "#", "$", "%", "&", "'", "*", "+", "-", ".", "^", "_", "`", "|", "~": true
    case "0"..."9", "A"..."Z", "a"..."z": true
    default: false
    }
  }

  /// cookie-octet = %x21 / %x23-2B / %x2D-3A / %x3C-5B / %x5D-7E (RFC 6265 §4.1.1):
  /// no control, blank, DQUOTE, comma, semicolon or backslash.
  public static func isCookieOctet(_ octet: UInt8) -> Bool {
    switch octet {
    case 0x21, 0x23...0x2B, 0x2D...0x3A, 0x3C...0x5B, 0x5D...0x7E: true
    default: false
    }
  }

  /// OWS = *( SP / HTAB ) (RFC 9110 §5.6.3).
  public static func isBlank(_ octet: UInt8) -> Bool { octet == 0x20 || octet == 0x09 }

  /// CTL (RFC 5234 B.1): the control octets 0x00 to 0x1F, and DEL.
  public static func isControl(_ octet: UInt8) -> Bool { octet < 0x20 || octet == 0x7F }

  /// field-vchar, SP and HTAB (RFC 9110 §5.5): every octet but controls. obs-text is allowed.
  public static func isFieldValueOctet(_ octet: UInt8) -> Bool {
    octet == 0x09 || !isControl(octet)
  }

  /// VCHAR without the octets that a URI may not hold (RFC 3986 §2): `"`, `<`, `>`, `\`, `^`, a backtick,
  /// `{`, `|`, `}`. The percent sign is allowed, so that what is encoded is not encoded twice.
  public static func isURIOctet(_ octet: UInt8) -> Bool {
    switch octet {
    case "\"", "<", ">", "\\", "^", "`", "{", "|", "}": false
    case 0x21...0x7E: true
    default: false
    }
  }

  /// The octet in lower case when it is an upper-case ALPHA; otherwise the octet itself.
  public static func lowercased(_ octet: UInt8) -> UInt8 {
    switch octet {
    case "A"..."Z": octet | 0x20
    default: octet
    }
  }

  /// The value of DIGIT, or `nil`.
  public static func digit(_ octet: UInt8) -> UInt8? {
    switch octet {
    case "0"..."9": octet &- 0x30
    default: nil
    }
  }

  /// The value of HEXDIG in either case, or `nil`.
  public static func hexadecimalDigit(_ octet: UInt8) -> UInt8? {
    switch octet {
    case "0"..."9": octet &- 0x30
    case "a"..."f": octet &- 0x61 &+ 10
    case "A"..."F": octet &- 0x41 &+ 10
    default: nil
    }
  }

  /// The digit of a value below 16: `0`-`9`, then `a`-`f`, or `A`-`F` when `uppercase`.
  public static func hexadecimal(_ value: UInt8, uppercase: Bool = false) -> UInt8 {
    invariant(value < 16, "a hexadecimal digit is below 16")
    return value < 10 ? 0x30 &+ value : (uppercase ? 0x37 : 0x57) &+ value
  }
}
