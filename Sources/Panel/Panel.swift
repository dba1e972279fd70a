// Where the panel starts: options, data directory, secret, accounts, and then the server.

import Martlet

/// What the command line asks for.
struct PanelOptions {
  var endpoint: Endpoint
  /// Path of the data directory.
  var data: Text<200> = "martlet-data"
  /// Where the certificate comes from, and what connections without TLS get.
  var tls = TLSOptions(directory: Text<200>())
  /// How browsers reach the panel. Whose X-Forwarded fields are believed: this machine's own, or those
  /// that are named instead.
  var reach = Reach()
  /// Milliseconds of processor time that hashing a password takes.
  var hashTime = Calibration.usualTime
  /// Whether samples of the machine are taken and kept.
  var recordsHistory = true

  static var usage: StaticString {
    """
    Usage: martlet-panel [--listen ADDRESS:PORT] [--data DIRECTORY] \
    [--tls-directory DIRECTORY | --tls-certificate FILE --tls-key FILE] [--redirect-http ADDRESS:PORT] \
    [--insecure-http] [--host NAME] [--https] [--prefix PATH] [--trust-proxy ADDRESS[/BITS]] \
    [--hash-time MILLISECONDS] [--history on|off] [--sysroot DIRECTORY] [--help] [--version] [--limits]
    """
  }

  /// Reads the command line. Anything unknown ends the program with one line and status 2.
  init() {
    let listen: StaticString = Boot.isFirstProcess ? Boot.listen : "127.0.0.1:8080"
    guard let standard = Endpoint(listen.octets) else { stop("the default address is one") }
    endpoint = standard
    var redirection = Boot.isFirstProcess ? Endpoint(Boot.redirection.octets) : nil
    if Boot.isFirstProcess { data = Boot.data }
    var arguments = Arguments()
    while let argument = arguments.next() {
      if argument.equals("--help") {
        Self.printHelp()
      } else if argument.equals("--version") {
        Self.printVersion()
      } else if argument.equals("--limits") {
        LimitsTable.print()
        exitNormally()
      } else if argument.equals("--listen"), let value = arguments.next() {
        guard let endpoint = Endpoint(value) else { fail("martlet-panel", notAnEndpoint: value) }
        self.endpoint = endpoint
        redirection = nil
      } else if argument.equals("--data"), let value = arguments.next() {
        guard value.count > 0, let path = Text<200>(value) else {
          fail("martlet-panel", "--data takes the path of a directory, at most 200 octets.")
        }
        data = path
      } else if argument.equals("--https") {
        reach.isHTTPS = true
      } else if argument.equals("--prefix"), let value = arguments.next() {
        guard reach.setPrefix(value) else {
          fail("martlet-panel", "--prefix takes a path such as /box: letters, digits and -._~ only.")
        }
      } else if argument.equals("--hash-time"), let value = arguments.next() {
        guard let time = value.decimal(), 1...10_000 ~= time else {
          fail("martlet-panel", "--hash-time takes milliseconds, 1 to 10000.")
        }
        hashTime = UInt16(time)
      } else if argument.equals("--history"), let value = arguments.next() {
        guard value.equals("on") || value.equals("off") else {
          fail("martlet-panel", "--history takes on or off.")
        }
        recordsHistory = value.equals("on")
      } else if argument.equals("--host"), arguments.next() != nil {
        // Each of them is read where it is needed.
        continue
      } else if argument.equals("--sysroot"), let value = arguments.next() {
        setRoot(value)
      } else if argument.equals("--trust-proxy"), let value = arguments.next() {
        trust(value)
      } else if tls.read(argument, &arguments, program: "martlet-panel") {
        continue
      } else {
        var message = Message("martlet-panel: ")
        message.add(argument)
        message.add(" is not an option or lacks its value. ")
        message.add(Self.usage)
        message.fail(status: 2)
      }
    }
    reach.allowHostOption(of: "martlet-panel")
    if tls.directory.isEmpty { tls.directory = data }
    if tls.redirection == nil { tls.redirection = redirection }
  }

