// The end of the own code of a program with TLS: certificate, listeners, and the loop.

import MartletBytes
import MartletServer
import MartletTLS

/// Serves an application over TLS until SIGINT or SIGTERM. Then responses that are being sent are finished, and the
/// program ends with status 0. A failure at the start ends the program with one line and status 1.
///
/// SIGHUP reads the certificate anew, for new connections.
public func serve<A: TLSApplication & ~Copyable>(
  _ site: consuming A, _ options: Options, _ tls: TLSOptions
) -> Never {
  A.checkHostOption(of: options.program)
  A.waitForRandomNumbers(options.program)
  let transport = encrypted(bind(options.program, options.endpoint), options.program, options.endpoint, tls)
  run(
    site, options.program, options.endpoint, transport, secret: options.secret,
    secretWasArgument: options.secretWasArgument, options.reach)
  exitNormally()
}

/// Serves an application over TLS until SIGINT or SIGTERM, with a listener of the program's own.
///
/// - Parameters:
///   - site: The application.
///   - listener: The listener. What a program prints before it serves, it prints after it has made the listener.
///   - secret: The secret that signs cookies, as for an application without TLS.
///   - reach: The host names, the scheme and the path by which browsers reach the program.
///   - tls: Where the certificate comes from, and what connections without TLS get.
///   - stopped: Called when the last response has been sent.
public func serve<A: TLSApplication & ~Copyable>(
  _ site: consuming A, on listener: consuming Listener, secret: Span<UInt8>,
  reach: Reach = Reach(), _ tls: TLSOptions, stopped: () -> Void = {}
) -> Never {
  let (program, endpoint) = (listener.program, listener.endpoint)
  let transport = encrypted(listener.transport, program, endpoint, tls)
  run(site, program, endpoint, transport, secret: secret, secretWasArgument: false, reach)
  stopped()
  exitNormally()
}

// Without TLSOptions an application with TLS does not start. (Were these unavailable, the compiler would take the
// functions for all applications, which serve without TLS.)

@_documentation(visibility: internal)
@available(*, deprecated, message: "a TLSApplication is served with TLSOptions: serve(site, options, tls)")
public func serve<A: TLSApplication & ~Copyable>(_ site: consuming A, _ options: Options) -> Never {
  fail(options.program, "a TLSApplication is served with TLSOptions.")
}

@_documentation(visibility: internal)
@available(*, deprecated, message: "a TLSApplication is served with TLSOptions")
public func serve<A: TLSApplication & ~Copyable>(
  _ site: consuming A, on listener: consuming Listener, secret: Span<UInt8>,
  reach: Reach = Reach(), stopped: () -> Void = {}
) -> Never {
  fail(listener.program, "a TLSApplication is served with TLSOptions.")
}

/// Reads or makes the certificate, and puts TLS before the sockets.
@inline(never)
private func encrypted(
  _ sockets: consuming POSIXTransport, _ program: StaticString, _ endpoint: Endpoint, _ tls: TLSOptions
) -> TLSTransport {
  tls.check(program)
  openCertificates(program, tls)
  let redirection = tls.redirection.map { Redirection(host: $0.host, port: $0.port) }
  do throws(ListenError) {
    return try TLSTransport(
      program, sockets, redirecting: redirection, servesPlain: endpoint.isLoopback || tls.allowsInsecureHTTP)
  } catch {
    cannotListen(program, tls.redirection ?? endpoint, error)
  }
}

/// Opens the store of certificates. What keeps it from a certificate ends the program with one line and status 1.
@inline(never)
private func openCertificates(_ program: StaticString, _ tls: TLSOptions) {
  guard CertificateStore.startTLS() else { fail(program, "TLS cannot be used: there is no memory for it.") }
  var arguments = Arguments()
  while let name = arguments.nextHost() { CertificateStore.addHost(name) }
  do throws(CertificateTrouble) {
    if tls.certificate.isEmpty {
      guard let trouble = try CertificateStore.open(directory: tls.directory.span, .now) else { return }
      var message = Message(program)
      message.add(": ")
      message.add(trouble.words)
      message.print(.error)
    } else {
      try CertificateStore.open(chain: tls.certificate.span, key: tls.key.span, .now)
    }
  } catch {
    var message = Message(program)
    message.add(": no certificate can be used: ")
    message.add(error.words)
    message.fail()
  }
}

/// Says where the program listens. A line of its own says what connections without TLS get.
func announceTLS(_ program: StaticString, _ endpoint: Endpoint, port: UInt16) {
  var message = Message(program)
  message.add(": listening on https://")
  let isIPv6 = endpoint.host.span.firstIndex(of: 0x3A) != nil
  if isIPv6 { message.add("[") }
  message.add(endpoint.host)
  message.add(isIPv6 ? "]:" : ":")
  message.add(Int(port))
  message.add("/")
  message.print()
  guard let summary = CertificateStore.summary else { return }
  message.add(program)
  message.add(": SHA-256 of the certificate ")
  message.add(fingerprint: summary.fingerprint)
  message.print()
}

extension Message {
  /// Adds a fingerprint, as browsers show it: pairs of digits with colons between.
  mutating func add(fingerprint: Digest) {
    var digits = InlineArray<96, UInt8>(repeating: 0)
    for i in fingerprint.indices {
      digits[3 * i] = ASCII.hexadecimal(fingerprint[i] >> 4, uppercase: true)
      digits[3 * i + 1] = ASCII.hexadecimal(fingerprint[i] & 15, uppercase: true)
      digits[3 * i + 2] = 0x3A
    }
    add(digits.span.extracting(0..<95))
  }
}
