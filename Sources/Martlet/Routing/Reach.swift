// How browsers reach a program: by which host names, by which scheme, and below which path. The command line
// decides for all requests; a trusted proxy may say more about one request.

import MartletBytes
public import MartletHTTP

/// The host names, the scheme and the path by which browsers reach a program.
public struct Reach: Sendable {
  /// Whether browsers reach the program by https only, because TLS ends at a proxy.
  public var isHTTPS = false
  /// The proxies whose X-Forwarded fields are believed.
  public var proxies = TrustedProxies.loopback
  /// Whether hosts that the command line names with `--host NAME` are allowed.
  var allowsHostOption = false
  /// The path below which browsers see the program; empty when the program is at the root.
  fileprivate(set) var prefix = Text<64>()

  /// Any of the machine's own names, http, and the root.
  public init() {}

  /// Allows the hosts that the command line names with `--host NAME`, in addition to the machine's own names.
  /// A value that is no host name ends the program with one line and status 2.
  public mutating func allowHostOption(of program: StaticString) {
    allowsHostOption = true
    Self.checkHostOption(of: program)
  }

  @inline(never)
  static func checkHostOption(of program: StaticString) {
    var arguments = Arguments()
    while let name = arguments.nextHost() {
      if HostNames.isPattern(name) { continue }
      var message = Message(program)
      message.add(": ")
      message.add(name)
      message.add(
        """
         is no host name; --host takes a name without scheme and port, such as panel.example.org or \
        *.example.org.
        """)
      message.fail(status: 2)
    }
  }

  /// Sets the path below which browsers see the program, such as `/box`. A slash at the end is ignored.
  ///
  /// - Returns: Whether the path is valid and was set. A path begins with `/` and has letters, digits, `-`,
  ///   `.`, `_`, `~` and single slashes. It has at most `Limits.prefixSizeMax` octets and no segment `.` or
  ///   `..`.
  public mutating func setPrefix(_ path: Span<UInt8>) -> Bool {
    guard PathPrefix.isPath(path), let prefix = Text<64>(PathPrefix.trimmed(path)) else {
      return false
    }
    self.prefix = prefix
    return true
  }
}

/// A path that a proxy has removed from the target.
enum PathPrefix {
  /// The path without a slash at its end.
  @_lifetime(copy path)
  static func trimmed(_ path: Span<UInt8>) -> Span<UInt8> {
    path.extracting(first: path.count > 0 && path[path.count - 1] == "/" ? path.count - 1 : path.count)
  }

  /// Whether `Reach.setPrefix` accepts the path.
  static func isPath(_ path: Span<UInt8>) -> Bool {
    let path = trimmed(path)
    guard path.count <= Limits.prefixSizeMax else { return false }
    // Whether the octets since the last slash are dots only, or none. Browsers would resolve such a segment.
    var isDots = false
    for i in path.indices {
      switch path[i] {
      case "/" where !isDots: isDots = true
      case "." where i > 0: continue
      case "0"..."9", "A"..."Z", "a"..."z", "-", "_", "~":
        guard i > 0 else { return false }
        isDots = false
      default: return false
      }
    }
    return !isDots
  }
}

/// The scheme and the path by which the browser of one request has come.
struct Approach {
  enum Scheme { case unknown, http, https }

  var scheme = Scheme.unknown
  /// Whether another site has caused the request, and neither the session cookie nor Basic counts
  /// (`SiteResponder.admits`).
  var isForeign = false

  /// What the program itself knows about the scheme.
  init(isHTTPS: Bool) { if isHTTPS { scheme = .https } }

  /// Reads X-Forwarded-Proto and X-Forwarded-Prefix of a proxy. The last element of the last field with that
  /// name counts, because the nearest proxy wrote it. The command line counts more, because a proxy may
  /// forward what its client has written.
  @inline(never)
  mutating func read(_ fields: FieldSection) {
    let knowsScheme = scheme == .https
    let knowsPrefix = PageText.prefix.count > 0
    var fields = fields
    while let field = fields.next() {
      let saysScheme = !knowsScheme && field.name.equalsIgnoringCase("X-Forwarded-Proto")
      guard saysScheme || !knowsPrefix && field.name.equalsIgnoringCase("X-Forwarded-Prefix") else {
        continue
      }
      let value = field.value.lastElement
      if !saysScheme {
        // A value that is no path counts as no prefix.
        let isPath = PathPrefix.isPath(value)
        PageText.setPrefix(isPath ? PathPrefix.trimmed(value) : value.extracting(0..<0))
      } else if value.equalsIgnoringCase("https") {
        scheme = .https
      } else {
        scheme = value.equalsIgnoringCase("http") ? .http : .unknown
      }
    }
  }
}

extension Span where Element == UInt8 {
  /// The last element of a list whose elements commas separate.
  fileprivate var lastElement: Span<UInt8> {
    @_lifetime(copy self)
    get {
      var start = count
      while start > 0, self[start - 1] != "," { start -= 1 }
      return extracting(trimmed(start..<count))
    }
  }
}
