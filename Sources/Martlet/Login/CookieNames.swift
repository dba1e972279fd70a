// The names of the two cookies. A browser keeps one set of cookies for a host and sends it to every
// port (RFC 6265 §8.5). Two programs on one host that use the same name therefore overwrite each
// other's sessions. A name with the port in it belongs to one program.

import MartletBytes
public import MartletHTTP

/// The names of the session cookie and of the remember cookie.
public struct CookieNames: Sendable {
  private let session: CookieName
  private let remember: CookieName
  /// Whether the port is part of both names.
  private let hasPort: Bool

  /// Uses exactly these names, on every port.
  public init(session: CookieName, remember: CookieName) {
    self.session = session
    self.remember = remember
    hasPort = false
  }

  private init(_ name: CookieName) {
    session = name
    remember = name
    hasPort = true
  }

  /// Uses `NAME-PORT` and `NAME-PORT-remember`, where PORT is the port that the program listens on.
  public static func perPort(_ name: CookieName) -> CookieNames { CookieNames(name) }

  /// Uses `session` and `_remember`, as Microdot does.
  public static var microdot: CookieNames {
    CookieNames(
      session: CookieName(unchecked: "session"), remember: CookieName(unchecked: "_remember"))
  }

  /// Writes the name of a cookie.
  ///
  /// - Parameters:
  ///   - cookie: The session cookie or the remember cookie.
  ///   - port: The port that the program listens on.
  @_lifetime(writer: copy writer)
  func write(_ cookie: OwnCookie, port: UInt16, to writer: inout Writer) {
    let isSession = cookie == .session
    writer.append((isSession ? session : remember).octets)
    guard hasPort else { return }
    writer.append("-")
    writer.append(decimal: port)
    if !isSession { writer.append("-remember") }
  }
}

/// One of the two cookies.
enum OwnCookie { case session, remember }
