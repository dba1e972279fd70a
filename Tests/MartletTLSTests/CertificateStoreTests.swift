// The store in folders of its own: what it makes is checked by OpenSSL, GnuTLS and NSS.

import CMartletTLS
import Foundation
import MartletBytes
import TestSupport
import Testing

@testable import MartletTLS

/// 2026-11-29 12:00:00 UTC.
private let now: Int64 = 1_795_953_600
private let day: Int64 = 86_400

/// What happens in a test's store.
struct Store {
  let scratch: Scratch
  var moment = CertificateMoment(monotonicMilliseconds: 1_000, unixSeconds: now, isKnown: true)

  init(hosts: [String] = [], _ scratch: Scratch? = nil) throws {
    self.scratch = try scratch ?? Scratch()
    Self.isStarted
    Self.reset()
    for host in hosts { addHost(host) }
  }

  /// The library is started once.
  private static let isStarted: Void = { _ = martlet_tls_start() }()

  /// The state of a program that has just started.
  static func reset() {
    let state = CertificateMemory.state
    if state.directory > 0 { CertificateCalls.closeDirectory(state.directory) }
    CertificateMemory.state = martlet_certificate_state()
    for area in [CertificateMemory.Area.authorityKey, .key, .chain, .authority, .new, .text] {
      CertificateCalls.wipe(area)
    }
  }

  @discardableResult
  func open() throws(CertificateTrouble) -> CertificateTrouble? {
    let path = Array(scratch.path.utf8)
    return try CertificateStore.open(directory: path.span, moment)
  }

  func openFiles(_ chain: String = "chain", _ key: String = "key") throws(CertificateTrouble) {
    let (chain, key) = (Array(scratch.file(chain).utf8), Array(scratch.file(key).utf8))
    try CertificateStore.open(chain: chain.span, key: key.span, moment)
  }

  /// The trouble of an opening, as words.
  func words() -> String {
    do throws(CertificateTrouble) { return try open().map { String($0.words) } ?? "" } catch {
      return "refused " + String(error.words)
    }
  }

  /// A later moment.
  mutating func pass(seconds: Int64, isKnown: Bool? = nil) -> CertificateNews {
    moment.monotonicMilliseconds += seconds * 1_000
    moment.unixSeconds += seconds
    if let isKnown { moment.isKnown = isKnown }
    return CertificateStore.tick(moment)
  }

  /// Where the chain in use, and the authority, are for other programs.
  func export() throws {
    var (chain, authority) = ("", "")
    var reader = DERReader(0..<CertificateMemory.chain.count)
    while let element = reader.next(CertificateMemory.chain) {
      chain += pem("CERTIFICATE", [UInt8](CertificateMemory.chain.extracting(element.whole)))
    }
    authority = pem("CERTIFICATE", [UInt8](CertificateStore.authorityCertificate))
    try scratch.write("chain.pem", chain)
    try scratch.write("ca.pem", authority)
  }

  /// What `openssl verify` says of the chain in use, at a time.
  func verify(_ options: [String] = [], at time: Int64 = now) throws -> String {
    try export()
    return try run(
      [
        "openssl", "verify", "-CAfile", "ca.pem", "-purpose", "sslserver", "-x509_strict", "-attime",
        "\(time)",
      ]
        + options + ["chain.pem"], in: scratch.path
    ).output
  }

  func fingerprint() throws -> [UInt8] {
    let digest = try #require(CertificateStore.summary).fingerprint
    return [UInt8](digest.span)
  }
}

@discardableResult
private func addHost(_ name: String) -> Bool {
  let octets = Array(name.utf8)
  return CertificateStore.addHost(octets.span)
}

private func names() -> String { written { CertificateStore.writeNames(to: &$0) } }

private let hostName: String = {
  var octets = [CChar](repeating: 0, count: 256)
  gethostname(&octets, octets.count)
  return String(decoding: octets.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).lowercased()
}()
private var label: String { String(hostName.prefix { $0 != "." }) }

@Suite(.serialized) struct CertificateStoreTests {
  // MARK: The own authority

