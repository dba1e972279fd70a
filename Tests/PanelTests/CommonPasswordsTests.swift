// Passwords that are tried first, and passwords that are not.

import TestSupport
import Testing

@testable import martlet_panel

@Suite struct CommonPasswordsTests {
  private func isCommon(_ password: String, name: String = "susan") -> Bool {
    let name = [UInt8](name.utf8)
    return withGuardedOctets(password) { CommonPasswords.contains($0, name: name.span) }
  }

  @Test("Listed words, with digits and signs around them, are among the first guesses")
  func words() {
    for password in [
      "password", "PassWord", "Password1!", "admin2024", "!!admin!!", "12345admin", "raspberry", "debian99",
      "letmein1", "2024-admin-1", "iloveyou",
    ] { #expect(isCommon(password), "\(password)") }
  }

  @Test("Runs and short parts that are repeated are among the first guesses, up to 24 octets")
  func patterns() {
    for password in [
      "12345678", "87654321", "abcdefgh", "aaaaaaaa", "78901234", "32109876", "abababab", "12341234",
      "xyzxyzxyz", "abcdabcdabc", String(repeating: "a", count: 24), String(repeating: "ab", count: 12),
    ] { #expect(isCommon(password), "\(password)") }
    for password in [
      String(repeating: "a", count: 25), String(repeating: "ab", count: 13), "abcdeabcdeabcde", "13579bdf",
      "aceg1357", "abcdefgi", "12345687", "aaaaaaab",
    ] { #expect(!isCommon(password), "\(password)") }
  }

  @Test("The name counts, forwards, backwards and twice")
  func names() {
    for password in ["susan123", "SUSAN!!!", "nasus2024", "susansusan", "1susanSUSAN1"] {
      #expect(isCommon(password), "\(password)")
    }
    for password in ["susanne123", "susansusan-and-more-than-that", "susannasus", "david123"] {
      #expect(!isCommon(password), "\(password)")
    }
  }

  @Test("Other passwords are not, nor are words with more around them than a date")
  func others() {
    for password in [
      "correct horse battery staple", "k8#mQ2x!", "admin123456789", "pass-word", "grüße vom see",
      "0.1.4.9.16",
    ] { #expect(!isCommon(password), "\(password)") }
  }
}
