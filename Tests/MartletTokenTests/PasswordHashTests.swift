import MartletBytes
import MartletToken
import TestSupport
import Testing

/// `hashlib.pbkdf2_hmac("sha256", b"hello", bytes(range(16)), 100000)` in Microdot's format.
private let hello =
  "pbkdf2-hmac-sha256:000102030405060708090a0b0c0d0e0f:100000:"
  + "b045e1b2009f4c7ce8dfe37c66e7a24617363e62d1d123601fdebe58c4881e92"

private func parse(_ text: String) -> PasswordHash? { withGuardedOctets(text) { PasswordHash($0) } }

private func text(_ hash: PasswordHash) -> String {
  var storage = [UInt8](repeating: 0, count: PasswordHash.textSizeMax)
  var writer = Writer(storage.mutableSpan)
  hash.write(to: &writer)
  let overflowed = writer.overflowed
  #expect(!overflowed)
  return String(writer.span)
}

private func verify(_ password: String, _ hash: PasswordHash) -> Bool {
  withGuardedOctets(password) { hash.verify($0) }
}

@Suite struct PasswordHashTests {
  @Test("What Microdot's example stores verifies its password and no other")
  func microdot() throws {
    let hash = try #require(parse(hello))
    #expect(hash.iterations == 100_000)
    #expect(verify("hello", hash))
    #expect(!verify("hello ", hash))
    #expect(!verify("Hello", hash))
    #expect(!verify("", hash))
  }

  @Test("What is parsed is written the same, 123 octets of it")
  func roundTrip() throws {
    #expect(hello.utf8.count == 123)
    #expect(text(try #require(parse(hello))) == hello)
    let long =
      "pbkdf2-hmac-sha256:" + String(repeating: "ab", count: 32) + ":10000000:"
      + String(repeating: "0f", count: 32)
    #expect(text(try #require(parse(long))) == long)
    #expect(long.utf8.count == PasswordHash.textSizeMax)
    #expect(text(try #require(parse(long.replacing("ab", with: "AB")))) == long)
  }

