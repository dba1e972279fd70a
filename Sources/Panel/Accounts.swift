// The file of accounts ↔ the accounts in memory:
//
//     martlet-accounts 2
//     NAME:GENERATION:pbkdf2-hmac-sha256:SALT:ITERATIONS:KEY   one line an account
//     sha256 DIGEST                                            over all lines before it
//
// The generation is a random number, another one for each new account and each new password: sessions
// belong to it (Sessions.swift). Files of version 1 have a list of sessions in its place; those end.
//
// Accounts and passwords in memory are those that the file has, because a change counts once the change has
// been stored. A change counts as well where the disk does not confirm it, and people are told so. Sessions
// are in a file of their own and count at once: a full disk keeps nobody from logging in to clear it.

import Martlet

/// Somebody who may log in.
struct Account: SessionUser {
  let name: Text<32>
  var password: PasswordHash
  /// What its sessions belong to, below 2^53.
  var generation = SystemClock.randomNumber()
  /// The number of the session that this value was loaded for; not stored.
  var epoch: Int64 = 0
  /// Where a program asks with a token: the token's rights. Then the name is the token's; not stored.
  var token: TokenRights?

  /// No account has the identifier of a token, because no name of an account has a blank.
  var id: UserID {
    var text = Text<64>()
    if token != nil { text.append(("token " as StaticString).octets) }
    text.append(name.span)
    return .text(text)
  }

  var roles: Roles { token?.scope.roles ?? .people }

  /// Begins a new generation: no session of the account goes on.
  mutating func renewGeneration() { generation = SystemClock.randomNumber() }
}

/// Why a file is not taken for one of accounts.
enum AccountsDamage: Error, Equatable {
  /// The file does not begin or end as a file of accounts, or is cut.
  case form
  /// The digest is not that of the lines: something has changed.
  case digest
  /// A line is not an account, or there are none, too many, or two of the same name.
  case account
}

/// The accounts, at most `countMax`.
struct Accounts: ~Copyable {
  private let isReadInPlace = ByAddress()

  /// Room for accounts.
  static var countMax: Int { 8 }

  /// Octets of a line of version 1's sessions at most: eight numbers of ten digits, and the commas.
  private static var formerSizeMax: Int { 8 * 11 - 1 }

  /// Octets of the file at most, in either version.
  static var fileSizeMax: Int {
    countMax * (32 + 1 + formerSizeMax + 1 + PasswordHash.textSizeMax + 1)
      + firstLine.utf8CodeUnitCount + Checksum.lineSize
  }

  private static var firstLine: StaticString { "martlet-accounts 2\n" }
  private static var formerFirstLine: StaticString { "martlet-accounts 1\n" }

  private var storage = InlineArray<8, Account?>(repeating: nil)
  private(set) var count = 0
  /// Whether they were read from a file of version 1, which is to be written anew.
  private(set) var areFormer = false

  /// No accounts.
  init() {}

  /// The same accounts, to be changed until they are stored.
  init(copyOf other: borrowing Accounts) {
    storage = other.storage
    count = other.count
    areFormer = other.areFormer
  }

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
    areFormer = text.hasPrefix(Self.formerFirstLine)
    let firstLine = areFormer ? Self.formerFirstLine : Self.firstLine
    guard text.count <= Self.fileSizeMax, let end = Checksum.end(of: text, firstLine)
    else { throw .form }
    guard Checksum.isRight(text, end: end) else { throw .digest }
    var lines = Lines(text.extracting(firstLine.utf8CodeUnitCount..<end))
    while let line = lines.next() {
      guard let account = Self.account(line, isFormer: areFormer),
        self.account(named: account.name) == nil,
        set(account)
      else { throw .account }
    }
    // The panel never writes such a file; taken as good, it would let anybody with the code set up anew.
    guard count > 0 else { throw .account }
  }

  private static func account(_ line: Span<UInt8>, isFormer: Bool) -> Account? {
    guard let nameEnd = line.firstIndex(of: 0x3A),
      let generationEnd = line.firstIndex(of: 0x3A, from: nameEnd + 1),
      let name = Text<32>(line.extracting(0..<nameEnd)), AccountRules.isName(name.span),
      let password = PasswordHash(line.extracting(generationEnd + 1..<line.count))
    else { return nil }
    if isFormer { return Account(name: name, password: password) }
    guard let generation = Decimals.number(line.extracting(nameEnd + 1..<generationEnd))
    else { return nil }
    return Account(name: name, password: password, generation: generation)
  }

  /// Writes the text of the file, at most `fileSizeMax` octets.
  @_lifetime(writer: copy writer)
  func write(to writer: inout Writer) {
    writer.append(Self.firstLine)
    for i in 0..<count {
      guard let account = storage[i] else { continue }
      writer.append(account.name.span)
      writer.append(":")
      writer.append(decimal: account.generation)
      writer.append(":")
      account.password.write(to: &writer)
      writer.append("\n")
    }
    Checksum.append(to: &writer)
  }
}
