// The kernel's command line → the address that the network shall have.

import Martlet

/// The network setting of the kernel's `ip=` parameter (Documentation/admin-guide/nfs/nfsroot.rst):
///
///     ip=CLIENT:[SERVER]:[GATEWAY]:NETMASK[:[HOSTNAME][:[DEVICE][:[off|none]]]]
///
/// SERVER is for a root file system on NFS and not used. The kernel's other forms are refused:
/// automatic configuration (`dhcp`, `on`, …) and a netmask left out.
struct NetworkSetting: ~Copyable {
  private let isReadInPlace = ByAddress()

  let client: UInt32
  let gateway: UInt32?
  let netmask: UInt32
  let hostname: Text<64>
  let device: Text<15>

  /// The value of the last `ip=` on a command line, as the kernel would take it.
  @_lifetime(copy line)
  static func find(in line: Span<UInt8>) -> Span<UInt8>? {
    var found: Span<UInt8>?
    var end = line.count
    if end > 0, line[end - 1] == "\n" { end -= 1 }
    var words = Words(line.extracting(0..<end))
    while let word = words.next() {
      if word.hasPrefix("ip=") { found = word.extracting(3..<word.count) }
    }
    return found
  }

  /// Reads the value; `nil` when it is not of that form. Field by field: with all fields read before
  /// they are judged, Swift 6.3 makes code for ARMv6 that refuses everything.
  init?(_ value: Span<UInt8>) {
    var fields = ColonFields(value)
    guard let client = Self.address(fields.next()), client != 0 else { return nil }
    let server = fields.next()
    guard server.isEmpty || Self.address(server) != nil else { return nil }
    let gatewayField = fields.next()
    let gateway = Self.address(gatewayField)
    guard gatewayField.isEmpty || gateway != nil else { return nil }
    guard let netmask = Self.address(fields.next()), Self.isNetmask(netmask),
      let hostname = Text<64>(fields.next())
    else { return nil }
    let device = fields.next()
    guard let name = Text<15>(device), device.firstIndex(of: 0x2F) == nil else { return nil }
    let method = fields.next()
    guard method.isEmpty || method.equals("off") || method.equals("none"), fields.isAtEnd else {
      return nil
    }
    self.client = client
    self.gateway = gateway
    self.netmask = netmask
    self.hostname = hostname
    self.device = name
  }

  /// Ones, then zeros.
  private static func isNetmask(_ mask: UInt32) -> Bool { mask != 0 && (~mask & (~mask &+ 1)) == 0 }

  /// Four decimal numbers with dots.
  private static func address(_ text: Span<UInt8>) -> UInt32? {
    var value: UInt32 = 0
    var rest = text
    for part in 0..<4 {
      let end = part == 3 ? rest.count : rest.firstIndex(of: 0x2E)
      guard let end, let number = rest.extracting(0..<end).decimal(), number <= 255 else {
        return nil
      }
      value = value << 8 | UInt32(number)
      rest = rest.extracting(min(end + 1, rest.count)..<rest.count)
    }
    return value
  }
}

/// The parts of a text between colons.
struct ColonFields: ~Escapable {
  private var rest: Span<UInt8>
  /// Whether there is no part left.
  private(set) var isAtEnd = false

  @_lifetime(copy text)
  init(_ text: Span<UInt8>) { rest = text }

  /// The next part; nothing after the last.
  @inline(never)
  @_lifetime(copy self)
  @_lifetime(self: copy self)
  mutating func next() -> Span<UInt8> {
    let colon = rest.firstIndex(of: 0x3A)
    let field = rest.extracting(0..<(colon ?? rest.count))
    isAtEnd = colon == nil
    rest = rest.extracting((colon.map { $0 + 1 } ?? rest.count)..<rest.count)
    return field
  }
}
