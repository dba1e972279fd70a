// The machine's name, its addresses and the hosts of the command line → names of a certificate, and constraints of
// the board's own authority. These are subjectAltName and nameConstraints (RFC 5280 §4.2.1.6, §4.2.1.10).
//
//     GeneralName = [2] dNSName / [7] iPAddress, 4 or 16 octets; in a constraint 8 or 32, with the mask behind
//
// A stolen key of the authority must be of no use for the web, and of little use for other devices. So the authority
// may certify this machine's name in domains that the web does not have, private addresses, and names that the
// administrator gave. A machine with a new name needs a new authority for that name, but not for its addresses.
//
// A constraint permits a name and all names below it. A host name of letters alone may be a top-level domain, as
// `kitchen` is. So such a name is permitted only when the administrator gave it with `--host`. A name with a digit
// or a hyphen is always permitted, because no top-level domain has these.

import MartletBytes

/// The words of a text with single blanks between.
struct BlankWords: ~Escapable {
  private var rest: Span<UInt8>

  @_lifetime(copy text)
  init(_ text: Span<UInt8>) { rest = text }

  @inline(never)
  @_lifetime(copy self)
  @_lifetime(self: copy self)
  mutating func next() -> Span<UInt8>? {
    guard rest.count > 0 else { return nil }
    let end = rest.firstIndex(of: 0x20) ?? rest.count
    let word = rest.extracting(0..<end)
    rest = rest.extracting(min(end + 1, rest.count)..<rest.count)
    return word
  }
}

extension StaticString {
  fileprivate var words: BlankWords { @_lifetime(immortal) get { BlankWords(octets) } }
}

/// The first of a machine's addresses that certificates have.
struct MachineAddresses: ~Copyable {
  private let isReadInPlace = ByAddress()

  private(set) var items = InlineArray<16, IPAddress>(repeating: .unspecified)
  private(set) var count = 0

  /// Adds an address, unless it is there or there is no room.
  mutating func add(_ address: IPAddress) {
    guard count < items.count, address != .unspecified else { return }
    for i in 0..<count where items[i] == address { return }
    items[count] = address
    count += 1
  }

  /// Adds the address of a line `32-DIGITS INDEX PREFIX SCOPE FLAGS NAME` (`/proc/net/if_inet6`). Addresses of the
  /// link are left out, because browsers cannot reach them without a zone. Addresses that are temporary, duplicate,
  /// deprecated or tentative are left out as well (IFA_F_… of linux/if_addr.h).
  mutating func add(line: Span<UInt8>) {
    var words = BlankWords(line)
    guard let digits = words.next(), digits.count == 32, words.next() != nil, words.next() != nil,
      let scope = words.next(), scope.equals("00"), let flags = words.next(), flags.count >= 2,
      let upper = ASCII.hexadecimalDigit(flags[flags.count - 2]), upper & 0x06 == 0,
      let lower = ASCII.hexadecimalDigit(flags[flags.count - 1]), lower & 0x09 == 0
    else { return }
    var octets = InlineArray<16, UInt8>(repeating: 0)
    var target = octets.mutableSpan
    guard digits.decodeHexadecimal(into: &target) == 16 else { return }
    var (high, low): (UInt64, UInt64) = (0, 0)
    for i in 0..<16 { (high, low) = (high << 8 | low >> 56, low << 8 | UInt64(octets[i])) }
    add(IPAddress(high: high, low: low))
  }
}

/// Writes the names of a certificate, and the constraints of an authority.
enum CertificateNames {
  static var dnsName: UInt8 { DERTag.primitive(2) }
  static var ipAddress: UInt8 { DERTag.primitive(7) }

  /// Domains that are reserved or not delegated (RFC 6761, RFC 6762, RFC 8375, `internal`), which routers, mDNS and
  /// local domains add to a machine's name. `HostNames` of the library has the same list.
  private static var localDomains: StaticString { "local lan home home.arpa internal localdomain" }

  /// A domain that belongs to a maker of routers.
  private static var routerDomain: StaticString { "fritz.box" }

  /// Names that systems give to a board, none of which is a top-level domain.
  static var commonNames: StaticString { "raspberrypi beaglebone openwrt raspbian debian armbian martlet" }

