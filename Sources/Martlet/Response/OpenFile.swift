// A path → an open file to be sent. This file faces C.

import CMartletPlatform
import MartletBytes

/// The result of opening a file.
enum OpenFile {
  /// The file's descriptor, and its size in octets.
  case file(Int32, Int64)
  /// The process or the system has no free descriptor now.
  case notNow
  case notThere

  static func open(_ path: Span<UInt8>) -> OpenFile {
    var size: Int64 = 0
    // Safe: C reads the path and writes the size during the call.
    let result = unsafe path.withUnsafeBufferPointer { path in
      unsafe martlet_open_file(-1, path.baseAddress, path.count, &size)
    }
    if result >= 0 { return .file(result, size) }
    return martlet_error_class(Int(result)) == Int32(MARTLET_NO_DESCRIPTOR) ? .notNow : .notThere
  }

  static func close(_ descriptor: Int32) { martlet_close(descriptor) }
}
