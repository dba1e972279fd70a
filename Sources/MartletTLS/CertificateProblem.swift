// Why a certificate or a key cannot be used, and the words for it.

import MartletBytes

/// Why a certificate, a key or a file of either cannot be used.
public enum CertificateProblem: Error, Equatable, Sendable {
  /// The system does not read or write the file: a negative errno, or a number of `martlet_files.h`.
  case file(Int32)
  /// There is no certificate in it.
  case noCertificate
  /// What should be a certificate, a key or a block of PEM is damaged.
  case malformed
  /// The chain has more than `CertificateLimits.chainSizeMax` octets.
  case tooLong
  /// There is no private key in it.
  case noKey
  /// The private key is encrypted.
  case encryptedKey
  /// A private key of a kind that this program cannot use.
  case unusableKey
  /// The key is not the key of the certificate.
  case mismatch
  /// No certificate of an answer is for the server's key.
  case otherKey
  /// The certificate names no host, so that no browser accepts it.
  case noNames
  /// What a page asks for does not go with the certificate in use.
  case notInUse
  /// The library has no memory for another certificate.
  case noMemory
  /// The certificate is no longer valid.
  case expired
  /// The certificate is not valid yet.
  case notYetValid
  /// The authority's certificate ends before a new certificate would begin.
  case authorityExpired
  /// The authority may not certify the machine's name, or a name that the administrator gave.
  case otherNames

  /// Words that go on after the name of a file and a colon.
  var words: StaticString {
    switch self {
    case .file: ""
    case .noCertificate: "there is no certificate in it; give PEM text with BEGIN CERTIFICATE"
    case .malformed: "it is damaged"
    case .tooLong: "the certificates are too long; give the server's and those between it and the authority's"
    case .noKey: "there is no private key in it; give PEM text with BEGIN PRIVATE KEY"
    case .encryptedKey:
      "the private key is encrypted; decrypt it with: openssl pkey -in KEY -out FILE, and chmod 600 FILE"
    case .unusableKey: "this program cannot use a private key of that kind; give one for the curve P-256"
    case .mismatch: "the private key is not that of the first certificate"
    case .otherKey:
      "no certificate in it is for this device's key; give the authority the request of this device"
    case .noNames:
      "the certificate has no names (subjectAltName); the authority must copy those of the request"
    case .notInUse: "another certificate has come into use meanwhile"
    case .noMemory: "there is no memory for another certificate"
    case .expired: "the certificate has expired"
    case .notYetValid: "the certificate is not valid yet"
    case .authorityExpired: "the authority's certificate expires too soon; make a new authority"
    case .otherNames: "it may not vouch for this machine's new name, or for a new one of --host"
    }
  }
}

/// What a problem is about.
public enum CertificateFile: UInt8, Sendable {
  /// No file.
  case none
  /// The directory itself.
  case directory
  /// The file of the chain, and that of the key, which the administrator named.
  case chain
  case key
  /// The board's own authority: its private key and its certificate.
  case authority
  /// The server's private key in the directory.
  case ownKey
  /// The certificate that the own authority made.
  case ownCertificate
  /// The certificate of another authority, which has been uploaded.
  case uploaded

  /// The file's name in the directory.
  var name: StaticString {
    switch self {
    case .authority: "authority.pem"
    case .ownKey: "tls.key"
    case .ownCertificate: "tls.crt"
    case .uploaded: "uploaded.crt"
    default: ""
    }
  }

  /// The bit of the file in a set of files.
  var bit: UInt8 { 1 << rawValue }
}

/// A problem, and what it is about.
public struct CertificateTrouble: Error, Equatable, Sendable {
  public let problem: CertificateProblem
  public let file: CertificateFile

  init(_ problem: CertificateProblem, _ file: CertificateFile) {
    self.problem = problem
    self.file = file
  }

  /// One line that says what is wrong and what helps. The octets stay until the next call.
  public var words: Span<UInt8> {
    @_lifetime(immortal) @inline(never)
    get {
      var writer = Writer(CertificateMemory.words)
      write(to: &writer)
      let count = writer.count
      return CertificateMemory.octets(.words, count)
    }
  }

  @_lifetime(writer: copy writer)
  private func write(to writer: inout Writer) {
    switch file {
    case .none: break
    case .chain: writer.append(CertificateMemory.firstPath)
    case .key: writer.append(CertificateMemory.secondPath)
    default:
      writer.append(CertificateMemory.firstPath)
      if file != .directory { writer.append("/") }
      writer.append(file.name)
    }
    if file != .none { writer.append(": ") }
    guard case .file(let code) = problem else {
      writer.append(problem.words)
      return advise(&writer)
    }
    writer.append(CertificateCalls.errorText(code))
    if CertificateCalls.isOthers(code), file != .directory { writer.append("; chmod 600 helps") }
  }

  private static var meanwhile: StaticString { "; until then another one is used" }

  /// Says what can be done about a file of the directory.
  @_lifetime(writer: copy writer)
  private func advise(_ writer: inout Writer) {
    guard problem != .authorityExpired else { return }
    switch file {
    case .authority:
      writer.append(problem == .otherNames ? "; " : "; put a copy back, or ")
      writer.append("remove it to have a new authority, which every browser must be given")
      if problem != .otherNames { writer.append(Self.meanwhile) }
    case .ownKey:
      writer.append("; put a copy back, or remove it to have a new one")
      writer.append(Self.meanwhile)
    case .uploaded: writer.append("; the board's own authority is used instead")
    case .ownCertificate: writer.append("; a new one has been made")
    default: break
    }
  }
}
