// The file of accounts ↔ the accounts in memory:
//
//     martlet-accounts 1
//     NAME:SESSIONS:pbkdf2-hmac-sha256:SALT:ITERATIONS:KEY      one line an account
//     sha256 DIGEST                                          over all lines before it
//
// Accounts and passwords in memory are those that the file has, because a change counts once it has
// been stored, and from then on: also where the disk does not confirm it, which people are told.
// Sessions count at once: a full disk keeps nobody from logging in to clear it. The digest is no
// protection against people, it finds disks that forget.

import Martlet

/// Somebody who may log in.
struct Account: SessionUser {
  let name: Text<32>
  var password: PasswordHash
  var sessions = LiveSessions()
  /// The number of the session that this value was loaded for; not stored.
  var epoch: Int64 = 0

  var id: UserID {
    var text = Text<64>()
    text.append(name.span)
    return .text(text)
  }
}

/// Why a file is not taken for one of accounts.
enum AccountsDamage: Error, Equatable {
  /// It does not begin or end as one, or is cut.
  case form
  /// The digest is another one: something has changed.
  case digest
  /// A line is not an account, or there are too many, or two of the same name.
  case account
}

/// The accounts, at most `countMax`.
struct Accounts {
  /// Room for accounts.
  static var countMax: Int { 8 }

  /// Octets of the file at most: 279 for an account, 91 for the first and the last line.
  static var fileSizeMax: Int { 
    countMax * (32 + 1 + LiveSessions.textSizeMax + 1 + PasswordHash.textSizeMax + 1) + 91
  }

  private static var firstLine: StaticString { "martlet-accounts 1\n" }
  private static var digestName: StaticString { "sha256 " }
  /// Octets of the last line: name, 64 digits, line feed.
  private static var lastLineSize: Int { 7 + 64 + 1 }

  private var storage = InlineArray<8, Account?>(repeating: nil)
  private(set) var count = 0

  /// No accounts.
  init() {}

  /// The account at a place, from 0 to `count` - 1.
  subscript(index: Int) -> Account? { index < count ? storage[index] : nil }

  /// The account of that name, in whatever case its letters are, or `nil`.
  func account(named name: Text<32>) -> Account? { index(of: name).flatMap { storage[$0] } }

  private func index(of name: Text<32>) -> Int? {
    let wanted = AccountRules.canonical(name)
    for i in 0..<count {
      if let account = storage[i], AccountRules.canonical(account.name) == wanted { return i }
    }
    return nil
  }

  /// Adds an account, or puts it in the place of the one of the same name.
  ///
  /// - Returns: Whether there was room.
  mutating func set(_ account: Account) -> Bool {
    if let index = index(of: account.name) {
      storage[index] = account
      return true
    }
    guard count < Self.countMax else { return false }
    storage[count] = account
    count += 1
    return true
  }

  // MARK: Text

  /// Reads the text of a file.
  init(_ text: Span<UInt8>) throws(AccountsDamage) {
    let end = text.count - Self.lastLineSize
    guard end >= 0, text.count <= Self.fileSizeMax, text.hasPrefix(Self.firstLine),
      end >= Self.firstLine.utf8CodeUnitCount, text[end - 1] == "\n"
    else { throw .form }
    var hash = SHA256()
    hash.update(text.extracting(0..<end))
    var line = FixedBuffer<72>()
    Self.writeLastLine(hash.finish(), to: &line)
    guard text.extracting(end..<text.count).equals(line.span) else { throw .digest }
    var lines = Lines(text.extracting(Self.firstLine.utf8CodeUnitCount..<end))
    while let line = lines.next() {
      guard let account = Self.account(line), self.account(named: account.name) == nil,
        set(account)
      else { throw .account }
    }
  }

  private static func account(_ line: Span<UInt8>) -> Account? {
    guard let nameEnd = line.firstIndex(of: 0x3A),
      let sessionsEnd = line.firstIndex(of: 0x3A, from: nameEnd + 1),
      let name = Text<32>(line.extracting(0..<nameEnd)), AccountRules.isName(name.span),
      let sessions = LiveSessions(line.extracting(nameEnd + 1..<sessionsEnd)),
      let password = PasswordHash(line.extracting(sessionsEnd + 1..<line.count))
    else { return nil }
    return Account(name: name, password: password, sessions: sessions)
  }

  private static func writeLastLine(_ digest: Digest, to line: inout FixedBuffer<72>) {
    var writer = Writer(line.storageSpan)
    writer.append(digestName)
    writer.append(hexadecimal: digest.span)
    writer.append("\n")
    let count = writer.count
    line.setCount(count)
  }

  /// Writes the text of the file, at most `fileSizeMax` octets.
  @_lifetime(writer: copy writer)
  func write(to writer: inout Writer) {
    writer.append(Self.firstLine)
    for i in 0..<count {
      guard let account = storage[i] else { continue }
      writer.append(account.name.span)
      writer.append(":")
      account.sessions.write(to: &writer)
      writer.append(":")
      account.password.write(to: &writer)
      writer.append("\n")
    }
    var hash = SHA256()
    hash.update(writer.span)
    var line = FixedBuffer<72>()
    Self.writeLastLine(hash.finish(), to: &line)
    writer.append(line.span)
  }
}
