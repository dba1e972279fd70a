// An error as JSON for a program (RFC 9457).

import MartletBytes
import MartletHTTP

enum ProblemDetails {
  /// Writes `{"title":…,"status":…,"detail":…}`.
  ///
  /// - Parameter reason: Escaped HTML without tags. The entities that escaping has made are decoded.
  @_lifetime(writer: copy writer)
  static func write(_ status: Status, _ reason: Span<UInt8>, to writer: inout Writer) {
    writer.append("{\"title\":\"")
    writer.append(status.reasonPhrase)
    writer.append("\",\"status\":")
    writer.append(decimal: status.code)
    writer.append(",\"detail\":\"")
    var i = 0
    while i < reason.count {
      let (octet, size) = character(reason.extracting(i..<reason.count))
      switch octet {
      case "\"", "\\":
        writer.append(0x5C)
        writer.append(octet)
      case 0..<0x20: writer.append(0x20)
      default: writer.append(octet)
      }
      i += size
    }
    writer.append("\"}\n")
  }

  /// The first character, and how many octets of the text encode it.
  private static func character(_ octets: Span<UInt8>) -> (UInt8, Int) {
    guard octets[0] == "&" else { return (octets[0], 1) }
    if octets.hasPrefix("&amp;") { return (0x26, 5) }
    if octets.hasPrefix("&lt;") { return (0x3C, 4) }
    if octets.hasPrefix("&gt;") { return (0x3E, 4) }
    if octets.hasPrefix("&quot;") { return (0x22, 6) }
    if octets.hasPrefix("&#39;") { return (0x27, 5) }
    return (octets[0], 1)
  }
}
