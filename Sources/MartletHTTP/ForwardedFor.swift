// The peer and X-Forwarded-For → where the client is. Each proxy appends the address that it was
// reached from, so the list is read from the right: as long as it is a proxy that we trust that has
// written an element, the element is true. What stands left of the first address that is no trusted
// proxy's was written by whoever sits there, and may be anything.
//
//     X-Forwarded-For = #node            ; not standardized; several lines are one list, RFC 9110 §5.3

public import MartletBytes

/// Where a client is.
public struct ClientAddress: Equatable, Sendable {
  public let address: IPAddress
  /// Whether many clients may be behind it, so that it says little about any of them: it is this
  /// machine's own, a trusted proxy's that named no client, or not known.
  public let isShared: Bool
  /// Whether a cookie of the account has come with the request: of a session, or one that remembers. The
  /// application says so, before it asks for that account's password; see `Throttle`.
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
  /// Whether those on this machine are meant, and no prefixes.
  private var isLoopback = false

  /// None.
  public init() {}

  /// Those on this machine: peers at a loopback address, or without one (a Unix socket). Whoever may
  /// run programs here may name any client; where others may, name the proxies instead.
  public static var loopback: TrustedProxies {
    var proxies = TrustedProxies()
    proxies.isLoopback = true
    return proxies
  }

  /// Adds a prefix; to `loopback`, it takes its place.
  ///
  /// - Returns: Whether there was room (`Limits.trustedProxyCountMax`).
  public mutating func append(_ prefix: IPPrefix) -> Bool {
    guard count < Limits.trustedProxyCountMax else { return false }
    isLoopback = false
    prefixes[count] = prefix
    count += 1
    return true
  }

  /// Whether a peer at that address is believed.
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
  /// Where the client is: the rightmost address of X-Forwarded-For that is no trusted proxy's, or,
  /// where all are, the leftmost. An element that is no address ends the walk: the client is then
  /// the last trusted proxy. Without the field, or from a peer that is not trusted, it is the peer.
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

  /// Walks from the left, because fields are read that way: `found` is what a walk from the right
  /// would find that began at the element just read. An element that is no trusted proxy's forgets
  /// everything before it.
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
