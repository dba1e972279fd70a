// An event → one line on standard error, for people, the journal and fail2ban.
//
//     line  = [ "<" level ">" ] "time=" timestamp " level=" word " event=" word *( " " field )
//     field = key "=" ( word / number / address / DQUOTE text DQUOTE )
//
// Octets from outside stand only between quotes. There `"` and `\` have a `\` before them, and every octet
// but the printable ones of ASCII is `\xHH`. So no octet from outside ends a line, forges a field or steers a
// terminal. An expression that matches a line from its start finds only the program's own keys.

import CMartletPlatform
import MartletBytes
public import MartletHTTP

/// The urgency of a line, with the numbers of syslog (RFC 5424 §6.2.1).
public enum LogLevel: UInt32, Sendable {
  case error = 3
  case warning = 4
  case notice = 5
  case info = 6
}

/// A line that is being put together, one at a time in a program. Never log a secret.
///
///     var line = LogLine(.warning, "login_failed")
///     line.add(client)
///     line.add("name", text: name.span)
///     line.write()
///
/// At most ten lines of an event are written in a second; a later line tells how many were suppressed. The
/// program never waits for a reader that is slow or gone. Such a line is dropped, and the next written line
/// tells how many lines were dropped.
public struct LogLine: ~Copyable {
  /// Prepares standard error. Call it before the program opens files or sockets.
  public static func open() { martlet_log_open() }

  /// Begins a line.
  ///
  /// - Parameters:
  ///   - level: The urgency of the line.
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

  /// Adds a field with octets from anywhere, quoted. Octets beyond `Limits.logTextSizeMax` are cut.
  public mutating func add(_ key: StaticString, text: Span<UInt8>) {
    // Safe: the call reads the octets and keeps no pointer to them.
    unsafe text.withUnsafeBufferPointer { text in
      unsafe martlet_log_text(key.utf8Start, text.baseAddress, text.count)
    }
  }

  /// Adds the address of a client as `address`. Where a trusted proxy has named no client the key is `proxy`,
  /// so that a program that bans addresses does not ban the proxy.
  public mutating func add(_ client: ClientAddress) {
    let isProxy = client.isShared && !client.address.isLoopback
    let key: StaticString = isProxy ? "proxy" : "address"
    unsafe martlet_log_address(key.utf8Start, client.address.high, client.address.low)
  }

  /// Writes the line, unless too many lines of its event were written in the last second.
  public consuming func write() { martlet_log_end() }
}
