// Failed logins → how long the next login has to wait. The throttle is asked before a password is hashed.
//
// What counts. An attempt counts as failed from its beginning, and the right password removes the count. So
// attempts at one time get no more tries than attempts one after another. Each attempt counts up to five
// times, under five keys:
//
//     a name at an address    10 free attempts; then 1 s, 2 s, 4 s … 15 min after the last one
//     an address              30 free attempts, whatever the names; then 1 s, 2 s, 4 s … 15 min
//     a near network          120 free attempts; then 1 s, 2 s … 1 min: IPv4 /24, IPv6 /56, 127.0.0.0/8
//     a far network           240 free attempts; then 1 s, 2 s … 1 min: IPv6 /48
//     a name                  never waits. From 30 failures on the name is under attack: an address then
//                             has 2 free attempts at that name, and waits 32 s, 64 s … 15 min after them
//
// An address is an IPv4 address or an IPv6 /64 network. A name alone never makes an address wait, because a
// botnet could then lock the owner out. A name under attack only lowers the free attempts of addresses that
// have failed at the name.
//
// Known logins. Where a name has logged in from an address, the pair of name and address is remembered. The
// last 16 pairs are kept. A known login waits for its own failures only, not for those of its address, of the
// networks or of the name. A known login is hashed before all others, and a place is kept for it. So nobody
// elsewhere can keep the owner from a login where the owner has been before. A request with a cookie of the
// account (`ClientAddress.isRecognized`) is a known login from every address. All such requests share one
// count of failures.
//
// The line. The table is fixed, and a new address displaces the address that has failed least recently. So
// ever new addresses, or 65 in turn, would never wait. The line begins where all entries of addresses are
// used, or all entries of names in the case of a shared address. Then all logins that are not known share one
// budget: 60 at once, then one a second. Logins beyond the budget stand in a line and are verified one after
// another. The wait is a second for each connection that stands in the line before: 48 s behind 48 attackers.
// Beyond a minute the answer is 503.
//
// A shared address is loopback without X-Forwarded-For, or a trusted proxy that named no client
// (`ClientAddress.isShared`). A shared address never waits as a whole, because a stranger would lock
// everybody out there: names wait one by one. From 30 failures on, a shared address is under attack, for all
// its names. Addresses of 127.0.0.0/8 other than 127.0.0.1 wait as a near network, because a user of the
// machine has all of them.
//
// What is removed. A success removes, from all counts, what that address has failed at that name. So a
// success gives nothing to an attacker who has an account of his own. An entry without a failure for four
// hours is forgotten. An attempt that is refused does not count, so asking too early makes no wait longer.
//
// The table has five parts: 64 addresses, 64 names at an address, 32 near and 16 far networks, 16 names.
// Entries of one part do not displace entries of another part. Where a part is full, the entry that has
// failed least recently is displaced. Guesses at a name that an attacker gets, with hashes of 0.3 s:
//
//     one address, one name    22 in the first hour, then 4 an hour. Junk names do not help: each
//                              refreshes the entry of the address, which is displaced last.
//     one address, all names   42 in the first hour, then 4 an hour
//     an IPv6 /64              as one address: 42 in the first hour, then 4 an hour
//     a /24, a /56, 127/8      185 in the first hour, then 60 an hour
//     an IPv6 /48              305 in the first hour, then 60 an hour
//     up to 64 addresses       9 an hour each at a name, then 4 (after the 30 that begin an attack)
//     a stolen cookie          22 in the first hour, then 4 an hour, from all addresses together
//     with rests of four hours each time, in place of 4 an hour: 4.7 at a name, 9.3 at all names
//     a shared address         22 at a name; or 2 for each 66 of the line's budget, once 64 other names
//                              have displaced it: 110 an hour
//     more addresses, of many networks     3,700 in the first hour, then 3,600 an hour: the line
//
// A restart empties the table. The table is not stored, because each failure would write to the disk. An
// attacker who can restart the program needs no guesses. The counts of an attack are back after 30 attempts.
//
// Known and unknown names are treated alike, because the table does not know which names exist. A key is a
// digest of the name under random octets, so nobody can choose names that collide. The throttle uses no heap.
// An attempt costs ten SHA-256 compressions and some walks through 192 entries. A clock over the network
// cannot see that beside the 20,000 iterations of a password.

