import Foundation
import MartletBytes
import MartletHTTP
import TestSupport
import Testing

/// What is parsed, as texts.
enum Parsed: Equatable {
  case basic(String, String)
  case bearer(String)
  case refused(AuthorizationRefusal)
}

@Suite("Authorization")
struct AuthorizationTests {
  /// Parses a value; whether it holds a token is told in the same way to those who want nothing else.
  func parse(_ value: [UInt8], room: Int = 1_089) -> Parsed {
    let parsed = parseAny(value, room: room)
    let token = withGuardedOctets(value) { value in
      Authorization.bearerToken(in: value).map { String(value[$0]) }
    }
    if case .bearer(let expected) = parsed {
      #expect(token == expected)
    } else {
      #expect(token == nil)
    }
    return parsed
  }

  private func parseAny(_ value: [UInt8], room: Int) -> Parsed {
    var buffer = [UInt8](repeating: 0xAA, count: room)
    return withGuardedOctets(value) { value in
      do throws(AuthorizationRefusal) {
        var span = buffer.mutableSpan
        switch try Authorization.parse(value, into: &span) {
        case .basic(let user, let password):
          return .basic(String(span.span[user]), String(span.span[password]))
        case .bearer(let token): return .bearer(String(value[token]))
        }
      } catch {
        return .refused(error)
      }
    }
  }

  func parse(_ value: String, room: Int = 1_089) -> Parsed { parse(Array(value.utf8), room: room) }

  func basic(_ credentials: [UInt8], room: Int = 1_089) -> Parsed {
    parse("Basic " + Data(credentials).base64EncodedString(), room: room)
  }

  func basic(_ credentials: String) -> Parsed { basic(Array(credentials.utf8)) }

  @Test("The examples of RFC 7617 and RFC 6750")
  func examples() {
    #expect(parse("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==") == .basic("Aladdin", "open sesame"))
    #expect(parse("Basic dGVzdDoxMjPCow==") == .basic("test", "123£"))
    #expect(parse("Bearer mF_9.B5f-4.1JqM") == .bearer("mF_9.B5f-4.1JqM"))
  }

  @Test("A scheme is compared without regard to case, and one space or more follow")
  func scheme() {
    for scheme in ["Basic", "basic", "BASIC", "bAsIc"] {
      for blanks in [" ", "  ", "     "] {
        #expect(parse(scheme + blanks + "YTpi") == .basic("a", "b"))
      }
    }
    for scheme in ["Bearer", "bearer", "BEARER"] {
      #expect(parse(scheme + " a") == .bearer("a"))
      #expect(parse(scheme + "   a=") == .bearer("a="))
    }
  }

  @Test(
    "Other schemes are unknown",
    arguments: [
      "", " ", "Basi", "Basics YTpi", "Digest a=b", "Negotiate YTpi", "Session a", "YTpi", " Basic YTpi",
      "Basic\tYTpi", "Basic,YTpi", "Basic:YTpi", "Bearera", "Bearer\ta", "\u{0}", "Bäsic YTpi",
    ])
  func otherSchemes(value: String) {
    #expect(parse(value) == .refused(.schemeUnknown))
  }

  @Test(
    "What follows is one token68",
    arguments: [
      "Basic", "Basic ", "Basic  ", "Bearer", "Bearer ", "Bearer =", "Bearer ==", "Basic =", "Bearer a b",
      "Bearer a ", "Bearer \ta", "Bearer a\t", "Bearer a,b", "Bearer a=b", "Bearer \"a\"", "Bearer a\u{0}",
      "Bearer é", "Basic YTpi YTpi", "Basic YT=pi", "Basic YTpi\n", "Basic realm=\"x\"", "Bearer a;b",
      "Bearer a:b",
      "Bearer a@", "Bearer [a", "Bearer a`", "Bearer {",
    ])
  func malformed(value: String) {
    #expect(parse(value) == .refused(.malformed))
  }

  @Test("Every octet in a token is either one of b64token or refused")
  func octets() {
    let allowed = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/".utf8)
    for octet in UInt8.min...UInt8.max {
      let parsed = parse(Array("Bearer a".utf8) + [octet] + Array("b".utf8))
      if allowed.contains(octet) {
        #expect(parsed == .bearer("a\(Character(Unicode.Scalar(octet)))b"))
      } else {
        #expect(parsed == .refused(.malformed), "\(octet)")
      }
    }
  }

  @Test(
    "base64 is canonical, padded, and of the standard alphabet",
    arguments: [
      "YTpiYw", "YTpiYw=", "YTpiYw===", "YTpiYw====", "YTpi=", "YTpi==", "YTpi====", "Y", "YT", "YTp",
      "YTpiYx==",  // unused bits
      "YTpi_w==", "YTpi-w==", "YTp.", "YTp~", "a===", "aa=",
    ])
  func base64(text: String) {
    #expect(parse("Basic " + text) == .refused(.base64Malformed))
  }

  @Test(
    "The first colon ends the user-id; either part may be empty",
    arguments: [
      ("a:b", "a", "b"), (":", "", ""), ("a:", "a", ""), (":b", "", "b"), ("a:b:c", "a", "b:c"),
      ("a::", "a", ":"),
      ("ü:ß", "ü", "ß"), (" a : b ", " a ", " b "), ("user@host:\"x\\", "user@host", "\"x\\"),
    ])
  func parts(credentials: String, user: String, password: String) {
    #expect(basic(credentials) == .basic(user, password))
  }

