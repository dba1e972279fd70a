// Decodes UTF-8 that comes from outside. `UTF8Repair` replaces each ill-formed part with U+FFFD, as
// browsers do (Unicode §3.9, "substitution of maximal subparts"; WHATWG Encoding §4.1).

/// A decoder that is fed one octet at a time and returns well-formed UTF-8.
public struct UTF8Repair {
  fileprivate enum Step {
    case needsMore, whole, illFormed
    /// The octets before this one are ill-formed. This octet has not been consumed.
    case illFormedBefore
  }

  private var pending = Text<4>()
  fileprivate var needed = 0
  private var lower: UInt8 = 0x80
  private var upper: UInt8 = 0xBF

  /// A decoder at the start of a text.
  public init() {}

  /// Whether no character is unfinished.
  public var isAtStart: Bool { needed == 0 }

  /// Consumes the next octet.
  ///
  /// - Returns: Nothing while a character is unfinished, otherwise the character. Before it, U+FFFD
  ///   stands for each ill-formed part; there are at most two.
  @inline(never)
  public mutating func feed(_ octet: UInt8) -> Text<8> {
    var output = Text<8>()
    var step = advance(octet)
    if case .illFormedBefore = step {
      output.append(("\u{FFFD}" as StaticString).octets)
      step = advance(octet)
    }
    switch step {
    case .needsMore:
      pending.append(octet)
    case .whole:
      pending.append(octet)
      output.append(pending.span)
      pending = Text()
    case .illFormed, .illFormedBefore:
      output.append(("\u{FFFD}" as StaticString).octets)
    }
    return output
  }

  /// Ends the text. Returns U+FFFD for an unfinished character, otherwise nothing.
  public mutating func finish() -> Text<8> {
    defer { self = UTF8Repair() }
    return needed > 0 ? "\u{FFFD}" : ""
  }

  fileprivate mutating func advance(_ octet: UInt8) -> Step {
    if needed == 0 { return lead(octet) }
    guard octet >= lower, octet <= upper else {
      self = UTF8Repair()
      return .illFormedBefore
    }
    (lower, upper) = (0x80, 0xBF)
    needed -= 1
    return needed == 0 ? .whole : .needsMore
  }

  /// Consumes the first octet of a character (Unicode's table 3-7).
  private mutating func lead(_ octet: UInt8) -> Step {
    switch octet {
    case 0x00...0x7F: return .whole
    case 0xC2...0xDF: needed = 1
    case 0xE0: (needed, lower) = (2, 0xA0)  // no overlong form
    case 0xED: (needed, upper) = (2, 0x9F)  // no surrogate
    case 0xE1...0xEF: needed = 2
    case 0xF0: (needed, lower) = (3, 0x90)  // no overlong form
    case 0xF4: (needed, upper) = (3, 0x8F)  // nothing beyond U+10FFFF
    case 0xF1...0xF3: needed = 3
    default: return .illFormed
    }
    return .needsMore
  }
}

extension Span where Element == UInt8 {
  /// Whether the octets are well-formed UTF-8.
  public var isUTF8: Bool {
    var decoder = UTF8Repair()
    for i in indices {
      switch decoder.advance(self[i]) {
      case .needsMore, .whole: continue
      case .illFormedBefore, .illFormed: return false
      }
    }
    return decoder.needed == 0
  }
}

/// A decoder of UTF-8 that is fed one octet at a time and returns Unicode scalar values.
public struct UTF8Decoder {
  /// The state after an octet.
  public enum Step: Equatable {
    case needsMore
    /// A Unicode scalar value.
    case scalar(UInt32)
    case illFormed
  }

  private var repair = UTF8Repair()
  private var value: UInt32 = 0

  /// A decoder at the start of a text.
  public init() {}

  /// Whether no character is unfinished.
  public var isAtStart: Bool { repair.isAtStart }

  /// Consumes the next octet.
  @inline(never)
  public mutating func feed(_ octet: UInt8) -> Step {
    if !repair.isAtStart {
      value = value << 6 | UInt32(octet & 0x3F)
    } else {
      // The highest bits of the lead octet say how many octets follow; they are no part of the value.
      value = UInt32(octet & (octet < 0x80 ? 0x7F : octet < 0xE0 ? 0x1F : octet < 0xF0 ? 0x0F : 0x07))
    }
    return switch repair.advance(octet) {
    case .needsMore: .needsMore
    case .whole: .scalar(value)
    case .illFormed, .illFormedBefore: .illFormed
    }
  }
}

extension Text where capacity == 4 {
  /// The UTF-8 octets of a Unicode scalar value.
  public static func utf8(_ scalar: UInt32) -> Text<4> {
    func tail(_ shift: UInt32) -> UInt8 { UInt8(0x80 | (scalar >> shift) & 0x3F) }
    var text = Text<4>()
    switch scalar {
    case 0..<0x80:
      text.append(UInt8(scalar))
    case 0x80..<0x800:
      text.append(UInt8(0xC0 | scalar >> 6))
      text.append(tail(0))
    case 0x800..<0x10000:
      text.append(UInt8(0xE0 | scalar >> 12))
      text.append(tail(6))
      text.append(tail(0))
    default:
      text.append(UInt8(0xF0 | scalar >> 18))
      text.append(tail(12))
      text.append(tail(6))
      text.append(tail(0))
    }
    return text
  }
}
