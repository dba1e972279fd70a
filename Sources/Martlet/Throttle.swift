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
// six SHA-256 compressions and some walks through 144 entries, far below what a clock over the network
// sees beside a password's 20,000 iterations.

import MartletBytes
import MartletHTTP
import MartletToken

/// Slows down those who fail to log in.
///
/// An application has one, and hands it to `Response.checkPassword` wherever it asks for a password.
public struct Throttle: ~Copyable {
  fileprivate struct Entry {
    var key: UInt64 = 0
    /// When it has last failed: the lower half of the clock's milliseconds. They begin anew every 49
    /// days; an entry is seen as younger than it is only if nobody has tried to log in for so long.
    var moment: UInt32 = 0
    /// How often; 0 in an entry that is free.
    var count: UInt16 = 0
  }

  /// What an entry is about, as an index, and which part of the table that is.
  fileprivate enum Subject {
    static var address: Int { 0 }
    static var login: Int { 1 }
    static var name: Int { 2 }

    static func range(_ subject: Int) -> Range<Int> {
      let (addresses, logins) = (Limits.failedAddressCountMax, Limits.failedLoginCountMax)
      return switch subject {
      case address: 0..<addresses
      case login: addresses..<addresses + logins
      default: addresses + logins..<addresses + logins + Limits.failedNameCountMax
      }
    }
  }

  /// What an attempt is counted under, a key for each subject.
  fileprivate typealias Keys = InlineArray<3, UInt64>

  /// Attempts that cost no wait, and the first wait after them, in seconds.
  fileprivate struct Patience {
    let freeCount: UInt16
    let firstSeconds: Int64

    static var forLogin: Patience { Patience(freeCount: 10, firstSeconds: 1) }
    static var forAddress: Patience { Patience(freeCount: 30, firstSeconds: 1) }
    static var underAttack: Patience { Patience(freeCount: 2, firstSeconds: 32) }
  }

  /// Failures of a name or a shared address that are an attack.
  fileprivate static var attackCount: UInt16 { 30 }
  /// Seconds to wait at most.
  static var waitSecondsMax: Int64 { 900 }
  /// Milliseconds without a failure after which an entry is forgotten. A rest that long gains nothing:
  /// all that is free again after it is less than what the longest wait allows meanwhile.
  static var memoryMilliseconds: UInt32 { 4 * 3_600_000 }

  private var table = FailureTable<Entry>(repeating: Entry())
  private var secret = InlineArray<16, UInt8>(repeating: 0)

  /// A table without failures.
  @inline(never)
  public init() {
    invariant(
      Subject.range(Subject.name).upperBound == table.count, "the parts of the table are all of it")
    var target = secret.mutableSpan
    Random.fill(&target)
  }

  /// The entries in place: reading one through the array would take a copy of the table first.
  private var entries: MutableSpan<Entry> {
    @_lifetime(&self) mutating get { table.mutableSpan }
  }

  // MARK: Attempts

  /// Begins an attempt, which counts as failed until it succeeds; or says how long to wait.
  ///
  /// - Parameters:
  ///   - name: What was typed, in the form that accounts are looked up by.
  ///   - client: Where it was typed.
  ///   - now: Milliseconds of a clock that never goes back.
  /// - Returns: Whole seconds to wait, 1...900, where the attempt is refused. `nil`: it has begun, and
  ///   is to be ended with `end`.
  mutating func begin(
    _ name: Span<UInt8>, from client: ClientAddress, now: Int64
  ) -> Int? {
    let keys = keys(name, client)
    let now = UInt32(truncatingIfNeeded: now)
    var entries = entries
    entries.sweep(now)
    let milliseconds = entries.wait(keys, client, now)
    guard milliseconds <= 0 else { return Int((milliseconds + 999) / 1_000) }
    for subject in 0..<3 { entries.count(subject, keys, now) }
    return nil
  }

