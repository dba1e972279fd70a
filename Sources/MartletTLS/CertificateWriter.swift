// A key, names and dates → a certificate or a certificate request in DER (RFC 5280, RFC 2986), signed with ECDSA
// over P-256 and SHA-256 (RFC 5758 §3.2).
//
// A key identifier is the first 20 octets of the SHA-256 of the point (RFC 7093 §2).

import CMartletTLS
import MartletBytes
import MartletToken

/// What bounds certificates.
public enum CertificateLimits {
  /// Octets of a chain in DER. An RSA chain of four certificates has some 6,000. Beyond: refused.
  public static var chainSizeMax: Int { Int(MARTLET_TLS_CHAIN_SIZE) }

  /// Octets of PEM text that is read or uploaded. Beyond: refused.
  public static var textSizeMax: Int { Int(MARTLET_CERTIFICATE_TEXT_SIZE) }

  /// Octets of the host names that people give, with a blank after each. Beyond: left out.
  public static var hostsSizeMax: Int { Int(MARTLET_CERTIFICATE_HOSTS_SIZE) }

  /// Octets of a private key in DER. Beyond: refused.
  static var keySizeMax: Int { Int(MARTLET_CERTIFICATE_KEY_SIZE) }

  /// Addresses of the machine in a certificate. Further addresses are left out.
  public static var addressCountMax: Int { 16 }

  /// Octets of the machine's name in the name of an authority, which has 64 (ub-common-name, RFC 5280 A.1). A
  /// longer name is cut.
  static var shownHostSizeMax: Int { 40 }

  // Lifetimes in seconds.

  static var day: Int64 { 86_400 }

  /// 20 years of an authority: as long as a board may be in use, because each browser must be given a new
  /// authority.
  static var authoritySeconds: Int64 { 7_305 * day }

  /// 90 days of a certificate that is made while the time of day is known.
  static var knownTimeSeconds: Int64 { 90 * day }

  /// 825 days of a certificate that is made while the time of day is not known. Systems of Apple accept no longer
  /// ones of an authority that a user has added.
  static var unknownTimeSeconds: Int64 { 825 * day }

  /// How long before now a certificate begins: clients' clocks are wrong by hours where they are wrong.
  static var earlySeconds: Int64 { day }

  /// Milliseconds between two looks at names, addresses and dates.
  static var lookMilliseconds: Int64 { 30_000 }

  /// Milliseconds until the next look after something has failed.
  static var troubleMilliseconds: Int64 { 600_000 }

  /// Milliseconds after which a time of day that is still not known is expected to stay unknown.
  static var unknownTimeMilliseconds: Int64 { 3_600_000 }
}

enum CertificateWriter {
  private static var signatureAlgorithm: StaticString { "300a06082a8648ce3d040302" }

  /// Octets of a key identifier.
  static var keyIdentifierSize: Int { 20 }

  /// The SHA-256 of a point, whose first octets are the key identifier.
  @inline(never)
  static func keyIdentifier(_ point: Span<UInt8>) -> Digest {
    var hash = SHA256()
    hash.update(point)
    return hash.finish()
  }

  // MARK: Certificates

  /// Writes the certificate of a new authority, signed by its own key in its array.
  ///
  /// - Parameters:
  ///   - floor: A moment that is not later than now, in Unix seconds.
  @inline(never)
  @_lifetime(der: copy der)
  static func writeAuthority(floor: Int64, to der: inout DERWriter) throws(CertificateProblem) {
    let point = try CertificateCalls.publicPoint(.authorityKey)
    let identifier = keyIdentifier(point.span)
    let (outer, body) = begin(&der)
    writeAuthorityName(identifier, to: &der)
    // The authority is valid from a date on that was before any clock which is set. So it is valid wherever the
    // board's clock was wrong.
    write(
      notBefore: CertificateMoment.earliest - CertificateLimits.earlySeconds,
      notAfter: max(floor, CertificateMoment.earliest) + CertificateLimits.authoritySeconds, to: &der)
    writeAuthorityName(identifier, to: &der)
    write(point: point, to: &der)
    let (tagged, list) = (der.begin(DERTag.constructed(3)), der.begin(DERTag.sequence))
    // basicConstraints: an authority, of servers only; keyUsage: keyCertSign; extKeyUsage: serverAuth.
    der.append(hexadecimal: "30120603551d130101ff040830060101ff020100")
    der.append(hexadecimal: "300e0603551d0f0101ff040403020204")
    der.append(hexadecimal: "30130603551d25040c300a06082b06010505070301")
    der.append(hexadecimal: "301d0603551d0e04160414")
    der.append(identifier.span.extracting(first: keyIdentifierSize))
    let constraints = der.begin(DERTag.sequence)
    der.append(hexadecimal: "0603551d1e0101ff")
    let value = der.begin(DERTag.octetString)
    let (subtrees, permitted) = (der.begin(DERTag.sequence), der.begin(DERTag.constructed(0)))
    CertificateNames.writePermitted(to: &der)
    der.end(permitted)
    der.end(subtrees)
    der.end(value)
    der.end(constraints)
    der.end(list)
    der.end(tagged)
    try end(outer, body, .authorityKey, &der)
  }

