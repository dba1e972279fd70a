// Octets that are part of the program: those of a string literal, or the words of integer literals. All lie in
// read-only data for the whole life of the program. The type system does not know that; this file asserts it.
//
// A string literal holds UTF-8 only. Octets that are no UTF-8 (a picture, gzip) are therefore the words of an
// integer literal. The first octet is the lowest, and above the last octet stands 0x01:
//
//     ConstantOctets(0x01_47_4E_50_89, count: 4)                89 50 4E 47
//
// The compiler's time for an integer literal grows with the square of its size. So long contents are several
// literals, each of `pieceSize` octets, and a function without captures tells where each one lies.
//
// Invariant: `start` points to the first `min(count, pieceSize)` octets, or to all octets where there is no
// function. They never change.

/// Octets of literals, without a copy of them.
@safe public struct ConstantOctets: BitwiseCopyable, @unchecked Sendable {
  private let start: UnsafePointer<UInt8>
  /// The start of a piece by its number; `nil` where there is one literal.
  private let piece: (@convention(c) (Int) -> UnsafePointer<UInt8>)?
  /// How many octets there are.
  public let count: Int

  /// Octets of each literal but the last, where there are several: a power of 2. The compiler is slow with more.
  public static var pieceSize: Int { 1 << pieceBits }

  private static var pieceBits: Int { 12 }

  /// The UTF-8 octets of a string literal.
  public init(_ literal: StaticString) {
    // Safe: a literal's storage is immortal and exactly `utf8CodeUnitCount` octets.
    unsafe start = literal.utf8Start
    unsafe piece = nil
    count = literal.utf8CodeUnitCount
  }

  /// The octets of an integer literal, the lowest octet first. `MartletCompile` writes such literals.
  ///
  /// - Parameters:
  ///   - literal: A positive literal whose octet with the index `count` is 0x01, and the last one. Another literal
  ///     stops the program.
  ///   - count: How many octets there are.
  public init(_ literal: StaticBigInt, count: Int) {
    unsafe start = Self.piece(literal, count: count)
    unsafe piece = nil
    self.count = count
  }

  /// The octets of several integer literals. `MartletCompile` writes such calls.
  ///
  /// - Parameters:
  ///   - count: How many octets there are in all.
  ///   - piece: Returns `piece(_:count:)` of the literal with a number, counted from 0. Each literal but the last
  ///     has `pieceSize` octets.
  public init(count: Int, pieces piece: @convention(c) (Int) -> UnsafePointer<UInt8>) {
    unsafe start = piece(0)
    unsafe self.piece = piece
    self.count = count
  }

  /// The place of a literal's octets, which lie there as long as the program runs.
  ///
  /// - Parameters:
  ///   - literal: A literal as in `init(_:count:)`.
  ///   - count: How many octets the literal has.
  // Not inlined: the compiler would carry the literal through each of its passes.
  @inline(never)
  public static func piece(_ literal: StaticBigInt, count: Int) -> UnsafePointer<UInt8> {
    // The bits are those of `count` octets, the 1 above them, and a sign.
    invariant(
      count >= 0 && literal.signum() == 1 && literal.bitWidth == count * 8 + 2,
      "an integer literal has as many octets as it says")
    #if _endian(big)
      stop("integer literals hold octets on little-endian processors only")
    #endif
    // The words of a literal lie one after the other, from the lowest to the highest. The compiler's constant is
    // a pointer to these words, and a word with their number. Every processor of a board is little-endian.
    // Safe: the constant has the size of both words, and the words stay as long as the program runs.
    let (words, _) = unsafe unsafeBitCast(literal, to: (UnsafePointer<UInt>, UInt).self)
    return unsafe UnsafeRawPointer(words).assumingMemoryBound(to: UInt8.self)
  }

  /// The octets from an index on, in place, up to the end of the literal that holds them.
  ///
  /// - Parameter index: At most `count`.
  // Not inlined: the program then contains it once.
  @inline(never)
  @_lifetime(immortal)
  public func octets(from index: Int = 0) -> Span<UInt8> {
    var (first, offset) = unsafe (start, index)
    // The subtraction traps for an index above `count`, and for a negative index, which is a large number here.
    var rest = Int(UInt(bitPattern: count) - UInt(bitPattern: index))
    if let piece = unsafe piece {
      offset &= Self.pieceSize &- 1
      rest = min(rest, Self.pieceSize &- offset)
      // Behind the last octet there may be no piece.
      if rest > 0 { unsafe first = piece(index &>> Self.pieceBits) }
    }
    // Safe: so many octets are there, and they never change.
    let buffer = unsafe UnsafeBufferPointer(start: first + offset, count: rest)
    return unsafe _overrideLifetime(Span(_unsafeElements: buffer), copying: ())
  }
}
