// Sockets whose octets are encrypted: the second conformer of the loop's seam. The first octet of a connection
// tells whether the connection is TLS. When its ClientHello has come as a whole, a TLS connection gets one of a few
// places. Each turn of the loop makes one step of one handshake. A connection that is not TLS is served, or told to come with TLS.
//
// This file faces C, so it may say `unsafe`; each use lends a span's memory to one call that keeps nothing.

import CMartletPlatform
import CMartletTLS
public import MartletBytes
public import MartletServer

/// Sockets, poll() and clocks of the running system, with TLS by mbedTLS.
public struct TLSTransport: Transport, ~Copyable {
  /// A place for a TLS connection.
  private struct Place {
    /// `ending`: the loop is told that the connection is broken.
    enum State: UInt8 { case free, handshaking, open, ending, finished }

    var state = State.free
    var slot: Int16 = 0
    /// What the next step of the handshake, or the next read, waits for.
    var wanted = Readiness.readable
    /// Whether there is something to do that the kernel does not tell: another step of the handshake, or decrypted
    /// octets that the loop waits for.
    var goesOn = false
  }

  private var sockets: POSIXTransport
  private var places = InlineArray<16, Place>(repeating: Place())
  private var freeCount = Limits.encryptedConnectionCountMax
  /// The place whose handshake makes a step in this turn, or made the last one.
  private var stepping = 0
  /// Connections that wait for a place.
  private var waitingCount = 0
  /// Whether connections without TLS are served. Otherwise they are told to come with TLS.
  private let servesPlain: Bool
  /// The listener for connections that are told to come with TLS; -1: none.
  private var redirectListener: Int32 = -1
  /// What is readable while a listener is, or when SIGHUP has come.
  private var gathered: Int32 = -1
  private var hangups: Int32 = -1
  /// When the certificate is looked at again, in milliseconds of the monotonic clock.
  private var nextLook: Int64 = 0
  /// Since when a certificate has waited for connections to end, on that clock; `.max`: none waits.
  private var waitsSince = Int64.max
  /// The program's name, for messages.
  private let program: StaticString

  public static var encrypts: Bool { true }
  public var seeksPlace = false

  /// The port it listens at.
  public var port: UInt16 { sockets.port }
  public var connectionCountMax: Int { sockets.connectionCountMax }

  /// - Parameters:
  ///   - program: The program's name, for messages.
  ///   - sockets: The sockets, with their listener.
  ///   - redirecting: Where connections are accepted that are told to come with TLS. `nil`: nowhere else.
  ///   - servesPlain: Whether connections without TLS are served.
  /// - Throws: `ListenError` where the second listener cannot be had.
  public init(
    _ program: StaticString, _ sockets: consuming POSIXTransport, redirecting: borrowing Redirection?,
    servesPlain: Bool
  ) throws(ListenError) {
    invariant(
      Limits.encryptedConnectionCountMax <= places.count, "there is an entry for each TLS connection")
    self.sockets = sockets
    self.program = program
    self.servesPlain = servesPlain
    if let redirecting = copy redirecting {
      redirectListener = try POSIXTransport.listen(host: redirecting.host.span, port: redirecting.port)
    }
    hangups = martlet_tls_hangups()
    gathered = martlet_tls_gather(self.sockets.listenerDescriptor, redirectListener, hangups)
    if gathered < 0 { throw .other(-gathered) }
    for slot in 0..<Limits.connectionCountMax { set(slot, Int(MARTLET_TLS_SILENT)) }
  }

  // MARK: Places

  /// What is known of a slot's connection: a place, or a negative number of C's.
  private func what(_ slot: Int) -> Int { Int(martlet_tls_slot(slot)) }

  /// Sets it. (The numbers are C's, and Swift has them as `Int32` here and as `Int` there.)
  private func set(_ slot: Int, _ what: Int) { martlet_tls_set_slot(slot, Int32(what)) }

  public func opening(_ slot: Int) -> Opening {
    let what = what(slot)
    if what >= 0 { return places[what].state == .handshaking ? .handshaking : .open }
    return what == Int(MARTLET_TLS_SILENT) ? .silent : what == Int(MARTLET_TLS_WAITING) ? .waiting : .open
  }

