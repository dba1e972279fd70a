// Writes values as octets into memory that the caller owns. A writer does not throw: when the room ends,
// the writer sets `overflowed` and writes no more. A caller checks `overflowed` once, at the end.

/// Appends octets to a span that the caller lends.
public struct Writer: ~Copyable, ~Escapable {
  private var target: MutableSpan<UInt8>
  /// How many octets have been written.
  public private(set) var count = 0
  /// Whether something did not fit. What was written before stays; nothing more is written.
  public private(set) var overflowed = false

  /// - Parameter target: The memory to write to; its count is the limit.
  @_lifetime(copy target)
  public init(_ target: consuming MutableSpan<UInt8>) { self.target = target }

  /// How many more octets fit.
  public var room: Int { target.count - count }

  /// A writer into the room that is left. Afterwards call `advance` with that writer's count.
  public var remainder: Writer {
    @_lifetime(&self) mutating get { Writer(roomSpan) }
  }

  /// The room that is left. A caller may use it as scratch memory until the next octet is written.
  public var roomSpan: MutableSpan<UInt8> {
    @_lifetime(&self) mutating get { target._mutatingExtracting(count..<target.count) }
  }

  /// Counts octets that `remainder` wrote as written.
  @_lifetime(self: copy self)
  public mutating func advance(by count: Int) {
    invariant(count >= 0 && count <= room, "a writer advances within its room")
    self.count += count
  }

  /// The octets that have been written.
  public var span: Span<UInt8> {
    @_lifetime(borrow self) get { target.span.extracting(first: count) }
  }

  /// Writes one octet.
  @inline(never)
  @_lifetime(self: copy self)
  public mutating func append(_ octet: UInt8) {
    guard !overflowed, count < target.count else { return overflowed = true }
    target[count] = octet
    count &+= 1
  }

  /// Writes all of `octets`, or none when `octets` do not fit.
  @inline(never)
  @_lifetime(self: copy self)
  public mutating func append(_ octets: Span<UInt8>) {
    guard !overflowed, octets.count <= room else { return overflowed = true }
    target.copy(octets, to: count)
    count &+= octets.count
  }

  /// Writes a literal.
  @_lifetime(self: copy self)
  public mutating func append(_ literal: StaticString) { append(literal.octets) }

  /// Sets `overflowed`, as if something had not fitted.
  @_lifetime(self: copy self)
  public mutating func overflow() { overflowed = true }

  /// Drops what was written after the first `count` octets, and clears `overflowed`.
  @inline(never)
  @_lifetime(self: copy self)
  public mutating func truncate(to count: Int) {
    invariant(count <= self.count, "a writer only shrinks to what it has written")
    self.count = count
    overflowed = false
  }

  /// Writes a number in decimal digits, with a minus sign before a negative number.
  @inline(never)
  @_lifetime(self: copy self)
  public mutating func append(decimal value: some BinaryInteger & FixedWidthInteger) {
    appendDecimal(negative: value < 0, magnitude: UInt64(value.magnitude), digitCountMin: 1)
  }

  /// Writes a number of 0 or more in decimal digits, with leading zeros up to `digitCountMin` digits.
  @_lifetime(self: copy self)
  public mutating func append(decimal value: Int, digitCountMin: Int) {
    appendDecimal(negative: false, magnitude: UInt64(value), digitCountMin: digitCountMin)
  }

  @_lifetime(self: copy self)
  private mutating func appendDecimal(negative: Bool, magnitude: UInt64, digitCountMin: Int) {
    // The largest UInt64 has 20 digits.
    var digits = InlineArray<20, UInt8>(repeating: 0x30)
    var rest = magnitude
    var start = 20
    repeat {
      start &-= 1
      digits[start] = 0x30 &+ UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    } while rest > 0
    start = min(start, 20 &- digitCountMin)
    if negative { append(0x2D) }
    append(digits.span.extracting(start..<20))
  }

  /// Writes each octet as two lower-case hexadecimal digits (RFC 4648 §8).
  @_lifetime(self: copy self)
  public mutating func append(hexadecimal octets: Span<UInt8>) {
    for i in octets.indices {
      append(ASCII.hexadecimal(octets[i] >> 4))
      append(ASCII.hexadecimal(octets[i] & 15))
    }
  }
}
