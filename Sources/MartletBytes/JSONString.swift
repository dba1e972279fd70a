// Decodes and writes JSON strings (RFC 8259 §7): UTF-8 in quotation marks, with escapes.

/// Decodes the octets of a checked JSON string, one octet a call. Escapes become UTF-8.
public struct JSONStringDecoder: ~Escapable {
  private let raw: Span<UInt8>
  private var index = 0
  /// UTF-8 of an escape; the octets from `pendingIndex` on have not been returned yet.
  private var pending = Text<4>()
  private var pendingIndex = 0

  /// - Parameter raw: The octets between the quotation marks of a string that the scanner has checked.
  @_lifetime(copy raw)
  public init(_ raw: Span<UInt8>) { self.raw = raw }

  /// The next octet, or `nil` at the end. A surrogate without its other half becomes U+FFFD.
  @inline(never)
  @_lifetime(self: copy self)
  public mutating func next() -> UInt8? {
    if pendingIndex < pending.count {
      pendingIndex += 1
      return pending.span[pendingIndex - 1]
    }
    guard index < raw.count else { return nil }
    let octet = raw[index]
    index += 1
    guard octet == "\\", index < raw.count else { return octet }
    let escape = raw[index]
    index += 1
    switch escape {
    case "b": return 0x08
    case "f": return 0x0C
    case "n": return 0x0A
    case "r": return 0x0D
    case "t": return 0x09
    case "u": return beginUnicodeEscape()
    default: return escape
    }
  }

  @_lifetime(self: copy self)
  private mutating func beginUnicodeEscape() -> UInt8? {
    var scalar = hexadecimal4(at: index)
    index += 4
    if 0xD800...0xDBFF ~= scalar, index + 5 < raw.count, raw[index] == "\\", raw[index + 1] == "u" {
      let low = hexadecimal4(at: index + 2)
      if 0xDC00...0xDFFF ~= low {
        scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
        index += 6
      }
    }
    if 0xD800...0xDFFF ~= scalar { scalar = 0xFFFD }
    pending = Text<4>.utf8(scalar)
    pendingIndex = 1
    return pending.span[0]
  }

  private func hexadecimal4(at start: Int) -> UInt32 {
    var value: UInt32 = 0
    for i in start..<min(start + 4, raw.count) {
      value = value << 4 | UInt32(ASCII.hexadecimalDigit(raw[i]) ?? 0)
    }
    return value
  }
}

extension JSON {
  /// How many octets `Writer.append(jsonString:)` writes for well-formed UTF-8.
  public static func stringSize(_ octets: Span<UInt8>) -> Int {
    var size = 2
    for i in octets.indices {
      switch octets[i] {
      case "\"", "\\": size += 2
      case 0x00...0x1F: size += 6
      default: size += 1
      }
    }
    return size
  }
}

extension Writer {
  /// Writes a JSON string with its quotation marks. Ill-formed UTF-8 becomes U+FFFD.
  @_lifetime(self: copy self)
  public mutating func append(jsonString octets: Span<UInt8>) {
    append(0x22)
    var repair = UTF8Repair()
    for i in octets.indices { append(jsonEscaping: repair.feed(octets[i])) }
    append(jsonEscaping: repair.finish())
    append(0x22)
  }

  @_lifetime(self: copy self)
  private mutating func append(jsonEscaping text: Text<8>) {
    for i in 0..<text.count {
      let octet = text.span[i]
      switch octet {
      case "\"", "\\":
        append(0x5C)
        append(octet)
      case 0x00...0x1F:
        append("\\u00")
        append(ASCII.hexadecimal(octet >> 4))
        append(ASCII.hexadecimal(octet & 15))
      default: append(octet)
      }
    }
  }
}
