// Computes SHA-256 (FIPS 180-4). This is the only file that calls mbedTLS. The functions work on a context
// that the caller owns, so nothing is allocated. The context is a plain value, so an unfinished hash can be
// copied. HMAC copies such states, so that a MAC need not hash the key again.
//
// Invariant: the context has been started and not finished, because `finish` consumes the value.

import CMbedTLS
import MartletBytes

/// Octets of a SHA-256 digest, in wire order.
public typealias Digest = InlineArray<32, UInt8>

/// An unfinished SHA-256. The context holds octets that were fed; it is overwritten when the hash is
/// finished.
///
///     var hash = SHA256()
///     hash.update(first)
///     hash.update(second)
///     let digest = hash.finish()
public struct SHA256: ~Copyable {
  /// Octets of a block of SHA-256 (FIPS 180-4 §1).
  static var blockSize: Int { 64 }

  private var context = mbedtls_sha256_context()

  /// A hash to which nothing has been fed.
  public init() {
    // Unsafe: C is lent the context for the call, and keeps no pointer to it.
    unsafe mbedtls_sha256_init(&context)
    unsafe Self.check(cmbedtls_sha256_starts(&context))
  }

  /// Goes on with a hash that `state` has told.
  init(_ context: mbedtls_sha256_context) { self.context = context }

  /// The unfinished hash as C keeps it.
  var state: mbedtls_sha256_context { context }

  /// Memory for a hash that has not been begun. Nothing may be fed to such a hash.
  init(unused: Void) {}

  /// A copy of the unfinished hash (a midstate). Both can be continued independently.
  public func copy() -> SHA256 { SHA256(context) }

  /// Feeds any number of octets.
  ///
  /// - Complexity: One compression for each 64 octets.
  public mutating func update(_ octets: Span<UInt8>) {
    // Unsafe: C reads exactly `count` octets at `baseAddress`, during the call only. An empty span may have
    // no address; C reads nothing then.
    unsafe octets.withUnsafeBufferPointer { buffer in
      unsafe Self.check(cmbedtls_sha256_update(&context, buffer.baseAddress, buffer.count))
    }
  }

  /// The digest of all octets that were fed. The context is overwritten, because it may hold secrets.
  public consuming func finish() -> Digest { end() }

  /// Replaces this hash's state with the state of `other`.
  mutating func restart(from other: borrowing SHA256) { context = other.context }

  /// The digest of all octets that were fed. The context is overwritten, because it may hold secrets. Only
  /// `restart` is allowed afterwards.
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

  /// Stops the program when mbedTLS reports an error, because a wrong digest must not be used. A hardware
  /// implementation may fail; the software implementation cannot.
  private static func check(_ result: Int32) {
    if result != 0 { stop("mbedTLS computes SHA-256") }
  }
}
