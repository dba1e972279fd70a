// The certificate that clients get: where it comes from, when it is renewed, and what pages may do with it.
//
//     open ──► files of the administrator ────────────────────────────┐
//         └──► directory ─ authority.pem ─ tls.key ─ uploaded.crt ────┼──► martlet_tls_install
//                                          │         └ tls.crt ───────┘
//     tick ──► renews tls.crt: dates, names and addresses, the clock
//
//     authority.pem   certificate and private key of the board's own authority
//     tls.key         the server's private key, which stays the same
//     tls.crt         a certificate for it, made by the own authority
//     uploaded.crt    certificates of another authority, in answer to the request for tls.key; used where it is there
//
// Each file is replaced in one step, and what belongs together is one file. So a power cut leaves either nothing, or
// what was before, or what is new: each is a state to start with. A file that is damaged is left as it is.
//
// Invariant: what is installed stays in use until something else has been installed.

import CMartletTLS
public import MartletBytes
public import MartletToken

/// Where the certificate comes from.
public enum CertificateKind: UInt8, Sendable {
  /// The store has not been opened.
  case none
  /// Files that the administrator named.
  case files
  /// The board's own authority has made it.
  case ownAuthority
  /// Another authority has made it for the server's key, and it has been uploaded.
  case uploaded
}

/// What has happened in a turn of the loop.
public enum CertificateNews: Equatable, Sendable {
  case nothing
  /// The own authority has made a new certificate.
  case renewed
  /// A new certificate could not be made, installed or stored. What was installed stays in use.
  case trouble(CertificateTrouble)
}

/// Facts about what is in use.
public struct CertificateSummary: Sendable {
  public let kind: CertificateKind
  /// The dates of the server's certificate, in Unix seconds.
  public let notBefore: Int64
  public let notAfter: Int64
  /// SHA-256 of the server's certificate.
  public let fingerprint: Digest
  /// The end of the own authority, and the SHA-256 of its certificate; 0 without one.
  public let authorityNotAfter: Int64
  public let authorityFingerprint: Digest
  /// Whether all that must outlive a restart is on the disk.
  public let isStored: Bool
  /// Whether the own authority may certify the machine's name, and all that the administrator gave. A machine with a
  /// new name needs a new authority for it.
  public let permitsNames: Bool
  /// Whether the certificate waits until connections that use an older one have ended.
  public let isWaiting: Bool
}

/// The certificate of the program. One program has one.
public enum CertificateStore {
  // MARK: State

  static var state: martlet_certificate_state {
    get { CertificateMemory.state }
    _modify { yield &CertificateMemory.state }
  }

  /// Where the certificate in use comes from.
  public internal(set) static var kind: CertificateKind {
    get { CertificateKind(rawValue: state.kind) ?? .none }
    set { state.kind = newValue.rawValue }
  }

  /// Whether a new certificate waits until connections that use an older one have ended.
  public static var isWaiting: Bool { state.waits != 0 }

  /// Whether the board's own authority has made the certificate, so that clients may not know its issuer.
  public static var isOwnAuthority: Bool { kind == .ownAuthority }

  /// The certificate that clients get first.
  static var own: Certificate? {
    @inline(never) get {
      let chain = CertificateMemory.chain
      return Certificate(chain, 0..<chain.count)
    }
  }

  /// The certificate of the own authority, or `nil`.
  static var authority: Certificate? {
    @inline(never) get {
      let octets = CertificateMemory.authority
      return Certificate(octets, 0..<octets.count)
    }
  }

  // MARK: Opening

  /// Adds a host name, or an address, that clients use, before the store is opened: that of an option `--host`.
  ///
  /// - Returns: Whether a certificate can have the name, and there was room.
  @discardableResult
  public static func addHost(_ name: Span<UInt8>) -> Bool {
    let start = Int(state.hosts_count)
    guard CertificateNames.isName(name) || IPAddress(name) != nil,
      name.count + 1 <= CertificateLimits.hostsSizeMax - start
    else { return false }
    var hosts = CertificateMemory.room(.hosts)
    for i in name.indices { hosts[start + i] = ASCII.lowercased(name[i]) }
    hosts[start + name.count] = 0x20
    state.hosts_count = UInt32(start + name.count + 1)
    return true
  }

  /// Uses files that the administrator named.
  ///
  /// - Parameters:
  ///   - chain: The path of PEM text with the server's certificate, and those between it and its authority's.
  ///   - key: The path of PEM text with the private key, which only this user, or root's group, may read.
  /// - Throws: Why both cannot be used.
  public static func open(
    chain: Span<UInt8>, key: Span<UInt8>, _ moment: CertificateMoment
  ) throws(CertificateTrouble) {
    try setPath(chain, .firstPath, .chain)
    try setPath(key, .secondPath, .key)
    kind = .files
    start(moment)
    try loadFiles()
  }

