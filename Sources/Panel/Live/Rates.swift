// Counters of the kernel at two moments → rates. Pure. A rate is `nil` where the two counts do not belong
// together:
//
//     first sample        there is no count before
//     counter goes back   nil, or the count has gone beyond 2^32 on a 32-bit kernel: then it is added
//     device came, went   the sum is of others than before
//     clock               nothing has passed, or so much that the machine has slept

import Martlet

/// The time that processors have spent, in ticks (`/proc/stat`, proc(5)).
struct ProcessorTime {
  var all: UInt64 = 0
  var idle: UInt64 = 0

  init() {}

  /// Reads what follows `cpu` or `cpuN`: `USER NICE SYSTEM IDLE IOWAIT IRQ SOFTIRQ STEAL …`; old kernels have
  /// only the first four. What guests use is a part of USER and NICE.
  init?(_ words: consuming Words) {
    var index = 0
    while index < 8, let word = words.next() {
      // So that no sum overflows.
      guard let ticks = word.decimal(), ticks < 1 << 58 else { return nil }
      all += ticks
      if index == 3 || index == 4 { idle += ticks }
      index += 1
    }
    guard index >= 4 else { return nil }
  }

  /// The share that was not idle since an earlier moment, in hundredths of a hundredth.
  func use(since earlier: ProcessorTime) -> Int64? {
    guard all > earlier.all else { return nil }
    let passed = all - earlier.all
    // Some kernels count the idle time back.
    let idle = idle > earlier.idle ? min(idle - earlier.idle, passed) : 0
    // Of very large numbers the last digits do not matter, and must not overflow.
    let shift: UInt64 = passed > 1 << 48 ? 16 : 0
    let (part, total) = ((passed - idle) >> shift, passed >> shift)
    return Int64((part * 10_000 + total / 2) / total)
  }
}

/// The times of all processors together and of each.
struct ProcessorTimes {
  /// Processors that are told apart.
  static var coreCountMax: Int { 16 }

  private(set) var whole: ProcessorTime?
  private(set) var cores = InlineArray<16, ProcessorTime?>(repeating: nil)
  /// One more than the highest number of a processor that is told apart.
  private(set) var coreCount = 0
  /// Processors beyond those.
  private(set) var moreCount = 0

  /// Adds a line of /proc/stat.
  ///
  /// - Returns: Whether another line about processors may follow.
  mutating func add(_ line: Span<UInt8>) -> Bool {
    guard line.hasPrefix("cpu") else { return false }
    var words = Words(line)
    guard let name = words.next() else { return false }
    guard let time = ProcessorTime(words) else { return true }
    guard name.count > 3 else {
      whole = time
      return true
    }
    guard let number = name.extracting(3..<name.count).decimal() else { return true }
    guard number < UInt64(Self.coreCountMax) else {
      moreCount += 1
      return true
    }
    cores[Int(number)] = time
    coreCount = max(coreCount, Int(number) + 1)
    return true
  }
}

/// Two counters, such as octets received and sent, each the sum of several devices.
struct CounterSums {
  private(set) var first: UInt64 = 0
  private(set) var second: UInt64 = 0
  /// A number made of the devices' names.
  private(set) var devices: UInt32 = 0
  /// How many devices there are.
  private(set) var count = 0
  /// When they were counted, in milliseconds of the boot clock.
  let moment: Int64

  init(at moment: Int64) { self.moment = moment }

  /// Adds a device.
  @inline(never)
  mutating func add(_ name: Span<UInt8>, _ first: UInt64, _ second: UInt64) {
    self.first &+= first
    self.second &+= second
    let slash: StaticString = "/"
    let start = count == 0 ? MountLine.number(slash.octets) : devices
    devices = MountLine.number(slash.octets, MountLine.number(name, start))
    count += 1
  }

  /// Milliseconds between two samples beyond which the machine has slept, or the program was stopped.
  static var passedMax: Int64 { 60_000 }

  /// How much of each a second since an earlier moment.
  func rates(since earlier: CounterSums) -> (first: Int64, second: Int64)? {
    let passed = moment - earlier.moment
    guard count > 0, earlier.devices == devices, earlier.count == count, 0 < passed, passed <= Self.passedMax,
      let one = Self.difference(first, earlier.first), let two = Self.difference(second, earlier.second)
    else { return nil }
    return (Self.rate(one, passed), Self.rate(two, passed))
  }

  /// How much a counter has counted, at most 2^53.
  private static func difference(_ now: UInt64, _ earlier: UInt64) -> UInt64? {
    var difference = now &- earlier
    if now < earlier {
      // A device that counts from 0 again would have counted more than half of the range.
      difference = now &+ (1 << 32) &- earlier
      guard earlier - now < 1 << 32, difference < 1 << 31 else { return nil }
    }
    return difference <= 1 << 53 ? difference : nil
  }

  /// A rate, at most 2^40, so that sums of rates do not overflow.
  private static func rate(_ count: UInt64, _ milliseconds: Int64) -> Int64 {
    Int64(min((count * 1_000 + UInt64(milliseconds) / 2) / UInt64(milliseconds), 1 << 40))
  }
}

/// A line of `/proc/diskstats` (Documentation/admin-guide/iostats.rst).
struct DiskLine: ~Escapable {
  let name: Span<UInt8>
  /// Sectors of 512 octets.
  let read: UInt64
  let written: UInt64

  /// `MAJOR MINOR NAME READS MERGED SECTORS MS WRITES MERGED SECTORS …`
  @_lifetime(copy line)
  init?(_ line: Span<UInt8>) {
    var words = Words(line)
    guard words.next() != nil, words.next() != nil, let name = words.next(), words.next() != nil,
      words.next() != nil, let read = words.next()?.decimal(), words.next() != nil, words.next() != nil,
      words.next() != nil, let written = words.next()?.decimal()
    else { return nil }
    self.name = name
    self.read = read
    self.written = written
  }
}

/// A line of `/proc/net/dev`: `NAME: RECEIVED and 7 more SENT and 7 more`.
struct InterfaceLine: ~Escapable {
  let name: Span<UInt8>
  let received: UInt64
  let sent: UInt64

  /// - Returns: `nil` for what is no interface, and for the loopback.
  @_lifetime(copy line)
  init?(_ line: Span<UInt8>) {
    guard let colon = line.firstIndex(of: 0x3A) else { return nil }
    let name = line.extracting(line.trimmed(0..<colon))
    var words = Words(line.extracting(colon + 1..<line.count))
    guard name.count > 0, !name.equals("lo"), let received = words.next()?.decimal() else { return nil }
    for _ in 0..<7 { _ = words.next() }
    guard let sent = words.next()?.decimal() else { return nil }
    self.name = name
    self.received = received
    self.sent = sent
  }
}
