// The elements of a list in a field value (RFC 9110 §5.6.1), or the parameters of one of them: what stands
// between separators, without the blanks around it. Empty elements do not count.

import MartletBytes

struct ListElements: ~Escapable {
  private var rest: Span<UInt8>
  private let separator: UInt8

  /// - Parameter separator: A comma of a list, or a semicolon of parameters. One in a quoted string
  ///   separates as well, so this is not for values that may hold one.
  @_lifetime(copy octets)
  init(_ octets: Span<UInt8>, separator: UInt8) {
    rest = octets
    self.separator = separator
  }

  /// The next element, or `nil` after the last.
  @inline(never)
  @_lifetime(copy self)
  @_lifetime(self: copy self)
  mutating func next() -> Span<UInt8>? {
    while rest.count > 0 {
      let end = rest.firstIndex(of: separator) ?? rest.count
      let element = rest.extracting(rest.trimmed(0..<end))
      rest = rest.extracting(min(end + 1, rest.count)..<rest.count)
      if element.count > 0 { return element }
    }
    return nil
  }
}
