// The panel's files: whatever goes wrong while they are written or read, they have the old content
// or the new one, whole, and the panel knows which.

import CFaults
import Glibc
import Martlet
import TestSupport
import Testing

@testable import martlet_panel

/// A folder with the folder in which the panel keeps its files, which is not there yet.
private final class Folder: ScratchFolder {
  var data: String { path + "/data" }
  override var files: String { data }

  override func write(_ name: String, _ text: String) {
    mkdir(data, 0o700)
    super.write(name, text)
    chmod(data + "/" + name, 0o600)
  }

  override func empty() {
    super.empty()
    rmdir(data)
  }
}

/// One account whose generation is a number.
private func accounts(_ number: Int) -> Accounts {
  let hash =
    "pbkdf2-hmac-sha256:\(String(repeating: "0", count: 32)):10:"
    + String(repeating: "ab", count: 32)
  let octets = Array(hash.utf8)
  var account = Account(name: "admin", password: PasswordHash(octets.span)!)
  account.generation = Int64(number)
  var accounts = Accounts()
  _ = accounts.set(account)
  return accounts
}

private func text(_ accounts: borrowing Accounts) -> String {
  var storage = [UInt8](repeating: 0, count: Accounts.fileSizeMax)
  var writer = Writer(storage.mutableSpan)
  accounts.write(to: &writer)
  let span = writer.span
  return String(decoding: (0..<span.count).map { span[$0] }, as: UTF8.self)
}

/// The accounts of a file's text; none without a text.
private func parsed(_ text: String?) -> Accounts {
  guard let text else { return Accounts() }
  let octets = Array(text.utf8)
  do throws(AccountsDamage) { return try Accounts(octets.span) } catch { return Accounts() }
}

private func text(_ secret: Digest) -> String {
  (0..<32).map { String(secret[$0] >> 4, radix: 16) + String(secret[$0] & 15, radix: 16) }.joined()
    + "\n"
}

/// What came of one change.
private enum Change: Equatable {
  case onDisk, unconfirmed, refused
}

/// What came of a start and the changes after it.
private struct Run {
  var files: AccountFiles?
  var secret: String?
  /// The text of the accounts in memory.
  var loaded: String?
  var isOlder = false
  var isDamaged = false
  var isNone = false
  var troubles = 0

  var directory: DataDirectory? { files?.directory }
}

private func open(_ folder: Folder) -> DataDirectory? {
  let path = Array(folder.data.utf8)
  return Faults.under {
    do throws(SystemError) { return try DataDirectory(path.span) } catch { return nil }
  }
}

private func store(_ accounts: borrowing Accounts, in run: inout Run) -> Change {
  guard var files = run.files else { return .refused }
  let previous = parsed(run.loaded)
  let change: Change = Faults.under {
    do throws(SystemError) {
      switch try files.store(accounts, after: previous) {
      case .onDisk: return .onDisk
      case .unconfirmed: return .unconfirmed
      }
    } catch {
      return .refused
    }
  }
  run.files = files
  if change != .refused { run.loaded = text(accounts) }
  return change
}

/// What the panel's start does with its files.
private func start(in folder: Folder) -> Run {
  var run = Run()
  guard let directory = open(folder) else {
    run.troubles += 1
    return run
  }
  switch Faults.under({ Secret.load(from: directory) }) {
  case .secret(let secret): run.secret = text(secret)
  case .renewed(let secret, _, let unstored):
    if unstored == nil { run.secret = text(secret) }
    run.troubles += 1
  case .failed: run.troubles += 1
  }
  var files = AccountFiles(in: directory)
  var accounts = Accounts()
  switch Faults.under({ files.load(into: &accounts) }) {
  case .accounts: run.loaded = text(accounts)
  case .none: run.isNone = true
  case .older:
    run.loaded = text(accounts)
    run.isOlder = true
    run.troubles += 1
  case .damaged:
    run.isDamaged = true
    run.troubles += 1
  case .refused: run.troubles += 1
  }
  run.files = files
  return run
}

/// The files of a panel that has made a change, beside a lock.
private let whole = ["accounts", "accounts.old", "lock", "secret"]

/// Stores `number` after `previous`, and checks what the file then holds.
private func change(
  _ number: Int, after previous: String?, in run: inout Run, _ folder: Folder, _ told: String
) -> String? {
  guard run.files != nil, run.loaded != nil || run.isNone else { return previous }
  let new = text(accounts(number))
  let change = store(accounts(number), in: &run)
  if change != .onDisk { run.troubles += 1 }
  let expected = change == .refused ? previous : new
  let content = folder.content("accounts") ?? folder.content("accounts.old")
  #expect(content == expected, "\(told): change \(number) was \(change)")
  return expected
}

