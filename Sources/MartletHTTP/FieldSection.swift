// Finds names and values in a checked field section (RFC 9112 §5), in place. The head's parser has checked
// every octet. This file finds the colons and line ends again, so that no memory is needed for each field.

import MartletBytes

/// One field: a name and a value, in place.
public struct Field: ~Escapable {
  /// A token. Compare names without regard to case.
  public let name: Span<UInt8>
  /// The value without the blanks around it.
  public let value: Span<UInt8>

  @_lifetime(copy name, copy value)
  init(name: Span<UInt8>, value: Span<UInt8>) {
    self.name = name
    self.value = value
  }
}

/// The fields of a request, in the order in which they were sent.
///
///     var fields = head.fields(in: octets)
///     while let field = fields.next() { ... }
public struct FieldSection: ~Escapable {
  private var rest: Span<UInt8>

  /// - Parameter octets: Field lines, each with its CRLF, as `RequestHead` has checked them. In other
  ///   octets fields may be missed, but nothing beyond `octets` is read.
  @_lifetime(copy octets)
  public init(_ octets: Span<UInt8>) { rest = octets }

  /// The next field, or `nil` after the last.
  @inline(never)
  @_lifetime(copy self)
  @_lifetime(self: copy self)
  public mutating func next() -> Field? {
    guard let colon = rest.firstIndex(of: 0x3A) else { return nil }
    let lineEnd = rest.firstIndex(of: 0x0D, from: colon) ?? rest.count
    let value = rest.trimmed(colon + 1..<lineEnd)
    let field = Field(name: rest.extracting(0..<colon), value: rest.extracting(value))
    rest = rest.extracting(min(lineEnd + 2, rest.count)..<rest.count)
    return field
  }

  /// The value of the first field with that name, without the blanks around the value.
  ///
  /// - Complexity: O(n) in the section's octets.
  @_lifetime(copy self)
  public func value(of name: StaticString) -> Span<UInt8>? {
    var fields = self
    while let field = fields.next() {
      if field.name.equalsIgnoringCase(name) { return field.value }
    }
    return nil
  }

  /// How many fields have that name.
  public func count(of name: StaticString) -> Int {
    var fields = self
    var count = 0
    while let field = fields.next() {
      if field.name.equalsIgnoringCase(name) { count &+= 1 }
    }
    return count
  }
}
