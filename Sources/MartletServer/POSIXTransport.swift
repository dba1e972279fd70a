// The system itself: sockets through the C of CMartletPlatform, where EINTR ends. This file faces C,
// so it may say `unsafe`; each use lends a span's memory to one call that keeps nothing.

import CMartletPlatform
import MartletBytes

/// Why a server cannot start.
public enum ListenError: Error, Equatable, Sendable {
  /// The text is not a numeric IPv4 or IPv6 address.
  case notAnAddress
  /// Another program listens there.
  case addressInUse
  /// The system does not allow it (ports below 1,024 need a right).
  case noPermission
  /// No interface of this machine has the address.
  case noSuchAddress
  /// The system does not know a socket option that is needed: its name, and the errno.
  case noOption(SocketOption, Int32)
  /// Something else; the errno.
  case other(Int32)
}

/// A socket option without which a server does not start.
public enum SocketOption: UInt8, Sendable {
  case noDelay, buffers, bothFamilies

  /// As it is called in C.
  public var name: StaticString {
    switch self {
    case .noDelay: "TCP_NODELAY"
    case .buffers: "SO_SNDBUF and SO_RCVBUF"
    case .bothFamilies: "IPV6_V6ONLY"
    }
  }
}

/// Sockets, poll() and clocks of the running system.
public struct POSIXTransport: Transport, ~Copyable {
  private var table: PollTable
  private var listener: Int32
  private let signals: Int32
  /// The port it listens at.
  public let port: UInt16
  public let connectionCountMax: Int

  /// Listens at an address.
  ///
  /// - Parameters:
  ///   - host: A numeric IPv4 or IPv6 address; `::` takes connections of both kinds.
  ///   - port: 0 lets the system choose.
  ///   - table: Where the descriptors are kept.
  /// - Throws: `ListenError`.
  public init(
    host: Span<UInt8>, port: UInt16, _ table: consuming PollTable
  ) throws(ListenError) {
    var bound: UInt16 = 0
    var step: UInt32 = 0
    guard let address = IPAddress(host) else { throw .notAnAddress }
    // Safe: the call writes `bound` and `step`, and keeps neither.
    let result = unsafe martlet_listen(address.high, address.low, port, &bound, &step)
    guard result >= 0 else { throw Self.listenError(result, step: Int(step)) }
    // A connection may send a file as well.
    let allowed = martlet_allow_descriptors(
      2 * Limits.connectionCountMax + Limits.otherDescriptorCountMax)
    let signals = martlet_signal_descriptor()
    guard signals >= 0 else {
      martlet_close(result)
      throw .other(-signals)
    }
    connectionCountMax = Limits.connectionCount(descriptors: allowed)
    listener = result
    self.signals = signals
    self.table = table
    self.port = bound
  }

  /// Binds another socket, and listens.
  package static func listen(host: Span<UInt8>, port: UInt16) throws(ListenError) -> Int32 {
    var bound: UInt16 = 0
    var step: UInt32 = 0
    guard let address = IPAddress(host) else { throw .notAnAddress }
    // Safe: the call writes `bound` and `step`, and keeps neither.
    let result = unsafe martlet_listen(address.high, address.low, port, &bound, &step)
    guard result >= 0 else { throw listenError(result, step: Int(step)) }
    return result
  }

  private static func listenError(_ result: Int32, step: Int) -> ListenError {
    switch step {
    case MARTLET_LISTENER_NODELAY: return .noOption(.noDelay, -result)
    case MARTLET_LISTENER_BUFFERS: return .noOption(.buffers, -result)
    case MARTLET_LISTENER_BOTH_FAMILIES: return .noOption(.bothFamilies, -result)
    default: break
    }
    return switch Int(martlet_error_class(Int(result))) {
    case MARTLET_ADDRESS_IN_USE: .addressInUse
    case MARTLET_NO_PERMISSION: .noPermission
    case MARTLET_NO_ADDRESS: .noSuchAddress
    default: .other(-result)
    }
  }

  /// The next connection at another listener.
  package mutating func accept(at other: Int32) -> Acceptance {
    let own = listener
    listener = other
    defer { listener = own }
    return accept()
  }

  public mutating func accept() -> Acceptance {
    var high: UInt64 = 0
    var low: UInt64 = 0
    // Safe: the call writes both numbers.
    let result = unsafe martlet_accept(listener, &high, &low)
    if result >= 0 { return .connection(result, IPAddress(high: high, low: low)) }
    // Anything else that can go wrong is one connection's trouble (accept(2) lists them): the next
    // call tells whether another one waits.
    return Int(martlet_error_class(Int(result))) == MARTLET_NO_DESCRIPTOR ? .exhausted : .none
  }

