// The program's arguments, one after the other. Embedded Swift has no `CommandLine`.

import CMartletPlatform
import MartletBytes

/// The arguments of the running program, without its name.
public struct Arguments {
  /// Which is the next.
  private(set) var index = 1

  /// The arguments from the first one on.
  public init() {}

  /// The next argument, or `nil` after the last. It lies in the process's own memory, for ever.
  @inline(never) @_lifetime(immortal)
  public mutating func next() -> Span<UInt8>? {
    guard let argument = Self[index] else { return nil }
    index += 1
    return argument
  }

  /// An argument, counted from 1; `nil` when there are not so many.
  static subscript(index: Int) -> Span<UInt8>? {
    @_lifetime(immortal)
    get {
      var count = 0
      // Safe: C returns `count` octets that stay until the process ends.
      guard let octets = unsafe martlet_argument(index, &count) else { return nil }
      let buffer = unsafe UnsafeBufferPointer(start: octets, count: count)
      return unsafe _overrideLifetime(Span(_unsafeElements: buffer), copying: ())
    }
  }

  /// An argument, or the literal when the index is 0.
  static subscript(index: Int, orElse literal: StaticString) -> Span<UInt8> {
    @_lifetime(immortal)
    get {
      guard index > 0, let argument = Self[index] else { return literal.octets }
      return argument
    }
  }
}
