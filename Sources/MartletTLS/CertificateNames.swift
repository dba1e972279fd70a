// The machine's name, its addresses and the hosts of the command line → names of a certificate, and constraints of
// the board's own authority. These are subjectAltName and nameConstraints (RFC 5280 §4.2.1.6, §4.2.1.10).
//
//     GeneralName = [2] dNSName / [7] iPAddress, 4 or 16 octets; in a constraint 8 or 32, with the mask behind
//
// A stolen key of the authority must be of no use for the web. So the authority may certify names of domains that
// the web does not have, private addresses, this machine's name, and names that the administrator gave.
//
// A constraint permits a name and all names below it. A host name of letters alone may be a top-level domain, as
// `kitchen` is. So such a name is permitted only when the administrator gave it with `--host`. A name with a digit
// or a hyphen is always permitted, because no top-level domain has these.

import MartletBytes

/// A host name in lower case, or an empty one.
struct HostName: BitwiseCopyable {
  private(set) var text = Text<253>()

  /// An empty name.
  init() {}

  /// A copy in lower case, or `nil` for what is no name. A name has letters, digits, `-`, `_` and dots, at most 253
  /// octets, and no empty label. `*.` may stand before the name.
  @inline(never)
  init?(_ octets: Span<UInt8>) {
    var labelSize = 0
    for i in octets.indices {
      let octet = ASCII.lowercased(octets[i])
      switch octet {
      case "a"..."z", "0"..."9", "_": labelSize += 1
      case "-":
        guard labelSize > 0 else { return nil }
        labelSize += 1
      case "*":
        guard i == 0, octets.count > 2, octets[1] == "." else { return nil }
        labelSize += 1
      case ".":
        guard labelSize > 0 else { return nil }
        labelSize = 0
      default: return nil
      }
      guard labelSize <= 63, text.append(octet) else { return nil }
    }
    guard labelSize > 0 else { return nil }
  }

  /// The first label, such as `board` of `board.example.org`.
  var label: Span<UInt8> {
    @_lifetime(borrow self) get {
      text.span.extracting(0..<(text.span.firstIndex(of: 0x2E) ?? text.count))
    }
  }

  /// The name without `*.` before it.
  var domain: Span<UInt8> {
    @_lifetime(borrow self) get {
      let span = text.span
      return span.hasPrefix("*.") ? span.extracting(2..<span.count) : span
    }
  }

  var isEmpty: Bool { text.isEmpty }

  /// Whether the name may be a top-level domain, as far as its octets tell. Such a name has letters alone, or begins
  /// with `xn--`. Names that systems give to boards are left out.
  var mayBeTopLevelDomain: Bool {
    let span = text.span
    if span.hasPrefix("xn--") { return true }
    for i in span.indices {
      guard case "a"..."z" = span[i] else { return false }
    }
    var names = CertificateNames.commonNames.words
    while let name = names.next() { if span.equals(name) { return false } }
    return true
  }
}

/// The words of a text with single blanks between.
struct BlankWords: ~Escapable {
  private var rest: Span<UInt8>

  @_lifetime(copy text)
  init(_ text: Span<UInt8>) { rest = text }

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
struct MachineAddresses {
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
      let high = ASCII.hexadecimalDigit(flags[flags.count - 2]),
      let low = ASCII.hexadecimalDigit(flags[flags.count - 1]), high & 0x06 == 0, low & 0x09 == 0
    else { return }
    var numbers = InlineArray<2, UInt64>(repeating: 0)
    for i in 0..<32 {
      guard let digit = ASCII.hexadecimalDigit(digits[i]) else { return }
      numbers[i / 16] = numbers[i / 16] << 4 | UInt64(digit)
    }
    add(IPAddress(high: numbers[0], low: numbers[1]))
  }
}

/// Writes the names of a certificate, and the constraints of an authority.
enum CertificateNames {
  static var dnsName: UInt8 { DERTag.primitive(2) }
  static var ipAddress: UInt8 { DERTag.primitive(7) }

  /// Domains that are reserved or not delegated (RFC 6761, RFC 6762, RFC 8375, `internal`), which routers, mDNS and
  /// local domains add to a machine's name. `HostNames` of the library has the same list.
  private static var localDomains: StaticString { "local lan home home.arpa internal localdomain" }

