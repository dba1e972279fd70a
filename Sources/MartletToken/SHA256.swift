// Octets → their SHA-256 (FIPS 180-4). The only file that calls mbedTLS, and of mbedTLS only what
// works on a context that the caller owns: nothing here allocates. The context is a plain value, so
// a hash under way can be copied; that is what makes a MAC cost no key schedule.
//
// Invariant: the context has been started and not finished, because `finish` consumes the value.

import CMbedTLS
import MartletBytes

/// Octets of a SHA-256 digest, in wire order.
public typealias Digest = InlineArray<32, UInt8>

/// A SHA-256 under way. It holds what it was fed until it is finished, then it is overwritten.
///
///     var hash = SHA256()
///     hash.update(first)
///     hash.update(second)
///     let digest = hash.finish()
public struct SHA256: ~Copyable {
  /// Octets of the blocks that SHA-256 works on (FIPS 180-4 §1).
  static var blockSize: Int { 64 }

  private var context = mbedtls_sha256_context()

  /// A hash of nothing yet.
  public init() {
    // Unsafe: C is lent the context for the call, and keeps no pointer to it.
    unsafe mbedtls_sha256_init(&context)
    unsafe Self.check(cmbedtls_sha256_starts(&context))
  }

  private init(_ context: mbedtls_sha256_context) { self.context = context }

  /// The place of a hash that has not been begun; nothing may be fed to it.
  init(unused: Void) {}

  /// The hash of what has been fed so far, to be continued on its own (a midstate).
  public func copy() -> SHA256 { SHA256(context) }

  /// Feeds `octets`, any number of them.
  ///
  /// - Complexity: One compression for each 64 octets.
  public mutating func update(_ octets: Span<UInt8>) {
    // Unsafe: C reads exactly `count` octets at `baseAddress`, during the call only. An empty span
    // may have no address; C then reads nothing.
    unsafe octets.withUnsafeBufferPointer { buffer in
      unsafe Self.check(cmbedtls_sha256_update(&context, buffer.baseAddress, buffer.count))
    }
  }

  /// The digest of all that was fed. The context is overwritten: it may hold secrets.
  public consuming func finish() -> Digest { end() }

  /// Goes on where another one is, whatever this one was fed.
  mutating func restart(from other: borrowing SHA256) { context = other.context }

  /// The digest of all that was fed; then only `restart` makes sense. The context is overwritten: it
  /// may hold secrets.
  @inline(never)
  mutating func end() -> Digest {
    var digest = Digest(repeating: 0)
    var target = digest.mutableSpan
    // Unsafe: C writes exactly 32 octets, which is what a `Digest` has room for.
    unsafe target.withUnsafeMutableBufferPointer { buffer in
      guard let start = buffer.baseAddress else { return }
      unsafe Self.check(cmbedtls_sha256_finish(&context, start))
    }
    wipe()
    return digest
  }

  /// Overwrites the context in a way that the optimizer keeps. Nothing may be fed afterwards.
  mutating func wipe() {
    // Unsafe: C is lent the context for the call.
    unsafe mbedtls_sha256_free(&context)
  }

  /// The software implementation cannot fail; a hardware one may. A wrong digest must not go on.
  private static func check(_ result: Int32) {
    if result != 0 { stop("mbedTLS computes SHA-256") }
  }
}
