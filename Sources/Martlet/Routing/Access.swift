// Who may enter a page: a rule that stands in the page's route, so that no page is without one.

/// Roles of a user, as a set of bits: an application names its own.
///
///     extension Roles {
///       static var operators: Roles { .role(0) }
///       static var administrators: Roles { .role(1) }
///     }
///
/// A user has a set of roles (`SessionUser.roles`). A page that asks for roles may be entered by a user who
/// has one of them.
public struct Roles: Equatable, Sendable {
  let bits: UInt16

  /// The empty set.
  public static var none: Roles { Roles(bits: 0) }

  /// The set of one role.
  ///
  /// - Parameter number: 0 to 15. Another number is a bug and stops the program.
  public static func role(_ number: Int) -> Roles {
    invariant(0...15 ~= number, "a role has a number from 0 to 15")
    return Roles(bits: 1 << UInt16(number))
  }

  /// The roles that one set or the other holds.
  public static func | (first: Roles, second: Roles) -> Roles { Roles(bits: first.bits | second.bits) }

  /// Whether both sets hold a role.
  public func intersects(_ other: Roles) -> Bool { bits & other.bits != 0 }
}

/// Who may enter a page.
public struct Access: Equatable, Sendable {
  /// Whether a user must be logged in.
  let needsLogin: Bool
  /// Whether the user must have entered the password in this session, and at most so many seconds ago.
  let needsFreshLogin: Bool
  let passwordAgeMax: Int64
  /// Roles of which the user must have one; none where any user will do.
  let roles: Roles
  /// The same, of the part's mount.
  let outerRoles: Roles

  private init(
    _ needsLogin: Bool, _ needsFreshLogin: Bool = false, _ roles: Roles = .none,
    passwordAgeMax: Int64 = .max, outer: Roles = .none
  ) {
    self.needsLogin = needsLogin
    self.needsFreshLogin = needsFreshLogin
    self.passwordAgeMax = passwordAgeMax
    self.roles = roles
    outerRoles = outer
  }

  /// Everyone.
  public static var everyone: Access { Access(false) }

  /// Users who are logged in. Other people are sent to the login page; other programs get 401.
  public static var loggedIn: Access { Access(true) }

  /// Users who are logged in and have one of the roles. A user without them gets 403.
  public static func loggedIn(as roles: Roles) -> Access { Access(true, false, roles) }

  /// Users who have entered the password in this session. A session that "remember me" has restored is not
  /// enough.
  public static var freshLogin: Access { Access(true, true) }

  /// Users who have entered the password within that time, and have one of the roles.
  ///
  /// - Parameters:
  ///   - duration: How long ago the password was entered, at most.
  ///   - roles: `.none` for users of any role.
  public static func freshLogin(within duration: Duration, as roles: Roles = .none) -> Access {
    Access(true, true, roles, passwordAgeMax: duration.components.seconds)
  }

  /// The rule that asks for what both rules ask for.
  ///
  /// - Parameter outer: The rule of a mount. A mount is in no other mount.
  func within(_ outer: Access) -> Access {
    Access(
      needsLogin || outer.needsLogin, needsFreshLogin || outer.needsFreshLogin, roles,
      passwordAgeMax: min(passwordAgeMax, outer.passwordAgeMax), outer: outer.roles)
  }

  /// Whether a user of these roles has the roles that the rule asks for.
  func allows(_ owned: Roles) -> Bool {
    (roles == .none || roles.intersects(owned)) && (outerRoles == .none || outerRoles.intersects(owned))
  }
}

extension Duration {
  /// That many minutes.
  public static func minutes(_ count: Int) -> Duration { .seconds(count * 60) }
}
