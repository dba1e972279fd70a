// /proc/net/dev, /proc/net/if_inet6 and the list of IPv4 addresses → the network interfaces that are shown.

import Martlet

/// A network interface that is shown.
struct Interface {
  /// Addresses shown of one interface.
  static var addressCountMax: Int { 4 }

  /// As the system calls it.
  var name = Text<16>()
  /// `up`, `down`, `unknown` …; empty when the system does not tell.
  var state = Text<40>()
  var received: UInt64 = 0
  var sent: UInt64 = 0
  /// The addresses that matter most, in the order of their ranks.
  private(set) var addresses = InlineArray<4, Text<40>>(repeating: Text())
  private var ranks = InlineArray<4, UInt8>(repeating: 0)
  /// All addresses of the interface.
  private(set) var allAddressCount = 0
  /// Whether there is a device behind it.
  var isPhysical = false
  var hasIPv4 = false
  /// Whether an address reaches further than the link.
  private(set) var isReachable = false

  var addressCount: Int { min(allAddressCount, Self.addressCountMax) }

  /// Whether it is up or has an address.
  var isInUse: Bool { state == "up" || allAddressCount > 0 }

  /// Puts an address in its place.
  mutating func add(_ address: Text<40>, rank: UInt8) {
    if rank != AddressRank.linkLocal { isReachable = true }
    var place = addressCount
    while place > 0, ranks[place - 1] > rank { place -= 1 }
    allAddressCount += 1
    var later = addressCount - 1
    guard place <= later else { return }
    while later > place {
      addresses[later] = addresses[later - 1]
      ranks[later] = ranks[later - 1]
      later -= 1
    }
    addresses[place] = address
    ranks[place] = rank
  }

  /// Whether it is one of the many that containers, virtual machines and tunnels make. Docker calls its
  /// bridges `br-` and twelve digits; other bridges are people's own.
  @inline(never)
  private func makesMany() -> Bool {
    if name.count == 15, name.span.hasPrefix("br-") { return true }
    var prefixes = Words(Self.containerPrefixes.octets)
    while let prefix = prefixes.next() {
      if name.count >= prefix.count, name.span.extracting(first: prefix.count).equals(prefix) {
        return true
      }
    }
    return false
  }

  private static var containerPrefixes: StaticString {
    """
    veth docker virbr vnet cni cali flannel lxc lxd podman cilium nodelocal kube dummy ifb sit \
    tunl gre erspan ip6tnl ip_vti ip6_vti ip6gre teql tap macvtap ovs
    """
  }

  /// What is most important comes first: 0. Interfaces with an address come before those without, and
  /// containers' last.
  var rank: UInt8 {
    @inline(never) get { rankNow() }
  }

  private func rankNow() -> UInt8 {
    let isOfContainers = !isPhysical && makesMany()
    if isReachable { return isOfContainers ? 4 : 0 }
    if isPhysical { return isInUse ? 1 : 2 }
    return isOfContainers ? 5 : 3
  }

  static var rankMax: UInt8 { 5 }
}

/// The network interfaces but the loopback: those that matter most, and how many are left out.
struct Interfaces: ~Copyable {
  private let isReadInPlace = ByAddress()

  private(set) var items = InlineArray<10, Interface>(repeating: Interface())
  private(set) var count = 0
  /// All interfaces of the machine.
  private var allCount = 0
  /// Addresses that the system has not told.
  var untoldAddressCount = 0

  init() {}

  /// Interfaces beyond those that are shown.
  var moreCount: Int { max(0, allCount - count) }

  /// The place of an interface, which is new if need be; `nil` when others matter more.
  @inline(never)
  private mutating func place(of interface: Interface) -> Int? {
    for i in 0..<count where items[i].name == interface.name { return i }
    if count < items.count {
      items[count] = interface
      count += 1
      return count - 1
    }
    var worst = 0
    for i in 0..<count where items[i].rank >= items[worst].rank { worst = i }
    guard interface.rank < items[worst].rank else { return nil }
    items[worst] = interface
    return worst
  }

  /// Adds an address; that of an alias (`eth0:1`) is the interface's own. All addresses come before the
  /// interfaces' counters.
  mutating func add(_ address: Text<40>, rank: UInt8, to name: Span<UInt8>) {
    var interface = Interface()
    interface.name = Text(cutting: name.extracting(0..<(name.firstIndex(of: 0x3A) ?? name.count)))
    guard !interface.name.isEmpty, interface.name != "lo" else { return }
    for i in 0..<count where items[i].name == interface.name {
      return items[i].add(address, rank: rank)
    }
    interface.add(address, rank: rank)
    _ = place(of: interface)
  }

  /// Adds an IPv4 address.
  mutating func addIPv4(_ address: UInt32, to name: Span<UInt8>) {
    guard address != 0 else { return }
    let base = name.extracting(0..<(name.firstIndex(of: 0x3A) ?? name.count))
    var rank = AddressRank.ipv4
    for i in 0..<count where items[i].name.span.equals(base) {
      if items[i].hasIPv4 { rank = AddressRank.furtherIPv4 }
    }
    add(AddressText.ipv4(address), rank: rank, to: name)
    for i in 0..<count where items[i].name.span.equals(base) { items[i].hasIPv4 = true }
  }

  /// Adds the address of a line `32-DIGITS INDEX PREFIX SCOPE FLAGS NAME` (`/proc/net/if_inet6`).
  mutating func addIPv6(_ line: Span<UInt8>) {
    var words = Words(line)
    guard let digits = words.next(), let groups = AddressText.groups(digits), words.next() != nil,
      words.next() != nil, let scope = Self.octet(words.next()),
      let flags = Self.octet(words.next()), let name = words.next()
    else { return }
    let rank = AddressRank.ipv6(groups, scope: scope, flags: flags)
    add(AddressText.ipv6(groups), rank: rank, to: name)
  }

  /// The last two hexadecimal digits of a number.
  private static func octet(_ digits: Span<UInt8>?) -> UInt8? {
    guard let digits, digits.count >= 2 else { return nil }
    var octets = InlineArray<1, UInt8>(repeating: 0)
    var target = octets.mutableSpan
    let last = digits.extracting(digits.count - 2..<digits.count)
    return last.decodeHexadecimal(into: &target) == 1 ? octets[0] : nil
  }

  /// Adds the interface and the counters of a line `NAME: RECEIVED and 7 more SENT and 7 more`
  /// (`/proc/net/dev`).
  ///
  /// - Parameter examine: Says what other files tell of an interface that may be shown.
  mutating func addCounters(_ line: Span<UInt8>, _ examine: (inout Interface) -> Void) {
    guard let colon = line.firstIndex(of: 0x3A) else { return }
    let name = line.extracting(line.trimmed(0..<colon))
    guard name.count > 0, name.count <= 16, !name.equals("lo") else { return }
    allCount += 1
    var interface = Interface()
    interface.name = Text(cutting: name)
    examine(&interface)
    guard let i = place(of: interface) else { return }
    items[i].state = interface.state
    items[i].isPhysical = interface.isPhysical
    var words = Words(line.extracting(colon + 1..<line.count))
    items[i].received = words.next()?.decimal() ?? 0
    for _ in 0..<7 { _ = words.next() }
    items[i].sent = words.next()?.decimal() ?? 0
  }
}
