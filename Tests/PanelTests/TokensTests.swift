// Tokens of programs: their text, their end, their list and their file, and that damage is found.

import Martlet
import TestSupport
import Testing

@testable import martlet_panel

private func token(
  _ name: String, _ text: String = "", scope: TokenScope = .read, created: Int64 = 0, end: Int64 = 0
) -> Token {
  var token = Token()
  token.name = withGuardedOctets(name) { Text($0) ?? "" }
  token.maker = "admin"
  token.scope = scope
  token.created = created
  token.end = end
  token.hash = withGuardedOctets(text.isEmpty ? name : text) { TokenText.hash($0) }
  return token
}

private func text(_ tokens: borrowing Tokens) -> [UInt8] {
  var storage = [UInt8](repeating: 0, count: Tokens.fileSizeMax)
  var writer = Writer(storage.mutableSpan)
  tokens.write(to: &writer)
  let overflowed = writer.overflowed
  #expect(!overflowed)
  return [UInt8](writer.span)
}

private func read(_ text: [UInt8]) -> Tokens? {
  // What has been there before is gone in any case.
  var tokens = Tokens()
  _ = tokens.add(token("former"))
  let isGood = withGuardedOctets(text) { tokens.read($0) }
  #expect(isGood || tokens.count == 0)
  return isGood ? consume tokens : nil
}

private func isGood(_ text: [UInt8]) -> Bool { isThere(read(text)) }

/// A text whose last line fits what is before it.
private func signed(_ lines: String) -> [UInt8] {
  var line = lines + "sha256 "
  withGuardedOctets(lines) { octets in
    var hash = SHA256()
    hash.update(octets)
    let digest = hash.finish()
    for i in 0..<32 { line += String(digest[i] >> 4, radix: 16) + String(digest[i] & 15, radix: 16) }
  }
  return Array((line + "\n").utf8)
}

private func full() -> Tokens {
  var tokens = Tokens()
  for i in 0..<16 {
    var token = token(
      String(repeating: "n", count: 30) + String(i + 10), scope: i % 2 == 0 ? .read : .metrics)
    token.maker = "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm"
    token.created = 9_999_999_999_999_998
    token.end = 9_999_999_999_999_999
    token.used = 9_999_999_999_999_999
    let added = tokens.add(token)
    #expect(added)
  }
  return tokens
}

private func made(_ tokens: borrowing Tokens, _ form: String, isSet: Bool = true) -> (Problem?, Token) {
  var token = Token()
  let problem = withGuardedOctets(form) { form in
    tokens.read(FormFields(form), now: isSet ? 1_800_000_000 : nil, into: &token)
  }
  return (problem, token)
}

@Suite struct TokensTests {
  // MARK: Text

  @Test("20 random octets are 32 characters of base32 (RFC 4648 §10)")
  func base32() {
    var random = InlineArray<20, UInt8>(repeating: 0)
    #expect(string(TokenText.make(random)) == "martlet_" + String(repeating: "a", count: 32))
    for (i, octet) in "foobarfoobarfoobarfo".utf8.enumerated() { random[i] = octet }
    // foobar is MZXW6YTBOI======.
    #expect(string(TokenText.make(random)) == "martlet_mzxw6ytbojtg633cmfzgm33pmjqxeztp")
    random = InlineArray(repeating: 255)
    #expect(string(TokenText.make(random)) == "martlet_" + String(repeating: "7", count: 32))
  }