  @Test("A literal is the hash that it spells, and one that spells none stops the program")
  func literal() async {
    let hash: PasswordHash =
      """
      pbkdf2-hmac-sha256:000102030405060708090a0b0c0d0e0f:100000:\
      b045e1b2009f4c7ce8dfe37c66e7a24617363e62d1d123601fdebe58c4881e92
      """
    #expect(text(hash) == hello)
    await #expect(processExitsWith: .failure) {
      let hash: PasswordHash = "pbkdf2-hmac-sha256:00:1:00"
      _ = hash
    }
  }

  @Test("Every prefix of a hash is refused, and every hash with more after it")
  func prefixes() {
    for count in 0..<hello.utf8.count { #expect(parse(String(hello.prefix(count))) == nil) }
    for more in [" ", "\n", "\0", "0", "00", ":", ":00"] {
      #expect(parse(hello + more) == nil)
      #expect(parse(more + hello) == nil)
    }
  }

  @Test(
    "Another scheme, salt, count of iterations or digest is refused",
    arguments: [
      ("pbkdf2-hmac-sha256", "pbkdf2-hmac-sha512"), ("pbkdf2-", "PBKDF2-"), ("pbkdf2", ""),
      ("0e0f", "0e0"), ("0e0f", "0e0g"), ("00010203040506070809", "00"),
      ("0001", String(repeating: "00", count: 19)), (":100000:", "::"), (":100000:", ":0:"),
      (":100000:", ":0100000:"), (":100000:", ":10000001:"), (":100000:", ":-1:"),
      (":100000:", ":+1:"), (":100000:", ":1e5:"), (":100000:", ": 1:"),
      (":100000:", ":4294967297:"),
      (":100000:", ":18446744073709551617:"), (":100000:", ":"), ("1e92", "1e9"), ("1e92", "1e9x"),
      ("1e92", "1e92aa"), ("1e92", ""),
    ])
  func malformed(_ part: String, _ replacement: String) {
    let changed = hello.replacing(part, with: replacement)
    #expect(changed != hello)
    #expect(parse(changed) == nil)
  }

  @Test("Salts of 8 to 32 octets are read, 7 and 33 are not")
  func saltSizes() {
    for count in 0...40 {
      let salt = String(repeating: "a7", count: count)
      let digest = String(repeating: "00", count: 32)
      #expect((parse("pbkdf2-hmac-sha256:\(salt):1:\(digest)") != nil) == (8...32 ~= count))
    }
  }

  @Test("A hash that was made verifies, and two of one password differ")
  func making() throws {
    let password = [UInt8]("correct horse".utf8)
    let first = try PasswordHash.make(password.span, iterations: 10)
    let second = try PasswordHash.make(password.span, iterations: 10)
    #expect(verify("correct horse", first))
    #expect(verify("correct horse", second))
    #expect(text(first) != text(second))
    #expect(text(first).utf8.count == 19 + 32 + 1 + 2 + 1 + 64)
    let read = try #require(parse(text(first)))
    #expect(verify("correct horse", read))
    #expect(!verify("correct horsf", read))
  }

  /// `hashlib.pbkdf2_hmac("sha256", b"p" * count, bytes(range(16)), 1000)`.
  @Test(
    "Passwords of all lengths are hashed as Python does it",
    arguments: [
      (64, "08db7cec2595199d3378e70d090da831ae10137f8008f669cb9465c79e27a2e6"),
      (65, "c317a8ad4bacaae77f32c753766dd8d078734acb7b651a30344b77de09b64133"),
      (66, "e1f5c218a1000bf1655b88209a395ea27825836f83f635a3b9d019041fb337ae"),
      (127, "4ad5c740a033374bfd89c25922a0b143a5910b9e46fdc0f53ad455771cf5fccf"),
      (128, "5589b5060b00ae2022e492df16faa0924aaf8577dfb5b1f7211dbcc3a7780cb9"),
      (200, "8c56d8c10a4c4cd1e682965060a0ff2299288037df1ac2ce032b70f8096346a8"),
      (1024, "7ce23cc7c7568ecee96b86c9339062026113c63d46149774e4a706c12d94fef9"),
    ])
  func longPasswords(_ count: Int, _ digest: String) throws {
    let password = String(repeating: "p", count: count)
    let hash = try #require(
      parse("pbkdf2-hmac-sha256:000102030405060708090a0b0c0d0e0f:1000:\(digest)"))
    #expect(verify(password, hash))
    #expect(!verify(password + "p", hash))
    #expect(!verify(String(password.dropLast()), hash))
  }

  @Test("1,025 octets of password are refused")
  func tooLong() throws {
    let longest = String(repeating: "p", count: 1_024)
    _ = try PasswordHash.make([UInt8](longest.utf8).span, iterations: 1)
    #expect(throws: PasswordRefusal.tooLong) {
      try PasswordHash.make([UInt8]((longest + "p").utf8).span, iterations: 1)
    }
    let decoy = PasswordHash.decoy(iterations: 1)
    #expect(!verify(longest + "p", decoy))
  }

  @Test("A password that is fed in parts is the same, and only as a whole")
  func parts() {
    for count in [0, 1, 63, 64, 65, 127, 128, 129, 1_024] {
      let octets = (0..<count).map { UInt8($0 % 255 + 1) }
      let whole = PasswordKey(octets.span)
      var parts = PasswordKey()
      for octet in octets { parts.append(octet) }
      parts.end()
      parts.end()
      let areSame = parts.equals(whole)
      let keySize = parts.octets.count
      #expect(areSame && keySize == (count > 64 ? 32 : count))
      let other = PasswordKey((octets + [1]).span)
      let differ = !other.equals(whole)
      #expect(differ)
    }
  }

  @Test("A NUL is in no password: HMAC could not tell it from the end")
  func nul() throws {
    let hash = try PasswordHash.make([UInt8]("hello".utf8).span, iterations: 10)
    #expect(verify("hello", hash))
    for wrong in ["hello\0", "hello\0\0", "\0hello", "hel\0lo"] {
      #expect(!verify(wrong, hash))
      #expect(throws: PasswordRefusal.malformed) {
        try PasswordHash.make([UInt8](wrong.utf8).span, iterations: 10)
      }
    }
  }

  @Test("No hash is made with no iterations, or with more than ten million")
  func iterationCounts() {
    for iterations: UInt32 in [0, 10_000_001, .max] {
      #expect(throws: PasswordRefusal.iterationCount) {
        try PasswordHash.make([1].span, iterations: iterations)
      }
    }
  }

  @Test("A decoy takes as many iterations as asked for, and no password is right")
  func decoys() {
    let decoy = PasswordHash.decoy(iterations: 500)
    #expect(decoy.iterations == 500)
    for password in ["", "hello", "martlet's decoys"] { #expect(!verify(password, decoy)) }
    #expect(PasswordHash.decoy(iterations: 0).iterations == 1)
    #expect(PasswordHash.decoy(iterations: .max).iterations == 10_000_000)
    #expect(parse(text(decoy))?.iterations == 500)
  }

  @Test("A verification in slices answers only at the end, and goes on answering")
  func verificationInSlices() throws {
    let hash = try PasswordHash.make([UInt8]("bye".utf8).span, iterations: 100)
    for (password, isRight) in [("bye", true), ("bya", false)] {
      for slice: UInt32 in [1, 7, 50, 98] {
        var verification = PasswordVerification([UInt8](password.utf8).span, against: hash)
        var answers: [Bool?] = []
        for _ in 0..<(99 - 1) / slice + 2 { answers.append(verification.step(slice)) }
        #expect(answers.dropLast(2).allSatisfy { $0 == nil })
        #expect(answers.suffix(2) == [isRight, isRight])
      }
    }
  }

  @Test("A hash made in slices verifies")
  func hashingInSlices() throws {
    let password = [UInt8]("bye".utf8)
    var hashing = PasswordHashing(password.span, iterations: 100)
    var made: PasswordHash?
    var steps = 0
    while made == nil {
      made = hashing.step(10)
      steps += 1
    }
    #expect(steps == 10)
    #expect(verify("bye", try #require(made)))
  }
}
