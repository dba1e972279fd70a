// Keeps the compiler from copying large values that are only read.

/// Has no octets. A struct that stores one is passed by its address.
///
///     struct Readings: ~Copyable {
///       private let isReadInPlace = ByAddress()
///       var values = InlineArray<64, Int>(repeating: 0)
///     }
///
/// Swift 6.3.1 copies a large struct onto the stack before each call of a method that only reads it, and in
/// the method once more. It copies no type with a raw layout, and no struct that stores one. So the program
/// has fewer octets, needs less stack, and is faster.
@_rawLayout(size: 0, alignment: 1)
public struct ByAddress: ~Copyable {
  @inlinable public init() {}

  // A raw layout without one is not built by Embedded Swift 6.3.1 in the module of its own.
  @inlinable deinit {}
}
