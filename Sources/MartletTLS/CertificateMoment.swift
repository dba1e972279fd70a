// What the program knows of the time, for certificates.

/// The clocks at a moment.
public struct CertificateMoment: Equatable, Sendable {
  /// 2026-01-01 in Unix seconds, which is before any time at which this program can run.
  public static var earliest: Int64 { 1_767_225_600 }

  /// Milliseconds of a clock that never goes back.
  public var monotonicMilliseconds: Int64
  /// A time of day that is not later than the true time, in Unix seconds: where the time of day is known, now.
  public var unixSeconds: Int64
  /// Whether the time of day is known, such as by NTP. A clock that only goes on from the last stop of the machine is
  /// late.
  public var isKnown: Bool

  public init(monotonicMilliseconds: Int64, unixSeconds: Int64, isKnown: Bool) {
    self.monotonicMilliseconds = monotonicMilliseconds
    self.unixSeconds = unixSeconds
    self.isKnown = isKnown
  }

  /// A time of day that is not later than the true time.
  var floor: Int64 { max(unixSeconds, Self.earliest) }
}
