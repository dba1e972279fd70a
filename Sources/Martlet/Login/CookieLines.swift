// The session and the remember token → Set-Cookie lines, each at most once, in Microdot's order.

import MartletBytes
import MartletHTTP
import MartletServer
import MartletToken

extension SiteResponder where A: ~Copyable {
  /// Writes the cookies that have changed. When a cookie does not fit, the writer has overflowed.
  ///
  /// - Parameter isRenewal: Whether the remember cookie restored the login. Then the remember cookie comes
  ///   first.
  @inline(never)
  @_lifetime(fields: copy fields)
  mutating func writeCookies(
    _ request: borrowing IncomingRequest, _ session: borrowing Session, isRenewal: Bool,
    to fields: inout Writer
  ) {
    let cookies = cookies
    if isRenewal { cookies.writeRemember(session, request, key, to: &fields) }
    if session.isDeleted {
      cookies.delete(.session, to: &fields)
    } else if session.isChanged {
      cookies.write(.session, of: session.claims.span, maxAge: nil, key, to: &fields)
    }
    if !isRenewal { cookies.writeRemember(session, request, key, to: &fields) }
  }

  /// The two cookies of this request's browser.
  var cookies: OwnCookies {
    OwnCookies(
      names: A._cookieNames, port: port, isSecure: approach.scheme == .https,
      haveCopies: A._acceptsMicrodotTokens, clock: A._listsSessions ? nil : keeper.clock,
      tellsAge: A._sessionLimits != nil)
  }
}

/// The two cookies as the browser of one request has them. The names that are read are those that are
/// written.
struct OwnCookies {
  let names: CookieNames
  /// The port that the program listens on.
  let port: UInt16
  /// Whether the browser has come by https. The names then begin with `__Host-`. Browsers accept such a
  /// cookie only from this host, by https, and with the path `/` (RFC 6265bis §4.1.3.2). Below another path
  /// the names begin with `__Secure-`.
  var isSecure: Bool
  /// Whether Microdot may have left copies of the remember cookie at other paths.
  let haveCopies: Bool
  /// The clock that says when a remember cookie ends; `nil` where the application's list of sessions says so.
  let clock: SystemClock?
  /// Whether a remember cookie says how old the session is.
  let tellsAge: Bool

  @inline(never)
  @_lifetime(writer: copy writer)
  private func writeName(_ cookie: OwnCookie, to writer: inout Writer) {
    if isSecure { writer.append(PageText.prefix.isEmpty ? "__Host-" : "__Secure-") }
    names.write(cookie, port: port, to: &writer)
  }

  /// Writes the name of a cookie into a buffer. The buffer has room for the longest prefix, 32 octets, a port
  /// and the longest end.
  @inline(never)
  func name(of cookie: OwnCookie) -> FixedBuffer<64> {
    var name = FixedBuffer<64>()
    var writer = Writer(name.storageSpan)
    writeName(cookie, to: &writer)
    let (count, overflowed) = (writer.count, writer.overflowed)
    invariant(!overflowed, "a cookie name has at most 32 octets")
    name.setCount(count)
    return name
  }

  @_lifetime(fields: copy fields)
  func writeRemember(
    _ session: borrowing Session, _ request: borrowing IncomingRequest,
    _ key: borrowing HMACKey, to fields: inout Writer
  ) {
    switch session.remember {
    case .keep: return
    case .set(let days):
      setRemember(session, days: Int(days), key, to: &fields)
    case .clear: clearRemember(request, to: &fields)
    }
  }

  @_lifetime(fields: copy fields)
  private func setRemember(
    _ session: borrowing Session, days: Int, _ key: borrowing HMACKey, to fields: inout Writer
  ) {
    guard let id = session.userID else { return fields.overflow() }
    let seconds = days * 86_400
    // Room for an identifier of 64 octets, each escaped to six octets, and for six numbers with their names.
    var storage = FixedBuffer<576>()
    var claims = SessionClaims(storage.storageSpan)
    switch id {
    case .text(let text): claims.set("user_id", text: text.span)
    case .integer(let integer): claims.set("user_id", integer: integer)
    }
    claims.set("days", integer: Int64(days))
    if let clock, clock.isSet { claims.set("exp", integer: clock.unixSeconds &+ Int64(seconds)) }
    claims.set("_remember", integer: session.integer(of: "_session") ?? 0)
    if let clock {
      claims.set("_boot", integer: clock.boot)
      claims.set("_up", integer: clock.bootSeconds)
    }
    if tellsAge, session.age > 0 { claims.set("_age", integer: session.age) }
    write(.remember, of: claims.span, maxAge: seconds, key, to: &fields)
  }

  /// Deletes the remember cookie if the browser has sent it. Microdot sets the cookie without a path, so
  /// copies can lie at the folder of any page that renewed the cookie. The copy at the folder of this
  /// request's path is deleted as well.
  @_lifetime(fields: copy fields)
  private func clearRemember(_ request: borrowing IncomingRequest, to fields: inout Writer) {
    let sent = request.head.cookieFields(in: request.octets)
    let name = name(of: .remember)
    guard Cookie.find(name.span, in: sent) != nil else { return }
    delete(.remember, to: &fields)
    guard haveCopies else { return }
    let path = request.octets[request.head.target.path]
    var end = path.count
    while end > 0, path[end - 1] != "/" { end -= 1 }
    guard end > 1 else { return }
    let folder = path.extracting(first: end - 1)
    // A path that cannot stand in the attribute Path cannot have been set by Microdot either.
    guard SetCookie.isPath(folder) else { return }
    begin(.remember, to: &fields)
    self.end(folder: folder, maxAge: 0, to: &fields)
  }

  @_lifetime(fields: copy fields)
  func delete(_ cookie: OwnCookie, to fields: inout Writer) {
    begin(cookie, to: &fields)
    end(folder: PageText.prefix.extracting(0..<0), maxAge: 0, to: &fields)
  }

  /// Signs claims and writes the token as a cookie.
  @_lifetime(fields: copy fields)
  func write(
    _ cookie: OwnCookie, of claims: Span<UInt8>, maxAge: Int?, _ key: borrowing HMACKey,
    to fields: inout Writer
  ) {
    begin(cookie, to: &fields)
    JWS.sign(claims, with: key, to: &fields)
    end(folder: PageText.prefix.extracting(0..<0), maxAge: maxAge, to: &fields)
  }

  @_lifetime(fields: copy fields)
  private func begin(_ cookie: OwnCookie, to fields: inout Writer) {
    fields.append("Set-Cookie: ")
    writeName(cookie, to: &fields)
    fields.append("=")
  }

  /// Writes the attributes in Microdot's order. Neither a token nor a path has an octet that ends the line.
  ///
  /// - Parameter folder: A path of the program; empty for the program's root.
  @_lifetime(fields: copy fields)
  private func end(folder: Span<UInt8>, maxAge: Int?, to fields: inout Writer) {
    fields.append("; Path=")
    let start = fields.count
    fields.append(PageText.prefix)
    fields.append(folder)
    if fields.count == start { fields.append("/") }
    if let maxAge {
      fields.append("; Max-Age=")
      fields.append(decimal: maxAge)
    }
    if isSecure { fields.append("; Secure") }
    fields.append("; HttpOnly; SameSite=Lax\r\n")
  }
}
