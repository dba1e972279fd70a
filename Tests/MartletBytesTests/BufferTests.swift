import MartletBytes
import TestSupport
import Testing

@Suite("Writers")
struct WriterTests {
  @Test("Numbers are written in digits")
  func decimal() {
    for value in [0, 1, -1, 42, Int64.max, Int64.min] {
      #expect(written { $0.append(decimal: value) } == "\(value)")
    }
    #expect(written { $0.append(decimal: UInt64.max) } == "18446744073709551615")
    #expect(written { $0.append(decimal: UInt8.max) } == "255")
    #expect(written { $0.append(decimal: 7, digitCountMin: 2) } == "07")
    #expect(written { $0.append(decimal: 2026, digitCountMin: 2) } == "2026")
    #expect(written { $0.append(decimal: 0, digitCountMin: 4) } == "0000")
  }

  @Test("What does not fit is not written, nor anything after it")
  func overflow() {
    let octets = writtenOctets(capacity: 4) { writer in
      #expect(writer.room == 4)
      writer.append("abc")
      writer.append("de")
      writer.append(0x66)
      writer.append("")
      #expect(writer.count == 3)
    }
    #expect(octets.octets == Array("abc".utf8) && octets.overflowed)
    let full = writtenOctets(capacity: 1) { writer in
      writer.append(0x61)
      writer.append("")
    }
    #expect(full.octets == [0x61] && !full.overflowed)
    #expect(writtenOctets(capacity: 0) { $0.append(0x61) }.overflowed)
    #expect(writtenOctets { $0.overflow() }.overflowed)
  }

  @Test("A writer can take back what it wrote")
  func truncate() {
    #expect(
      written { writer in
        writer.append("abc")
        writer.truncate(to: 1)
        writer.append("d")
      } == "ad")
  }

  @Test("A writer does not grow when it is cut")
  func truncateTooFar() async {
    await #expect(processExitsWith: .failure) { _ = written { $0.truncate(to: 1) } }
  }
}

@Suite("Buffers, texts and ranges")
struct BufferTests {
  @Test("A buffer takes what fits, whole or not at all")
  func append() {
    var buffer = FixedBuffer<4>()
    let results = [
      buffer.append(("abc" as StaticString).octets), buffer.append(("de" as StaticString).octets),
      buffer.append(0x64), buffer.append(0x65),
    ]
    #expect(results == [true, false, true, false])
    #expect(String(buffer.span) == "abcd" && buffer.count == 4)
    buffer.removeAll()
    #expect(buffer.count == 0)
  }

  @Test("What is removed makes room, and the rest moves up")
  func removeSubrange() {
    var buffer = FixedBuffer<8>()
    buffer.append(("abcdef" as StaticString).octets)
    buffer.removeSubrange(1..<3)
    #expect(String(buffer.span) == "adef")
    buffer.removeSubrange(0..<0)
    buffer.removeSubrange(3..<4)
    #expect(String(buffer.span) == "ade")
    buffer.removeSubrange(0..<3)
    #expect(buffer.count == 0)
  }

  @Test("A buffer can be filled from outside, and wiped")
  func storage() {
    var buffer = FixedBuffer<4>()
    do {
      var storage = buffer.storageSpan
      for i in storage.indices { storage[i] = 0x61 }
    }
    buffer.setCount(2)
    #expect(String(buffer.span) == "aa")
    buffer.wipe()
    buffer.setCount(4)
    #expect([UInt8](buffer.span) == [0, 0, 0, 0])
  }

  @Test("A buffer's bounds are kept by stopping the program")
  func bounds() async {
    await #expect(processExitsWith: .failure) {
      var buffer = FixedBuffer<4>()
      buffer.setCount(5)
    }
    await #expect(processExitsWith: .failure) {
      var buffer = FixedBuffer<4>()
      buffer.removeSubrange(0..<1)
    }
  }

  @Test("A text holds what fits, at most 65,535 octets")
  func text() {
    var text: Text<4> = "abc"
    let results = [
      text.append(("de" as StaticString).octets), text.append(0x64), text.append(0x65),
    ]
    #expect(results == [false, true, false])
    #expect(text == "abcd" && text != "abcx" && text != "abc")
    #expect(text.count == 4 && !text.isEmpty && Text<4>().isEmpty)
    #expect(withGuardedOctets("abcde") { Text<4>($0) } == nil)
    #expect(withGuardedOctets("abcd") { Text<4>($0) } == "abcd")
    var long = Text<65_540>()
    for _ in 0..<65_535 { long.append(0x61) }
    let fitted = long.append(0x61) || long.append(("a" as StaticString).octets)
    #expect(!fitted && long.count == 65_535)
  }

  @Test("Octets are appended to a text as hexadecimal digits, all or none")
  func hexadecimal() {
    let octets: [UInt8] = [0x00, 0xFE, 0x9A]
    var text: Text<7> = "="
    let fitted = text.append(hexadecimal: octets.span)
    #expect(fitted && text == "=00fe9a")
    let second = text.append(hexadecimal: octets.span.extracting(first: 1))
    #expect(!second && text == "=00fe9a")
  }

  @Test("A literal that is too long for its text stops the program")
  func longLiteral() async {
    await #expect(processExitsWith: .failure) { _ = "abc" as Text<2> }
  }

  @Test("A range remembers where octets lie")
  func range() async {
    let range = ByteRange(2..<5)
    #expect(range.offset == 2 && range.count == 3 && range.end == 5 && !range.isEmpty)
    #expect(ByteRange(0xFFFF..<0xFFFF).isEmpty)
    withGuardedOctets("abcdef") { #expect(String($0[range]) == "cde") }
    await #expect(processExitsWith: .failure) { _ = ByteRange(0..<0x1_0000) }
  }
}

