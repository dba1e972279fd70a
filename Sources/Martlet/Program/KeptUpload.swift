// The state of an upload, in memory of the server's: the page's number, and what the page keeps. This file
// reads and writes raw memory.

import MartletBytes

/// What is kept of an upload from one piece to the next.
struct KeptUpload<State: BitwiseCopyable>: BitwiseCopyable {
  let page: UInt8
  var state: State

  init(page: UInt8, state: State) {
    self.page = page
    self.state = state
  }

  /// What `write` has written.
  init(_ octets: Span<UInt8>) {
    invariant(octets.count >= MemoryLayout<Self>.size, "an upload's state has its memory")
    // Safe: any octets are a value of a type without references, and there are enough of them.
    self = unsafe octets.withUnsafeBytes { unsafe $0.loadUnaligned(as: Self.self) }
  }

  /// A state whose octets `PageText.write` has written.
  static func loaded(_ octets: Span<UInt8>) -> State? {
    guard octets.count == MemoryLayout<State>.size else { return nil }
    // Safe: as above.
    return unsafe octets.withUnsafeBytes { unsafe $0.loadUnaligned(as: State.self) }
  }

  func write(to octets: inout MutableSpan<UInt8>) {
    invariant(octets.count >= MemoryLayout<Self>.size, "an upload's state has its memory")
    // Safe: the value has no references, and there is room for it.
    unsafe octets.withUnsafeMutableBytes { unsafe $0.storeBytes(of: self, as: Self.self) }
  }
}
