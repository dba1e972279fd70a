// The Cookie field, read in place (RFC 6265 §4.2, RFC 6265bis §5.8.3). Other programs on the same
// host set cookies too, so what stands beside ours may be anything: each piece between semicolons
// is read for itself, and none of them can hide another.
//
//     cookie-string = cookie-pair *( ";" SP cookie-pair )
//     cookie-pair   = cookie-name "=" cookie-value
//
//     theme=dark;  session = eyJ...x ; junk; =lost; q="a;b"
//     └───┬────┘  └───────┬────────┘   ┬     ┬      └┬┘ └┬┘
//     theme dark   session eyJ...x   no "=" no name  q "a   no "="
//
// A name is compared octet by octet. Quotation marks are part of a value and have no other meaning.

import MartletBytes

/// One cookie of a request, in place.
public struct CookiePair: ~Escapable {
  /// The name, never empty; to be compared exactly.
  public let name: Span<UInt8>
  /// The value without the blanks around it; it may be empty, and it may hold any octet that a
  /// field value holds except the semicolon.
  public let value: Span<UInt8>

  @_lifetime(copy name, copy value)
  init(name: Span<UInt8>, value: Span<UInt8>) {
    self.name = name
    self.value = value
  }
}

/// The cookies of one Cookie field value, one after the other. Nothing is copied or stored.
///
///     var cookies = CookieString(value)
///     while let cookie = cookies.next() { ... }
public struct CookieString: ~Escapable {
  private var rest: Span<UInt8>

  /// - Parameter octets: A field value: any octets at all.
  @_lifetime(copy octets)
  public init(_ octets: Span<UInt8>) { rest = octets }

  /// The next cookie, or `nil` after the last.
  ///
  /// The name ends at the first `=`, so a value may hold more of them. Blanks (SP, HTAB) around
  /// name and value do not count. A piece without `=`, or without a name before it, is no cookie
  /// and is read over.
  ///
  /// - Complexity: O(n) in the octets up to the end of that cookie; each octet is read twice.
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

/// The values of the cookies of one name, over all Cookie fields in their order.
///
/// User agents send the cookie with the longest path first (RFC 6265 §5.4), and of equal paths the
/// oldest. So a program at a parent domain, at another port or below a path of this host can put a
/// cookie of our name before ours: a reader who needs a signed value tries several.
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

  /// The next value as it came, or `nil` after the last.
  ///
  /// - Complexity: O(n) in the octets of the section up to that cookie.
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

/// Looking a cookie up.
public enum Cookie {
  /// The value of the first cookie of that name, over all Cookie fields in their order: of several
  /// the most specific one (`CookieValues`).
  ///
  ///     let token = Cookie.find("session", in: head.cookieFields(in: octets))
  ///
  /// - Returns: The value as it came, or `nil` when there is no such cookie.
  /// - Complexity: O(n) in the octets of the section, which `Limits.requestHeadSizeMax` bounds.
  @_lifetime(copy name, copy section)
  public static func find(_ name: Span<UInt8>, in section: FieldSection) -> Span<UInt8>? {
    var values = CookieValues(of: name, in: section)
    return values.next()
  }

  /// The same for a name that the program holds as a literal.
  @_lifetime(copy section)
  public static func find(_ name: StaticString, in section: FieldSection) -> Span<UInt8>? {
    find(name.octets, in: section)
  }
}