  public func channel(_ slot: Int) -> Channel {
    let what = what(slot)
    return what >= 0 ? .encrypted : what == Int(MARTLET_TLS_REDIRECTED) ? .redirected : .plain
  }

  public func hasPlace(_ slot: Int) -> Bool { what(slot) >= 0 }
  public var placeIsWanted: Bool { waitingCount > 0 }
  public var placeIsFree: Bool { freeCount > 0 }

  public mutating func givePlace(_ slot: Int) {
    guard what(slot) == Int(MARTLET_TLS_WAITING) else { return }
    let place = Int(martlet_tls_open(sockets.descriptor(slot)))
    guard place >= 0 else { return }
    waitingCount -= 1
    freeCount -= 1
    set(slot, place)
    places[place] = Place(state: .handshaking, slot: Int16(slot), goesOn: true)
  }

  public func redirectionPort(_ slot: Int) -> UInt16? {
    let own = martlet_tls_local_port(sockets.descriptor(slot))
    // A system that does not tell keeps nobody out.
    return own == 0 || own == sockets.port ? nil : sockets.port
  }

  // MARK: Connections

  public mutating func accept() -> Acceptance {
    let first = sockets.accept()
    guard case .none = first, redirectListener >= 0 else { return first }
    return sockets.accept(at: redirectListener)
  }

  public mutating func open(_ slot: Int, _ descriptor: Int32) {
    set(slot, Int(MARTLET_TLS_SILENT))
    sockets.open(slot, descriptor)
  }

  public mutating func close(descriptor: Int32) { sockets.close(descriptor: descriptor) }

  public mutating func close(_ slot: Int) {
    let place = what(slot)
    if place >= 0 {
      martlet_tls_close(Int32(place))
      places[place] = Place()
      freeCount += 1
    } else if place == Int(MARTLET_TLS_WAITING) {
      waitingCount -= 1
    }
    set(slot, Int(MARTLET_TLS_SILENT))
    sockets.close(slot)
  }

  public mutating func stopListening() {
    sockets.stopListening()
    if redirectListener >= 0 { sockets.close(descriptor: redirectListener) }
    redirectListener = -1
  }

  public mutating func finishSending(_ slot: Int) {
    let place = what(slot)
    if place >= 0 {
      martlet_tls_finish(Int32(place))
      places[place].state = .finished
      places[place].goesOn = false
    }
    sockets.finishSending(slot)
  }

  public mutating func unsentCount(_ slot: Int) -> Int {
    let place = what(slot)
    let count = sockets.unsentCount(slot)
    return place >= 0 ? count + Int(martlet_tls_unsent(Int32(place))) : count
  }

  // MARK: Octets

  public mutating func receive(_ slot: Int, into target: inout MutableSpan<UInt8>) -> Transfer {
    let place = what(slot)
    guard place >= 0 else {
      if place == Int(MARTLET_TLS_SILENT) { return begin(slot) }
      // Without a place nothing is read. The loop comes here only where the client has gone.
      return place == Int(MARTLET_TLS_WAITING) ? .gone : sockets.receive(slot, into: &target)
    }
    switch places[place].state {
    case .handshaking: return step(place)
    // What still comes is dropped unread.
    case .free, .finished: return sockets.receive(slot, into: &target)
    case .ending: return .gone
    case .open: break
    }
    // Safe: C writes at most `count` octets there, and keeps no pointer.
    let result = unsafe target.withUnsafeMutableBufferPointer { octets -> Int in
      guard let start = octets.baseAddress else { return Int(MARTLET_TLS_WANT_READ) }
      return unsafe martlet_tls_receive(Int32(place), start, octets.count)
    }
    if result > 0 { return .octets(result) }
    places[place].wanted = result == Int(MARTLET_TLS_WANT_WRITE) ? .writable : .readable
    return result == 0 ? .end : result == Int(MARTLET_TLS_GONE) ? .gone : .notNow
  }

  /// Looks at the first octets of a connection.
  private mutating func begin(_ slot: Int) -> Transfer {
    let begins = Int(martlet_tls_begins(sockets.descriptor(slot)))
    guard begins >= 0 else {
      return Int(martlet_error_class(begins)) == MARTLET_EAGAIN ? .notNow : .gone
    }
    if begins != 0 {
      set(slot, Int(MARTLET_TLS_WAITING))
      waitingCount += 1
    } else {
      // At the second listener all are told to come with TLS.
      let isServed = servesPlain && (redirectListener < 0 || redirectionPort(slot) == nil)
      set(slot, isServed ? Int(MARTLET_TLS_PLAIN) : Int(MARTLET_TLS_REDIRECTED))
    }
    return .notNow
  }

