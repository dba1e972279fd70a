// Requests that another site made the visitor's browser send (cross-site request forgery).
// `SameSite=Lax` keeps the cookies away from most of them; this refuses the rest, logins included.

import MartletBytes
import MartletHTTP
import MartletServer

extension IncomingRequest {
  /// Whether a browser says that a page of another origin caused this request.
  ///
  /// Browsers send `Sec-Fetch-Site` where the connection is trustworthy, and `Origin` with every
  /// POST. A request with neither comes from no browser of this decade.
  var isCrossOrigin: Bool {
    let fields = head.fields(in: octets)
    if let site = fields.value(of: "Sec-Fetch-Site") {
      return !(site.equals("same-origin") || site.equals("none"))
    }
    guard let origin = fields.value(of: "Origin") else { return false }
    // Whoever names no host has no origin to compare.
    guard let host = head.host, host.count > 0 else { return true }
    return !Self.isOrigin(origin, of: octets[host])
  }

  /// Whether `origin` is `http://` or `https://` and that host and port. TLS may end at a proxy, so
  /// the scheme is not compared.
  private static func isOrigin(_ origin: Span<UInt8>, of host: Span<UInt8>) -> Bool {
    let start = origin.hasPrefix("http://") ? 7 : origin.hasPrefix("https://") ? 8 : 0
    guard start > 0, origin.count - start == host.count else { return false }
    for i in host.indices
    where ASCII.lowercased(origin[start + i]) != ASCII.lowercased(host[i]) { return false }
    return true
  }
}
