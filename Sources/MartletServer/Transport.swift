// The seam below the loop: every call to the system that a connection needs, as one protocol.
// The real one is POSIXTransport; tests put a scripted one here and make each call fail in turn.

public import MartletBytes

/// What came of reading or sending.
public enum Transfer: Equatable, Sendable {
  /// That many octets were moved, at least one.
  case octets(Int)
  /// The peer has sent all that it will send.
  case end
  /// Nothing can be moved now.
  case notNow
  /// The connection is gone or broken; it is to be closed.
  case gone
}

/// What came of asking for the next connection.
public enum Acceptance: Equatable, Sendable {
  /// A connection's descriptor, and where its peer is.
  case connection(Int32, IPAddress)
  /// Nobody waits.
  case none
  /// Somebody waits, but the system has no descriptor or memory for the connection.
  case exhausted
}

/// What to wait for, or what came, at one descriptor: a set of bits. (An `OptionSet` brings array
/// literals, which want an allocator.)
public struct Readiness: Equatable, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Whether any of `other` is among these.
  public func contains(_ other: Readiness) -> Bool { rawValue & other.rawValue != 0 }

  /// Whether nothing is.
  public var isEmpty: Bool { rawValue == 0 }

  /// Nothing.
  public static var nothing: Readiness { Readiness(rawValue: 0) }
  /// Octets, a connection, or an end have arrived.
  public static var readable: Readiness { Readiness(rawValue: 1) }
  /// Octets can be sent.
  public static var writable: Readiness { Readiness(rawValue: 2) }
  /// The peer has sent all that it will send, or is gone.
  public static var peerDone: Readiness { Readiness(rawValue: 4) }
  /// The connection is over in both directions, or broken; reported whether waited for or not.
  public static var broken: Readiness { Readiness(rawValue: 8) }
  /// What a reader waits for.
  public static var readableOrDone: Readiness { Readiness(rawValue: 5) }
}

/// The time of one turn of the loop, read once.
public struct Moment: Equatable, Sendable {
  /// Milliseconds of a clock that never goes back; deadlines are counted on it.
  public var monotonicMilliseconds: Int64
  /// Seconds since 1970 UTC as the system believes; dates and token times.
  public var unixSeconds: Int64

  public init(monotonicMilliseconds: Int64, unixSeconds: Int64) {
    self.monotonicMilliseconds = monotonicMilliseconds
    self.unixSeconds = unixSeconds
  }
}

/// The system calls of the loop. No call waits, but `wait`. Interrupted calls are begun again below.
public protocol Transport: ~Copyable {
  /// Connections that the system has descriptors for, at a time.
  var connectionCountMax: Int { get }

  /// The next connection at the listener.
  mutating func accept() -> Acceptance

  /// Copies what has arrived to `target` and leaves it with the kernel.
  mutating func peek(_ descriptor: Int32, into target: inout MutableSpan<UInt8>) -> Transfer

  /// Takes what has arrived, at most `count` octets, without copying it.
  mutating func discard(_ descriptor: Int32, count: Int) -> Transfer

  /// Takes what has arrived, at most as much as `target` has room for.
  mutating func receive(_ descriptor: Int32, into target: inout MutableSpan<UInt8>) -> Transfer

  /// From now on reports the descriptor as readable only when `count` octets have arrived, or an end.
  mutating func wake(_ descriptor: Int32, atCount count: Int)

  /// Sends what can be sent now of `octets`, and then of `more`.
  ///
  /// - Parameter continues: Whether something follows at once.
  mutating func send(
    _ descriptor: Int32, _ octets: Span<UInt8>, _ more: Span<UInt8>, continues: Bool
  ) -> Transfer

  /// Sends what can be sent now of `count` octets of a file. `.end`: the file has become shorter.
  mutating func sendFile(
    _ descriptor: Int32, file: Int32, offset: Int64, count: Int
  ) -> Transfer

  /// Octets that the kernel has taken and not yet sent.
  mutating func unsentCount(_ descriptor: Int32) -> Int

  /// Tells the peer that nothing more will be sent.
  mutating func finishSending(_ descriptor: Int32)

  /// Gives the descriptor back.
  mutating func close(_ descriptor: Int32)

  /// No longer takes connections.
  mutating func stopListening()

  /// Waits until something wanted in `interests` comes or the time is over.
  ///
  /// - Parameter milliseconds: At most that long; negative: for ever.
  mutating func wait(_ interests: inout InterestSet, milliseconds: Int) -> Wakeup

  /// The time now.
  mutating func now() -> Moment

  /// Microseconds of the clock that never goes back.
  mutating func microseconds() -> Int64
}

extension Transport where Self: ~Copyable {
  public var connectionCountMax: Int { Limits.connectionCountMax }

  /// Sends what can be sent now.
  public mutating func send(_ descriptor: Int32, _ octets: Span<UInt8>) -> Transfer {
    send(descriptor, octets, octets.extracting(0..<0), continues: false)
  }
}

/// Why `wait` returned, besides connections that are ready.
public struct Wakeup: Equatable, Sendable {
  /// A connection waits at the listener.
  public var listenerIsReady: Bool
  /// SIGINT or SIGTERM has come.
  public var stopRequested: Bool

  public init(listenerIsReady: Bool, stopRequested: Bool) {
    self.listenerIsReady = listenerIsReady
    self.stopRequested = stopRequested
  }
}
