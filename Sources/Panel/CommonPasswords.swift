// Passwords that are tried first. Accounts may not have such a password, because no throttle helps against
// a guess that is among the first. The first kind are passwords of eight octets and more that several public
// lists of common passwords have. The second kind are words that many passwords are made of, the third are
// patterns. The case of letters does not count.
//
// Whatever is left of a password when its pattern is taken off counts: `admin2024`, `Password1!` and
// `aaaaaaaa` are as good as `admin`, `password` and `a`.

import Martlet

/// What makes a password one of the first guesses.
enum CommonPasswords {
  /// Whether a password is among the first guesses for an account.
  ///
  /// - Parameters:
  ///   - password: At least `AccountRules.passwordCharactersMin` characters.
  ///   - name: The account's.
  static func contains(_ password: Span<UInt8>, name: Span<UInt8>) -> Bool {
    if password.count <= patternSizeMax, isRun(password) || isRepeated(password) { return true }
    if isListed(password) { return true }
    let core = core(of: password)
    // More around it than a date has is worth something.
    guard password.count - core.count <= 8 else { return false }
    let word = password.extracting(core)
    if word.equalsIgnoringCase(name) || isBase(word) { return true }
    // The name twice, forwards or backwards.
    return isTwice(word, name) || isReversed(word, name)
  }

  /// Octets up to which a pattern is one of the first guesses: nobody tries each length beyond.
  private static var patternSizeMax: Int { 24 }

  /// Without the digits and signs before and after the letters.
  private static func core(of password: Span<UInt8>) -> Range<Int> {
    var (start, end) = (0, password.count)
    while end > start, !isLetter(password[end - 1]) { end -= 1 }
    while start < end, !isLetter(password[start]) { start += 1 }
    return start..<end
  }

  private static func isLetter(_ octet: UInt8) -> Bool {
    octet | 0x20 >= 0x61 && octet | 0x20 <= 0x7A || octet > 127
  }

  /// Whether each octet follows the one before by the same small step: 12345678, aaaaaaaa, 87654321,
  /// abcdefgh; after a 9 comes a 0.
  private static func isRun(_ password: Span<UInt8>) -> Bool {
    guard password.count > 1 else { return true }
    let step = Int(password[1]) - Int(password[0])
    guard step >= -1, step <= 1 else { return false }
    for i in 1..<password.count {
      let (last, next) = (Int(password[i - 1]), Int(password[i]))
      let wraps = step == 1 && last == 0x39 && next == 0x30 || step == -1 && last == 0x30 && next == 0x39
      guard next - last == step || wraps else { return false }
    }
    return true
  }

  /// Whether up to four octets are repeated: abababab, 12341234.
  private static func isRepeated(_ password: Span<UInt8>) -> Bool {
    for period in 1...4 where password.count >= 2 * period {
      var i = period
      while i < password.count, password[i] == password[i - period] { i += 1 }
      if i == password.count { return true }
    }
    return false
  }

  private static func isTwice(_ word: Span<UInt8>, _ name: Span<UInt8>) -> Bool {
    guard word.count == 2 * name.count else { return false }
    return word.extracting(0..<name.count).equalsIgnoringCase(name)
      && word.extracting(name.count..<word.count).equalsIgnoringCase(name)
  }

  private static func isReversed(_ word: Span<UInt8>, _ name: Span<UInt8>) -> Bool {
    guard word.count == name.count else { return false }
    for i in word.indices where word[i] | 0x20 != name[name.count - 1 - i] | 0x20 { return false }
    return true
  }

  private static func isListed(_ password: Span<UInt8>) -> Bool { contains(list.octets, password) }

  private static func isBase(_ word: Span<UInt8>) -> Bool { contains(bases.octets, word) }

  /// Whether a word is one of a list with blanks between them, whatever the case of its letters.
  private static func contains(_ list: Span<UInt8>, _ word: Span<UInt8>) -> Bool {
    var start = 0
    while start < list.count {
      let end = list.firstIndex(of: 0x20, from: start) ?? list.count
      if list.extracting(start..<end).equalsIgnoringCase(word) { return true }
      start = end + 1
    }
    return false
  }

  /// Common with anything that is no letter around them, or with nothing.
  private static var bases: StaticString {
    """
    admin administrator root user guest test default password passwort passw0rd p@ssword p@ssw0rd \
    pass welcome willkommen hello hallo login letmein changeme secret geheim master qwerty qwertz \
    qwertyui qwertyuiop qwertzuiop asdfgh asdfghjk asdfghjkl zxcvbn zxcvbnm yxcvbnm azerty azertyuiop \
    qwer asdf qaz qazwsx wsx iloveyou ilove ichliebedich princess dragon monkey sunshine shadow \
    football baseball fussball superman batman pokemon starwars whatever trustno computer internet \
    raspberry raspberrypi raspi martlet openwrt router server device abc abcd abcdef charlie michael \
    jennifer jordan hunter ashley daniel thomas jessica michelle nicole matthew andrew joshua \
    summer winter spring autumn sommer herbst january monday schatz schalke mustang corvette mercedes \
    liverpool chelsea arsenal samsung google facebook microsoft linux ubuntu debian
    """
  }

  /// Common as they are.
  private static var list: StaticString {
    """
    1q2w3e4r 1q2w3e4r5t 1qaz2wsx q1w2e3r4 qweasdzxc zaq12wsx !qaz2wsx 1qazxsw2 q1w2e3r4t5 qwe123qwe \
    123qweasd qweqweqwe asdasdasd 123456789a a123456789 a12345678 1a2b3c4d 147258369 159753456 \
    789456123 741852963 963852741 123321123 112233445566 11223344 12344321 1234qwer asdfqwer \
    qwerasdf a1b2c3d4 aa123456 aa12345678 zz123456 passpass testtest secretsecret blink182 loveyou1 \
    superstar 10203040 19841984 20202020 31415926 27182818 12341234 correcthorsebatterystaple \
    nopassword asdfjkl; 3.1415926 p@$$w0rd pa55word pa$$word pa$$w0rd passw@rd access14 ncc1701d \
    thx1138a fuckyou1 motdepasse kennwort hallohallo
    """
  }
}

extension Span<UInt8> {
  /// Whether it is that text, whatever the case of ASCII letters.
  fileprivate func equalsIgnoringCase(_ other: Span<UInt8>) -> Bool {
    guard count == other.count else { return false }
    for i in indices {
      let (own, its) = (self[i], other[i])
      if own == its { continue }
      guard own | 0x20 == its | 0x20, own | 0x20 >= 0x61, own | 0x20 <= 0x7A else { return false }
    }
    return true
  }
}
