// What the disk has not done → a line on the terminal and one on the pages, until it does it. A change
// that was refused as a whole is not among it: the page that asked for it says so.

import Martlet

/// What is in memory and perhaps not on the disk.
enum StorageTrouble {
  /// The file has what is in memory, but the disk has not confirmed it.
  case unconfirmed(SystemError)
  /// Sessions have begun or ended, and the file of sessions does not know.
  case sessionsNotStored(SystemError)

  private var error: SystemError {
    switch self {
    case .unconfirmed(let error), .sessionsNotStored(let error): error
    }
  }

  private var what: StaticString {
    switch self {
    case .unconfirmed: "the disk has not confirmed what was stored: "
    case .sessionsNotStored: "sessions could not be stored: "
    }
  }

  private var consequence: StaticString {
    switch self {
    case .unconfirmed: "a power cut may undo the last change."
    case .sessionsNotStored: "logins and logouts count until the next start only."
    }
  }

  private var event: StaticString {
    switch self {
    case .unconfirmed: "storage_unconfirmed"
    case .sessionsNotStored: "sessions_not_stored"
    }
  }

  /// Says it in the log.
  func log() { Log.failed(event, error) }

  /// Says it on a page.
  @_lifetime(body: copy body)
  func write(to body: inout Body<Panel>) {
    body.write(
      "<p class=\"problem\" role=\"alert\">Storage: \(what)\(error.text); \(consequence)</p>\n")
  }
}

extension Panel {
  /// Says that the generation before is in use, if it is.
  @_lifetime(body: copy body)
  func writeCondition(to body: inout Body<Panel>) {
    guard case .older(let error) = condition else { return }
    body.write(
      """
      <p class="problem" role="alert">The file of accounts cannot be used: \(error.text). Accounts are \
      as they were before the last change; so is the password, if that was changed.</p>

      """)
  }

  /// What every page says when neither file of accounts is good. Nobody can log in, or set up.
  static func damagedPage(_ response: consuming Response<Panel>, _ error: SystemError) -> Answer {
    var body = response.body(.serviceUnavailable)
    body.begin(title: "Out of order", .door)
    body.write(
      """
      <section class="card">
      <h1>Out of order</h1>
      <p class="problem" role="alert">The file of accounts cannot be used: \(error.text). \
      So nobody can log in.</p>
      <p>Put a copy of <code>accounts</code> back into the data directory, or remove \
      <code>accounts</code> and <code>accounts.old</code> to set this device up anew; then start \
      martlet-panel again. Nothing is changed meanwhile.</p>
      </section>

      """)
    return body.finish()
  }
}
