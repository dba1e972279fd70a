// The name of a cookie: a token (RFC 6265 §4.1.1) that is a literal of the program. The initializers check
// the token, so code that writes a name need not check it again.

import MartletBytes

/// The name of a cookie that this program sets or reads.
///
///     let session: CookieName = "session"
public struct CookieName: Sendable, ExpressibleByStringLiteral {
  private let literal: StaticString

  /// The name that `literal` spells, or `nil` when `literal` is no token. The label distinguishes this
  /// initializer from `init(stringLiteral:)`.
  public init?(validating literal: StaticString) {
    guard Self.isToken(literal.octets) else { return nil }
    self.literal = literal
  }

  /// The name in a source file. A literal that is no token is a bug and stops the program.
  public init(stringLiteral literal: StaticString) {
    invariant(Self.isToken(literal.octets), "a cookie name is a token")
    self.literal = literal
  }

  /// The name of one of the library's own cookies. The check is left out, because it would run at each
  /// request.
  package init(unchecked literal: StaticString) { self.literal = literal }

  /// The octets of the name.
  public var octets: Span<UInt8> {
    @_lifetime(immortal) get { literal.octets }
  }

  private static func isToken(_ octets: Span<UInt8>) -> Bool {
    for i in octets.indices where !ASCII.isTokenCharacter(octets[i]) { return false }
    return octets.count > 0
  }
}
