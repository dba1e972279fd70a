import Foundation
import MartletBytes
import TestSupport
import Testing

@Suite("base64url")
struct Base64URLTests {
  func encode(_ octets: [UInt8]) -> String {
    withGuardedOctets(octets) { octets in written { Base64URL.encode(octets, to: &$0) } }
  }

  func decode(_ text: [UInt8], room: Int = 256) -> [UInt8]? {
    var target = [UInt8](repeating: 0xAA, count: room)
    var span = target.mutableSpan
    guard let count = withGuardedOctets(text, { Base64URL.decode($0, into: &span) }) else {
      return nil
    }
    return Array(target.prefix(count))
  }

  func decode(_ text: String, room: Int = 256) -> [UInt8]? { decode(Array(text.utf8), room: room) }

  @Test("The vectors of RFC 4648, without padding")
  func vectors() throws {
    let cases = try #require(try vectorJSON("rfc/rfc4648-s10-base64.json") as? [[String: String]])
    #expect(cases.count == 7)
    for vector in cases {
      let plain = Array(try #require(vector["plain_ascii"]).utf8)
      let text = try #require(vector["base64url_nopad"])
      #expect(encode(plain) == text)
      #expect(decode(text) == plain)
      #expect(Base64URL.encodedCount(plain.count) == text.utf8.count)
      if let padded = vector["base64"], padded.contains("=") { #expect(decode(padded) == nil) }
    }
  }

  @Test("Every octet survives the way there and back, at every length")
  func roundTrip() {
    var random = SeededRandom(1)
    for count in 0...100 {
      let octets = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      let text = encode(octets)
      #expect(decode(text, room: count) == octets)
      #expect(text.utf8.count == Base64URL.encodedCount(count))
      if count > 0 { #expect(decode(text, room: count - 1) == nil) }
    }
  }

  @Test("Each text of four characters or fewer is either canonical or refused")
  func canonical() {
    for length in 1...4 {
      let fixed = Array("Aa0".utf8.prefix(length - 1))
      for octet in UInt8.min...UInt8.max {
        let text = fixed + [octet]
        guard let octets = decode(text) else { continue }
        #expect(Array(encode(octets).utf8) == text, "\(text)")
      }
    }
  }

  @Test(
    "What is not canonical is refused",
    arguments: ["A", "AAAAA", "AB", "AAB", "Zg==", "Zg=", "+A", "/w", "A A", "Zg\n", "é", "AA.A"])
  func refused(text: String) {
    #expect(decode(text) == nil)
  }

  @Test("The two characters of base64url that base64 does not have")
  func alphabet() {
    #expect(encode([0xFB, 0xFF]) == "-_8")
    #expect(decode("-_8") == [0xFB, 0xFF])
  }
}

@Suite("base64")
struct Base64Tests {
  func decode(_ text: [UInt8], room: Int = 256) -> [UInt8]? {
    var target = [UInt8](repeating: 0xAA, count: room)
    var span = target.mutableSpan
    guard let count = withGuardedOctets(text, { Base64.decode($0, into: &span) }) else { return nil }
    return Array(target.prefix(count))
  }

  func decode(_ text: String) -> [UInt8]? { decode(Array(text.utf8)) }

  @Test("The vectors of RFC 4648")
  func vectors() throws {
    let cases = try #require(try vectorJSON("rfc/rfc4648-s10-base64.json") as? [[String: String]])
    #expect(cases.count == 7)
    for vector in cases {
      let plain = Array(try #require(vector["plain_ascii"]).utf8)
      let text = try #require(vector["base64"])
      #expect(decode(text) == plain)
      for count in 0..<text.utf8.count where count % 4 != 0 {
        #expect(decode(Array(text.utf8.prefix(count))) == nil)
      }
    }
  }

  @Test("What Foundation encodes is decoded, into just enough room, at every length")
  func lengths() {
    var random = SeededRandom(2)
    for count in 0...100 {
      let octets = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      let text = Array(Data(octets).base64EncodedString().utf8)
      #expect(decode(text, room: count) == octets)
      if count > 0 { #expect(decode(text, room: count - 1) == nil) }
    }
  }

  @Test("Each text of four characters is either canonical or refused")
  func canonical() {
    for start in ["", "A", "Aa", "Zg", "AA="] {
      for octet in UInt8.min...UInt8.max {
        for end in ["", "=", "==", "A=", "A"] {
          let text = Array(start.utf8) + [octet] + Array(end.utf8)
          guard let octets = decode(text) else { continue }
          #expect(Array(Data(octets).base64EncodedString().utf8) == text, "\(text)")
        }
      }
    }
  }

  @Test(
    "What is not canonical is refused",
    arguments: [
      "A", "AA", "AAA", "AAAA=", "AB==", "AAB=", "Zg", "Zg=", "Zg===", "====", "===", "==", "=", "-A==",
      "_w==",
      "A A=", "Zg==\n", "Zg==Zg==", "Z=g=", "AA=A", "é==",
    ])
  func refused(text: String) {
    #expect(decode(text) == nil)
  }

  @Test("The two characters of base64 that base64url does not have")
  func alphabet() {
    #expect(decode("+/8=") == [0xFB, 0xFF])
  }
}

@Suite("Percent-encoding")
struct PercentEncodingTests {
  func decode(_ octets: [UInt8], plusIsSpace: Bool = false) -> [UInt8] {
    withGuardedOctets(octets) { octets in
      var decoder = PercentDecoder(octets, plusIsSpace: plusIsSpace)
      var result: [UInt8] = []
      while let octet = decoder.next() { result.append(octet) }
      return result
    }
  }

  func isWellFormed(_ text: String) -> Bool {
    withGuardedOctets(text) { PercentDecoder.isWellFormed($0) }
  }

  @Test("What is written can be read, octet by octet")
  func roundTrip() {
    for octet in UInt8.min...UInt8.max {
      let text = written { $0.append(percentEncoded: octet) }
      #expect(text.utf8.count == 3 && text == text.uppercased())
      #expect(decode(Array(text.utf8)) == [octet])
      #expect(decode(Array(text.lowercased().utf8)) == [octet])
    }
  }

  @Test("A value keeps its letters and digits, and can be read")
  func values() {
    let all = [UInt8](.min ... .max)
    let text = written { $0.append(percentEncoded: all.span) }
    #expect(decode(Array(text.utf8)) == all)
    #expect(!text.contains("&") && !text.contains("=") && !text.contains("+") && !text.contains(" "))
    let plain = [UInt8]("AZaz09-._~".utf8)
    #expect(written { $0.append(percentEncoded: plain.span) } == "AZaz09-._~")
  }

  @Test("A broken encoding stands for itself and is not well-formed")
  func broken() {
    for text in ["%", "a%", "%4", "%zz", "%4z", "%z4", "%%", "% 41"] {
      #expect(decode(Array(text.utf8)) == Array(text.utf8))
      #expect(!isWellFormed(text))
    }
    #expect(isWellFormed("") && isWellFormed("a%41%fF") && !isWellFormed("%41%"))
  }

  @Test("A walk goes on at any index, and what is left is compared, decoded and copied from there")
  func move() {
    let text = "a%41%zz%2Fb"
    withGuardedOctets(text) { octets in
      for index in 0...octets.count {
        let rest = decode(Array(text.utf8.dropFirst(index)))
        var decoder = PercentDecoder(octets, plusIsSpace: false)
        decoder.move(to: index)
        #expect(decoder.index == index)
        #expect(decoder.equals(rest.span) && !decoder.equals((rest + [0]).span))
        #expect(rest.isEmpty || !decoder.equals(Array(rest.dropLast()).span))
        let copy: Text<16>? = decoder.text()
        #expect(copy.map { Array($0.span) } == rest)
        let short: Text<1>? = decoder.text()
        #expect((short == nil) == (rest.count > 1))
        for room in 0...rest.count {
          var target = [UInt8](repeating: 0xAA, count: room)
          var span = target.mutableSpan
          #expect(decoder.decode(into: &span) == (room < rest.count ? nil : rest.count))
        }
        var seen: [UInt8] = []
        while let octet = decoder.next() { seen.append(octet) }
        #expect(seen == rest && decoder.index == octets.count)
      }
    }
  }

  @Test("A plus sign is a space in forms only")
  func plus() {
    #expect(decode(Array("a+b%2B".utf8)) == Array("a+b+".utf8))
    #expect(decode(Array("a+b%2B".utf8), plusIsSpace: true) == Array("a b+".utf8))
  }
}

@Suite("Numbers in digits")
struct DecimalTests {
  func decimal(_ text: String) -> UInt64? { withGuardedOctets(text) { $0.decimal() } }

  @Test("Digits become their number")
  func valid() {
    for value in [0, 1, 9, 10, 255, 65_536, 4_294_967_296, UInt64.max] {
      #expect(decimal("\(value)") == value)
      #expect(decimal("000\(value)") == value)
    }
  }

  @Test(
    "Signs, blanks, other digits and numbers beyond 64 bits are refused",
    arguments: [
      "", "+1", "-1", " 1", "1 ", "1,1", "0x1", "1.0", "1e3", "1_0", "٣", "18446744073709551616",
      "18446744073709551620", "99999999999999999999", "184467440737095516150",
    ])
  func refused(text: String) {
    #expect(decimal(text) == nil)
  }

  @Test("Hexadecimal digits are read in pairs, in either case")
  func hexadecimal() {
    func decode(_ text: String, room: Int = 8) -> [UInt8]? {
      var target = [UInt8](repeating: 0, count: room)
      var span = target.mutableSpan
      let count = withGuardedOctets(text) { $0.decodeHexadecimal(into: &span) }
      return count.map { Array(target.prefix($0)) }
    }
    #expect(decode("") == [])
    #expect(decode("00fFA9") == [0, 0xFF, 0xA9])
    #expect(decode("0") == nil && decode("0g") == nil && decode("g0") == nil)
    #expect(decode("0011", room: 1) == nil)
    #expect(written { $0.append(hexadecimal: ("\u{0}Az" as StaticString).octets) } == "00417a")
  }
}