  /// 10/8, 172.16/12, 192.168/16, 169.254/16, 127/8, 100.64/10 (RFC 1918, 3927, 1122, 6598), and fc00::/7,
  /// fe80::/10, ::1/128 (RFC 4193, 4291): subtrees with an address and its mask.
  private static var privateRanges: StaticString {
    """
    300a87080a000000ff000000300a8708ac100000fff00000300a8708c0a80000ffff0000300a8708a9fe0000ffff0000\
    300a87087f000000ff000000300a870864400000ffc00000\
    30228720fc000000000000000000000000000000fe000000000000000000000000000000\
    30228720fe800000000000000000000000000000ffc00000000000000000000000000000\
    3022872000000000000000000000000000000001ffffffffffffffffffffffffffffffff
    """
  }

  // MARK: Names of hosts

  /// Whether a text can be a name in a certificate. A name has letters, digits, `-`, `_` and dots, at most 253
  /// octets, and no empty label. `*.` may stand before the name.
  @inline(never)
  static func isName(_ octets: Span<UInt8>) -> Bool {
    guard octets.count <= 253 else { return false }
    var labelSize = 0
    for i in octets.indices {
      switch octets[i] {
      case "a"..."z", "A"..."Z", "0"..."9", "_": labelSize += 1
      case "-" where labelSize > 0: labelSize += 1
      case "*" where i == 0 && octets.hasPrefix("*."): labelSize += 1
      case "." where labelSize > 0: labelSize = 0
      default: return false
      }
      guard labelSize <= 63 else { return false }
    }
    return labelSize > 0
  }

  /// The first label, such as `board` of `board.example.org`.
  @_lifetime(copy name)
  static func label(_ name: Span<UInt8>) -> Span<UInt8> {
    name.extracting(0..<(name.firstIndex(of: 0x2E) ?? name.count))
  }

  /// Whether a label may be a top-level domain, as far as its octets tell. Such a label has letters alone, or begins
  /// with `xn--`. Names that systems give to boards are left out.
  @inline(never)
  static func mayBeTopLevelDomain(_ label: Span<UInt8>) -> Bool {
    if label.hasPrefix("xn--") { return true }
    for i in label.indices {
      guard case "a"..."z" = label[i] else { return false }
    }
    var names = commonNames.words
    while let name = names.next() { if label.equals(name) { return false } }
    return true
  }

  // MARK: Constraints

  /// Writes the subtrees that a new authority permits.
  @inline(never)
  @_lifetime(der: copy der)
  static func writePermitted(to der: inout DERWriter) {
    let none = ("" as StaticString).octets
    permit(("localhost" as StaticString).octets, none, to: &der)
    let host = CertificateMemory.hostName
    let label = label(host)
    if label.count > 0 {
      var domains = localDomains.words
      while let domain = domains.next() { permit(label, domain, to: &der) }
      permit(label, routerDomain.octets, to: &der)
      // A host name with dots is in a domain of the administrator's.
      if label.count < host.count { permit(host, none, to: &der) }
      if !mayBeTopLevelDomain(label) { permit(label, none, to: &der) }
    }
    var hosts = BlankWords(CertificateMemory.hosts)
    while let name = hosts.next() {
      if let address = IPAddress(name) {
        let subtree = der.begin(DERTag.sequence)
        let element = der.begin(ipAddress)
        append(address, to: &der)
        for _ in 0..<(address.isIPv4 ? 4 : 16) { der.append(0xFF) }
        der.end(element)
        der.end(subtree)
      } else {
        permit(name.hasPrefix("*.") ? name.extracting(2..<name.count) : name, none, to: &der)
      }
    }
    der.append(hexadecimal: privateRanges)
  }

  /// Permits a name and all names below it.
  @inline(never)
  @_lifetime(der: copy der)
  private static func permit(_ name: Span<UInt8>, _ domain: Span<UInt8>, to der: inout DERWriter) {
    let subtree = der.begin(DERTag.sequence)
    append(name, domain, to: &der)
    der.end(subtree)
  }

  /// Appends a name, or a name in a domain, as an element.
  @inline(never)
  @_lifetime(der: copy der)
  private static func append(_ name: Span<UInt8>, _ domain: Span<UInt8>, to der: inout DERWriter) {
    let element = der.begin(dnsName)
    der.append(name)
    if domain.count > 0 {
      der.append(0x2E)
      der.append(domain)
    }
    der.end(element)
  }

