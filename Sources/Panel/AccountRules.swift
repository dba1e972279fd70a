// What people choose or type → whether it will do: names and passwords.

import Martlet

/// What a name must be.
enum AccountRules {
  /// Octets of a name: a letter, then up to 31 letters, digits, `.`, `_` or `-`.
  static var nameSizeMax: Int { 32 }

  /// Octets of a password at least.
  static var passwordSizeMin: Int { 8 }

  /// Whether that is a name.
  static func isName(_ text: Span<UInt8>) -> Bool {
    guard text.count > 0, text.count <= nameSizeMax else { return false }
    for i in text.indices {
      switch text[i] {
      case "a"..."z", "A"..."Z": break
      case "0"..."9", ".", "_", "-": if i == 0 { return false }
      default: return false
      }
    }
    return true
  }
}

/// A password on its way from a form into a hash; overwritten when it is no longer needed.
struct TypedPassword: ~Copyable {
  private var octets = FixedBuffer<64>()
  /// Whether more was typed than a password may have.
  let isTooLong: Bool

  /// - Parameter value: The form's field; absent, it is an empty password.
  init(_ value: borrowing FormValue?) {
    guard let value = copy value else {
      isTooLong = false
      return
    }
    var target = octets.storageSpan
    let count = value.decode(into: &target)
    octets.setCount(count ?? 0)
    isTooLong = count == nil
  }

  /// What keeps it from being a new password, or `nil`.
  ///
  /// - Parameter repeated: What was typed the second time.
  func problem(repeated: borrowing TypedPassword) -> StaticString? {
    if isTooLong { return "The password is too long: it may have up to 64 characters." }
    if octets.span.firstIndex(of: 0) != nil { return "The password has a character of no use." }
    if octets.count < AccountRules.passwordSizeMin {
      return "The password is too short: it needs at least 8 characters."
    }
    if repeated.isTooLong || !octets.span.equals(repeated.octets.span) {
      return "The two passwords are not the same."
    }
    return nil
  }

  /// What was typed.
  var span: Span<UInt8> {
    @_addressableSelf @_lifetime(borrow self) get { octets.span }
  }

  /// Its hash, or `nil` while that is being computed. Only for one without a problem.
  @_lifetime(response: copy response)
  func hash(iterations: UInt32, _ response: inout Response) -> PasswordHash? {
    do throws(PasswordRefusal) {
      return try response.hash(span, iterations: iterations)
    } catch {
      stop("a password without a problem can be hashed")
    }
  }

  /// Overwrites it.
  mutating func wipe() { octets.wipe() }
}
