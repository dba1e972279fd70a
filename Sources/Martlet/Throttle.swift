// Failed logins → how long whoever failed has to wait. Asked before a password is hashed.
//
// What counts. An attempt counts as failed from its beginning; the right password takes it back. So
// attempts at the same time get no more tries than attempts one after the other. Each counts three
// times, under keys of its own:
//
//     a name at an address    10 free attempts; then 1 s, 2 s, 4 s … 15 min after the last one
//     an address              30 free attempts, whatever the names; then the same
//     a name                  never waits. From 30 failures on it is under attack: an address then has
//                             2 free attempts at that name, and waits 32 s, 64 s … 15 min after them
//
// An address is an IPv4 address or an IPv6 /64 network. Nothing waits for an address or a name that
// has not failed *there*: the right password from an address that has not failed is let in, whatever
// others do and whatever the table holds. Hence a name alone never makes anybody wait, or a botnet
// could lock its owner out; it only takes the patience from addresses that have failed at it.
//
// A shared address (`ClientAddress.isShared`: loopback without X-Forwarded-For, a trusted proxy that
// named no client) never waits as a whole, because a stranger would lock everybody out there: names
// wait one by one. From 30 failures on it is under attack, for all its names, as above.
//
// What is taken back. A success forgets what that address has failed at that name, in all three
// counts; so it gives nothing to an attacker who has an account of his own. Whatever has not failed
// for four hours is forgotten. An attempt that is refused does not count: asking too early makes
// nothing longer.
//
// The table is fixed, in three parts that do not displace each other: 64 addresses, 64 names at an
// address, 16 names. Where one is full the entry that has failed least recently goes. What that means:
//
//     one address, one name    22 guesses in the first hour, then 4 an hour. Junk names do not help:
//                              each refreshes the entry of the address, which goes last.
//     one address, all names   42 in the first hour, then 4 an hour
//     an IPv6 /64              the same: it is one address
//     up to 64 addresses       9 an hour each at a name, then 4 (after the 30 that begin an attack)
//     a shared address         22 at a name; or 2 for each 66 hashes, once 64 other names have
//                              displaced it: 364 an hour at 0.3 s a hash
//     65 addresses in turn     as many as the machine hashes one after the other, 12,000 an hour at
//                              0.3 s: a table of any fixed size has such a bound, as long as the owner
//                              of the 65th is not to be refused
//
// Known and unknown names are treated alike: a key is a digest of the name under random octets, so
// nobody can choose names that collide, and nothing here knows which names exist. No heap; the cost is
// six SHA-256 compressions and one walk through 144 entries, far below what a clock over the network
// sees beside a password's 20,000 iterations.

import MartletBytes
public import MartletHTTP
import MartletToken

/// Slows down those who fail to log in. All times are milliseconds of a clock that never goes back.
///
///     if let seconds = throttle.begin(name, from: client, now: now) { … 429, Retry-After … }
///     … hash …
///     if isRight { throttle.succeed(name, from: client, now: now) } else { throttle.fail(…) }
///
/// An attempt that begins and comes to no end, because its client is gone, counts as failed.
public struct Throttle: ~Copyable {
  private struct Entry {
    var key: UInt64 = 0
    /// When it has last failed.
    var moment: Int64 = 0
    /// How often; 0 in an entry that is free.
    var count: UInt16 = 0
  }

  /// What an entry is about, and which part of the table it is in.
  private enum Subject: UInt8 {
    case address, login, name

    var range: Range<Int> {
      let (addresses, logins) = (Limits.failedAddressCountMax, Limits.failedLoginCountMax)
      return switch self {
      case .address: 0..<addresses
      case .login: addresses..<addresses + logins
      case .name: addresses + logins..<addresses + logins + Limits.failedNameCountMax
      }
    }
  }

  /// Attempts that cost no wait, and the first wait after them, in seconds.
  private struct Patience {
    let freeCount: UInt16
    let firstSeconds: Int64

    static var forLogin: Patience { Patience(freeCount: 10, firstSeconds: 1) }
    static var forAddress: Patience { Patience(freeCount: 30, firstSeconds: 1) }
    static var underAttack: Patience { Patience(freeCount: 2, firstSeconds: 32) }
  }

  /// Failures of a name or a shared address that are an attack.
  private static var attackCount: UInt16 { 30 }
  /// Seconds to wait at most.
  static var waitSecondsMax: Int64 { 900 }
  /// Milliseconds without a failure after which an entry is forgotten. A rest that long gains nothing:
  /// all that is free again after it is less than what the longest wait allows meanwhile.
  static var memoryMilliseconds: Int64 { 4 * 3_600_000 }

  private var entries = FailureTable<Entry>(repeating: Entry())
  private var secret = InlineArray<16, UInt8>(repeating: 0)

  /// A table without failures.
  public init() {
    invariant(
      Subject.name.range.upperBound == entries.count, "the parts of the table are all of it")
    var target = secret.mutableSpan
    Random.fill(&target)
  }

  // MARK: Attempts

  /// Begins an attempt, which counts as failed until it succeeds; or says how long to wait.
  ///
  /// - Parameters:
  ///   - name: What was typed, in the form that accounts are looked up by.
  ///   - client: Where it was typed.
  ///   - now: Milliseconds of a clock that never goes back.
  /// - Returns: Whole seconds to wait, 1...900, where the attempt is refused. `nil`: it has begun, and
  ///   is to be ended with `succeed` or `fail`.
  public mutating func begin(
    _ name: Span<UInt8>, from client: ClientAddress, now: Int64
  ) -> Int? {
    let keys = keys(name, client)
    let milliseconds = wait(keys, client, now)
    guard milliseconds <= 0 else { return Int((milliseconds + 999) / 1_000) }
    count(.address, keys, now)
    count(.login, keys, now)
    count(.name, keys, now)
    return nil
  }

