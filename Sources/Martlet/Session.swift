// A visitor's session: a flat map in a signed cookie. Read once before the page and written once
// after it, when something has changed. Members that the program does not know stay as they are.

public import MartletBytes
import MartletHTTP
import MartletToken

/// What becomes of the remember cookie.
enum RememberChange: Equatable {
  case keep
  case set(days: UInt16)
  case clear
}

/// What a page has done to the session, and what becomes of the cookies.
struct SessionChanges {
  /// Octets of the claims.
  var count = 0
  /// Whether the session cookie is to be written.
  var isChanged = false
  /// Whether something did not fit: the response becomes a 500.
  var overflowed = false
  var remember = RememberChange.keep
}

extension ClaimsSet {
  /// A user identifier: a string of at most 64 octets, or an integer. Nothing else is one.
  func userID(_ name: StaticString) -> UserID? {
    if let text: Text<64> = text(of: name) { return .text(text) }
    return integer(of: name).map { .integer($0) }
  }
}

/// The session as a page reads and changes it: `response.session`.
///
/// Names are the program's own. Those that begin with `_` are the library's, and the registered
/// claim names (`exp`, `nbf`, `aud`, `iat`, `sub`, `iss`, `jti`) would change whether the token is
/// valid; setting one is a bug and stops the program.
///
/// An application without users has sessions when its `hasSessions` says so; using one that is not
/// there is a bug and stops the program.
///
/// A session of more than 2,048 octets (`Limits.sessionSizeMax`) makes the response a 500: the
/// browser keeps the session that it had.
public struct Session: ~Copyable, ~Escapable {
  /// In memory that is empty in an application without sessions.
  var claims: SessionClaims
  /// Whether the session cookie is to be written.
  private(set) var isChanged = false
  private var overflowed = false
  private(set) var remember = RememberChange.keep

  /// An empty session.
  @_lifetime(copy storage)
  init(_ storage: consuming MutableSpan<UInt8>) {
    claims = SessionClaims(storage)
  }

  /// The session that a page has left.
  @_lifetime(copy storage)
  init(_ storage: consuming MutableSpan<UInt8>, _ changes: SessionChanges) {
    claims = SessionClaims(storage, count: changes.count)
    isChanged = changes.isChanged
    overflowed = changes.overflowed
    remember = changes.remember
  }

  /// None.
  @_lifetime(immortal)
  init() {
    claims = SessionClaims(MutableSpan(), count: 0)
  }

  /// What is to be known of it when the page has answered.
  var outcome: SessionChanges {
    SessionChanges(
      count: claims.count, isChanged: isChanged, overflowed: overflowed, remember: remember)
  }

  /// Whether a cookie is to be written.
  var wantsCookies: Bool { isChanged || remember != .keep }

  private func checkIsThere() {
    invariant(claims.capacity > 0, "an application that uses sessions says so with hasSessions")
  }

  private var reading: ClaimsSet? {
    @_lifetime(borrow self)
    get {
      checkIsThere()
      return try? ClaimsSet(claims.span)
    }
  }

  // MARK: Logins

  /// The user that the session names, or `nil`.
  var userID: UserID? { reading?.userID("_user_id") }

  /// Decides what becomes of the remember cookie.
  @_lifetime(self: copy self)
  mutating func setRemember(_ change: RememberChange) { remember = change }

  /// Notes a change that fitted, or that it did not.
  @_lifetime(self: copy self)
  private mutating func note(_ fitted: Bool) {
    isChanged = true
    if !fitted { overflowed = true }
  }

  /// Makes the session that of a user who is logged in.
  ///
  /// - Parameter authenticatedAt: When the password was entered; `nil` when it was not.
  @_lifetime(self: copy self)
  mutating func logIn(_ id: UserID, epoch: Int64, authenticatedAt: Int64?) {
    // What another user has left in this browser is not handed on.
    if let previous = userID, previous != id { claims.removeAll() }
    switch id {
    case .text(let text): note(claims.set("_user_id", text: text.span))
    case .integer(let integer): note(claims.set("_user_id", integer: integer))
    }
    note(claims.set("_fresh", boolean: authenticatedAt != nil))
    note(claims.set("_session", integer: epoch))
    if let authenticatedAt {
      note(claims.set("_at", integer: authenticatedAt))
    } else {
      claims.remove("_at")
    }
  }

  /// Takes the login out of the session; the program's own members stay, as in Microdot.
  @_lifetime(self: copy self)
  mutating func logOut() {
    checkIsThere()
    claims.remove("_user_id")
    claims.remove("_fresh")
    claims.remove("_session")
    claims.remove("_at")
    isChanged = true
  }

  // MARK: Members

  /// A member that is a string of at most `capacity` octets, or `nil`.
  public func text<let capacity: Int>(of name: StaticString) -> Text<capacity>? {
    reading?.text(of: name)
  }

  /// A member that is an integer, or `nil`.
  public func integer(of name: StaticString) -> Int64? {
    reading?.integer(of: name)
  }

  /// A member that is true or false, or `nil`.
  public func boolean(of name: StaticString) -> Bool? {
    reading?.boolean(of: name)
  }

  /// Sets a member to a string (UTF-8).
  @_lifetime(self: copy self)
  public mutating func set(_ name: StaticString, text: Span<UInt8>) {
    check(name)
    note(claims.set(name, text: text))
  }

  /// Sets a member to an integer.
  @_lifetime(self: copy self)
  public mutating func set(_ name: StaticString, integer: Int64) {
    check(name)
    note(claims.set(name, integer: integer))
  }

  /// Sets a member to true or false.
  @_lifetime(self: copy self)
  public mutating func set(_ name: StaticString, boolean: Bool) {
    check(name)
    note(claims.set(name, boolean: boolean))
  }

  /// Removes a member.
  @_lifetime(self: copy self)
  public mutating func remove(_ name: StaticString) {
    check(name)
    claims.remove(name)
    isChanged = true
  }

  private func check(_ name: StaticString) {
    checkIsThere()
    let octets = name.octets
    let isReserved =
      octets.hasPrefix("_") || octets.equals("exp") || octets.equals("nbf")
      || octets.equals("aud") || octets.equals("iat") || octets.equals("sub")
      || octets.equals("iss") || octets.equals("jti")
    invariant(!isReserved, "a session member's name is not a reserved one")
  }
}
