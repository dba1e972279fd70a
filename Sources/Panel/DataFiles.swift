// The data directory at the start: what is in it is this user's alone and good, or one line says what to
// do. Files that a power cut has damaged do not keep the panel from starting.

import Martlet

/// What the panel starts with.
struct DataFiles: ~Copyable {
  private let isReadInPlace = ByAddress()

  let path: Text<200>
  let directory: DataDirectory
  let secret: Digest
  var files: AccountFiles
  private(set) var accounts = Accounts()
  let sessions: Sessions
  private(set) var condition = Condition.good

  /// What the files of accounts are like.
  enum Condition {
    case good
    /// The generation before is in use, and why.
    case older(SystemError)
    /// There are no accounts, and yet the panel must not be set up; why.
    case damaged(SystemError)

    /// Whether neither file is good.
    var isDamaged: Bool {
      if case .damaged = self { return true }
      return false
    }
  }

  /// Whether there are no accounts, and none that are damaged.
  var canBeSetUp: Bool { accounts.count == 0 && !condition.isDamaged }

  /// Opens the directory and reads all of it. What must not be ends the program with one line.
  init(_ path: Text<200>) {
    self.path = path
    directory = Self.open(path)
    secret = Self.loadSecret(directory, path)
    files = AccountFiles(in: directory)
    sessions = Self.loadSessions(directory, path)
    switch files.load(into: &accounts) {
    case .accounts:
      if accounts.areFormer { upgrade() }
    case .none: break
    case .older(let error):
      condition = .older(error)
      Self.say(
        path, "/accounts", error,
        "; accounts.old is used, as it was before the last change. Remove both to set up anew.")
    case .damaged(let error):
      condition = .damaged(error)
      Self.say(
        path, "/accounts", error,
        """
        , and there is no accounts.old that is good; put a copy of it back, or remove both to set up \
        anew, and start again.
        """)
    case .refused(let name, let error): Self.refuse(path, name, error)
    }
  }

  /// Writes a file of version 1 anew. Where that fails, its accounts are used all the same.
  private mutating func upgrade() {
    do throws(SystemError) {
      let stored = try files.store(accounts, after: Accounts())
      if case .unconfirmed(let error) = stored { StorageTrouble.unconfirmed(error).log() }
    } catch {
      StorageTrouble.sessionsNotStored(error).log()
    }
  }

  /// Reads the sessions. Damage does not keep the panel from starting: they end. A file that others may
  /// have written is refused, because it may have sessions that have ended.
  private static func loadSessions(_ directory: DataDirectory, _ path: Text<200>) -> Sessions {
    var problem = SystemError.damaged
    switch Sessions.load(from: directory) {
    case .sessions(var sessions):
      sessions.settle(SystemClock.now(newest: sessions.stamp.newest))
      return sessions
    case .damaged: break
    case .unreadable(let error):
      if error.isOthers { refuse(path, Sessions.fileName, error) }
      problem = error
    }
    say(path, "/sessions", problem, "; all sessions have ended.")
    return Sessions()
  }

  private static func open(_ path: Text<200>) -> DataDirectory {
    do throws(SystemError) {
      let directory = try DataDirectory(path.span)
      if let error = directory.unlocked {
        say(path, " cannot be locked", error, "; see to it that no other martlet-panel uses it.")
      }
      return directory
    } catch {
      if error.isOthers { refuse(path, "", error) }
      var message = Message("martlet-panel: cannot use the data directory ")
      message.add(path)
      if error.isInUse {
        message.add(": another martlet-panel does; stop it, or choose another one with --data.")
      } else if error.isWithoutModes {
        message.add(": every user may read what lies there, because the file system keeps no")
        message.add(" permissions; mount it with umask=077, or choose another one with --data.")
      } else {
        message.add(": ")
        message.add(error.text)
        message.add("; choose another one with --data.")
      }
      message.fail()
    }
  }

  private static func loadSecret(_ directory: DataDirectory, _ path: Text<200>) -> Digest {
    switch Secret.load(from: directory) {
    case .secret(let secret): return secret
    case .renewed(let secret, let error, nil):
      say(path, "/secret", error, "; a new one has been made, which ends all sessions.")
      return secret
    case .renewed(let secret, _, .some(let error)):
      say(
        path, "/secret is of no use and cannot be made anew", error,
        "; sessions last until the next start only.")
      return secret
    case .failed(let error): refuse(path, "secret", error)
    }
  }

  /// Says something about a file on the terminal.
  @inline(never)
  static func say(
    _ path: Text<200>, _ what: StaticString, _ error: SystemError, _ consequence: StaticString
  ) {
    var message = Message("martlet-panel: ")
    message.add(path)
    message.add(what)
    message.add(": ")
    message.add(error.text)
    message.add(consequence)
    message.print(.error)
  }

  /// Ends the program with one line about a file, or about the directory when `name` is empty.
  private static func refuse(
    _ path: Text<200>, _ name: StaticString, _ error: SystemError
  ) -> Never {
    var message = Message("martlet-panel: ")
    message.add(path, name)
    message.add(": ")
    message.add(error.text)
    if error.isAnotherOwner {
      message.add("; start martlet-panel as its owner, or make it this user's with: chown -R ")
      message.add(System.user)
      message.add(" ")
      message.add(path)
    } else if error.isOthers {
      message.add("; take them away with: chmod ")
      message.add(name.utf8CodeUnitCount > 0 ? "600 " : "700 ")
      message.add(path, name)
    } else {
      message.add("; see to that, or choose another directory with --data.")
    }
    message.fail()
  }
}

extension Message {
  /// Adds the path of a file of the directory, or of the directory when `name` is empty.
  fileprivate mutating func add(_ path: Text<200>, _ name: StaticString) {
    add(path)
    if name.utf8CodeUnitCount > 0 { add("/") }
    add(name)
  }
}
