// Values → DER (X.690), for certificates and certificate requests.
//
//     element = tag length content
//     length  = %x00-7F / %x81 %x80-FF / %x82 2OCTET      ; the shortest form that fits
//
// The length of an element stands before its content, and is known after it. So `begin` leaves one octet for
// the length, and `end` moves the content where the length needs two or three octets.

import MartletBytes

/// The tags of elements that certificates have.
enum DERTag {
  static var boolean: UInt8 { 0x01 }
  static var integer: UInt8 { 0x02 }
  static var bitString: UInt8 { 0x03 }
  static var octetString: UInt8 { 0x04 }
  static var objectIdentifier: UInt8 { 0x06 }
  static var utf8String: UInt8 { 0x0C }
  static var utcTime: UInt8 { 0x17 }
  static var generalizedTime: UInt8 { 0x18 }
  static var sequence: UInt8 { 0x30 }
  static var set: UInt8 { 0x31 }

  /// The context-specific tag `[number]` of an element that consists of other elements.
  static func constructed(_ number: UInt8) -> UInt8 { 0xA0 | number }
  /// The context-specific tag `[number]` of an element with octets of its own.
  static func primitive(_ number: UInt8) -> UInt8 { 0x80 | number }
}

/// Appends elements to memory that the caller lends. What does not fit sets `overflowed`, as with `Writer`.
struct DERWriter: ~Copyable, ~Escapable {
  private var target: MutableSpan<UInt8>
  /// How many octets have been written.
  private(set) var count = 0
  /// Whether something did not fit. Nothing more is written then.
  private(set) var overflowed = false

  @_lifetime(copy target)
  init(_ target: consuming MutableSpan<UInt8>) { self.target = target }

  /// The octets that have been written.
  var span: Span<UInt8> {
    @_lifetime(borrow self) get { target.span.extracting(first: count) }
  }

  @inline(never)
  @_lifetime(self: copy self)
  mutating func append(_ octet: UInt8) {
    guard !overflowed, count < target.count else { return overflowed = true }
    target[count] = octet
    count &+= 1
  }

  /// Appends all of `octets`, or sets `overflowed`.
  @inline(never)
  @_lifetime(self: copy self)
  mutating func append(_ octets: Span<UInt8>) {
    guard !overflowed, octets.count <= target.count - count else { return overflowed = true }
    target.copy(octets, to: count)
    count &+= octets.count
  }

  /// Appends constant octets, which a literal of hexadecimal digits spells. Octets of 0x80 and more cannot stand
  /// in a string literal as they are.
  @inline(never)
  @_lifetime(self: copy self)
  mutating func append(hexadecimal digits: StaticString) {
    let digits = digits.octets
    invariant(digits.count % 2 == 0, "each octet has two digits")
    for i in 0..<digits.count / 2 {
      let high = ASCII.hexadecimalDigit(digits[2 * i]) ?? 0
      append(high << 4 | (ASCII.hexadecimalDigit(digits[2 * i + 1]) ?? 0))
    }
  }

  /// Appends an element with these octets as its content.
  @inline(never)
  @_lifetime(self: copy self)
  mutating func append(_ tag: UInt8, _ content: Span<UInt8>) {
    let start = begin(tag)
    append(content)
    end(start)
  }

  /// Begins an element.
  ///
  /// - Returns: Where its content begins, for `end`.
  @inline(never)
  @_lifetime(self: copy self)
  mutating func begin(_ tag: UInt8) -> Int {
    append(tag)
    append(0)
    return count
  }

  /// Ends the element whose content begins at `start`, and writes its length.
  @inline(never)
  @_lifetime(self: copy self)
  mutating func end(_ start: Int) {
    guard !overflowed else { return }
    let length = count - start
    guard length > 127 else { return target[start - 1] = UInt8(length) }
    let extra = length > 255 ? 2 : 1
    guard length <= 0xFFFF, extra <= target.count - count else { return overflowed = true }
    target.move(start..<count, to: start + extra)
    target[start - 1] = 0x80 | UInt8(extra)
    if extra == 2 { target[start] = UInt8(length >> 8) }
    target[start + extra - 1] = UInt8(truncatingIfNeeded: length)
    count += extra
  }

  /// Appends the octets of a literal.
  @_lifetime(self: copy self)
  mutating func append(_ literal: StaticString) { append(literal.octets) }

  /// Drops what was written after the first `count` octets, and clears `overflowed`.
  @_lifetime(self: copy self)
  mutating func truncate(to count: Int) {
    invariant(count <= self.count, "a writer only shrinks to what it has written")
    self.count = count
    overflowed = false
  }
}
