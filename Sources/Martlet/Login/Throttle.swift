// Failed logins → how long whoever failed has to wait. Asked before a password is hashed.
//
// What counts. An attempt counts as failed from its beginning; the right password takes it back. So
// attempts at the same time get no more tries than attempts one after the other. Each counts up to five
// times, under keys of its own:
//
//     a name at an address    10 free attempts; then 1 s, 2 s, 4 s … 15 min after the last one
//     an address              30 free attempts, whatever the names; then the same
//     a near network          120 free attempts; then 1 s, 2 s … 1 min: IPv4 /24, IPv6 /56, 127.0.0.0/8
//     a far network           240 free attempts; then the same: IPv6 /48
//     a name                  never waits. From 30 failures on it is under attack: an address then has
//                             2 free attempts at that name, and waits 32 s, 64 s … 15 min after them
//
// An address is an IPv4 address or an IPv6 /64 network. A name alone never makes an address wait, or a
// botnet could lock the owner out; it only takes the patience from addresses that have failed at it.
//
// Known logins. Where a name has logged in from an address, the two are remembered: the last 16 of
// them. A known login waits for its own failures only, whatever its address, the networks or the name
// have failed; it is hashed before all others, and a place is kept for it. So nobody elsewhere can keep
// the owner from a login where the owner has been before. A request with a cookie of the account
// (`ClientAddress.isRecognized`) is a known login from every address; all such requests share one count
// of failures.
//
// The line. The table is fixed, and a new address displaces the one that has failed least recently, so
// ever new addresses, or 65 in turn, would never wait. Where all entries of addresses are taken, or those
// of names for a shared address, the logins that are not known share one budget: 60 at once, then one a
// second. Beyond it they stand in a line and are looked at one after the other, so the wait is a second
// for each connection that stands in the line before it: 48 s behind 48 attackers. Beyond a minute the
// answer is 503.
//
// A shared address (`ClientAddress.isShared`: loopback without X-Forwarded-For, a trusted proxy that
// named no client) never waits as a whole, because a stranger would lock everybody out there: names
// wait one by one. From 30 failures on it is under attack, for all its names, as above. Addresses of
// 127.0.0.0/8 other than 127.0.0.1 wait as a near network, because a user of the machine has all of them.
//
// What is taken back. A success forgets what that address has failed at that name, in all counts; so it
// gives nothing to an attacker who has an account of his own. Whatever has not failed for four hours is
// forgotten. An attempt that is refused does not count: asking too early makes nothing longer.
//
// The table has five parts that do not displace each other: 64 addresses, 64 names at an address, 32
// near and 16 far networks, 16 names. Where one is full the entry that has failed least recently goes.
// Guesses at a name that an attacker gets, with hashes of 0.3 s:
//
//     one address, one name    22 in the first hour, then 4 an hour. Junk names do not help: each
//                              refreshes the entry of the address, which goes last.
//     one address, all names   42 in the first hour, then 4 an hour
//     an IPv6 /64              the same: it is one address
//     a /24, a /56, 127/8      185 in the first hour, then 60 an hour
//     an IPv6 /48              305 in the first hour, then 60 an hour
//     up to 64 addresses       9 an hour each at a name, then 4 (after the 30 that begin an attack)
//     a stolen cookie          22 in the first hour, then 4 an hour, from all addresses together
//     a shared address         22 at a name; or 2 for each 66 of the line's budget, once 64 other names
//                              have displaced it: 110 an hour
//     more addresses, of many networks     3,700 in the first hour, then 3,600 an hour: the line
//
// A restart empties the table: it is not stored, because each failure would write to the disk, and
// whoever can restart the program needs no guesses. The counts of an attack are back after 30 attempts.
//
// Known and unknown names are treated alike: a key is a digest of the name under random octets, so
// nobody can choose names that collide, and nothing here knows which names exist. No heap; the cost is
// ten SHA-256 compressions and some walks through 192 entries, far below what a clock over the network
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

  /// What an attempt is counted under, a key for each subject.
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

  /// Failures of a name or a shared address that are an attack.
  fileprivate static var attackCount: UInt16 { 30 }
  /// Seconds to wait at most.
  static var waitSecondsMax: Int64 { 900 }
  /// Milliseconds without a failure after which an entry is forgotten. A rest that long gains nothing:
  /// all that is free again after it is less than what the longest wait allows meanwhile.
  static var memoryMilliseconds: UInt32 { 4 * 3_600_000 }

  /// Milliseconds from one attempt of the line to the next, and attempts that are let in at once.
  static var lineStepMilliseconds: Int64 { 1_000 }
  static var lineFreeCount: Int64 { 60 }

  private var table = FailureTable<Entry>(repeating: Entry())
  /// Keys of known logins, the one that has logged in last first; 0: none.
  private var known = InlineArray<16, UInt64>(repeating: 0)
  /// When the line's budget is whole again.
  private var lineTime: Int64 = .min
  private var secret = InlineArray<16, UInt8>(repeating: 0)

  /// A table without failures.
  @inline(never)
  public init() {
    invariant(
      Subject.range(Subject.far).upperBound == table.count, "the parts of the table are all of it")
    var target = secret.mutableSpan
    Random.fill(&target)
  }

  // MARK: Attempts

  /// What comes of an attempt that wants to begin.
  enum Beginning: Equatable {
    /// It has begun, and is to be ended with `end`.
    case begun
    /// It is refused, for that many whole seconds, 1...900.
    case wait(seconds: Int)
    /// It stands in the line, whose next attempt may begin at that moment.
    case line(until: Int64)
  }

  /// Whether that name has logged in from there, or a cookie of its account is there.
  func knows(_ name: Span<UInt8>, from client: ClientAddress) -> Bool {
    if client.isRecognized { return true }
    let key = key(Subject.login, client.address.network, name)
    for i in known.indices where known[i] == key { return true }
    return false
  }

  /// Which network a client is of: a number that is as good as random.
  func share(of client: ClientAddress) -> UInt16 {
    UInt16(truncatingIfNeeded: key(Subject.near, client.address.nearNetwork, ("" as StaticString).octets))
  }

  /// Begins an attempt, which counts as failed until it succeeds; or says how long to wait.
  ///
  /// - Parameters:
  ///   - name: What was typed, in the form that accounts are looked up by.
  ///   - client: Where it was typed.
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
      // A clock that was set back does not close the line.
      let (step, free) = (Self.lineStepMilliseconds, Self.lineFreeCount)
      let next = lineTime > time &+ (free + 1) * step ? time : max(lineTime, time)
      let begin = next &- (free - 1) * step
      guard begin <= time else { return .line(until: begin) }
      lineTime = next &+ step
    }
    for subject in 0..<5 where keys[subject] != 0 { entries.count(subject, keys, now) }
    return .begun
  }

  /// Ends an attempt that has begun. A right password makes forgotten what has failed before at this
  /// name from this address; after a wrong one the wait is counted from here on.
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
        // It has been displaced since the attempt began.
        entries.count(subject, keys, now)
      }
    }
  }

  /// A known login is not counted for its address and networks, which it does not wait for: it would
  /// displace what others have failed there.
  private static func forgetNetworks(_ keys: inout Keys) {
    keys[Subject.address] = 0
    keys[Subject.near] = 0
    keys[Subject.far] = 0
  }

  /// Puts a login before all others that are known.
  private mutating func remember(_ key: UInt64) {
    var moved = key
    for i in known.indices {
      swap(&known[i], &moved)
      if moved == key { return }
    }
  }

  // MARK: Keys

  @inline(never)
  private func keys(_ name: Span<UInt8>, _ client: ClientAddress) -> Keys {
    let network = client.address.network
    var keys = Keys(repeating: 0)
    keys[Subject.address] = key(Subject.address, network, name.extracting(0..<0))
    keys[Subject.login] = key(Subject.login, client.isRecognized ? .ofCookies : network, name)
    keys[Subject.name] = key(Subject.name, .unspecified, name)
    let nobody = name.extracting(0..<0)
    // All who come through this machine are no network.
    let isLocal = client.isShared && client.address.isCommonLoopback
    if !isLocal { keys[Subject.near] = key(Subject.near, client.address.nearNetwork, nobody) }
    if !client.address.isIPv4, !client.isShared {
      keys[Subject.far] = key(Subject.far, client.address.farNetwork, nobody)
    }
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
  fileprivate func wait(
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

  /// Whether all entries are taken that tell clients of that kind apart.
  fileprivate func isFull(for client: ClientAddress) -> Bool {
    let subject = client.isShared ? Throttle.Subject.login : Throttle.Subject.address
    for index in Throttle.Subject.range(subject) where self[index].count == 0 { return false }
    return true
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
    let seconds = Swift.min(patience.firstSeconds << Int64(doublings), patience.secondsMax)
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

extension IPAddress {
  /// The networks that a site has as a rule: IPv4 /24, IPv6 /56 (RFC 6177); all of 127.0.0.0/8.
  fileprivate var nearNetwork: IPAddress {
    guard isIPv4 else { return IPAddress(high: high & ~0xFF, low: 0) }
    return IPAddress(high: 0, low: isLoopback ? low & ~0xFF_FFFF : low & ~0xFF)
  }

  /// The largest network that a site has: IPv6 /48.
  fileprivate var farNetwork: IPAddress { IPAddress(high: high & ~0xFFFF, low: 0) }

  /// Key of all requests with a cookie of the account; no client has this address.
  fileprivate static var ofCookies: IPAddress { IPAddress(high: .max, low: .max) }

  /// Whether it is 127.0.0.1 or ::1, where proxies are, or not known.
  fileprivate var isCommonLoopback: Bool {
    self == .unspecified || isLoopback && (!isIPv4 || low & 0xFF_FFFF == 1)
  }
}
