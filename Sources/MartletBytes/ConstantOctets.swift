// Octets that are part of the program: those of a string literal, or the words of an integer literal. Both lie
// in read-only data for the whole life of the program. The type system does not know that; this file asserts it.
//
// A string literal holds UTF-8 only. Octets that are no UTF-8 (a picture, gzip) are therefore the words of an
// integer literal. The first octet is the lowest, and above the last octet stands 0x01:
//
//     ConstantOctets(0x01_47_4E_50_89, count: 4)                89 50 4E 47
//
// Invariant: `start` points to `count` octets that never change.

/// Octets of a literal, without a copy of them.
@safe public struct ConstantOctets: BitwiseCopyable, @unchecked Sendable {
  private let start: UnsafePointer<UInt8>
  /// How many octets there are.
  public let count: Int

  /// The UTF-8 octets of a string literal.
  public init(_ literal: StaticString) {
    // Safe: a literal's storage is immortal and exactly `utf8CodeUnitCount` octets.
    unsafe start = literal.utf8Start
    count = literal.utf8CodeUnitCount
  }

  /// The octets of an integer literal, the lowest octet first. `MartletCompile` writes such literals.
  ///
  /// - Parameters:
  ///   - literal: A positive literal whose octet with the index `count` is 0x01, and the last one. Another literal
  ///     stops the program.
  ///   - count: How many octets there are.
  public init(_ literal: StaticBigInt, count: Int) {
    // The bits are those of `count` octets, the 1 above them, and a sign.
    invariant(
      count >= 0 && literal.signum() == 1 && literal.bitWidth == count * 8 + 2,
      "an integer literal has as many octets as it says")
    // The words of a literal lie one after the other, from the lowest to the highest. The compiler's constant is
    // a pointer to these words, and a word with their number. Every processor of a board is little-endian.
    // Safe: the constant has the size of both words, and the words stay as long as the program runs.
    let (words, _) = unsafe unsafeBitCast(literal, to: (UnsafePointer<UInt>, UInt).self)
    unsafe start = UnsafeRawPointer(words).assumingMemoryBound(to: UInt8.self)
    self.count = count
    #if _endian(big)
      stop("integer literals hold octets on little-endian processors only")
    #endif
  }

  /// The octets, in place.
  public var octets: Span<UInt8> {
    @_lifetime(immortal)
    get {
      // Safe: so many octets are there, and they never change.
      let buffer = unsafe UnsafeBufferPointer(start: start, count: count)
      return unsafe _overrideLifetime(Span(_unsafeElements: buffer), copying: ())
    }
  }
}