/// After all faults: what was in memory still works, and so does the next start.
private func checkAftermath(
  _ run: Run, accounts expected: String?, _ folder: Folder, _ told: String
) {
  #expect(faults_stray_close_count() == 0, "\(told): a descriptor was closed twice")
  // The directory, and the file that is locked.
  #expect(faults_open_count() <= (run.directory == nil ? 0 : 2), "\(told): a descriptor leaks")
  if let secret = run.secret {
    #expect(folder.content("secret") == secret, "\(told): the secret in use is the file's")
  }
  Faults.plan()
  var last = expected
  var run = run
  if run.files != nil, run.loaded != nil || run.isNone {
    #expect(store(accounts(9), in: &run) == .onDisk, "\(told): the next change works")
    last = text(accounts(9))
    #expect(
      folder.names.allSatisfy { whole.contains($0) || $0.contains(".damaged") },
      "\(told): left over in \(folder.names)")
  }
  faults_close_all()
  let next = start(in: folder)
  #expect(next.troubles == 0 && !next.isDamaged && next.secret != nil, "\(told): the next start")
  #expect(next.loaded == last, "\(told): the accounts at the next start")
  if let secret = run.secret { #expect(next.secret == secret, "\(told): the secret stays") }
  faults_close_all()
}

extension EachFault {
  @Suite final class FileTests {
    /// How many calls a scenario's start has made.
    private var startCallCount = 0
    /// Whether it has begun with accounts.
    private var hasAccounts = false

    /// A first start in no directory, and two changes.
    private func runFirstStart(_ folder: Folder, _ told: String) -> (run: Run, accounts: String?) {
      folder.empty()
      hasAccounts = false
      var run = start(in: folder)
      startCallCount = Faults.calls.count
      #expect(run.loaded == nil, "\(told)")
      if run.directory != nil, let secret = folder.content("secret") {
        #expect(secret.count == 65, "\(told): the secret is whole")
      }
      var stored: String?
      for number in 1...2 { stored = change(number, after: stored, in: &run, folder, told) }
      return (run, stored)
    }

    /// A start with files and what a power cut left behind, and a change.
    private func runLaterStart(_ folder: Folder, _ told: String) -> (run: Run, accounts: String?) {
      folder.empty()
      hasAccounts = true
      let old = text(accounts(1))
      let secret = String(repeating: "0f", count: 32) + "\n"
      folder.write("secret", secret)
      folder.write("accounts", old)
      folder.write("accounts.old", old)
      folder.write("accounts.new", "half a fi")
      var run = start(in: folder)
      startCallCount = Faults.calls.count
      #expect(!run.isNone, "\(told): nothing is taken for missing")
      if let loaded = run.loaded { #expect(loaded == old, "\(told): the accounts are the file's") }
      let stored = change(2, after: old, in: &run, folder, told)
      return (run, stored)
    }

    /// The file that a call is about.
    private func path(of call: Faults.Call, in calls: [Faults.Call]) -> String {
      guard call.path.isEmpty else { return call.path }
      let index = calls.firstIndex { $0.name == call.name && $0.position == call.position }!
      let opening = calls[..<index].last { $0.name == "openat" && $0.result == call.descriptor }
      return opening?.path ?? ""
    }

    /// Whether people are told of a fault: all but what is repaired, or means nothing.
    private func isToldOf(_ fault: Faults.Fault, in calls: [Faults.Call]) -> Bool {
      if fault.isRepaired || fault.call.name == "fchmod" { return false }
      // One of two locks is enough.
      if fault.call.name == "flock" { return fault.fault == "EAGAIN" }
      let path = path(of: fault.call, in: calls)
      if path == "lock" { return false }
      // A parent that may not be read cannot be asked; the directory itself is fine.
      if path == "..", fault.call.name == "openat" { return fault.fault != "EACCES" }
      // Nothing is lost with a file that was only read.
      if fault.call.name == "close", !path.hasSuffix(".new") { return false }
      let index = calls.firstIndex {
        $0.name == fault.call.name && $0.position == fault.call.position
      }!
      // Without accounts, a generation before that cannot be read keeps the panel from being set up.
      if path == "accounts.old", fault.call.name == "openat", index < startCallCount, !hasAccounts {
        return true
      }
      // Otherwise it does not matter at a start, and is a copy after the first change.
      let change = calls[..<index].last { $0.name == "renameat" }?.path
      if path.hasPrefix("accounts.old") { return index >= startCallCount && change != "accounts" }
      return true
    }

    private func failEachOnce(
      _ scenario: (Folder, String) -> (run: Run, accounts: String?)
    ) throws -> Int {
      let folder = try Folder()
      Faults.plan()
      let (run, stored) = scenario(folder, "without faults")
      #expect(run.troubles == 0 && run.secret != nil && stored == text(accounts(2)))
      let calls = Faults.calls
      checkAftermath(run, accounts: stored, folder, "without faults")
      let faults = Faults.all(in: calls)
      for fault in faults {
        Faults.plan(fault)
        let (run, stored) = scenario(folder, "\(fault)")
        #expect(faults_injected_count() == 1, "\(fault) has happened")
        // Of the secret, which nobody waits for, the terminal tells.
        let isTold =
          run.troubles > 0 || Faults.calls.contains { $0.name == "write" && $0.descriptor == 2 }
        #expect(isTold == isToldOf(fault, in: calls), "\(fault): who is told")
        #expect(!folder.names.contains { $0 == "secret.new" }, "\(fault): left over")
        if stored != nil, run.troubles == 0 {
          #expect(
            folder.names.allSatisfy { whole.contains($0) || $0 == "accounts.old.damaged0" },
            "\(fault): left over")
        }
        checkAftermath(run, accounts: stored, folder, "\(fault)")
      }
      return faults.count
    }

