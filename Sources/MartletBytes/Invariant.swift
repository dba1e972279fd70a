// A bug of the program stops the program at once, with a message. Input from outside never gets here:
// parsers refuse input with a reason (`throws`). `precondition` is not used, because a failing one traps
// without a message in Embedded Swift.

import CMartletPlatform

/// Stops the program when `condition` is false.
///
/// Writes file and line to standard error, in full Swift also `name`. Then aborts, so that a supervisor
/// restarts the program. An invariant is a condition that only a bug makes false; release builds check it
/// as well.
///
/// - Parameters:
///   - condition: The fact that must hold, one fact a call, said without "not".
///   - name: The fact in a few words.
@inline(__always)
public func invariant(
  _ condition: @autoclosure () -> Bool, _ name: StaticString, file: StaticString = #fileID,
  line: UInt = #line
) {
  if !condition() { stop(name, file: file, line: line) }
}

#if hasFeature(Embedded)
  /// Ends the program with a message that names file and line. The source shows the fact's name at
  /// that line; with all names in it, each program would be 3 KB larger.
  @inline(__always)
  public func stop(
    _ name: StaticString, file: StaticString = #fileID, line: UInt = #line
  ) -> Never {
    // Safe: literals are immortal and end with a NUL. To pass their counts would cost more code.
    unsafe martlet_stop_at(file.utf8Start, UInt32(truncatingIfNeeded: line))
  }
#else
  /// Ends the program with a message that names file, line and the fact that did not hold.
  @inline(__always)
  public func stop(
    _ name: StaticString, file: StaticString = #fileID, line: UInt = #line
  ) -> Never {
    // Safe: literals are immortal and end with a NUL.
    unsafe martlet_stop(file.utf8Start, UInt32(truncatingIfNeeded: line), name.utf8Start)
  }
#endif
