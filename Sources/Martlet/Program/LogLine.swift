// What happened → one line on standard error, for people, the journal and fail2ban.
//
//     line  = [ "<" level ">" ] "time=" timestamp " level=" word " event=" word *( " " field )
//     field = key "=" ( word / number / address / DQUOTE text DQUOTE )
//
// Octets from outside stand between quotes only. There `"` and `\` have a `\` before them, and every
// octet but the printable ones of ASCII is `\xHH`. So no octet from outside ends a line, forges a field
// or steers a terminal, and an expression that reads a line from its begin finds the program's own keys.

import CMartletPlatform
import MartletBytes
public import MartletHTTP

/// How urgent a line is; the numbers are syslog's (RFC 5424 §6.2.1).
public enum LogLevel: UInt32, Sendable {
  case error = 3
  case warning = 4
  case notice = 5
  case info = 6
}

/// A line under way, one at a time. A secret never belongs into one.
///
///     var line = LogLine(.warning, "login_failed")
///     line.add(client)
///     line.add("name", text: name.span)
///     line.write()
///
/// At most ten lines of an event are written in a second; a later line says how many were suppressed.
/// A reader that is slow or gone never makes the program wait: the line is dropped, and the next line
/// that can be written says how many were.
public struct LogLine: ~Copyable {
  /// Prepares standard error. A program calls it before it opens files or sockets.
  public static func open() { martlet_log_open() }

  /// - Parameters:
  ///   - level: How urgent the line is.
  ///   - event: A word that no other kind of line has.
  public init(_ level: LogLevel, _ event: StaticString) {
    // Safe, here and below: a literal ends with a NUL and stays for ever.
    unsafe martlet_log_begin(level.rawValue, event.utf8Start)
  }

  /// Adds a field with a word of the program's own.
  public mutating func add(_ key: StaticString, _ word: StaticString) {
    unsafe martlet_log_word(key.utf8Start, word.utf8Start)
  }

  /// Adds a field with a number that is not negative.
  public mutating func add(_ key: StaticString, _ number: Int) {
    unsafe martlet_log_number(key.utf8Start, UInt64(number))
  }

  /// Adds a field with octets from anywhere, quoted; those beyond `Limits.logTextSizeMax` are cut.
  public mutating func add(_ key: StaticString, text: Span<UInt8>) {
    // Safe: the call reads the octets and keeps no pointer to them.
    unsafe text.withUnsafeBufferPointer { text in
      unsafe martlet_log_text(key.utf8Start, text.baseAddress, text.count)
    }
  }

  /// Adds where a client is: `address`, or `proxy` where a trusted proxy has named no client, so that
  /// nothing that bans addresses bans the proxy.
  public mutating func add(_ client: ClientAddress) {
    let isProxy = client.isShared && !client.address.isLoopback
    let key: StaticString = isProxy ? "proxy" : "address"
    unsafe martlet_log_address(key.utf8Start, client.address.high, client.address.low)
  }

  /// Writes the line, unless too many of its event came before.
  public consuming func write() { martlet_log_end() }
}
