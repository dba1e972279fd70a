import Foundation
import MartletBytes
import MartletToken
import TestSupport
import Testing

/// PyJWT's token of a fresh login, key `top-secret!`.
private let fresh =
  "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJfdXNlcl9pZCI6InUxIiwiX2ZyZXNoIjp0cnVlfQ."
  + "6SqGLTYFuSPZxqI_PJF7IWcTMfUqNxrqCF1Psh3YTL0"

/// Tokens that Microdot's two reference runtimes minted, with what is in them.
private let minted = [
  (fresh, #"{"_user_id":"u1","_fresh":true}"#),
  (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJfdXNlcl9pZCI6InUxIiwiX2ZyZXNoIjpmYWxzZX0."
      + "8ketNkHG5IhLfn_hzWFaylSS2xCqPl3Qifg7-SXvV28",
    #"{"_user_id":"u1","_fresh":false}"#
  ),
  ("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.3XQlq1q6D_hW1LE2ae7YQUB0wKliNP6QqCNDH3iKwNk", "{}"),
  (
    "eyJ0eXAiOiAiSldUIiwgImFsZyI6ICJIUzI1NiJ9.eyJfZnJlc2giOiB0cnVlLCAiX3VzZXJfaWQiOiAidTEifQ."
      + "JOErdofGj-Kj8vSWpmxMaZO3xw7uCSpnR6Z6bj8Xsg0",
    #"{"_fresh": true, "_user_id": "u1"}"#
  ),
  (
    "eyJ0eXAiOiAiSldUIiwgImFsZyI6ICJIUzI1NiJ9.e30.mzgFbSqJLUtzHkxJXVtq2hJiPj4vYPRFYwuSw9mUe_k",
    "{}"
  ),
]

@Suite struct JWSTests {
  @Test("What PyJWT and MicroPython minted verifies")
  func mintedElsewhere() {
    for (token, payload) in minted {
      #expect(verify(token) == .success(Array(payload.utf8)))
      #expect(verify(token, secret: "top-secret") == .failure(.signature))
    }
  }

  @Test("What we sign is PyJWT's token, octet for octet")
  func signing() {
    for (token, payload) in minted.prefix(3) {
      #expect(sign(Array(payload.utf8)) == token)
      #expect(JWS.tokenSize(payloadCount: payload.utf8.count) == token.utf8.count)
    }
  }

  @Test("RFC 7515 A.1 and RFC 7519 §3.1 verify, and the unsecured token of A.5 does not")
  func rfc7515() throws {
    let cases = try #require(
      try vectorJSON("rfc/jws-rfc7515-rfc7519.json") as? [[String: String]])
    for test in cases {
      let key = octets(base64URL: try #require(test["key_b64url"]))
      let token = Array(try #require(test["jws"]).utf8)
      guard test["signature"] == "valid" else {
        #expect(verify(token, key: key) == .failure(.algorithm))
        continue
      }
      let payload = octets(hexadecimal: try #require(test["payload_hex"]))
      #expect(verify(token, key: key) == .success(payload))
      // "exp": 1300819380.
      #expect(refusal(payload, now: 1_300_819_379) == nil)
      #expect(refusal(payload, now: 1_300_819_380) == .expired)
    }
    #expect(cases.count == 2)
  }

  @Test("RFC 7520 §4.4: another's header, and a payload that is no claims set")
  func rfc7520() throws {
    let json = try #require(try vectorJSON("rfc/rfc7520-4.4-hs256.json") as? [String: Any])
    let input = try #require(json["input"] as? [String: Any])
    let key = octets(base64URL: try #require((input["key"] as? [String: String])?["k"]))
    let token = try #require((json["output"] as? [String: Any])?["compact"] as? String)
    let payload = Array(try #require(input["payload"] as? String).utf8)
    #expect(verify(Array(token.utf8), key: key) == .success(payload))
    #expect(refusal(payload) == .claimsNotObject)
  }

  @Test("What was signed verifies, whatever it was and however long")
  func roundTrips() throws {
    var random = SeededRandom(7)
    for count in Array(0...130) + [1_000, 2_047, 2_048] {
      let payload = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      let token = try #require(sign(payload))
      #expect(token.utf8.count == JWS.tokenSize(payloadCount: count))
      #expect(verify(token) == .success(payload))
      #expect(verify(Array(token.utf8), key: [1]) == .failure(.signature))
    }
  }

  @Test("Every prefix of a token is refused, and everything with one octet more")
  func prefixes() {
    let octets = Array(fresh.utf8)
    for count in octets.indices {
      guard case .failure = verify(Array(octets[..<count])) else {
        Issue.record("\(count) octets are accepted")
        continue
      }
    }
    for octet in UInt8.min...UInt8.max {
      for changed in [octets + [octet], [octet] + octets] {
        guard case .failure = verify(changed) else {
          Issue.record("one octet more is accepted: \(octet)")
          continue
        }
      }
    }
  }

  @Test("A token with any one bit of any octet flipped is refused")
  func flippedBits() {
    for (token, _) in minted {
      var octets = Array(token.utf8)
      for i in octets.indices {
        for bit in 0..<8 {
          octets[i] ^= 1 << bit
          if case .success = verify(octets) { Issue.record("bit \(bit) of octet \(i) is free") }
          octets[i] ^= 1 << bit
        }
      }
      #expect((try? verify(octets).get()) != nil)
    }
  }

  @Test("A token with any octet replaced by any other is refused")
  func replacedOctets() {
    var octets = Array(fresh.utf8)
    for i in octets.indices {
      let original = octets[i]
      for octet in UInt8.min...UInt8.max where octet != original {
        octets[i] = octet
        if case .success = verify(octets) { Issue.record("octet \(i) may be \(octet)") }
      }
      octets[i] = original
    }
  }

  @Test("Parts are three")
  func parts() {
    let (head, payload) = (base64URL(ownHeader), base64URL("{}"))
    for token in [
      "", "a", ".", "..", head, "\(head).\(payload)", token(parts: "\(head).\(payload).\(payload)"),
      "\(fresh).", ".\(fresh)", "\(fresh).\(payload)", fresh.replacing(".", with: ".."),
      String(repeating: ".", count: 100), String(repeating: "\(head).", count: 10),
    ] {
      #expect(verify(token) == .failure(token == ".." ? .headerNotObject : .notThreeParts))
    }
  }

  @Test("A token of the greatest size is read, one octet more is not")
  func sizes() {
    let room = Limits.tokenSizeMax - JWS.tokenSize(payloadCount: 0)
    let longest = [UInt8](repeating: 0x20, count: room * 3 / 4)
    let token = sign(longest)
    #expect(token?.utf8.count == Limits.tokenSizeMax)
    let key = Array(microdotSecret.utf8)
    #expect(verify(Array((token ?? "").utf8), key: key, room: 4_096) == .success(longest))
    let isSigned = sign(longest + [0x20]) != nil
    #expect(!isSigned)
    #expect(verify((token ?? "") + "A") == .failure(.tooLarge))
    #expect(verify(String(repeating: "A", count: 65_536)) == .failure(.tooLarge))
  }

  @Test("A payload that does not fit its room is refused, one that just fits is not")
  func payloadRoom() {
    let token = Array(fresh.utf8)
    let key = Array(microdotSecret.utf8)
    #expect(verify(token, key: key, room: 31) == .success(Array(minted[0].1.utf8)))
    #expect(verify(token, key: key, room: 30) == .failure(.tooLarge))
    #expect(verify(token, key: key, room: 0) == .failure(.tooLarge))
  }

  @Test("A token that does not fit its writer leaves nothing there")
  func writerRoom() {
    for room in 0...fresh.utf8.count {
      var storage = [UInt8](repeating: 0, count: room + 2)
      var writer = Writer(storage.mutableSpan)
      writer.append("a=")
      JWS.sign(
        Array(minted[0].1.utf8).span, with: HMACKey(Array(microdotSecret.utf8).span), to: &writer)
      let (text, overflowed) = (String(writer.span), writer.overflowed)
      #expect(overflowed == (room < fresh.utf8.count))
      #expect(text == (overflowed ? "a=" : "a=" + fresh))
    }
  }

  @Test("Under the empty key nothing verifies")
  func emptyKey() {
    #expect(verify(token("{}", secret: ""), secret: "") == .failure(.emptyKey))
    #expect(verify("", secret: "") == .failure(.notThreeParts))
  }

  @Test("base64url in all three parts is canonical, whatever the MAC says")
  func malleability() {
    // One octet and two octets at the end of a part leave unused bits.
    let (head, payload) = (base64URL(ownHeader + " "), base64URL("{}"))
    #expect(verify(token(parts: "\(head).\(payload)")) == .success(Array("{}".utf8)))
    for change in ["=", "==", " ", "\n", "\0", "+", "/", "%3D", "\u{E9}"] {
      #expect(verify(token(parts: "\(head)\(change).\(payload)")) == .failure(.headerEncoding))
      #expect(verify(token(parts: "\(head).\(payload)\(change)")) == .failure(.payloadEncoding))
      #expect(verify(fresh + change) == .failure(.signatureEncoding))
    }
    // The last character carries 4 bits that count in a signature, and 2 that must be zero.
    for last in ["1", "2", "3"] {
      #expect(verify(fresh.dropLast() + last) == .failure(.signatureEncoding))
    }
    #expect(verify(token(parts: "\(base64URL(ownHeader)).e31")) == .failure(.payloadEncoding))
    #expect(verify(token(parts: "\(base64URL(ownHeader)).e")) == .failure(.payloadEncoding))
    #expect(verify(fresh.dropLast(2) + "") == .failure(.signatureEncoding))
    #expect(verify(fresh.replacing("_", with: "/")) == .failure(.signatureEncoding))
    #expect(verify(fresh.dropLast(43) + "") == .failure(.signatureEncoding))
  }

  @Test("Nothing is decoded before the MAC was right")
  func untouchedPayload() throws {
    for refused in [token("{}", secret: "other"), "..", fresh + "A"] {
      var payload: [UInt8] = [1, 2, 3, 4]
      var target = payload.mutableSpan
      #expect(throws: TokenRefusal.self) {
        _ = try JWS.verify(
          Array(refused.utf8).span, with: HMACKey([UInt8](microdotSecret.utf8).span),
          payload: &target)
      }
      #expect(payload == [1, 2, 3, 4])
    }
  }

  @Test("Garbage of any kind is refused")
  func garbage() {
    var random = SeededRandom(3)
    let alphabet = Array("AZaz09-_.=+/{}\"\\ \0".utf8) + [0x80, 0xFF]
    for _ in 0..<5_000 {
      let count = Int.random(in: 0...200, using: &random)
      let octets = (0..<count).map { _ in alphabet.randomElement(using: &random)! }
      if case .success = verify(octets) { Issue.record("accepted: \(octets)") }
    }
  }
}

private func verify(_ token: Substring) -> Result<[UInt8], TokenRefusal> { verify(String(token)) }
