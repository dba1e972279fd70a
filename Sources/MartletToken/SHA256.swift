// Computes SHA-256 (FIPS 180-4). This is the only file that calls mbedTLS. The functions work on a context
// that the caller owns, so nothing is allocated. The context is a plain value, so an unfinished hash can be
// copied. HMAC copies such states, so that a MAC need not hash the key again. PBKDF2 goes on with two such
// states by the instructions that some processors have for SHA-256.
//
// Invariant: the context has been started and not finished, because `finish` consumes the value.

import CMartletPlatform
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

  /// Whether `iterate` can be called on this processor.
  package static var hasInstructions: Bool { MARTLET_HAS_SHA256 != 0 && martlet_has_sha256() != 0 }

  /// Computes iterations of PBKDF2-HMAC-SHA256 with instructions for SHA-256.
  ///
  /// - Parameters:
  ///   - inner: The hash of the key with ipad (RFC 2104 §2), which is one block.
  ///   - outer: The hash of the key with opad.
  ///   - last: The U that was computed last. Afterwards, the last of the new ones.
  ///   - sum: Each new U is added to it by exclusive or.
  static func iterate(
    _ inner: inout SHA256, _ outer: inout SHA256, _ last: inout Digest, addingTo sum: inout Digest,
    _ count: UInt32
  ) {
    // Unsafe: C copies the words during the calls, and reads and writes exactly 32 octets at each address.
    var innerWords = unsafe cmbedtls_sha256_words(&inner.context)
    var outerWords = unsafe cmbedtls_sha256_words(&outer.context)
    unsafe martlet_iterate_sha256(&innerWords, &outerWords, &last, &sum, count)
    unsafe martlet_wipe(&innerWords, MemoryLayout.size(ofValue: innerWords))
    unsafe martlet_wipe(&outerWords, MemoryLayout.size(ofValue: outerWords))
  }

  /// Stops the program when mbedTLS reports an error, because a wrong digest must not be used. A hardware
  /// implementation may fail; the software implementation cannot.
  private static func check(_ result: Int32) {
    if result != 0 { stop("mbedTLS computes SHA-256") }
  }
}
