// The Authorization field.

import MartletBytes
import MartletHTTP

@Sendable func fuzzAuthorization(_ input: Span<UInt8>) {
  let octets = expanded(input)
  let result = parsed(octets, room: Limits.credentialsSizeMax)
  let expected = simple(octets, room: Limits.credentialsSizeMax)
  check(result == expected, "credentials are what a simple parser finds")
  guard case .basic(let user, let password) = result else { return }
  let count = user.count + 1 + password.count
  check(parsed(octets, room: count) == result, "credentials are decoded into just enough room")
  check(parsed(octets, room: count - 1) == .refused(.tooLong), "credentials do not fit less room")
}

private enum Parsed: Equatable {
  case basic(Octets, Octets)
  case bearer(Octets)
  case refused(AuthorizationRefusal)
}

private func parsed(_ octets: Octets, room: Int) -> Parsed {
  let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: room)
  buffer.initialize(repeating: 0xA5)
  defer { buffer.deallocate() }
  return withExactCopy(octets) { value in
    do throws(AuthorizationRefusal) {
      var target = buffer.mutableSpan
      switch try Authorization.parse(value, into: &target) {
      case .basic(let user, let password):
        return .basic(Octets(target.span[user]), Octets(target.span[password]))
      case .bearer(let token): return .bearer(Octets(value[token]))
      }
    } catch {
      return .refused(error)
    }
  }
}

/// The same in the simplest way.
private func simple(_ octets: Octets, room: Int) -> Parsed {
  guard octets.count <= 65_535 else { return .refused(.tooLong) }
  let scheme = octets.prefix { $0 != 0x20 }
  let text = Octets(octets[scheme.count...].drop { $0 == 0x20 })
  let isBasic = scheme.map(ASCII.lowercased) == Octets("basic")
  guard isBasic || scheme.map(ASCII.lowercased) == Octets("bearer") else { return .refused(.schemeUnknown) }
  var token = text
  while token.last == UInt8(ascii: "=") { token.removeLast() }
  let others = Octets("-._~+/")
  let isToken = token.allSatisfy { octet in
    let letter = ASCII.lowercased(octet)
    return (0x61...0x7A).contains(letter) || (0x30...0x39).contains(octet) || others.contains(octet)
  }
  guard isToken, !token.isEmpty else { return .refused(.malformed) }
  guard isBasic else { return .bearer(text) }
  let padding = min(2, text.count - token.count)
  guard text.count / 4 * 3 - padding <= room else { return .refused(.tooLong) }
  guard let decoded = decoded(token), encoded(decoded) == text else { return .refused(.base64Malformed) }
  guard !decoded.contains(where: ASCII.isControl), String(validating: decoded, as: UTF8.self) != nil
  else { return .refused(.notText) }
  guard let colon = decoded.firstIndex(of: UInt8(ascii: ":")) else { return .refused(.colonMissing) }
  return .basic(Octets(decoded[..<colon]), Octets(decoded[(colon + 1)...]))
}

private let alphabet = Octets("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")

/// base64 by its bits, without a look at what is left over.
private func decoded(_ text: Octets) -> Octets? {
  var octets = Octets()
  var bits = 0
  var count = 0
  for character in text {
    guard let value = alphabet.firstIndex(of: character) else { return nil }
    bits = (bits << 6 | value) & 0xFFFF
    count += 6
    if count >= 8 {
      count -= 8
      octets.append(UInt8(bits >> count & 0xFF))
    }
  }
  return octets
}

private func encoded(_ octets: Octets) -> Octets {
  var text = Octets()
  for start in stride(from: 0, to: octets.count, by: 3) {
    let group = octets[start..<min(start + 3, octets.count)]
    var bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
    var characters = Octets()
    for _ in 0..<4 {
      characters.insert(alphabet[bits & 63], at: 0)
      bits >>= 6
    }
    text += characters.prefix(group.count + 1) + Octets("==").prefix(3 - group.count)
  }
  return text
}
