// The octets of a file that a page answers with, read as the server would send them.

import CMartletPlatform
import MartletBytes

enum TestFile {
  /// Reads at most `count` octets of an open file; fewer at the file's end.
  static func read(_ descriptor: Int32, from offset: Int64, count: Int) -> [UInt8] {
    var octets = [UInt8](repeating: 0, count: count)
    // Safe: C writes at most what the array has room for.
    let n = unsafe octets.withUnsafeMutableBufferPointer { buffer in
      unsafe martlet_read_at(descriptor, buffer.baseAddress!, buffer.count, offset)
    }
    return [UInt8](octets[..<max(0, n)])
  }
}

extension Array where Element == UInt8 {
  init(copying span: Span<UInt8>) {
    self.init()
    for i in span.indices { append(span[i]) }
  }
}
