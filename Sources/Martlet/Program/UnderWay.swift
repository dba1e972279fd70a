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

  /// Sets what is being answered.
  ///
  /// - Parameters:
  ///   - page: The page's raw value, or `nil` while no page has been found.
  ///   - request: The request line up to the end of the path, such as `GET /items/5`. The first 72 octets are
  ///     copied and shown, controls as `?`.
  static func begin(page: UInt8?, request: Span<UInt8>) {
    // Safe: C copies the octets during the call.
    unsafe request.withUnsafeBufferPointer { request in
      unsafe martlet_under_way(page.map { Int32($0) } ?? -1, request.baseAddress, request.count)
    }
  }

  /// Sets that nothing is being answered.
  static func end() { martlet_end_way() }
}
