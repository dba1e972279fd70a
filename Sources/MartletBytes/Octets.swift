// Questions asked of octets in place: equality, case-insensitive equality, trimming, searching.
// A `Span` is neither a collection nor equatable, so these few stand here once.

extension Span where Element == UInt8 {
  /// Whether both hold the same octets. Not for secrets: it returns at the first difference.
  public func equals(_ other: Span<UInt8>) -> Bool {
    guard count == other.count else { return false }
    for i in indices where self[i] != other[i] { return false }
    return true
  }

  /// Whether these are the literal's octets.
  public func equals(_ literal: StaticString) -> Bool { equals(literal.octets) }

  /// Whether both are the same but for the case of ASCII letters (field names, RFC 9110 §5.1).
  public func equalsIgnoringCase(_ literal: StaticString) -> Bool {
    let other = literal.octets
    guard count == other.count else { return false }
    for i in indices where ASCII.lowercased(self[i]) != ASCII.lowercased(other[i]) { return false }
    return true
  }

  /// Whether the literal stands at the start.
  public func hasPrefix(_ literal: StaticString) -> Bool {
    let other = literal.octets
    return count >= other.count && extracting(first: other.count).equals(other)
  }

  /// The index of the first `octet` at or after `start`, or `nil`.
  public func firstIndex(of octet: UInt8, from start: Int = 0) -> Int? {
    var i = start
    while i < count {
      if self[i] == octet { return i }
      i &+= 1
    }
    return nil
  }

  /// The range that remains when blanks (SP, HTAB) are taken off both ends of `range`.
  public func trimmed(_ range: Range<Int>) -> Range<Int> {
    var (start, end) = (range.lowerBound, range.upperBound)
    while start < end, ASCII.isBlank(self[start]) { start &+= 1 }
    while start < end, ASCII.isBlank(self[end &- 1]) { end &-= 1 }
    return start..<end
  }

  /// The octets of a stored range.
  public subscript(range: ByteRange) -> Span<UInt8> {
    @_lifetime(copy self)
    get { extracting(Int(range.offset)..<Int(range.offset) + Int(range.count)) }
  }
}

extension MutableSpan where Element == UInt8 {
  /// Overwrites the octets from `start` on with a copy of `octets`, which must fit. Not inlined, so
  /// that the loop is in the program once.
  @inline(never)
  public mutating func copy(_ octets: Span<UInt8>, to start: Int) {
    for i in octets.indices { self[start &+ i] = octets[i] }
  }
}
