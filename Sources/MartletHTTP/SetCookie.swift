// The Set-Cookie field, written (RFC 6265 §4.1, RFC 6265bis §4.1):
//
//     set-cookie-string = cookie-name "=" cookie-value *( ";" SP cookie-av )
//
// A name is a token by its type, every other part is checked before the first octet is written, and
// what user agents would silently drop is refused here: a line either means what it says, or is not
// written. So no part can end the line or begin another field or attribute.

public import MartletBytes

/// Why a cookie cannot be set. A line for it has not been begun.
public enum SetCookieError: Error, Equatable, Sendable {
  /// The value holds an octet that is no cookie-octet.
  case valueMalformed
  /// Name and value are more than `SetCookie.sizeMax` together.
  case tooLarge
  /// The path does not begin with `/`, holds a control, a semicolon or an octet over 127, or is
  /// longer than `SetCookie.attributeSizeMax`.
  case pathMalformed
  /// The domain is empty, holds more than letters, digits, `-` and `.`, or is too long.
  case domainMalformed
  /// `SameSite=None`, `Partitioned`, or a name with `__Secure-` or `__Host-`, without `Secure`.
  case secureMissing
  /// A name with `__Host-`, and a domain or another path than `/`.
  case hostPrefixViolated
}

/// Numbers of RFC 6265bis §5.6 beyond which user agents ignore a cookie or an attribute.
public enum SetCookie {
  /// Octets of name and value together.
  public static var sizeMax: Int { 4_096 }
  /// Octets of an attribute's value.
  public static var attributeSizeMax: Int { 1_024 }

  /// Whether a Path attribute can be that: path-value = *av-octet (RFC 6265bis §4.1.1), with a `/`
  /// in front, because any other path would be replaced by the user agent's own.
  public static func isPath(_ path: Span<UInt8>) -> Bool {
    guard path.count <= attributeSizeMax, path.hasPrefix("/") else { return false }
    for i in path.indices where path[i] > 0x7E || path[i] < 0x20 || path[i] == ";" { return false }
    return true
  }
}

/// When a cookie goes along with a request that another site has caused (RFC 6265bis §5.6.7).
public enum SameSite: Sendable {
  case strict, lax, none
}

/// What a user agent does with a cookie. Without any of it: to the host that set it, below the
/// path it was set at, until the user agent closes, readable by scripts.
public struct CookieAttributes: Sendable {
  /// The path below which the cookie is sent; it begins with `/`.
  public var path: StaticString?
  /// The domain to whose hosts, subdomains too, the cookie is sent.
  public var domain: StaticString?
  /// Unix seconds when the cookie ends.
  public var expires: Int64?
  /// Seconds until the cookie ends; it counts more than `expires`. Below 1: at once.
  public var maxAge: Int?
  /// Whether the cookie is sent over TLS only.
  public var secure: Bool
  /// Whether scripts may not read the cookie.
  public var httpOnly: Bool
  public var sameSite: SameSite?
  /// Whether the cookie is kept apart for each top-level site (CHIPS).
  public var partitioned: Bool

  public init(
    path: StaticString? = nil, domain: StaticString? = nil, expires: Int64? = nil,
    maxAge: Int? = nil, secure: Bool = false, httpOnly: Bool = false, sameSite: SameSite? = nil,
    partitioned: Bool = false
  ) {
    self.path = path
    self.domain = domain
    self.expires = expires
    self.maxAge = maxAge
    self.secure = secure
    self.httpOnly = httpOnly
    self.sameSite = sameSite
    self.partitioned = partitioned
  }
}

extension Writer {
  /// Writes one Set-Cookie line with its CRLF; the attributes in the order in which Microdot writes
  /// them, then those that it does not know.
  ///
  ///     Set-Cookie: session=eyJ...; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax
  ///
  /// - Parameters:
  ///   - name: The cookie's name.
  ///   - value: Cookie-octets only (RFC 6265 §4.1.1); it may be empty.
  ///   - attributes: What the user agent does with it.
  /// - Throws: Why it cannot be set; nothing has been written then.
  @_lifetime(self: copy self)
  public mutating func append(
    setCookie name: CookieName, value: Span<UInt8>, attributes: CookieAttributes
  ) throws(SetCookieError) {
    let path: StaticString = attributes.path ?? ""
    try append(
      setCookie: name, value: value, hasPath: attributes.path != nil, path.octets, attributes)
  }

  /// The same with a path that is known only at run time; `attributes.path` does not count.
  @_lifetime(self: copy self)
  public mutating func append(
    setCookie name: CookieName, value: Span<UInt8>, path: Span<UInt8>,
    attributes: CookieAttributes
  ) throws(SetCookieError) {
    try append(setCookie: name, value: value, hasPath: true, path, attributes)
  }

  @_lifetime(self: copy self)
  private mutating func append(
    setCookie name: CookieName, value: Span<UInt8>, hasPath: Bool, _ path: Span<UInt8>,
    _ attributes: CookieAttributes
  ) throws(SetCookieError) {
    try attributes.check(value, of: name)
    guard !hasPath || SetCookie.isPath(path) else { throw .pathMalformed }
    if name.hasHostPrefix {
      guard path.equals("/"), attributes.domain == nil else { throw .hostPrefixViolated }
    }
    append("Set-Cookie: ")
    append(name.octets)
    append("=")
    append(value)
    if hasPath {
      append("; Path=")
      append(path)
    }
    append(cookieAttributes: attributes)
    append("\r\n")
  }

  /// Every attribute but the path.
  @_lifetime(self: copy self)
  private mutating func append(cookieAttributes attributes: CookieAttributes) {
    if let domain = attributes.domain {
      append("; Domain=")
      append(domain)
    }
    if let expires = attributes.expires {
      append("; Expires=")
      append(httpDate: expires)
    }
    if let maxAge = attributes.maxAge {
      append("; Max-Age=")
      append(decimal: max(0, maxAge))
    }
    if attributes.secure { append("; Secure") }
    if attributes.httpOnly { append("; HttpOnly") }
    switch attributes.sameSite {
    case .strict: append("; SameSite=Strict")
    case .lax: append("; SameSite=Lax")
    case .some(.none): append("; SameSite=None")
    case nil: break
    }
    if attributes.partitioned { append("; Partitioned") }
  }
}

extension CookieAttributes {
  /// Everything that can be said without the path.
  fileprivate func check(_ value: Span<UInt8>, of name: CookieName) throws(SetCookieError) {
    guard name.octets.count + value.count <= SetCookie.sizeMax else { throw .tooLarge }
    for i in value.indices where !ASCII.isCookieOctet(value[i]) { throw .valueMalformed }
    let needsSecure =
      partitioned || sameSite == .some(.none) || name.hasSecurePrefix || name.hasHostPrefix
    guard secure || !needsSecure else { throw .secureMissing }
    guard let domain else { return }
    guard Self.isDomain(domain.octets) else { throw .domainMalformed }
  }

  private static func isDomain(_ octets: Span<UInt8>) -> Bool {
    guard octets.count > 0, octets.count <= 255 else { return false }
    for i in octets.indices {
      switch octets[i] {
      case "0"..."9", "A"..."Z", "a"..."z", "-", ".": continue
      default: return false
      }
    }
    return true
  }
}