import MartletBytes
import MartletHTTP
import MartletToken

/// Slows down those who fail to log in.
///
/// An application has one throttle, and passes it to `Response.checkPassword` wherever a page asks for a
/// password.
public struct Throttle: ~Copyable {
  fileprivate struct Entry {
    var key: UInt64 = 0
    /// When the entry last failed: the lower half of the clock's milliseconds, which wraps every 49 days. An
    /// entry seems younger than it is only after 49 days without any attempt to log in.
    var moment: UInt32 = 0
    /// Failures of the entry; 0 in a free entry.
    var count: UInt16 = 0
  }

  /// The subject of an entry, as an index, and the part of the table for each subject.
  fileprivate enum Subject {
    static var address: Int { 0 }
    static var login: Int { 1 }
    static var name: Int { 2 }
    static var near: Int { 3 }
    static var far: Int { 4 }

    static func range(_ subject: Int) -> Range<Int> {
      var start = 0
      var counts = Keys(repeating: 0)
      counts[address] = UInt64(Limits.failedAddressCountMax)
      counts[login] = UInt64(Limits.failedLoginCountMax)
      counts[name] = UInt64(Limits.failedNameCountMax)
      counts[near] = UInt64(Limits.failedNearNetworkCountMax)
      counts[far] = UInt64(Limits.failedFarNetworkCountMax)
      for i in 0..<subject { start += Int(counts[i]) }
      return start..<start + Int(counts[subject])
    }
  }

  /// The keys that an attempt is counted under: one key for each subject.
  fileprivate typealias Keys = InlineArray<5, UInt64>

  /// Attempts that cost no wait, and the first wait after them, in seconds.
  fileprivate struct Patience {
    let freeCount: UInt16
    let firstSeconds: Int64
    var secondsMax = Throttle.waitSecondsMax

    static var forLogin: Patience { Patience(freeCount: 10, firstSeconds: 1) }
    static var forAddress: Patience { Patience(freeCount: 30, firstSeconds: 1) }
    static var forNear: Patience { Patience(freeCount: 120, firstSeconds: 1, secondsMax: 60) }
    static var forFar: Patience { Patience(freeCount: 240, firstSeconds: 1, secondsMax: 60) }
    static var underAttack: Patience { Patience(freeCount: 2, firstSeconds: 32) }
  }

  /// From so many failures on, a name or a shared address is under attack.
  fileprivate static var attackCount: UInt16 { 30 }
  /// The longest wait in seconds.
  static var waitSecondsMax: Int64 { 900 }
  /// Milliseconds without a failure after which an entry is forgotten. An attacker gains little by such rests.
  /// With them, 4 h 17 min allow 20 attempts at a name, or 40 at all names. Without them it is 17.
  static var memoryMilliseconds: UInt32 { 4 * 3_600_000 }

  /// Milliseconds from one attempt of the line to the next, and attempts that begin at once.
  static var lineStepMilliseconds: Int64 { 1_000 }
  static var lineFreeCount: Int64 { 60 }

  private var table = FailureTable<Entry>(repeating: Entry())
  /// Keys of known logins, the most recent login first; 0 is no key.
  private var known = InlineArray<16, UInt64>(repeating: 0)
  /// When the line's budget is whole again.
  private var lineTime: Int64 = .min
  private var secret = InlineArray<16, UInt8>(repeating: 0)

  /// Makes a table without failures.
  @inline(never)
  public init() {
    invariant(
      Subject.range(Subject.far).upperBound == table.count, "the parts of the table are all of it")
    var target = secret.mutableSpan
    Random.fill(&target)
  }

  // MARK: Attempts

  /// The result of `begin`.
  enum Beginning: Equatable {
    /// The attempt has begun, and must be ended with `end`.
    case begun
    /// The attempt is refused for that many whole seconds, 1...900.
    case wait(seconds: Int)
    /// The attempt stands in the line, whose next attempt may begin at that moment.
    case line(until: Int64)
  }

  /// Whether that name has logged in from the client's address, or the request has a cookie of the account.
  mutating func knows(_ name: Span<UInt8>, from client: ClientAddress) -> Bool {
    if client.isRecognized { return true }
    let key = key(Subject.login, client.address.network, name)
    for i in known.indices where known[i] == key { return true }
    return false
  }

