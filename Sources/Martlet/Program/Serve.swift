// The end of a program's own code: the static memory, the listener, and the loop.

import CMartletPlatform
import MartletBytes
import MartletServer
import MartletToken

/// A socket that is bound and listens, before the program serves.
public struct Listener: ~Copyable {
  let program: StaticString
  let endpoint: Endpoint
  var transport: POSIXTransport

  /// Binds a socket and listens, once the kernel has random numbers. A failure ends the program with one line
  /// and status 1.
  ///
  /// - Parameters:
  ///   - program: The program's name, for messages.
  ///   - endpoint: The address and the port to listen at.
  public init(program: StaticString, at endpoint: Endpoint) {
    waitForRandomNumbers(program)
    self.program = program
    self.endpoint = endpoint
    transport = bind(program, endpoint)
  }
}

func bind(_ program: StaticString, _ endpoint: Endpoint) -> POSIXTransport {
  do throws(ListenError) {
    return try POSIXTransport(
      host: endpoint.host.span, port: endpoint.port, PollTable.lendStatic())
  } catch {
    cannotListen(program, endpoint, error)
  }
}

/// Serves an application until SIGINT or SIGTERM. Then responses that are being sent are finished, and the
/// program ends with status 0. A failure at the start ends the program with one line and status 1.
public func serve<A: Application & ~Copyable>(_ site: consuming A, _ options: Options) -> Never {
  // No branch here: beside one, Swift 6.3.1 leaves out the call that consumes the site.
  A.checkHostOption(of: options.program)
  A.waitForRandomNumbers(options.program)
  let transport = bind(options.program, options.endpoint)
  run(
    site, options.program, options.endpoint, transport, secret: options.secret,
    secretWasArgument: options.secretWasArgument, options.reach)
  exitNormally()
}

/// Serves an application until SIGINT or SIGTERM, with a listener of the program's own.
///
/// - Parameters:
///   - site: The application.
///   - listener: The listener. What a program prints before it serves, it prints after it has made the
///     listener.
///   - secret: The secret that signs cookies. RFC 7518 §3.2 asks for at least 32 octets. A program needs a
///     secret when any page is not for everyone. Without a secret, cookies are signed with a key that is
///     forgotten at the end. An application without sessions needs no secret.
///   - reach: The host names, the scheme and the path by which browsers reach the program.
///   - stopped: Called when the last response has been sent.
public func serve<A: Application & ~Copyable>(
  _ site: consuming A, on listener: consuming Listener, secret: Span<UInt8>,
  reach: Reach = Reach(), stopped: () -> Void = {}
) -> Never {
  run(
    site, listener.program, listener.endpoint, listener.transport, secret: secret,
    secretWasArgument: false, reach)
  stopped()
  exitNormally()
}

func run<A: Application & ~Copyable, T: Transport & ~Copyable>(
  _ site: consuming A, _ program: StaticString, _ endpoint: Endpoint, _ transport: consuming T,
  secret: Span<UInt8>, secretWasArgument: Bool, _ reach: Reach
) {
  if A._hasSessions, secret.count == 0, A.needsLogin {
    fail(program, "no secret to sign sessions with; give one with --secret-file PATH.")
  }
  let isKnownToAll = A._hasSessions && isPublished(secret)
  if isKnownToAll, !endpoint.isLoopback {
    fail(
      program,
      "the secret is a published one, with which anybody can log in; give one with --secret-file PATH.")
  }
  do throws(RouteFault) { try A.checkRoutes() } catch { error.fail(program) }
  if A._hasSharing, let fault = A.sharingFault() { fault.fail(program) }
  let responder = SiteResponder(site, secret: secret, reach: reach, port: transport.port)
  if T.encrypts {
    announceTLS(program, endpoint, port: transport.port)
  } else {
    announce(program, endpoint, port: transport.port)
  }
  if A._hasSessions {
    warn(program, isPublished: isKnownToAll, wasArgument: secretWasArgument)
  }
  var server = Server(transport: transport, responder: responder, ServerMemory.lendStatic())
  if A._hasSessions || A._hasTLS { martlet_refuse_core_dumps() }
  UnderWay.install(program: program)
  server.run()
}

