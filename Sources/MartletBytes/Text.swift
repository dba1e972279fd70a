// A short text as a value: names, addresses, user identifiers. Each assignment copies the whole storage,
// so keep the capacity small.

/// Up to `capacity` octets of text, stored inline and copied with the value. More than 65,535 never fit.
public struct Text<let capacity: Int>: BitwiseCopyable, Equatable, Sendable,
  ExpressibleByStringLiteral
{
  private var storage = InlineArray<capacity, UInt8>(repeating: 0)
  private var size: UInt16 = 0

  /// How many octets fit.
  static var countMax: Int { min(capacity, Int(UInt16.max)) }

  /// An empty text.
  public init() {}

  /// A text from a literal of at most `capacity` octets.
  public init(stringLiteral literal: StaticString) {
    self.init()
    invariant(append(literal.octets), "a literal fits its text")
  }

  /// A copy of `octets`, or `nil` when there are more than `capacity`.
  public init?(_ octets: Span<UInt8>) {
    self.init()
    guard append(octets) else { return nil }
  }

  /// How many octets the text has.
  public var count: Int { Int(size) }

  /// Whether the text has no octet.
  public var isEmpty: Bool { size == 0 }

  /// The text's octets.
  public var span: Span<UInt8> {
    // Addressable: otherwise the optimizer of Swift 6.3.1 makes a getter that copies the text, for each
    // capacity. The span then points into that copy (compare swiftlang/swift#80577).
    @_addressableSelf @_lifetime(borrow self) get { storage.span.extracting(first: count) }
  }

  /// Appends all of `octets`, or nothing when `octets` do not fit.
  ///
  /// - Returns: Whether `octets` fitted.
  @discardableResult
  public mutating func append(_ octets: Span<UInt8>) -> Bool {
    guard octets.count <= Self.countMax - count else { return false }
    let start = count
    var target = storage.mutableSpan
    target.copy(octets, to: start)
    size &+= UInt16(octets.count)
    return true
  }

  /// Appends one octet, or nothing when the text is full.
  @discardableResult
  public mutating func append(_ octet: UInt8) -> Bool {
    guard count < Self.countMax else { return false }
    storage[count] = octet
    size &+= 1
    return true
  }

  /// Appends each octet as two lower-case hexadecimal digits (RFC 4648 §8), or nothing when the digits do not
  /// fit.
  ///
  /// - Returns: Whether the digits fitted.
  @discardableResult
  public mutating func append(hexadecimal octets: Span<UInt8>) -> Bool {
    guard octets.count <= (Self.countMax - count) / 2 else { return false }
    for i in octets.indices {
      append(ASCII.hexadecimal(octets[i] >> 4))
      append(ASCII.hexadecimal(octets[i] & 15))
    }
    return true
  }

  public static func == (left: Self, right: Self) -> Bool { left.span.equals(right.span) }
}

// MARK: Lines

/// Why a text is not one line (`FormValue.line`).
public enum LineRefusal: Error, Equatable, Sendable {
  /// The text is empty, or has blanks only.
  case empty
  /// The line has more octets than fit.
  case tooLong
  /// The text has controls, such as the end of a line, or is not well-formed UTF-8.
  case malformed
}

extension Text {
  /// Appends an octet of a line. Blanks before the line are left out, and so are blanks that do not fit.
  ///
  /// - Returns: Whether the octet fitted or was left out.
  package mutating func append(ofLine octet: UInt8) -> Bool {
    let isBlank = octet == 0x20 || octet == 0x09
    return isBlank && isEmpty || append(octet) || isBlank
  }

  /// The line without the blanks behind it.
  package func line() throws(LineRefusal) -> Self {
    let octets = span.extracting(span.trimmed(span.indices))
    guard octets.count > 0 else { throw .empty }
    guard octets.isUTF8, octets.firstControl() == nil, let line = Self(octets) else { throw .malformed }
    return line
  }
}