  /// A domain that belongs to a maker of routers: only the machine's own name in it is permitted.
  private static var routerDomain: StaticString { "fritz.box" }

  /// Names that systems give to a board, none of which is a top-level domain.
  static var commonNames: StaticString { "raspberrypi beaglebone openwrt raspbian debian armbian martlet" }

  /// 10/8, 172.16/12, 192.168/16, 169.254/16, 127/8, 100.64/10 (RFC 1918, 3927, 1122, 6598), each with its mask.
  private static var privateRanges4: StaticString {
    """
    0a000000ff000000 ac100000fff00000 c0a80000ffff0000 a9fe0000ffff0000 7f000000ff000000 64400000ffc00000
    """
  }

  /// fc00::/7, fe80::/10 and ::1 (RFC 4193, 4291): the first octets of the address and of the mask.
  private static var privateRanges6: StaticString { "fc00 fe00 fe80 ffc0" }

  // MARK: Constraints

  /// Writes the subtrees that a new authority permits.
  @inline(never)
  @_lifetime(der: copy der)
  static func writePermitted(_ host: HostName, to der: inout DERWriter) {
    var domains = localDomains.words
    while let domain = domains.next() { permit(domain, "", to: &der) }
    permit(("localhost" as StaticString).octets, "", to: &der)
    if !host.isEmpty {
      permit(host.label, routerDomain, to: &der)
      // A host name with dots is in a domain of the administrator's.
      if host.label.count < host.text.count { permit(host.text.span, "", to: &der) }
      let label = HostName(host.label) ?? HostName()
      if !label.mayBeTopLevelDomain { permit(label.text.span, "", to: &der) }
    }
    var hosts = BlankWords(CertificateMemory.hosts)
    while let name = hosts.next() {
      if let address = IPAddress(name) {
        permit(address, to: &der)
      } else if let name = HostName(name) {
        permit(name.domain, "", to: &der)
      }
    }
    var ranges = privateRanges4.words
    while let range = ranges.next() {
      let (subtree, element) = begin(ipAddress, &der)
      append(digits: range, to: &der)
      der.end(element)
      der.end(subtree)
    }
    ranges = privateRanges6.words
    while let address = ranges.next(), let mask = ranges.next() {
      let (subtree, element) = begin(ipAddress, &der)
      append(digits: address, to: &der)
      for _ in 2..<16 { der.append(0) }
      append(digits: mask, to: &der)
      for _ in 2..<16 { der.append(0) }
      der.end(element)
      der.end(subtree)
    }
    permit(IPAddress(high: 0, low: 1), to: &der)
  }

  @_lifetime(der: copy der)
  private static func begin(_ tag: UInt8, _ der: inout DERWriter) -> (subtree: Int, element: Int) {
    let subtree = der.begin(DERTag.sequence)
    return (subtree, der.begin(tag))
  }

  /// Permits a name and all names below it.
  @inline(never)
  @_lifetime(der: copy der)
  private static func permit(_ name: Span<UInt8>, _ domain: StaticString, to der: inout DERWriter) {
    let (subtree, element) = begin(dnsName, &der)
    der.append(name)
    if domain.utf8CodeUnitCount > 0 {
      der.append(0x2E)
      der.append(domain.octets)
    }
    der.end(element)
    der.end(subtree)
  }

  /// Permits a single address.
  @_lifetime(der: copy der)
  private static func permit(_ address: IPAddress, to der: inout DERWriter) {
    let (subtree, element) = begin(ipAddress, &der)
    append(address, to: &der)
    for _ in 0..<(address.isIPv4 ? 4 : 16) { der.append(0xFF) }
    der.end(element)
    der.end(subtree)
  }

  @_lifetime(der: copy der)
  private static func append(_ address: IPAddress, to der: inout DERWriter) {
    if !address.isIPv4 {
      for place in 0..<8 { der.append(UInt8(truncatingIfNeeded: address.high >> UInt64(56 - 8 * place))) }
    }
    for place in (address.isIPv4 ? 4 : 0)..<8 {
      der.append(UInt8(truncatingIfNeeded: address.low >> UInt64(56 - 8 * place)))
    }
  }

