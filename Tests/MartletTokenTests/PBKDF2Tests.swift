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

  @Test(
    "The instructions for SHA-256 come to what mbedTLS comes to: any password, any salt, any slice",
    .enabled(if: SHA256.hasInstructions, "this processor has no instructions for SHA-256"))
  func instructions() {
    var random = SeededRandom(7)
    for round in 0..<400 {
      // Lengths around a block, and around what padding leaves of it.
      let password = (0..<[0, 1, 31, 32, 33, 55, 56, 63, 64, 65, 130][round % 11]).map { _ in
        UInt8(truncatingIfNeeded: random.next())
      }
      let salt = (0..<round % 70).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      let iterations = UInt32(round % 40 + 1)
      let digests = [false, true].map { usesInstructions in
        var derivation = PBKDF2(
          password: password.span, salt: salt.span, iterations: iterations, block: UInt32(round / 7 + 1),
          usesInstructions: usesInstructions)
        while !derivation.step(UInt32(round % 9 + 1)) {}
        return [UInt8](derivation.digest.span)
      }
      #expect(digests[0] == digests[1])
    }
  }

  @Test("Without instructions for SHA-256: RFC 7914 §11, and a thousand iterations")
  func withoutInstructions() {
    let one = PBKDF2(
      password: Array("passwd".utf8).span, salt: Array("salt".utf8).span, iterations: 1,
      usesInstructions: false)
    let first = [UInt8](one.finish().span)
    #expect(
      first == octets(hexadecimal: "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"))
    let thousand = PBKDF2(
      password: Array("hello".utf8).span, salt: [UInt8](0..<16).span, iterations: 1_000,
      usesInstructions: false)
    #expect(thousand.sliceIterations == 16)
    let last = [UInt8](thousand.finish().span)
    #expect(last == octets(hexadecimal: "f2e8bb41a57cf290c5e6ebd0b376ae8a2cd422cd4c712de050c405603c7fe668"))
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
