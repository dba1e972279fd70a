// The Host field → whether the program answers. A page of another site can have its own name resolved to this
// machine's address after the page was loaded (DNS rebinding). The browser then mistakes this program for
// that site. So the browser sends no foreign Origin, and the page reads every answer. Only the Host field
// shows the difference.
//
// An IP address cannot be rebound. Only the local network decides where these names lead: `localhost`, the
// machine's own name, and that name in a domain without public name servers. Every other name must be
// allowed.

import MartletBytes
import MartletHTTP

enum HostNames {
  /// Names of this machine that need no resolver.
  private static var local: StaticString { "localhost *.localhost" }

  /// Domains that a home's router, mDNS or a local domain adds to a machine's name. They are reserved (RFC
  /// 6762, RFC 8375, `internal`), not delegated, or belong to the router's maker.
  private static var localDomains: StaticString {
    ".local .lan .home .home.arpa .internal .localdomain .fritz.box"
  }

  /// Whether a program answers requests for a host.
  ///
  /// - Parameters:
  ///   - octets: The value of Host. An empty value is allowed, as HTTP/1.1 permits it and no browser sends
  ///     it.
  ///   - names: Names that are allowed, with blanks between; `*.example.org` stands for every name below
  ///     `example.org`.
  ///   - allowsOption: Whether the command line allows names with `--host`.
  ///   - now: The monotonic time in milliseconds.
  @inline(never)
  static func allow(
    _ octets: Span<UInt8>, names: StaticString, allowsOption: Bool, now: Int64
  ) -> Bool {
    guard let authority = Authority.parse(octets) else { return false }
    var host = authority.host
    if authority.address != nil { return true }
    guard !authority.isBracketed else { return false }
    // A dot at the end makes a name absolute (RFC 1034 §3.1).
    if host.count > 1, host[host.count - 1] == "." { host = host.extracting(0..<host.count - 1) }
    if host.isEmpty || isAny(host, of: local.octets) || isAny(host, of: names.octets) { return true }
    if allowsOption {
      var arguments = Arguments()
      while let name = arguments.nextHost() { if isAny(host, of: name) { return true } }
    }
    // The machine's name may have changed since it was read.
    return isOwn(host, MachineName.read(now: now)) || isOwn(host, MachineName.read(now: nil))
  }

  /// Whether the host matches a name of a list with blanks between.
  private static func isAny(_ host: Span<UInt8>, of names: Span<UInt8>) -> Bool {
    var start = 0
    while start < names.count {
      let end = names.firstIndex(of: 0x20, from: start) ?? names.count
      var name = names.extracting(start..<end)
      var candidate = host
      if name.hasPrefix("*") {
        name = name.extracting(1..<name.count)
        let count = min(name.count, max(host.count - 1, 0))
        candidate = host.extracting(host.count - count..<host.count)
      }
      if candidate.count > 0, candidate.equalsIgnoringCase(name) { return true }
      start = end + 1
    }
    return false
  }

  /// Whether the host is this machine's name, the first label of that name, or that label in a local domain.
  private static func isOwn(_ host: Span<UInt8>, _ name: Span<UInt8>) -> Bool {
    let count = name.firstIndex(of: 0x2E) ?? name.count
    guard count > 0, host.count >= count else { return false }
    if host.equalsIgnoringCase(name) { return true }
    guard host.extracting(first: count).equalsIgnoringCase(name.extracting(first: count)) else {
      return false
    }
    return host.count == count || isAny(host.extracting(count..<host.count), of: localDomains.octets)
  }

  /// Whether a text can be an allowed name: letters, digits, `-`, `_` and dots, with an optional `*.` before
  /// them.
  static func isPattern(_ text: Span<UInt8>) -> Bool {
    let start = text.hasPrefix("*.") ? 2 : 0
    guard text.count > start, text.count <= 255, text[start] != "-", text[start] != "." else {
      return false
    }
    for i in start..<text.count {
      switch text[i] {
      case "0"..."9", "A"..."Z", "a"..."z", "-", "_", ".": continue
      default: return false
      }
    }
    return true
  }
}

extension Arguments {
  /// The value of the next `--host`, or `nil` after the last.
  @_lifetime(immortal)
  mutating func nextHost() -> Span<UInt8>? {
    while let argument = next() { if argument.equals("--host") { return next() } }
    return nil
  }
}
