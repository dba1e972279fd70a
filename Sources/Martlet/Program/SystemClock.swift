// What the time is, and whether that is known. A board without a battery starts in 1970, or where it was
// switched off, until NTP sets its clock. So durations are counted on the boot clock, which nobody sets,
// as long as the kernel has not been restarted; the time of day is for what outlasts that.

import CMartletPlatform
import MartletBytes
import MartletServer
import MartletToken

/// The clocks at the moment of a request.
public struct SystemClock: Sendable {
  /// What is known of the time of day.
  public enum State: UInt8, Sendable {
    /// It is earlier than this program, or than what the application has recorded: nobody has set it.
    case notSet
    /// It is later than that, or it was set while the program was running. Nobody vouches for it.
    case plausible
    /// The kernel says that it is synchronized.
    case synchronized
  }

  /// Unix seconds that are before any time at which this program can run: 2026-01-01. A clock that is
  /// earlier has not been set.
  public static var earliest: Int64 { 1_767_225_600 }

  /// What is known of the time of day.
  public internal(set) var state = State.notSet

  /// Seconds since 1970 UTC, as the system believes.
  public internal(set) var unixSeconds: Int64 = 0

  /// Seconds since this boot of the kernel: never set, never stopped, also while the machine sleeps.
  public internal(set) var bootSeconds: Int64 = 0

  /// A number of this boot of the kernel, below 2^53.
  public internal(set) var boot: Int64 = 0

  /// A time of day that is not later than the true one, for what ends at a time of day.
  var lowerBound: Int64 = 0

  init() {}

  /// Whether the time of day is known.
  public var isSet: Bool { state != .notSet }

  /// The clocks now, for what a program does before it serves.
  ///
  /// - Parameter newest: The newest moment that the application has recorded, or 0.
  public static func now(newest: Int64) -> SystemClock {
    var keeper = ClockKeeper(newest: newest)
    keeper.update(
      Moment(
        monotonicMilliseconds: martlet_monotonic_milliseconds(),
        unixSeconds: martlet_unix_seconds()))
    return keeper.clock
  }

  /// A random number of 53 bits, which a JSON number holds exactly; never 0.
  public static func randomNumber() -> Int64 {
    var number: Int64 = 0
    while number == 0 {
      var octets = InlineArray<7, UInt8>(repeating: 0)
      var target = octets.mutableSpan
      Random.fill(&target)
      for i in 0..<7 { number = number << 8 | Int64(octets[i]) }
      number &= 0x1F_FFFF_FFFF_FFFF
    }
    return number
  }

  /// Seconds since a moment, or `nil` where nobody knows: by the boot clock when it was in this boot, by
  /// the time of day when it was in another one.
  ///
  /// - Parameters:
  ///   - boot: The boot of that moment.
  ///   - bootSeconds: What the boot clock was.
  ///   - unixSeconds: The time of day, or `SessionFacts.none` where it was not known.
  func seconds(since boot: Int64, _ bootSeconds: Int64, _ unixSeconds: Int64) -> Int64? {
    if isSameBoot(boot, bootSeconds) { return self.bootSeconds - bootSeconds }
    // Any difference of two numbers that are not negative is in reach.
    guard isSet, unixSeconds > 0, unixSeconds <= self.unixSeconds else { return nil }
    return self.unixSeconds - unixSeconds
  }

  /// Whether a moment is one that this boot's clock has seen.
  func isSameBoot(_ boot: Int64, _ bootSeconds: Int64) -> Bool {
    boot == self.boot && bootSeconds >= 0 && bootSeconds <= self.bootSeconds
  }
}

/// Keeps the clock from one request to the next, and finds out whether it is set.
struct ClockKeeper {
  private(set) var clock = SystemClock()
  /// The newest moment that the application has recorded.
  private let newest: Int64
  /// Milliseconds between the boot clock and the monotonic one.
  private var sleptMilliseconds: Int64 = 0
  /// When the system is asked again, on the monotonic clock.
  private var nextReading = Int64.min
  /// `unixSeconds` - `bootSeconds` at the last moment.
  private var unixStart: Int64?
  /// Whether the time of day was set while the program was running.
  private var wasSet = false
  private var isSynchronized = false
  /// Whether a test says what the system would say.
  private var isSimulated = false

  /// - Parameter newest: The newest moment that the application has recorded, or 0.
  init(newest: Int64) {
    self.newest = newest
  }

  /// Takes over the moment of a request. The system is asked every five seconds at most, and when the
  /// time of day has jumped.
  @inline(never)
  mutating func update(_ moment: Moment) {
    let now = moment.monotonicMilliseconds
    clock.bootSeconds = (now &+ sleptMilliseconds) / 1_000
    clock.unixSeconds = moment.unixSeconds
    if now >= nextReading || jump != 0 { read(now) }
    // Jumps of a minute are somebody's doing; smaller ones are how a clock is kept right.
    let jump = jump
    if jump > 60 || jump < -60 { wasSet = true }
    unixStart = clock.unixSeconds &- clock.bootSeconds
    if clock.unixSeconds < SystemClock.earliest {
      clock.state = .notSet
    } else if isSynchronized {
      clock.state = .synchronized
    } else {
      clock.state = wasSet || clock.unixSeconds >= newest ? .plausible : .notSet
    }
    clock.lowerBound =
      clock.isSet
      ? clock.unixSeconds : max(clock.unixSeconds, max(newest, SystemClock.earliest))
  }

  /// Seconds that the time of day has gone more, or less, than the boot clock since the last moment;
  /// less than three are none.
  private var jump: Int64 {
    guard let unixStart else { return 0 }
    let jump = clock.unixSeconds &- clock.bootSeconds &- unixStart
    return jump > 2 || jump < -2 ? jump : 0
  }

  @inline(never)
  private mutating func read(_ now: Int64) {
    nextReading = now &+ 5_000
    guard !isSimulated else { return }
    sleptMilliseconds = max(martlet_boot_milliseconds() &- now, 0)
    clock.bootSeconds = (now &+ sleptMilliseconds) / 1_000
    isSynchronized = martlet_clock_is_synchronized() != 0
    if clock.boot == 0 { clock.boot = Int64(martlet_boot_id()) }
    // Without the kernel's number a boot is as long as this program runs.
    if clock.boot == 0 { clock.boot = SystemClock.randomNumber() }
  }

  /// Says what the system would say.
  mutating func simulate(boot: Int64, isSynchronized: Bool) {
    isSimulated = true
    if clock.boot != boot {
      clock.boot = boot
      unixStart = nil
      wasSet = false
    }
    self.isSynchronized = isSynchronized
  }
}