  /// Makes /proc, /sys and /etc be read below a directory.
  private mutating func setRoot(_ path: Span<UInt8>) {
    do throws(SystemError) {
      try System.setRoot(path)
    } catch {
      var message = Message("martlet-panel: cannot show what is below ")
      message.add(path)
      message.add(": ")
      message.add(error.text)
      message.add("; give --sysroot a directory with proc, sys and etc.")
      message.fail()
    }
  }

  /// Adds a proxy to those that are named. Anything that is none ends the program.
  @inline(never)
  private mutating func trust(_ value: Span<UInt8>) {
    guard let prefix = IPPrefix(value) else {
      var message = Message("martlet-panel: ")
      message.add(value)
      message.add(
        " is not ADDRESS or ADDRESS/BITS; give for example 10.0.0.2, 192.168.0.0/16 or fd00::/8.")
      message.fail(status: 2)
    }
    guard reach.proxies.append(prefix) else {
      var message = Message("martlet-panel: --trust-proxy can be given ")
      message.add(Limits.trustedProxyCountMax)
      message.add(" times; a prefix with fewer bits holds several proxies.")
      message.fail(status: 2)
    }
  }

  private static func printVersion() -> Never {
    var message = Message("martlet-panel ")
    message.add(Panel.version)
    message.print()
    exitNormally()
  }

  private static func printHelp() -> Never {
    var message = Message(usage)
    message.print()
    message.add("Shows this machine in a browser, to those who may log in.")
    message.print()
    message.add("  --listen ADDRESS:PORT  where to listen; 127.0.0.1:8080 without the option")
    message.print()
    message.add("  --data DIRECTORY       accounts and secret; ./martlet-data without the option")
    message.print()
    message.add(
      "  --tls-directory DIRECTORY  certificates that the panel makes; as --data without the option")
    message.print()
    message.add("  --tls-certificate FILE, --tls-key FILE  a certificate of your own (PEM), instead")
    message.print()
    message.add("  --redirect-http ADDRESS:PORT  tells browsers there to come by https")
    message.print()
    message.add("  --insecure-http        other machines may use the panel without encryption")
    message.print()
    message.add(
      "  --host NAME            a name that the panel answers to; can be given several times")
    message.print()
    message.add("  --https                browsers come by https alone, such as through a proxy")
    message.print()
    message.add("  --prefix PATH          browsers see the panel below this path, such as /box")
    message.print()
    message.add(
      "  --trust-proxy ADDRESS[/BITS]  a proxy whose X-Forwarded fields are believed, up to four;")
    message.print()
    message.add("                         those on this machine without the option")
    message.print()
    message.add(
      "  --hash-time MILLISECONDS  processor time that hashing a password takes; 300 without the")
    message.print()
    message.add("                         option, and never fewer than 20,000 iterations")
    message.print()
    message.add(
      "  --history on|off       samples of this machine every five seconds, for a day; on without the option")
    message.print()
    message.add("  --sysroot DIRECTORY    shows what proc, sys and etc below it say, not this machine")
    message.print()
    message.add("  --limits               prints every limit and the memory it costs")
    message.print()
    message.add("  --version, --help      prints the version, or this")
    message.print()
    exitNormally()
  }
}

@main
enum Main {
  static func main() {
    if Boot.isFirstProcess { Boot.start() }
    let options = PanelOptions()
    LogLine.open()
    let listener = Listener(program: "martlet-panel", at: options.endpoint)
    let data = DataFiles(options.data)
    let secret = data.secret
    let panel = Panel(
      data, proxies: options.reach.proxies, calibration: Calibration(time: options.hashTime),
      recordsHistory: options.recordsHistory)
    if panel.canBeSetUp {
      var message = Message("set-up code: ")
      message.add(panel.setUpCode.text)
      message.print()
    }
    if Boot.isFirstProcess { Boot.tellCost() }
    Log.started()
    serve(panel, on: listener, secret: secret.span, reach: options.reach, options.tls) { Log.stopped() }
  }
}