  @inline(never)
  @_lifetime(der: copy der)
  private static func append(_ address: IPAddress, to der: inout DERWriter) {
    for place in (address.isIPv4 ? 12 : 0)..<16 {
      let half = place < 8 ? address.high : address.low
      der.append(UInt8(truncatingIfNeeded: half >> UInt64(56 - 8 * (place & 7))))
    }
  }

  /// Appends an address as an element.
  @inline(never)
  @_lifetime(der: copy der)
  private static func append(element address: IPAddress, to der: inout DERWriter) {
    let content = der.begin(ipAddress)
    append(address, to: &der)
    der.end(content)
  }

  // MARK: Names

  /// Writes the names that a certificate of the own authority should have. Only names that the authority permits
  /// are written, because clients refuse a certificate with any other name as a whole.
  ///
  /// - Parameter permitted: The subtrees that the authority permits, in its certificate.
  @inline(never)
  @_lifetime(der: copy der)
  static func write(permitted: Range<Int>, to der: inout DERWriter) {
    let start = der.count
    let none = ("" as StaticString).octets
    let host = CertificateMemory.hostName
    let label = label(host)
    if label.count > 0 {
      // First what mDNS resolves in every local network.
      var domains = localDomains.words
      while let domain = domains.next() { add(label, domain, permitted, start, &der) }
      add(label, routerDomain.octets, permitted, start, &der)
      add(host, none, permitted, start, &der)
      add(label, none, permitted, start, &der)
    }
    add(("localhost" as StaticString).octets, none, permitted, start, &der)
    var hosts = BlankWords(CertificateMemory.hosts)
    while let name = hosts.next() {
      if let address = IPAddress(name) {
        add(address, permitted, start, &der)
      } else {
        add(name, none, permitted, start, &der)
      }
    }
    add(IPAddress(high: 0, low: 0xFFFF_7F00_0001), permitted, start, &der)
    add(IPAddress(high: 0, low: 1), permitted, start, &der)
    var addresses = MachineAddresses()
    CertificateCalls.read(&addresses)
    for i in 0..<addresses.count { add(addresses.items[i], permitted, start, &der) }
  }

  /// Whether the authority permits this machine's name, and all that the administrator gave with `--host`.
  ///
  /// - Parameter permitted: The subtrees that the authority permits, in its certificate.
  @inline(never)
  static func permitsAll(_ permitted: Range<Int>) -> Bool {
    let label = label(CertificateMemory.hostName)
    if label.count > 0 {
      var domains = localDomains.words
      while let domain = domains.next() {
        guard permits(permitted, { append(label, domain, to: &$0) }) else { return false }
      }
    }
    var hosts = BlankWords(CertificateMemory.hosts)
    while let name = hosts.next() {
      let isPermitted = permits(permitted) { der in
        guard let address = IPAddress(name) else {
          return append(name, ("" as StaticString).octets, to: &der)
        }
        append(element: address, to: &der)
      }
      guard isPermitted else { return false }
    }
    return true
  }

  /// Whether the authority permits the element that is written.
  private static func permits(_ permitted: Range<Int>, _ write: (inout DERWriter) -> Void) -> Bool {
    var der = DERWriter(CertificateMemory.room(.new))
    write(&der)
    return permits(permitted, der.span)
  }

  /// Writes the names that a request has: those that the administrator gave, and a machine's name with dots. Without
  /// such names the machine's name is written. Other authorities certify neither `localhost` nor private addresses.
  @inline(never)
  @_lifetime(der: copy der)
  static func writeRequested(to der: inout DERWriter) {
    let start = der.count
    let none = ("" as StaticString).octets
    var hosts = BlankWords(CertificateMemory.hosts)
    while let name = hosts.next() {
      if IPAddress(name) == nil { add(name, none, 0..<0, start, &der) }
    }
    let host = CertificateMemory.hostName
    if host.count > 0, der.count == start || host.firstIndex(of: 0x2E) != nil {
      add(host, none, 0..<0, start, &der)
    }
    if der.count == start { add(("localhost" as StaticString).octets, none, 0..<0, start, &der) }
  }

  @inline(never)
  @_lifetime(der: copy der)
  private static func add(
    _ name: Span<UInt8>, _ domain: Span<UInt8>, _ permitted: Range<Int>, _ start: Int,
    _ der: inout DERWriter
  ) {
    let element = der.count
    append(name, domain, to: &der)
    keep(element, permitted, start, &der)
  }

