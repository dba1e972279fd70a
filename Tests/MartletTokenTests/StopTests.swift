// What can only be a bug of the caller ends the program; nothing that arrives leads here.

import MartletBytes
import MartletToken
import Testing

@Suite struct StopTests {
  @Test("Signing with the empty key stops the program")
  func emptyKey() async {
    await #expect(processExitsWith: .failure) {
      var storage = [UInt8](repeating: 0, count: 200)
      var writer = Writer(storage.mutableSpan)
      JWS.sign([UInt8]("{}".utf8).span, with: HMACKey([UInt8]().span), to: &writer)
    }
  }

  @Test("A derivation without an iteration, or read before its end, stops the program")
  func derivations() async {
    await #expect(processExitsWith: .failure) {
      _ = PBKDF2(password: [1].span, salt: [2].span, iterations: 0)
    }
    await #expect(processExitsWith: .failure) {
      _ = PBKDF2(password: [1].span, salt: [2].span, iterations: 1, block: 0)
    }
    await #expect(processExitsWith: .failure) {
      _ = PBKDF2(password: [1].span, salt: [2].span, iterations: 2).digest
    }
  }
}
