// Questions asked of octets in place: equality, case-insensitive equality, trimming, searching.
// A `Span` is neither a collection nor equatable, so these few stand here once. This file faces C:
// what walks over octets is done by words there, on memory that a span lends for one call.

import CMartletPlatform

extension Span where Element == UInt8 {
  /// Whether both hold the same octets. Not for secrets: it returns at the first difference.
  public func equals(_ other: Span<UInt8>) -> Bool {
    guard count == other.count else { return false }
    // Safe: C reads `count` octets at both places during the call.
    return unsafe withUnsafeBufferPointer { octets in
      unsafe other.withUnsafeBufferPointer { other in
        unsafe martlet_equal(octets.baseAddress, other.baseAddress, octets.count) != 0
      }
    }
  }

  /// Whether these are the literal's octets.
  public func equals(_ literal: StaticString) -> Bool { equals(literal.octets) }

  /// Whether both are the same but for the case of ASCII letters (field names, RFC 9110 §5.1).
  public func equalsIgnoringCase(_ literal: StaticString) -> Bool {
    equalsIgnoringCase(literal.octets)
  }

  /// The same comparison with other octets.
  public func equalsIgnoringCase(_ other: Span<UInt8>) -> Bool {
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
    guard start < count else { return nil }
    let rest = extracting(start..<count)
    // Safe: C reads `count` octets during the call.
    let index = unsafe rest.withUnsafeBufferPointer { rest in
      unsafe martlet_find(rest.baseAddress, rest.count, octet)
    }
    return index < rest.count ? start &+ index : nil
  }

  /// The index of the first control octet (CTL, RFC 5234 B.1) at or after `start`, or `nil`.
  public func firstControl(from start: Int = 0) -> Int? {
    guard start < count else { return nil }
    let rest = extracting(start..<count)
    // Safe: C reads `count` octets during the call.
    let index = unsafe rest.withUnsafeBufferPointer { rest in
      unsafe martlet_find_control(rest.baseAddress, rest.count)
    }
    return index < rest.count ? start &+ index : nil
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
    invariant(start >= 0 && octets.count <= count - start, "what is copied fits")
    guard octets.count > 0 else { return }
    // Safe: both have that many octets there, and a mutable span overlaps no other.
    unsafe withUnsafeMutableBufferPointer { target in
      unsafe octets.withUnsafeBufferPointer { octets in
        unsafe martlet_copy(target.baseAddress! + start, octets.baseAddress, octets.count)
      }
    }
  }

  /// Moves octets to where `start` is. Both places may overlap.
  @inline(never)
  public mutating func move(_ range: Range<Int>, to start: Int) {
    invariant(
      start >= 0 && range.lowerBound >= 0 && range.upperBound <= count
        && range.count <= count - start, "what is moved fits")
    // Safe: so many octets are there at both places.
    unsafe withUnsafeMutableBufferPointer { octets in
      guard let first = octets.baseAddress else { return }
      unsafe martlet_move(first + start, first + range.lowerBound, range.count)
    }
  }
}