  /// A number for the client's network. The number is a digest, so that nobody can choose networks that share
  /// it.
  mutating func share(of client: ClientAddress) -> UInt16 {
    UInt16(truncatingIfNeeded: key(Subject.near, client.address.nearNetwork, ("" as StaticString).octets))
  }

  /// Begins an attempt, which counts as failed until it succeeds; or says how long to wait.
  ///
  /// - Parameters:
  ///   - name: The typed name, in the form that accounts are looked up by.
  ///   - client: Where the request comes from.
  ///   - now: Milliseconds of a clock that never goes back.
  mutating func begin(_ name: Span<UInt8>, from client: ClientAddress, now time: Int64) -> Beginning {
    var keys = keys(name, client)
    let isKnown = knows(name, from: client)
    let now = UInt32(truncatingIfNeeded: time)
    var entries = table.mutableSpan
    entries.sweep(now)
    let milliseconds = entries.wait(keys, client, isKnown: isKnown, now)
    guard milliseconds <= 0 else { return .wait(seconds: Int((milliseconds + 999) / 1_000)) }
    if isKnown { Self.forgetNetworks(&keys) }
    if !isKnown, entries.isFull(for: client) {
      // A clock that was set back must not close the line, so a line too far in the future begins again now.
      let (step, free) = (Self.lineStepMilliseconds, Self.lineFreeCount)
      let next = lineTime > time &+ (free + 1) * step ? time : max(lineTime, time)
      let begin = next &- (free - 1) * step
      guard begin <= time else { return .line(until: begin) }
      lineTime = next &+ step
    }
    for subject in 0..<5 where keys[subject] != 0 { entries.count(subject, keys, now) }
    return .begun
  }

  /// Ends an attempt that has begun. A right password removes the earlier failures at this name from this
  /// address. After a wrong password the wait is counted from now on.
  @inline(never)
  mutating func end(
    _ name: Span<UInt8>, from client: ClientAddress, now: Int64, isRight: Bool
  ) {
    var keys = keys(name, client)
    if knows(name, from: client) { Self.forgetNetworks(&keys) }
    let now = UInt32(truncatingIfNeeded: now)
    if isRight { remember(key(Subject.login, client.address.network, name)) }
    var entries = table.mutableSpan
    entries.sweep(now)
    var failed: UInt16 = 0
    if isRight, let login = entries.find(Subject.login, keys) {
      failed = entries[login].count
    }
    for subject in 0..<5 where keys[subject] != 0 {
      if let index = entries.find(subject, keys) {
        entries[index].count &-= min(failed, entries[index].count)
        if !isRight { entries[index].moment = now }
      } else if !isRight {
        // The entry has been displaced since the attempt began.
        entries.count(subject, keys, now)
      }
    }
  }

  /// Removes the keys of the address and the networks. A known login does not wait for these, so it must not
  /// displace the failures of others there.
  private static func forgetNetworks(_ keys: inout Keys) {
    keys[Subject.address] = 0
    keys[Subject.near] = 0
    keys[Subject.far] = 0
  }

  /// Puts a login before all other known logins.
  private mutating func remember(_ key: UInt64) {
    var moved = key
    for i in known.indices {
      swap(&known[i], &moved)
      if moved == key { return }
    }
  }

  // MARK: Keys

  @inline(never)
  private mutating func keys(_ name: Span<UInt8>, _ client: ClientAddress) -> Keys {
    let network = client.address.network
    var keys = Keys(repeating: 0)
    keys[Subject.address] = key(Subject.address, network, name.extracting(0..<0))
    keys[Subject.login] = key(Subject.login, client.isRecognized ? .ofCookies : network, name)
    keys[Subject.name] = key(Subject.name, .unspecified, name)
    let nobody = name.extracting(0..<0)
    // Requests through this machine share a loopback address, which is no network.
    let isLocal = client.isShared && client.address.isCommonLoopback
    if !isLocal { keys[Subject.near] = key(Subject.near, client.address.nearNetwork, nobody) }
    if !client.address.isIPv4, !client.isShared {
      keys[Subject.far] = key(Subject.far, client.address.farNetwork, nobody)
    }
    return keys
  }