  @Test("An empty directory gets an authority, a key and a certificate, for its owner only")
  func fresh() throws {
    let store = try Store()
    #expect(try store.open() == nil)
    #expect(store.scratch.names == ["authority.pem", "tls.crt", "tls.key"])
    for name in store.scratch.names { #expect(store.scratch.mode(name) == 0o600) }
    let summary = try #require(CertificateStore.summary)
    #expect(summary.kind == .ownAuthority)
    #expect(summary.notBefore == now - day)
    #expect(summary.notAfter == now + 90 * day)
    #expect(summary.authorityNotAfter == now + 7_305 * day)
    #expect(summary.isStored && !summary.isWaiting)
    #expect(CertificateStore.isOwnAuthority)
    let place = try withPlace { $0 }
    #expect(place >= 0, "a connection has a certificate")
  }

  @Test("A directory that is missing is made, for its owner only")
  func missingDirectory() throws {
    let store = try Store()
    let path = store.scratch.file("tls")
    let octets = Array(path.utf8)
    try CertificateStore.open(directory: octets.span, store.moment)
    #expect(store.scratch.mode("tls") == 0o700)
  }

  @Test("A directory that others may write to is not used", arguments: [0o777, 0o770, 0o702] as [mode_t])
  func openDirectory(_ mode: mode_t) throws {
    let store = try Store()
    chmod(store.scratch.path, mode)
    #expect(store.words() == "refused \(store.scratch.path): other users have rights to it")
    #expect(store.scratch.names.isEmpty)
    chmod(store.scratch.path, 0o755)
    #expect(store.words() == "")
  }

  @Test("OpenSSL verifies the certificate for each of its names, and for no other name")
  func openSSL() throws {
    let store = try Store(hosts: ["panel.example.org", "*.boards.example.org", "203.0.113.7", "kitchen"])
    try store.open()
    #expect(try store.verify() == "chain.pem: OK\n")
    for name in [
      "localhost", "\(label).local", "\(label).home.arpa", "panel.example.org", "a.boards.example.org",
      "kitchen",
    ] {
      #expect(try store.verify(["-verify_hostname", name]) == "chain.pem: OK\n", "\(name)")
    }
    for address in ["127.0.0.1", "::1", "203.0.113.7"] {
      #expect(try store.verify(["-verify_ip", address]) == "chain.pem: OK\n", "\(address)")
    }
    #expect(try store.verify(["-verify_hostname", "example.org"]).contains("hostname mismatch"))
    #expect(try store.verify(["-verify_ip", "203.0.113.8"]).contains("IP address mismatch"))
    #expect(try store.verify(at: now + 91 * day).contains("expired"))
    #expect(try store.verify(at: now - 2 * day).contains("not yet valid"))
    let text = try must(["openssl", "x509", "-in", "chain.pem", "-noout", "-text"], in: store.scratch.path)
    for line in [
      "Version: 3", "ecdsa-with-SHA256", "CN = martlet on \(hostName.prefix(40))", "CA:FALSE",
      "Digital Signature", "TLS Web Server Authentication", "prime256v1",
    ] {
      #expect(text.contains(line), "\(line)")
    }
    let authority = try must(["openssl", "x509", "-in", "ca.pem", "-noout", "-text"], in: store.scratch.path)
    for line in [
      "CN = martlet of \(hostName.prefix(40)) (", "CA:TRUE, pathlen:0", "Certificate Sign",
      "X509v3 Name Constraints: critical",
      "DNS:\(label).local\n", "IP:10.0.0.0/255.0.0.0", "IP:172.16.0.0/255.240.0.0",
      "IP:100.64.0.0/255.192.0.0",
      "IP:FC00:0:0:0:0:0:0:0/FE00:0:0:0:0:0:0:0", "DNS:boards.example.org", "IP:203.0.113.7/255.255.255.255",
      "IP:0:0:0:0:0:0:0:1/FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF",
    ] {
      #expect(authority.contains(line), "\(line)")
    }
  }

  @Test(
    "The authority's key is of no use for names of the web",
    arguments: ["google.com", "example.org", "notlocal", "com", "other.local", "router.lan", "x.home.arpa"])
  func stolenKey(_ name: String) throws {
    let store = try Store(hosts: ["panel.example.org"])
    try store.open()
    try store.export()
    try forge(store, "DNS:\(name)")
    let verdict = try run(
      ["openssl", "verify", "-CAfile", "ca.pem", "-attime", "\(now)", "forged.pem"], in: store.scratch.path)
    #expect(verdict.output.contains("permitted subtree violation"))
    guard hasProgram("certtool") else { return }
    let other = try run(
      at("2026-11-29 12:00:00") + [
        "certtool", "--verify", "--load-ca-certificate", "ca.pem", "--infile", "forged.pem",
      ], in: store.scratch.path)
    #expect(other.output.contains("Not verified"), "\(other.output)")
  }

  @Test(
    "The authority's key is of no use for public addresses",
    arguments: ["8.8.8.8", "2001:db8::1", "11.0.0.1", "172.32.0.1"])
  func stolenKeyForAddress(_ address: String) throws {
    let store = try Store()
    try store.open()
    try store.export()
    try forge(store, "IP:\(address)")
    let verdict = try run(
      ["openssl", "verify", "-CAfile", "ca.pem", "-attime", "\(now)", "forged.pem"], in: store.scratch.path)
    #expect(verdict.output.contains("permitted subtree violation"))
  }

  /// A certificate that the stolen key signs.
  private func forge(_ store: Store, _ name: String) throws {
    let folder = store.scratch.path
    try must(
      [
        "openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
        "f.key", "-subj", "/CN=x", "-out", "f.csr",
      ], in: folder)
    try store.scratch.write("f.ext", "subjectAltName=\(name)\n")
    try must(
      at("2026-11-29 12:00:00") + [
        "openssl", "x509", "-req", "-in", "f.csr", "-CA", "ca.pem", "-CAkey", "authority.pem", "-days", "30",
        "-extfile", "f.ext", "-out", "forged.pem",
      ], in: folder)
  }

  @Test("GnuTLS verifies the certificate", .enabled(if: hasProgram("certtool")))
  func gnuTLS() throws {
    let store = try Store(hosts: ["panel.example.org"])
    try store.open()
    try store.export()
    for name in ["\(label).local", "panel.example.org", "127.0.0.1"] {
      let result = try run(
        at("2026-11-29 12:00:00") + [
          "certtool", "--verify", "--load-ca-certificate", "ca.pem",
          "--verify-hostname", name, "--infile", "chain.pem",
        ], in: store.scratch.path)
      #expect(result.output.contains("Chain verification output: Verified"), "\(result.output)")
    }
  }

  @Test("NSS verifies the certificate, and refuses a name of the web", .enabled(if: hasProgram("certutil")))
  func nss() throws {
    let store = try Store(hosts: ["panel.example.org"])
    try store.open()
    try store.export()
    try forge(store, "DNS:google.com")
    let folder = store.scratch.path
    try must(["certutil", "-N", "-d", "sql:\(folder)", "--empty-password"], in: folder)
    try must(["certutil", "-A", "-d", "sql:\(folder)", "-n", "ca", "-t", "C,,", "-i", "ca.pem"], in: folder)
    try must(
      ["certutil", "-A", "-d", "sql:\(folder)", "-n", "leaf", "-t", ",,", "-i", "chain.pem"], in: folder)
    try must(
      ["certutil", "-A", "-d", "sql:\(folder)", "-n", "forged", "-t", ",,", "-i", "forged.pem"], in: folder)
    let good = try run(
      ["certutil", "-V", "-d", "sql:\(folder)", "-n", "leaf", "-u", "V", "-e", "-b", "261129120000Z"],
      in: folder)
    #expect(good.output.contains("certificate is valid"), "\(good.output)")
    let bad = try run(
      ["certutil", "-V", "-d", "sql:\(folder)", "-n", "forged", "-u", "V", "-e", "-b", "261129120000Z"],
      in: folder)
    #expect(bad.output.contains("invalid"), "\(bad.output)")
  }

  @Test("A restart uses what is there, and writes nothing")
  func restart() throws {
    let store = try Store()
    try store.open()
    let before = try store.fingerprint()
    let texts = store.scratch.names.map { store.scratch.text($0) }
    let again = try Store(store.scratch)
    #expect(try again.open() == nil)
    #expect(try again.fingerprint() == before)
    #expect(store.scratch.names.map { store.scratch.text($0) } == texts)
  }

  @Test("Two authorities have different names, keys and serial numbers")
  func different() throws {
    let first = try Store()
    try first.open()
    let authority = [UInt8](CertificateStore.authorityCertificate)
    let subject = try required(CertificateStore.authority).subject
    let second = try Store()
    try second.open()
    let other = [UInt8](CertificateStore.authorityCertificate)
    #expect(authority[15..<31] != other[15..<31])
    #expect(authority[subject] != other[subject])
  }

  // MARK: Names

  @Test("Names that the authority does not permit are left out, so that the certificate stays valid")
  func notPermitted() throws {
    let store = try Store(hosts: ["panel.example.org"])
    try store.open()
    #expect(names().contains("panel.example.org"))
    let later = try Store(hosts: ["panel.example.org", "other.example.com", "198.51.100.1"], store.scratch)
    try later.open()
    #expect(!names().contains("example.com") && !names().contains("198.51"))
    #expect(try later.verify() == "chain.pem: OK\n")
    // A new authority permits them.
    #expect(try CertificateStore.renewAuthority(later.moment) == nil)
    #expect(names().contains("other.example.com") && names().contains("198.51.100.1"))
    #expect(try later.verify(["-verify_hostname", "other.example.com"]) == "chain.pem: OK\n")
  }

  @Test("A new address makes a new certificate at the next look, and an address that is gone does not")
  func newAddress() throws {
    var store = try Store(hosts: ["a.local"])
    try store.open()
    let first = try store.fingerprint()
    #expect(store.pass(seconds: 31) == .nothing)
    addHost("192.168.7.7")
    #expect(store.pass(seconds: 5) == .nothing)
    #expect(store.pass(seconds: 31) == .renewed)
    #expect(names().contains("192.168.7.7"))
    #expect(try store.fingerprint() != first)
    CertificateMemory.state.hosts_count = 0
    #expect(store.pass(seconds: 31) == .nothing)
    #expect(names().contains("192.168.7.7"))
  }

  @Test("Hosts that no certificate can have are refused")
  func hosts() throws {
    _ = try Store()
    for host in [
      "", ".", "a..b", "-a", "a b", "ü.example", "a/b", "*", "a.*", "*.", String(repeating: "a", count: 64),
      String(repeating: "a.", count: 127) + "a",
    ] {
      #expect(!addHost(host), "\(host)")
    }
    // 512 octets in all.
    for _ in 0..<8 { #expect(addHost(String(repeating: "a", count: 62) + "b")) }
    #expect(!addHost("c"))
  }

  @Test("The longest names fit an authority, a certificate and a request")
  func longest() throws {
    let hosts = (0..<8).map { String(repeating: "a", count: 50) + ".example\($0).org" }
    let store = try Store(hosts: hosts.map { String($0.prefix(63)) })
    try store.open()
    #expect(try store.verify() == "chain.pem: OK\n")
    let others = try Store(hosts: (0..<256).map { _ in "a" })
    for i in 0..<26 { addHost(String(UnicodeScalar(UInt8(0x61 + i)))) }
    try others.open()
    #expect(try others.verify() == "chain.pem: OK\n")
    let request = try writtenOctets { (writer) in try CertificateStore.writeRequest(to: &writer) }
    #expect(!request.overflowed)
  }

  @Test("A host name of one label that may be a top-level domain is not permitted by itself")
  func bareNames() throws {
    for (name, isPermitted) in [
      ("kitchen", false), ("dev", false), ("com", false), ("xn--p1ai", false), ("raspberrypi", true),
      ("board1", true), ("a-b", true),
      ("kitchen.example.org", false), ("localhost", true),
    ] {
      _ = try Store()
      let octets = Array(name.utf8)
      CertificateMemory.copy(octets.span, to: .hostName)
      CertificateMemory.state.host_name_count = UInt32(octets.count)
      let constraints = try #require(der { CertificateNames.writePermitted(to: &$0) })
      let label = octets.prefix { $0 != 0x2E }
      let bare = [0x82, UInt8(label.count)] + label
      let isThere = constraints.indices.contains { constraints[$0...].starts(with: bare) }
      #expect(isThere == isPermitted, "\(name)")
    }
  }

  @Test("An authority from before a name is told of, stays, and goes on with the names that it may certify")
  func otherNames() throws {
    var store = try Store()
    try store.open()
    let before = [UInt8](CertificateStore.authorityCertificate)
    #expect(try #require(CertificateStore.summary).permitsNames)
    for host in ["panel.example.org", "203.0.113.7", "*.example.org"] {
      store = try Store(hosts: [host], store.scratch)
      #expect(try store.open()?.problem == .otherNames, "\(host)")
      #expect([UInt8](CertificateStore.authorityCertificate) == before)
      #expect(try !#require(CertificateStore.summary).permitsNames)
      #expect(try store.verify(["-verify_hostname", "localhost"]) == "chain.pem: OK\n")
      #expect(!names().contains(host))
    }
    #expect(try CertificateStore.renewAuthority(store.moment) == nil)
    #expect(try #require(CertificateStore.summary).permitsNames)
    #expect(try store.verify(["-verify_hostname", "a.example.org"]) == "chain.pem: OK\n")
  }

  @Test(
    "Whether an authority permits the machine's name and those of the administrator",
    arguments: [
      ("board1", "", "board1", "", true), ("board1", "", "board2", "", false),
      ("board1", "", "board1.example.org", "", true), ("", "", "board1", "", false),
      ("board1", "", "", "", true),
      ("board1", "a.b.c 192.0.2.1", "board1", "192.0.2.1", true),
      ("board1", "b.c", "board1", "a.b.c *.b.c", true),
      ("board1", "a.b.c", "board1", "b.c", false), ("board1", "", "board1", "192.168.0.1 fd00::1", true),
      ("board1", "", "board1", "192.0.2.1", false),
    ])
  func permitsAll(
    _ host: String, _ hosts: String, _ otherHost: String, _ otherHosts: String, _ isPermitted: Bool
  )
    throws
  {
    func name(_ host: String, _ hosts: String) throws -> Store {
      let store = try Store(hosts: hosts.split(separator: " ").map(String.init))
      let octets = Array(host.utf8)
      CertificateMemory.copy(octets.span, to: .hostName)
      CertificateMemory.state.host_name_count = UInt32(octets.count)
      return store
    }
    let first = try name(host, hosts)
    let subtrees = try #require(der { CertificateNames.writePermitted(to: &$0) })
    withExtendedLifetime(first) {}
    let second = try name(otherHost, otherHosts)
    CertificateMemory.setAuthority(subtrees.span)
    #expect(CertificateNames.permitsAll(0..<subtrees.count) == isPermitted)
    withExtendedLifetime(second) {}
  }

  @Test(
    "Addresses of /proc/net/if_inet6: those that last",
    arguments: [
      ("fd0000000000000000000000000000ab 02 40 00 80 eth0", true),
      ("fe800000000000000000000000000001 02 40 20 80 eth0", false),
      ("fd0000000000000000000000000000ab 02 40 00 01 eth0", false),
      ("fd0000000000000000000000000000ab 02 40 00 08 eth0", false),
      ("fd0000000000000000000000000000ab 02 40 00 20 eth0", false),
      ("fd0000000000000000000000000000ab 02 40 00 c0 eth0", false),
      ("fd0000000000000000000000000000ab 02 40 00 380 eth0", true),
      ("fd0000000000000000000000000000a 02 40 00 80 eth0", false),
      ("fg0000000000000000000000000000ab 02 40 00 80 eth0", false),
      ("fd0000000000000000000000000000ab 02 40 00", false), ("", false),
      ("00000000000000000000000000000001 01 80 10 80 lo", false),
    ])
  func inet6(_ line: String, _ isTaken: Bool) {
    var addresses = MachineAddresses()
    let octets = Array(line.utf8)
    addresses.add(line: octets.span)
    let (count, first) = (addresses.count, addresses.items[0])
    #expect((count == 1) == isTaken)
    if isTaken { #expect(first == IPAddress(high: 0xFD00 << 48, low: 0xAB)) }
  }

  @Test("Addresses are written as people write them")
  func addressText() {
    for text in [
      "127.0.0.1", "::1", "::", "fd00::ab", "2001:db8::1:0:0:1", "1:0:2:0:3:0:4:0", "1::",
      "fe80:1:2:3:4:5:6:7", "1:2:3:4:5:6:7:0",
    ] {
      let octets = Array(text.utf8)
      let address = IPAddress(octets.span)!
      var bytes = (0..<8).map { UInt8(truncatingIfNeeded: address.high >> UInt64(56 - 8 * $0)) }
      bytes += (0..<8).map { UInt8(truncatingIfNeeded: address.low >> UInt64(56 - 8 * $0)) }
      if address.isIPv4 { bytes = Array(bytes.suffix(4)) }
      #expect(written { CertificateNames.write(address: bytes.span, to: &$0) } == text)
    }
  }

  // MARK: Time

  @Test(
    "On a board that starts in 1970 the certificate is valid for clients whose clock is right, before and after the clock is set"
  )
  func clockNotSet() throws {
    var store = try Store()
    store.moment.unixSeconds = 1_000
    store.moment.isKnown = false
    try store.open()
    let summary = try #require(CertificateStore.summary)
    #expect(summary.notBefore == CertificateMoment.earliest - day)
    #expect(summary.notAfter - summary.notBefore == 825 * day - 1)
    #expect(try store.verify() == "chain.pem: OK\n")
    #expect(store.pass(seconds: 31) == .nothing)
    // NTP sets the clock.
    store.moment.unixSeconds = now
    #expect(store.pass(seconds: 31, isKnown: true) == .renewed)
    let later = try #require(CertificateStore.summary)
    #expect(later.notBefore == store.moment.unixSeconds - day)
    #expect(later.notAfter == store.moment.unixSeconds + 90 * day)
    let (one, other) = ([UInt8](summary.authorityFingerprint.span), [UInt8](later.authorityFingerprint.span))
    #expect(one == other)
    #expect(try store.verify() == "chain.pem: OK\n")
  }

  @Test(
    "A restart without a clock keeps a certificate of 90 days for an hour, and then makes one of 825 days")
  func clockLost() throws {
    var store = try Store()
    try store.open()
    let first = try store.fingerprint()
    store = try Store(store.scratch)
    store.moment.unixSeconds = 0
    store.moment.isKnown = false
    try store.open()
    #expect(try store.fingerprint() == first)
    #expect(store.pass(seconds: 3_599) == .nothing)
    #expect(store.pass(seconds: 31) == .renewed)
    let summary = try #require(CertificateStore.summary)
    // The certificate before said that it was later than the clock.
    #expect(summary.notBefore == now - day)
    #expect(summary.notAfter == now - day + 825 * day - 1)
    #expect(store.pass(seconds: 4_000) == .nothing)
  }

  @Test("A clock that is lost while the program runs changes nothing")
  func clockForgotten() throws {
    var store = try Store()
    try store.open()
    #expect(store.pass(seconds: 10_000, isKnown: false) == .nothing)
  }

  @Test("After two thirds of its days a certificate is renewed")
  func renewal() throws {
    var store = try Store()
    try store.open()
    let first = try store.fingerprint()
    #expect(store.pass(seconds: 59 * day) == .nothing)
    #expect(store.pass(seconds: 2 * day) == .renewed)
    #expect(try store.fingerprint() != first)
    #expect(store.pass(seconds: 31) == .nothing)
    #expect(try store.verify(at: store.moment.unixSeconds + 85 * day) == "chain.pem: OK\n")
    // The key is the same.
    #expect(try Store(store.scratch).words() == "")
  }

  @Test("A certificate of a wrong clock in the future is replaced when the clock is known")
  func clockAhead() throws {
    var store = try Store()
    store.moment.unixSeconds = now + 3_000 * day
    store.moment.isKnown = false
    try store.open()
    store.moment.unixSeconds = now
    #expect(store.pass(seconds: 31, isKnown: true) == .renewed)
    #expect(try store.verify(at: store.moment.unixSeconds) == "chain.pem: OK\n")
    #expect(store.pass(seconds: 31) == .nothing)
  }

  @Test("An authority that ends is said, and tried again after ten minutes only")
  func authorityEnds() throws {
    var store = try Store()
    try store.open()
    let news = store.pass(seconds: 7_305 * day)
    #expect(news == .trouble(CertificateTrouble(.authorityExpired, .none)))
    #expect(store.pass(seconds: 599) == .nothing)
    #expect(store.pass(seconds: 2) == news)
    #expect(try CertificateStore.renewAuthority(store.moment) == nil)
    #expect(store.pass(seconds: 2_000) == .nothing)
    #expect(try store.verify(at: store.moment.unixSeconds) == "chain.pem: OK\n")
  }

  // MARK: Files that are missing or damaged

  @Test("Each state that a power cut between two files can leave is one to start with", arguments: 0..<8)
  func powerCut(_ removed: Int) throws {
    let store = try Store()
    try store.open()
    let files = ["authority.pem", "tls.key", "tls.crt"]
    for (i, name) in files.enumerated() where removed & 1 << i != 0 { store.scratch.remove(name) }
    // What was being written.
    try store.scratch.write("tls.crt.new", "half")
    let again = try Store(store.scratch)
    #expect(again.words() == "")
    #expect(try again.verify() == "chain.pem: OK\n")
    #expect(again.scratch.names.filter { files.contains($0) } == ["authority.pem", "tls.crt", "tls.key"])
    for name in files { #expect(again.scratch.mode(name) == 0o600) }
  }

  @Test(
    "An authority's or server's key that is damaged is said and left alone, and another one is used meanwhile",
    arguments: ["authority.pem", "tls.key"])
  func damaged(_ name: String) throws {
    let store = try Store()
    try store.open()
    let good = try #require(store.scratch.text(name))
    for text in ["", "x", String(good.prefix(good.count / 2)), good.replacing("E", with: "F")] {
      try store.scratch.write(name, text)
      let damaged = try Store(store.scratch)
      let words = damaged.words()
      #expect(words.contains("\(store.scratch.path)/\(name): ") && !words.hasPrefix("refused"), "\(words)")
      #expect(words.hasSuffix("another one is used"), "\(words)")
      #expect(!words.contains("\n"))
      #expect(store.scratch.text(name) == text)
      #expect(CertificateStore.summary.map(\.isStored) == false)
      #expect(try damaged.verify() == "chain.pem: OK\n")
    }
    try store.scratch.write(name, good, mode: 0o644)
    let words = try Store(store.scratch).words()
    #expect(words.hasPrefix("refused ") && words.contains("chmod 600"), "\(words)")
    try store.scratch.write(name, good)
    #expect(try Store(store.scratch).words() == "")
  }

  @Test("Keys of two directories do not mix")
  func mixed() throws {
    let (first, second) = (try Store(), try Scratch())
    try first.open()
    let other = try Store(second)
    try other.open()
    try second.write("tls.crt", try #require(first.scratch.text("tls.crt")))
    let again = try Store(second)
    #expect(again.words() == "")
    #expect(try again.verify() == "chain.pem: OK\n")
    // The key of one authority and the certificate of another.
    let (a, b) = (
      try #require(first.scratch.text("authority.pem")), try #require(second.text("authority.pem"))
    )
    let end = "-----END CERTIFICATE-----\n"
    try second.write(
      "authority.pem", a.components(separatedBy: end)[0] + end + b.components(separatedBy: end)[1])
    #expect(
      try Store(second).words().contains(
        "authority.pem: the private key is not that of the first certificate"))
  }

  @Test("A certificate that is damaged is made anew")
  func damagedCertificate() throws {
    let store = try Store()
    try store.open()
    let good = try #require(store.scratch.text("tls.crt"))
    for text in ["", "x", String(good.prefix(good.count / 2)), good.replacing("I", with: "J")] {
      try store.scratch.write("tls.crt", text)
      let again = try Store(store.scratch)
      let words = again.words()
      #expect(
        words.contains("tls.crt: ") && words.hasSuffix("a new one has been made")
          && !words.contains("refused"), "\(words)")
      #expect(try again.verify() == "chain.pem: OK\n")
    }
  }

  @Test(
    "What cannot be written is used, said, and written later",
    arguments: ["authority.pem", "tls.key", "tls.crt"])
  func diskFull(_ name: String) throws {
    var store = try Store()
    // A folder has the temporary name.
    mkdir(store.scratch.file(name + ".new"), 0o700)
    let words = store.words()
    #expect(words.hasPrefix("\(store.scratch.path)/\(name): "), "\(words)")
    #expect(try #require(CertificateStore.summary).isStored == false)
    let first = try store.fingerprint()
    #expect(try store.verify() == "chain.pem: OK\n")
    // SIGHUP does not make another authority or another key.
    _ = try CertificateStore.reload(store.moment)
    let authority = [UInt8](CertificateStore.authorityCertificate)
    guard case .trouble = store.pass(seconds: 31) else {
      Issue.record("nothing is said")
      return
    }
    rmdir(store.scratch.file(name + ".new"))
    #expect(store.pass(seconds: 601) == .nothing)
    #expect(try #require(CertificateStore.summary).isStored)
    #expect(try Store(store.scratch).words() == "")
    #expect([UInt8](CertificateStore.authorityCertificate) == authority)
    if name != "tls.crt" { #expect(try store.fingerprint() == first) }
  }

  // MARK: Other authorities

  /// An authority of a company's, with a certificate for a request.
  private func answer(
    _ store: Store, rsa: Bool = false, days: Int = 100, from: String = "2026-11-29 12:00:00",
    hasNames: Bool = true
  ) throws -> String {
    let folder = store.scratch.path
    let request = try writtenOctets { (writer) in try CertificateStore.writeRequest(to: &writer) }
    try store.scratch.write("csr.pem", String(decoding: request.octets, as: UTF8.self))
    #expect(
      try must(["openssl", "req", "-verify", "-in", "csr.pem", "-noout", "-text"], in: folder).contains(
        "verify OK"))
    let key = rsa ? ["rsa:2048"] : ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    try must(
      at(from) + ["openssl", "req", "-x509", "-days", "300", "-nodes", "-newkey"] + key + [
        "-keyout", "company.key", "-out", "company.pem", "-subj", "/CN=Company",
      ], in: folder)
    try must(
      at(from) + [
        "openssl", "x509", "-req", "-in", "csr.pem", "-CA", "company.pem", "-CAkey", "company.key", "-days",
        "\(days)", "-out", "answer.pem",
      ] + (hasNames ? ["-copy_extensions", "copyall"] : []), in: folder)
    return try #require(store.scratch.text("answer.pem"))
  }

  private func install(_ store: Store, _ text: String) -> CertificateProblem? {
    install(store, Array(text.utf8))
  }

  private func install(_ store: Store, _ octets: [UInt8]) -> CertificateProblem? {
    do throws(CertificateTrouble) {
      return try CertificateStore.install(answer: octets.span, store.moment)?.problem
    } catch {
      return error.problem
    }
  }

  @Test("A request, its answer, a restart, and the own authority again", arguments: [false, true])
  func request(_ rsa: Bool) throws {
    let store = try Store(hosts: ["panel.example.org", "10.1.2.3"])
    try store.open()
    let own = try store.fingerprint()
    let answer = try answer(store, rsa: rsa)
    let text = try must(["openssl", "req", "-in", "csr.pem", "-noout", "-text"], in: store.scratch.path)
    #expect(text.contains("DNS:panel.example.org\n"), "\(text)")
    #expect(install(store, answer) == nil)
    #expect(CertificateStore.kind == .uploaded && !CertificateStore.isOwnAuthority)
    #expect(try store.fingerprint() != own)
    #expect(names() == "panel.example.org")
    #expect(store.scratch.mode("uploaded.crt") == 0o600)
    let again = try Store(store.scratch)
    #expect(again.words() == "")
    #expect(CertificateStore.kind == .uploaded)
    try again.export()
    #expect(
      try must(
        ["openssl", "verify", "-CAfile", "company.pem", "-attime", "\(now + day)", "chain.pem"],
        in: store.scratch.path) == "chain.pem: OK\n")
    #expect(try CertificateStore.useOwnAuthority(again.moment) == nil)
    #expect(CertificateStore.isOwnAuthority)
    #expect(try again.fingerprint() == own)
    #expect(!again.scratch.names.contains("uploaded.crt"))
  }

  @Test("The answer may have its certificates in any order, or be DER")
  func order() throws {
    let store = try Store()
    try store.open()
    let answer = try answer(store)
    let company = try #require(store.scratch.text("company.pem"))
    #expect(install(store, company + "text between\n" + answer) == nil)
    let first = [UInt8](CertificateMemory.chain)
    #expect(install(store, answer + company) == nil)
    #expect([UInt8](CertificateMemory.chain) == first)
    let own = try required(CertificateStore.own)
    let (issuer, subject) = (own.issuer, own.subject)
    #expect(first[issuer] != first[subject])
    try must(
      ["openssl", "x509", "-in", "answer.pem", "-outform", "DER", "-out", "answer.der"],
      in: store.scratch.path)
    let octets = [UInt8](try #require(FileManager.default.contents(atPath: store.scratch.file("answer.der"))))
    #expect(install(store, octets) == nil)
    #expect([UInt8](CertificateMemory.chain) == octets)
  }

  @Test("An answer that cannot be used changes nothing")
  func badAnswers() throws {
    let store = try Store()
    try store.open()
    let before = try store.fingerprint()
    #expect(install(store, "") == .noCertificate)
    #expect(install(store, "hello") == .noCertificate)
    #expect(install(store, [UInt8](repeating: 0x30, count: 100)) == .malformed)
    #expect(install(store, [UInt8](repeating: 0x41, count: 16_385)) == .tooLong)
    let good = try answer(store)
    let company = try #require(store.scratch.text("company.pem"))
    #expect(install(store, company) == .otherKey)
    #expect(install(store, try answer(store, hasNames: false)) == .noNames)
    #expect(install(store, String(good.prefix(good.count - 40))) == .malformed)
    #expect(install(store, good + String(repeating: company, count: 24)) == .tooLong)
    #expect(install(store, try answer(store, days: 1, from: "2026-11-20 12:00:00")) == .expired)
    #expect(install(store, try answer(store, from: "2026-12-20 12:00:00")) == .notYetValid)
    #expect(CertificateStore.isOwnAuthority)
    #expect(try store.fingerprint() == before)
    #expect(!store.scratch.names.contains("uploaded.crt"))
  }

  @Test("Each prefix of an answer, and each changed octet, is refused or harmless")
  func damagedAnswers() throws {
    let store = try Store()
    try store.open()
    _ = try answer(store)
    try must(
      ["openssl", "x509", "-in", "answer.pem", "-outform", "DER", "-out", "answer.der"],
      in: store.scratch.path)
    let good = [UInt8](try #require(FileManager.default.contents(atPath: store.scratch.file("answer.der"))))
    for count in good.indices {
      var memory = Array(good[0..<count])
      var span = memory.mutableSpan
      let problem = Result { () throws(CertificateProblem) in try CertificateChain.decode(&span, count) }
      #expect(problem == .failure(count == 0 ? .noCertificate : .malformed), "\(count) octets")
    }
    for i in good.indices {
      for bit in 0..<8 {
        var changed = good
        changed[i] ^= 1 << UInt8(bit)
        withGuardedOctets(changed) { octets in
          guard let certificate = Certificate(octets, 0..<octets.count) else { return }
          // Every range is within the octets.
          for range in [
            certificate.whole, certificate.issuer, certificate.subject, certificate.names,
            certificate.permitted,
            certificate.subjectKeyIdentifier, certificate.authorityKeyIdentifier, certificate.point,
          ] {
            #expect(range.upperBound <= octets.count)
          }
        }
      }
    }
  }

  @Test("Random changes of chains and keys are refused or parsed, and never read beyond their octets")
  func randomChanges() throws {
    let store = try Store(hosts: ["panel.example.org"])
    try store.open()
    var random = SeededRandom(7)
    let texts = ["authority.pem", "tls.key", "tls.crt"].map { Array((store.scratch.text($0) ?? "").utf8) }
    for round in 0..<6_000 {
      var text = texts[round % 3]
      for _ in 0...Int.random(in: 0..<4, using: &random) {
        let place = Int.random(in: 0..<text.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: text[place] = UInt8.random(in: 0...255, using: &random)
        case 1: text.remove(at: place)
        case 2: text.insert(UInt8.random(in: 43...122, using: &random), at: place)
        default: text.removeSubrange(place..<min(place + 64, text.count))
        }
        if text.isEmpty { text = [0x2D] }
      }
      var memory = text
      var span = memory.mutableSpan
      if let count = try? CertificateChain.decode(&span, text.count) {
        try withGuardedOctets(Array(memory[0..<count])) { octets in
          let certificate = try required(Certificate(octets, 0..<octets.count))
          #expect(certificate.whole.upperBound <= count)
        }
      }
      memory = text
      span = memory.mutableSpan
      if let key = try? PrivateKey.find(&span, text.count) { #expect(key.range.upperBound <= text.count) }
    }
  }

  @Test("An uploaded certificate that cannot be used is said, and the own authority is used")
  func damagedUpload() throws {
    let store = try Store()
    try store.open()
    #expect(install(store, try answer(store)) == nil)
    let good = try #require(store.scratch.text("uploaded.crt"))
    // Its key is gone.
    let key = try #require(store.scratch.text("tls.key"))
    store.scratch.remove("tls.key")
    var again = try Store(store.scratch)
    var words = again.words()
    #expect(
      words.hasSuffix(
        """
        uploaded.crt: no certificate in it is for this device's key; give the authority the request of this device; \
        the board's own authority is used instead
        """
      ), "\(words)")
    #expect(CertificateStore.isOwnAuthority)
    #expect(try again.verify() == "chain.pem: OK\n")
    try store.scratch.write("tls.key", key)
    #expect(try Store(store.scratch).words() == "")
    #expect(CertificateStore.kind == .uploaded)
    try store.scratch.write("uploaded.crt", String(good.prefix(100)))
    again = try Store(store.scratch)
    words = again.words()
    #expect(words.contains("uploaded.crt: it is damaged"))
    #expect(CertificateStore.isOwnAuthority)
  }

  @Test("The own authority renews nothing while another certificate is in use")
  func uploadedStays() throws {
    var store = try Store()
    try store.open()
    #expect(install(store, try answer(store)) == nil)
    let before = try store.fingerprint()
    #expect(store.pass(seconds: 80 * day) == .nothing)
    #expect(
      refusal { () throws(CertificateTrouble) in try CertificateStore.renew(store.moment) } == .notInUse)
    #expect(try store.fingerprint() == before)
  }

  private func refusal(_ action: () throws(CertificateTrouble) -> CertificateTrouble?) -> CertificateProblem?
  {
    do throws(CertificateTrouble) { return try action()?.problem } catch { return error.problem }
  }

  @Test("What a page asks for is refused where it does not go with the certificate in use")
  func otherKinds() throws {
    let store = try Store()
    try store.open()
    let before = try store.fingerprint()
    #expect(
      refusal { () throws(CertificateTrouble) in try CertificateStore.useOwnAuthority(store.moment) }
        == .notInUse)
    #expect(try store.fingerprint() == before)
    let good = try answer(store)
    CertificateStore.kind = .files
    #expect(
      refusal { () throws(CertificateTrouble) in try CertificateStore.renew(store.moment) } == .notInUse)
    #expect(
      refusal { () throws(CertificateTrouble) in try CertificateStore.renewAuthority(store.moment) }
        == .notInUse)
    #expect(install(store, good) == .notInUse)
    #expect(store.scratch.names.contains("authority.pem") && !store.scratch.names.contains("uploaded.crt"))
    #expect(try store.fingerprint() == before)
  }

