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
    "A new password has 8 to 64 octets, twice the same",
    arguments: [
      ("password=12345678&password_again=12345678", true),
      ("password=1234567&password_again=1234567", false),
      ("password=12345678&password_again=12345679", false),
      ("password=12345678&password_again=", false),
      ("password=12345678", false), ("", false),
      ("password=%C3%A4%C3%A4%C3%A4%C3%A4&password_again=%C3%A4%C3%A4%C3%A4%C3%A4", true),
      (
        "password=\(String(repeating: "x", count: 64))"
          + "&password_again=\(String(repeating: "x", count: 64))", true
      ),
      (
        "password=\(String(repeating: "x", count: 65))"
          + "&password_again=\(String(repeating: "x", count: 65))", false
      ),
      (
        "password=12345678&password_again=12345678\(String(repeating: "x", count: 99))", false
      ),
    ])
  func passwords(_ form: String, _ isFine: Bool) {
    withGuardedOctets(form) { octets in
      let form = FormFields(octets)
      let password = TypedPassword(form["password"])
      let repeated = TypedPassword(form["password_again"])
      let problem = password.problem(repeated: repeated)
      #expect((problem == nil) == isFine)
    }
  }

  @Test("A typed password is what its hash was made of")
  func hash() {
    withGuardedOctets("password=correct+horse") { octets in
      let form = FormFields(octets)
      let typed = TypedPassword(form["password"])
      guard let hash = try? PasswordHash.make(typed.span, iterations: 10) else {
        Issue.record("ten iterations are enough for ten")
        return
      }
      let isRight = hash.verify(typed.span)
      let absent = TypedPassword(form["current"])
      let isAbsentRight = hash.verify(absent.span)
      #expect(isRight && !isAbsentRight)
    }
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

  @Test("Iterations fit the time and stay between floor and cap")
  func calibration() {
    #expect(Calibration.iterations(2_000, in: 600) == 20_000)
    #expect(Calibration.iterations(50_000, in: 60) == 250_000)
    #expect(Calibration.iterations(500_000, in: 0) == 600_000)
  }
}
