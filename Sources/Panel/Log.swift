// What the panel says in its log. Each event is said in one place, so that the event's fields stand in one
// order. The folder boards/install/fail2ban has expressions for the lines about failed passwords.

import Martlet

/// The log lines of the panel.
enum Log {
  /// The panel serves.
  static func started() {
    var line = LogLine(.info, "started")
    line.add("version", Panel.version)
    line.write()
  }

  /// The panel has been told to stop, and has answered what had been asked.
  static func stopped() { LogLine(.info, "stopped").write() }

  /// A name or a password was wrong.
  ///
  /// - Parameter name: What was typed for it. Now and then that is a password.
  @inline(never)
  static func refused(
    _ event: StaticString, _ client: ClientAddress, name: Span<UInt8>, reason: StaticString
  ) {
    var line = LogLine(.warning, event)
    line.add(client)
    line.add("reason", reason)
    line.add("name", text: name)
    line.write()
  }

  /// A set-up code was wrong, or somebody has to wait before the next one is looked at.
  static func refusedSetUp(_ client: ClientAddress, wait: Int? = nil) {
    var line = LogLine(.warning, wait == nil ? "setup_failed" : "setup_throttled")
    line.add(client)
    if let wait { line.add("wait", wait) } else { line.add("reason", "code") }
    line.write()
  }

  /// Somebody has to wait before the next password is looked at.
  @inline(never)
  static func refused(
    _ event: StaticString, _ client: ClientAddress, name: Span<UInt8>, wait: Int
  ) {
    var line = LogLine(.warning, event)
    line.add(client)
    line.add("wait", wait)
    line.add("name", text: name)
    line.write()
  }

  /// A request named a host that the panel does not answer.
  static func refusedHost(_ host: Span<UInt8>, _ client: ClientAddress) {
    var line = LogLine(.warning, "host_refused")
    line.add(client)
    line.add("host", text: host)
    line.write()
  }

  /// An account has changed.
  @inline(never)
  static func changed(_ event: StaticString, _ name: Text<32>, _ client: ClientAddress) {
    var line = LogLine(.notice, event)
    line.add(client)
    line.add("name", text: name.span)
    line.write()
  }

  /// A token was refused. What was sent for it is never said.
  ///
  /// - Parameter name: The token's name; `nil` for a text that is no token's.
  @inline(never)
  static func refusedToken(_ client: ClientAddress, reason: StaticString, name: Text<32>? = nil) {
    var line = LogLine(.warning, "token_failed")
    line.add(client)
    line.add("reason", reason)
    if let name { line.add("token", text: name.span) }
    line.write()
  }

  /// A program has to wait before its next token is looked at.
  static func throttledToken(_ client: ClientAddress, wait: Int) {
    var line = LogLine(.warning, "token_throttled")
    line.add(client)
    line.add("wait", wait)
    line.write()
  }

  /// A token has been made or revoked.
  @inline(never)
  static func changed(_ event: StaticString, token: Text<32>, by name: Text<32>, _ client: ClientAddress) {
    var line = LogLine(.notice, event)
    line.add(client)
    line.add("token", text: token.span)
    line.add("name", text: name.span)
    line.write()
  }

  /// A file could not be written as it should.
  static func failed(_ event: StaticString, _ error: SystemError) {
    var line = LogLine(.error, event)
    line.add("error", text: error.text)
    line.write()
  }
}
