// A program that is started without standard input gets descriptor 0 for the first file or socket that it
// opens. 0 is no failure.

import Glibc

/// Runs `body` while descriptor 0 is free. What `body` leaves open there is closed afterwards.
public func withDescriptorZeroFree<R>(_ body: () throws -> R) rethrows -> R {
  let input = fcntl(0, F_DUPFD_CLOEXEC, 100)
  close(0)
  defer {
    if input >= 0 {
      dup2(input, 0)
      close(input)
    } else {
      close(0)
    }
  }
  return try body()
}
