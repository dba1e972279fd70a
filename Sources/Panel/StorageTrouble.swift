// What the disk has not done → a line on the terminal and one on the pages, until it does it. A change
// that was refused as a whole is not among it: an error page says so.

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
  @inline(never)
  func log() { Log.failed(event, error) }

  /// Says it on a page.
  @_lifetime(body: copy body)
  func write(to body: inout Body<Panel>) {
    body.write("\(begin: .problem)Storage: \(what)\(error.text); \(consequence)\(end: .problem)")
  }
}

extension Panel {
  /// Says that the generation before is in use, if it is.
  @_lifetime(body: copy body)
  mutating func writeCondition(to body: inout Body<Panel>) {
    guard case .older(let error) = condition else { return }
    body.write(
      """
      \(begin: .problem)The file of accounts cannot be used: \(error.text). Accounts are as they were before \
      the last change; so is the password, if that was changed.\(end: .problem)
      """)
  }

  /// What every page says when neither file of accounts is good. Nobody can log in, or set up.
  static func refuseDamaged(_ response: consuming Response<Panel>, _ error: SystemError) -> Answer {
    response.refuse(
      .serviceUnavailable,
      """
      The file of accounts cannot be used: \(error.text). So nobody can log in. Put a copy of "accounts" \
      back into the data directory, or remove "accounts" and "accounts.old" to set this device up anew; then \
      start martlet-panel again. Nothing is changed meanwhile.
      """)
  }

  /// Says that a change could not be stored, and why.
  static func refuseUnstored(_ response: consuming Response<Panel>, _ error: SystemError) -> Answer {
    Log.failed("account_not_stored", error)
    return response.refuse(
      .internalServerError,
      """
      The accounts could not be written: \(error.text). Nothing has changed. Check the data directory's \
      disk and permissions, then try again.
      """)
  }
}