  public mutating func open(_ slot: Int, _ descriptor: Int32) { table.open(slot: slot, descriptor) }

  public mutating func close(descriptor: Int32) { martlet_close(descriptor) }

  public mutating func receive(_ slot: Int, into target: inout MutableSpan<UInt8>) -> Transfer {
    let descriptor = table.descriptor(slot: slot)
    // Safe: the kernel writes at most `count` octets there, and the call keeps nothing.
    return unsafe target.withUnsafeMutableBufferPointer { octets in
      unsafe Self.transfer(
        martlet_receive(descriptor, octets.baseAddress, octets.count), zero: .end)
    }
  }

  public mutating func send(
    _ slot: Int, _ octets: Span<UInt8>, _ more: Span<UInt8>, continues: Bool
  ) -> Transfer {
    let descriptor = table.descriptor(slot: slot)
    // Safe: the kernel reads that many octets at both places, and the call keeps nothing.
    return unsafe octets.withUnsafeBufferPointer { octets in
      unsafe more.withUnsafeBufferPointer { more in
        unsafe Self.transfer(
          martlet_send(
            descriptor, octets.baseAddress, octets.count, more.baseAddress, more.count,
            continues ? 1 : 0),
          zero: .notNow)
      }
    }
  }

  public mutating func sendFile(
    _ slot: Int, file: Int32, offset: Int64, count: Int
  ) -> Transfer {
    Self.transfer(
      martlet_send_file(table.descriptor(slot: slot), file, offset, count), zero: .end)
  }

  public mutating func countInMemory(file: Int32, offset: Int64, count: Int, _ how: DiskQuestion) -> Int {
    let number =
      switch how {
      case .briefly: MARTLET_ASK_BRIEFLY
      case .exactly: MARTLET_ASK_EXACTLY
      case .anew: MARTLET_ASK_ANEW
      }
    return martlet_file_in_memory(file, offset, count, max(count, Limits.fileAheadSize), Int32(number))
  }

  public mutating func unsentCount(_ slot: Int) -> Int {
    // A system that does not tell keeps the loop from knowing a slow reader, which it bears.
    max(0, martlet_unsent(table.descriptor(slot: slot)))
  }

  public mutating func finishSending(_ slot: Int) {
    // A peer that is gone already is no news here: the next read tells.
    _ = martlet_finish_sending(table.descriptor(slot: slot))
  }

  public mutating func close(_ slot: Int) {
    martlet_close(table.descriptor(slot: slot))
    table.close(slot: slot)
  }

  public mutating func stopListening() {
    guard listener >= 0 else { return }
    martlet_close(listener)
    listener = -1
  }

  public mutating func want(_ slot: Int, _ wanted: Readiness?) { table.want(slot: slot, wanted) }

  public mutating func watch(_ index: Int, _ descriptor: Int32) { table.watch(index, descriptor) }

  public func isReady(watch index: Int) -> Bool { table.isReady(watch: index) }

  public mutating func wait(milliseconds: Int, listener: Bool, signals: Bool) -> Wakeup {
    table.wait(
      signals: signals ? self.signals : -1, listener: listener ? self.listener : -1,
      milliseconds: milliseconds)
    return Wakeup(
      listenerIsReady: table.isReady(entry: PollTable.listenerIndex),
      stopRequested: table.isReady(entry: PollTable.signalIndex))
  }

  /// Waits as `wait` does, with another descriptor in the listener's place.
  package mutating func wait(milliseconds: Int, insteadOfListener descriptor: Int32, signals: Bool) -> Wakeup
  {
    table.wait(signals: signals ? self.signals : -1, listener: descriptor, milliseconds: milliseconds)
    return Wakeup(
      listenerIsReady: table.isReady(entry: PollTable.listenerIndex),
      stopRequested: table.isReady(entry: PollTable.signalIndex))
  }

  /// A slot's descriptor.
  package func descriptor(_ slot: Int) -> Int32 { table.descriptor(slot: slot) }

  /// The listener's descriptor.
  package var listenerDescriptor: Int32 { listener }

  public func ready(_ slot: Int) -> Readiness { table.ready(slot: slot) }

  public mutating func now() -> Moment {
    Moment(
      monotonicMilliseconds: martlet_monotonic_milliseconds(), unixSeconds: martlet_unix_seconds())
  }

  public mutating func microseconds() -> Int64 { martlet_monotonic_microseconds() }

  private static func transfer(_ result: Int, zero: Transfer) -> Transfer {
    if result > 0 { return .octets(result) }
    if result == 0 { return zero }
    return Int(martlet_error_class(result)) == MARTLET_EAGAIN ? .notNow : .gone
  }
}
