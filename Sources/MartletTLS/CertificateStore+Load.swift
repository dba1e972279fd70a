// Files → what is in use, and what the own authority makes → files.

import CMartletTLS
import MartletBytes

extension CertificateStore {
  // MARK: The administrator's files

  /// Reads the files that the administrator named, and installs what is in them.
  @inline(never)
  static func loadFiles() throws(CertificateTrouble) {
    defer {
      CertificateCalls.wipe(.otherKey)
      CertificateCalls.wipeKeys()
    }
    var isP256 = false
    var (keyCount, chainCount) = (0, 0)
    do throws(CertificateProblem) {
      let count = try CertificateCalls.read(path: CertificateMemory.secondPath, isSecret: true)
      var text = CertificateMemory.room(.text)
      let key = try PrivateKey.find(&text, count)
      isP256 = key.isP256
      var room = CertificateMemory.room(.otherKey)
      keyCount = try key.copy(text.span, to: &room)
    } catch { throw CertificateTrouble(error, .key) }
    do throws(CertificateProblem) {
      let count = try CertificateCalls.read(path: CertificateMemory.firstPath, isSecret: false)
      var text = CertificateMemory.room(.text)
      chainCount = try CertificateChain.decode(&text, count)
    } catch { throw CertificateTrouble(error, .chain) }
    let chain = CertificateMemory.octets(.text, chainCount)
    do throws(CertificateProblem) {
      let isInstalled = try CertificateCalls.install(
        chain, CertificateMemory.octets(.otherKey, keyCount), isP256: isP256)
      state.waits = isInstalled ? 0 : 1
      // While it waits, it is read again, and what is known is what is in use.
      if isInstalled { CertificateMemory.setChain(chain) }
    } catch {
      throw CertificateTrouble(error, error == .unusableKey || error == .mismatch ? .key : .chain)
    }
  }

  // MARK: The directory

  /// Reads the files of the directory, makes those that are missing, and installs the certificate.
  @inline(never)
  static func loadDirectory(_ moment: CertificateMoment) throws(CertificateTrouble) -> CertificateTrouble? {
    defer { CertificateCalls.wipeKeys() }
    var trouble: CertificateTrouble?
    let former = state.unsaved & CertificateFile.none.bit
    state.unsaved &= ~CertificateFile.none.bit
    do throws(CertificateTrouble) {
      if try !isAuthorityLoaded() {
        try makeAuthority(moment)
        trouble = store(.authority)
      }
    } catch {
      guard isReplaceable(error) else {
        state.unsaved |= former
        throw error
      }
      trouble = error
      try makeAuthority(moment)
    }
    do throws(CertificateTrouble) {
      if try !isKeyLoaded() {
        try makeKey()
        trouble = store(.ownKey) ?? trouble
      }
    } catch {
      guard isReplaceable(error) else {
        state.unsaved |= former
        throw error
      }
      trouble = error
      try makeKey()
    }
    do throws(CertificateProblem) {
      if let count = try CertificateCalls.read(state.directory, CertificateFile.uploaded.name) {
        try useUploaded(count, nil)
        if moment.isKnown, let own, own.notAfter < moment.unixSeconds {
          return CertificateTrouble(.expired, .chain)
        }
        return trouble
      }
    } catch { trouble = CertificateTrouble(error, .uploaded) }
    let other = try useOwn(moment)
    return trouble ?? other ?? (permitsAllNames ? nil : CertificateTrouble(.otherNames, .authority))
  }

  /// Whether the own authority may certify all names that the machine has and the administrator gave.
  static var permitsAllNames: Bool {
    guard let authority else { return true }
    CertificateCalls.readHostName()
    return CertificateNames.permitsAll(authority.permitted)
  }

  /// Whether a file that is damaged is left alone while another key or authority is used until the next start. So a
  /// power cut does not make the device unreachable. A file that others may read is not passed over.
  private static func isReplaceable(_ trouble: CertificateTrouble) -> Bool {
    if case .file(let code) = trouble.problem, CertificateCalls.isOthers(code) { return false }
    guard state.chain_count == 0 else { return false }
    // `none` stands for what is in memory only.
    state.unsaved |= CertificateFile.none.bit
    return true
  }

