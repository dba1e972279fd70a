// Computes HMAC-SHA256 from a key and octets (RFC 2104, FIPS 198-1).
//
//     HMAC(K, text) = H((K ^ opad) || H((K ^ ipad) || text))          ; RFC 2104 §2
//
// Two blocks depend on the key alone: K ^ ipad and K ^ opad. Both are hashed once, when the key is made.
// Every authentication begins with copies of these two states. Invariant: the stored states never change.

import MartletBytes

/// A key for HMAC-SHA256. It stores two states of SHA-256 and not the key's octets.
///
///     let key = HMACKey(secret)
///     let digest = key.authenticate(message)
public struct HMACKey: ~Copyable {
  private var inner = SHA256(unused: ())
  private var outer = SHA256(unused: ())
  /// Whether the key has no octets. RFC 2104 allows such a key, but everybody knows it.
  public let isEmpty: Bool

  /// Makes a key from octets.
  ///
  /// - Parameter key: Any number of octets. A key of more than 64 octets is hashed first (RFC 2104 §2).
  /// - Complexity: Two compressions, and for a long key the compressions of its hash.
  @inline(never)
  public init(_ key: Span<UInt8>) {
    isEmpty = key.isEmpty
    inner = SHA256()
    outer = SHA256()
    if key.count <= SHA256.blockSize {
      feedPads(key)
    } else {
      var hash = SHA256()
      hash.update(key)
      let digest = hash.end()
      feedPads(digest.span)
    }
  }

  /// An empty key, for a program that neither signs nor verifies. It holds no usable states.
  public init() { isEmpty = true }

  private mutating func feedPads(_ key: Span<UInt8>) {
    invariant(key.count <= SHA256.blockSize, "a padded key is one block")
    var block = InlineArray<64, UInt8>(repeating: 0x36)  // ipad
    for i in key.indices { block[i] ^= key[i] }
    inner.update(block.span)
    // XOR with 0x36 ^ 0x5C turns K ^ ipad into K ^ opad.
    for i in block.indices { block[i] ^= 0x36 ^ 0x5C }
    outer.update(block.span)
  }

  /// Begins a MAC whose octets are fed in parts.
  public func begin() -> HMAC { HMAC(inner: inner.copy(), outer: outer.copy()) }

  /// The MAC of `octets`.
  ///
  /// - Complexity: One compression for each 64 octets begun, of `octets` and nine more, and one compression
  ///   for the outer hash.
  public func authenticate(_ octets: Span<UInt8>) -> Digest {
    authenticate(octets, octets.extracting(0..<0))
  }

  /// The MAC of `first` followed by `second`, without a joined copy.
  @inline(never)
  public func authenticate(_ first: Span<UInt8>, _ second: Span<UInt8>) -> Digest {
    var hash = inner.copy()
    hash.update(first)
    hash.update(second)
    var digest = hash.end()
    hash.restart(from: outer)
    hash.update(digest.span)
    digest = hash.end()
    return digest
  }

  /// Computes iterations of PBKDF2 with the processor's instructions for SHA-256.
  mutating func iterate(_ last: inout Digest, addingTo sum: inout Digest, _ count: UInt32) {
    SHA256.iterate(&inner, &outer, &last, addingTo: &sum, count)
  }

  /// Overwrites both states, when the key is not needed any more. Call this function explicitly, because in
  /// Swift a `deinit` cannot change the value that it destroys.
  mutating func wipe() {
    inner.wipe()
    outer.wipe()
  }
}

/// A MAC under way.
public struct HMAC: ~Copyable {
  private var inner: SHA256
  private var outer: SHA256

  fileprivate init(inner: consuming SHA256, outer: consuming SHA256) {
    self.inner = inner
    self.outer = outer
  }

  /// Feeds any number of octets.
  public mutating func update(_ octets: Span<UInt8>) { inner.update(octets) }

  /// The MAC of all octets that were fed.
  public consuming func finish() -> Digest {
    let digest = inner.end()
    outer.update(digest.span)
    return outer.end()
  }
}