  /// Writes a certificate for the server's key, signed by the own authority.
  @inline(never)
  @_lifetime(der: copy der)
  static func writeOwn(
    authority: borrowing Certificate, notBefore: Int64, notAfter: Int64, to der: inout DERWriter
  ) throws(CertificateProblem) {
    let point = try CertificateCalls.publicPoint(.key)
    let identifier = keyIdentifier(point.span)
    let authorityOctets = CertificateMemory.authority
    let (outer, body) = begin(&der)
    der.append(authorityOctets.extracting(authority.subject))
    write(notBefore: notBefore, notAfter: notAfter, to: &der)
    // The blanks keep verifiers from taking the text for a host name.
    let subject = beginName(&der)
    der.append("martlet on ")
    appendShown(to: &der)
    endName(subject, &der)
    write(point: point, to: &der)
    let (tagged, list) = (der.begin(DERTag.constructed(3)), der.begin(DERTag.sequence))
    // basicConstraints: no authority; keyUsage: digitalSignature; extKeyUsage: serverAuth.
    der.append(hexadecimal: "300c0603551d130101ff04023000")
    der.append(hexadecimal: "300e0603551d0f0101ff040403020780")
    der.append(hexadecimal: "30130603551d25040c300a06082b06010505070301")
    der.append(hexadecimal: "301d0603551d0e04160414")
    der.append(identifier.span.extracting(first: keyIdentifierSize))
    der.append(hexadecimal: "301f0603551d23041830168014")
    der.append(authorityOctets.extracting(authority.subjectKeyIdentifier))
    let (names, value, elements) = beginNames(&der)
    CertificateNames.write(permitted: authority.permitted, to: &der)
    der.end(elements)
    der.end(value)
    der.end(names)
    der.end(list)
    der.end(tagged)
    try end(outer, body, .authorityKey, &der)
  }

  /// Writes a request for a certificate of the server's key (PKCS #10).
  @inline(never)
  @_lifetime(der: copy der)
  static func writeRequest(to der: inout DERWriter) throws(CertificateProblem) {
    let point = try CertificateCalls.publicPoint(.key)
    let outer = der.begin(DERTag.sequence)
    let body = der.begin(DERTag.sequence)
    der.append(hexadecimal: "020100")
    let subject = beginName(&der)
    appendShown(to: &der)
    endName(subject, &der)
    write(point: point, to: &der)
    let attributes = der.begin(DERTag.constructed(0))
    let attribute = der.begin(DERTag.sequence)
    // extensionRequest (RFC 2985 §5.4.2).
    der.append(hexadecimal: "06092a864886f70d01090e")
    let values = der.begin(DERTag.set)
    let list = der.begin(DERTag.sequence)
    let (names, value, elements) = beginNames(&der)
    CertificateNames.writeRequested(to: &der)
    der.end(elements)
    der.end(value)
    der.end(names)
    der.end(list)
    der.end(values)
    der.end(attribute)
    der.end(attributes)
    try end(outer, body, .key, &der)
  }

  // MARK: Parts

  /// Begins a certificate: version 3, a random serial number, and the algorithm.
  @inline(never)
  @_lifetime(der: copy der)
  private static func begin(_ der: inout DERWriter) -> (outer: Int, body: Int) {
    let outer = der.begin(DERTag.sequence)
    let body = der.begin(DERTag.sequence)
    der.append(hexadecimal: "a003020102")
    var serial = InlineArray<16, UInt8>(repeating: 0)
    var target = serial.mutableSpan
    Random.fill(&target)
    // Positive, and neither shorter nor longer than 16 octets.
    serial[0] = serial[0] & 0x3F | 0x40
    der.append(DERTag.integer, serial.span)
    der.append(hexadecimal: signatureAlgorithm)
    return (outer, body)
  }

