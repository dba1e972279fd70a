// Octets that end exactly where a page without any permission begins: reading one octet too many
// kills the test, wherever bounds checks may be missing.

import Glibc

/// Runs `body` with `octets` laid against an inaccessible page.
public func withGuardedOctets<R: ~Copyable>(
  _ octets: [UInt8], _ body: (Span<UInt8>) throws -> R
) rethrows -> R {
  let page = Int(sysconf(Int32(_SC_PAGESIZE)))
  let size = (octets.count + page - 1) / page * page
  let map = mmap(nil, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)!
  guard map != MAP_FAILED else { fatalError("mmap failed") }
  defer { munmap(map, size + page) }
  mprotect(map + size, page, PROT_NONE)
  let start = (map + size - octets.count).assumingMemoryBound(to: UInt8.self)
  for (i, octet) in octets.enumerated() { start[i] = octet }
  return try body(UnsafeBufferPointer(start: start, count: octets.count).span)
}

/// A value that must be there: `#require` for what cannot be copied.
public func required<Value: ~Copyable>(_ value: consuming Value?) throws -> Value {
  switch consume value {
  case .some(let value): return value
  case .none: throw Missing()
  }
}

/// Whether a value is there, for what cannot be copied.
public func isThere<Value: ~Copyable>(_ value: borrowing Value?) -> Bool {
  switch value {
  case .some: true
  case .none: false
  }
}

private struct Missing: Error {}

/// The same for text.
public func withGuardedOctets<R: ~Copyable>(
  _ text: String, _ body: (Span<UInt8>) throws -> R
) rethrows -> R {
  try withGuardedOctets(Array(text.utf8), body)
}

extension Array where Element == UInt8 {
  /// A copy of a span.
  public init(_ span: Span<UInt8>) {
    self.init()
    reserveCapacity(span.count)
    for i in span.indices { append(span[i]) }
  }
}

extension String {
  /// The span's octets read as UTF-8, ill-formed parts repaired.
  public init(_ span: Span<UInt8>) { self.init(decoding: [UInt8](span), as: UTF8.self) }
}

/// The same for a span that may be missing.
public func string(_ span: Span<UInt8>?) -> String? {
  guard let span else { return nil }
  return String(span)
}

/// A small generator with a fixed seed (SplitMix64), so that a failing test fails again.
public struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64
  public init(_ seed: UInt64) { state = seed }
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
