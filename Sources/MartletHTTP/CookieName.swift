// A cookie's name: a token (RFC 6265 §4.1.1) that the program holds as a literal. A value of this
// type cannot hold anything else, so a name needs no check where it is written.

import MartletBytes

/// The name of a cookie that this program sets or reads.
///
///     let session: CookieName = "session"
public struct CookieName: Sendable, ExpressibleByStringLiteral {
  private let literal: StaticString

  /// The name that `literal` spells, or `nil` when it is no token. The label keeps a literal from
  /// being read as `init(stringLiteral:)`.
  public init?(validating literal: StaticString) {
    guard Self.isToken(literal.octets) else { return nil }
    self.literal = literal
  }

  /// The name that stands in the source. One that is no token is a bug and stops the program.
  public init(stringLiteral literal: StaticString) {
    invariant(Self.isToken(literal.octets), "a cookie name is a token")
    self.literal = literal
  }

  /// Its octets.
  public var octets: Span<UInt8> {
    @_lifetime(immortal) get { literal.octets }
  }

  private static func isToken(_ octets: Span<UInt8>) -> Bool {
    for i in octets.indices where !ASCII.isTokenCharacter(octets[i]) { return false }
    return octets.count > 0
  }
}