  /// The first eight octets of a SHA-256 digest of secret, subject, address and name.
  @inline(never)
  private mutating func key(_ subject: Int, _ network: IPAddress, _ name: Span<UInt8>) -> UInt64 {
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

/// The table in its place. Moments are the lower half of the clock's milliseconds.
extension MutableSpan where Element == Throttle.Entry {
  /// Forgets entries that last failed long ago, and entries in the future of a clock that was set back.
  @inline(never)
  @_lifetime(self: copy self)
  fileprivate mutating func sweep(_ now: UInt32) {
    for index in indices where age(index, now) >= Throttle.memoryMilliseconds {
      self[index].count = 0
    }
  }

  private mutating func age(_ index: Int, _ now: UInt32) -> UInt32 { now &- self[index].moment }

  /// Milliseconds to wait; 0 or less when an attempt may begin.
  fileprivate mutating func wait(
    _ keys: Throttle.Keys, _ client: ClientAddress, isKnown: Bool, _ now: UInt32
  ) -> Int64 {
    let address = find(Throttle.Subject.address, keys)
    let name = find(Throttle.Subject.name, keys)
    let isUnderAttack =
      client.isShared && !client.isRecognized
      ? isAttacked(address) || isAttacked(name) : isAttacked(name) && !isKnown
    let own = wait(
      find(Throttle.Subject.login, keys), isUnderAttack ? .underAttack : .forLogin, now)
    if isKnown { return own }
    var all = Swift.max(own, client.isShared ? 0 : wait(address, .forAddress, now))
    all = Swift.max(all, wait(find(Throttle.Subject.near, keys), .forNear, now))
    return Swift.max(all, wait(find(Throttle.Subject.far, keys), .forFar, now))
  }

  /// Whether all entries are used that tell clients of that kind apart.
  fileprivate mutating func isFull(for client: ClientAddress) -> Bool {
    let subject = client.isShared ? Throttle.Subject.login : Throttle.Subject.address
    for index in Throttle.Subject.range(subject) where self[index].count == 0 { return false }
    return true
  }

  private mutating func isAttacked(_ index: Int?) -> Bool {
    guard let index else { return false }
    return self[index].count >= Throttle.attackCount
  }

  /// Milliseconds until the wait of an entry is over; 0 or less when it is.
  private mutating func wait(_ index: Int?, _ patience: Throttle.Patience, _ now: UInt32) -> Int64 {
    guard let index, self[index].count >= patience.freeCount else { return 0 }
    // After ten doublings, the shortest first wait is beyond the longest wait.
    let doublings = Swift.min(self[index].count - patience.freeCount, 10)
    let seconds = Swift.min(patience.firstSeconds << Int64(doublings), patience.secondsMax)
    return seconds * 1_000 - Int64(age(index, now))
  }

  /// Counts a failure. Where the part is full, the entry that has failed least recently is displaced.
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

  /// Whether an entry is displaced before another entry: a free entry first, then the older entry.
  private mutating func goesBefore(_ index: Int, _ other: Int, _ now: UInt32) -> Bool {
    if self[index].count == 0 || self[other].count == 0 { return self[other].count > 0 }
    return age(index, now) > age(other, now)
  }

  /// The index of the entry with that key.
  @inline(never)
  fileprivate mutating func find(_ subject: Int, _ keys: Throttle.Keys) -> Int? {
    for index in Throttle.Subject.range(subject)
    where self[index].count > 0 && self[index].key == keys[subject] {
      return index
    }
    return nil
  }
}

extension IPAddress {
  /// The networks that a site has as a rule: IPv4 /24, IPv6 /56 (RFC 6177); all of 127.0.0.0/8.
  fileprivate var nearNetwork: IPAddress {
    guard isIPv4 else { return IPAddress(high: high & ~0xFF, low: 0) }
    return IPAddress(high: 0, low: isLoopback ? low & ~0xFF_FFFF : low & ~0xFF)
  }

  /// The largest network that a site has: IPv6 /48.
  fileprivate var farNetwork: IPAddress { IPAddress(high: high & ~0xFFFF, low: 0) }

  /// The address in the key of all requests with a cookie of the account. No client has this address.
  fileprivate static var ofCookies: IPAddress { IPAddress(high: .max, low: .max) }

  /// Whether the address is unknown, or 127.0.0.1 or ::1, where proxies are.
  fileprivate var isCommonLoopback: Bool {
    self == .unspecified || isLoopback && (!isIPv4 || low & 0xFF_FFFF == 1)
  }
}