  /// Reads the authority's certificate and key. `false`: there is no such file.
  private static func isAuthorityLoaded() throws(CertificateTrouble) -> Bool {
    let name = CertificateFile.authority.name
    do throws(CertificateProblem) {
      guard let count = try CertificateCalls.read(state.directory, name) else {
        // What could not be stored is still in memory.
        return state.unsaved & CertificateFile.authority.bit != 0
      }
      var text = CertificateMemory.room(.text)
      let size = try CertificateChain.decode(&text, count)
      guard size <= CertificateMemory.room(.new).count else { throw CertificateProblem.tooLong }
      CertificateMemory.copy(text.span.extracting(first: size), to: .new)
      // Decoding has overwritten the text.
      let key = try readKey(name)
      let octets = CertificateMemory.octets(.new, size)
      guard let key, let certificate = Certificate(octets, 0..<size),
        certificate.subjectKeyIdentifier.count == CertificateWriter.keyIdentifierSize
      else { throw CertificateProblem.malformed }
      guard octets.extracting(certificate.point).equals(try CertificateCalls.publicPoint(key.span).span)
      else {
        throw CertificateProblem.mismatch
      }
      CertificateMemory.setAuthority(octets)
      CertificateMemory.copy(key.span, to: .authorityKey)
      return true
    } catch { throw CertificateTrouble(error, .authority) }
  }

  /// Reads the server's key. `false`: there is no such file.
  private static func isKeyLoaded() throws(CertificateTrouble) -> Bool {
    do throws(CertificateProblem) {
      guard let key = try readKey(CertificateFile.ownKey.name) else {
        return state.unsaved & CertificateFile.ownKey.bit != 0
      }
      // A number that is no key is refused here.
      _ = try CertificateCalls.publicPoint(key.span)
      CertificateMemory.copy(key.span, to: .key)
      return true
    } catch { throw CertificateTrouble(error, .ownKey) }
  }

  /// Reads a key for P-256 of a file of the directory; `nil` where there is no such file.
  private static func readKey(_ name: StaticString) throws(CertificateProblem) -> PrivateKeyOctets? {
    guard let count = try CertificateCalls.read(state.directory, name) else { return nil }
    var text = CertificateMemory.room(.text)
    let key = try PrivateKey.find(&text, count)
    guard key.isP256 else { throw .unusableKey }
    var octets = PrivateKeyOctets(repeating: 0)
    var target = octets.mutableSpan
    _ = try key.copy(text.span, to: &target)
    return octets
  }

  // MARK: Certificates of others

  /// Installs the certificates in the array for text, the first of which must be for the server's key.
  ///
  /// - Parameters:
  ///   - count: The octets of the text.
  ///   - moment: The time of day; `nil` where it does not matter whether clients accept the certificate.
  @inline(never)
  static func useUploaded(_ count: Int, _ moment: CertificateMoment?) throws(CertificateProblem) {
    var text = CertificateMemory.room(.text)
    let size = try CertificateChain.decode(&text, count)
    let point = try CertificateCalls.publicPoint(.key)
    guard let own = CertificateChain.find(text.span.extracting(first: size), point: point.span) else {
      throw .otherKey
    }
    if let moment {
      // What had expired before this program was made has expired whatever the clock says.
      if own.notAfter < (moment.isKnown ? moment.unixSeconds : CertificateMoment.earliest) { throw .expired }
      if moment.isKnown, own.notBefore > moment.unixSeconds { throw .notYetValid }
      if own.names.isEmpty { throw .noNames }
    }
    // Behind the room of the longest chain there is room for a second one: the server's certificate first.
    let start = CertificateLimits.chainSizeMax
    text.move(own.whole, to: start)
    text.move(0..<own.whole.lowerBound, to: start + own.whole.count)
    text.move(own.whole.upperBound..<size, to: start + own.whole.upperBound)
    let chain = CertificateMemory.octets(.text, start + size).extracting(start..<start + size)
    let isInstalled = try CertificateCalls.install(chain, CertificateMemory.key, isP256: true)
    CertificateMemory.setChain(chain)
    kind = .uploaded
    state.waits = isInstalled ? 0 : 1
    state.unsaved &= ~CertificateFile.ownCertificate.bit
  }

  // MARK: The own authority

  /// Makes a new key of the server, in memory.
  static func makeKey() throws(CertificateTrouble) {
    do throws(CertificateProblem) { try CertificateCalls.makeKey(.key) } catch {
      throw CertificateTrouble(error, .ownKey)
    }
  }

