import MartletBytes
import MartletToken
import TestSupport
import Testing

/// The text that is left when `change` has been done to the claims of `payload`.
private func changed(
  _ payload: String, _ change: (inout SessionClaims) -> Void = { _ in }
) -> String? {
  guard payload.utf8.count <= 2_048 else { return nil }
  var storage = [UInt8](repeating: 0, count: 2_048)
  var claims = SessionClaims(storage.mutableSpan)
  var room = claims.storageSpan
  for (i, octet) in payload.utf8.enumerated() { room[i] = octet }
  guard claims.adopt(payload.utf8.count) else {
    #expect(claims.count == 2 && claims.isEmpty)
    return nil
  }
  change(&claims)
  return String(claims.span)
}

@discardableResult
private func set(_ claims: inout SessionClaims, _ name: StaticString, _ text: String) -> Bool {
  claims.set(name, text: Array(text.utf8).span)
}

@Suite struct SessionClaimsTests {
  @Test("New claims are the empty object")
  func empty() {
    var storage = [UInt8](repeating: 0, count: 2_048)
    var claims = SessionClaims(storage.mutableSpan)
    let (text, isEmpty) = (String(claims.span), claims.isEmpty)
    #expect(text == "{}")
    #expect(isEmpty)
    set(&claims, "a", "1")
    let isStillEmpty = claims.isEmpty
    #expect(!isStillEmpty)
    claims.removeAll()
    let afterwards = String(claims.span)
    #expect(afterwards == "{}")
  }

  @Test("A login's claims are PyJWT's octets")
  func login() {
    let text = changed("{}") { claims in
      set(&claims, "_user_id", "u1")
      claims.set("_fresh", boolean: true)
    }
    #expect(text == #"{"_user_id":"u1","_fresh":true}"#)
  }

  @Test("Every kind of value is set, and set again in place of the old one")
  func values() {
    let text = changed(#"{"a":1,"b":{"a":1},"a":[2]}"#) { claims in
      claims.set("i", integer: .min)
      claims.set("j", integer: .max)
      claims.set("f", boolean: false)
      claims.setNull("n")
      claims.set("i", integer: -7)
      set(&claims, "a", "x")
      claims.set("a", boolean: true)
    }
    #expect(
      text == #"{"b":{"a":1},"j":9223372036854775807,"f":false,"n":null,"i":-7,"a":true}"#)
  }

