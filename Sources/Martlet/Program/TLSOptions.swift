// How a program serves TLS: where its certificate comes from, and what connections without TLS get.

public import MartletBytes
import MartletTLS

/// Where a program's certificate comes from, and what connections without TLS get.
public struct TLSOptions {
  /// The path of a file with the program's certificate and those that lead to its authority (PEM). Where it is empty,
  /// the program makes an authority of its own, and a certificate of it.
  public var certificate = Text<200>()
  /// The path of a file with the private key of that certificate (PEM).
  public var key = Text<200>()
  /// The path of the directory in which the program keeps certificates and keys that it has made.
  public var directory: Text<200>
  /// Whether connections without TLS are served although other machines can connect. Where only this machine can
  /// connect, they are served always.
  public var allowsInsecureHTTP = false
  /// Another address and port where connections without TLS are told to come by https; `nil`: none. At the
  /// program's own port they are told, too.
  public var redirection: Endpoint?

  /// What `Options` says of these options.
  static var usage: StaticString {
    """
     [--secret-file PATH | --secret TEXT] [--tls-directory PATH | --tls-certificate FILE --tls-key FILE] \
    [--redirect-http ADDRESS:PORT] [--insecure-http]
    """
  }

  /// - Parameter directory: The directory without an option.
  public init(directory: Text<200>) { self.directory = directory }

  /// Parses an option about TLS, and its value. A value that is none ends the program with one line and status 2.
  ///
  /// - Returns: Whether the option is about TLS and has what it needs.
  @inline(never)
  public mutating func read(_ name: Span<UInt8>, _ arguments: inout Arguments, program: StaticString) -> Bool
  {
    if name.equals("--insecure-http") {
      allowsInsecureHTTP = true
      return true
    }
    let isCertificate = name.equals("--tls-certificate")
    let isKey = name.equals("--tls-key")
    let isDirectory = name.equals("--tls-directory")
    guard isCertificate || isKey || isDirectory || name.equals("--redirect-http"),
      let value = arguments.next()
    else { return false }
    if isCertificate || isKey || isDirectory {
      guard value.count > 0, let path = Text<200>(value) else {
        fail(program, "an option about TLS takes a path of 1 to 200 octets.")
      }
      if isCertificate { certificate = path } else if isKey { key = path } else { directory = path }
      return true
    }
    guard let endpoint = Endpoint(value) else { fail(program, notAnEndpoint: value) }
    redirection = endpoint
    return true
  }

  /// Ends a program whose options do not go together.
  func check(_ program: StaticString) {
    guard certificate.isEmpty != key.isEmpty else { return }
    fail(program, "--tls-certificate and --tls-key belong together; give both, or neither.")
  }
}
