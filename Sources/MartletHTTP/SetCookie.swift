// What of the Set-Cookie field is known only at run time (RFC 6265 §4.1, RFC 6265bis §4.1):
//
//     path-av    = "Path=" path-value
//     path-value = *av-octet                      ; no control, no ";"

import MartletBytes

/// What user agents take of a Set-Cookie field.
public enum SetCookie {
  /// Octets of an attribute's value, beyond which user agents ignore it (RFC 6265bis §5.6).
  public static var attributeSizeMax: Int { 1_024 }

  /// Whether a Path attribute can be that: path-value = *av-octet (RFC 6265bis §4.1.1), with a `/`
  /// in front, because any other path would be replaced by the user agent's own.
  public static func isPath(_ path: Span<UInt8>) -> Bool {
    guard path.count <= attributeSizeMax, path.hasPrefix("/") else { return false }
    for i in path.indices where path[i] > 0x7E || path[i] < 0x20 || path[i] == ";" { return false }
    return true
  }
}