/// Waits for the kernel's random numbers before the port is open, so that no client connects to a server that
/// cannot answer yet. No secret is safe without random numbers: where the kernel has none the program ends.
@inline(never)
private func waitForRandomNumbers(_ program: StaticString) {
  var state = Random.state()
  if state == .unseeded {
    var message = Message(program)
    message.add(": waiting for the kernel's random numbers, which take a while after a boot …")
    message.print(.error)
    state = Random.state(waits: true)
  }
  guard state == .missing else { return }
  var message = Message(program)
  message.add(": the kernel gives no random numbers: getrandom() is refused and /dev/urandom is not")
  message.add(" there or no device; allow the one or make the other (mknod -m 444 /dev/urandom c 1 9).")
  message.fail()
}

/// Whether a secret is published in the documentation of this library or of Microdot.
private func isPublished(_ secret: Span<UInt8>) -> Bool {
  secret.equals("top-secret!") || secret.equals("top-secret") || secret.equals("secret")
}

/// Prints what is wrong with the secret, although the program serves.
@inline(never)
private func warn(_ program: StaticString, isPublished: Bool, wasArgument: Bool) {
  guard isPublished || wasArgument else { return }
  var message = Message(program)
  if isPublished {
    message.add(": the secret is a published one, so it will do to try things on this machine only;")
  } else {
    message.add(": the secret has stood in the list of processes for a moment;")
  }
  message.add(" give another one with --secret-file PATH.")
  message.print(.error)
}

/// Ends the program with status 0.
public func exitNormally() -> Never { martlet_exit(0) }

extension Application where Self: ~Copyable {
  /// Waits for random numbers where they are needed. A program without sessions needs none.
  static func waitForRandomNumbers(_ program: StaticString) {
    if _hasSessions || _hasTLS { Martlet.waitForRandomNumbers(program) }
  }

  /// Whether any page is not for everyone.
  static var needsLogin: Bool { hasRoute { $0.access.needsLogin } }

  /// Whether the Host of a request must be checked. The check is needed where a page of another site may not
  /// read something, or may not cause something.
  static var isGuarded: Bool { _hasSessions || hasRoute { $0.methods.hasUnsafe } }

  /// Whether programs read any page, so that errors may be problem details.
  static var hasProgramPages: Bool { isForPrograms || hasRoute { $0.isMeantForPrograms } }

  /// Ends a program whose option `--host` is no host name, where the Host of requests is checked.
  static func checkHostOption(of program: StaticString) {
    if isGuarded { Reach.checkHostOption(of: program) }
  }

  private static func hasRoute(_ isWanted: (Route) -> Bool) -> Bool {
    var rawValue: UInt8 = 0
    while let page = Page(rawValue: rawValue) {
      if isWanted(route(to: page)) { return true }
      guard rawValue < .max else { break }
      rawValue += 1
    }
    return false
  }
}

extension Endpoint {
  /// Whether only this machine can connect. An address in an unusual spelling counts as an address that other
  /// machines reach.
  var isLoopback: Bool { host.span.hasPrefix("127.") || host.span.equals("::1") }
}

extension Message {
  /// Adds `http://HOST:PORT/`.
  fileprivate mutating func add(_ endpoint: Endpoint, port: UInt16) {
    let isIPv6 = endpoint.host.span.firstIndex(of: 0x3A) != nil
    add(isIPv6 ? "http://[" : "http://")
    add(endpoint.host)
    add(isIPv6 ? "]:" : ":")
    add(Int(port))
    add("/")
  }
}

private func announce(_ program: StaticString, _ endpoint: Endpoint, port: UInt16) {
  var message = Message(program)
  message.add(": listening on ")
  message.add(endpoint, port: port)
  message.print()
}

func cannotListen(
  _ program: StaticString, _ endpoint: Endpoint, _ error: ListenError
) -> Never {
  var message = Message(program)
  message.add(": cannot listen on ")
  message.add(endpoint, port: endpoint.port)
  switch error {
  case .notAnAddress:
    message.add(": not a numeric address; give one such as 127.0.0.1, 0.0.0.0 or [::].")
  case .addressInUse:
    message.add(": another program does; stop it or choose another port with --listen.")
  case .noPermission:
    message.add(": not permitted; choose a port from 1024 up with --listen, or give the right to.")
  case .noSuchAddress:
    message.add(": this machine does not have the address; 0.0.0.0 stands for all it has.")
  case .noOption(let option, let error):
    message.add(": the kernel lacks ")
    message.add(option.name)
    message.add(", which is needed (errno ")
    message.add(Int(error))
    message.add(").")
  case .other(let error):
    message.add(": the system refuses it (errno ")
    message.add(Int(error))
    message.add(").")
  }
  message.fail()
}