  @Test("The form of a token: prefix, length, alphabet; each octet counts")
  func form() {
    let good = Array("martlet_mzxw6ytbojtg633cmfzgm33pmjqxezt2".utf8)
    func isOne(_ text: [UInt8]) -> Bool { withGuardedOctets(text) { TokenText.isOne($0) } }
    #expect(isOne(good))
    for count in 0..<good.count { #expect(!isOne(Array(good.prefix(count)))) }
    #expect(!isOne(good + [0x61]))
    for i in good.indices {
      for octet in UInt8.min...UInt8.max where octet != good[i] {
        var text = good
        text[i] = octet
        let isInAlphabet = (0x61...0x7A).contains(octet) || (0x32...0x37).contains(octet)
        #expect(isOne(text) == (i >= 8 && isInAlphabet))
      }
    }
  }

  // MARK: End

  @Test("A token without an end never waits; one with an end needs to know the time")
  func ends() {
    let endless = token("a", created: 100)
    #expect(
      endless.refusal(at: nil) == nil && endless.refusal(at: 0) == nil && endless.refusal(at: .max) == nil)
    let ending = token("b", created: 100, end: 200)
    #expect(ending.refusal(at: nil) == .clockUnknown && ending.refusal(at: 99) == .clockUnknown)
    #expect(ending.refusal(at: 100) == nil && ending.refusal(at: 199) == nil)
    #expect(ending.refusal(at: 200) == .ended && ending.refusal(at: .max) == .ended)
  }

  // MARK: List

  @Test("A token is found by all of its text, wherever it stands")
  func search() {
    var tokens = Tokens()
    for i in 0..<16 {
      let added = tokens.add(token("t\(i)", "text \(i)"))
      #expect(added)
    }
    for i in 0..<16 {
      let found = withGuardedOctets("text \(i)") { tokens.index(of: $0) }
      #expect(found == i)
    }
    for text in ["text 16", "text", "", "text 1 "] {
      let found = withGuardedOctets(text) { tokens.index(of: $0) }
      #expect(found == nil)
    }
    // Free places have a hash of zeros, which is that of no text that anybody knows.
    let none = withGuardedOctets("") { Tokens().index(of: $0) }
    #expect(none == nil)
  }

  @Test("Names are one token's, whatever their case, and sixteen have room")
  func names() {
    var tokens = Tokens()
    for i in 0..<16 {
      let added = tokens.add(token("name\(i)"))
      #expect(added)
      let again = tokens.add(token("NAME\(i)"))
      #expect(!again)
    }
    let another = tokens.add(token("another"))
    #expect(!another && tokens.count == 16)
  }

  @Test("A token is removed by its own id, once; others stay in their order", arguments: 0..<5)
  func removal(_ place: Int) {
    var tokens = Tokens()
    for i in 0..<5 { _ = tokens.add(token("t\(i)")) }
    let id = tokens[place].id
    let removed = tokens.remove(id.span)
    #expect(string(removed?.name) == "t\(place)")
    let again = tokens.remove(id.span)
    #expect(again == nil && tokens.count == 4)
    #expect((0..<4).map { string(tokens[$0].name)! } == (0..<5).filter { $0 != place }.map { "t\($0)" })
    let nothing = withGuardedOctets("") { tokens.remove($0) }
    #expect(nothing == nil)
    // The same name again is another token.
    _ = tokens.add(token("t\(place)", "another text"))
    let stale = tokens.remove(id.span)
    #expect(stale == nil)
  }

  @Test("A use is the last one whose time is known, and a clock that was wrong leaves nothing behind")
  func uses() {
    var tokens = Tokens()
    _ = tokens.add(token("t"))
    #expect(tokens[0].used == 0)
    tokens.use(0, at: nil)
    #expect(tokens[0].used == 1)
    tokens.use(0, at: 1_000)
    tokens.use(0, at: nil)
    #expect(tokens[0].used == 1_000)
    tokens.use(0, at: 900)
    #expect(tokens[0].used == 900)
  }

  // MARK: Form

  @Test("What is chosen for a token")
  func choices() {
    var (problem, token) = made(Tokens(), "name=+Grafana+&scope=metrics&days=30")
    #expect(problem == nil && string(token.name) == "Grafana" && token.scope == .metrics)
    #expect(token.created == 1_800_000_000 && token.end == 1_800_000_000 + 30 * 86_400)
    (problem, token) = made(Tokens(), "name=x&scope=read&days=0")
    #expect(problem == nil && token.end == 0)
    (problem, token) = made(Tokens(), "name=x&scope=read&days=0", isSet: false)
    #expect(problem == nil && token.end == 0 && token.created == 0)
    (problem, _) = made(Tokens(), "name=x&scope=read&days=30", isSet: false)
    #expect(problem?.kind == .endUnknown && problem?.field == .days)
  }

