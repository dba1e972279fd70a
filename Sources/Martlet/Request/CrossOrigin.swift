// Requests that another site made the visitor's browser send (cross-site request forgery). `SameSite=Lax`
// keeps the cookies away from most of these requests. The check here refuses the rest, logins included.

import MartletBytes
import MartletHTTP
import MartletServer

extension IncomingRequest {
  /// The reason to refuse this request as a request of another site; `nil` where it is a request of this
  /// site.
  ///
  /// Browsers send `Sec-Fetch-Site` where the connection is trustworthy, and `Origin` with every POST. No
  /// browser of this decade sends a request without both fields.
  ///
  /// - Parameter scheme: The scheme by which the browser has come.
  func crossOriginRefusal(_ scheme: Approach.Scheme) -> StaticString? {
    let fields = head.fields(in: octets)
    if let site = fields.value(of: "Sec-Fetch-Site") {
      return site.equals("same-origin") || site.equals("none") ? nil : Self.otherSite
    }
    guard let origin = fields.value(of: "Origin") else { return nil }
    if origin.equals("null") { return Self.unknownSite }
    return isSameOrigin(origin, scheme) ? nil : Self.otherSite
  }

  /// Whether `origin` names the scheme, the host and the port of this request. An absent port is the default
  /// port of the origin's scheme. Where the scheme is unknown, TLS may end at a proxy, so http and https both
  /// match.
  private func isSameOrigin(_ origin: Span<UInt8>, _ scheme: Approach.Scheme) -> Bool {
    let isHTTPS = origin.hasPrefix("https://")
    guard isHTTPS || origin.hasPrefix("http://"), scheme != (isHTTPS ? .http : .https), let host = head.host,
      let asked = Authority.parse(octets[host]), !asked.host.isEmpty,
      let source = Authority.parse(origin.extracting((isHTTPS ? 8 : 7)..<origin.count))
    else { return false }
    return source.isSame(as: asked, defaultPort: isHTTPS ? 443 : 80)
  }

  private static var otherSite: StaticString {
    """
    This request was caused by a page of another site, so nothing was changed. Open this device's \
    own page and try again from there. A proxy in front must hand on the field Host.
    """
  }

  private static var unknownSite: StaticString {
    """
    Your browser did not say which page this form was on, so nothing was changed. Open the page \
    directly, not inside another page, load it anew and try again. An extension that hides the \
    address of pages must let this device see it.
    """
  }
}
