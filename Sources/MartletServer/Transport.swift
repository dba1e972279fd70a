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
  /// No connection waits.
  case none
  /// A connection waits, but the system has no descriptor or memory for the connection.
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

/// How the system is asked what of a file is in memory.
public enum DiskQuestion: Sendable {
  /// By the first and the last octet.
  case briefly
  /// By each page, because the disk is slow.
  case exactly
  /// By each page. The page that has not come for long is read anew.
  case anew
}

/// What a connection's octets go through.
public enum Channel: UInt8, Equatable, Sendable {
  /// They are the peer's, and its request is answered.
  case plain
  /// They are the peer's, and its request is answered with the way to an encrypted connection.
  case redirected
  /// They are encrypted with TLS.
  case encrypted
}

/// How far a connection of a transport that encrypts has come, before the first request.
public enum Opening: UInt8, Equatable, Sendable {
  /// Its first octet, which tells whether it is TLS, has not come.
  case silent
  /// It is TLS, and no place for a TLS connection is free.
  case waiting
  /// The handshake is under way.
  case handshaking
  /// Requests can come.
  case open
}

/// The system calls of the loop, for connections by slot. No call waits, but `wait`. A transport that
/// encrypts keeps its state by slot as well: a read may have to wait until octets can be sent, and octets
/// that it has decrypted may wait in it; `want`, `wait` and `ready` are where it hides both.
public protocol Transport: ~Copyable {
  /// Whether connections may be encrypted. Otherwise the loop leaves out what they need.
  static var encrypts: Bool { get }

  /// The port of the listener; 0 where there is none.
  var port: UInt16 { get }

  /// Connections that the system has descriptors for, at a time.
  var connectionCountMax: Int { get }

  /// The next connection at the listener. It has a descriptor and no slot yet.
  mutating func accept() -> Acceptance

  /// Gives a slot to an accepted connection.
  mutating func open(_ slot: Int, _ descriptor: Int32)

  /// Ends an accepted connection that has no slot, or closes a file.
  mutating func close(descriptor: Int32)

  /// Reads what has arrived, at most as much as `target` has room for.
  mutating func receive(_ slot: Int, into target: inout MutableSpan<UInt8>) -> Transfer

  /// Sends what can be sent now of `octets`, and then of `more`.
  ///
  /// - Parameter continues: Whether something follows at once.
  mutating func send(
    _ slot: Int, _ octets: Span<UInt8>, _ more: Span<UInt8>, continues: Bool
  ) -> Transfer

  /// Sends what can be sent now of `count` octets of a file. `.end`: the file has become shorter.
  mutating func sendFile(_ slot: Int, file: Int32, offset: Int64, count: Int) -> Transfer

  /// How many of the next `count` octets of a file, 1 or more, can be sent without waiting for the disk. Where
  /// there are none, the disk is asked for them. `count` where the system cannot tell.
  ///
  /// - Parameter how: What is asked.
  mutating func countInMemory(file: Int32, offset: Int64, count: Int, _ how: DiskQuestion) -> Int

  /// Octets that have been sent here and that the kernel still has to send.
  mutating func unsentCount(_ slot: Int) -> Int

  /// Tells the peer that nothing more will be sent: `shutdown(SHUT_WR)`.
  mutating func finishSending(_ slot: Int)

  /// Ends the connection.
  mutating func close(_ slot: Int)

  /// Accepts no more connections.
  mutating func stopListening()

  /// Says what the next `wait` waits for at a slot; `nil`: nothing, not even a broken connection.
  mutating func want(_ slot: Int, _ wanted: Readiness?)

  /// Says which descriptor that is no connection the next `wait` waits for, in order to read; negative: none.
  /// Called for each index below `Limits.watchCountMax` where the responder has watches.
  mutating func watch(_ index: Int, _ descriptor: Int32)

  /// Waits until something wanted comes or the time is over.
  ///
  /// - Parameters:
  ///   - milliseconds: At most that long; negative: for ever.
  ///   - listener: Whether a connection at the listener ends the wait.
  ///   - signals: Whether SIGINT or SIGTERM does.
  mutating func wait(milliseconds: Int, listener: Bool, signals: Bool) -> Wakeup

  /// What the last `wait` has found at a slot.
  func ready(_ slot: Int) -> Readiness

  /// Whether the last `wait` has found something at the descriptor of a watch.
  func isReady(watch index: Int) -> Bool

  /// The time now.
  mutating func now() -> Moment

  /// Microseconds of the clock that never goes back.
  mutating func microseconds() -> Int64

  // MARK: Encryption

  /// How far a connection has come before its first request. Reading makes it go on.
  func opening(_ slot: Int) -> Opening

  /// What a connection's octets go through, once it is open.
  func channel(_ slot: Int) -> Channel

  /// Whether the connection has one of the places for TLS connections.
  func hasPlace(_ slot: Int) -> Bool

  /// Whether a connection waits for such a place, and whether a place is free.
  var placeIsWanted: Bool { get }
  var placeIsFree: Bool { get }

  /// Whether a connection is sought that gives its place up. The loop alone sets it.
  var seeksPlace: Bool { get set }

  /// Gives a place to a connection that waits for one, where one is free.
  mutating func givePlace(_ slot: Int)

  /// The port that a redirected connection is to come to; `nil`: the port that it has come to.
  func redirectionPort(_ slot: Int) -> UInt16?
}

extension Transport where Self: ~Copyable {
  public var port: UInt16 { 0 }
  public var connectionCountMax: Int { Limits.connectionCountMax }

  public mutating func countInMemory(file: Int32, offset: Int64, count: Int, _ how: DiskQuestion) -> Int {
    count
  }

  public static var encrypts: Bool { false }
  public func opening(_ slot: Int) -> Opening { .open }
  public func channel(_ slot: Int) -> Channel { .plain }
  public func hasPlace(_ slot: Int) -> Bool { false }
  public var placeIsWanted: Bool { false }
  public var placeIsFree: Bool { false }
  public var seeksPlace: Bool {
    get { false }
    set {}
  }
  public mutating func givePlace(_ slot: Int) {}
  public func redirectionPort(_ slot: Int) -> UInt16? { nil }

  public mutating func watch(_ index: Int, _ descriptor: Int32) {}

  public func isReady(watch index: Int) -> Bool { true }

  /// Sends what can be sent now.
  mutating func send(_ slot: Int, _ octets: Span<UInt8>) -> Transfer {
    send(slot, octets, octets.extracting(0..<0), continues: false)
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
