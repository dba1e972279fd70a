// How fast this machine hashes → how many iterations a password gets here. Measured when the first password
// is set or has been right, in short runs of processor time, of which the fastest counts: so a busy
// machine gets as many as an idle one, and starting costs nothing.

import Martlet

/// How many iterations a password gets on this machine.
struct Calibration {
  /// Never fewer, however slow the machine is: a login then takes longer.
  static var iterationCountMin: UInt32 { 20_000 }
  static var iterationCountMax: UInt32 { 600_000 }

  /// Milliseconds of processor time that a login may take.
  private static var target: Int64 { 300 }
  /// Short enough that no interrupt falls into most runs, and that a board of one slow core is held up for
  /// less than a millisecond by each.
  private static var runIterations: UInt32 { 32 }
  private static var runCount: Int { 8 }

  /// What new hashes get; 0 before it is known.
  private var known: UInt32 = 0

  /// Iterations of a new hash.
  @inline(never)
  mutating func wanted() -> UInt32 {
    if known == 0 { known = Self.measure() }
    return known
  }

  /// What a hash that has been verified is to be made anew with, because it was made for a machine that is
  /// much slower or faster than this one; `nil` where it may stay.
  mutating func wanted(insteadOf iterations: UInt32) -> UInt32? {
    let wanted = wanted()
    let isTooWeak = iterations < Self.iterationCountMin || wanted / 5 * 4 > iterations
    return isTooWeak || iterations / 5 * 2 > wanted ? wanted : nil
  }

  private static func measure() -> UInt32 {
    var best = Int64.max
    for _ in 0..<runCount {
      var derivation = PBKDF2(
        password: ("a probe" as StaticString).octets, salt: ("of speed" as StaticString).octets,
        iterations: runIterations + 1)
      let start = System.processorNanoseconds
      _ = derivation.step(runIterations)
      best = min(best, System.processorNanoseconds - start)
    }
    return iterations(runIterations, in: best)
  }

  /// How many fit the time, when `count` took `nanoseconds`. Where the clock has not moved, the fewest.
  static func iterations(_ count: UInt32, in nanoseconds: Int64) -> UInt32 {
    guard nanoseconds > 0 else { return iterationCountMin }
    let fitting = Int64(count) * target * 1_000_000 / nanoseconds
    return UInt32(min(max(fitting, Int64(iterationCountMin)), Int64(iterationCountMax)))
  }
}
