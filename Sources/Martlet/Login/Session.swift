// A visitor's session: a flat map in a signed cookie. The cookie is read once before the page. Where the
// session has changed, the cookie is written once after the page. Members that the program does not know stay
// as they are.

public import MartletBytes
import MartletHTTP
import MartletServer
import MartletToken

/// What happens to the remember cookie.
enum RememberChange: Equatable {
  case keep
  case set(days: UInt16)
  case clear
}

/// What a page has done to the session, and what happens to the cookies.
struct SessionChanges {
  /// Octets of the claims.
  let count: Int
  /// Whether the session cookie is to be written.
  let isChanged: Bool
  /// Whether a claim did not fit. The response then becomes a 500.
  let overflowed: Bool
  let remember: RememberChange
  /// Whether a login has begun whose times have not been written.
  let isMinted: Bool
  /// Whether the session cookie is to be deleted.
  let isDeleted: Bool
  /// Age in seconds of the session that a remember cookie continues.
  let age: Int64
}

extension ClaimsSet {
  /// A user identifier: a string of at most 64 octets, or an integer. Any other value is no identifier.
  func userID(_ name: StaticString) -> UserID? {
    if let text: Text<64> = text(of: name) { return .text(text) }
    return integer(of: name).map { .integer($0) }
  }
}

/// The session as a page reads and changes it: `response.session`.
///
/// Names of members belong to the program. Names that begin with `_` belong to the library. The registered
/// claim names (`exp`, `nbf`, `aud`, `iat`, `sub`, `iss`, `jti`) would change whether the token is valid.
/// Setting a member with a name of either kind is a bug and stops the program.
///
/// An application has sessions when it is a `SessionApplication`. An error page (`ErrorPageApplication`) has no
/// session: there each member is `nil`, and a change is dropped.
///
/// A session of more than 2,048 octets (`Limits.sessionSizeMax`) makes the response a 500. The browser then
/// keeps the session that it had.
public struct Session: ~Copyable, ~Escapable {
  private let isReadInPlace = ByAddress()

  /// The claims. Their memory is empty in an application without sessions.
  var claims: SessionClaims
  /// Whether the session cookie is to be written.
  private(set) var isChanged = false
  private var overflowed = false
  private(set) var remember = RememberChange.keep
  /// Whether a login has begun whose times have not been written (`SessionChanges.isMinted`).
  private(set) var isMinted = false
  private(set) var isDeleted = false
  /// Age in seconds, in 32 bits, so that a session has 32 octets. A larger session would put a coroutine
  /// frame on the heap where a page reads `response.session`.
  private var ageSeconds: Int32 = 0

