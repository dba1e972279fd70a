// Keeps the compiler from copying large values that are only read.

/// Has no octets. A struct that stores one is passed by its address.
///
///     struct Readings: ~Copyable {
///       private let isReadInPlace = ByAddress()
///       var values = InlineArray<64, Int>(repeating: 0)
///     }
///
/// Swift 6.3.1 copies a large struct onto the stack each time when a method that only reads it is called, and
/// once more in the method (SIL takes it for a value that fits registers). A type with a raw layout has no
/// such value, and neither has a struct that stores one. That saves octets of the program, of the stack and
/// time.
@_rawLayout(size: 0, alignment: 1)
public struct ByAddress: ~Copyable {
  @inlinable public init() {}

  // A raw layout without one is not built by Embedded Swift 6.3.1 in the module of its own.
  @inlinable deinit {}
}