  @Test(
    "What is refused, and which field is wrong",
    arguments: [
      ("", Problem.Kind.nameRefused, martlet_panel.Field.tokenName), ("name=a+b", .nameRefused, .tokenName),
      ("name=a", .choiceUnknown, .scope), ("name=a&scope=Read", .choiceUnknown, .scope),
      ("name=a&scope=read", .choiceUnknown, .days), ("name=a&scope=read&days=31", .choiceUnknown, .days),
      ("name=a&scope=read&days=no+end", .choiceUnknown, .days),
      ("name=T&scope=read&days=0", .tokenNameTaken, .tokenName),
    ])
  func refusals(_ form: String, _ kind: Problem.Kind, _ field: martlet_panel.Field) {
    var tokens = Tokens()
    _ = tokens.add(token("t"))
    let (problem, _) = made(tokens, form)
    #expect(problem?.kind == kind && problem?.field == field)
    let (tooMany, _) = made(full(), "name=a&scope=read&days=0")
    #expect(tooMany?.kind == .tokensTooMany && tooMany?.field == nil)
  }

  // MARK: File

  @Test("What is written is read again, and the longest fits")
  func roundTrip() throws {
    let empty = try required(read(text(Tokens())))
    #expect(empty.count == 0)
    let longest = text(full())
    #expect(longest.count <= Tokens.fileSizeMax && longest.count > Tokens.fileSizeMax - 100)
    #expect(Tokens.fileSizeMax <= 3_200)
    let again = try required(read(longest))
    #expect(text(again) == longest)
    #expect(again[15].id == full()[15].id && again[15].scope == .metrics)
  }

  @Test("Every part of a file, and a file with any octet changed, is damaged")
  func damage() {
    var tokens = Tokens()
    _ = tokens.add(token("prometheus", created: 5, end: 9))
    let good = text(tokens)
    #expect(isGood(good))
    for count in 0..<good.count { #expect(!isGood(Array(good.prefix(count)))) }
    for i in good.indices {
      for bit in 0..<8 {
        var text = good
        text[i] ^= 1 << bit
        #expect(!isGood(text))
      }
    }
    #expect(!isGood(good + good))
    #expect(!isGood([UInt8](repeating: 0x61, count: 8_192)))
  }

  @Test(
    "A line that is no token is damage, whatever the checksum says",
    arguments: [
      "", "a:read:admin:1:2:0", "a:read:admin:1:2:0:H:", "a:read:admin:1:2:0:H:x", "9:read:admin:1:2:0:H",
      "a:write:admin:1:2:0:H", "a:read::1:2:0:H", "a:read:ad min:1:2:0:H", "a:read:admin:-1:2:0:H",
      "a:read:admin:1:1:0:H", "a:read:admin:2:1:0:H", "a:read:admin:0:1:0:H", "a:read:admin:1:x:0:H",
      "a:read:admin:1:2:99999999999999999:H", "a:read:admin:1:2:0:H0", "a:read:admin:1:2:0:ff",
      "a:read:admin:1:2:0:G", "a:read:admin:1:2:0:H\nA:read:admin:1:2:0:H",
    ])
  func lines(_ line: String) {
    let hash = String(repeating: "0f", count: 32)
    let lines = line.replacing("H", with: hash).replacing("G", with: String(repeating: "g", count: 64))
    #expect(!isGood(signed("martlet-tokens 1\n\(lines)\n")))
    #expect(read(signed("martlet-tokens 1\na:read:admin:1:2:0:\(hash)\n"))?.count == 1)
    #expect(!isGood(signed("martlet-tokens 2\na:read:admin:1:2:0:\(hash)\n")))
  }

  @Test("Seventeen tokens are damage")
  func seventeen() {
    let lines = (0..<17).map { "t\($0):read:admin:1:0:0:" + String(repeating: "0f", count: 32) + "\n" }
    #expect(read(signed("martlet-tokens 1\n" + lines.prefix(16).joined()))?.count == 16)
    #expect(!isGood(signed("martlet-tokens 1\n" + lines.joined())))
  }
}
