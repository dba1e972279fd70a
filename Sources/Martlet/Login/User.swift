// The user who is logged in: what the library must know about the application's user.

public import MartletBytes

/// What identifies a user in a token: a text of at most 64 octets, or an integer, as in Microdot.
public enum UserID: Equatable, Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
  case text(Text<64>)
  case integer(Int64)

  public init(stringLiteral literal: StaticString) { self = .text(Text(stringLiteral: literal)) }

  public init(integerLiteral value: Int64) { self = .integer(value) }

  public static func == (left: UserID, right: UserID) -> Bool {
    switch (left, right) {
    case (.text(let left), .text(let right)): left == right
    case (.integer(let left), .integer(let right)): left == right
    default: false
    }
  }
}

extension UserID {
  /// A number that names the user in the state of a stream: FNV-1a, never 0. Users who share a number share the
  /// end of their streams, and their browsers ask again.
  var streamLogin: UInt32 {
    var hash: UInt32 = 2_166_136_261
    switch self {
    case .text(let text):
      for i in text.span.indices { hash = (hash ^ UInt32(text.span[i])) &* 16_777_619 }
    case .integer(let integer):
      for shift in 0..<8 {
        let octet = UInt32(truncatingIfNeeded: integer >> Int64(8 * shift)) & 0xFF
        hash = (hash ^ octet) &* 16_777_619
      }
    }
    return max(hash, 1)
  }
}

/// An application's user.
public protocol SessionUser {
  /// The identifier in the user's tokens. An identifier is never given to another user.
  var id: UserID { get }

  /// A number that the application increases to end all of the user's sessions at once. Tokens with an older
  /// epoch are invalid from then on.
  var epoch: Int64 { get }

  /// The roles of the user, which routes ask for.
  var roles: Roles { get }

  /// Whether it is `NoUser`.
  static var _isNobody: Bool { get }
}

extension SessionUser {
  /// The epoch of users whose sessions are never ended early.
  public var epoch: Int64 { 0 }

  /// No roles.
  public var roles: Roles { .none }

  public static var _isNobody: Bool { false }
}

/// The user type of applications without logins.
public struct NoUser: SessionUser {
  public var id: UserID { 0 }
  public static var _isNobody: Bool { true }
}