  /// Ends an attempt that has begun. A right password makes forgotten what has failed before at this
  /// name from this address; after a wrong one the wait is counted from here on.
  mutating func end(
    _ name: Span<UInt8>, from client: ClientAddress, now: Int64, isRight: Bool
  ) {
    let keys = keys(name, client)
    let now = UInt32(truncatingIfNeeded: now)
    var entries = entries
    entries.sweep(now)
    var failed: UInt16 = 0
    if isRight, let login = entries.find(Subject.login, keys) {
      failed = entries[login].count
    }
    for subject in 0..<3 {
      if let index = entries.find(subject, keys) {
        entries[index].count &-= min(failed, entries[index].count)
        if !isRight { entries[index].moment = now }
      } else if !isRight {
        // It has been displaced since the attempt began.
        entries.count(subject, keys, now)
      }
    }
  }

  // MARK: Keys

  @inline(never)
  private func keys(_ name: Span<UInt8>, _ client: ClientAddress) -> Keys {
    let network = client.address.network
    var keys = Keys(repeating: 0)
    keys[Subject.address] = key(Subject.address, network, name.extracting(0..<0))
    keys[Subject.login] = key(Subject.login, network, name)
    keys[Subject.name] = key(Subject.name, .unspecified, name)
    return keys
  }

  /// The first eight octets of a digest of secret, subject, address and name.
  @inline(never)
  private func key(_ subject: Int, _ network: IPAddress, _ name: Span<UInt8>) -> UInt64 {
    var head = InlineArray<33, UInt8>(repeating: UInt8(truncatingIfNeeded: subject))
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

/// The table, where it lies. Moments are the lower half of the clock's milliseconds.
extension MutableSpan where Element == Throttle.Entry {
  /// Forgets what is long enough ago; also what a clock that was set back has not yet come to.
  @inline(never)
  @_lifetime(self: copy self)
  fileprivate mutating func sweep(_ now: UInt32) {
    for index in indices where age(index, now) >= Throttle.memoryMilliseconds {
      self[index].count = 0
    }
  }

  private func age(_ index: Int, _ now: UInt32) -> UInt32 { now &- self[index].moment }

  /// Milliseconds to wait; 0 or less when an attempt may begin.
  fileprivate func wait(_ keys: Throttle.Keys, _ client: ClientAddress, _ now: UInt32) -> Int64 {
    let address = find(Throttle.Subject.address, keys)
    let login = find(Throttle.Subject.login, keys)
    let name = find(Throttle.Subject.name, keys)
    let isUnderAttack = isAttacked(name) || client.isShared && isAttacked(address)
    return Swift.max(
      client.isShared ? 0 : wait(address, .forAddress, now),
      wait(login, isUnderAttack ? .underAttack : .forLogin, now))
  }

  private func isAttacked(_ index: Int?) -> Bool {
    guard let index else { return false }
    return self[index].count >= Throttle.attackCount
  }

  /// Milliseconds until the wait of an entry is over; 0 or less when it is.
  private func wait(_ index: Int?, _ patience: Throttle.Patience, _ now: UInt32) -> Int64 {
    guard let index, self[index].count >= patience.freeCount else { return 0 }
    // Ten times doubled, the shortest first wait is beyond the longest wait.
    let doublings = Swift.min(self[index].count - patience.freeCount, 10)
    let seconds = Swift.min(patience.firstSeconds << Int64(doublings), Throttle.waitSecondsMax)
    return seconds * 1_000 - Int64(age(index, now))
  }

  /// Counts a failure. Where there is no room the entry that has failed least recently goes.
  @inline(never)
  @_lifetime(self: copy self)
  fileprivate mutating func count(_ subject: Int, _ keys: Throttle.Keys, _ now: UInt32) {
    let part = Throttle.Subject.range(subject)
    var index = part.lowerBound
    if let found = find(subject, keys) {
      index = found
    } else {
      for other in part where goesBefore(other, index, now) { index = other }
      self[index] = Throttle.Entry(key: keys[subject])
    }
    self[index].moment = now
    if self[index].count < .max { self[index].count += 1 }
  }

  /// Whether an entry is to be displaced before another one: a free one is, and then the older one.
  private func goesBefore(_ index: Int, _ other: Int, _ now: UInt32) -> Bool {
    if self[index].count == 0 || self[other].count == 0 { return self[other].count > 0 }
    return age(index, now) > age(other, now)
  }

  /// The entry of that key.
  @inline(never)
  fileprivate func find(_ subject: Int, _ keys: Throttle.Keys) -> Int? {
    for index in Throttle.Subject.range(subject)
    where self[index].count > 0 && self[index].key == keys[subject] {
      return index
    }
    return nil
  }
}