  /// Ends an attempt that has begun: the password was wrong. The wait is counted from here on.
  public mutating func fail(_ name: Span<UInt8>, from client: ClientAddress, now: Int64) {
    let keys = keys(name, client)
    touch(.address, keys, now)
    touch(.login, keys, now)
    touch(.name, keys, now)
  }

  /// Ends an attempt that has begun: the password was right. What has failed before at this name from
  /// this address is forgotten.
  public mutating func succeed(_ name: Span<UInt8>, from client: ClientAddress, now: Int64) {
    let keys = keys(name, client)
    guard let login = find(.login, keys, now) else { return }
    let count = entries[login].count
    entries[login].count = 0
    takeBack(count, .address, keys, now)
    takeBack(count, .name, keys, now)
  }

  /// Milliseconds to wait; 0 or less when an attempt may begin.
  private mutating func wait(_ keys: Keys, _ client: ClientAddress, _ now: Int64) -> Int64 {
    let address = find(.address, keys, now)
    let login = find(.login, keys, now)
    let isUnderAttack =
      isAttacked(find(.name, keys, now)) || client.isShared && isAttacked(address)
    return max(
      client.isShared ? 0 : wait(address, .forAddress, now),
      wait(login, isUnderAttack ? .underAttack : .forLogin, now))
  }

  private func isAttacked(_ index: Int?) -> Bool {
    guard let index else { return false }
    return entries[index].count >= Self.attackCount
  }

  /// Milliseconds until the wait of an entry is over; 0 or less when it is.
  private func wait(_ index: Int?, _ patience: Patience, _ now: Int64) -> Int64 {
    guard let index, entries[index].count >= patience.freeCount else { return 0 }
    // Ten times doubled, the shortest first wait is beyond the longest wait.
    let doublings = min(entries[index].count - patience.freeCount, 10)
    let seconds = min(patience.firstSeconds << Int64(doublings), Self.waitSecondsMax)
    return entries[index].moment + seconds * 1_000 - now
  }

  // MARK: Entries

  /// Counts a failure. Where there is no room the entry that has failed least recently goes.
  private mutating func count(_ subject: Subject, _ keys: Keys, _ now: Int64) {
    var index = subject.range.lowerBound
    if let found = find(subject, keys, now) {
      index = found
    } else {
      for other in subject.range where goesBefore(other, index) { index = other }
      entries[index] = Entry(key: keys[subject])
    }
    entries[index].moment = now
    if entries[index].count < .max { entries[index].count += 1 }
  }

  /// Counts a wait from now on; the failure itself too, where the entry has been displaced since.
  private mutating func touch(_ subject: Subject, _ keys: Keys, _ now: Int64) {
    guard let index = find(subject, keys, now) else { return count(subject, keys, now) }
    entries[index].moment = now
  }

  private mutating func takeBack(
    _ count: UInt16, _ subject: Subject, _ keys: Keys, _ now: Int64
  ) {
    guard let index = find(subject, keys, now) else { return }
    entries[index].count -= min(count, entries[index].count)
  }

  /// Whether an entry is to be displaced before another one: a free one is, and then the older one.
  private func goesBefore(_ index: Int, _ other: Int) -> Bool {
    if entries[index].count == 0 || entries[other].count == 0 { return entries[other].count > 0 }
    return entries[index].moment < entries[other].moment
  }

  /// The entry of that key, unless it is long enough ago to be forgotten.
  private mutating func find(_ subject: Subject, _ keys: Keys, _ now: Int64) -> Int? {
    for index in subject.range
    where entries[index].count > 0 && entries[index].key == keys[subject] {
      // A clock that was set back makes nobody wait longer than from now on.
      if entries[index].moment > now { entries[index].moment = now }
      if now - entries[index].moment < Self.memoryMilliseconds { return index }
      entries[index].count = 0
    }
    return nil
  }

  // MARK: Keys

  /// What an attempt is counted under.
  private struct Keys {
    let address: UInt64
    let login: UInt64
    let name: UInt64

    subscript(subject: Subject) -> UInt64 {
      switch subject {
      case .address: address
      case .login: login
      case .name: name
      }
    }
  }

  private func keys(_ name: Span<UInt8>, _ client: ClientAddress) -> Keys {
    let network = client.address.network
    return Keys(
      address: key(.address, network, name.extracting(0..<0)), login: key(.login, network, name),
      name: key(.name, .unspecified, name))
  }

  /// The first eight octets of a digest of secret, subject, address and name.
  private func key(_ subject: Subject, _ network: IPAddress, _ name: Span<UInt8>) -> UInt64 {
    var head = InlineArray<33, UInt8>(repeating: subject.rawValue)
    for i in 0..<16 {
      let half = i < 8 ? network.high : network.low
      head[i] = secret[i]
      head[17 + i] = UInt8(truncatingIfNeeded: half >> UInt64(56 - 8 * (i % 8)))
    }
    var hash = SHA256()
    hash.update(head.span)
    hash.update(name)
    let digest = hash.finish()
    var key: UInt64 = 0
    for i in 0..<8 { key = key << 8 | UInt64(digest[i]) }
    return key
  }
}
