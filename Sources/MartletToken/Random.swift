// Gets random octets that nobody can guess from the kernel: salts, secrets, one-time codes.
//
// Invariant: all octets are random, because there is no weaker source to fall back to. Where a kernel or a
// sandbox has no getrandom(), /dev/urandom gives octets of that source. `fill` waits until the kernel has
// seeded the source, which happens once after a boot.

import CMartletPlatform
import MartletBytes

/// The kernel's random source (getrandom, /dev/urandom).
public enum Random {
  /// The states of the source.
  public enum State {
    case ready
    /// The source has not been seeded, so `fill` would wait: on some boards for minutes after a boot.
    case unseeded
    /// The system has neither getrandom() nor /dev/urandom.
    case missing
  }

  /// The source's state. With `waits`, the call returns when the state is ready or missing.
  public static func state(waits: Bool = false) -> State {
    switch martlet_random_wait(waits ? -1 : 0) {
    case 0: .ready
    case 1: .unseeded
    default: .missing
    }
  }

  /// Overwrites all of `target` with random octets.
  ///
  /// Stops the program with a message when the kernel gives no random octets, because a key that can be
  /// guessed is worse than no service.
  public static func fill(_ target: inout MutableSpan<UInt8>) {
    // Unsafe: C writes exactly `count` octets at `baseAddress`, during the call only.
    let failed = unsafe target.withUnsafeMutableBufferPointer { buffer in
      guard let start = buffer.baseAddress else { return false }
      return unsafe martlet_random(start, buffer.count) != 0
    }
    if failed { stop("the kernel gives random octets") }
  }
}