  @_lifetime(der: copy der)
  private static func append(digits: Span<UInt8>, to der: inout DERWriter) {
    for i in 0..<digits.count / 2 {
      let high = ASCII.hexadecimalDigit(digits[2 * i]) ?? 0
      der.append(high << 4 | (ASCII.hexadecimalDigit(digits[2 * i + 1]) ?? 0))
    }
  }

  // MARK: Names

  /// Writes the names that a certificate of the own authority should have. Only names that the authority permits
  /// are written, because clients refuse a certificate with any other name as a whole.
  @inline(never)
  @_lifetime(der: copy der)
  static func write(
    _ host: HostName, _ addresses: MachineAddresses, authority: Certificate, to der: inout DERWriter
  ) {
    let start = der.count
    if !host.isEmpty {
      // First what mDNS resolves in every local network.
      var domains = localDomains.words
      while let domain = domains.next() { add(host.label, domain, authority, start, &der) }
      add(host.label, routerDomain.octets, authority, start, &der)
      add(host.text.span, ("" as StaticString).octets, authority, start, &der)
      add(host.label, ("" as StaticString).octets, authority, start, &der)
    }
    add(("localhost" as StaticString).octets, ("" as StaticString).octets, authority, start, &der)
    var hosts = BlankWords(CertificateMemory.hosts)
    while let name = hosts.next() {
      if let address = IPAddress(name) {
        add(address, authority, start, &der)
      } else if let name = HostName(name) {
        add(name.text.span, ("" as StaticString).octets, authority, start, &der)
      }
    }
    add(IPAddress(high: 0, low: 0xFFFF << 32 | 0x7F00_0001), authority, start, &der)
    add(IPAddress(high: 0, low: 1), authority, start, &der)
    for i in 0..<addresses.count { add(addresses.items[i], authority, start, &der) }
  }

  /// Writes the names that a request has: those that the administrator gave, and a machine's name with dots. Without
  /// such names the machine's name is written. Other authorities certify neither `localhost` nor private addresses.
  @inline(never)
  @_lifetime(der: copy der)
  static func writeRequested(_ host: HostName, to der: inout DERWriter) {
    let start = der.count
    let none = ("" as StaticString).octets
    var hosts = BlankWords(CertificateMemory.hosts)
    while let name = hosts.next() {
      guard IPAddress(name) == nil, let name = HostName(name) else { continue }
      add(name.text.span, none, nil, start, &der)
    }
    if !host.isEmpty, der.count == start || host.label.count < host.text.count {
      add(host.text.span, none, nil, start, &der)
    }
    if der.count == start { add(("localhost" as StaticString).octets, none, nil, start, &der) }
  }

  @inline(never)
  @_lifetime(der: copy der)
  private static func add(
    _ name: Span<UInt8>, _ domain: Span<UInt8>, _ authority: Certificate?, _ start: Int,
    _ der: inout DERWriter
  ) {
    let element = der.count
    let content = der.begin(dnsName)
    der.append(name)
    if domain.count > 0 {
      der.append(0x2E)
      der.append(domain)
    }
    der.end(content)
    keep(element, authority, start, &der)
  }

  @inline(never)
  @_lifetime(der: copy der)
  private static func add(
    _ address: IPAddress, _ authority: Certificate?, _ start: Int, _ der: inout DERWriter
  ) {
    let element = der.count
    let content = der.begin(ipAddress)
    append(address, to: &der)
    der.end(content)
    keep(element, authority, start, &der)
  }

  /// Keeps the last element, unless it is there already or the authority does not permit it.
  @inline(never)
  @_lifetime(der: copy der)
  private static func keep(
    _ element: Int, _ authority: Certificate?, _ start: Int, _ der: inout DERWriter
  ) {
    guard !der.overflowed else { return }
    if !isNew(der.span, element, authority, start) { der.truncate(to: element) }
  }

  private static func isNew(
    _ octets: Span<UInt8>, _ element: Int, _ authority: Certificate?, _ start: Int
  ) -> Bool {
    let name = octets.extracting(element..<octets.count)
    guard !contains(octets, start..<element, name) else { return false }
    guard let authority else { return true }
    return permits(authority, name)
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
  static func permits(_ authority: Certificate, _ name: Span<UInt8>) -> Bool {
    let octets = CertificateMemory.authority
    var reader = DERReader(0..<name.count)
    guard let element = reader.next(name) else { return false }
    let content = name.extracting(element.content)
    var subtrees = DERReader(authority.permitted)
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
