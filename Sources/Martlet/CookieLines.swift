// The session and the remember token → Set-Cookie lines, each at most once, in Microdot's order.

import MartletBytes
import MartletHTTP
import MartletServer
import MartletToken

extension SiteResponder where A: ~Copyable {
  /// Writes what has changed. When something does not fit, the writer has overflowed.
  ///
  /// - Parameter isRenewal: Whether the remember cookie restored the login; then it comes first.
  @inline(never)
  @_lifetime(fields: copy fields)
  mutating func writeCookies(
    _ request: borrowing IncomingRequest, _ session: borrowing Session, isRenewal: Bool,
    to fields: inout Writer
  ) {
    let lines = CookieLines(secure: A.cookiesAreSecure)
    if isRenewal { lines.writeRemember(session, request, key, to: &fields) }
    if session.isChanged {
      lines.write(CookieNames.session, of: session.claims.span, maxAge: nil, key, to: &fields)
    }
    if !isRenewal { lines.writeRemember(session, request, key, to: &fields) }
  }
}

/// The two cookies, written.
struct CookieLines {
  /// Whether they are for TLS connections only.
  let secure: Bool

  @_lifetime(fields: copy fields)
  func writeRemember(
    _ session: borrowing Session, _ request: borrowing IncomingRequest,
    _ key: borrowing HMACKey, to fields: inout Writer
  ) {
    switch session.remember {
    case .keep: return
    case .set(let days):
      setRemember(session, days: Int(days), now: request.moment.unixSeconds, key, to: &fields)
    case .clear: clearRemember(request, to: &fields)
    }
  }

  @_lifetime(fields: copy fields)
  private func setRemember(
    _ session: borrowing Session, days: Int, now: Int64, _ key: borrowing HMACKey,
    to fields: inout Writer
  ) {
    guard let id = session.userID else { return fields.overflow() }
    let seconds = days * 86_400
    // An identifier of 64 octets, each escaped to six, and three numbers.
    var claims = FixedBuffer<512>()
    var writer = Writer(claims.storageSpan)
    writer.append("{\"user_id\":")
    switch id {
    case .text(let text): writer.append(jsonString: text.span)
    case .integer(let integer): writer.append(decimal: integer)
    }
    writer.append(",\"days\":")
    writer.append(decimal: days)
    writer.append(",\"exp\":")
    writer.append(decimal: now + Int64(seconds))
    writer.append(",\"_remember\":")
    writer.append(decimal: session.integer(of: "_session") ?? 0)
    writer.append("}")
    let (count, overflowed) = (writer.count, writer.overflowed)
    invariant(!overflowed, "the claims of a remember token fit their buffer")
    claims.setCount(count)
    write(CookieNames.remember, of: claims.span, maxAge: seconds, key, to: &fields)
  }

  /// Deletes the remember cookie if the browser has one. Microdot sets it without a path, so copies
  /// can lie at the folder of any page that renewed it: the one of this request's goes too.
  @_lifetime(fields: copy fields)
  private func clearRemember(_ request: borrowing IncomingRequest, to fields: inout Writer) {
    let sent = request.head.cookieFields(in: request.octets)
    guard Cookie.find(CookieNames.remember.octets, in: sent) != nil else { return }
    begin(CookieNames.remember, to: &fields)
    end(path: ("/" as StaticString).octets, maxAge: 0, to: &fields)
    let path = request.octets[request.head.target.path]
    var end = path.count
    while end > 0, path[end - 1] != "/" { end -= 1 }
    guard end > 1 else { return }
    let folder = path.extracting(first: end - 1)
    // A path that cannot be an attribute's cannot have become one before.
    guard SetCookie.isPath(folder) else { return }
    begin(CookieNames.remember, to: &fields)
    self.end(path: folder, maxAge: 0, to: &fields)
  }

  /// Signs claims and writes the token as a cookie.
  @_lifetime(fields: copy fields)
  func write(
    _ name: CookieName, of claims: Span<UInt8>, maxAge: Int?, _ key: borrowing HMACKey,
    to fields: inout Writer
  ) {
    begin(name, to: &fields)
    JWS.sign(claims, with: key, to: &fields)
    end(path: ("/" as StaticString).octets, maxAge: maxAge, to: &fields)
  }

  @_lifetime(fields: copy fields)
  private func begin(_ name: CookieName, to fields: inout Writer) {
    fields.append("Set-Cookie: ")
    fields.append(name.octets)
    fields.append("=")
  }

  /// Writes the attributes in Microdot's order. Neither a token nor a path can end the line.
  @_lifetime(fields: copy fields)
  private func end(path: Span<UInt8>, maxAge: Int?, to fields: inout Writer) {
    fields.append("; Path=")
    fields.append(path)
    if let maxAge {
      fields.append("; Max-Age=")
      fields.append(decimal: maxAge)
    }
    if secure { fields.append("; Secure") }
    fields.append("; HttpOnly; SameSite=Lax\r\n")
  }
}
