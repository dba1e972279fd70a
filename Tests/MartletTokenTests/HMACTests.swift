import Foundation
import MartletToken
import TestSupport
import Testing

private func hash(_ text: String) -> [UInt8] {
  var hash = SHA256()
  hash.update(Array(text.utf8).span)
  return [UInt8](hash.finish().span)
}

/// A MAC fed in two parts, cut at `cut`.
private func authenticate(_ octets: [UInt8], key: [UInt8], cut: Int) -> [UInt8] {
  let key = HMACKey(key.span)
  return [UInt8](
    key.authenticate(octets.span.extracting(..<cut), octets.span.extracting(cut...)).span)
}

@Suite struct HMACTests {
  @Test("SHA-256 of what FIPS 180-4's examples hash")
  func digests() {
    let cases = [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
    ]
    for (text, digest) in cases { #expect(hash(text) == octets(hexadecimal: digest)) }
  }

  @Test("A copy of a hash under way goes on by itself")
  func midstates() {
    var whole = SHA256()
    whole.update([UInt8]("ab".utf8).span)
    var copy = whole.copy()
    copy.update([UInt8]("X".utf8).span)
    whole.update([UInt8]("c".utf8).span)
    let (digest, digestOfCopy) = ([UInt8](whole.finish().span), [UInt8](copy.finish().span))
    #expect(digest == hash("abc"))
    #expect(digestOfCopy == hash("abX"))
  }

  @Test("RFC 4231: every case, at once and cut anywhere")
  func rfc4231() throws {
    let text = String(decoding: try vectorData("rfc/rfc4231-hmac-sha256.txt"), as: UTF8.self)
    var (key, message, count) = ([UInt8](), [UInt8](), 0)
    for line in text.split(whereSeparator: \.isNewline) {
      let parts = line.split(separator: " ")
      guard parts.count == 3, parts[1] == "=" else { continue }
      let value = octets(hexadecimal: String(parts[2]))
      switch parts[0] {
      case "Key": key = value
      case "Msg": message = value
      case "MD":
        count += 1
        #expect(authenticate(message, key: key) == value)
        for cut in 0...message.count {
          #expect(authenticate(message, key: key, cut: cut) == value)
        }
      default: break
      }
    }
    #expect(count == 6)
  }

  @Test("Wycheproof: every valid tag is ours, no invalid one is")
  func wycheproof() throws {
    let json = try vectorJSON("wycheproof-hmac-sha256/hmac_sha256_test.json")
    let groups = try #require((json as? [String: Any])?["testGroups"] as? [[String: Any]])
    var count = 0
    for group in groups {
      let size = try #require(group["tagSize"] as? Int) / 8
      for test in try #require(group["tests"] as? [[String: Any]]) {
        let key = octets(hexadecimal: try #require(test["key"] as? String))
        let message = octets(hexadecimal: try #require(test["msg"] as? String))
        let tag = octets(hexadecimal: try #require(test["tag"] as? String))
        let ours = withGuardedOctets(message) { octets in
          withGuardedOctets(key) { [UInt8](HMACKey($0).authenticate(octets).span) }
        }
        let isEqual = constantTimeEquals(ours.span.extracting(first: size), tag.span)
        #expect(isEqual == (test["result"] as? String == "valid"))
        count += 1
      }
    }
    #expect(count == 174)
  }

  @Test("A key of a block is taken as it is, a longer one is hashed first")
  func longKeys() {
    let long = [UInt8](repeating: 7, count: 65)
    var hash = SHA256()
    hash.update(long.span)
    let hashed = [UInt8](hash.finish().span)
    #expect(authenticate([1, 2], key: long) == authenticate([1, 2], key: hashed))
    let block = [UInt8](repeating: 7, count: 64)
    // Octets of zero at the end of a short key are its padding.
    #expect(authenticate([1], key: block) != authenticate([1], key: Array(block.dropLast())))
    #expect(authenticate([1], key: [7]) == authenticate([1], key: [7, 0]))
  }

  @Test("A key authenticates as often as one likes, in parts or at once")
  func keysStay() {
    let key = HMACKey([UInt8](microdotSecret.utf8).span)
    let isEmpty = key.isEmpty
    #expect(!isEmpty)
    let first = [UInt8](key.authenticate([UInt8]("abc".utf8).span).span)
    var mac = key.begin()
    for octet in "abc".utf8 { mac.update([octet].span) }
    mac.update([UInt8]().span)
    let inParts = [UInt8](mac.finish().span)
    #expect(inParts == first)
    let again = [UInt8](key.authenticate([UInt8]("abc".utf8).span).span)
    #expect(again == first)
  }
}