    @Test("A first start and its changes survive each fault of each call")
    func firstStart() throws {
      #expect(try failEachOnce(runFirstStart) >= 100)
    }

    @Test("A later start and a change survive each fault of each call")
    func laterStart() throws {
      #expect(try failEachOnce(runLaterStart) >= 60)
    }

    @Test("A later start and a change survive each pair of faults")
    func pairs() throws {
      let folder = try Folder()
      Faults.plan()
      let (run, stored) = runLaterStart(folder, "without faults")
      let faults = Faults.all(in: Faults.calls)
      checkAftermath(run, accounts: stored, folder, "without faults")
      for (index, first) in faults.enumerated() {
        for second in faults[(index + 1)...] {
          guard first.call.name != second.call.name || first.call.position != second.call.position
          else { continue }
          Faults.plan(first, second)
          let told = "\(first) and \(second)"
          let (run, stored) = runLaterStart(folder, told)
          #expect(faults_injected_count() >= 1, "\(told) has happened")
          checkAftermath(run, accounts: stored, folder, told)
        }
      }
    }

    @Test("A disk that stays full refuses every change and keeps the old content")
    func fullForGood() throws {
      let folder = try Folder()
      for (call, fault) in [
        ("write", "ENOSPC"), ("openat", "ENOSPC"), ("fsync", "EIO"), ("renameat", "EROFS"),
      ] {
        folder.empty()
        Faults.plan()
        var run = start(in: folder)
        let old = change(1, after: nil, in: &run, folder, "before")
        #expect(run.troubles == 0)
        #expect(faults_plan("\(call):1+:\(fault)"))
        for number in 2...5 {
          #expect(change(number, after: old, in: &run, folder, "\(call) \(fault)") == old)
          #expect(folder.names == whole, "\(call) \(fault): left over")
        }
        #expect(run.troubles == 4)
        checkAftermath(run, accounts: old, folder, "\(call) \(fault)")
      }
    }

    @Test("What only the directory's fsync refuses is in the file, and counts")
    func unconfirmed() throws {
      let folder = try Folder()
      folder.empty()
      Faults.plan()
      var run = start(in: folder)
      _ = change(1, after: nil, in: &run, folder, "before")
      // Two for each of the two files: its own, and the directory's.
      for position in [2, 4] {
        #expect(faults_plan("fsync:\(position):EIO"))
        #expect(store(accounts(position), in: &run) == .unconfirmed)
        #expect(folder.content("accounts") == text(accounts(position)))
      }
      for position in [1, 3] {
        #expect(faults_plan("fsync:\(position):EIO"))
        #expect(store(accounts(9), in: &run) == .refused)
        #expect(folder.content("accounts") == text(accounts(4)))
      }
      checkAftermath(run, accounts: text(accounts(4)), folder, "unconfirmed")
    }

