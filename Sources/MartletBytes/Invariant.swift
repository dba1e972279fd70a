// How a bug of ours ends: with a message, at once. Input from outside never comes here; it is
// refused with a reason (`throws`). A failing `precondition` in Embedded Swift traps without a word,
// so it is not used.

import CMartletPlatform

/// Stops the program when `condition` is false: writes file and line to standard error, in full
/// Swift `name` too, and aborts, so that a supervisor restarts it.
///
/// For what can only be false through a bug of ours. It stays in release builds.
///
/// - Parameters:
///   - condition: What must hold here; positive, one fact a call.
///   - name: The fact in a few words.
@inline(__always)
public func invariant(
  _ condition: @autoclosure () -> Bool, _ name: StaticString, file: StaticString = #fileID,
  line: UInt = #line
) {
  if !condition() { stop(name, file: file, line: line) }
}

#if hasFeature(Embedded)
  /// Ends the program with a message: the place where the impossible arrived. The fact's name stands
  /// there; to carry all names would make each program 3 KB larger.
  @inline(__always)
  public func stop(
    _ name: StaticString, file: StaticString = #fileID, line: UInt = #line
  ) -> Never {
    // Safe: literals are immortal and end with a NUL, which is cheaper to pass than their counts.
    unsafe martlet_stop_at(file.utf8Start, UInt32(truncatingIfNeeded: line))
  }
#else
  /// Ends the program with a message: the place where the impossible arrived, and the fact's name.
  @inline(__always)
  public func stop(
    _ name: StaticString, file: StaticString = #fileID, line: UInt = #line
  ) -> Never {
    // Safe: literals are immortal and end with a NUL.
    unsafe martlet_stop(file.utf8Start, UInt32(truncatingIfNeeded: line), name.utf8Start)
  }
#endif