  @Test("Credentials without a colon, with controls, or no UTF-8 are refused")
  func noCredentials() {
    for text in ["a", "ab", "abc", "user password"] { #expect(basic(text) == .refused(.colonMissing)) }
    for control in Array(UInt8.min..<0x20) + [0x7F] {
      #expect(basic([0x61, 0x3A, control]) == .refused(.notText))
      #expect(basic([control, 0x3A, 0x61]) == .refused(.notText))
    }
    for octets in [[0xFF], [0xC0, 0xAF], [0xC3], [0xED, 0xA0, 0x80], [0x80]] as [[UInt8]] {
      #expect(basic(Array("a:".utf8) + octets) == .refused(.notText))
      #expect(basic(octets + Array(":a".utf8)) == .refused(.notText))
    }
  }

  @Test("Credentials fit the buffer exactly, or are too long")
  func room() {
    for count in 3...20 {
      let credentials = Array("a:".utf8) + [UInt8](repeating: 0x62, count: count - 2)
      let password = String(repeating: "b", count: count - 2)
      for room in 0...24 {
        let expected: Parsed = room < count ? .refused(.tooLong) : .basic("a", password)
        #expect(basic(credentials, room: room) == expected, "\(count) in \(room)")
      }
    }
  }

  @Test("The longest name and password fit the buffer for credentials")
  func longest() {
    let user = String(repeating: "u", count: Limits.userIDSizeMax)
    let password = String(repeating: "p", count: Limits.passwordSizeMax)
    #expect(
      basic(Array("\(user):\(password)".utf8), room: Limits.credentialsSizeMax) == .basic(user, password))
    #expect(
      basic(Array("\(user):\(password)p".utf8), room: Limits.credentialsSizeMax) == .refused(.tooLong))
    // Ranges reach 65,535 octets; a value beyond is refused.
    let token = String(repeating: "t", count: 65_535 - 7)
    #expect(parse("Bearer " + token) == .bearer(token))
    #expect(parse("Bearer t" + token) == .refused(.tooLong))
  }

  @Test("A value cut off anywhere is refused, or is a shorter token")
  func prefixes() {
    let value = Array("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==".utf8)
    for count in 0..<value.count {
      switch parse(Array(value.prefix(count))) {
      case .basic(let user, let password):
        // Whole groups of four characters are base64 as well.
        #expect((count - 6) % 4 == 0 && user == "Aladdin" && "open sesame".hasPrefix(password))
      case .bearer: Issue.record("a Bearer token of Basic")
      case .refused(let refusal):
        let isFine =
          count < 5
          ? refusal == .schemeUnknown
          : count < 7
            ? refusal == .malformed
            : refusal == .base64Malformed || count < 17 && refusal == .colonMissing
        #expect(isFine, "the first \(count) octets: \(refusal)")
      }
    }
    let bearer = Array("Bearer mF_9.B5f-4.1JqM".utf8)
    for count in 0...bearer.count {
      let token = String(decoding: bearer.prefix(count).dropFirst(7), as: UTF8.self)
      let expected: Parsed =
        count < 6 ? .refused(.schemeUnknown) : count < 8 ? .refused(.malformed) : .bearer(token)
      #expect(parse(Array(bearer.prefix(count))) == expected)
    }
  }

  @Test("A damaged octet gives no credentials that the text does not spell")
  func damaged() throws {
    let value = Array("bASIC  dGVzdDoxMjPCow==".utf8)
    for position in value.indices {
      for octet in UInt8.min...UInt8.max {
        var damaged = value
        damaged[position] = octet
        guard case .basic(let user, let password) = parse(damaged) else { continue }
        let text = String(decoding: damaged.dropFirst(6), as: UTF8.self).drop { $0 == " " }
        let spelled = try #require(Data(base64Encoded: String(text)))
        #expect(Array(spelled) == Array("\(user):\(password)".utf8), "\(octet) at \(position)")
        #expect(spelled.base64EncodedString() == text)
      }
    }
  }

  // MARK: Challenges

  @Test("Challenges are written as RFC 7617 and RFC 6750 show them")
  func challenges() {
    #expect(
      written { $0.append(Challenge.basic(realm: "foo")) } == "Basic realm=\"foo\", charset=\"UTF-8\"")
    #expect(written { $0.append(Challenge.bearer(realm: "example")) } == "Bearer realm=\"example\"")
    #expect(
      written { $0.append(Challenge.bearer(realm: "a"), isTokenInvalid: true) }
        == "Bearer realm=\"a\", error=\"invalid_token\"")
    #expect(
      written { $0.append(Challenge.basicOrBearer(realm: "a"), isTokenInvalid: true) }
        .hasSuffix(", Bearer realm=\"a\", error=\"invalid_token\""))
    #expect(
      written { $0.append(Challenge.basic(realm: "a"), isTokenInvalid: true) }
        == "Basic realm=\"a\", charset=\"UTF-8\"")
    #expect(
      written { $0.append(Challenge.bearer(realm: "example", isTokenInvalid: true)) }
        == "Bearer realm=\"example\", error=\"invalid_token\"")
  }

  @Test("Quotation marks and backslashes in a realm are escaped")
  func quoting() {
    #expect(
      written { $0.append(Challenge.bearer(realm: "a \"b\" \\c\t\\\"")) }
        == "Bearer realm=\"a \\\"b\\\" \\\\c\t\\\\\\\"\"")
    #expect(written { $0.append(Challenge.bearer(realm: "")) } == "Bearer realm=\"\"")
    #expect(written { $0.append(Challenge.bearer(realm: "Gerät")) } == "Bearer realm=\"Gerät\"")
  }

  @Test("A room that is too small for a challenge is told, at every size")
  func overflow() {
    let whole = "Bearer realm=\"a\\\"b\", error=\"invalid_token\""
    for capacity in 0...whole.utf8.count {
      let result = writtenOctets(capacity: capacity) {
        $0.append(Challenge.bearer(realm: "a\"b", isTokenInvalid: true))
      }
      #expect(result.overflowed == (capacity < whole.utf8.count))
    }
  }
}
