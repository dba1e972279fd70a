// The sessions that have not ended. A signed cookie alone would be good for ever, so each login gets a random
// number, which the session's tokens have as their epoch. A session lives as long as its number is listed
// here. Nothing else decides about the session's end.
//
// A session belongs to a generation of its account. A new password is a new generation, as a new account is.
// So in a list from before the new password nothing counts.
//
// Moments are seconds of the boot clock, negative for what was before this boot. In the file they are
// ages, because a board may not know the time of day:
//
//     martlet-sessions 1
//     NEWEST WRITTEN BOOT UPTIME 0                  when the file was written
//     GENERATION NUMBER AGE UNUSED REMEMBERED       one line a session
//     sha256 DIGEST                                 over all lines before it

import Martlet

/// A session that has not ended.
struct LiveSession: Equatable {
  var number: Int64 = 0
  /// The generation of the account that it belongs to.
  var generation: Int64 = 0
  var begun: Int64 = 0
  /// When it was used last.
  var used: Int64 = 0
  /// Whether a cookie restores it when the browser has been closed.
  var isRemembered = false

  /// Seconds from its beginning to its end, however much it is used.
  var lifetime: Int64 { isRemembered ? Sessions.rememberedLifetime : Sessions.lifetime }
  /// Seconds unused after which it ends.
  var idleTime: Int64 { isRemembered ? Sessions.rememberedIdleTime : Sessions.idleTime }

  func hasEnded(at now: Int64) -> Bool { now - begun >= lifetime || now - used >= idleTime }
}

/// When a file of sessions was written.
struct SessionsStamp: Equatable {
  /// The newest moment at which the time of day was known, Unix seconds.
  var newest: Int64 = 0
  /// The time of day, or 0 where it was not known.
  var written: Int64 = 0
  /// The boot of the kernel, and the seconds of its clock.
  var boot: Int64 = 0
  var bootSeconds: Int64 = 0

  init() {}

  init(_ clock: SystemClock, newest: Int64) {
    self.newest = clock.isSet ? clock.unixSeconds : newest
    written = clock.isSet ? clock.unixSeconds : 0
    boot = clock.boot
    bootSeconds = clock.bootSeconds
  }
}

/// The list of sessions.
struct Sessions: ~Copyable {
  private let isReadInPlace = ByAddress()

  /// Sessions of an account; one more ends the one that has been unused for longest.
  static var accountCountMax: Int { 8 }

  /// Sessions of all accounts.
  static var countMax: Int { Accounts.countMax * accountCountMax }

  /// Seconds: a day unused and a week in all; a month and a year where the login is remembered.
  static var idleTime: Int64 { 86_400 }
  static var lifetime: Int64 { 7 * 86_400 }
  static var rememberedIdleTime: Int64 { 30 * 86_400 }
  static var rememberedLifetime: Int64 { 365 * 86_400 }

  /// Seconds after which the file is written anew when sessions have only been used. A power cut takes at most
  /// so much of what is known of their use. Twice a day wears no flash out.
  static var storeInterval: Int64 { 12 * 3_600 }

  /// Octets of a line of the file at most: two numbers of 16 digits, two ages of 8, a digit, blanks.
  private static var lineSizeMax: Int { 2 * 17 + 2 * 9 + 2 }

  /// Octets of the file at most.
  static var fileSizeMax: Int {
    firstLine.utf8CodeUnitCount + 4 * 17 + 2 + countMax * lineSizeMax + Checksum.lineSize
  }

  private var list = InlineArray<64, LiveSession>(repeating: LiveSession())
  private(set) var count = 0
  /// What the file says about itself.
  private(set) var stamp = SessionsStamp()
  /// Seconds between the file's writing and now that have been counted.
  private var counted: Int64 = 0
  /// The state of the clock that told those seconds; `nil` where there is nothing more to find out.
  private var toldBy: SystemClock.State?
  /// When the file was written, and whether sessions have been used since, or it was refused.
  private var storedAt: Int64 = 0
  private(set) var isUsed = false
  /// What the last use of a session has changed: its number, when it was used before, and `isUsed` before.
  private var lastUse: (number: Int64, used: Int64, isUsed: Bool) = (0, 0, false)

  /// No sessions.
  init() {}

  subscript(index: Int) -> LiveSession { list[index] }

  // MARK: Beginning, use, end

