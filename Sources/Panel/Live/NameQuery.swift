// The address of a name: a question to a name server, and its answer (RFC 1035 §4). Pure.
//
//     header     number, flags, counts of four sections      12 octets
//     question   name, type, class
//     answer     name, type, class, TTL, size, data          as many as the third count says
//
// The C library's resolver is not used: it wants an allocator. What is answered comes from a stranger, so each step
// is held to the octets that there are. No pointer is followed, and each name is skipped once, so there is no loop.

import Martlet

/// Questions to name servers.
enum NameQuery {
  /// Octets of a question at most: header, a name of 255 octets, type and class.
  static var sizeMax: Int { 12 + 255 + 4 }
  /// Octets of an answer that are read. A server that has more to say cuts its answer (RFC 1035 §4.2.1).
  static var answerSizeMax: Int { 512 }

  /// What an answer says.
  enum Answer: Equatable {
    case address(IPAddress)
    /// The name has no such address, or the server has no answer.
    case none
    /// The octets are no answer to the question.
    case foreign
  }

  /// Whether a text is a name: labels of 1 to 63 octets, 253 in all (RFC 1035 §2.3.4).
  static func isName(_ name: Span<UInt8>) -> Bool {
    var count = 0
    for i in name.indices {
      if name[i] != "." {
        count += 1
      } else if count == 0 || i + 1 == name.count {
        return false
      } else {
        count = 0
      }
      guard count <= 63 else { return false }
    }
    return count > 0 && name.count <= 253
  }

  /// Writes a question.
  ///
  /// - Parameters:
  ///   - name: `isName`.
  ///   - number: Random, so that a stranger who answers in the server's place must guess it.
  @_lifetime(writer: copy writer)
  static func write(_ name: Span<UInt8>, number: UInt16, isIPv6: Bool, to writer: inout Writer) {
    writer.append(UInt8(number >> 8))
    writer.append(UInt8(number & 0xFF))
    // The server is to ask others in turn (RD). One question, and nothing else.
    writer.append("\u{1}\0\0\u{1}\0\0\0\0\0\0")
    var start = 0
    while start < name.count {
      let end = name.firstIndex(of: 0x2E, from: start) ?? name.count
      writer.append(UInt8(end - start))
      writer.append(name.extracting(start..<end))
      start = end + 1
    }
    // The root, the type A or AAAA (RFC 3596), the class IN.
    writer.append("\0\0")
    writer.append(isIPv6 ? 28 : 1)
    writer.append("\0\u{1}")
  }

  /// Reads the answer to a question.
  static func read(_ answer: Span<UInt8>, to question: Span<UInt8>) -> Answer {
    guard answer.count >= question.count, question.count > 16,
      answer.extracting(first: 2).equals(question.extracting(first: 2)),
      // An answer (QR) to a question of the usual kind, and one question in it: that which was asked.
      answer[2] & 0xF8 == 0x80, answer[4] == 0, answer[5] == 1,
      answer.extracting(12..<question.count).equalsIgnoringCase(question.extracting(12..<question.count))
    else { return .foreign }
    let isIPv6 = question[question.count - 3] == 28
    let size = isIPv6 ? 16 : 4
    guard answer[3] & 0xF == 0 else { return .none }
    var count = Int(answer[6]) << 8 | Int(answer[7])
    var start = question.count
    while count > 0, let data = endOfName(answer, start), data + 10 <= answer.count {
      start = data + 10 + (Int(answer[data + 8]) << 8 | Int(answer[data + 9]))
      guard start <= answer.count else { break }
      // Records of other types tell that the name is another name's (CNAME).
      if answer[data] == 0, answer[data + 1] == (isIPv6 ? 28 : 1), answer[data + 2] == 0,
        answer[data + 3] == 1,
        start == data + 10 + size
      {
        return .address(address(answer.extracting(start - size..<start)))
      }
      count -= 1
    }
    return .none
  }

  /// The index behind a name: labels up to the root, or up to a pointer to where the rest stands.
  private static func endOfName(_ answer: Span<UInt8>, _ start: Int) -> Int? {
    var index = start
    while index < answer.count {
      switch answer[index] {
      case 0: return index + 1
      case 1...63: index += 1 + Int(answer[index])
      case 0xC0...: return index + 2
      default: return nil
      }
    }
    return nil
  }

  private static func address(_ octets: Span<UInt8>) -> IPAddress {
    var (high, low): (UInt64, UInt64) = (0, octets.count == 4 ? 0xFFFF : 0)
    for i in octets.indices {
      high = high << 8 | low >> 56
      low = low << 8 | UInt64(octets[i])
    }
    return IPAddress(high: octets.count == 4 ? 0 : high, low: low)
  }
}

/// A line of `/etc/hosts`: `ADDRESS NAME…` (hosts(5)).
enum HostsLine {
  /// The address, where the line has the name.
  static func address(_ line: Span<UInt8>, of name: Span<UInt8>) -> IPAddress? {
    var words = Words(line.extracting(0..<(line.firstIndex(of: 0x23) ?? line.count)))
    guard let first = words.next() else { return nil }
    while let word = words.next() {
      if word.equalsIgnoringCase(name) { return IPAddress(first) }
    }
    return nil
  }
}

/// Which servers know names, and the domain of this network: lines of `/etc/resolv.conf` (resolv.conf(5)).
struct NameServers {
  private(set) var all = InlineArray<3, IPAddress>(repeating: .unspecified)
  /// Servers beyond three are not asked.
  private(set) var count = 0
  private(set) var domain = Text<128>()

  /// Adds what a line says.
  @inline(never)
  mutating func add(_ line: Span<UInt8>) {
    var words = Words(line)
    guard let key = words.next(), let value = words.next() else { return }
    if key.equals("nameserver"), count < all.count, let address = IPAddress(value) {
      all[count] = address
      count += 1
    } else if key.equals("search") || key.equals("domain"), NameQuery.isName(value) {
      domain = Text(value) ?? Text()
    }
  }
}
