// Parses the Cookie field in place (RFC 6265 §4.2, RFC 6265bis §5.8.3). Other programs on the host set
// cookies too, so a field may hold any octets. Each piece between semicolons is parsed on its own, so that
// a malformed piece cannot hide another piece.
//
//     cookie-string = cookie-pair *( ";" SP cookie-pair )
//     cookie-pair   = cookie-name "=" cookie-value
//
//     theme=dark;  session = eyJ...x ; junk; =lost; q="a;b"
//     └───┬────┘  └───────┬────────┘   ┬     ┬      └┬┘ └┬┘
//     theme dark   session eyJ...x   no "=" no name  q "a   no "="
//
// Names are compared octet by octet. Quotation marks are part of a value, without a meaning of their own.

import MartletBytes

/// One cookie of a request, in place.
public struct CookiePair: ~Escapable {
  /// The name, never empty. Compare names exactly, with their case.
  public let name: Span<UInt8>
  /// The value without the blanks around it. A value may be empty, and may hold every octet of a field value
  /// but the semicolon.
  public let value: Span<UInt8>

  @_lifetime(copy name, copy value)
  init(name: Span<UInt8>, value: Span<UInt8>) {
    self.name = name
    self.value = value
  }
}

/// The cookies of one Cookie field value, in their order. Nothing is copied or stored.
///
///     var cookies = CookieString(value)
///     while let cookie = cookies.next() { ... }
public struct CookieString: ~Escapable {
  private var rest: Span<UInt8>

  /// - Parameter octets: A field value; any octets are allowed.
  @_lifetime(copy octets)
  public init(_ octets: Span<UInt8>) { rest = octets }

  /// The next cookie, or `nil` after the last.
  ///
  /// The name ends at the first `=`, so a value may hold `=`. Blanks (SP, HTAB) around name and value are
  /// dropped. A piece without `=`, or without a name before `=`, is no cookie and is skipped.
  ///
  /// - Complexity: O(n) in the octets up to the end of the cookie; each octet is read twice.
  @inline(never)
  @_lifetime(copy self)
  @_lifetime(self: copy self)
  public mutating func next() -> CookiePair? {
    while rest.count > 0 {
      let end = rest.firstIndex(of: 0x3B) ?? rest.count
      let piece = rest.extracting(0..<end)
      rest = rest.extracting(min(end + 1, rest.count)..<rest.count)
      guard let equals = piece.firstIndex(of: 0x3D) else { continue }
      let name = piece.trimmed(0..<equals)
      guard !name.isEmpty else { continue }
      let value = piece.trimmed(equals + 1..<piece.count)
      return CookiePair(name: piece.extracting(name), value: piece.extracting(value))
    }
    return nil
  }
}

/// The values of the cookies with one name, from all Cookie fields in their order.
///
/// User agents send cookies with longer paths first, and of equal paths the oldest cookie first (RFC 6265
/// §5.4). So a program at a parent domain, at another port or below a path of this host can place a cookie of
/// our name first. Code that needs a signed value must try several cookies.
///
///     var values = CookieValues(of: "session", in: head.cookieFields(in: octets))
///     while let token = values.next() { ... }
public struct CookieValues: ~Escapable {
  private let name: Span<UInt8>
  private var fields: FieldSection
  private var cookies: CookieString

  @_lifetime(copy name, copy section)
  public init(of name: Span<UInt8>, in section: FieldSection) {
    self.name = name
    fields = section
    cookies = CookieString(name.extracting(0..<0))
  }

  /// The next value as it was sent, or `nil` after the last.
  ///
  /// - Complexity: O(n) in the octets of the section up to the cookie.
  @inline(never)
  @_lifetime(copy self)
  @_lifetime(self: copy self)
  public mutating func next() -> Span<UInt8>? {
    while true {
      while let cookie = cookies.next() {
        if cookie.name.equals(name) { return cookie.value }
      }
      guard let field = fields.next() else { return nil }
      if field.name.equalsIgnoringCase("Cookie") { cookies = CookieString(field.value) }
    }
  }
}

/// Finds single cookies.
public enum Cookie {
  /// The value of the first cookie with that name, over all Cookie fields in their order. The first cookie
  /// has the longest path (`CookieValues`).
  ///
  ///     let token = Cookie.find("session", in: head.cookieFields(in: octets))
  ///
  /// - Returns: The value as it was sent, or `nil` when there is no such cookie.
  /// - Complexity: O(n) in the octets of the section, which `Limits.requestHeadSizeMax` bounds.
  @_lifetime(copy name, copy section)
  public static func find(_ name: Span<UInt8>, in section: FieldSection) -> Span<UInt8>? {
    var values = CookieValues(of: name, in: section)
    return values.next()
  }

  /// The value of the first cookie whose name is the literal.
  @_lifetime(copy section)
  public static func find(_ name: StaticString, in section: FieldSection) -> Span<UInt8>? {
    find(name.octets, in: section)
  }
}
