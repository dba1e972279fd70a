// An unfinished hash as a plain value, so that the value fits memory that holds plain octets: the state of an
// upload.

import CMbedTLS
import MartletBytes

/// An unfinished SHA-256 that can be copied like a number, of some 110 octets.
///
///     struct UploadState: BitwiseCopyable {
///       var hash = SHA256State()
///     }
///
/// Nothing overwrites the octets that were fed: for what is no secret. `SHA256` is for secrets.
public struct SHA256State: BitwiseCopyable {
  private var context: mbedtls_sha256_context

  /// A hash to which nothing has been fed.
  public init() {
    let hash = SHA256()
    context = hash.state
  }

  /// Feeds any number of octets.
  ///
  /// - Complexity: One compression for each 64 octets.
  public mutating func update(_ octets: Span<UInt8>) {
    var hash = SHA256(context)
    hash.update(octets)
    context = hash.state
  }

  /// The digest of all octets that were fed.
  public func finish() -> Digest { SHA256(context).finish() }
}
