// A short text as a value: names, addresses, user identifiers. Each assignment copies the whole storage,
// so keep the capacity small.

/// Up to `capacity` octets of text, stored inline and copied with the value. More than 255 never fit.
public struct Text<let capacity: Int>: Equatable, Sendable, ExpressibleByStringLiteral {
  private var storage = InlineArray<capacity, UInt8>(repeating: 0)
  private var size: UInt8 = 0

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
    guard octets.count <= min(capacity, 255) - count else { return false }
    let start = count
    var target = storage.mutableSpan
    target.copy(octets, to: start)
    size &+= UInt8(octets.count)
    return true
  }

  /// Appends one octet, or nothing when the text is full.
  @discardableResult
  public mutating func append(_ octet: UInt8) -> Bool {
    guard count < min(capacity, 255) else { return false }
    storage[count] = octet
    size &+= 1
    return true
  }

  public static func == (left: Self, right: Self) -> Bool { left.span.equals(right.span) }
}
