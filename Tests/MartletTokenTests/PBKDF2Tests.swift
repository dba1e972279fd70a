import Foundation
import MartletToken
import TestSupport
import Testing

@Suite struct PBKDF2Tests {
  @Test("RFC 7914 §11: both cases, both blocks")
  func rfc7914() throws {
    let cases = try #require(
      try vectorJSON("rfc/rfc7914-s11-pbkdf2-hmac-sha256.json") as? [[String: Any]])
    for test in cases {
      let password = octets(hexadecimal: try #require(test["password_hex"] as? String))
      let salt = octets(hexadecimal: try #require(test["salt_hex"] as? String))
      let expected = octets(hexadecimal: try #require(test["dk_hex"] as? String))
      let iterations = try #require(test["iterations"] as? Int)
      #expect(expected.count == 64)
      for block in 1...2 {
        let derivation = PBKDF2(
          password: password.span, salt: salt.span, iterations: UInt32(iterations),
          block: UInt32(block))
        let digest = [UInt8](derivation.finish().span)
        #expect(digest == Array(expected[32 * (block - 1)..<32 * block]))
      }
    }
    #expect(cases.count == 2)
  }

  @Test("Cut into odd slices it comes to what it comes to at once")
  func slices() {
    let password = [UInt8]("hello".utf8)
    let salt = [UInt8](0..<16)
    // hashlib.pbkdf2_hmac("sha256", b"hello", bytes(range(16)), 1000)
    let expected = octets(
      hexadecimal: "f2e8bb41a57cf290c5e6ebd0b376ae8a2cd422cd4c712de050c405603c7fe668")
    for slice: UInt32 in [1, 2, 3, 7, 333, 998, 999, 1_000, 5_000, .max] {
      var derivation = PBKDF2(password: password.span, salt: salt.span, iterations: 1_000)
      var steps = 0
      let finishedAtOnce = derivation.step(0)
      #expect(!finishedAtOnce)
      while !derivation.step(slice) { steps += 1 }
      let digest = [UInt8](derivation.digest.span)
      #expect(digest == expected)
      // The first iteration was done at the beginning.
      #expect(steps == (999 - 1) / Int(slice))
      let staysFinished = derivation.step(slice)
      #expect(staysFinished)
      let digestAfterwards = [UInt8](derivation.digest.span)
      #expect(digestAfterwards == expected)
    }
  }

  @Test("One iteration is finished from the beginning")
  func oneIteration() {
    var derivation = PBKDF2(password: [1].span, salt: [2].span, iterations: 1)
    let finished = derivation.step(0)
    #expect(finished)
    let digest = [UInt8](derivation.digest.span)
    #expect(digest == authenticate([2, 0, 0, 0, 1], key: [1]))
  }
}
