// What people may choose, and the code that lets them.

import Martlet
import TestSupport
import Testing

@testable import martlet_panel

@Suite struct AccountRulesTests {
  @Test("A name begins with a letter and has up to 32 letters, digits, dots, underscores, hyphens")
  func names() {
    func isName(_ text: String) -> Bool { withGuardedOctets(text) { AccountRules.isName($0) } }
    for name in ["a", "Z", "admin", "a.b_c-9", String(repeating: "x", count: 32)] {
      #expect(isName(name), "\(name)")
    }
    for name in [
      "", "9a", ".a", "-a", "_a", "a b", "a:b", "a\n", "ä", "a<b", "a\0",
      String(repeating: "x", count: 33),
    ] {
      #expect(!isName(name), "\(name)")
    }
  }

  @Test(
    "What stands around a typed name does not count; what is in it does",
    arguments: [
      ("admin", "admin"), ("admin+", "admin"), ("++admin", "admin"), ("%09admin%0D%0A", "admin"),
      ("admin%00", "admin"), ("%C2%A0admin%E2%80%8B", "admin"), ("%EF%BB%BFadmin%E3%80%80", "admin"),
      ("ad+min", "ad min"), ("ad%00min", "ad\0min"), ("Admin+", "Admin"), ("", ""), ("+++", ""),
      ("Zo%C3%AB+", "Zoë"), (String(repeating: "+", count: 99) + "a", "a"),
      ("a" + String(repeating: "+", count: 99), "a"),
      (String(repeating: "x", count: 32) + "++", String(repeating: "x", count: 32)),
    ])
  func typedNames(_ typed: String, _ name: String) {
    let found = typedName(typed)
    #expect(found == name)
  }

  @Test("A name that is too long, or no text, is none")
  func typedNameRefused() {
    for typed in [String(repeating: "x", count: 33), "a%FF", "%C3", "%C0%80a", "%ED%A0%80a"] {
      let found = typedName(typed)
      #expect(found == nil || found == "", "\(typed)")
    }
  }

  private func typedName(_ typed: String) -> String? {
    withGuardedOctets("username=\(typed)") { octets in
      AccountRules.typedName(FormFields(octets)["username"]).map { String($0.span) }
    }
  }

  @Test("A name is counted in lower case")
  func canonical() {
    #expect(AccountRules.canonical("Admin_Z.9-") == "admin_z.9-")
    #expect(AccountRules.canonical("") == "")
  }

  private static let long = String(repeating: "x", count: 1_024)

