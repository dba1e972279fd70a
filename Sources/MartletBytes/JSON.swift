// Parses JSON text (RFC 8259) in place. The scanner returns ranges of values; it builds no tree and does
// not recurse. A member is found by reading the members before it, because claims sets are small and flat.
//
//     JSON-text = ws value ws
//     object    = "{" [ member *( "," member ) ] "}"
//     member    = string ":" value
//
// Strict: UTF-8 only, no byte order mark, no comments, no trailing commas, nothing after the value,
// at most `Limits.jsonDepthMax` levels deep. Blanks are allowed where the grammar allows them.

/// The kinds of JSON values.
public enum JSONKind: Equatable, Sendable {
  case string, number, `true`, `false`, null, object, array
}

/// A JSON value: its kind, and its range in the text.
public struct JSONValue: Equatable, Sendable {
  /// The value's kind.
  public let kind: JSONKind
  /// The value's octets. For a string: the octets between the quotation marks, with their escapes.
  public let range: ByteRange
}

/// A JSON object in place. Its whole text has been checked.
public struct JSONObject: ~Escapable {
  let octets: Span<UInt8>
  private let firstMember: Int

  /// - Parameter octets: The text, at most 65,535 octets.
  /// - Returns: `nil` when the text is not exactly one JSON object.
  /// - Complexity: O(n).
  @_lifetime(copy octets)
  public init?(_ octets: Span<UInt8>) {
    guard JSON.isValid(octets) else { return nil }
    let start = JSON.skipBlanks(octets, 0)
    guard octets[start] == "{" else { return nil }
    self.octets = octets
    firstMember = start + 1
  }

  /// - Parameter object: The octets of an object from brace to brace, in a text that has been checked.
  @_lifetime(copy object)
  init(checked object: Span<UInt8>) {
    octets = object
    firstMember = 1
  }

  /// One member: its name and its value. The name is the octets between the quotation marks, with their
  /// escapes.
  public struct Member: Equatable, Sendable {
    public let name: ByteRange
    public let value: JSONValue
    /// The whole member in the text: name, colon and value.
    public let range: ByteRange
  }

  /// The member behind `previous`; the object's first member when `previous` is `nil`.
  ///
  /// - Returns: `nil` at the object's end.
  public func member(after previous: Member?) -> Member? {
    JSON.member(octets, from: previous.map { $0.range.end } ?? firstMember)
  }

  /// The value of the member with that name. Of several such members the last one counts, as in both of
  /// Microdot's runtimes, and as RFC 7515 §4 allows.
  public func find(_ name: StaticString) -> JSONValue? {
    var found: JSONValue?
    var member = member(after: nil)
    while let current = member {
      if JSON.string(octets[current.name], equals: name) { found = current.value }
      member = self.member(after: current)
    }
    return found
  }
}

/// The functions of the scanner.
public enum JSON {
  /// Whether `octets` are one JSON text.
  ///
  /// - Complexity: O(n), without recursion.
  public static func isValid(_ octets: Span<UInt8>) -> Bool {
    let start = skipBlanks(octets, 0)
    guard let end = skipValue(octets, start) else { return false }
    return skipBlanks(octets, end) == octets.count && octets.isUTF8
  }

  /// The first member of a checked object at or behind `start`, or `nil` at the object's end. Blanks and
  /// one comma before the member are skipped.
  public static func member(_ octets: Span<UInt8>, from start: Int) -> JSONObject.Member? {
    var i = skipBlanks(octets, start)
    if octets[i] == "," { i = skipBlanks(octets, i + 1) }
    guard octets[i] == "\"" else { return nil }
    let start = i
    // The object has been checked, so a name, a colon and a value stand here.
    guard let nameEnd = skipString(octets, i) else { return nil }
    let name = ByteRange(i + 1..<nameEnd - 1)
    i = skipBlanks(octets, nameEnd)
    i = skipBlanks(octets, i + 1)
    guard let end = skipValue(octets, i) else { return nil }
    return JSONObject.Member(
      name: name, value: value(octets, i..<end), range: ByteRange(start..<end))
  }

  /// Whether `raw`, the octets between a string's quotation marks, equals `literal` once escapes are
  /// decoded.
  public static func string(_ raw: Span<UInt8>, equals literal: StaticString) -> Bool {
    let expected = literal.octets
    var decoder = JSONStringDecoder(raw)
    var i = 0
    while let octet = decoder.next() {
      guard i < expected.count, expected[i] == octet else { return false }
      i += 1
    }
    return i == expected.count
  }