    @Test("Without locks the directory is used, and people are told; a lock of another process is seen")
    func locks() throws {
      let folder = try Folder()
      for fault in ["EBADF", "ENOLCK", "ENOSYS", "EOPNOTSUPP"] {
        for (plan, isTold) in [
          ("flock:1:\(fault)", false), ("flock:2:\(fault)", false), ("flock:1+:\(fault)", true),
          ("flock:1+:\(fault),openat:2:EROFS", true), ("openat:2:EROFS", false),
        ] {
          folder.empty()
          folder.write("secret", "")
          #expect(faults_plan(plan))
          let directory = try #require(open(folder), "\(plan)")
          #expect((directory.unlocked != nil) == isTold, "\(plan)")
          faults_close_all()
        }
      }
      for position in 1...2 {
        #expect(faults_plan("flock:\(position):EAGAIN"))
        #expect(open(folder) == nil)
        #expect(faults_open_count() == 0)
      }
      faults_close_all()
    }

    @Test("A new directory is on the disk before it is used, and an old one is left alone")
    func newDirectory() throws {
      let folder = try Folder()
      for isNew in [true, false] {
        Faults.plan()
        _ = try #require(open(folder))
        let calls = Faults.calls
        let parent = calls.first { $0.name == "openat" && $0.path == ".." }
        #expect((parent != nil) == isNew)
        #expect(
          calls.contains { $0.name == "fsync" && $0.descriptor == parent?.result } == isNew)
        #expect(faults_close_all() == 2)
      }
      folder.empty()
      #expect(faults_plan("fsync:1:EIO"))
      #expect(open(folder) == nil)
      #expect(access(folder.data, F_OK) != 0, "the next start makes it, and tries, again")
      #expect(faults_open_count() == 0)
    }

    @Test("The directory may get descriptor 0, where a panel has no standard input")
    func descriptorZero() throws {
      let folder = try Folder()
      folder.empty()
      Faults.plan()
      let isOpen = withDescriptorZeroFree {
        let isOpen = open(folder) != nil
        faults_close_all()
        return isOpen
      }
      #expect(isOpen)
    }

    @Test("A change is written, synchronized, renamed and synchronized again, in this order")
    func order() throws {
      let folder = try Folder()
      folder.empty()
      Faults.plan()
      var run = start(in: folder)
      #expect(store(accounts(1), in: &run) == .onDisk)
      for fault in ["", "write:2:short", "write:2:EINTR", "fsync:3:EINTR", "renameat:2:EINTR"] {
        #expect(faults_plan(fault))
        #expect(store(accounts(1), in: &run) == .onDisk)
        // A call that was begun again counts once, with its result.
        let all = Faults.calls.filter { !$0.isInjected || $0.result >= 0 }
        // The generation before comes first, in the same way.
        let first = try #require(all.firstIndex { $0.path == "accounts.new" })
        #expect(all[..<first].contains { $0.name == "renameat" && $0.path == "accounts.old" })
        let calls = all[first...]
        let opening = calls.first { $0.path == "accounts.new" && $0.name == "openat" }
        let file = try #require(opening).result
        var steps: [String] = []
        for call in calls {
          let step =
            switch (call.name, call.descriptor) {
            case ("write", file): "write"
            case ("fsync", file): "synchronize the file"
            case ("close", file): "close"
            case ("renameat", _): "rename to \(call.path)"
            case ("fsync", _): "synchronize the directory"
            case ("openat", _): "make"
            case ("unlinkat", _): "remove \(call.path)"
            default: call.name
            }
          if steps.last != step { steps.append(step) }
        }
        #expect(
          steps == [
            "remove accounts.new", "make", "write", "synchronize the file", "close",
            "rename to accounts", "synchronize the directory",
          ], "\(fault)")
        let written = calls.filter { $0.name == "write" }.map(\.result).reduce(0, +)
        #expect(written == text(accounts(1)).utf8.count, "\(fault): all of it")
      }
      #expect(faults_close_all() == 2)
    }

    @Test("A change that nobody waits for is whole, and not synchronized")
    func unsynchronized() throws {
      let folder = try Folder()
      folder.empty()
      Faults.plan()
      let run = start(in: folder)
      let directory = try #require(run.directory)
      var sessions = Sessions()
      for waits in [false, true] {
        #expect(faults_plan(""))
        let number = sessions.begin(of: 1, isRemembered: false, at: 0)
        let clock = SystemClock.now(newest: 0)
        Faults.under { _ = try? sessions.store(in: directory, clock, waits: waits) }
        #expect(Faults.calls.filter { $0.name == "fsync" }.count == (waits ? 2 : 0))
        #expect(folder.content("sessions")?.contains(" \(number) ") == true)
      }
      #expect(faults_close_all() == 2)
    }
  }
}
