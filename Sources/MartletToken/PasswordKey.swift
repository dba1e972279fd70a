// Makes the HMAC key of a password: its octets, or their SHA-256 when there are more than 64 (RFC 2104 §2).
// So a password of any length needs memory for 64 octets only. Every implementation of RFC 2104 computes an
// equal key.

import MartletBytes

/// A password that is fed octet by octet. At most 64 octets of the password are kept.
///
///     var key = PasswordKey()
///     while let octet = decoder.next() { key.append(octet) }
///     key.end()
public struct PasswordKey: ~Copyable {
  /// The last octets that have not been hashed. After `end`, the key.
  private var block = FixedBuffer<64>()
  /// The hash of the octets before `block`.
  private var hash = SHA256()
  /// How many octets were fed.
  public private(set) var count = 0
  private var hasNUL = false
  private var isEnded = false

  /// A password without octets.
  public init() {}

  /// A whole password.
  public init(_ password: Span<UInt8>) {
    for i in password.indices { append(password[i]) }
    end()
  }

  /// Appends the next octet.
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

  /// Ends the password and makes the key. A second call changes nothing.
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

  /// The reason why the password cannot be hashed and is never the right password. `nil` when it is allowed.
  public var refusal: PasswordRefusal? {
    if count > Limits.passwordSizeMax { return .tooLong }
    return hasNUL ? .malformed : nil
  }

  /// The key, at most 64 octets. A call before `end` is a bug and stops the program.
  package var octets: Span<UInt8> {
    @_addressableSelf @_lifetime(borrow self)
    get {
      invariant(isEnded, "a password's key is there at its end")
      return block.span
    }
  }

  /// Whether both passwords are equal.
  public func equals(_ other: borrowing PasswordKey) -> Bool {
    count == other.count && octets.equals(other.octets)
  }

  /// Overwrites all octets that are kept.
  public mutating func wipe() {
    block.wipe()
    hash.wipe()
  }
}
