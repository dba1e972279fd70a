// DER of an X.509 certificate → where its parts are (RFC 5280 §4.1).
//
//     Certificate    = SEQUENCE { tbsCertificate, signatureAlgorithm, signature }
//     tbsCertificate = SEQUENCE { [0] version, serialNumber, signature, issuer, validity, subject,
//                                 subjectPublicKeyInfo, [1], [2], [3] extensions }
//
// Signatures are not verified: a certificate is the server's own, and its clients verify it.

import MartletBytes

/// The parts of a certificate, as ranges of the octets that it lies in.
package struct Certificate: ~Copyable {
  private let isReadInPlace = ByAddress()

  package private(set) var whole = 0..<0
  /// The names of issuer and subject, with tag and length.
  package private(set) var issuer = 0..<0
  package private(set) var subject = 0..<0
  package private(set) var notBefore: Int64 = 0
  package private(set) var notAfter: Int64 = 0
  /// The public point where the key is for P-256: 4, x, y. Empty for another key.
  package private(set) var point = 0..<0
  // Of extensions; empty where the certificate has none.
  /// The elements of GeneralNames in subjectAltName.
  package private(set) var names = 0..<0
  /// The subtrees that nameConstraints permits.
  package private(set) var permitted = 0..<0
  package private(set) var subjectKeyIdentifier = 0..<0
  package private(set) var authorityKeyIdentifier = 0..<0

  /// Parses the certificate at the start of a range.
  ///
  /// - Returns: `nil` for what is no certificate in DER.
  @inline(never)
  package init?(_ octets: Span<UInt8>, _ range: Range<Int>) {
    self.init()
    guard read(octets, range) else { return nil }
  }

  private init() {}

  private mutating func read(_ octets: Span<UInt8>, _ range: Range<Int>) -> Bool {
    var outer = DERReader(range)
    guard let element = outer.next(octets), element.tag == DERTag.sequence else { return false }
    whole = element.whole
    var parts = DERReader(element.content)
    guard let body = parts.next(octets, DERTag.sequence), parts.next(octets, DERTag.sequence) != nil,
      parts.next(octets, DERTag.bitString) != nil, parts.isAtEnd
    else { return false }
    var reader = DERReader(body)
    // The version, which one of version 1 lacks; serial number, algorithm.
    _ = reader.next(octets, DERTag.constructed(0))
    guard reader.next(octets, DERTag.integer) != nil, reader.next(octets, DERTag.sequence) != nil,
      let issuer = reader.next(octets), issuer.tag == DERTag.sequence,
      let validity = reader.next(octets, DERTag.sequence),
      let subject = reader.next(octets), subject.tag == DERTag.sequence,
      let keyInfo = reader.next(octets, DERTag.sequence)
    else { return false }
    self.issuer = issuer.whole
    self.subject = subject.whole
    var dates = DERReader(validity)
    guard let first = dates.next(octets), let notBefore = octets.certificateDate(first),
      let last = dates.next(octets), let notAfter = octets.certificateDate(last)
    else { return false }
    self.notBefore = notBefore
    self.notAfter = notAfter
    point = Self.point(octets, keyInfo)
    while let element = reader.next(octets) {
      guard element.tag == DERTag.constructed(3) else { continue }
      var extensions = DERReader(element.content)
      guard let list = extensions.next(octets, DERTag.sequence) else { return false }
      guard readExtensions(octets, list) else { return false }
    }
    return reader.isAtEnd
  }

  /// The point of SubjectPublicKeyInfo, where the algorithm is a key for P-256.
  private static func point(_ octets: Span<UInt8>, _ keyInfo: Range<Int>) -> Range<Int> {
    var reader = DERReader(keyInfo)
    guard let algorithm = reader.next(octets, DERTag.sequence),
      octets.equals(algorithm, hexadecimal: "06072a8648ce3d020106082a8648ce3d030107"),
      let bits = reader.next(octets, DERTag.bitString), bits.count == 66, octets[bits.lowerBound] == 0
    else { return 0..<0 }
    return bits.lowerBound + 1..<bits.upperBound
  }

  private mutating func readExtensions(_ octets: Span<UInt8>, _ list: Range<Int>) -> Bool {
    var reader = DERReader(list)
    while let content = reader.next(octets, DERTag.sequence) {
      var parts = DERReader(content)
      guard let kind = parts.next(octets, DERTag.objectIdentifier) else { return false }
      _ = parts.next(octets, DERTag.boolean)
      guard let value = parts.next(octets, DERTag.octetString) else { return false }
      // All that matter here are 2.5.29.N.
      guard kind.count == 3, octets[kind.lowerBound] == 0x55, octets[kind.lowerBound + 1] == 0x1D else {
        continue
      }
      var inner = DERReader(value)
      switch octets[kind.lowerBound + 2] {
      case 14: subjectKeyIdentifier = inner.next(octets, DERTag.octetString) ?? 0..<0
      case 17: names = inner.next(octets, DERTag.sequence) ?? 0..<0
      case 30:
        guard let constraints = inner.next(octets, DERTag.sequence) else { return false }
        var subtrees = DERReader(constraints)
        permitted = subtrees.next(octets, DERTag.constructed(0)) ?? 0..<0
      case 35:
        guard let identifier = inner.next(octets, DERTag.sequence) else { return false }
        var fields = DERReader(identifier)
        authorityKeyIdentifier = fields.next(octets, DERTag.primitive(0)) ?? 0..<0
      default: break
      }
    }
    return reader.isAtEnd
  }
}

/// Certificates in DER without anything between them.
package enum CertificateChain {
  /// Decodes the certificates of a PEM text, or of DER, to the start of the text's memory.
  ///
  /// - Parameters:
  ///   - memory: The text at its start, which is overwritten.
  ///   - count: The octets of the text.
  /// - Returns: The octets of all certificates, each of which has the form of a certificate.
  @inline(never)
  package static func decode(_ memory: inout MutableSpan<UInt8>, _ count: Int) throws(CertificateProblem)
    -> Int
  {
    var written = 0
    // A single certificate as Windows stores it: DER.
    if count > 0, memory[0] == DERTag.sequence {
      written = count
    } else {
      var position = 0
      while let block = try PEM.next(memory.span.extracting(first: count), from: &position) {
        guard isCertificate(memory.span.extracting(block.label)) else { continue }
        guard let size = PEM.decode(&memory, block.body, to: written) else { throw .malformed }
        written += size
      }
    }
    guard written > 0 else { throw .noCertificate }
    guard written <= CertificateLimits.chainSizeMax else { throw .tooLong }
    var position = 0
    while position < written {
      guard let certificate = Certificate(memory.span, position..<written) else { throw .malformed }
      position = certificate.whole.upperBound
    }
    return written
  }

  private static func isCertificate(_ label: Span<UInt8>) -> Bool {
    label.equals("CERTIFICATE") || label.equals("X509 CERTIFICATE")
  }

  /// Where the first certificate with a point is, or `nil`.
  @inline(never)
  static func find(_ chain: Span<UInt8>, point: Span<UInt8>) -> Certificate? {
    var position = 0
    while position < chain.count, let certificate = Certificate(chain, position..<chain.count) {
      if chain.extracting(certificate.point).equals(point) { return certificate }
      position = certificate.whole.upperBound
    }
    return nil
  }
}
