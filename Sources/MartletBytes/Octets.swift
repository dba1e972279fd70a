// Compares, searches, trims and copies octets in place. `Span` is neither a `Collection` nor `Equatable`,
// so these functions stand here. This file calls C, which works on whole words; each call lends C the
// span's memory until it returns.

import CMartletPlatform

extension Span where Element == UInt8 {
  /// Whether both spans hold equal octets. Not for secrets, because the comparison ends at the first
  /// difference.
  public func equals(_ other: Span<UInt8>) -> Bool {
    guard count == other.count else { return false }
    // Safe: C reads `count` octets at both places during the call.
    return unsafe withUnsafeBufferPointer { octets in
      unsafe other.withUnsafeBufferPointer { other in
        unsafe martlet_equal(octets.baseAddress, other.baseAddress, octets.count) != 0
      }
    }
  }

  /// Whether the span holds exactly the literal's octets.
  public func equals(_ literal: StaticString) -> Bool { equals(literal.octets) }

  /// Whether both are equal when the case of ASCII letters is ignored (field names, RFC 9110 §5.1).
  public func equalsIgnoringCase(_ literal: StaticString) -> Bool {
    equalsIgnoringCase(literal.octets)
  }

  /// Whether both spans are equal when the case of ASCII letters is ignored.
  public func equalsIgnoringCase(_ other: Span<UInt8>) -> Bool {
    guard count == other.count else { return false }
    for i in indices where ASCII.lowercased(self[i]) != ASCII.lowercased(other[i]) { return false }
    return true
  }

  /// Whether the span begins with the literal.
  @inline(never)
  public func hasPrefix(_ literal: StaticString) -> Bool {
    let other = literal.octets
    return count >= other.count && extracting(first: other.count).equals(other)
  }

  /// The index of the first `octet` at or after `start`, or `nil`.
  @inline(never)
  public func firstIndex(of octet: UInt8, from start: Int = 0) -> Int? {
    invariant(start >= 0, "a search begins at an index")
    // Safe: C reads octets from `start` to `count`, and none where `start` is not below `count`.
    let index = unsafe withUnsafeBufferPointer { octets in
      unsafe martlet_find(octets.baseAddress, start, octets.count, octet)
    }
    return index < count ? index : nil
  }

  /// The index of the first control octet (CTL, RFC 5234 B.1) at or after `start`, or `nil`.
  public func firstControl(from start: Int = 0) -> Int? {
    invariant(start >= 0, "a search begins at an index")
    // Safe: C reads octets from `start` to `count`, and none where `start` is not below `count`.
    let index = unsafe withUnsafeBufferPointer { octets in
      unsafe martlet_find_control(octets.baseAddress, start, octets.count)
    }
    return index < count ? index : nil
  }

  /// The part of `range` without the blanks (SP, HTAB) at both ends.
  public func trimmed(_ range: Range<Int>) -> Range<Int> {
    var (start, end) = (range.lowerBound, range.upperBound)
    while start < end, ASCII.isBlank(self[start]) { start &+= 1 }
    while start < end, ASCII.isBlank(self[end &- 1]) { end &-= 1 }
    return start..<end
  }

  /// The octets at a stored range.
  public subscript(range: ByteRange) -> Span<UInt8> {
    @_lifetime(copy self)
    get { extracting(Int(range.offset)..<Int(range.offset) + Int(range.count)) }
  }
}

extension MutableSpan where Element == UInt8 {
  /// Copies `octets`, which must fit, to `start`. Not inlined, so that the program contains the call of C
  /// once.
  @inline(never)
  public mutating func copy(_ octets: Span<UInt8>, to start: Int) {
    invariant(start >= 0 && octets.count <= count - start, "what is copied fits")
    guard octets.count > 0 else { return }
    // Safe: source and target each have `octets.count` octets, and a mutable span overlaps no other span.
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
