// PEM text → a private key. EC P-256 comes in two forms and becomes its 32 octets; other keys stay DER.
//
//     ECPrivateKey  = SEQUENCE { INTEGER 1, OCTET STRING key, [0] curve OPTIONAL, [1] point OPTIONAL }
//                                                             ; RFC 5915 §3, "EC PRIVATE KEY"
//     OneAsymmetricKey = SEQUENCE { INTEGER, AlgorithmIdentifier, OCTET STRING ECPrivateKey, … }
//                                                             ; RFC 5958 §2, "PRIVATE KEY"

import CMartletTLS
import MartletBytes

/// Octets of a private key for P-256.
typealias PrivateKeyOctets = InlineArray<32, UInt8>

/// A private key that was found in a text.
package struct PrivateKey {
  /// Whether it is a key for P-256. Otherwise it is DER of another kind.
  package let isP256: Bool
  /// Where the key is in the memory that held the text: 32 octets or fewer for P-256.
  package let range: Range<Int>

  /// id-ecPublicKey and prime256v1 (RFC 5480 §2.1.1).
  static var ecAlgorithm: StaticString { "2a8648ce3d0201" }
  static var p256: StaticString { "2a8648ce3d030107" }

  /// Finds the first private key in PEM text, and decodes it in that text's memory.
  ///
  /// - Parameters:
  ///   - memory: The text at its start, which is overwritten.
  ///   - count: The octets of the text.
  @inline(never)
  package static func find(_ memory: inout MutableSpan<UInt8>, _ count: Int) throws(CertificateProblem)
    -> PrivateKey
  {
    var position = 0
    while let block = try PEM.next(memory.span.extracting(first: count), from: &position) {
      guard let form = try form(memory.span, block) else { continue }
      guard let size = PEM.decode(&memory, block.body, to: block.body.lowerBound) else { throw .malformed }
      let whole = block.body.lowerBound..<block.body.lowerBound + size
      return switch form {
      case .sec1: try ofSEC1(memory.span, whole, hasCurve: false, whole)
      case .pkcs8: try ofPKCS8(memory.span, whole)
      case .rsa: PrivateKey(isP256: false, range: whole)
      }
    }
    throw .noKey
  }

  private enum Form { case sec1, pkcs8, rsa }

  /// The form of a key in a block, or `nil` for a block that is no private key.
  private static func form(
    _ text: Span<UInt8>, _ block: PEM.Block
  ) throws(CertificateProblem) -> Form? {
    let label = text.extracting(block.label)
    if label.equals("ENCRYPTED PRIVATE KEY") { throw .encryptedKey }
    let isSEC1 = label.equals("EC PRIVATE KEY")
    let isPKCS8 = label.equals("PRIVATE KEY")
    guard isSEC1 || isPKCS8 || label.equals("RSA PRIVATE KEY") else { return nil }
    // A field before the base64: RFC 1421 §4.6, as OpenSSL writes it with a passphrase.
    if text.extracting(block.body).firstIndex(of: 0x3A) != nil { throw .encryptedKey }
    return isSEC1 ? .sec1 : isPKCS8 ? .pkcs8 : .rsa
  }

  private static func ofPKCS8(
    _ octets: Span<UInt8>, _ whole: Range<Int>
  ) throws(CertificateProblem) -> PrivateKey {
    var outer = DERReader(whole)
    guard let content = outer.next(octets, DERTag.sequence), outer.isAtEnd else { throw .malformed }
    var reader = DERReader(content)
    guard reader.next(octets, DERTag.integer) != nil, let algorithm = reader.next(octets, DERTag.sequence),
      let key = reader.next(octets, DERTag.octetString)
    else { throw .malformed }
    var parts = DERReader(algorithm)
    guard let kind = parts.next(octets, DERTag.objectIdentifier) else { throw .malformed }
    guard octets.equals(kind, hexadecimal: ecAlgorithm),
      let curve = parts.next(octets, DERTag.objectIdentifier), octets.equals(curve, hexadecimal: p256)
    else { return PrivateKey(isP256: false, range: whole) }
    return try ofSEC1(octets, key, hasCurve: true, whole)
  }

  /// - Parameters:
  ///   - hasCurve: Whether the algorithm has said already that the curve is P-256.
  ///   - whole: The DER of the whole key, for a curve that the library may know.
  private static func ofSEC1(
    _ octets: Span<UInt8>, _ range: Range<Int>, hasCurve: Bool, _ whole: Range<Int>
  ) throws(CertificateProblem) -> PrivateKey {
    var outer = DERReader(range)
    guard let content = outer.next(octets, DERTag.sequence), outer.isAtEnd else { throw .malformed }
    var reader = DERReader(content)
    guard reader.next(octets, DERTag.integer) != nil, let key = reader.next(octets, DERTag.octetString) else {
      throw .malformed
    }
    if let parameters = reader.next(octets, DERTag.constructed(0)) {
      var curves = DERReader(parameters)
      guard let curve = curves.next(octets, DERTag.objectIdentifier), octets.equals(curve, hexadecimal: p256)
      else { return PrivateKey(isP256: false, range: whole) }
    } else if !hasCurve {
      return PrivateKey(isP256: false, range: whole)
    }
    // RFC 5915 says 32 octets; older programs left leading zeros out.
    guard key.count >= 1, key.count <= 32 else { throw .malformed }
    return PrivateKey(isP256: true, range: key)
  }

  /// Copies the key out of the memory that held the text, to the start of `target`. A key for P-256 gets the zeros
  /// before it that it lacks.
  ///
  /// - Returns: How many octets.
  /// - Throws: `unusableKey` when there is no room.
  package func copy(_ octets: Span<UInt8>, to target: inout MutableSpan<UInt8>) throws(CertificateProblem)
    -> Int
  {
    let zeros = isP256 ? PrivateKeyOctets.count - range.count : 0
    guard zeros + range.count <= target.count else { throw .unusableKey }
    for i in 0..<zeros { target[i] = 0 }
    target.copy(octets.extracting(range), to: zeros)
    return zeros + range.count
  }

  /// Writes a key for P-256 as DER (SEC 1).
  @_lifetime(der: copy der)
  static func write(_ key: Span<UInt8>, _ point: Span<UInt8>, to der: inout DERWriter) {
    let start = der.begin(DERTag.sequence)
    der.append(hexadecimal: "020101")
    der.append(DERTag.octetString, key)
    der.append(hexadecimal: "a00a06082a8648ce3d030107")
    let publicKey = der.begin(DERTag.constructed(1))
    let bits = der.begin(DERTag.bitString)
    der.append(0)
    der.append(point)
    der.end(bits)
    der.end(publicKey)
    der.end(start)
  }
}
