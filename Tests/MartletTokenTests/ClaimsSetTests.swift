import MartletBytes
import MartletToken
import TestSupport
import Testing

/// What `read` finds in a claims set laid against the end of memory.
private func claims<R>(_ payload: String, _ read: (borrowing ClaimsSet) -> R) -> R? {
  withGuardedOctets(payload) { octets in
    guard let claims = try? ClaimsSet(octets) else { return nil }
    return read(claims)
  }
}

private func text(_ payload: String) -> String? {
  claims(payload) { claims in
    let text: Text<8>? = claims.text(of: "a")
    return text.map { String($0.span) }
  } ?? nil
}

@Suite struct ClaimsSetTests {
  @Test(
    "A payload that is not a strict JSON object is refused",
    arguments: [
      "", " ", "{", "}", "null", "1", #""{}""#, "[]", "[{}]", "{}{}", "{} x", #"{"a"}"#, #"{"a":}"#,
      #"{"a":1,}"#, #"{,}"#, #"{a:1}"#, #"{'a':1}"#, #"{"a":NaN}"#, #"{"a":Infinity}"#,
      #"{"a":01}"#, #"{"a":+1}"#, #"{"a":.5}"#, #"{"a":1.}"#, #"{"a":0x1}"#, #"{"a":tru}"#,
      #"{"a":"\x41"}"#, "{\"a\":\"\n\"}", "\u{FEFF}{}", #"{"a":1}//"#, #"{"a" "b"}"#,
      #"{"a":\#(String(repeating: "[", count: 40))\#(String(repeating: "]", count: 40))}"#,
    ])
  func notObjects(_ payload: String) { #expect(refusal(payload) == .claimsNotObject) }

  @Test("A payload that is not UTF-8 is refused, one that is too long too")
  func notUTF8() {
    #expect(refusal(Array(#"{"a":""#.utf8) + [0xC3] + Array(#""}"#.utf8)) == .claimsNotObject)
    #expect(refusal("{}" + String(repeating: " ", count: 4_094)) == nil)
    #expect(refusal("{}" + String(repeating: " ", count: 4_095)) == .tooLarge)
    #expect(refusal(String(repeating: "{", count: 100_000)) == .tooLarge)
  }

  @Test(
    "exp has come when its floor is now or past",
    arguments: [
      ("1001", nil), ("1000", .expired), ("999", .expired), ("1000.999", .expired),
      ("1001.0", nil), ("1001.5", nil), ("1.001e3", nil), ("1.0009e3", .expired), ("1E3", .expired),
      ("10010e-1", nil), ("10009e-1", .expired), ("0", .expired), ("-0", .expired),
      ("-1", .expired), ("1797973169.9142106", nil), ("1e400", nil), ("-1e400", .expired),
      ("0e400", .expired), ("1e-400", .expired), ("9223372036854775807", nil),
      ("9223372036854775808", nil), ("-9223372036854775809", .expired),
      ("100000000000000000000000000000", nil), ("1e99999999999999999999", nil),
    ] as [(String, TokenRefusal?)])
  func expiration(_ number: String, _ expected: TokenRefusal?) {
    #expect(refusal(#"{"exp":\#(number)}"#) == expected)
    #expect(refusal(#"{ "a" : {"exp":1} , "exp" : \#(number) }"#) == expected)
  }

  @Test(
    "nbf is still to come when its floor is after now",
    arguments: [
      ("1000", nil), ("1000.9", nil), ("1001", .notYetValid), ("1.001e3", .notYetValid),
      ("-1", nil), ("0", nil), ("1e400", .notYetValid),
    ] as [(String, TokenRefusal?)])
  func notBefore(_ number: String, _ expected: TokenRefusal?) {
    #expect(refusal(#"{"nbf":\#(number)}"#) == expected)
  }

  @Test("Times that are not numbers are refused, each with its reason")
  func timeTypes() {
    for value in [#""2000""#, #""""#, "null", "true", "false", "[2000]", #"{"a":2000}"#] {
      #expect(refusal(#"{"exp":\#(value)}"#) == .expirationType)
      #expect(refusal(#"{"nbf":\#(value)}"#) == .notBeforeType)
      #expect(refusal(#"{"iat":\#(value)}"#) == .issuedAtType)
    }
    for value in ["0", "999999999999", "1.5", "-1e300"] {
      #expect(refusal(#"{"iat":\#(value)}"#) == nil)
    }
  }

  @Test("At the ends of time nothing overflows")
  func endsOfTime() {
    for now in [Int64.min, -1, 0, 1, .max] {
      #expect((refusal(#"{"exp":1e99}"#, now: now) == .expired) == (now == .max))
      #expect(refusal(#"{"exp":-1e99}"#, now: now) == .expired)
      #expect((refusal(#"{"nbf":1e99}"#, now: now) == nil) == (now == .max))
      #expect(refusal(#"{"nbf":-1e99}"#, now: now) == nil)
    }
  }

  @Test("An audience of any kind is refused")
  func audience() {
    for value in [#""us""#, #"["us"]"#, "[]", #""""#, "null", "1"] {
      #expect(refusal(#"{"aud":\#(value)}"#) == .audience)
    }
  }

  @Test("iss, sub and jti are strings when they are there")
  func registeredStrings() {
    for value in ["1", "null", "true", "[]", "{}"] {
      #expect(refusal(#"{"iss":\#(value)}"#) == .issuerType)
      #expect(refusal(#"{"sub":\#(value)}"#) == .subjectType)
      #expect(refusal(#"{"jti":\#(value)}"#) == .identifierType)
    }
    #expect(refusal(#"{"iss":"a","sub":"","jti":"\u0000"}"#) == nil)
  }

  @Test("Of claims of one name the last counts, escapes in names read")
  func duplicates() {
    #expect(refusal(#"{"exp":1,"exp":2000}"#) == nil)
    #expect(refusal(#"{"exp":2000,"exp":1}"#) == .expired)
    #expect(refusal(#"{"exp":2000,"e\u0078p":1}"#) == .expired)
    #expect(refusal(#"{"exp":2000,"Exp":1,"exp ":1,"ex":1,"expp":1}"#) == nil)
    #expect(refusal(#"{"exp":"x","exp":2000}"#) == nil)
    #expect(text(#"{"a":"1","a":"2"}"#) == "2")
    #expect(text(#"{"a":"1","\u0061":2}"#) == nil)
  }

  @Test("Members inside of values are no claims")
  func nested() {
    #expect(refusal(#"{"a":{"exp":1,"aud":"x"},"b":[{"nbf":9999}],"c":"\"exp\":1"}"#) == nil)
  }

  @Test("A string is read with its escapes, and only when it fits")
  func texts() {
    #expect(text(#"{"a":"u1"}"#) == "u1")
    #expect(text(#"{"a":""}"#) == "")
    #expect(text(#"{"a":"12345678"}"#) == "12345678")
    #expect(text(#"{"a":"123456789"}"#) == nil)
    #expect(text(#"{"a":"\u00e9\n\"\\\/"}"#) == "é\n\"\\/")
    #expect(text(#"{"a":"\ud83d\ude00"}"#) == "😀")
    #expect(text(#"{"a":"\ud83d"}"#) == "\u{FFFD}")
    #expect(text(#"{"a":"é😀"}"#) == "é😀")
    for value in ["1", "null", "true", "[]", #"{"a":"x"}"#] {
      #expect(text(#"{"a":\#(value)}"#) == nil)
    }
    #expect(text("{}") == nil)
  }

  @Test(
    "An integer is read when it is written as one and Int64 holds it",
    arguments: [
      ("0", 0), ("-0", 0), ("7", 7), ("-7", -7), ("9223372036854775807", .max),
      ("9223372036854775808", nil), ("-9223372036854775808", .min), ("-9223372036854775809", nil),
      ("18446744073709551616", nil), ("-18446744073709551616", nil), ("1.0", nil), ("1e0", nil),
      (#""7""#, nil), ("null", nil), ("true", nil), ("[7]", nil),
    ] as [(String, Int64?)])
  func integers(_ value: String, _ expected: Int64?) {
    #expect(claims(#"{"a":\#(value)}"#) { $0.integer(of: "a") } == expected)
    #expect(claims(#"{"b":\#(value)}"#) { $0.integer(of: "a") } == .some(nil))
  }

  @Test("Only true and false are booleans")
  func booleans() {
    #expect(claims(#"{"a":true}"#) { $0.boolean(of: "a") } == true)
    #expect(claims(#"{"a":false}"#) { $0.boolean(of: "a") } == false)
    for payload in [#"{"a":"no"}"#, #"{"a":1}"#, #"{"a":null}"#, #"{"a":[]}"#, #"{"a":{}}"#, "{}"] {
      #expect(claims(payload) { $0.boolean(of: "a") } == .some(nil))
    }
  }

  @Test("Kinds, presence and raw octets of claims")
  func kinds() {
    let payload = #"{"s":"\n","n":-1.5e3,"t":true,"f":false,"0":null,"o":{ "x":1 },"a":[1, 2]}"#
    let kinds = claims(payload) { claims in
      [
        claims.kind(of: "s"), claims.kind(of: "n"), claims.kind(of: "t"), claims.kind(of: "f"),
        claims.kind(of: "0"), claims.kind(of: "o"), claims.kind(of: "a"), claims.kind(of: "z"),
      ]
    }
    #expect(kinds == [.string, .number, .true, .false, .null, .object, .array, nil])
    #expect(claims(payload) { $0.contains("0") && !$0.contains("x") } == true)
    let raw = claims(payload) { claims -> [String?] in
      func text(_ name: StaticString) -> String? {
        guard let octets = claims.raw(of: name) else { return nil }
        return String(octets)
      }
      return [text("s"), text("o"), text("z")]
    }
    #expect(raw == [#"\n"#, #"{ "x":1 }"#, nil])
  }

  @Test("Every prefix of a claims set is refused; a flipped bit never traps")
  func hostile() {
    let payload = Array(
      #"{"_user_id":"u\u00e91","exp":1.5e9,"a":[1,{"b":null}],"sub":"s","iat":1}"#.utf8)
    #expect(refusal(payload) == nil)
    for count in payload.indices {
      #expect(refusal(Array(payload[..<count])) == .claimsNotObject)
    }
    for i in payload.indices {
      for bit in 0..<8 {
        var changed = payload
        changed[i] ^= 1 << bit
        _ = refusal(changed)
        withGuardedOctets(changed) { octets in
          guard let claims = try? ClaimsSet(octets) else { return }
          let text: Text<8>? = claims.text(of: "_user_id")
          _ = (text, claims.integer(of: "exp"), claims.boolean(of: "a"))
        }
      }
    }
  }
}
