// The program's arguments, one after the other. Embedded Swift has no `CommandLine`.

import CMartletPlatform
import MartletBytes

/// The arguments of the running program, without its name.
public struct Arguments {
  private var index = 1

  /// The arguments from the first one on.
  public init() {}

  /// The next argument, or `nil` after the last. It lies in the process's own memory, for ever.
  @_lifetime(immortal)
  public mutating func next() -> Span<UInt8>? {
    // Safe: the kernel ends each argument with a NUL, and they stay until the process ends.
    guard let text = unsafe martlet_argument(index) else { return nil }
    index += 1
    let octets = unsafe UnsafeRawPointer(text).assumingMemoryBound(to: UInt8.self)
    var count = 0
    while unsafe octets[count] != 0 { count += 1 }
    let buffer = unsafe UnsafeBufferPointer(start: octets, count: count)
    return unsafe _overrideLifetime(Span(_unsafeElements: buffer), copying: ())
  }
}