  /// Notes that a session is used.
  ///
  /// - Returns: Whether it has not ended.
  mutating func use(_ number: Int64, of generation: Int64, at now: Int64) -> Bool {
    guard let i = index(of: number), list[i].generation == generation else { return false }
    if list[i].hasEnded(at: now) {
      remove(i)
      return false
    }
    lastUse = (number, list[i].used, isUsed)
    list[i].used = now
    isUsed = true
    return true
  }

  /// Forgets the last use of a session: what a browser asks for by itself is no use.
  mutating func undoUse() {
    guard let i = index(of: lastUse.number) else { return }
    list[i].used = lastUse.used
    isUsed = lastUse.isUsed
  }

  /// Whether a session has not ended. It is not used by that.
  func isLive(_ number: Int64, at now: Int64) -> Bool {
    guard let i = index(of: number) else { return false }
    return !list[i].hasEnded(at: now)
  }

  /// Whether it is time to write the file although sessions have only been used.
  func isDue(at now: Int64) -> Bool { isUsed && now - storedAt >= Self.storeInterval }

  /// Begins a session.
  ///
  /// - Returns: Its number: random, so that no session ever gets the number of an earlier one.
  mutating func begin(of generation: Int64, isRemembered: Bool, at now: Int64) -> Int64 {
    let number = SystemClock.randomNumber()
    makeRoom(for: generation, at: now)
    list[count] = LiveSession(
      number: number, generation: generation, begun: now, used: now, isRemembered: isRemembered)
    count += 1
    return number
  }

  /// Ends what has come to its end, and of an account with the most sessions the one that has been unused
  /// for longest.
  private mutating func makeRoom(for generation: Int64, at now: Int64) {
    var i = 0
    var ownCount = 0
    var oldest = 0
    while i < count {
      if list[i].hasEnded(at: now) {
        remove(i)
        continue
      }
      if list[i].generation == generation {
        if ownCount == 0 || list[i].used < list[oldest].used { oldest = i }
        ownCount += 1
      }
      i += 1
    }
    if ownCount >= Self.accountCountMax { remove(oldest) }
    // Only generations that are no account's can fill the list.
    if count == Self.countMax { remove(0) }
  }

  /// Makes a session one that is remembered.
  mutating func remember(_ number: Int64) {
    if let i = index(of: number) { list[i].isRemembered = true }
  }

  /// Ends a session.
  mutating func end(_ number: Int64) {
    if let i = index(of: number) { remove(i) }
  }

  /// Ends all sessions of a generation.
  mutating func endAll(of generation: Int64) {
    var i = 0
    while i < count {
      if list[i].generation == generation { remove(i) } else { i += 1 }
    }
  }

  private func index(of number: Int64) -> Int? {
    for i in 0..<count where list[i].number == number { return i }
    return nil
  }

  private mutating func remove(_ index: Int) {
    for i in index + 1..<max(count, index + 1) { list[i - 1] = list[i] }
    count -= 1
  }

  // MARK: Time between two boots

  /// Counts the time since the file was written, as far as the clock knows that time now. Within one boot the
  /// time is exact. After another boot the time of day tells, as soon as the time of day is known, and again
  /// when the kernel has synchronized it. Until then no time counts but that of the boot clock.
  ///
  /// What is in memory keeps to the boot clock, so nothing here changes when the clock is set.
  mutating func update(_ clock: SystemClock) {
    guard let toldBy, clock.state.rawValue > toldBy.rawValue else { return }
    self.toldBy = clock.state == .synchronized ? nil : clock.state
    guard stamp.written > 0 else { return }
    // Since the file was read, the boot clock has counted itself.
    let passed = clock.unixSeconds - stamp.written - (clock.bootSeconds - stamp.bootSeconds)
    let missing = passed - counted
    guard missing > 0 else { return }
    counted = passed
    move(by: missing)
  }

  private mutating func move(by seconds: Int64) {
    for i in 0..<count {
      list[i].begun -= seconds
      list[i].used -= seconds
    }
  }

  /// Takes over a file that has just been read: its ages become moments of this boot's clock.
  mutating func settle(_ clock: SystemClock) {
    if stamp.boot == clock.boot, stamp.bootSeconds <= clock.bootSeconds {
      // It counts from another moment of the same clock.
      move(by: -stamp.bootSeconds)
    } else {
      move(by: -clock.bootSeconds)
      stamp.bootSeconds = clock.bootSeconds
      toldBy = .notSet
      update(clock)
    }
    storedAt = stamp.bootSeconds
  }

  // MARK: Text

  private static var firstLine: StaticString { "martlet-sessions 1\n" }