  @Test(
    "A new password has 8 characters to 1,024 octets, twice the same",
    arguments: [
      ("12345678", "12345678", nil), ("1234567", "1234567", "at least 8 characters"),
      ("12345678", "12345679", "not the same"), ("12345678", "", "not the same"),
      ("", "", "at least 8 characters"), ("äääääää", "äääääää", "at least 8 characters"),
      ("ääääääää", "ääääääää", nil), ("😀😀😀😀", "😀😀😀😀", "at least 8 characters"),
      ("абвгдеёжзийклмнопрстуфхцчшщъыьэюя", "абвгдеёжзийклмнопрстуфхцчшщъыьэюя", nil),
      (long, long, nil), (long + "x", long + "x", "1,024 octets"),
      (long, long + "x", "not the same"), ("x" + long.dropFirst(), "y" + long.dropFirst(), "not the same"),
      ("1234567\0", "1234567\0", "of no use"),
      ("u\u{308}u\u{308}u\u{308}u\u{308}1", "üüüü1", "at least 8 characters"),
    ])
  func passwords(_ password: String, _ repeated: String, _ words: String?) {
    let problem = problem(encoded(password), encoded(repeated))
    #expect((problem == nil) == (words == nil))
    if let words { #expect(problem?.contains(words) == true, "\(problem ?? "none")") }
  }

  @Test("What is not UTF-8 is no password", arguments: ["%FF", "%C3", "%C0%80", "%ED%A0%80", "%F5%80%80%80"])
  func illFormed(_ octets: String) {
    for typed in ["12345678\(octets)", "\(octets)12345678", "1234\(octets)5678"] {
      #expect(problem(typed, typed)?.contains("UTF-8") == true, "\(typed)")
    }
  }

  private func encoded(_ text: String) -> String {
    text.utf8.map { octet in
      let digits = String(octet, radix: 16)
      return "%" + (digits.count < 2 ? "0" : "") + digits
    }.joined()
  }

  private func problem(_ password: String, _ repeated: String) -> String? {
    withGuardedOctets("password=\(password)&password_again=\(repeated)") { octets in
      let form = FormFields(octets)
      let password = TypedPassword(form["password"])
      let repeated = TypedPassword(form["password_again"])
      return password.problem(repeated: repeated).map { String($0.kind.text.octets) }
    }
  }

  @Test("Letters that were composed in two ways are the same password, and no others are")
  func composition() {
    func areSame(_ first: String, _ second: String) -> Bool {
      withGuardedOctets("a=\(encoded(first))&b=\(encoded(second))") { octets in
        let form = FormFields(octets)
        let a = TypedPassword(form["a"])
        let b = TypedPassword(form["b"])
        let problem = a.problem(repeated: b)
        return problem == nil
      }
    }
    #expect(areSame("grüße-123456", "gru\u{308}ße-123456"))
    #expect(areSame("Žluťoučký kůň", "Z\u{30C}lut\u{30C}ouc\u{30C}ky\u{301} ku\u{30A}n\u{30C}"))
    #expect(areSame("garçon garçon", "garc\u{327}on garc\u{327}on"))
    #expect(areSame("õ\u{0}".dropLast() + "1234567", "o\u{303}1234567"))
    #expect(!areSame("grüße-123456", "gruße-123456"))
    #expect(!areSame("u\u{308}12345678", "\u{308}u12345678"))
    #expect(!areSame("e\u{301}12345678", "e\u{300}12345678"))
  }

  @Test(
    "It says of a password whether other keyboards may type it in another way",
    arguments: [
      ("correct horse", false), ("grüße", false), ("gru\u{308}ße", false), ("Łódź", false),
      ("привет", false), ("αβγδ", false), ("漢字", false), ("😀", false), ("€", false),
      ("йод", true), ("ёлка", true), ("άλφα", true), ("Việt", true), ("한글", true), ("が", true),
      ("ﬁne", true), ("ｗｉｄｅ", true), ("q\u{301}", true), ("²", true), ("µ", true), ("ĳ", true),
    ])
  func variants(_ text: String, _ has: Bool) {
    let found = withGuardedOctets("a=\(encoded(text))") { octets in
      TypedPassword(FormFields(octets)["a"]).hasVariants
    }
    #expect(found == has)
  }

  @Test("The set-up code is taken in either case, with or without hyphen and blanks")
  func codes() {
    let code = SetUpCode(iterations: 20_000)
    let text = String(code.text.span)
    #expect(text.count == 9)
    #expect(text.allSatisfy { "-23456789ABCDEFGHJKLMNPQRSTUVWXYZ".contains($0) })
    func matches(_ typed: String) -> Bool {
      withGuardedOctets("code=\(typed)") { octets in
        guard let value = FormFields(octets)["code"] else { return false }
        return code.matches(value)
      }
    }
    #expect(matches(text))
    #expect(matches(text.lowercased()))
    #expect(matches(text.replacing("-", with: "")))
    #expect(matches("+" + text.replacing("-", with: "+") + "+"))
    #expect(!matches(""))
    #expect(!matches(text + "2"))
    #expect(!matches(String(text.dropLast())))
    #expect(!matches(String(text.reversed())) || text == String(text.reversed()))
    #expect(String(SetUpCode(iterations: 20_000).text.span) != text)
  }
}
