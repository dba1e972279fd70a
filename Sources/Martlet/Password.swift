// What a person typed → whether it is the password. The decoded text lives in one buffer, which is
// overwritten afterwards.

import MartletBytes
public import MartletHTTP
public import MartletToken

extension Response {
  /// Whether a password is that of a hash; `nil` while that is not yet known: then answer `later()`.
  ///
  ///     guard let isRight = response.verify(password, against: hash) else {
  ///       return response.later()
  ///     }
  ///
  /// One verification a request; verifying, and then hashing a new password, is possible.
  ///
  /// - Parameter password: Not needed any more afterwards. Absent, or longer than
  ///   `Limits.passwordSizeMax`, it is wrong.
  /// - Complexity: Two SHA-256 compressions an iteration, spread over many turns of the loop.
  @_lifetime(self: copy self)
  public mutating func verify(_ password: Span<UInt8>, against hash: PasswordHash) -> Bool? {
    if let passwordIsRight { return passwordIsRight }
    guard password.count <= Limits.passwordSizeMax else { return false }
    PageWork.put(hash)
    PageWork.want(.verify, password, iterations: 0)
    return nil
  }

  /// The same for what was typed into a form.
  @_lifetime(self: copy self)
  public mutating func verify(
    _ typed: borrowing FormValue?, against hash: PasswordHash
  ) -> Bool? {
    var password = FixedBuffer<64>()
    if let typed = copy typed {
      var target = password.storageSpan
      guard let count = typed.decode(into: &target) else { return false }
      password.setCount(count)
    }
    let isRight = verify(password.span, against: hash)
    password.wipe()
    return isRight
  }

  /// The same for a hash in Microdot's format, `pbkdf2-hmac-sha256:SALT:ITERATIONS:KEY`. One that is
  /// none is a bug and stops the program.
  @_lifetime(self: copy self)
  public mutating func verify(
    _ typed: borrowing FormValue?, against hash: StaticString
  ) -> Bool? {
    guard let hash = PasswordHash(hash.octets) else { stop("a password hash is one") }
    return verify(typed, against: hash)
  }

  /// The hash of a new password; `nil` while it is not yet there: then answer `later()`.
  ///
  /// - Throws: `PasswordRefusal`.
  @_lifetime(self: copy self)
  public mutating func hash(
    _ password: Span<UInt8>, iterations: UInt32
  ) throws(PasswordRefusal) -> PasswordHash? {
    if PageWork.kind == .hashed { return PageWork.hash }
    try PasswordHash.check(password, iterations: iterations)
    PageWork.want(.hash, password, iterations: iterations)
    return nil
  }
}

extension FormFields {
  /// Whether the form has that field with just that text.
  public func field(_ name: StaticString, equals text: StaticString) -> Bool {
    guard let value = self[name] else { return false }
    return value.equals(text)
  }

  /// Whether the form has that field with anything in it: a checked box, a text that is not empty.
  public func has(_ name: StaticString) -> Bool {
    guard let value = self[name] else { return false }
    return !value.isEmpty
  }
}
