// A password → what HMAC takes of it as its key: its octets, or their SHA-256 when they are more than a
// block of 64 (RFC 2104 §2). So a password of any length needs no more memory than one of 64 octets, and
// its hash is the same as that of every other implementation.

import MartletBytes

/// A password on its way into a hash. It is fed in parts; what is kept are at most 64 octets of it.
///
///     var key = PasswordKey()
///     while let octet = decoder.next() { key.append(octet) }
///     key.end()
public struct PasswordKey: ~Copyable {
  /// The last octets that have not been hashed; at the end, the key.
  private var block = FixedBuffer<64>()
  /// What was before them, where that is anything.
  private var hash = SHA256()
  /// Octets that were fed.
  public private(set) var count = 0
  private var hasNUL = false
  private var isEnded = false

  /// A password of no octets.
  public init() {}

  /// A whole password.
  public init(_ password: Span<UInt8>) {
    for i in password.indices { append(password[i]) }
    end()
  }

  /// Takes the next octet.
  @inline(never)
  public mutating func append(_ octet: UInt8) {
    invariant(!isEnded, "nothing comes after a password's end")
    count &+= 1
    if octet == 0 { hasNUL = true }
    if block.append(octet) { return }
    hash.update(block.span)
    block.removeAll()
    block.append(octet)
  }

  /// Says that this was all. A second time it changes nothing.
  @inline(never)
  public mutating func end() {
    guard !isEnded else { return }
    isEnded = true
    guard count > SHA256.blockSize else { return }
    hash.update(block.span)
    let digest = hash.end()
    block.wipe()
    block.append(digest.span)
  }

  /// Why no hash is made of it, and why it is never the right one.
  public var refusal: PasswordRefusal? {
    if count > Limits.passwordSizeMax { return .tooLong }
    return hasNUL ? .malformed : nil
  }

  /// The key, of at most 64 octets.
  package var octets: Span<UInt8> {
    @_addressableSelf @_lifetime(borrow self)
    get {
      invariant(isEnded, "a password's key is there at its end")
      return block.span
    }
  }

  /// Whether both are the same password.
  public func equals(_ other: borrowing PasswordKey) -> Bool {
    count == other.count && octets.equals(other.octets)
  }

  /// Overwrites what is kept of it.
  public mutating func wipe() {
    block.wipe()
    hash.wipe()
  }
}
