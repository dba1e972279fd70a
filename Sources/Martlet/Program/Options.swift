// The command-line options of every Martlet program: the address to listen at, the hosts, and the secret.

public import MartletBytes

/// An address and a port to listen at.
public struct Endpoint: Sendable {
  /// A numeric IPv4 or IPv6 address, without brackets.
  public let host: Text<64>
  /// The port; with 0 the system chooses a port.
  public let port: UInt16

  /// Parses `ADDRESS:PORT`; an IPv6 address stands in brackets. `nil` when the text has another form.
  public init?(_ text: Span<UInt8>) {
    var colon = text.count
    while colon > 0, text[colon - 1] != ":" { colon -= 1 }
    guard colon > 0, let port = text.extracting(colon..<text.count).decimal(), port <= 0xFFFF
    else { return nil }
    var (start, end) = (0, colon - 1)
    let isBracketed = end >= 2 && text[0] == "[" && text[end - 1] == "]"
    if isBracketed { (start, end) = (1, end - 1) }
    let host = text.extracting(start..<end)
    // An IPv6 address must have brackets, because otherwise no colon clearly begins the port.
    guard isBracketed || host.firstIndex(of: 0x3A) == nil, let host = Text<64>(host) else {
      return nil
    }
    self.host = host.span.equals("localhost") ? "127.0.0.1" : host
    self.port = UInt16(port)
  }
}

/// The options that every program has. A program with more options reads `Arguments` itself.
public struct Options {
  /// The program's name, for messages.
  public let program: StaticString
  /// The address and the port to listen at.
  public private(set) var endpoint: Endpoint
  /// The host names, the scheme and the path by which browsers reach the program.
  public var reach = Reach()
  /// The secret that signs sessions when no option gives a secret.
  private let secretLiteral: StaticString
  /// Octets of the option's secret; 0 without the option.
  private var secretCount = 0
  /// Whether the secret was an argument, which other users could read.
  private(set) var secretWasArgument = false

  /// The secret that signs sessions; empty for a program without logins.
  public var secret: Span<UInt8> {
    @_lifetime(immortal)
    get { secretCount > 0 ? GivenSecret.span(secretCount) : secretLiteral.octets }
  }

  /// Parses `--listen ADDRESS:PORT`, `--host NAME` and `--help` of the command line, for a program without
  /// logins. Another argument ends the program with a line that names the options.
  ///
  /// - Parameters:
  ///   - program: The program's name, for messages.
  ///   - listen: The address and the port to listen at without the option.
  public init(program: StaticString, listen: StaticString) {
    self.init(program, listen, secret: "")
    readArguments(secretUsage: "") { _, _, _ in false }
  }

  /// Parses `--secret-file PATH` and `--secret TEXT` as well.
  ///
  /// - Parameters:
  ///   - program: The program's name, for messages.
  ///   - listen: The address and the port to listen at without the option.
  ///   - secret: The secret to sign with without the option.
  public init(program: StaticString, listen: StaticString, secret: StaticString) {
    self.init(program, listen, secret: secret)
    readArguments(secretUsage: " [--secret-file PATH | --secret TEXT]") { options, name, arguments in
      options.readSecret(name, &arguments)
    }
  }

  /// Parses the options of a program with TLS as well (`TLSOptions`).
  ///
  /// - Parameters:
  ///   - program: The program's name, for messages.
  ///   - listen: The address and the port to listen at without the option.
  ///   - secret: The secret to sign with without the option; empty for a program without logins.
  ///   - tls: The options of TLS, as they are without options. The command line changes them.
  public init(program: StaticString, listen: StaticString, secret: StaticString, _ tls: inout TLSOptions) {
    self.init(program, listen, secret: secret)
    readArguments(secretUsage: TLSOptions.usage) { options, name, arguments in
      tls.read(name, &arguments, program: options.program) || options.readSecret(name, &arguments)
    }
  }

  private init(_ program: StaticString, _ listen: StaticString, secret: StaticString) {
    guard let endpoint = Endpoint(listen.octets) else { stop("the default address is one") }
    self.program = program
    self.endpoint = endpoint
    secretLiteral = secret
    reach.allowsHostOption = true
  }

  /// - Parameter readOther: Parses an option that only some programs have, and its value; returns whether it
  ///   was such an option. So a program without logins does not link the code that reads secrets.
  private mutating func readArguments(
    secretUsage: StaticString, _ readOther: (inout Options, Span<UInt8>, inout Arguments) -> Bool
  ) {
    var arguments = Arguments()
    while let name = arguments.next() {
      if name.equals("--help") {
        var message = Message()
        message.add(usageOf: program, secretUsage)
        message.print()
        exitNormally()
      }
      if name.equals("--listen"), let value = arguments.next() {
        guard let endpoint = Endpoint(value) else { fail(program, notAnEndpoint: value) }
        self.endpoint = endpoint
        continue
      }
      // A host is only skipped here; `HostNames` parses the allowed hosts when a request comes.
      if name.equals("--host"), arguments.next() != nil { continue }
      if readOther(&self, name, &arguments) { continue }
      var message = Message(program)
      message.add(": ")
      message.add(name)
      message.add(" is not an option or lacks its value. ")
      message.add(usageOf: program, secretUsage)
      message.fail(status: 2)
    }
  }

  /// Parses an option about the secret; returns whether the option is about the secret and has a value.
  private mutating func readSecret(_ name: Span<UInt8>, _ arguments: inout Arguments) -> Bool {
    if name.equals("--secret"), arguments.next() != nil {
      secretWasArgument = true
      secretCount = GivenSecret.store(argument: arguments.index - 1)
      guard secretCount > 0, secretCount <= GivenSecret.sizeMax else {
        fail(program, "--secret takes a text of 1 to 200 octets; give one that nobody can guess.")
      }
      return true
    }
    guard name.equals("--secret-file"), let value = arguments.next() else { return false }
    secretCount = GivenSecret.read(value)
    guard secretCount > 0, secretCount <= GivenSecret.sizeMax else {
      fail(program, secretFile: value, error: secretCount)
    }
    return true
  }
}

/// Ends a program whose secret's file cannot be used.
private func fail(_ program: StaticString, secretFile path: Span<UInt8>, error: Int) -> Never {
  var message = Message(program)
  message.add(": --secret-file ")
  message.add(path)
  if GivenSecret.isOthers(error) {
    message.add(": other users may read or change it; make it this user's alone: chmod 600 ")
    message.add(path)
  } else {
    message.add(" is not a file that can be read, with 1 to 200 octets that nobody can guess in it.")
  }
  message.fail(status: 2)
}

extension Message {
  fileprivate mutating func add(usageOf program: StaticString, _ secretUsage: StaticString) {
    add("Usage: ")
    add(program)
    add(" [--listen ADDRESS:PORT] [--host NAME]")
    add(secretUsage)
  }
}

/// Ends a program whose argument is no address with a port.
public func fail(_ program: StaticString, notAnEndpoint value: Span<UInt8>) -> Never {
  var message = Message(program)
  message.add(": ")
  message.add(value)
  message.add(
    " is not ADDRESS:PORT; give for example 127.0.0.1:8080, 0.0.0.0:80 or [::]:8080 (numbers only).")
  message.fail(status: 2)
}

/// Ends a program that was called with wrong arguments: one line, status 2.
public func fail(_ program: StaticString, _ reason: StaticString) -> Never {
  var message = Message(program)
  message.add(": ")
  message.add(reason)
  message.fail(status: 2)
}