@Suite("Octets")
struct OctetsTests {
  @Test("Octets are compared in place")
  func equality() {
    withGuardedOctets("Host") { octets in
      #expect(octets.equals("Host") && !octets.equals("host") && !octets.equals("Hos"))
      #expect(octets.equalsIgnoringCase("hOST") && !octets.equalsIgnoringCase("hosT "))
      #expect(octets.equalsIgnoringCase("Hosu") == false)
      #expect(octets.hasPrefix("Ho") && octets.hasPrefix("") && !octets.hasPrefix("Hosts"))
      #expect(octets.hasPrefix("ho") == false)
    }
  }

  @Test("An octet is found, or is not there")
  func firstIndex() {
    withGuardedOctets("a;b;") { octets in
      #expect(octets.firstIndex(of: 0x3B) == 1)
      #expect(octets.firstIndex(of: 0x3B, from: 2) == 3)
      #expect(octets.firstIndex(of: 0x3B, from: 4) == nil)
      #expect(octets.firstIndex(of: 0x20) == nil)
    }
  }

  @Test("Blanks are taken off both ends and no others")
  func trimmed() {
    withGuardedOctets(" \t a b\t ") { octets in
      #expect(octets.trimmed(0..<8) == 3..<6)
      #expect(octets.trimmed(0..<3).isEmpty && octets.trimmed(5..<5).isEmpty)
      #expect(octets.trimmed(3..<4) == 3..<4)
    }
    withGuardedOctets("\u{B}a\n") { #expect($0.trimmed(0..<3) == 0..<3) }
  }

  @Test("The limits fit one another")
  func limits() {
    Limits.checkRelations()
    #expect(Limits.responseContentSizeMax + Limits.responseHeadSizeMax == Limits.responseSizeMax)
    #expect(Limits.sessionSizeMax == 2_048)
    #expect(Limits.rememberDaysMax == 400 && Limits.userIDSizeMax <= 255)
    #expect(Limits.passwordSizeMax == 1_024 && Limits.connectionCountMax == 1_024)
    #expect(Limits.largeBlockCountMax > 0)
    let times = [
      Limits.headTimeoutMilliseconds, Limits.contentTimeoutMilliseconds,
      Limits.idleTimeoutMilliseconds, Limits.sendTimeoutMilliseconds,
      Limits.lingerTimeoutMilliseconds, Limits.stopTimeoutMilliseconds,
    ]
    #expect(times.allSatisfy { $0 > 0 })
  }

  @Test("An invariant that does not hold stops the program")
  func invariantStops() async {
    invariant(true, "true holds")
    await #expect(processExitsWith: .failure) { invariant(false, "false holds") }
    await #expect(processExitsWith: .failure) { stop("the end") }
  }
}

@Suite("UTF-8")
struct UTF8Tests {
  func repair(_ octets: [UInt8]) -> [UInt8] {
    var decoder = UTF8Repair()
    var result: [UInt8] = []
    for octet in octets { result += [UInt8](decoder.feed(octet).span) }
    return result + [UInt8](decoder.finish().span)
  }

  func check(_ octets: [UInt8], sourceLocation: SourceLocation = #_sourceLocation) {
    let expected = Array(String(decoding: octets, as: UTF8.self).utf8)
    #expect(repair(octets) == expected, "\(octets)", sourceLocation: sourceLocation)
    let isUTF8 = withGuardedOctets(octets) { $0.isUTF8 }
    #expect(isUTF8 == (expected == octets), "\(octets)", sourceLocation: sourceLocation)
  }

  @Test("Every sequence of one or two octets is repaired as Swift does it")
  func short() {
    for first in UInt8.min...UInt8.max {
      check([first])
      for second in UInt8.min...UInt8.max { check([first, second]) }
    }
  }

  @Test("Sequences at the borders of each class are repaired as Swift does it")
  func borders() {
    let octets: [UInt8] = [
      0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xED,
      0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
    ]
    for a in octets.suffix(14) {
      for b in octets {
        for c in octets {
          for d in [0x41, 0x80, 0xBF, 0xC2, 0xF0] as [UInt8] { check([a, b, c, d]) }
        }
      }
    }
  }

  @Test("Random octets are repaired as Swift does it")
  func random() {
    var random = SeededRandom(5)
    for _ in 0..<2_000 {
      check((0..<12).map { _ in UInt8.random(in: 0x60...0xFF, using: &random) })
    }
    check(Array("Grüße, 世界 🐦".utf8))
  }
}
