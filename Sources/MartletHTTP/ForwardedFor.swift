// Finds the client's address from the peer's address and X-Forwarded-For. Each proxy appends the address
// of its own peer, so the list is read from the right. An element is true when a trusted proxy has written
// it. The rightmost address that is no trusted proxy's is the client. Elements left of it were written by
// the client and may be false.
//
//     X-Forwarded-For = #node            ; not standardized; several lines are one list, RFC 9110 §5.3

public import MartletBytes

/// A client's address, and how far it identifies the client.
public struct ClientAddress: Equatable, Sendable {
  public let address: IPAddress
  /// Whether many clients may share the address. That holds for an address of this machine, for a trusted
  /// proxy that named no client, and for an unknown address.
  public let isShared: Bool
  /// Whether the request brought a cookie of the account: a session cookie or a remember cookie. The
  /// application sets this before it verifies a password of that account; see `Throttle`.
  public var isRecognized = false

  public init(_ address: IPAddress, isShared: Bool) {
    self.address = address
    self.isShared = isShared
  }
}

/// The proxies whose X-Forwarded-For is believed.
public struct TrustedProxies: Sendable {
  private var prefixes = TrustedPrefixes(repeating: .everything)
  private var count = 0
  /// Whether the proxies on this machine are trusted, instead of `prefixes`.
  private var isLoopback = false

  /// No proxies.
  public init() {}

  /// The proxies on this machine: peers with a loopback address, or without address (a Unix socket). Every
  /// person who can run programs on the machine can then name any client. On a shared machine, add the
  /// proxies' prefixes instead.
  public static var loopback: TrustedProxies {
    var proxies = TrustedProxies()
    proxies.isLoopback = true
    return proxies
  }

  /// Adds a prefix. The first prefix replaces `loopback`.
  ///
  /// - Returns: Whether there was room (`Limits.trustedProxyCountMax`).
  public mutating func append(_ prefix: IPPrefix) -> Bool {
    guard count < Limits.trustedProxyCountMax else { return false }
    isLoopback = false
    prefixes[count] = prefix
    count += 1
    return true
  }

  /// Whether the peer with that address is a trusted proxy.
  @inline(never)
  public func contains(_ address: IPAddress) -> Bool {
    if isLoopback { return address.isOnThisMachine }
    for i in 0..<count where prefixes[i].contains(address) { return true }
    return false
  }
}

extension IPAddress {
  fileprivate var isOnThisMachine: Bool { isLoopback || self == .unspecified }
}

extension FieldSection {
  /// The client's address: the rightmost address of X-Forwarded-For that is no trusted proxy's.
  ///
  /// When all addresses are trusted proxies', the leftmost address is the client's. Elements left of an
  /// element that is no address are ignored. Without the field, and when the peer is no trusted proxy, the
  /// peer is the client.
  ///
  /// - Complexity: O(n) in the section's octets.
  public func client(peer: IPAddress, trusting proxies: borrowing TrustedProxies) -> ClientAddress {
    var address = peer
    if proxies.contains(peer), let forwarded = forwardedAddress(trusting: proxies) {
      address = forwarded
    }
    let isProxy = proxies.contains(address)
    return ClientAddress(address, isShared: isProxy || address.isOnThisMachine)
  }

  /// Reads elements from the left, because a field section is read in that direction. `found` is the result
  /// for the elements up to now, as a search from the right would find it. An address that is no trusted
  /// proxy's replaces every address before it.
  private func forwardedAddress(trusting proxies: borrowing TrustedProxies) -> IPAddress? {
    var fields = self
    var found: IPAddress?
    while let field = fields.next() {
      guard field.name.equalsIgnoringCase("X-Forwarded-For") else { continue }
      var elements = ListElements(field.value, separator: 0x2C)
      while let element = elements.next() {
        guard let address = IPAddress(node: element) else {
          found = nil
          continue
        }
        let isProxy = proxies.contains(address)
        if !isProxy || found == nil { found = address }
      }
    }
    return found
  }
}
