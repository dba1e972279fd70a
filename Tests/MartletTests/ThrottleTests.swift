// The rules of the throttle as sentences, the figures of its description, and a model of it.

import MartletBytes
import TestSupport
import Testing

@testable import Martlet

/// A throttle that questions, too, may change.
private final class Kept {
  var throttle = Throttle()
}

/// A throttle with a clock: names as text, time in seconds.
private struct Login: ~Copyable {
  let kept = Kept()
  /// Milliseconds.
  var now: Int64 = 1_000_000

  func knows(_ name: String, _ client: ClientAddress) -> Bool {
    kept.throttle.knows(Array(name.utf8).span, from: client)
  }

  /// Seconds to wait, or `nil` when the attempt has begun.
  mutating func begin(_ name: String, _ client: ClientAddress) -> Int? {
    switch kept.throttle.begin(Array(name.utf8).span, from: client, now: now) {
    case .begun: nil
    case .wait(let seconds): seconds
    case .line(let moment): Int((moment - now + 999) / 1_000)
    }
  }

  mutating func end(_ name: String, _ client: ClientAddress, isRight: Bool) {
    kept.throttle.end(Array(name.utf8).span, from: client, now: now, isRight: isRight)
  }

  /// An attempt with a wrong password, if one is let in.
  @discardableResult
  mutating func fail(_ name: String, _ client: ClientAddress) -> Int? {
    let wait = begin(name, client)
    if wait == nil { end(name, client, isRight: false) }
    return wait
  }

  /// An attempt with the right password, if one is let in.
  @discardableResult
  mutating func succeed(_ name: String, _ client: ClientAddress) -> Int? {
    let wait = begin(name, client)
    if wait == nil { end(name, client, isRight: true) }
    return wait
  }

  mutating func wait(_ seconds: Int) { now += Int64(seconds) * 1_000 }

  /// Fails so often that the next attempt has to wait.
  mutating func exhaust(_ name: String, _ client: ClientAddress) {
    for _ in 0..<10 where fail(name, client) == nil {}
  }
}

private func ipv4(_ number: Int) -> ClientAddress {
  ClientAddress(
    IPAddress(high: 0, low: 0xFFFF_0A00_0000 | UInt64(number)), isShared: false)
}

private func ipv6(_ network: UInt64, _ host: UInt64) -> ClientAddress {
  ClientAddress(IPAddress(high: 0x2001_0DB8_0000_0000 | network, low: host), isShared: false)
}

/// An address of another /24 for each number.
private func scattered(_ number: Int) -> ClientAddress { ipv4(number << 8) }

private let loopback = ClientAddress(
  IPAddress(high: 0, low: 0xFFFF_7F00_0001), isShared: true)

@Suite struct ThrottleTests {
  private let home = ipv4(1)
  private let elsewhere = ipv4(2)

