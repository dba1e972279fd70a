// The machine's name, as the kernel knows it now. This file faces C.

import CMartletPlatform
import MartletBytes

enum MachineName {
  /// The name of the machine. The name is read again after a second, so that most requests need no system
  /// call.
  ///
  /// - Parameter now: The monotonic time in milliseconds; `nil` reads the name again in any case.
  @_lifetime(immortal)
  static func read(now: Int64?) -> Span<UInt8> {
    var count = 0
    // Safe: C returns `count` octets of a static array, which stay until the next call.
    let octets = unsafe martlet_host_name(now ?? -1, &count)
    let buffer = unsafe UnsafeBufferPointer(start: octets, count: count)
    return unsafe _overrideLifetime(Span(_unsafeElements: buffer), copying: ())
  }
}
