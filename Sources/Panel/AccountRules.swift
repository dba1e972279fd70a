// What people choose or type → whether it will do: names and passwords.

import Martlet

/// What a name must be.
enum AccountRules {
  /// Octets of a name: a letter, then up to 31 letters, digits, `.`, `_` or `-`.
  static var nameSizeMax: Int { 32 }

  /// Characters of a password at least: Unicode scalar values.
  static var passwordCharactersMin: Int { 8 }

  /// A name as it was typed, without what stands around it: blanks, which telephones' keyboards add, and
  /// characters that cannot be seen.
  ///
  /// - Returns: `nil` when it is longer than names are, or not UTF-8. It need not be a name.
  static func typedName(_ value: borrowing FormValue?) -> Text<32>? {
    guard let value = copy value else { return Text() }
    var decoder = value.decoder
    var utf8 = UTF8Decoder()
    var name = Text<32>()
    var inner = Text<32>()
    while let octet = decoder.next() {
      switch utf8.feed(octet) {
      case .needsMore: continue
      case .illFormed: return nil
      case .scalar(let scalar):
        if isAroundNames(scalar) {
          // It counts where a character of the name follows; more of it than fits makes no name.
          if !name.isEmpty { inner.append(Text.utf8(scalar).span) }
          continue
        }
        guard name.append(inner.span), name.append(Text.utf8(scalar).span) else { return nil }
        inner = Text()
      }
    }
    return name
  }

  /// Controls, blanks, and marks without a width.
  private static func isAroundNames(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0...0x20, 0x7F...0xA0, 0xAD, 0x1680, 0x2000...0x200F, 0x2028...0x202F, 0x205F...0x206F,
      0x3000, 0xFEFF:
      true
    default: false
    }
  }

  /// What a name is looked up and counted by: its letters in lower case. Two names that differ by case
  /// only are one.
  static func canonical(_ name: Text<32>) -> Text<32> {
    var result = Text<32>()
    for i in 0..<name.count { result.append(ASCII.lowercased(name.span[i])) }
    return result
  }

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

/// A password on its way from a form into a hash; overwritten when it is no longer needed. Letters that
/// can be typed in two ways are one (`ComposedLetters`).
struct TypedPassword: ~Copyable {
  private let isReadInPlace = ByAddress()

  private var key = PasswordKey()
  /// Unicode scalar values of it.
  private(set) var characterCount = 0
  /// Whether other keyboards may type it in another way.
  private(set) var hasVariants = false
  private var isText = true

  /// - Parameter value: The form's field; absent, it is an empty password.
  @inline(never)
  init(_ value: borrowing FormValue?) {
    if let value = copy value { read(value) }
    key.end()
  }

  private mutating func read(_ value: FormValue) {
    var decoder = value.decoder
    var utf8 = UTF8Decoder()
    // A letter that a mark may follow.
    var letter: UInt32?
    while let octet = decoder.next() {
      switch utf8.feed(octet) {
      case .needsMore: continue
      case .illFormed: isText = false
      case .scalar(let scalar):
        if let before = letter {
          letter = ComposedLetters.compose(before, scalar)
          if letter != nil { continue }
          append(before)
        }
        letter = scalar
      }
    }
    if let letter { append(letter) }
    if !utf8.isAtStart { isText = false }
  }

  private mutating func append(_ scalar: UInt32) {
    characterCount += 1
    if ComposedLetters.hasVariants(scalar) { hasVariants = true }
    let octets = Text.utf8(scalar)
    for i in 0..<octets.count { key.append(octets.span[i]) }
  }

  /// What keeps it from being anybody's password, or `nil`.
  var refusal: Problem.Kind? {
    @inline(never)
    get {
      guard isText else { return .passwordNoText }
      return switch key.refusal {
      case nil: nil
      case .tooLong: .passwordTooLong
      default: .passwordUseless
      }
    }
  }

  /// What keeps it from being a new password, or `nil`.
  ///
  /// - Parameter repeated: What was typed the second time.
  func problem(repeated: borrowing TypedPassword) -> Problem? {
    if let refusal { return Problem(refusal, at: .newPassword) }
    if characterCount < AccountRules.passwordCharactersMin {
      return Problem(.passwordShort, at: .newPassword)
    }
    guard repeated.refusal == nil, key.equals(repeated.key) else {
      return Problem(.passwordsDiffer, at: .passwordAgain)
    }
    return nil
  }

  /// What keeps it from being the new password of an account, or `nil`.
  func problem(repeated: borrowing TypedPassword, of name: Text<32>) -> Problem? {
    if let problem = problem(repeated: repeated) { return problem }
    return isCommon(name: name) ? Problem(.passwordCommon, at: .newPassword) : nil
  }

  /// Whether it is one of the first that others would try for an account. A longer one than is kept here
  /// is none.
  func isCommon(name: Text<32>) -> Bool {
    key.count <= 64 && CommonPasswords.contains(key.octets, name: name.span)
  }

  /// Counts an attempt and finds out whether it is that of a hash (`Response.checkPassword`).
  @_lifetime(response: copy response)
  func check(
    of name: Text<32>, against hash: PasswordHash, from client: ClientAddress,
    _ throttle: inout Throttle, _ response: inout Response<Panel>
  ) -> PasswordCheck {
    response.checkPassword(
      key, of: AccountRules.canonical(name).span, against: hash, from: client, &throttle)
  }

  /// The new password's hash, or `nil` while the hash is being computed. The password must have no problem.
  @inline(never)
  @_lifetime(response: copy response)
  func hash(iterations: UInt32, _ response: inout Response<Panel>) -> PasswordHash? {
    do throws(PasswordRefusal) {
      return try response.hash(key, iterations: iterations)
    } catch {
      stop("a password without a problem can be hashed")
    }
  }

  /// Overwrites it.
  mutating func wipe() { key.wipe() }
}
