// Who may enter a page. The rule is part of the page's route, so that no page is without a rule.

/// Roles of a user, as a set of bits: an application names its own.
///
///     extension Roles {
///       static var operators: Roles { .role(0) }
///       static var administrators: Roles { .role(1) }
///     }
///
/// A user has a set of roles (`SessionUser.roles`). A page that asks for roles may be entered by a user who
/// has at least one of these roles.
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

  /// Whether the sets have a role in common. For a set of one role that is whether the other set contains it.
  ///
  ///     user.roles.intersects(.administrators)
  public func intersects(_ other: Roles) -> Bool { bits & other.bits != 0 }
}

/// Who may enter a page.
public struct Access: Equatable, Sendable {
  /// Whether a user must be logged in.
  let needsLogin: Bool
  /// Whether the user must have entered the password in this session, and at most `passwordAgeMax` seconds
  /// ago.
  let needsFreshLogin: Bool
  let passwordAgeMax: Int64
  /// Roles of which the user must have one; `.none` where any user may enter.
  let roles: Roles
  /// Roles of the part's mount, of which the user must have one; `.none` where any user may enter.
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

  /// Lets everyone enter.
  public static var everyone: Access { Access(false) }

  /// Lets users enter who are logged in. A browser without a login is sent to the login page; another program
  /// gets 401.
  public static var loggedIn: Access { Access(true) }

  /// Lets users enter who are logged in and have at least one of the roles. A user without these roles gets
  /// 403.
  public static func loggedIn(as roles: Roles) -> Access { Access(true, false, roles) }

  /// Lets users enter who have entered the password in this session. A login that the remember cookie has
  /// restored does not count.
  public static var freshLogin: Access { Access(true, true) }

  /// Lets users enter who have entered the password within that time, and have at least one of the roles.
  ///
  /// - Parameters:
  ///   - duration: The longest time since the password was entered.
  ///   - roles: `.none` for users of any role.
  public static func freshLogin(within duration: Duration, as roles: Roles = .none) -> Access {
    Access(true, true, roles, passwordAgeMax: duration.components.seconds)
  }

  /// Combines two rules: the result asks for everything that either rule asks for.
  ///
  /// - Parameter outer: The rule of a mount. A mount is never inside another mount.
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
  /// A duration of that many minutes.
  public static func minutes(_ count: Int) -> Duration { .seconds(count * 60) }
}
