// Splits a field value into the elements of a list (RFC 9110 §5.6.1), or an element into its parameters.
// Blanks around an element are dropped; empty elements are skipped.

import MartletBytes

package struct ListElements: ~Escapable {
  private var rest: Span<UInt8>
  private let separator: UInt8

  /// - Parameter separator: A comma for lists, a semicolon for parameters, a blank for origins. A separator inside a quoted
  ///   string separates as well, so use this type only for values without quoted strings.
  @_lifetime(copy octets)
  package init(_ octets: Span<UInt8>, separator: UInt8) {
    rest = octets
    self.separator = separator
  }

  /// The next element, or `nil` after the last.
  @inline(never)
  @_lifetime(copy self)
  @_lifetime(self: copy self)
  package mutating func next() -> Span<UInt8>? {
    while rest.count > 0 {
      let end = rest.firstIndex(of: separator) ?? rest.count
      let element = rest.extracting(rest.trimmed(0..<end))
      rest = rest.extracting(min(end + 1, rest.count)..<rest.count)
      if element.count > 0 { return element }
    }
    return nil
  }
}