  /// Uses a directory of this program's own, which is made where it is missing. Without an authority in it a new one
  /// is made.
  ///
  /// - Returns: What the administrator should know, although the certificate can be used.
  /// - Throws: Why there is nothing to use.
  @discardableResult
  public static func open(
    directory path: Span<UInt8>, _ moment: CertificateMoment
  ) throws(CertificateTrouble) -> CertificateTrouble? {
    try setPath(path, .firstPath, .directory)
    do throws(CertificateProblem) {
      state.directory = try CertificateCalls.openDirectory(path)
    } catch { throw CertificateTrouble(error, .directory) }
    kind = .ownAuthority
    start(moment)
    return try loadDirectory(moment)
  }

  private static func setPath(
    _ path: Span<UInt8>, _ area: CertificateMemory.Area, _ file: CertificateFile
  ) throws(CertificateTrouble) {
    guard path.count <= CertificateMemory.room(area).count else {
      throw CertificateTrouble(.file(CertificateCalls.badName), file)
    }
    CertificateMemory.copy(path, to: area)
    if area == .firstPath {
      state.first_path_count = UInt32(path.count)
    } else {
      state.second_path_count = UInt32(path.count)
    }
  }

  private static func start(_ moment: CertificateMoment) {
    state.next_look = moment.monotonicMilliseconds + CertificateLimits.lookMilliseconds
    state.untrusted_from = moment.monotonicMilliseconds
    state.was_trusted = moment.isKnown ? 1 : 0
  }

  /// Reads all files again and uses what is in them, when the administrator asks for it (SIGHUP).
  ///
  /// - Throws: Why they cannot be used. What was in use stays so.
  @discardableResult
  public static func reload(_ moment: CertificateMoment) throws(CertificateTrouble) -> CertificateTrouble? {
    switch kind {
    case .none: return nil
    case .files:
      try loadFiles()
      return nil
    case .ownAuthority, .uploaded: return try loadDirectory(moment)
    }
  }

  // MARK: Time

  /// Renews the certificate when two thirds of its days are over, or when the time of day has become known. A new name
  /// or address of the machine is another reason. For each turn of the loop.
  ///
  /// - Complexity: A comparison, but for every 30 seconds.
  public static func tick(_ moment: CertificateMoment) -> CertificateNews {
    guard kind != .none, moment.monotonicMilliseconds >= state.next_look else { return .nothing }
    state.next_look = moment.monotonicMilliseconds + CertificateLimits.lookMilliseconds
    if moment.isKnown { state.was_trusted = 1 }
    let news = look(moment)
    if case .trouble = news {
      state.next_look = moment.monotonicMilliseconds + CertificateLimits.troubleMilliseconds
    }
    return news
  }

  @inline(never)
  private static func look(_ moment: CertificateMoment) -> CertificateNews {
    defer { martlet_certificate_end_call() }
    do throws(CertificateTrouble) {
      if state.waits != 0 {
        if kind == .files {
          try loadFiles()
        } else {
          try install()
        }
      }
      if kind == .ownAuthority, needsRenewal(moment) {
        try issue(moment)
        if let trouble = store(.ownCertificate) { return .trouble(trouble) }
        return .renewed
      }
      if let trouble = storeUnsaved() { return .trouble(trouble) }
      return .nothing
    } catch { return .trouble(error) }
  }

  // MARK: What pages do

  /// Makes a new certificate by the own authority, although it is not time to.
  @discardableResult
  public static func renew(_ moment: CertificateMoment) throws(CertificateTrouble) -> CertificateTrouble? {
    guard kind == .ownAuthority else { throw CertificateTrouble(.notInUse, .none) }
    try issue(moment)
    return store(.ownCertificate)
  }

  /// Makes a new authority and a new key of the server. That is for a machine with a new name, and for files that
  /// somebody may have copied. What was uploaded is removed, because it is for the former key. Every browser must be
  /// given the new authority's certificate.
  @discardableResult
  public static func renewAuthority(
    _ moment: CertificateMoment
  ) throws(CertificateTrouble) -> CertificateTrouble? {
    guard kind == .ownAuthority || kind == .uploaded else { throw CertificateTrouble(.notInUse, .none) }
    try removeUploaded()
    try makeAuthority(moment)
    try makeKey()
    kind = .ownAuthority
    try issue(moment)
    let (first, second, third) = (store(.ownKey), store(.authority), store(.ownCertificate))
    return first ?? second ?? third
  }