  /// The number rounded down to an integer. A number beyond `Int64` becomes the nearest `Int64`.
  ///
  /// - Parameter number: Octets of a valid JSON number.
  public static func floor(_ number: Span<UInt8>) -> Int64 {
    let negative = number[0] == "-"
    // The digits with the point among them, the point's index, then the exponent.
    var i = negative ? 1 : 0
    let digitsStart = i
    while i < number.count, ASCII.digit(number[i]) != nil || number[i] == "." { i += 1 }
    let digitsEnd = i
    let point = number.extracting(0..<digitsEnd).firstIndex(of: 0x2E) ?? digitsEnd
    let exponent = self.exponent(number, from: digitsEnd)

    // The integer part has `point - digitsStart + exponent` digits; zeros stand for missing digits.
    let integerDigits = point - digitsStart + exponent
    var value: UInt64 = 0
    var hasFraction = false
    var position = 0
    for j in digitsStart..<digitsEnd where number[j] != "." {
      guard let digit = ASCII.digit(number[j]) else { continue }
      if position < integerDigits {
        value = saturatingShift(value, digit)
      } else if digit != 0 {
        hasFraction = true
      }
      position += 1
    }
    // Zero stays zero however large the exponent is; every other value saturates within 20 steps.
    while position < integerDigits, value != 0, value != .max {
      value = saturatingShift(value, 0)
      position += 1
    }
    if negative {
      let magnitude = hasFraction && value < .max ? value + 1 : value
      return magnitude > UInt64(Int64.max) ? .min : -Int64(magnitude)
    }
    return value > UInt64(Int64.max) ? .max : Int64(value)
  }

  /// Whether the number is written as an integer, without fraction and exponent.
  public static func isInteger(_ number: Span<UInt8>) -> Bool {
    for i in number.indices where number[i] != "-" && ASCII.digit(number[i]) == nil { return false }
    return true
  }

  private static func saturatingShift(_ value: UInt64, _ digit: UInt8) -> UInt64 {
    let (product, wraps) = value.multipliedReportingOverflow(by: 10)
    let (sum, sumWraps) = product.addingReportingOverflow(UInt64(digit))
    return wraps || sumWraps ? .max : sum
  }

  /// The exponent at `start`, held within ±100,000; no text has so many digits.
  private static func exponent(_ number: Span<UInt8>, from start: Int) -> Int {
    guard start < number.count else { return 0 }
    var i = start + 1
    let negative = number[i] == "-"
    if ASCII.digit(number[i]) == nil { i += 1 }
    var value = 0
    while i < number.count {
      value = min(value * 10 + Int(ASCII.digit(number[i]) ?? 0), 100_000)
      i += 1
    }
    return negative ? -value : value
  }

  // MARK: Skipping. `start` is the index of the first octet; the result is the index after the last one.

  /// ws = *( SP / HTAB / LF / CR ).
  public static func skipBlanks(_ octets: Span<UInt8>, _ start: Int) -> Int {
    var i = start
    while i < octets.count {
      switch octets[i] {
      case 0x20, 0x09, 0x0A, 0x0D: i += 1
      default: return i
      }
    }
    return i
  }

  /// Skips one value of any kind, nested values included. Returns `nil` when no value begins at `start`.
  static func skipValue(_ octets: Span<UInt8>, _ start: Int) -> Int? {
    // One bit a level: 1 = object, 0 = array. The lowest bit is the innermost level.
    var levels: UInt32 = 0
    var depth = 0
    var i = start
    while true {  // Each turn consumes at least one octet.
      // A value is expected at i.
      guard i < octets.count else { return nil }
      if octets[i] == "{" || octets[i] == "[" {
        let isObject = octets[i] == "{"
        guard depth < Limits.jsonDepthMax else { return nil }
        depth += 1
        levels = levels << 1 | (isObject ? 1 : 0)
        i = skipBlanks(octets, i + 1)
        guard i < octets.count else { return nil }
        if octets[i] != (isObject ? "}" : "]") {
          if isObject {
            guard let next = skipName(octets, i) else { return nil }
            i = next
          }
          continue
        }
        levels >>= 1
        depth -= 1
      } else {
        guard let end = skipScalar(octets, i) else { return nil }
        i = end - 1
      }
      // A value has ended with the octet at i: close levels, or go on to the next element.
      i += 1
      closing: while true {
        if depth == 0 { return i }
        i = skipBlanks(octets, i)
        guard i < octets.count else { return nil }
        let isObject = levels & 1 == 1
        if octets[i] == "," {
          i = skipBlanks(octets, i + 1)
          if isObject {
            guard let next = skipName(octets, i) else { return nil }
            i = next
          }
          break closing
        }
        guard octets[i] == (isObject ? "}" : "]") else { return nil }
        levels >>= 1
        depth -= 1
        i += 1
      }
    }
  }