  private(set) var age: Int64 {
    get { Int64(ageSeconds) }
    set { ageSeconds = Int32(clamping: newValue) }
  }

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
    isMinted = changes.isMinted
    isDeleted = changes.isDeleted
    age = changes.age
  }

  /// No session, for an application without sessions and for an error page.
  @_lifetime(immortal)
  init() {
    claims = SessionClaims(MutableSpan(), count: 0)
  }

  /// The changes that count when the page has answered.
  var outcome: SessionChanges {
    SessionChanges(
      count: claims.count, isChanged: isChanged, overflowed: overflowed, remember: remember,
      isMinted: isMinted, isDeleted: isDeleted, age: age)
  }

  /// Whether a cookie must be written.
  var wantsCookies: Bool { isChanged || remember != .keep }

  /// Whether there is memory for claims.
  private var isThere: Bool { claims.capacity > 0 }

  private var reading: ClaimsSet? {
    @_lifetime(borrow self)
    get { isThere ? try? ClaimsSet(claims.span) : nil }
  }

  // MARK: Logins

  /// The user that the session names, or `nil`.
  var userID: UserID? { reading?.userID("_user_id") }

  /// Decides what becomes of the remember cookie.
  @_lifetime(self: copy self)
  mutating func setRemember(_ change: RememberChange) { remember = change }

  /// Makes the answer write the session's cookie although nothing has changed.
  @_lifetime(self: copy self)
  mutating func writeAgain() { isChanged = true }

  /// Notes a change, and whether the change fitted.
  @_lifetime(self: copy self)
  private mutating func note(_ fitted: Bool) {
    isChanged = true
    isDeleted = false
    if !fitted { overflowed = true }
  }

  /// Makes the session that of a user who is logged in. `stamp` adds the session's times when the page has
  /// answered.
  ///
  /// - Parameters:
  ///   - isFresh: Whether the user has entered the password.
  ///   - age: Age in seconds of the session that the login continues.
  @_lifetime(self: copy self)
  mutating func logIn(_ id: UserID, epoch: Int64, isFresh: Bool, age: Int64 = 0) {
    guard isThere else { return }
    // Members that another user left in this browser are removed.
    if let previous = userID, previous != id { claims.removeAll() }
    // An attacker who knew the form token before the login does not know it afterwards.
    claims.remove("_form")
    switch id {
    case .text(let text): note(claims.set("_user_id", text: text.span))
    case .integer(let integer): note(claims.set("_user_id", integer: integer))
    }
    note(claims.set("_fresh", boolean: isFresh))
    note(claims.set("_session", integer: epoch))
    isMinted = true
    self.age = age
  }

  /// Writes when the session was minted: the boot clock, and the time of day where it is known.
  ///
  /// - Parameters:
  ///   - limits: How long a session lasts; with limits, the claims say when the session ends.
  ///   - age: Age of the session in seconds.
  ///   - passwordAge: Seconds since the password was entered.
  @_lifetime(self: copy self)
  mutating func stamp(
    _ clock: SystemClock, _ limits: SessionLimits?, age: Int64, passwordAge: Int64
  ) {
    self.age = age
    put("_boot", clock.boot)
    put("_up", clock.bootSeconds)
    put("_at", clock.isSet ? clock.unixSeconds : nil)
    put("_ago", passwordAge > 0 ? passwordAge : nil)
    guard let limits else { return }
    put("_age", age > 0 ? age : nil)
    put("exp", clock.isSet ? clock.unixSeconds &+ limits.lifetime(age: age) : nil)
  }

  /// Sets a claim to an integer, or removes it.
  @inline(never)
  @_lifetime(self: copy self)
  private mutating func put(_ name: StaticString, _ value: Int64?) {
    if let value { note(claims.set(name, integer: value)) } else { claims.remove(name) }
  }

  /// Ends the session: removes the login and all members of the program. The cookie becomes that of an empty
  /// session. Microdot keeps the program's members in the cookie.
  @_lifetime(self: copy self)
  mutating func logOut() {
    guard isThere else { return }
    claims.removeAll()
    isMinted = false
    isChanged = true
  }

  /// Deletes the session, a login with it, and the cookie (Microdot's `session.delete()`). A member that is
  /// set afterwards begins a new session. The remember cookie stays; `response.logout` deletes it.
  @_lifetime(self: copy self)
  public mutating func delete() {
    logOut()
    isDeleted = true
  }

  // MARK: The form token

  /// The form token; `nil` where the session has none.
  private var formToken: Text<22>? { reading?.text(of: "_form") }

  /// The form token. Begins a token where the session has none.
  @_lifetime(self: copy self)
  mutating func beginFormToken() -> Text<22> {
    if let formToken, formToken.count == FormToken.size { return formToken }
    let token = FormToken.random()
    if isThere { note(claims.set("_form", text: token.span)) }
    return token
  }

  /// Whether a request has the session's form token, in the header X-CSRF-Token or in the form.
  @inline(never)
  func holdsFormToken(of request: borrowing IncomingRequest) -> Bool {
    guard let formToken, formToken.count == FormToken.size else { return false }
    if let sent = request.head.fields(in: request.octets).value(of: "X-CSRF-Token") {
      return constantTimeEquals(sent, formToken.span)
    }
    guard let sent: Text<32> = FormFields(request.content)["form-token"]?.text() else { return false }
    return constantTimeEquals(sent.span, formToken.span)
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
    if isThere { note(claims.set(name, text: text)) }
  }

  /// Sets a member to an integer.
  @_lifetime(self: copy self)
  public mutating func set(_ name: StaticString, integer: Int64) {
    check(name)
    if isThere { note(claims.set(name, integer: integer)) }
  }

  /// Sets a member to true or false.
  @_lifetime(self: copy self)
  public mutating func set(_ name: StaticString, boolean: Bool) {
    check(name)
    if isThere { note(claims.set(name, boolean: boolean)) }
  }

  /// Removes a member.
  @_lifetime(self: copy self)
  public mutating func remove(_ name: StaticString) {
    check(name)
    guard isThere else { return }
    claims.remove(name)
    isChanged = true
  }

  private func check(_ name: StaticString) {
    let octets = name.octets
    let isReserved =
      octets.hasPrefix("_") || octets.equals("exp") || octets.equals("nbf")
      || octets.equals("aud") || octets.equals("iat") || octets.equals("sub")
      || octets.equals("iss") || octets.equals("jti")
    invariant(!isReserved, "a session member's name is not a reserved one")
  }
}