  /// Writes a request for a certificate of the server's key, as PEM text of at most 3,000 octets.
  @_lifetime(writer: copy writer)
  public static func writeRequest(to writer: inout Writer) throws(CertificateTrouble) {
    guard kind == .ownAuthority || kind == .uploaded else { return }
    var count = 0
    do throws(CertificateProblem) {
      CertificateCalls.readHostName()
      var der = DERWriter(CertificateMemory.room(.new))
      try CertificateWriter.writeRequest(to: &der)
      count = der.count
    } catch { throw CertificateTrouble(error, .none) }
    PEM.write("CERTIFICATE REQUEST", CertificateMemory.octets(.new, count), to: &writer)
  }

  /// Uses certificates that another authority has made for the server's key.
  ///
  /// - Parameter answer: PEM text with the server's certificate and those between it and its authority's, in any order,
  ///   or a single certificate in DER.
  /// - Returns: What the administrator should know, although the certificate is in use.
  /// - Throws: Why it cannot be used. What was in use stays so.
  @discardableResult
  public static func install(
    answer: Span<UInt8>, _ moment: CertificateMoment
  ) throws(CertificateTrouble) -> CertificateTrouble? {
    guard answer.count <= CertificateLimits.textSizeMax else { throw CertificateTrouble(.tooLong, .none) }
    return try install(moment) { room in
      room.copy(answer, to: 0)
      return answer.count
    }
  }

  /// Uses certificates that another authority has made for the server's key.
  ///
  /// - Parameter fill: Writes the answer to memory of `CertificateLimits.textSizeMax` octets, and returns how many
  ///   octets there are; `nil` where there is no room.
  @discardableResult
  public static func install(
    _ moment: CertificateMoment, _ fill: (inout MutableSpan<UInt8>) -> Int?
  ) throws(CertificateTrouble) -> CertificateTrouble? {
    guard kind == .ownAuthority || kind == .uploaded else { throw CertificateTrouble(.notInUse, .none) }
    var room = CertificateMemory.room(.text)
    guard let count = fill(&room) else { throw CertificateTrouble(.tooLong, .none) }
    do throws(CertificateProblem) {
      try useUploaded(count, moment)
    } catch { throw CertificateTrouble(error, .none) }
    return store(.uploaded)
  }

  /// Uses the own authority again, and removes what was uploaded.
  @discardableResult
  public static func useOwnAuthority(
    _ moment: CertificateMoment
  ) throws(CertificateTrouble) -> CertificateTrouble? {
    guard kind == .uploaded else { throw CertificateTrouble(.notInUse, .none) }
    try removeUploaded()
    return try useOwn(moment)
  }

  private static func removeUploaded() throws(CertificateTrouble) {
    do throws(CertificateProblem) {
      try CertificateCalls.remove(state.directory, CertificateFile.uploaded.name)
    } catch { throw CertificateTrouble(error, .uploaded) }
    state.unsaved &= ~CertificateFile.uploaded.bit
  }

  // MARK: Facts

  /// Facts about what is in use; `nil` before the store has been opened.
  public static var summary: CertificateSummary? {
    guard kind != .none, let own else { return nil }
    var authorityNotAfter: Int64 = 0
    if let authority { authorityNotAfter = authority.notAfter }
    return CertificateSummary(
      kind: kind, notBefore: own.notBefore, notAfter: own.notAfter,
      fingerprint: fingerprint(CertificateMemory.chain.extracting(own.whole)),
      authorityNotAfter: authorityNotAfter,
      authorityFingerprint: fingerprint(CertificateMemory.authority),
      isStored: state.unsaved == 0, permitsNames: kind != .ownAuthority || permitsAllNames,
      isWaiting: isWaiting)
  }

  private static func fingerprint(_ octets: Span<UInt8>) -> Digest {
    var hash = SHA256()
    hash.update(octets)
    return hash.finish()
  }

  /// The certificate of the own authority in DER, for browsers; empty without an authority. It stays until a new
  /// authority is made.
  public static var authorityCertificate: Span<UInt8> {
    @_lifetime(immortal) get { CertificateMemory.authority }
  }

  /// Writes the names and addresses of the certificate in use, with `, ` between.
  @inline(never)
  @_lifetime(writer: copy writer)
  public static func writeNames(to writer: inout Writer) {
    guard let own else { return }
    let octets = CertificateMemory.chain
    var reader = DERReader(own.names)
    var isFirst = true
    while let element = reader.next(octets) {
      guard element.tag == CertificateNames.dnsName || element.tag == CertificateNames.ipAddress else {
        continue
      }
      if !isFirst { writer.append(", ") }
      isFirst = false
      let content = octets.extracting(element.content)
      if element.tag == CertificateNames.ipAddress {
        CertificateNames.write(address: content, to: &writer)
      } else {
        // Names come from outside where the certificate has been uploaded.
        for i in content.indices { writer.append(ASCII.isControl(content[i]) ? 0x3F : content[i]) }
      }
    }
  }
}