  @Test("What had expired before this program was made is refused although the time is not known")
  func expiredLongAgo() throws {
    var store = try Store()
    store.moment.isKnown = false
    try store.open()
    #expect(install(store, try answer(store, days: 1, from: "2025-11-20 12:00:00")) == .expired)
    #expect(install(store, try answer(store, from: "2026-12-20 12:00:00")) == nil)
  }

  @Test("An authority in memory only stays so when its damaged file is read again")
  func damagedAgain() throws {
    let store = try Store()
    try store.open()
    try store.scratch.write("authority.pem", "damaged")
    store.scratch.remove("tls.crt")
    let again = try Store(store.scratch)
    #expect(again.words().contains("authority.pem"))
    #expect(
      refusal { () throws(CertificateTrouble) in try CertificateStore.reload(again.moment) } == .noCertificate
    )
    #expect(try #require(CertificateStore.summary).isStored == false)
    #expect(try CertificateStore.renew(again.moment) == nil)
    #expect(!again.scratch.names.contains("tls.crt"), "nothing is stored of an authority in memory")
  }

  @Test(
    "A new authority comes with a new key, so that copies of the files are of no use",
    arguments: [false, true])
  func newAuthority(_ isUploaded: Bool) throws {
    let store = try Store()
    try store.open()
    let files = ["authority.pem", "tls.key", "tls.crt"]
    let before = files.map { store.scratch.text($0) }
    if isUploaded { #expect(install(store, try answer(store)) == nil) }
    #expect(try CertificateStore.renewAuthority(store.moment) == nil)
    #expect(CertificateStore.isOwnAuthority)
    for (i, name) in files.enumerated() { #expect(store.scratch.text(name) != before[i], "\(name)") }
    #expect(!store.scratch.names.contains("uploaded.crt"))
    #expect(try store.verify() == "chain.pem: OK\n")
    let fingerprint = try store.fingerprint()
    let again = try Store(store.scratch)
    #expect(again.words() == "")
    #expect(try again.fingerprint() == fingerprint)
  }

  @Test("A clock that was wrong, and that nobody confirms, does not decide what is made by hand")
  func wrongClock() throws {
    var store = try Store()
    store.moment.unixSeconds = now + 3_000 * day
    store.moment.isKnown = false
    try store.open()
    store.moment.unixSeconds = now
    #expect(try CertificateStore.renew(store.moment) == nil)
    #expect(try store.verify() == "chain.pem: OK\n")
  }

  // MARK: Files of the administrator

  @Test(
    "Files of OpenSSL are used, with each kind of key, and loaded again",
    arguments: [
      ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], ["rsa:2048"],
      ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
    ])
  func files(_ kind: [String]) throws {
    let store = try Store()
    let make =
      [
        "openssl", "req", "-x509", "-days", "30", "-nodes", "-subj", "/CN=x", "-addext",
        "subjectAltName=DNS:x.example", "-newkey",
      ]
      + kind + ["-keyout", "key", "-out", "chain"]
    try must(make, in: store.scratch.path)
    chmod(store.scratch.file("key"), 0o600)
    try store.openFiles()
    #expect(CertificateStore.kind == .files && !CertificateStore.isOwnAuthority)
    #expect(names() == "x.example")
    let authorityCount = CertificateStore.authorityCertificate.count
    #expect(authorityCount == 0)
    let first = try store.fingerprint()
    // A new key without its certificate is refused, and what is in use stays.
    try must(make.map { $0 == "chain" ? "chain2" : $0 }, in: store.scratch.path)
    do throws(CertificateTrouble) {
      try CertificateStore.reload(store.moment)
      Issue.record("a key of another certificate is used")
    } catch { #expect(error == CertificateTrouble(.mismatch, .key)) }
    #expect(try store.fingerprint() == first)
    rename(store.scratch.file("chain2"), store.scratch.file("chain"))
    #expect(try CertificateStore.reload(store.moment) == nil)
    #expect(try store.fingerprint() != first)
    // One file with both.
    try store.scratch.write(
      "both", try #require(store.scratch.text("key")) + (try #require(store.scratch.text("chain"))))
    try Store(store.scratch).openFiles("both", "both")
    // No page may change anything.
    #expect(install(store, try #require(store.scratch.text("chain"))) == .notInUse)
    #expect(
      refusal { () throws(CertificateTrouble) in try CertificateStore.renew(store.moment) } == .notInUse)
    #expect(CertificateStore.kind == .files)
  }

  @Test("Files that cannot be used are named, with what helps")
  func badFiles() throws {
    let store = try Store()
    func words(_ chain: String = "chain", _ key: String = "key") -> String {
      do throws(CertificateTrouble) {
        try store.openFiles(chain, key)
        return ""
      } catch { return String(error.words) }
    }
    let folder = store.scratch.path
    try must(
      [
        "openssl", "req", "-x509", "-days", "30", "-nodes", "-subj", "/CN=x", "-newkey", "ec", "-pkeyopt",
        "ec_paramgen_curve:P-256", "-keyout", "key", "-out", "chain",
      ], in: folder)
    #expect(words("nothing").hasPrefix("\(folder)/nothing: "))
    #expect(words("chain", "nothing").hasPrefix("\(folder)/nothing: "))
    chmod(store.scratch.file("key"), 0o644)
    #expect(words().contains("\(folder)/key: ") && words().contains("chmod 600"))
    chmod(store.scratch.file("key"), 0o600)
    #expect(words() == "")
    #expect(words("key", "key").hasPrefix("\(folder)/key: there is no certificate in it"))
    chmod(store.scratch.file("chain"), 0o600)
    #expect(words("chain", "chain").hasPrefix("\(folder)/chain: there is no private key in it"))
    try must(
      ["openssl", "ec", "-in", "key", "-aes128", "-passout", "pass:secret", "-out", "locked"], in: folder)
    chmod(store.scratch.file("locked"), 0o600)
    #expect(words("chain", "locked").contains("openssl pkey -in KEY -out FILE"))
    try store.scratch.write("large", String(repeating: "a", count: 20_000))
    #expect(words("large").hasPrefix("\(folder)/large: "))
    #expect(words(folder).contains(": "))
    #expect(words(String(repeating: "a", count: 600)).hasPrefix(""))
  }

  // MARK: Connections

  /// Runs `body` with a place of a connection whose handshake has not begun.
  private func withPlace<R>(_ body: (Int32) throws -> R) throws -> R {
    var ends: [Int32] = [0, 0]
    try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
    defer { for end in ends { close(end) } }
    let place = martlet_tls_open(ends[0])
    defer { if place >= 0 { martlet_tls_close(place) } }
    return try body(place)
  }

  @Test("While connections use the two certificates before, a third one waits")
  func busy() throws {
    var store = try Store()
    try store.open()
    try withPlace { first in
      try #require(first >= 0)
      #expect(try CertificateStore.renew(store.moment) == nil)
      try withPlace { second in
        try #require(second >= 0)
        #expect(try CertificateStore.renew(store.moment) == nil)
        #expect(try #require(CertificateStore.summary).isWaiting)
        #expect(store.pass(seconds: 31) == .nothing)
        #expect(try #require(CertificateStore.summary).isWaiting)
      }
    }
    #expect(store.pass(seconds: 31) == .nothing)
    #expect(try #require(CertificateStore.summary).isWaiting == false)
  }
}
