// PEM text, on prefixes and flips; private keys of other programs.

import MartletBytes
import TestSupport
import Testing

@testable import MartletTLS

/// The text of a block.
func pem(_ label: StaticString, _ octets: [UInt8]) -> String {
  written { PEM.write(label, octets.span, to: &$0) }
}

@Suite struct PEMTests {
  /// The label and the octets of each block, or the problem.
  private func blocks(_ text: String) -> Result<[String: [UInt8]], CertificateProblem> {
    var memory = Array(text.utf8)
    let count = memory.count
    var found: [String: [UInt8]] = [:]
    var position = 0
    do throws(CertificateProblem) {
      while true {
        guard let block = try PEM.next(memory.span, from: &position) else { break }
        let label = String(memory.span.extracting(block.label))
        var span = memory.mutableSpan
        guard let size = PEM.decode(&span, block.body, to: block.body.lowerBound) else {
          return .failure(.malformed)
        }
        found[label] = [UInt8](memory.span.extracting(block.body.lowerBound..<block.body.lowerBound + size))
      }
    } catch { return .failure(error) }
    #expect(memory.count == count)
    return .success(found)
  }

  @Test("What is written is read again", arguments: 0..<150)
  func roundTrip(_ count: Int) {
    let octets = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
    let text = pem("THING", octets)
    #expect(blocks(text) == .success(["THING": octets]))
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 64 })
    // CR LF, blanks at the ends of lines, text around.
    let other = "Bag\nkey: 1\n" + text.replacing("\n", with: " \r\n") + "--- the end"
    #expect(blocks(other) == .success(["THING": octets]))
  }

  @Test("Each prefix of a block is refused or has no block")
  func prefixes() {
    let text = pem("THING", Array(0..<100))
    for count in 0..<text.utf8.count - 1 {
      let part = String(text.prefix(count))
      let result = blocks(part)
      let isEmpty = count < "-----BEGIN THING-----".count
      #expect(result == (isEmpty ? .success([:]) : .failure(.malformed)), "\(count) octets")
    }
  }

  @Test("A changed octet gives another content or a refusal, and never a crash")
  func flips() {
    let octets = [UInt8](0..<50)
    let text = Array(pem("THING", octets).utf8)
    for i in text.indices {
      for bit in 0..<8 {
        var changed = text
        changed[i] ^= 1 << UInt8(bit)
        let result = blocks(String(decoding: changed, as: UTF8.self))
        // Another label, or a blank that has become another blank, leaves the content as it is.
        if case .success(let found) = result, found["THING"] == octets {
          let isBlank = changed[i] == 0x20 || changed[i] == 9 || changed[i] == 10 || changed[i] == 13
          #expect(isBlank || i == text.count - 1, "octet \(i), bit \(bit)")
        }
      }
    }
  }

  @Test(
    "What is no canonical base64 is refused",
    arguments: [
      "A", "AA", "AAA", "AA=", "AB==", "AAB=", "AA==AA==", "A A A = =", "====", "AA-_", "AAAA=", "AA=A",
    ])
  func base64(_ body: String) {
    #expect(blocks("-----BEGIN X-----\n\(body)\n-----END X-----\n") == .failure(.malformed))
  }

  @Test("The last line must have the label of the first")
  func labels() {
    #expect(blocks("-----BEGIN X-----\nAAAA\n-----END Y-----\n") == .failure(.malformed))
    #expect(blocks("-----BEGIN X-----\nAAAA\n-----END X-----") == .success(["X": [0, 0, 0]]))
    #expect(blocks("-----BEGIN X----\nAAAA\n-----END X-----\n") == .success([:]))
    #expect(blocks("x-----BEGIN X-----\nAAAA\n-----END X-----\n") == .success([:]))
    #expect(blocks("-----BEGIN -----\nAAAA\n-----END -----\n") == .success(["": [0, 0, 0]]))
  }
}

@Suite struct PrivateKeyTests {
  private enum Found: Equatable {
    case p256([UInt8])
    case other([UInt8])
    case problem(CertificateProblem)
  }

  private func find(_ text: String) -> Found { find(Array(text.utf8)) }

  private func find(_ text: [UInt8]) -> Found {
    var memory = text
    var octets = [UInt8](repeating: 0, count: 4_096)
    do throws(CertificateProblem) {
      var span = memory.mutableSpan
      let key = try PrivateKey.find(&span, text.count)
      var target = octets.mutableSpan
      let count = try key.copy(memory.span, to: &target)
      let result = Array(octets[0..<count])
      return key.isP256 ? .p256(result) : .other(result)
    } catch { return .problem(error) }
  }

