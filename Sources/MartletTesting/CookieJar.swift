// The cookies of a browser, as far as one site is concerned (RFC 6265 §5). Paths and lifetimes count. There
// is only one host, and the connection counts as trustworthy, so `Domain` and `Secure` are ignored.

/// The cookies of a test client.
public struct CookieJar: Equatable, Sendable {
  /// One cookie.
  public struct Cookie: Equatable, Sendable {
    public let name: String
    public var value: String
    public let path: String
    /// Unix seconds when the cookie ends; `nil` for a cookie that ends with the browser's session.
    public var expires: Int64?
  }

  /// All cookies, in the order in which they were first set.
  public private(set) var cookies: [Cookie] = []

  /// An empty jar.
  public init() {}

  /// The value of the first cookie of that name, on any path.
  public subscript(name: String) -> String? { cookies.first { $0.name == name }?.value }

  /// Adds a cookie. A cookie with the same name and path is replaced.
  public mutating func set(
    _ name: String, _ value: String, path: String = "/", expires: Int64? = nil
  ) {
    let cookie = Cookie(name: name, value: value, path: path, expires: expires)
    if let index = cookies.firstIndex(where: { $0.name == name && $0.path == path }) {
      cookies[index] = cookie
    } else {
      cookies.append(cookie)
    }
  }

  /// Removes all cookies of that name.
  public mutating func remove(_ name: String) { cookies.removeAll { $0.name == name } }

  /// Removes the cookies that a browser forgets when it is closed.
  public mutating func endBrowserSession() { cookies.removeAll { $0.expires == nil } }

  /// Stores the cookie of a Set-Cookie header, or removes the cookie that the header ends.
  ///
  /// - Parameter requestPath: The path of the request that was answered.
  public mutating func store(_ setCookie: String, requestPath: String, now: Int64) {
    let parts = setCookie.split(separator: ";", omittingEmptySubsequences: false).map(Self.trimmed)
    guard let equals = parts[0].firstIndex(of: "=") else { return }
    let name = String(parts[0][..<equals])
    let value = String(parts[0][parts[0].index(after: equals)...])
    var path = Self.defaultPath(requestPath)
    var expires: Int64?
    for attribute in parts.dropFirst() {
      let pair = attribute.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let text = pair.count > 1 ? String(pair[1]) : ""
      switch pair[0].lowercased() {
      case "path" where text.hasPrefix("/"): path = text
      case "max-age": expires = Int64(text).map { $0 > 0 ? now + $0 : 0 }
      default: continue
      }
    }
    if let expires, expires <= now {
      cookies.removeAll { $0.name == name && $0.path == path }
    } else {
      set(name, value, path: path, expires: expires)
    }
  }

  /// The value of the Cookie header for a request, with longer paths first; `nil` without cookies.
  public func header(forPath path: String, now: Int64) -> String? {
    let matching = cookies.filter { Self.matches(path, $0.path) && ($0.expires ?? .max) > now }
    guard !matching.isEmpty else { return nil }
    let lengths = Set(matching.map { $0.path.utf8.count }).sorted(by: >)
    return
      lengths
      .flatMap { length in matching.filter { $0.path.utf8.count == length } }
      .map { "\($0.name)=\($0.value)" }
      .joined(separator: "; ")
  }

  /// The folder of the request's path, without its last slash (RFC 6265 §5.1.4).
  private static func defaultPath(_ path: String) -> String {
    guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return "/" }
    return String(path[..<slash])
  }

  private static func matches(_ path: String, _ cookiePath: String) -> Bool {
    guard path.hasPrefix(cookiePath) else { return false }
    return path.utf8.count == cookiePath.utf8.count || cookiePath.hasSuffix("/")
      || path.dropFirst(cookiePath.count).first == "/"
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text.drop { $0 == " " }
    while text.last == " " { text.removeLast() }
    return text
  }
}
