// The kernel's random source → octets that nobody can guess: salts, secrets, one-time codes.
//
// Invariant: whoever gets octets from here gets all of them random; there is no weaker source to
// fall back to (/dev/urandom is the same one, for kernels and sandboxes without getrandom). The kernel
// is waited for until it has been seeded, which a board does once at boot.

import CMartletPlatform
import MartletBytes

/// The kernel's random source (getrandom).
public enum Random {
  /// Whether the source can be used.
  public enum State {
    case ready
    /// It has not been seeded: `fill` would wait, on some boards for minutes after the boot.
    case unseeded
    /// There is neither getrandom nor /dev/urandom.
    case missing
  }

  /// Finds out what the source's state is, or with `waits` returns when it is ready or missing.
  public static func state(waits: Bool = false) -> State {
    switch martlet_random_wait(waits ? -1 : 0) {
    case 0: .ready
    case 1: .unseeded
    default: .missing
    }
  }

  /// Overwrites all of `target` with random octets.
  ///
  /// Stops the program with a message when the kernel has none to give: a key that could be guessed
  /// is worse than no service.
  public static func fill(_ target: inout MutableSpan<UInt8>) {
    // Unsafe: C writes exactly `count` octets at `baseAddress`, during the call only.
    let failed = unsafe target.withUnsafeMutableBufferPointer { buffer in
      guard let start = buffer.baseAddress else { return false }
      return unsafe martlet_random(start, buffer.count) != 0
    }
    if failed { stop("the kernel gives random octets") }
  }
}
