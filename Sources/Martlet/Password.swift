// What a person typed → whether it is the password. The decoded text lives in one buffer, which is
// overwritten afterwards.

import MartletBytes
import MartletHTTP
import MartletToken

extension PasswordHash {
  /// Whether what was typed into a form is this hash's password. Absent, or longer than
  /// `Limits.passwordSizeMax`, it is not.
  ///
  /// - Complexity: Two SHA-256 compressions an iteration, here and now.
  public func verify(_ typed: borrowing FormValue) -> Bool {
    var password = FixedBuffer<64>()
    var target = password.storageSpan
    guard let count = typed.decode(into: &target) else { return false }
    password.setCount(count)
    let isRight = verify(password.span)
    password.wipe()
    return isRight
  }
}

extension FormFields {
  /// Whether the form has that field with just that text.
  public func field(_ name: StaticString, equals text: StaticString) -> Bool {
    guard let value = self[name] else { return false }
    return value.equals(text)
  }

  /// Whether that field holds the password of a hash in Microdot's format:
  /// `pbkdf2-hmac-sha256:SALT:ITERATIONS:KEY`. A hash that is none is a bug and stops the program.
  public func verify(_ name: StaticString, against hash: StaticString) -> Bool {
    guard let hash = PasswordHash(hash.octets) else { stop("a password hash is one") }
    guard let value = self[name] else { return false }
    return hash.verify(value)
  }

  /// Whether the form has that field with anything in it: a checked box, a text that is not empty.
  public func has(_ name: StaticString) -> Bool {
    guard let value = self[name] else { return false }
    return !value.isEmpty
  }
}