  /// Makes a new authority, in memory.
  @inline(never)
  static func makeAuthority(_ moment: CertificateMoment) throws(CertificateTrouble) {
    defer { CertificateCalls.wipeKeys() }
    var former = PrivateKeyOctets(repeating: 0)
    var target = former.mutableSpan
    target.copy(CertificateMemory.octets(.authorityKey, PrivateKeyOctets.count), to: 0)
    do throws(CertificateProblem) {
      try CertificateCalls.makeKey(.authorityKey)
      var der = DERWriter(CertificateMemory.room(.new))
      CertificateCalls.readHostName()
      try CertificateWriter.writeAuthority(floor: moment.floor, to: &der)
      CertificateMemory.setAuthority(der.span)
    } catch {
      // The key and the certificate stay those of one authority.
      CertificateMemory.copy(former.span, to: .authorityKey)
      throw CertificateTrouble(error, .none)
    }
  }

  /// Installs the certificate of the own authority that is in the directory, or a new one.
  @inline(never)
  static func useOwn(_ moment: CertificateMoment) throws(CertificateTrouble) -> CertificateTrouble? {
    kind = .ownAuthority
    var trouble: CertificateTrouble?
    var isLoaded = false
    do throws(CertificateProblem) { isLoaded = try isOwnLoaded() } catch {
      trouble = CertificateTrouble(error, .ownCertificate)
    }
    if isLoaded, !needsRenewal(moment) {
      try install()
      return nil
    }
    try issue(moment)
    let other = store(.ownCertificate)
    return trouble ?? other
  }

  /// Reads the certificate of the own authority. `false`: there is none for this key, or of this authority.
  private static func isOwnLoaded() throws(CertificateProblem) -> Bool {
    guard let count = try CertificateCalls.read(state.directory, CertificateFile.ownCertificate.name) else {
      return false
    }
    var text = CertificateMemory.room(.text)
    let size = try CertificateChain.decode(&text, count)
    let octets = CertificateMemory.octets(.text, size)
    let key = try CertificateCalls.publicPoint(.key)
    guard let certificate = Certificate(octets, 0..<size),
      octets.extracting(certificate.point).equals(key.span), isByAuthority(octets, certificate)
    else { return false }
    CertificateMemory.setChain(octets)
    return true
  }

  @inline(never)
  private static func isByAuthority(_ octets: Span<UInt8>, _ certificate: borrowing Certificate) -> Bool {
    guard let authority else { return false }
    let issuer = CertificateMemory.authority
    return octets.extracting(certificate.authorityKeyIdentifier).equals(
      issuer.extracting(authority.subjectKeyIdentifier))
      && octets.extracting(certificate.issuer).equals(issuer.extracting(authority.subject))
  }

  /// Whether the own authority should make a new certificate.
  @inline(never)
  static func needsRenewal(_ moment: CertificateMoment) -> Bool {
    guard let own, let authority, isByAuthority(CertificateMemory.chain, own) else { return true }
    if moment.floor - own.notBefore > (own.notAfter - own.notBefore) / 3 * 2 { return true }
    let isLong = isForUnknownTime(own)
    if state.was_trusted != 0 {
      if isLong || own.notBefore > moment.floor { return true }
    } else if !isLong,
      moment.monotonicMilliseconds - state.untrusted_from >= CertificateLimits.unknownTimeMilliseconds
    {
      return true
    }
    return lacksNames(own, authority)
  }

  /// Whether a certificate was made while the time of day was not known.
  private static func isForUnknownTime(_ own: borrowing Certificate) -> Bool {
    own.notAfter - own.notBefore > CertificateLimits.knownTimeSeconds + 2 * CertificateLimits.earlySeconds
  }

  /// Whether the machine has a name or an address that the certificate lacks. A name that the machine no longer has
  /// waits for the next renewal, so that a cable that is pulled changes nothing.
  private static func lacksNames(_ own: borrowing Certificate, _ authority: borrowing Certificate) -> Bool {
    CertificateCalls.readHostName()
    var der = DERWriter(CertificateMemory.room(.new))
    CertificateNames.write(permitted: authority.permitted, to: &der)
    let wanted = der.span
    var reader = DERReader(0..<wanted.count)
    while let name = reader.next(wanted) {
      if !CertificateNames.contains(CertificateMemory.chain, own.names, wanted.extracting(name.whole)) {
        return true
      }
    }
    return false
  }

