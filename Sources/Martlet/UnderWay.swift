// What is being answered → what a program says last when a bug ends it:
//
//     hello-example: a bug in page 3 while GET /items/5 was answered (signal SIGILL); the program ends.
//
// A fault of the processor is a trap of Swift, a full stack, or a null pointer in C. `stop` says such a line
// as well, with the file and the line in place of the signal. This file faces C.

import CMartletPlatform
import MartletBytes

/// What the one thread of the program is answering.
enum UnderWay {
  /// Makes faults of the processor say their last line. Without this call only `stop` does.
  ///
  /// - Parameter program: The program's name, which begins the line.
  static func install(program: StaticString) {
    // Safe: a literal ends with a NUL and stays. A kernel that refuses the handlers leaves faults silent.
    _ = unsafe martlet_tell_bugs(program.utf8Start, nil)
  }

  /// Sets what is being answered. Copies at most 72 octets.
  ///
  /// - Parameters:
  ///   - page: The page's raw value, or `nil` while no page has been found.
  ///   - method: As the request line has it; at most 8 octets are shown.
  ///   - path: As the request line has it; at most 64 octets are shown, and controls as `?`.
  @inline(never)
  static func begin(page: UInt8?, method: Span<UInt8>, path: Span<UInt8>) {
    // Safe: C copies the octets during the call.
    unsafe method.withUnsafeBufferPointer { method in
      unsafe path.withUnsafeBufferPointer { path in
        unsafe martlet_under_way(
          page.map { Int32($0) } ?? -1, method.baseAddress, method.count, path.baseAddress, path.count)
      }
    }
  }

  /// Sets that nothing is being answered.
  static func end() { martlet_end_way() }
}