  @inline(never)
  @_lifetime(der: copy der)
  private static func add(_ address: IPAddress, _ permitted: Range<Int>, _ start: Int, _ der: inout DERWriter)
  {
    let element = der.count
    append(element: address, to: &der)
    keep(element, permitted, start, &der)
  }

  /// Keeps the last element, unless it is there already or the authority does not permit it.
  ///
  /// - Parameter permitted: Empty for a request, which may have any name.
  @inline(never)
  @_lifetime(der: copy der)
  private static func keep(_ element: Int, _ permitted: Range<Int>, _ start: Int, _ der: inout DERWriter) {
    guard !der.overflowed else { return }
    if !isNew(der.span, element, permitted, start) { der.truncate(to: element) }
  }

  private static func isNew(
    _ octets: Span<UInt8>, _ element: Int, _ permitted: Range<Int>, _ start: Int
  ) -> Bool {
    let name = octets.extracting(element..<octets.count)
    guard !contains(octets, start..<element, name) else { return false }
    return permitted.isEmpty || permits(permitted, name)
  }

  /// Whether one of the elements of a range has these octets.
  @inline(never)
  static func contains(_ octets: Span<UInt8>, _ range: Range<Int>, _ name: Span<UInt8>) -> Bool {
    var reader = DERReader(range)
    while let other = reader.next(octets) {
      if octets.extracting(other.whole).equals(name) { return true }
    }
    return false
  }

  /// Whether the authority permits a name, which is an element of GeneralNames (RFC 5280 §4.2.1.10).
  @inline(never)
  static func permits(_ permitted: Range<Int>, _ name: Span<UInt8>) -> Bool {
    let octets = CertificateMemory.authority
    var reader = DERReader(0..<name.count)
    guard let element = reader.next(name) else { return false }
    let content = name.extracting(element.content)
    var subtrees = DERReader(permitted)
    while let subtree = subtrees.next(octets, DERTag.sequence) {
      var parts = DERReader(subtree)
      guard let base = parts.next(octets), base.tag == element.tag else { continue }
      let permitted = octets.extracting(base.content)
      if element.tag == dnsName ? isBelow(content, permitted) : isWithin(content, permitted) { return true }
    }
    return false
  }

  /// Whether a name is the base or ends in a dot and the base. `*` stands for a label.
  private static func isBelow(_ name: Span<UInt8>, _ base: Span<UInt8>) -> Bool {
    let start = name.count - base.count
    guard start >= 0, name.extracting(start..<name.count).equals(base) else { return false }
    return start == 0 || name[start - 1] == "."
  }

  /// Whether an address is within a range: as many octets of an address, and of its mask.
  private static func isWithin(_ address: Span<UInt8>, _ range: Span<UInt8>) -> Bool {
    guard range.count == 2 * address.count else { return false }
    for i in address.indices {
      guard (address[i] ^ range[i]) & range[address.count + i] == 0 else { return false }
    }
    return true
  }

  /// Writes an address of 4 or 16 octets as people write it (RFC 5952 §4).
  @inline(never)
  @_lifetime(writer: copy writer)
  static func write(address octets: Span<UInt8>, to writer: inout Writer) {
    guard octets.count == 16 else {
      for i in octets.indices {
        if i > 0 { writer.append(".") }
        writer.append(decimal: octets[i])
      }
      return
    }
    let zeros = longestZeros(octets)
    var i = 0
    while i < 16 {
      if i == zeros.lowerBound, !zeros.isEmpty {
        writer.append("::")
        i = zeros.upperBound
        continue
      }
      if i > 0, i != zeros.upperBound || zeros.isEmpty { writer.append(":") }
      let group = Int(octets[i]) << 8 | Int(octets[i + 1])
      var shift = 12
      while shift > 0, group >> shift == 0 { shift -= 4 }
      while shift >= 0 {
        writer.append(ASCII.hexadecimal(UInt8(group >> shift & 15)))
        shift -= 4
      }
      i += 2
    }
  }

  /// The first of the longest runs of two or more groups of zeros, as octets.
  private static func longestZeros(_ octets: Span<UInt8>) -> Range<Int> {
    var longest = 0..<0
    var start = 0
    for i in 0..<8 {
      if octets[2 * i] | octets[2 * i + 1] != 0 {
        start = i + 1
      } else if i > start, 2 * (i + 1 - start) > longest.count {
        longest = 2 * start..<2 * (i + 1)
      }
    }
    return longest
  }
}
