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
  func write(to body: inout Body) {
    body.write(
      "<p class=\"problem\" role=\"alert\">Storage: \(what)\(error.text); \(consequence)</p>\n")
  }
}