  /// Skips a member's name, its colon and blanks. The result is the index of the value's first octet.
  private static func skipName(_ octets: Span<UInt8>, _ start: Int) -> Int? {
    guard let end = skipString(octets, start) else { return nil }
    let colon = skipBlanks(octets, end)
    guard colon < octets.count, octets[colon] == ":" else { return nil }
    return skipBlanks(octets, colon + 1)
  }

  private static func skipScalar(_ octets: Span<UInt8>, _ start: Int) -> Int? {
    switch octets[start] {
    case "\"": skipString(octets, start)
    case "t": skipWord("true", octets, start)
    case "f": skipWord("false", octets, start)
    case "n": skipWord("null", octets, start)
    default: skipNumber(octets, start)
    }
  }

  private static func skipWord(_ word: StaticString, _ octets: Span<UInt8>, _ start: Int) -> Int? {
    octets.extracting(start..<octets.count).hasPrefix(word) ? start + word.utf8CodeUnitCount : nil
  }

  /// string = quotation-mark *char quotation-mark.
  static func skipString(_ octets: Span<UInt8>, _ start: Int) -> Int? {
    guard start < octets.count, octets[start] == "\"" else { return nil }
    var i = start + 1
    while i < octets.count {
      switch octets[i] {
      case "\"": return i + 1
      case "\\":
        guard let next = skipEscape(octets, i) else { return nil }
        i = next
      case 0x00...0x1F: return nil
      default: i += 1
      }
    }
    return nil
  }

  private static func skipEscape(_ octets: Span<UInt8>, _ start: Int) -> Int? {
    guard start + 1 < octets.count else { return nil }
    switch octets[start + 1] {
    case "\"", "\\", "/", "b", "f", "n", "r", "t": return start + 2
    case "u":
      guard start + 5 < octets.count else { return nil }
      for i in start + 2..<start + 6 where ASCII.hexadecimalDigit(octets[i]) == nil { return nil }
      return start + 6
    default: return nil
    }
  }

  /// number = [ "-" ] int [ frac ] [ exp ]; no leading zero, no bare point.
  private static func skipNumber(_ octets: Span<UInt8>, _ start: Int) -> Int? {
    var i = start
    if i < octets.count, octets[i] == "-" { i += 1 }
    guard let integerEnd = skipDigits(octets, i) else { return nil }
    if octets[i] == "0", integerEnd > i + 1 { return nil }
    i = integerEnd
    if i < octets.count, octets[i] == "." {
      guard let end = skipDigits(octets, i + 1) else { return nil }
      i = end
    }
    if i < octets.count, octets[i] | 0x20 == "e" {
      i += 1
      if i < octets.count, octets[i] == "+" || octets[i] == "-" { i += 1 }
      guard let end = skipDigits(octets, i) else { return nil }
      i = end
    }
    return i
  }

  private static func skipDigits(_ octets: Span<UInt8>, _ start: Int) -> Int? {
    var i = start
    while i < octets.count, ASCII.digit(octets[i]) != nil { i += 1 }
    return i > start ? i : nil
  }

  /// The kind and the range of the checked value at `range`.
  static func value(_ octets: Span<UInt8>, _ range: Range<Int>) -> JSONValue {
    let kind: JSONKind =
      switch octets[range.lowerBound] {
      case "\"": .string
      case "{": .object
      case "[": .array
      case "t": .true
      case "f": .false
      case "n": .null
      default: .number
      }
    let inner = kind == .string ? range.lowerBound + 1..<range.upperBound - 1 : range
    return JSONValue(kind: kind, range: ByteRange(inner))
  }
}
