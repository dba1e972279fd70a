// A key and octets → their HMAC-SHA256 (RFC 2104, FIPS 198-1).
//
//     HMAC(K, text) = H((K ^ opad) || H((K ^ ipad) || text))          ; RFC 2104 §2
//
// Both inner blocks that depend on the key alone are hashed once, when the key is made; every
// authentication starts from copies of those two states. Invariant: they are never fed themselves.

import MartletBytes

/// A key for HMAC-SHA256, made ready: what is stored are two states of SHA-256, not the key.
///
///     let key = HMACKey(secret)
///     let digest = key.authenticate(message)
public struct HMACKey: ~Copyable {
  private var inner = SHA256(unused: ())
  private var outer = SHA256(unused: ())
  /// Whether the key has no octets: RFC 2104 allows it, but everybody knows it.
  public let isEmpty: Bool

  /// Makes a key ready.
  ///
  /// - Parameter key: Any number of octets. More than a block of 64 are hashed first (RFC 2104 §2).
  /// - Complexity: Two compressions, and for a long key those of its hash.
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

  /// The key of whoever neither signs nor verifies: empty, and not made ready.
  public init() { isEmpty = true }

  private mutating func feedPads(_ key: Span<UInt8>) {
    invariant(key.count <= SHA256.blockSize, "a padded key is one block")
    var block = InlineArray<64, UInt8>(repeating: 0x36)  // ipad
    for i in key.indices { block[i] ^= key[i] }
    inner.update(block.span)
    // 0x36 ^ 0x5C turns ipad into opad, the key still in it.
    for i in block.indices { block[i] ^= 0x36 ^ 0x5C }
    outer.update(block.span)
  }

  /// A MAC of nothing yet, to be fed in parts.
  public func begin() -> HMAC { HMAC(inner: inner.copy(), outer: outer.copy()) }

  /// The MAC of `octets`.
  ///
  /// - Complexity: One compression for each 64 octets begun, nine octets counted more, and one.
  public func authenticate(_ octets: Span<UInt8>) -> Digest {
    authenticate(octets, octets.extracting(0..<0))
  }

  /// The MAC of `first` followed by `second`, without putting them together.
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

  /// Overwrites both states, for a key that is needed no more. A value that merely goes out of
  /// scope is not overwritten: Swift lets no `deinit` change what it destroys.
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

  /// Feeds `octets`, any number of them.
  public mutating func update(_ octets: Span<UInt8>) { inner.update(octets) }

  /// The MAC of all that was fed.
  public consuming func finish() -> Digest {
    let digest = inner.end()
    outer.update(digest.span)
    return outer.end()
  }
}
