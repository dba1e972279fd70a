// The octets of a string literal. Literals lie in read-only data for the whole life of the program. The
// type system does not know that; this file alone asserts it.

extension StaticString {
  /// The literal's UTF-8 octets, in place; valid as long as the program runs.
  public var octets: Span<UInt8> {
    @_lifetime(immortal)
    get {
      // Safe: a literal's storage is immortal, initialized and exactly `utf8CodeUnitCount` octets.
      let buffer = unsafe UnsafeBufferPointer(start: utf8Start, count: utf8CodeUnitCount)
      return unsafe _overrideLifetime(Span(_unsafeElements: buffer), copying: ())
    }
  }
}
