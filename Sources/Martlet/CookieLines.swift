// The session and the remember token → Set-Cookie lines, each at most once, in Microdot's order.

import MartletBytes
import MartletHTTP
import MartletServer
import MartletToken

extension SiteResponder where A: ~Copyable {
  /// Writes what has changed. When something does not fit, the writer has overflowed.
  ///
  /// - Parameter isRenewal: Whether the remember cookie restored the login; then it comes first.
  @_lifetime(fields: copy fields)
  mutating func writeCookies(
    _ request: borrowing IncomingRequest, isRenewal: Bool, to fields: inout Writer
  ) {
    if isRenewal { writeRemember(request, to: &fields) }
    if state[0].isChanged {
      state[0].claims.writeCookie(CookieNames.session, attributes(maxAge: nil), key, to: &fields)
    }
    if !isRenewal { writeRemember(request, to: &fields) }
  }

  @_lifetime(fields: copy fields)
  private func writeRemember(_ request: borrowing IncomingRequest, to fields: inout Writer) {
    switch state[0].remember {
    case .keep: return
    case .set(let days): setRemember(days: days, request, to: &fields)
    case .clear: clearRemember(request, to: &fields)
    }
  }

  @_lifetime(fields: copy fields)
  private func setRemember(
    days: Int, _ request: borrowing IncomingRequest, to fields: inout Writer
  ) {
    guard let id = state[0].userID else { return fields.overflow() }
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
    writer.append(decimal: request.moment.unixSeconds + Int64(seconds))
    writer.append(",\"_remember\":")
    writer.append(decimal: state[0].integer(of: "_session") ?? 0)
    writer.append("}")
    let (count, overflowed) = (writer.count, writer.overflowed)
    invariant(!overflowed, "the claims of a remember token fit their buffer")
    claims.setCount(count)
    writeToken(CookieNames.remember, of: claims.span, attributes(maxAge: seconds), key, to: &fields)
  }

  /// Deletes the remember cookie if the browser has one. Microdot sets it without a path, so copies
  /// can lie at the folder of any page that renewed it: the one of this request's goes too.
  @_lifetime(fields: copy fields)
  private func clearRemember(_ request: borrowing IncomingRequest, to fields: inout Writer) {
    let sent = request.head.fields(in: request.octets)
    guard Cookie.find(CookieNames.remember.octets, in: sent) != nil else { return }
    var attributes = attributes(maxAge: 0)
    // Without a value nothing can be wrong with it.
    try? fields.append(
      setCookie: CookieNames.remember, value: ("" as StaticString).octets, attributes: attributes)
    let path = request.octets[request.head.target.path]
    var end = path.count
    while end > 0, path[end - 1] != "/" { end -= 1 }
    guard end > 1 else { return }
    attributes.path = nil
    // A path that cannot be an attribute's cannot have become one before.
    try? fields.append(
      setCookie: CookieNames.remember, value: ("" as StaticString).octets,
      path: path.extracting(first: end - 1), attributes: attributes)
  }

  private func attributes(maxAge: Int?) -> CookieAttributes {
    CookieAttributes(
      path: "/", maxAge: maxAge, secure: A.cookiesAreSecure, httpOnly: true, sameSite: .lax)
  }
}

extension SessionClaims {
  /// Signs the claims and writes them as a cookie.
  @_lifetime(fields: copy fields)
  fileprivate func writeCookie(
    _ name: CookieName, _ attributes: CookieAttributes, _ key: borrowing HMACKey,
    to fields: inout Writer
  ) {
    writeToken(name, of: span, attributes, key, to: &fields)
  }
}

/// Signs claims and writes the token as a cookie. Not inlined, so that its buffer lies on the stack
/// once.
@inline(never)
@_lifetime(fields: copy fields)
private func writeToken(
  _ name: CookieName, of claims: Span<UInt8>, _ attributes: CookieAttributes,
  _ key: borrowing HMACKey, to fields: inout Writer
) {
  var token = FixedBuffer<4_096>()
  var writer = Writer(token.storageSpan)
  JWS.sign(claims, with: key, to: &writer)
  let (count, overflowed) = (writer.count, writer.overflowed)
  guard !overflowed else { return fields.overflow() }
  token.setCount(count)
  do throws(SetCookieError) {
    try fields.append(setCookie: name, value: token.span, attributes: attributes)
  } catch {
    // Larger than a browser would keep.
    fields.overflow()
  }
}