  @Test(
    "Ten attempts are free, then the wait begins at a second and doubles up to a quarter of an hour"
  )
  func doubling() {
    var login = Login()
    for attempt in 1...10 {
      let wait = login.fail("susan", home)
      #expect(wait == nil, "attempt \(attempt)")
    }
    for seconds in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900] {
      #expect(login.fail("susan", home) == seconds)
      login.now += Int64(seconds) * 1_000 - 1
      #expect(login.fail("susan", home) == 1, "a millisecond early")
      login.now += 1
      #expect(login.fail("susan", home) == nil, "after \(seconds) s")
    }
  }

  @Test("An attempt that is refused makes nothing longer, and the rest of the wait is told")
  func refusedAttempts() {
    var login = Login()
    login.exhaust("susan", home)
    for _ in 0..<6 {
      login.wait(900)
      login.fail("susan", home)
    }
    #expect(login.begin("susan", home) == 64)
    for rest in (1...64).reversed() {
      #expect(login.begin("susan", home) == rest)
      login.wait(1)
    }
    #expect(login.succeed("susan", home) == nil)
  }

  @Test("Attempts at the same time are as many as attempts one after the other")
  func concurrent() {
    var login = Login()
    let waits = (0..<20).map { _ in login.begin("susan", home) }
    #expect(waits == Array(repeating: nil, count: 10) + Array(repeating: 1, count: 10))
    // The wait is counted from the end of the last one, not from its beginning.
    login.wait(5)
    login.end("susan", home, isRight: false)
    #expect(login.begin("susan", home) == 1)
  }

  @Test("A success takes back what has failed before at that name from that address")
  func success() {
    var login = Login()
    for _ in 0..<9 { login.fail("susan", home) }
    #expect(login.succeed("susan", home) == nil)
    for _ in 0..<10 { #expect(login.fail("susan", home) == nil) }
    #expect(login.fail("susan", home) == 1)
  }

  @Test("A person with many successes and some failures never waits, alone or with a family")
  func family() {
    var login = Login()
    for day in 0..<200 {
      for name in ["susan", "david", "anna", "ben"] {
        for _ in 0..<day % 9 { #expect(login.fail(name, home) == nil) }
        #expect(login.succeed(name, home) == nil)
      }
    }
  }

  @Test("Who has an account of his own gains nothing from logging in between two guesses")
  func ownAccount() {
    var login = Login()
    var guesses = 0
    for _ in 0..<100 {
      if login.fail("susan", home) == nil { guesses += 1 }
      login.succeed("mallory", home)
    }
    #expect(guesses == 10)
  }

  @Test("An address that tries many names waits after thirty")
  func sprayed() {
    var login = Login()
    for i in 0..<30 { #expect(login.fail("name\(i)", home) == nil) }
    #expect(login.fail("another", home) == 1)
    #expect(login.succeed("another", elsewhere) == nil)
  }

  @Test("Failures elsewhere do not keep the right password out")
  func elsewhereIsFree() {
    var login = Login()
    login.exhaust("susan", elsewhere)
    #expect(login.begin("susan", elsewhere) == 1)
    #expect(login.succeed("susan", home) == nil)
    // Neither does it help those who have failed.
    #expect(login.begin("susan", elsewhere) == 1)
  }

  @Test(
    "Whatever has happened, a name is let in at once where it has logged in before, and again",
    arguments: 1...4)
  func neverLockedOut(_ seed: UInt64) {
    var random = SeededRandom(seed)
    var login = Login()
    let network = ipv6(0xFFFF, 1)
    func owners(_ login: inout Login) {
      #expect(login.succeed("susan", home) == nil)
      #expect(login.succeed("name1", network) == nil)
      #expect(login.succeed("owner", loopback) == nil)
    }
    owners(&login)
    for round in 0..<3_000 {
      let name =
        Bool.random(using: &random) ? "susan" : "name\(Int.random(in: 0..<100, using: &random))"
      let client: ClientAddress
      switch Int.random(in: 0..<3, using: &random) {
      case 0: client = ipv4(Int.random(in: 100..<400, using: &random))
      case 1: client = ipv6(UInt64.random(in: 0..<100, using: &random), random.next())
      default: client = loopback
      }
      switch Int.random(in: 0..<4, using: &random) {
      case 0: _ = login.begin(name, client)
      case 1: login.succeed(name == "susan" ? "mallory" : name, client)
      default: login.fail(name, client)
      }
      if round % 7 == 0 { login.now += Int64.random(in: 0..<60_000, using: &random) }
      if round % 10 == 0 {
        owners(&login)
      }
    }
  }

  @Test("The hosts of a /64 are one client, other networks are others")
  func networks() {
    var login = Login()
    for host in 0..<10 { #expect(login.fail("susan", ipv6(7, UInt64(host) << 32)) == nil) }
    #expect(login.fail("susan", ipv6(7, .max)) == 1)
    #expect(login.fail("susan", ipv6(8, 0)) == nil)
    #expect(login.fail("susan", ipv4(7)) == nil)
  }

  @Test("A name under attack: addresses that have failed at it lose their patience, others nothing")
  func underAttack() {
    var login = Login()
    for i in 0..<29 { login.fail("susan", ipv4(1_000 + i)) }
    login.fail("susan", home)
    #expect(login.fail("susan", home) == nil)
    // Thirty-one failures by now, two of them from here.
    for seconds in [32, 64, 128, 256, 512, 900, 900] {
      #expect(login.begin("susan", home) == seconds)
      login.wait(seconds)
      #expect(login.fail("susan", home) == nil)
    }
    // From here another name is free, and from elsewhere this one.
    #expect(login.fail("david", home) == nil)
    #expect(login.succeed("susan", elsewhere) == nil)
    // Who mistypes once may try again at once.
    #expect(login.fail("susan", elsewhere) == nil)
    #expect(login.succeed("susan", elsewhere) == nil)
    // The attack is over when it has rested for four hours.
    login.wait(4 * 3_600)
    for _ in 0..<10 { #expect(login.fail("susan", home) == nil) }
  }

  @Test("At a shared address each name waits for itself")
  func shared() {
    var login = Login()
    login.exhaust("susan", loopback)
    #expect(login.begin("susan", loopback) == 1)
    #expect(login.succeed("david", loopback) == nil)
    for i in 0..<110 { #expect(login.fail("junk\(i)", loopback) == nil) }
    #expect(login.succeed("david", loopback) == nil)
    // So many failures are an attack: two are free, and then it is half a minute.
    for _ in 0..<2 { #expect(login.fail("david", loopback) == nil) }
    #expect(login.fail("david", loopback) == 32)
    #expect(login.fail("david", home) == nil)
  }

  @Test("Two loopback addresses are two")
  func loopbacks() {
    var login = Login()
    login.exhaust("susan", loopback)
    let other = ClientAddress(IPAddress(high: 0, low: 0xFFFF_7F00_0002), isShared: true)
    #expect(login.begin("susan", loopback) == 1)
    #expect(login.succeed("susan", other) == nil)
  }

  @Test("What has not failed for four hours is forgotten")
  func forgotten() {
    var login = Login()
    for _ in 0..<40 {
      login.fail("susan", home)
      login.wait(900)
    }
    #expect(login.begin("susan", home) == nil)
    login.wait(4 * 3_600 - 1)
    #expect(login.begin("susan", home) == nil)
    #expect(login.begin("susan", home) == 900)
    login.wait(4 * 3_600)
    for _ in 0..<10 { #expect(login.fail("susan", home) == nil) }
    #expect(login.fail("susan", home) == 1)
  }

  @Test("A clock that jumps forgets failures, and nothing overflows")
  func clockJumps() {
    var login = Login()
    for now in [1 << 31, 5, .min, .max, 1 << 32 - 500] as [Int64] {
      login.now = now
      for _ in 0..<10 { #expect(login.fail("susan", home) == nil, "at \(now)") }
      #expect(login.begin("susan", home) == 1)
    }
    // The lower half of the clock begins anew within the wait.
    login.now += 999
    #expect(login.begin("susan", home) == 1)
    login.now += 1
    #expect(login.fail("susan", home) == nil)
    #expect(login.begin("susan", home) == 2)
  }

  @Test("The entry that has failed least recently is displaced, and no other")
  func displaced() {
    var login = Login()
    let count = Limits.failedAddressCountMax
    for i in 0..<count {
      for _ in 0..<10 { login.fail("name\(i)", scattered(1_000 + i)) }
      login.now += 1
    }
    // The first one fails again, so the second one is the oldest.
    login.wait(1)
    #expect(login.fail("name0", scattered(1_000)) == nil)
    #expect(login.fail("new", scattered(9_000)) == nil)
    #expect(login.begin("name0", scattered(1_000)) == 2)
    #expect(login.fail("name1", scattered(1_001)) == nil)
    #expect(login.fail("name1", scattered(1_001)) == nil, "forgotten")
  }

  @Test("Junk names from one address do not displace what it has failed")
  func junkNames() {
    var login = Login()
    login.exhaust("susan", home)
    var junk = 0
    for i in 0..<10_000 where login.fail("junk\(i)", home) == nil { junk += 1 }
    #expect(junk == 20)
    #expect(login.begin("susan", home) == 1)
  }

  @Test("Equal names and addresses are told apart by what they are")
  func keys() {
    var login = Login()
    login.exhaust("", home)
    #expect(login.begin("", home) == 1)
    #expect(login.fail("\0", home) == nil)
    #expect(login.fail(String(repeating: "x", count: 64), home) == nil)
    var other = Login()
    #expect(other.fail("", home) == nil, "another throttle knows nothing of it")
  }

  // MARK: The figures of the description

  /// How many guesses an attacker gets each hour who tries whenever he may.
  ///
  /// - Parameters:
  ///   - addresses: How many he has.
  ///   - attempt: An attempt; the seconds to wait when it is refused.
  private func guesses(
    hours: Int, addresses: Int = 1, _ attempt: (inout Login, Int) -> Int?
  ) -> [Int] {
    var login = Login()
    let start = login.now
    var perHour = Array(repeating: 0, count: hours)
    var turn = 0
    while login.now - start < Int64(hours) * 3_600_000 {
      var wait = Int.max
      for _ in 0..<addresses where wait > 0 {
        wait = min(wait, attempt(&login, turn) ?? 0)
        turn += 1
      }
      if wait == 0 {
        perHour[Int((login.now - start) / 3_600_000)] += 1
        // A hash takes 0.3 s, and one goes after the other.
        login.now += 300
      } else {
        login.wait(wait)
      }
    }
    return perHour
  }

  @Test("One address gets 22 guesses at a name in the first hour, then 4 an hour")
  func oneAddress() {
    let perHour = guesses(hours: 24) { login, _ in login.fail("susan", ipv4(1)) }
    #expect(perHour[0] == 22)
    #expect(perHour.dropFirst().allSatisfy { $0 <= 4 }, "\(perHour)")
  }

  @Test("One address gets 42 guesses at all names in the first hour, then 4 an hour")
  func oneAddressAllNames() {
    let perHour = guesses(hours: 24) { login, turn in login.fail("n\(turn)", ipv4(1)) }
    #expect(perHour[0] == 42)
    #expect(perHour.dropFirst().allSatisfy { $0 <= 4 }, "\(perHour)")
  }

  /// Guesses an hour of an attacker who rests until all is forgotten, whenever a wait is at least that long.
  private func guessesWithRests(
    from secondsMin: Int, _ attempt: (inout Login, Int) -> Int?
  ) -> Double {
    let hours = 240
    var login = Login()
    let start = login.now
    var count = 0
    while login.now - start < Int64(hours) * 3_600_000 {
      if let wait = attempt(&login, count) {
        login.wait(wait < secondsMin ? wait : 4 * 3_600)
      } else {
        count += 1
        login.now += 300
      }
    }
    return Double(count) / Double(hours)
  }

  @Test("Rests of four hours give 4.7 guesses an hour at a name and 9.3 at all names, at most")
  func rests() {
    var (name, all) = (0.0, 0.0)
    for seconds in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900] {
      name = max(name, guessesWithRests(from: seconds) { login, _ in login.fail("susan", ipv4(1)) })
      all = max(all, guessesWithRests(from: seconds) { login, turn in login.fail("n\(turn)", ipv4(1)) })
    }
    #expect((4.6...4.8).contains(name), "\(name)")
    #expect((9.2...9.6).contains(all), "\(all)")
  }

  @Test("A network gains nothing by rests of four hours")
  func networkRests() {
    for seconds in [1, 32, 60] {
      let near = guessesWithRests(from: seconds) { login, turn in login.fail("susan", ipv4(turn % 256)) }
      #expect(near <= 60, "\(near)")
    }
  }

  @Test("A /64 gets what one address gets")
  func oneNetwork() {
    let perHour = guesses(hours: 24) { login, turn in login.fail("susan", ipv6(1, UInt64(turn))) }
    #expect(perHour[0] == 22 && perHour.dropFirst().allSatisfy { $0 <= 4 }, "\(perHour)")
  }

  @Test("A stolen cookie gets 22 guesses in the first hour, then 4 an hour, wherever it is used")
  func stolenCookie() {
    let perHour = guesses(hours: 24) { login, turn in
      var client = scattered(turn)
      client.isRecognized = true
      return login.fail("susan", client)
    }
    #expect(perHour[0] == 22 && perHour.dropFirst().allSatisfy { $0 <= 4 }, "\(perHour)")
  }

  @Test("Each of 64 addresses gets 9 guesses at a name in the first hour, then 4 an hour")
  func botnet() {
    let perHour = guesses(hours: 6, addresses: 64) { login, turn in
      login.fail("susan", scattered(turn % 64))
    }
    #expect((8 * 64...10 * 64).contains(perHour[0]), "\(perHour)")
    #expect(perHour.dropFirst().allSatisfy { $0 <= 4 * 64 + 8 }, "\(perHour)")
  }

  @Test("At a shared address 64 junk names buy two guesses, and the line bounds both")
  func sharedWithJunk() {
    var guessed = 0
    let perHour = guesses(hours: 2) { login, turn in
      guard let wait = login.fail("susan", loopback) else {
        guessed += 1
        return nil
      }
      return login.fail("junk\(turn)", loopback).map { min($0, wait) }
    }
    #expect((3_500...3_700).contains(perHour[1]), "\(perHour)")
    #expect((150...260).contains(guessed), "\(guessed) in two hours")
  }

  @Test("Ever new addresses of many networks get a guess a second")
  func line() {
    let perHour = guesses(hours: 3) { login, turn in login.fail("susan", scattered(turn)) }
    #expect((3_600...3_730).contains(perHour[0]), "\(perHour)")
    #expect(perHour.dropFirst().allSatisfy { $0 <= 3_600 }, "\(perHour)")
    let fewer = guesses(hours: 2) { login, turn in login.fail("susan", scattered(turn % 65)) }
    #expect(fewer[1] <= 3_600, "\(fewer)")
  }

  @Test(
    "A near network gets 185 guesses in the first hour, then 60 an hour",
    arguments: [
      { ipv4($0 % 256) }, { ipv6(UInt64($0 % 256), UInt64($0)) },
      {
        ClientAddress(IPAddress(high: 0, low: 0xFFFF_7F00_0002 + UInt64($0)), isShared: true)
      },
    ] as [@Sendable (Int) -> ClientAddress])
  func nearNetwork(_ client: @Sendable (Int) -> ClientAddress) {
    for names in [false, true] {
      let perHour = guesses(hours: 4) { login, turn in
        login.fail(names ? "name\(turn)" : "susan", client(turn))
      }
      #expect((180...190).contains(perHour[0]), "\(perHour)")
      #expect(perHour.dropFirst().allSatisfy { $0 <= 61 }, "\(perHour)")
    }
  }

  @Test("A far network gets 305 guesses in the first hour, then 60 an hour")
  func farNetwork() {
    let perHour = guesses(hours: 4) { login, turn in
      // Another /56 each time.
      login.fail("susan", ipv6(UInt64(turn << 8 | turn >> 8) & 0xFFFF, 1))
    }
    #expect((295...310).contains(perHour[0]), "\(perHour)")
    #expect(perHour.dropFirst().allSatisfy { $0 <= 61 }, "\(perHour)")
  }

  // MARK: Known logins

  @Test("Where a name has logged in it waits for its own failures only")
  func known() {
    var login = Login()
    login.succeed("susan", home)
    for i in 0..<300 { login.fail("junk\(i)", home) }
    for i in 0..<300 { login.fail("susan", ipv4(2 + i % 200)) }
    for i in 0..<300 { login.fail("susan", scattered(i)) }
    #expect(login.begin("david", home) != nil)
    // Ten of its own are free, as ever.
    for _ in 0..<10 { #expect(login.fail("susan", home) == nil) }
    #expect(login.begin("susan", home) == 1)
    #expect(login.knows("susan", home) == true)
    #expect(login.knows("david", home) == false)
    #expect(login.knows("susan", elsewhere) == false)
  }

  @Test("Where a cookie of the account is the password is asked for whatever others have failed")
  func recognized() {
    var login = Login()
    for number in 0..<200 { login.fail("susan", scattered(number)) }
    login.exhaust("susan", ipv4(7))
    var own = ipv4(7)
    let (early, isKnown) = (login.begin("susan", own), login.knows("susan", own))
    #expect(early != nil && !isKnown)
    own.isRecognized = true
    #expect(login.succeed("susan", own) == nil)
    // The address is known from then on, for who has no cookie any more.
    own.isRecognized = false
    let isKnownNow = login.knows("susan", own)
    #expect(isKnownNow)
    // Behind a proxy that names nobody, or on this machine, it is the same.
    for _ in 0..<40 { login.fail("susan", loopback) }
    var local = loopback
    #expect(login.begin("susan", local) != nil)
    local.isRecognized = true
    #expect(login.succeed("susan", local) == nil)
  }

  @Test("Sixteen logins are known, and one more displaces the one that has been used least recently")
  func knownAreFew() {
    var login = Login()
    for i in 0..<16 { login.succeed("susan", scattered(i)) }
    login.succeed("susan", scattered(0))
    login.succeed("susan", scattered(16))
    let known = (0...16).filter { login.knows("susan", scattered($0)) }
    #expect(known == [0] + Array(2...16))
    // Failures, however many, displace none.
    for i in 0..<500 { login.fail("susan", scattered(1_000 + i)) }
    #expect(login.knows("susan", scattered(2)) == true)
  }

  @Test("The line opens once a second, and does not fill up while it is not used")
  func lineOpens() {
    var login = Login()
    for i in 0..<64 + 60 { #expect(login.fail("susan", scattered(i)) == nil, "\(i)") }
    for _ in 0..<5 {
      #expect(login.begin("susan", scattered(999)) == 1)
      login.now += 999
      #expect(login.begin("susan", scattered(999)) == 1)
      login.now += 1
      #expect(login.fail("susan", scattered(1_000 + Int(login.now))) == nil)
    }
    login.wait(10)
    for i in 0..<10 { #expect(login.fail("susan", scattered(5_000 + i)) == nil) }
    #expect(login.begin("susan", scattered(6_000)) == 1)
    // A clock that is set back closes nothing for long.
    login.now -= 3_600_000
    #expect(login.begin("susan", scattered(6_000)) ?? 0 <= 1)
  }

  // MARK: Model

  /// The rules over dictionaries, for tables that are never full.
  private struct Model {
    struct Entry { var count = 0, moment: Int64 = 0 }
    var entries: [String: Entry] = [:]
    var known: [String] = []

    func keys(_ name: String, _ client: ClientAddress) -> [String] {
      let address = "\(client.address.network)"
      var keys = [address, address + "name \(name)", "name \(name)"]
      if client.address.isIPv4 {
        if !client.isShared { keys.append("near \(client.address.low >> 8)") }
      } else {
        keys += ["near \(client.address.high >> 8)", "far \(client.address.high >> 16)"]
      }
      return keys
    }

    func entry(_ key: String, _ now: Int64) -> Entry? {
      entries[key].flatMap { $0.count > 0 && now - $0.moment < 4 * 3_600_000 ? $0 : nil }
    }

    func wait(
      _ entry: Entry?, free: Int, first: Int64, most: Int64 = 900, _ now: Int64
    ) -> Int64 {
      guard let entry, entry.count >= free else { return 0 }
      var seconds = first
      for _ in free..<entry.count { seconds = min(2 * seconds, most) }
      return entry.moment + seconds * 1_000 - now
    }

    mutating func begin(_ name: String, _ client: ClientAddress, _ now: Int64) -> Int? {
      let keys = keys(name, client)
      let isKnown = known.contains(keys[1])
      let isAttack =
        client.isShared
        ? entry(keys[2], now)?.count ?? 0 >= 30 || entry(keys[0], now)?.count ?? 0 >= 30
        : entry(keys[2], now)?.count ?? 0 >= 30 && !isKnown
      var wait = wait(
        entry(keys[1], now), free: isAttack ? 2 : 10, first: isAttack ? 32 : 1, now)
      if !isKnown {
        if !client.isShared { wait = max(wait, self.wait(entry(keys[0], now), free: 30, first: 1, now)) }
        for key in keys[3...] {
          let free = key.hasPrefix("near") ? 120 : 240
          wait = max(wait, self.wait(entry(key, now), free: free, first: 1, most: 60, now))
        }
      }
      if wait > 0 { return Int((wait + 999) / 1_000) }
      for key in isKnown ? Array(keys[1...2]) : keys {
        entries[key] = Entry(count: (entry(key, now)?.count ?? 0) + 1, moment: now)
      }
      return nil
    }

    mutating func end(_ name: String, _ client: ClientAddress, _ now: Int64, isRight: Bool) {
      let all = keys(name, client)
      let keys = known.contains(all[1]) ? ["", all[1], all[2]] : all
      if isRight { known = Array(([keys[1]] + known.filter { $0 != keys[1] }).prefix(16)) }
      guard isRight else {
        for key in keys where !key.isEmpty {
          entries[key] = Entry(count: entry(key, now)?.count ?? 1, moment: now)
        }
        return
      }
      guard let count = entry(keys[1], now)?.count else { return }
      for key in keys where entry(key, now) != nil {
        entries[key]!.count = max(0, entries[key]!.count - count)
      }
    }
  }

  @Test("The table does what dictionaries do as long as it is not full", arguments: 1...12)
  func model(_ seed: UInt64) {
    var random = SeededRandom(seed)
    var login = Login()
    var model = Model()
    let names = (0..<12).map { "name\($0)" }
    let clients = [ipv4(1), ipv4(2), ipv6(1, 1), ipv6(1, 2), ipv6(2, 1), loopback]
    var refused = 0
    for round in 0..<2_000 {
      // Few names are tried often, so that all counts are reached.
      let name = names[
        Int.random(in: 0..<12, using: &random) * Int.random(in: 0...1, using: &random)]
      let client = clients.randomElement(using: &random)!
      let wait = login.begin(name, client)
      let expected = model.begin(name, client, login.now)
      #expect(wait == expected, "round \(round)")
      guard wait == expected else { return }
      if wait != nil { refused += 1 }
      login.now += Int64.random(in: 0..<500, using: &random)
      if wait == nil, Int.random(in: 0..<10, using: &random) > 0 {
        let isRight = Int.random(in: 0..<20, using: &random) == 0
        model.end(name, client, login.now, isRight: isRight)
        login.end(name, client, isRight: isRight)
      }
      switch Int.random(in: 0..<200, using: &random) {
      case 0: login.wait(Int.random(in: 0..<5 * 3_600, using: &random))
      case 1..<40: login.wait(Int.random(in: 0..<200, using: &random))
      default: break
      }
    }
    #expect((100...1_900).contains(refused))
  }
}