  /// Reads the text of a file, whose moments are to be settled; `nil` when it is damaged.
  init?(_ text: Span<UInt8>) {
    guard text.count <= Self.fileSizeMax, let body = Checksum.checked(text, Self.firstLine)
    else { return nil }
    var lines = Lines(body)
    guard let row = Decimals.row(lines.next()) else { return nil }
    stamp.newest = row[0]
    stamp.written = row[1]
    stamp.boot = row[2]
    stamp.bootSeconds = row[3]
    while let line = lines.next() {
      guard let row = Decimals.row(line), count < Self.countMax else { return nil }
      list[count] = LiveSession(
        number: row[1], generation: row[0], begun: -row[2], used: -row[3], isRemembered: row[4] != 0)
      count += 1
    }
  }

  /// Writes the text of a file, at most `fileSizeMax` octets.
  @_lifetime(writer: copy writer)
  func write(_ stamp: SessionsStamp, to writer: inout Writer) {
    writer.append(Self.firstLine)
    Decimals.write([stamp.newest, stamp.written, stamp.boot, stamp.bootSeconds, 0], to: &writer)
    for i in 0..<count {
      // An age beyond the longest life says no more.
      Decimals.write(
        [
          list[i].generation, list[i].number,
          min(stamp.bootSeconds - list[i].begun, Self.rememberedLifetime),
          min(stamp.bootSeconds - list[i].used, Self.rememberedLifetime),
          list[i].isRemembered ? 1 : 0,
        ], to: &writer)
    }
    Checksum.append(to: &writer)
  }

  // MARK: File

  static var fileName: StaticString { "sessions" }

  /// What the directory holds, or what is wrong with its file.
  enum Loaded: ~Copyable {
    case sessions(Sessions)
    case damaged
    case unreadable(SystemError)
  }

  /// Reads the file of a directory; one that is not there has no sessions.
  static func load(from directory: DataDirectory) -> Loaded {
    do throws(SystemError) {
      return try directory.read(fileName) { text in
        guard let sessions = Sessions(text) else { return .damaged }
        return .sessions(sessions)
      }
    } catch {
      return error.isNotFound ? .sessions(Sessions()) : .unreadable(error)
    }
  }

  /// Writes the file of a directory.
  ///
  /// - Parameter waits: Whether to wait for the disk: where a session has ended, so that it does not
  ///   come back. A beginning that is lost costs a login.
  /// - Throws: `SystemError` when the file is the old one.
  mutating func store(
    in directory: DataDirectory, _ clock: SystemClock, waits: Bool
  ) throws(SystemError) -> Stored {
    stamp.newest = SessionsStamp(clock, newest: stamp.newest).newest
    // Also where the disk refuses it: it is not asked at each request.
    storedAt = clock.bootSeconds
    isUsed = true
    var text = FixedBuffer<4_096>()
    var writer = Writer(text.storageSpan)
    write(SessionsStamp(clock, newest: stamp.newest), to: &writer)
    invariant(!writer.overflowed, "the sessions fit their file")
    let count = writer.count
    text.setCount(count)
    let stored = try directory.replace(Self.fileName, with: text.span, waits: waits)
    isUsed = false
    return stored
  }
}

/// Numbers of a file: at most 16 digits each, so that sums of them stay in reach.
enum Decimals {
  /// The number that a text is, or `nil`.
  @inline(never)
  static func number(_ text: Span<UInt8>) -> Int64? {
    guard text.count <= 16, let number = text.decimal() else { return nil }
    return Int64(number)
  }

  /// The five numbers of a line, with one blank between them; `nil` when it is not that.
  @inline(never)
  static func row(_ line: Span<UInt8>?) -> InlineArray<5, Int64>? {
    guard let line else { return nil }
    var row = InlineArray<5, Int64>(repeating: 0)
    var start = 0
    for i in 0..<5 {
      let end = line.firstIndex(of: 0x20, from: min(start, line.count)) ?? line.count
      // Only the last one ends with the line.
      guard start <= line.count, (end == line.count) == (i == 4),
        let number = number(line.extracting(start..<end))
      else { return nil }
      row[i] = number
      start = end + 1
    }
    return row
  }

  /// Writes a line that `row` can read.
  @inline(never)
  @_lifetime(writer: copy writer)
  static func write(_ row: InlineArray<5, Int64>, to writer: inout Writer) {
    for i in 0..<5 {
      writer.append(decimal: min(max(row[i], 0), 9_999_999_999_999_999))
      writer.append(i < 4 ? " " : "\n")
    }
  }
}