  @Test("Blanks between members go, blanks inside of values stay, and so does all else")
  func copying() {
    #expect(changed(" {\r\n\t} ") == "{}")
    #expect(
      changed(#"{ "a" : { "x" : [ 1 , 2 ] } , "\u0062" : "\u00e9 \n" , "n" : 1.50E+3 }"#)
        == #"{"a":{ "x" : [ 1 , 2 ] },"\u0062":"\u00e9 \n","n":1.50E+3}"#)
    #expect(changed(#"{"a":1,"a":2}"#) == #"{"a":1,"a":2}"#)
    #expect(changed(#"{"":""}"#) == #"{"":""}"#)
  }

  @Test("What is not an object, or does not fit, is not copied")
  func notCopied() {
    for payload in ["", "[]", "null", "{", #"{"a":1,}"#, "{}x"] { #expect(changed(payload) == nil) }
    let filling = String(repeating: "x", count: 2_040)
    #expect(changed(#"{"a":"\#(filling)"}"#)?.utf8.count == 2_048)
    #expect(changed(#"{"a":"\#(filling)x"}"#) == nil)
    #expect(changed(#"{ "a" : "\#(filling.dropFirst(4))" }"#)?.utf8.count == 2_044)
    #expect(changed(#"{ "a" : "\#(filling.dropFirst(3))" }"#) == nil)
    #expect(changed("{}" + String(repeating: " ", count: 4_095)) == nil)
  }

  @Test("Nested members that nobody knows survive every change, octet for octet")
  func unknownMembers() {
    let unknown = #""cart":{"items":[{"id":1,"n":"\u00fc"}, null],"_user_id":"x"},"k\"ey":[[]]"#
    let text = changed("{\(unknown)}") { claims in
      set(&claims, "_user_id", "u1")
      claims.set("_fresh", boolean: true)
      claims.set("_fresh", boolean: false)
      claims.remove("_user_id")
      claims.remove("_fresh")
      claims.remove("id")
    }
    #expect(text == "{\(unknown)}")
  }

  @Test("All members of a name are removed, escaped ones too, wherever they stand")
  func removing() {
    #expect(changed(#"{"a":1,"b":2,"c":3}"#) { $0.remove("a") } == #"{"b":2,"c":3}"#)
    #expect(changed(#"{"a":1,"b":2,"c":3}"#) { $0.remove("b") } == #"{"a":1,"c":3}"#)
    #expect(changed(#"{"a":1,"b":2,"c":3}"#) { $0.remove("c") } == #"{"a":1,"b":2}"#)
    let mixed = #"{"a":1,"\u0061":"2","b":{"a":3},"a":[4]}"#
    #expect(changed(mixed) { $0.remove("a") } == #"{"b":{"a":3}}"#)
    #expect(changed(#"{"a":1}"#) { $0.remove("a") } == "{}")
    #expect(changed("{}") { $0.remove("a") } == "{}")
  }

  @Test("Text is escaped where JSON wants it, and read back the same")
  func escaping() throws {
    let hostile = "\"\\/\u{0}\u{1F}\u{7F}é😀\u{2028}\r\n{}[],:"
    let text = try #require(changed("{}") { set(&$0, "a", hostile) })
    let back: Text<64>? = withGuardedOctets(text) { octets in
      guard let claims = try? ClaimsSet(octets) else { return nil }
      return claims.text(of: "a")
    }
    #expect(back.map { String($0.span) } == hostile)
  }

  @Test("Text that is not UTF-8 is refused and nothing changes")
  func notUTF8() {
    for octets: [UInt8] in [[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xC0, 0x80], [0x61, 0x80]] {
      let text = changed(#"{"a":1}"#) { claims in
        let done = claims.set("a", text: octets.span)
        #expect(!done)
      }
      #expect(text == #"{"a":1}"#)
    }
  }

  @Test("A change that does not fit is refused and leaves the claims unchanged")
  func overflow() {
    // {"a":"..."} is 8 octets beside the text.
    for count in 0...40 {
      var storage = [UInt8](repeating: 0, count: 32)
      var claims = SessionClaims(storage.mutableSpan)
      claims.set("k", integer: 1)  // {"k":1}
      let text = [UInt8](repeating: 0x78, count: count)
      let done = claims.set("a", text: text.span)
      let result = String(claims.span)
      #expect(done == (7 + 7 + count <= 32))
      #expect(
        result == (done ? #"{"k":1,"a":"\#(String(repeating: "x", count: count))"}"# : #"{"k":1}"#))
    }
    var storage = [UInt8](repeating: 0, count: 16)
    var claims = SessionClaims(storage.mutableSpan)
    let answers = [
      claims.set("abcdefghij", integer: 1), claims.set("abcdefghijk", integer: 1),
      claims.set("b", boolean: true), claims.setNull("b"), claims.set("abcdefghij", integer: 10),
    ]
    let text = String(claims.span)
    #expect(answers == [true, false, false, false, false])
    #expect(text == #"{"abcdefghij":1}"#)
  }

  @Test("Replacing a value counts the room of the old one")
  func replacingInPlace() {
    var storage = [UInt8](repeating: 0, count: 16)
    var claims = SessionClaims(storage.mutableSpan)
    let answers = [
      claims.set("a", text: [UInt8](repeating: 0x78, count: 8).span),
      claims.set("a", text: [UInt8](repeating: 0x79, count: 8).span),
      claims.set("a", text: [UInt8](repeating: 0x7A, count: 9).span),
      // One octet of text, six of JSON.
      claims.set("a", text: [0x01, 0x01].span),
    ]
    let text = String(claims.span)
    #expect(answers == [true, true, false, false])
    #expect(text == #"{"a":"yyyyyyyy"}"#)
  }

  @Test("Any sequence of changes is what a dictionary makes of it")
  func model() {
    var random = SeededRandom(11)
    var storage = [UInt8](repeating: 0, count: 64)
    var claims = SessionClaims(storage.mutableSpan)
    var model: [String: Int64] = [:]
    for _ in 0..<3_000 {
      let value = Int64.random(in: -1_000_000...1_000_000, using: &random)
      switch Int.random(in: 0..<8, using: &random) {
      case 0: if claims.set("a", integer: value) { model["a"] = value }
      case 1: if claims.set("bb", integer: value) { model["bb"] = value }
      case 2: if claims.set("ccc", integer: value) { model["ccc"] = value }
      case 3: if claims.set("dddd", integer: value) { model["dddd"] = value }
      case 4: if claims.set("eeeeee", integer: value) { model["eeeeee"] = value }
      case 5:
        claims.remove("a")
        model["a"] = nil
      case 6:
        claims.remove("ccc")
        model["ccc"] = nil
      default:
        claims.remove("eeeeee")
        model["eeeeee"] = nil
      }
      let text = String(claims.span)
      let read = withGuardedOctets(text) { octets -> [Int64?] in
        guard let claims = try? ClaimsSet(octets) else { return [] }
        return [
          claims.integer(of: "a"), claims.integer(of: "bb"), claims.integer(of: "ccc"),
          claims.integer(of: "dddd"), claims.integer(of: "eeeeee"),
        ]
      }
      #expect(read == ["a", "bb", "ccc", "dddd", "eeeeee"].map { model[$0] })
      #expect(text.utf8.count <= 64)
    }
  }
}
