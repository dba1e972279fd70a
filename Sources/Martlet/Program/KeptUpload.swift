// The state of an upload in memory that the server lends: the page's number, and the state of the page. This
// file reads and writes raw memory.

import MartletBytes

/// The state of an upload that is kept from one piece to the next.
struct KeptUpload<State: BitwiseCopyable>: BitwiseCopyable {
  let page: UInt8
  var state: State

  init(page: UInt8, state: State) {
    self.page = page
    self.state = state
  }

  /// Copies the state that `write` has stored.
  init(_ octets: Span<UInt8>) {
    invariant(octets.count >= MemoryLayout<Self>.size, "an upload's state has its memory")
    // Safe: the type has no references, so any octets are a value, and there are enough octets.
    self = unsafe octets.withUnsafeBytes { unsafe $0.loadUnaligned(as: Self.self) }
  }

  /// Copies a state whose octets `PageText.write` has written.
  static func loaded(_ octets: Span<UInt8>) -> State? {
    guard octets.count == MemoryLayout<State>.size else { return nil }
    // Safe: the type has no references, and the octets are exactly as many as the type has.
    return unsafe octets.withUnsafeBytes { unsafe $0.loadUnaligned(as: State.self) }
  }

  func write(to octets: inout MutableSpan<UInt8>) {
    invariant(octets.count >= MemoryLayout<Self>.size, "an upload's state has its memory")
    // Safe: the value has no references, and the memory has room for it.
    unsafe octets.withUnsafeMutableBytes { unsafe $0.storeBytes(of: self, as: Self.self) }
  }
}
