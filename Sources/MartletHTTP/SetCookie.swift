// Checks the part of a Set-Cookie field that is known only at run time (RFC 6265 §4.1, RFC 6265bis §4.1):
//
//     path-av    = "Path=" path-value
//     path-value = *av-octet                      ; no control, no ";"

import MartletBytes

/// The rules of user agents for a Set-Cookie field.
public enum SetCookie {
  /// Octets of an attribute's value. User agents ignore an attribute with a longer value (RFC 6265bis §5.6).
  public static var attributeSizeMax: Int { 1_024 }

  /// Whether `value` may be a cookie's value: cookie-value = *cookie-octet (RFC 6265 §4.1.1), which leaves
  /// out controls, blanks, quotation marks, commas, semicolons, backslashes, and what is no ASCII.
  public static func isValue(_ value: Span<UInt8>) -> Bool {
    for i in value.indices {
      switch value[i] {
      case 0x21, 0x23...0x2B, 0x2D...0x3A, 0x3C...0x5B, 0x5D...0x7E: continue
      default: return false
      }
    }
    return value.count <= valueSizeMax
  }

  /// Octets of a name and a value together that every user agent takes (RFC 6265 §6.1), less a short name.
  public static var valueSizeMax: Int { 4_000 }

  /// Whether `path` may be the value of a Path attribute: path-value = *av-octet (RFC 6265bis §4.1.1). It
  /// must begin with `/`, because user agents replace any other path with their default path.
  public static func isPath(_ path: Span<UInt8>) -> Bool {
    guard path.count <= attributeSizeMax, path.hasPrefix("/") else { return false }
    for i in path.indices where path[i] > 0x7E || path[i] < 0x20 || path[i] == ";" { return false }
    return true
  }
}
