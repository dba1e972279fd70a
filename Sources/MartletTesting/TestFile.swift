// The content of a file that a page answers with, read as the server would send it.

import CMartletPlatform
import MartletBytes

enum TestFile {
  /// Reads an open file from its start and closes it.
  static func read(_ descriptor: Int32, count: Int64) -> [UInt8] {
    defer { martlet_close(descriptor) }
    var octets = [UInt8](repeating: 0, count: Int(count))
    var total = 0
    while total < octets.count {
      let start = total
      // Safe: C writes at most what is left of the array.
      let n = unsafe octets.withUnsafeMutableBufferPointer { buffer in
        unsafe martlet_read_at(
          descriptor, buffer.baseAddress! + start, buffer.count - start, Int64(start))
      }
      guard n > 0 else { break }
      total += n
    }
    return [UInt8](octets[..<total])
  }
}

extension Array where Element == UInt8 {
  init(copying span: Span<UInt8>) {
    self.init()
    for i in span.indices { append(span[i]) }
  }
}