  @Test("Keys of OpenSSL for P-256 are the 32 octets that OpenSSL shows")
  func p256() throws {
    let scratch = try Scratch()
    for round in 0..<8 {
      // The first form has a block of parameters before the key.
      try must(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-out", "a"], in: scratch.path)
      try must(["openssl", "pkcs8", "-topk8", "-nocrypt", "-in", "a", "-out", "b"], in: scratch.path)
      let text = try must(["openssl", "ec", "-in", "a", "-noout", "-text"], in: scratch.path)
      let digits = text.split(separator: "priv:")[1].split(separator: "pub:")[0].filter(\.isHexDigit)
      let key = octets(hexadecimal: String(digits))
      try #require(key.count == 32)
      #expect(find(try #require(scratch.text("a"))) == .p256(key), "round \(round)")
      #expect(find(try #require(scratch.text("b"))) == .p256(key), "round \(round)")
      // What is written is what OpenSSL reads.
      let point = try key.span.withPoint()
      let ours = pem("EC PRIVATE KEY", try #require(der { PrivateKey.write(key.span, point.span, to: &$0) }))
      try scratch.write("c", ours)
      #expect(try must(["openssl", "ec", "-in", "c", "-noout", "-text"], in: scratch.path) == text)
      #expect(find(ours) == .p256(key))
    }
  }

  @Test("Keys of other kinds are handed on as DER")
  func others() throws {
    let scratch = try Scratch()
    for words in [
      ["openssl", "genrsa", "-traditional", "-out", "a", "2048"], ["openssl", "genrsa", "-out", "a", "2048"],
      ["openssl", "ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out", "a"],
      ["openssl", "genpkey", "-algorithm", "ed25519", "-out", "a"],
    ] {
      try must(words, in: scratch.path)
      let text = try #require(scratch.text("a"))
      guard case .other(let key) = find(text) else {
        Issue.record("\(words): \(find(text))")
        continue
      }
      #expect(text.contains(pem("X", key).split(separator: "\n")[1]))
    }
  }

  @Test("Encrypted keys are refused as such")
  func encrypted() throws {
    let scratch = try Scratch()
    try must(
      ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "a"], in: scratch.path)
    try must(
      ["openssl", "ec", "-in", "a", "-aes128", "-passout", "pass:secret", "-out", "b"], in: scratch.path)
    try must(
      ["openssl", "pkcs8", "-topk8", "-in", "a", "-passout", "pass:secret", "-out", "c"], in: scratch.path)
    #expect(find(try #require(scratch.text("b"))) == .problem(.encryptedKey))
    #expect(find(try #require(scratch.text("c"))) == .problem(.encryptedKey))
  }

  @Test("A text without a key, prefixes of a key and changed octets are refused or another key")
  func damaged() throws {
    #expect(find("") == .problem(.noKey))
    #expect(find("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n") == .problem(.noKey))
    let key = [UInt8](1...32)
    let point = [UInt8](repeating: 4, count: 65)
    let octets = try #require(der { PrivateKey.write(key.span, point.span, to: &$0) })
    for count in octets.indices {
      #expect(
        find(pem("EC PRIVATE KEY", Array(octets[0..<count]))) == .problem(.malformed), "\(count) octets")
    }
    for i in octets.indices {
      for bit in 0..<8 {
        var changed = octets
        changed[i] ^= 1 << UInt8(bit)
        let found = find(pem("EC PRIVATE KEY", changed))
        if found == .p256(key) { #expect(!(7..<39).contains(i), "octet \(i), bit \(bit)") }
      }
    }
  }

  @Test("A short key gets its leading zeros")
  func short() throws {
    let octets = octets(hexadecimal: "3013020101" + "0402abcd" + "a00a06082a8648ce3d030107")
    #expect(find(pem("EC PRIVATE KEY", octets)) == .p256([UInt8](repeating: 0, count: 30) + [0xAB, 0xCD]))
  }
}

extension Span where Element == UInt8 {
  /// The public point of a private key.
  fileprivate func withPoint() throws -> [UInt8] {
    let point = try CertificateCalls.publicPoint(self)
    return [UInt8](point.span)
  }
}
