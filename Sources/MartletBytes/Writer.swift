// Values → octets: a bounded writer into memory that the caller owns. It never fails midway: when
// the room ends it stops writing and remembers; whoever needs the whole text asks `overflowed` once.

/// Writes octets, one after the other, into a span it was lent.
public struct Writer: ~Copyable, ~Escapable {
  private var target: MutableSpan<UInt8>
  /// How many octets have been written.
  public private(set) var count = 0
  /// Whether something did not fit. What did fit stays written, and nothing is written any more.
  public private(set) var overflowed = false

  /// - Parameter target: Where to write; its length is the limit.
  @_lifetime(copy target)
  public init(_ target: consuming MutableSpan<UInt8>) { self.target = target }

  /// How many more octets fit.
  public var room: Int { target.count - count }

  /// A writer into the room that is left; afterwards say with `advance` how much it wrote.
  public var remainder: Writer {
    @_lifetime(&self) mutating get { Writer(roomSpan) }
  }

  /// The room that is left, for whoever needs some memory before the next octet is written.
  public var roomSpan: MutableSpan<UInt8> {
    @_lifetime(&self) mutating get { target._mutatingExtracting(count..<target.count) }
  }

  /// Counts octets that `remainder` wrote as written.
  @_lifetime(self: copy self)
  public mutating func advance(by count: Int) {
    invariant(count >= 0 && count <= room, "a writer advances within its room")
    self.count += count
  }

  /// What has been written.
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

  /// Writes all of `octets`, or none when they do not fit.
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

  /// Marks the text as not whole, as if something had not fitted.
  @_lifetime(self: copy self)
  public mutating func overflow() { overflowed = true }

  /// Takes back what was written after the first `count` octets, and that something did not fit.
  @inline(never)
  @_lifetime(self: copy self)
  public mutating func truncate(to count: Int) {
    invariant(count <= self.count, "a writer only shrinks to what it has written")
    self.count = count
    overflowed = false
  }

  /// Writes a number in decimal digits, with a minus sign when it is negative.
  @inline(never)
  @_lifetime(self: copy self)
  public mutating func append(decimal value: some BinaryInteger & FixedWidthInteger) {
    appendDecimal(negative: value < 0, magnitude: UInt64(value.magnitude), digitCountMin: 1)
  }

  /// Writes a number that is not negative in at least `digitCountMin` decimal digits (zeros first).
  @_lifetime(self: copy self)
  public mutating func append(decimal value: Int, digitCountMin: Int) {
    appendDecimal(negative: false, magnitude: UInt64(value), digitCountMin: digitCountMin)
  }

  @_lifetime(self: copy self)
  private mutating func appendDecimal(negative: Bool, magnitude: UInt64, digitCountMin: Int) {
    // 20 digits are the longest UInt64.
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