  /// Makes a certificate by the own authority, and installs it.
  @inline(never)
  static func issue(_ moment: CertificateMoment) throws(CertificateTrouble) {
    do throws(CertificateProblem) {
      guard let authority else { throw CertificateProblem.malformed }
      let isKnown = state.was_trusted != 0
      var floor = moment.floor
      // A certificate that was made while the time of day was known says that it is later.
      if !isKnown, let own, !isForUnknownTime(own), isByAuthority(CertificateMemory.chain, own) {
        floor = max(floor, own.notBefore + CertificateLimits.earlySeconds)
      }
      let notBefore = floor - CertificateLimits.earlySeconds
      var notAfter = floor + CertificateLimits.knownTimeSeconds
      if !isKnown { notAfter = notBefore + CertificateLimits.unknownTimeSeconds - 1 }
      notAfter = min(notAfter, authority.notAfter)
      guard notAfter > floor + CertificateLimits.day else { throw CertificateProblem.authorityExpired }
      CertificateCalls.readHostName()
      var der = DERWriter(CertificateMemory.room(.new))
      try CertificateWriter.writeOwn(
        authority: authority, notBefore: notBefore, notAfter: notAfter, to: &der)
      CertificateMemory.setChain(der.span)
    } catch { throw CertificateTrouble(error, .none) }
    try install()
  }

  /// Gives the chain and the server's key to the library. Where connections still use the two chains before, a later
  /// look tries again.
  static func install() throws(CertificateTrouble) {
    do throws(CertificateProblem) {
      let isInstalled = try CertificateCalls.install(
        CertificateMemory.chain, CertificateMemory.key, isP256: true)
      state.waits = isInstalled ? 0 : 1
    } catch { throw CertificateTrouble(error, .none) }
  }

  // MARK: Writing

  /// Writes a file of the directory. A file that cannot be written is tried again later.
  ///
  /// - Returns: Why it could not be written.
  @inline(never)
  static func store(_ file: CertificateFile) -> CertificateTrouble? {
    // Nothing belongs to a key or an authority that is in memory only.
    guard state.unsaved & CertificateFile.none.bit == 0 || file == .uploaded else { return nil }
    defer { CertificateCalls.wipeKeys() }
    var code: Int32 = 0
    do throws(CertificateProblem) {
      let count = try write(file)
      code = CertificateCalls.write(state.directory, file.name, count)
    } catch { return CertificateTrouble(error, file) }
    if code == 0 {
      state.unsaved &= ~file.bit
      return nil
    }
    state.unsaved |= file.bit
    return CertificateTrouble(.file(code), file)
  }

  /// Writes the content of a file to the array for text.
  ///
  /// - Returns: How many octets.
  private static func write(_ file: CertificateFile) throws(CertificateProblem) -> Int {
    var writer = Writer(CertificateMemory.room(.text))
    switch file {
    case .authority:
      PEM.write("CERTIFICATE", CertificateMemory.authority, to: &writer)
      try write(.authorityKey, to: &writer)
    case .ownKey: try write(.key, to: &writer)
    default:
      let chain = CertificateMemory.chain
      var reader = DERReader(0..<chain.count)
      while let certificate = reader.next(chain) {
        PEM.write("CERTIFICATE", chain.extracting(certificate.whole), to: &writer)
      }
    }
    guard !writer.overflowed else { throw .tooLong }
    return writer.count
  }

  /// Writes a private key as PEM text.
  @_lifetime(writer: copy writer)
  private static func write(
    _ area: CertificateMemory.Area, to writer: inout Writer
  ) throws(CertificateProblem) {
    let point = try CertificateCalls.publicPoint(area)
    defer { CertificateCalls.wipe(.new) }
    var der = DERWriter(CertificateMemory.room(.new))
    PrivateKey.write(CertificateMemory.octets(area, PrivateKeyOctets.count), point.span, to: &der)
    PEM.write("EC PRIVATE KEY", der.span, to: &writer)
  }

  /// Writes the files that could not be written before.
  @inline(never)
  static func storeUnsaved() -> CertificateTrouble? {
    var trouble: CertificateTrouble?
    let unsaved = state.unsaved
    if unsaved & CertificateFile.authority.bit != 0 { trouble = store(.authority) }
    if unsaved & CertificateFile.ownKey.bit != 0 { trouble = store(.ownKey) ?? trouble }
    let file: CertificateFile = kind == .uploaded ? .uploaded : .ownCertificate
    if unsaved & file.bit != 0 { trouble = store(file) ?? trouble }
    return trouble
  }
}