  /// Ends the part that is signed, signs it with the key in an array, and ends the whole.
  ///
  /// - Parameter outer: Where the part that is signed begins.
  @inline(never)
  @_lifetime(der: copy der)
  private static func end(
    _ outer: Int, _ body: Int, _ key: CertificateMemory.Area, _ der: inout DERWriter
  ) throws(CertificateProblem) {
    der.end(body)
    guard !der.overflowed else { throw .tooLong }
    var hash = SHA256()
    hash.update(der.span.extracting(outer..<der.count))
    let signature = try CertificateCalls.sign(hash.finish(), key)
    der.append(hexadecimal: signatureAlgorithm)
    let bits = der.begin(DERTag.bitString)
    der.append(0)
    let pair = der.begin(DERTag.sequence)
    append(integer: signature.span.extracting(0..<32), to: &der)
    append(integer: signature.span.extracting(32..<64), to: &der)
    der.end(pair)
    der.end(bits)
    der.end(outer)
    guard !der.overflowed else { throw .tooLong }
  }

  /// Appends a positive integer in its shortest form.
  @inline(never)
  @_lifetime(der: copy der)
  static func append(integer octets: Span<UInt8>, to der: inout DERWriter) {
    var start = 0
    while start < octets.count - 1, octets[start] == 0 { start += 1 }
    let content = der.begin(DERTag.integer)
    if octets[start] > 0x7F { der.append(0) }
    der.append(octets.extracting(start..<octets.count))
    der.end(content)
  }

  @inline(never)
  @_lifetime(der: copy der)
  private static func write(notBefore: Int64, notAfter: Int64, to der: inout DERWriter) {
    let validity = der.begin(DERTag.sequence)
    der.append(date: notBefore)
    der.append(date: notAfter)
    der.end(validity)
  }

  /// Appends SubjectPublicKeyInfo of a key for P-256 (RFC 5480 §2).
  @inline(never)
  @_lifetime(der: copy der)
  private static func write(point: PublicPoint, to der: inout DERWriter) {
    der.append(hexadecimal: "3059301306072a8648ce3d020106082a8648ce3d030107034200")
    der.append(point.span)
  }

  /// Begins a name that consists of a common name: three elements around it.
  @inline(never)
  @_lifetime(der: copy der)
  private static func beginName(_ der: inout DERWriter) -> InlineArray<4, Int> {
    var starts = InlineArray<4, Int>(repeating: 0)
    starts[0] = der.begin(DERTag.sequence)
    starts[1] = der.begin(DERTag.set)
    starts[2] = der.begin(DERTag.sequence)
    // id-at-commonName.
    der.append(hexadecimal: "0603550403")
    starts[3] = der.begin(DERTag.utf8String)
    return starts
  }

  @inline(never)
  @_lifetime(der: copy der)
  private static func endName(_ starts: InlineArray<4, Int>, _ der: inout DERWriter) {
    for place in 0..<4 { der.end(starts[3 - place]) }
  }

  /// Appends the machine's name for people.
  @inline(never)
  @_lifetime(der: copy der)
  private static func appendShown(to der: inout DERWriter) {
    let name = CertificateMemory.hostName
    guard !name.isEmpty else { return der.append("localhost") }
    der.append(name.extracting(0..<min(name.count, CertificateLimits.shownHostSizeMax)))
  }

  /// Appends the authority's name: `martlet of board (5f3a9c21)`, with the start of the key identifier, so that each
  /// authority has another name.
  @inline(never)
  @_lifetime(der: copy der)
  private static func writeAuthorityName(_ identifier: Digest, to der: inout DERWriter) {
    let starts = beginName(&der)
    der.append("martlet of ")
    appendShown(to: &der)
    der.append(" (")
    for i in 0..<4 {
      der.append(ASCII.hexadecimal(identifier[i] >> 4))
      der.append(ASCII.hexadecimal(identifier[i] & 15))
    }
    der.append(0x29)
    endName(starts, &der)
  }

  /// Begins the extension subjectAltName.
  @inline(never)
  @_lifetime(der: copy der)
  private static func beginNames(_ der: inout DERWriter) -> (extension: Int, value: Int, elements: Int) {
    let start = der.begin(DERTag.sequence)
    der.append(hexadecimal: "0603551d11")
    let value = der.begin(DERTag.octetString)
    return (start, value, der.begin(DERTag.sequence))
  }
}
