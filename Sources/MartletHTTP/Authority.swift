// Splits the value of Host, or the part of an Origin after `://`, into host and port, and compares them.
//
//     authority = uri-host [ ":" port ]                                 ; RFC 3986 §3.2
//
// Two authorities name the same server when their hosts and their ports are equal. An absent port means
// the default port of the scheme (RFC 6454 §4), so the caller passes that port.

public import MartletBytes

/// A host and a port, in place.
public struct Authority: ~Escapable {
  /// The name or the IPv4 address as it was sent, or the text between brackets without its zone. Empty when
  /// the client named no host.
  public let host: Span<UInt8>
  /// Whether the host stood between brackets, as an IPv6 address does.
  public let isBracketed: Bool
  /// The port, or -1 when the port is absent or empty.
  private let port: Int

  @_lifetime(copy host)
  private init(_ host: Span<UInt8>, isBracketed: Bool, port: Int) {
    self.host = host
    self.isBracketed = isBracketed
    self.port = port
  }

  /// Splits `octets` at the colon before the port.
  ///
  /// - Returns: `nil` when a bracket is not closed, or when the port is no number up to 65535. Octets of the
  ///   host are not checked.
  @_lifetime(copy octets)
  public static func parse(_ octets: Span<UInt8>) -> Authority? {
    let isBracketed = octets.count > 0 && octets[0] == "["
    var end = octets.firstIndex(of: 0x3A) ?? octets.count
    var host = 0..<end
    if isBracketed {
      guard let close = octets.firstIndex(of: 0x5D) else { return nil }
      // A zone (RFC 6874) has a meaning on the client's machine only.
      host = 1..<min(octets.firstIndex(of: 0x25) ?? close, close)
      end = close + 1
    }
    var port = -1
    if end < octets.count {
      let digits = octets.extracting(end + 1..<octets.count)
      guard octets[end] == ":" else { return nil }
      if digits.count > 0 {
        guard let number = digits.decimal(), number <= 0xFFFF else { return nil }
        port = Int(number)
      }
    }
    return Authority(octets.extracting(host), isBracketed: isBracketed, port: port)
  }

  /// The host's IP address, or `nil` when the host is a name. An IPv6 address stands between brackets, an
  /// IPv4 address does not. Only four decimal numbers are an IPv4 address.
  public var address: IPAddress? {
    guard isBracketed == (host.firstIndex(of: 0x3A) != nil) else { return nil }
    return IPAddress(host)
  }

  /// The port, or `defaultPort` where the authority has none.
  public func port(or defaultPort: Int) -> Int { port < 0 ? defaultPort : port }

  /// Whether both authorities name the same host and the same port. IPv6 addresses may differ in notation.
  ///
  /// - Parameter defaultPort: The port of an authority without port.
  public func isSame(as other: borrowing Authority, defaultPort: Int) -> Bool {
    guard isBracketed == other.isBracketed,
      port(or: defaultPort) == other.port(or: defaultPort)
    else { return false }
    guard isBracketed else { return host.equalsIgnoringCase(other.host) }
    guard let address else { return false }
    return address == other.address
  }
}
