// Two files of accounts, `accounts` and the generation before it, `accounts.old` → accounts that are
// good, or why there are none. At every instant one of the two files is whole. First `accounts.old` and then
// `accounts` is written under another name, synchronized and renamed.
//
//     accounts    accounts.old   what the panel does
//     good        any            takes `accounts`; makes a copy, if there is none
//     missing     missing        is set up
//     not good    good           takes `accounts.old`, and says so on its pages
//     not good    not good       shows one page only, which says what to do
//
// *Not good* is damaged, unreadable, missing, or no file at all. Nobody can set the panel up while
// either of the two is there, so that damage opens no door. What is damaged stays as it is; before a
// good file takes its place it gets another name.

import Martlet

/// The files of accounts.
struct AccountFiles {
  let directory: DataDirectory
  /// Whether a file is there that is to be kept under another name before it is replaced.
  private var hasDamagedNewest = false
  private var hasDamagedOlder = false
  /// Whether there is a generation before.
  private var hasOlder = false

  /// What the two files hold.
  enum Loaded {
    case accounts
    case none
    /// Those of the generation before, and why not the newest.
    case older(because: SystemError)
    /// Neither is good: what is wrong with the newest that is there.
    case damaged(SystemError)
    /// The file must not be used, or can be read in a moment.
    case refused(StaticString, SystemError)
  }

  private static var newestName: StaticString { "accounts" }
  private static var olderName: StaticString { "accounts.old" }

  init(in directory: DataDirectory) { self.directory = directory }

  /// Reads one of the files.
  @inline(never)
  private func read(_ name: StaticString, into accounts: inout Accounts) throws(SystemError) {
    let isGood = try directory.read(name) { text in
      do throws(AccountsDamage) { accounts = try Accounts(text) } catch { return false }
      return true
    }
    if !isGood { throw .damaged }
  }

  /// Reads the files, and makes a copy where there is none.
  mutating func load(into accounts: inout Accounts) -> Loaded {
    var older = Accounts()
    var problem = SystemError.damaged
    do throws(SystemError) {
      try read(Self.newestName, into: &accounts)
    } catch {
      if error.isOthers || error.isPassing { return .refused(Self.newestName, error) }
      hasDamagedNewest = !error.isNotFound
      problem = error
    }
    do throws(SystemError) {
      try read(Self.olderName, into: &older)
      hasOlder = true
    } catch {
      if error.isOthers || error.isPassing && accounts.count == 0 {
        return .refused(Self.olderName, error)
      }
      hasDamagedOlder = !error.isNotFound && !error.isPassing
      hasOlder = error.isPassing
      if hasDamagedOlder, !hasDamagedNewest { problem = error }
    }
    if accounts.count > 0 {
      // Where the disk does not take it, the next change tries again.
      if !hasOlder, !hasDamagedOlder { _ = try? keep(accounts) }
      return .accounts
    }
    if older.count > 0 {
      accounts = older
      return .older(because: problem)
    }
    return hasDamagedNewest || hasDamagedOlder ? .damaged(problem) : .none
  }

  /// Writes the accounts anew; those before become the generation before.
  ///
  /// - Parameter previous: Without accounts where the generation before stays.
  /// - Throws: `SystemError` when the files have the accounts before.
  mutating func store(
    _ accounts: borrowing Accounts, after previous: borrowing Accounts
  ) throws(SystemError) -> Stored {
    var older = Stored.onDisk
    if previous.count > 0, !hasDamagedNewest || !hasOlder {
      older = try keep(previous)
    }
    if hasDamagedNewest {
      try directory.setAside(Self.newestName)
      hasDamagedNewest = false
    }
    let newest = try replace(Self.newestName, with: accounts)
    if !hasOlder { older = (try? keep(accounts)) ?? older }
    if case .onDisk = newest { return older }
    return newest
  }

  /// Makes accounts the generation before.
  private mutating func keep(_ accounts: borrowing Accounts) throws(SystemError) -> Stored {
    if hasDamagedOlder {
      try directory.setAside(Self.olderName)
      hasDamagedOlder = false
    }
    let stored = try replace(Self.olderName, with: accounts)
    hasOlder = true
    return stored
  }

  private func replace(
    _ name: StaticString, with accounts: borrowing Accounts
  ) throws(SystemError) -> Stored {
    var text = FixedBuffer<2_560>()
    var writer = Writer(text.storageSpan)
    accounts.write(to: &writer)
    invariant(!writer.overflowed, "the accounts fit their file")
    let count = writer.count
    text.setCount(count)
    return try directory.replace(name, with: text.span)
  }
}
