// How fast this machine hashes → how many iterations a password gets here. The panel measures when the first
// password is set or has been right, so that a start costs nothing. Of several short runs the one with the
// least processor time counts, so that a busy machine gets as many iterations as an idle machine.

import Martlet

/// How many iterations a password gets on this machine.
struct Calibration {
  /// Never fewer, however slow the machine is: a login then takes longer.
  static var iterationCountMin: UInt32 { 20_000 }
  /// Never more, however fast the machine is, because the accounts may be moved to a slower machine. There the
  /// first login of each account takes long: with so many some half a minute on a Raspberry Pi Zero. OWASP asks for 600,000. In
  /// the usual time a PC does 450,000 without instructions for SHA-256, and 3,000,000 with them.
  static var iterationCountMax: UInt32 { 2_000_000 }

  /// Milliseconds of processor time that hashing a password takes, where no option says another time.
  static var usualTime: UInt16 { 300 }
  /// Runs of the first measurement: 5 ms on the slowest board. Each later question adds some, so that a
  /// moment counts in which nobody shares the core.
  private static var firstRunCount: Int { 32 }
  private static var laterRunCount: Int { 8 }
  private static var runCountMax: Int { 128 }

  /// Milliseconds of processor time that hashing a password takes.
  private let time: UInt16
  /// Nanoseconds of the fastest run.
  private var best = Int64.max
  private var runCount = 0
  /// Iterations of a run: a slice, which is short enough that no interrupt falls into most runs.
  private var runIterations: UInt32 = 0

  init(time: UInt16 = usualTime) {
    self.time = time
  }

  /// Iterations of a new hash.
  @inline(never)
  mutating func wanted() -> UInt32 {
    if runCount < Self.runCountMax {
      measure(runCount == 0 ? Self.firstRunCount : Self.laterRunCount)
    }
    return Self.iterations(runIterations, in: best, fitting: time)
  }

  /// How many iterations a hash that has been verified is to be made anew with, or `nil` where the hash may
  /// stay. A hash is made anew when it suits a machine that is much slower or faster than this machine.
  mutating func wanted(insteadOf iterations: UInt32) -> UInt32? {
    let wanted = wanted()
    let isTooWeak = iterations < Self.iterationCountMin || wanted / 5 * 4 > iterations
    return isTooWeak || iterations / 5 * 2 > wanted ? wanted : nil
  }

  private mutating func measure(_ count: Int) {
    runCount += count
    for _ in 0..<count {
      var derivation = PBKDF2(
        password: ("a probe" as StaticString).octets, salt: ("of speed" as StaticString).octets,
        iterations: 1_000)
      runIterations = derivation.sliceIterations
      let start = System.processorNanoseconds
      _ = derivation.step(runIterations)
      best = min(best, System.processorNanoseconds - start)
    }
  }

  /// How many fit `time` milliseconds, when `count` took `nanoseconds`. Where the clock has not moved, the
  /// fewest.
  static func iterations(
    _ count: UInt32, in nanoseconds: Int64, fitting time: UInt16 = usualTime
  ) -> UInt32 {
    guard nanoseconds > 0 else { return iterationCountMin }
    let fitting = Int64(count) * Int64(time) * 1_000_000 / nanoseconds
    return UInt32(min(max(fitting, Int64(iterationCountMin)), Int64(iterationCountMax)))
  }
}
