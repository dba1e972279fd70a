// The clocks of the system, and whether the time of day is known. A board without a battery starts in 1970,
// or at the time of its last stop, until NTP sets its clock. So durations are counted on the boot clock,
// which cannot be set, as long as the kernel runs. The time of day is for durations that go beyond a restart.

import CMartletPlatform
import MartletBytes
import MartletServer
import MartletToken

/// The clocks at the moment of a request.
public struct SystemClock: Sendable {
  /// Whether the time of day is known.
  public enum State: UInt8, Sendable {
    /// The clock is before this program was made, or before what the application has recorded: the clock has
    /// not been set.
    case notSet
    /// The clock is later than that, or was set while the program was running. No other source confirms the
    /// time.
    case plausible
    /// The kernel says that its clock is synchronized.
    case synchronized
  }

  /// 2026-01-01 in Unix seconds, which is before any time at which this program can run. An earlier clock has
  /// not been set.
  public static var earliest: Int64 { 1_767_225_600 }

  /// Whether the time of day is known, and how well.
  public internal(set) var state = State.notSet

  /// Seconds since 1970 UTC, by the system's clock.
  public internal(set) var unixSeconds: Int64 = 0

  /// Seconds since this boot of the kernel. The boot clock cannot be set and never stops, even while the
  /// machine sleeps.
  public internal(set) var bootSeconds: Int64 = 0

  /// A number that identifies this boot of the kernel, below 2^53.
  public internal(set) var boot: Int64 = 0

  /// A time of day that is not later than the true time. Ends that are times of day are compared with it.
  var lowerBound: Int64 = 0

  init() {}

  /// Whether the time of day is known.
  public var isSet: Bool { state != .notSet }

  /// The clocks now, for code that runs before the program serves.
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

  /// Seconds since a moment; `nil` where they are not known. A moment of this boot is compared on the boot
  /// clock. A moment of another boot is compared by the time of day.
  ///
  /// - Parameters:
  ///   - boot: The boot of that moment.
  ///   - bootSeconds: The boot clock at that moment.
  ///   - unixSeconds: The time of day, or `SessionFacts.none` where it was not known.
  func seconds(since boot: Int64, _ bootSeconds: Int64, _ unixSeconds: Int64) -> Int64? {
    if isSameBoot(boot, bootSeconds) { return self.bootSeconds - bootSeconds }
    // The difference of two numbers that are not negative cannot overflow.
    guard isSet, unixSeconds > 0, unixSeconds <= self.unixSeconds else { return nil }
    return self.unixSeconds - unixSeconds
  }

  /// Whether the clock of this boot has reached that moment.
  func isSameBoot(_ boot: Int64, _ bootSeconds: Int64) -> Bool {
    boot == self.boot && bootSeconds >= 0 && bootSeconds <= self.bootSeconds
  }
}

/// Keeps the clock from one request to the next, and finds out whether the time of day is known.
struct ClockKeeper {
  private(set) var clock = SystemClock()
  /// The newest moment that the application has recorded.
  private let newest: Int64
  /// Milliseconds that the boot clock is ahead of the monotonic clock.
  private var sleptMilliseconds: Int64 = 0
  /// When the system's clock is read again, in milliseconds of the monotonic clock.
  private var nextReading = Int64.min
  /// `unixSeconds` - `bootSeconds` at the last update.
  private var unixStart: Int64?
  /// Whether the time of day was set while the program was running.
  private var wasSet = false
  private var isSynchronized = false
  /// Whether a test sets what the system would say.
  private var isSimulated = false

  /// - Parameter newest: The newest moment that the application has recorded, or 0.
  init(newest: Int64) {
    self.newest = newest
  }

  /// Sets the clock to the moment of a request. The system is asked every five seconds at most, and when the
  /// time of day has jumped.
  @inline(never)
  mutating func update(_ moment: Moment) {
    let now = moment.monotonicMilliseconds
    clock.bootSeconds = (now &+ sleptMilliseconds) / 1_000
    clock.unixSeconds = moment.unixSeconds
    if now >= nextReading || jump != 0 { read(now) }
    // A jump of more than a minute means that the clock was set. Smaller jumps come from NTP's corrections.
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

  /// Seconds by which the time of day has moved more or less than the boot clock since the last update. A
  /// difference below three seconds counts as 0.
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
    // Where the kernel gives no boot number, a random number stands for this run of the program.
    if clock.boot == 0 { clock.boot = SystemClock.randomNumber() }
  }

  /// Sets what the system would say about its clock.
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
