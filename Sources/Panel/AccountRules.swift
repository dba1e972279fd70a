// What people choose or type → whether it will do: names, passwords, the set-up code.

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

/// The code on the terminal that allows whoever reads it to make the first account.
struct SetUpCode {
  /// Wrong codes that are taken before set-up is closed: all guesses then succeed once in 100
  /// thousand million times.
  static var wrongCountMax: Int { 10 }

  /// 32 characters that are not mistaken for one another.
  private static var alphabet: StaticString { "23456789ABCDEFGHJKLMNPQRSTUVWXYZ" }

  private var characters = Text<8>()

  /// A new random code.
  init() {
    let alphabet = Self.alphabet.octets
    while characters.count < 8 {
      var octet = InlineArray<1, UInt8>(repeating: 0)
      var target = octet.mutableSpan
      Random.fill(&target)
      // Octets beyond the last whole multiple would make some characters likelier than others.
      let limit = 256 - 256 % alphabet.count
      if Int(octet[0]) < limit { characters.append(alphabet[Int(octet[0]) % alphabet.count]) }
    }
  }

  /// As it is shown: `XXXX-XXXX`.
  var text: Text<9> {
    var text = Text<9>()
    text.append(characters.span.extracting(0..<4))
    text.append(0x2D)
    text.append(characters.span.extracting(4..<8))
    return text
  }

  /// Whether it was typed, in either case, with or without hyphen and blanks.
  func matches(_ typed: borrowing FormValue) -> Bool {
    var decoder = typed.decoder
    var code = Text<8>()
    while let octet = decoder.next() {
      if octet == "-" || octet == " " { continue }
      let isLowercase = octet >= 0x61 && octet <= 0x7A
      guard code.append(isLowercase ? octet & 0xDF : octet) else { return false }
    }
    return constantTimeEquals(code.span, characters.span)
  }
}