  /// Makes one step of a handshake.
  private mutating func step(_ place: Int) -> Transfer {
    let result = Int(martlet_tls_step(Int32(place)))
    places[place].goesOn = result == Int(MARTLET_TLS_AGAIN)
    places[place].wanted = result == Int(MARTLET_TLS_WANT_WRITE) ? .writable : .readable
    if result == Int(MARTLET_TLS_DONE) { places[place].state = .open }
    return result == Int(MARTLET_TLS_GONE) ? .gone : .notNow
  }

  public mutating func send(
    _ slot: Int, _ octets: Span<UInt8>, _ more: Span<UInt8>, continues: Bool
  ) -> Transfer {
    let place = what(slot)
    guard place >= 0 else { return sockets.send(slot, octets, more, continues: continues) }
    let first = Self.send(place, octets, continues: continues || more.count > 0)
    guard more.count > 0, case .octets(octets.count) = first,
      case .octets(let second) = Self.send(place, more, continues: continues)
    else { return first }
    return .octets(octets.count + second)
  }

  private static func send(_ place: Int, _ octets: Span<UInt8>, continues: Bool) -> Transfer {
    // Safe: C reads that many octets there, and keeps no pointer.
    unsafe octets.withUnsafeBufferPointer { octets in
      guard let start = octets.baseAddress else { return .notNow }
      return unsafe transfer(martlet_tls_send(Int32(place), start, octets.count, continues ? 1 : 0))
    }
  }

  private static func transfer(_ result: Int) -> Transfer {
    result > 0 ? .octets(result) : result == 0 ? .end : result == Int(MARTLET_TLS_GONE) ? .gone : .notNow
  }

  public mutating func sendFile(_ slot: Int, file: Int32, offset: Int64, count: Int) -> Transfer {
    let place = what(slot)
    guard place >= 0 else { return sockets.sendFile(slot, file: file, offset: offset, count: count) }
    return Self.transfer(martlet_tls_send_file(Int32(place), file, offset, count))
  }

  public mutating func countInMemory(file: Int32, offset: Int64, count: Int, _ how: DiskQuestion) -> Int {
    sockets.countInMemory(file: file, offset: offset, count: count, how)
  }

  // MARK: Waiting

  public mutating func want(_ slot: Int, _ wanted: Readiness?) {
    let place = what(slot)
    guard place >= 0 else {
      // Its octets are there already. A client that has gone gets no place.
      return sockets.want(slot, place == Int(MARTLET_TLS_WAITING) ? .peerDone : wanted)
    }
    switch places[place].state {
    case .free, .ending, .finished: sockets.want(slot, wanted)
    case .handshaking: sockets.want(slot, places[place].goesOn ? .nothing : places[place].wanted)
    case .open:
      let reads = wanted?.contains(.readable) ?? false
      places[place].goesOn = reads && martlet_tls_pending(Int32(place)) > 0
      sockets.want(slot, reads ? places[place].wanted : wanted)
    }
  }

  public mutating func watch(_ index: Int, _ descriptor: Int32) { sockets.watch(index, descriptor) }
  public func isReady(watch index: Int) -> Bool { sockets.isReady(watch: index) }

  public mutating func wait(milliseconds: Int, listener: Bool, signals: Bool) -> Wakeup {
    var limit = waitingCount > 0 ? Limits.placePauseMilliseconds : Int.max
    for i in places.indices where places[i].goesOn { limit = 0 }
    let wakeup = sockets.wait(
      milliseconds: milliseconds < 0 ? (limit == .max ? -1 : limit) : min(milliseconds, limit),
      insteadOfListener: listener ? gathered : -1, signals: signals)
    look(hasHungUp: wakeup.listenerIsReady && hangups >= 0 && martlet_tls_take_hangup(hangups) != 0)
    chooseStep()
    return wakeup
  }

