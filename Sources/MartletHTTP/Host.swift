// Checks that octets are the authority of an HTTP URI without user information. A valid host holds no
// blank, slash or `@`, so that a page may compare it and show it.
//
//     Host     = uri-host [ ":" port ]                                  ; RFC 9110 §7.2
//     uri-host = "[" IPv6address [ "%" zone ] / IPvFuture "]" / reg-name  ; RFC 3986 §3.2.2
//     zone     = 1*( unreserved / pct-encoded )                         ; RFC 4007 §11, RFC 6874 §2
//     reg-name = *( unreserved / pct-encoded / sub-delims )
//     port     = *DIGIT

import MartletBytes

enum Host {
  /// Whether `octets` are a host of at least one octet, with or without a port.
  static func isValid(_ octets: Span<UInt8>) -> Bool {
    guard let end = octets.count > 0 && octets[0] == "[" ? endOfLiteral(octets) : endOfName(octets)
    else { return false }
    guard end < octets.count else { return true }
    guard octets[end] == ":" else { return false }
    for i in end + 1..<octets.count where ASCII.digit(octets[i]) == nil { return false }
    return true
  }

  /// The index after `]`. `nil` when the text between the brackets is empty or no address.
  private static func endOfLiteral(_ octets: Span<UInt8>) -> Int? {
    guard let close = octets.firstIndex(of: 0x5D) else { return nil }
    let end = endOfAddress(octets.extracting(0..<close))
    guard end > 1 else { return nil }
    for i in 1..<end where octets[i] != ":" && !isNameOctet(octets[i]) { return nil }
    guard end == close || isZone(octets.extracting(end + 1..<close)) else { return nil }
    return close + 1
  }

  /// The index of the `%` before the zone, or the end of a literal without zone.
  private static func endOfAddress(_ literal: Span<UInt8>) -> Int {
    literal.firstIndex(of: 0x25) ?? literal.count
  }

  /// Whether `octets` name a zone. A zone is an interface of the client and has no meaning on another
  /// machine. `%25` between address and zone is accepted like `%`: the zone then begins with `25`.
  private static func isZone(_ octets: Span<UInt8>) -> Bool {
    guard octets.count > 0, octets.count <= Limits.zoneSizeMax else { return false }
    for i in octets.indices where octets[i] != "%" && !isNameOctet(octets[i]) { return false }
    return PercentDecoder.isWellFormed(octets)
  }

  /// The index after the name. `nil` when the name is empty, or has a `%` without two hexadecimal digits.
  private static func endOfName(_ octets: Span<UInt8>) -> Int? {
    var end = 0
    while end < octets.count, isNameOctet(octets[end]) || octets[end] == "%" { end &+= 1 }
    guard end > 0, PercentDecoder.isWellFormed(octets.extracting(0..<end)) else { return nil }
    return end
  }

  /// unreserved / sub-delims (RFC 3986 §2.2 and §2.3).
  private static func isNameOctet(_ octet: UInt8) -> Bool {
    switch octet {
    case "0"..."9", "A"..."Z", "a"..."z", "-", ".", "_", "~": true
    case "!", "$", "&", "'", "(", ")", "*", "+", ",", ";", "=": true
    default: false
    }
  }
}