  /// Renews the certificate where it is time to, or reads it anew after SIGHUP, and says what came of it.
  private mutating func look(hasHungUp: Bool) {
    let now = sockets.now()
    guard hasHungUp || now.monotonicMilliseconds >= nextLook else { return }
    nextLook = now.monotonicMilliseconds + 5_000
    endOutdated(now.monotonicMilliseconds)
    let moment = CertificateMoment(now)
    var news = CertificateNews.nothing
    if hasHungUp {
      do throws(CertificateTrouble) {
        if let trouble = try CertificateStore.reload(moment) { news = .trouble(trouble) }
      } catch { news = .trouble(error) }
      if news == .nothing {
        let text: StaticString =
          CertificateStore.isWaiting
          ? "the new certificate waits until older connections have ended"
          : "the certificate has been read anew"
        say(text.octets)
      }
    } else {
      news = CertificateStore.tick(moment)
    }
    switch news {
    case .nothing: return
    case .renewed: say(("the certificate has been renewed" as StaticString).octets)
    case .trouble(let trouble): say(trouble.words)
    }
  }

  /// Ends connections that still use a certificate before the last one, where a new certificate has waited for them.
  /// So a client that stays connected does not keep everybody from a new certificate.
  private mutating func endOutdated(_ now: Int64) {
    guard CertificateStore.isWaiting else { return waitsSince = .max }
    waitsSince = min(waitsSince, now)
    guard now - waitsSince >= Limits.certificateWaitMilliseconds else { return }
    for i in places.indices where places[i].state == .open && martlet_tls_is_outdated(Int32(i)) != 0 {
      places[i].state = .ending
      places[i].goesOn = true
    }
  }

  /// Prints a line about certificates on standard error.
  private func say(_ text: Span<UInt8>) {
    Self.append(program.octets)
    Self.append((": " as StaticString).octets)
    Self.append(text)
    martlet_message_print(2)
  }

  private static func append(_ text: Span<UInt8>) {
    // Safe: the call reads the octets and keeps no pointer.
    unsafe text.withUnsafeBufferPointer { octets in
      unsafe martlet_message_add(octets.baseAddress, octets.count)
    }
  }

  /// Chooses the handshake that makes a step: the next one, counted from the last, that can.
  private mutating func chooseStep() {
    for distance in 1...places.count {
      let place = (stepping + distance) % places.count
      guard places[place].state == .handshaking,
        places[place].goesOn || !sockets.ready(Int(places[place].slot)).isEmpty
      else { continue }
      stepping = place
      return
    }
  }

  public func ready(_ slot: Int) -> Readiness {
    let place = what(slot)
    let ready = sockets.ready(slot)
    guard place >= 0 else { return ready }
    switch places[place].state {
    case .free, .finished: return ready
    case .ending: return .broken
    case .handshaking:
      return place == stepping && (places[place].goesOn || !ready.isEmpty) ? .readable : .nothing
    case .open:
      let isReadable = places[place].goesOn || places[place].wanted == .writable && ready.contains(.writable)
      return isReadable ? Readiness(rawValue: ready.rawValue | Readiness.readable.rawValue) : ready
    }
  }

  public mutating func now() -> Moment { sockets.now() }
  public mutating func microseconds() -> Int64 { sockets.microseconds() }
}

/// An address and a port at which connections are told to come with TLS.
public struct Redirection: Sendable {
  let host: Text<64>
  let port: UInt16

  public init(host: Text<64>, port: UInt16) {
    self.host = host
    self.port = port
  }
}

extension CertificateMoment {
  /// A moment of the loop. The time of day is known where the kernel's clock is synchronized.
  public init(_ moment: Moment) {
    let isKnown = moment.unixSeconds >= Self.earliest && martlet_clock_is_synchronized() != 0
    self.init(
      monotonicMilliseconds: moment.monotonicMilliseconds, unixSeconds: moment.unixSeconds, isKnown: isKnown)
  }

  /// Now.
  public static var now: CertificateMoment {
    CertificateMoment(
      Moment(monotonicMilliseconds: martlet_monotonic_milliseconds(), unixSeconds: martlet_unix_seconds()))
  }
}

extension CertificateStore {
  /// Octets of the static arrays that TLS connections and certificates have, but for small ones.
  public static var staticSize: Int { martlet_tls_static_size() }

  /// Makes TLS ready, before everything else of it.
  ///
  /// - Returns: Whether there was memory for it.
  public static func startTLS() -> Bool { martlet_tls_start() == 0 }
}
