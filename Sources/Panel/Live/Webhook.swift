// Alerts on their way to the address that an administrator has named: a short queue, in the order in which the alerts
// began and ended. What has not been taken is tried again:
//
//     pause      10, 30, 90, 270, 600, 600 … seconds          begins anew with each success
//     at most    80 minutes for each, then it is dropped      about a dozen times
//     room       8; the oldest one makes room                 two for each value: it began, it ended
//
// Pure: a child sends (Delivery.swift). The queue is in memory only. After a power cut what was in it is gone, and an
// alert that holds begins anew.

import Martlet

/// That an alert has begun or ended.
struct AlertEvent: Equatable {
  /// Of which value, as in `Alerts`; `testIndex` for a test.
  var index: UInt8 = 0
  var isFiring = false
  /// In the unit of the series; `unknown` where it is not known.
  var value: Int64 = 0
  var threshold: Int64 = 0
  /// Unix seconds; 0 where the clock is not set.
  var time: Int64 = 0
  /// Milliseconds of the boot clock.
  var moment: Int64 = 0

  static var unknown: Int64 { .min }
  static var testIndex: UInt8 { UInt8(Alerts.count) }
  /// Octets of the text at most: a name of this device of 96 octets, each of which may be escaped, and the rest.
  static var sizeMax: Int { 6 * 96 + 200 }

  /// The word for the value.
  var name: StaticString {
    index == Self.testIndex ? "test" : Alerts.series(Int(index)).name
  }

  /// Writes it as a JSON object.
  @_lifetime(writer: copy writer)
  func write(of device: Span<UInt8>, to writer: inout Writer) {
    let isTest = index == Self.testIndex
    let unit = isTest ? Series.Unit.load : Alerts.series(Int(index)).unit
    let digits = unit == .temperature ? 1 : 2
    writer.append("{\"device\":")
    writer.append(jsonString: device)
    writer.append(",\"alert\":\"")
    writer.append(name)
    writer.append("\",\"state\":\"")
    writer.append(isTest ? "test" : isFiring ? "firing" : "resolved")
    writer.append("\",\"value\":")
    Self.write(isTest ? Self.unknown : value, digits, to: &writer)
    writer.append(",\"threshold\":")
    Self.write(isTest ? Self.unknown : threshold, digits, to: &writer)
    writer.append(",\"unit\":\"")
    writer.append(isTest ? "" : unit == .percent ? "percent" : unit == .load ? "tasks" : "celsius")
    writer.append("\",\"time\":")
    Self.write(time > 0 ? time : Self.unknown, 0, to: &writer)
    writer.append("}\n")
  }

  @inline(never)
  @_lifetime(writer: copy writer)
  private static func write(_ number: Int64, _ digits: Int, to writer: inout Writer) {
    if number == unknown { return writer.append("null") }
    writer.append(FixedPoint(number, digits: digits))
  }
}

/// How a delivery ended: the status of the answer, or why there is none.
struct DeliveryResult: Equatable {
  private(set) var number: Int32

  init(_ number: Int32) { self.number = number }

  /// Nothing has ended.
  static var none: DeliveryResult { DeliveryResult(0) }
  static var silent: DeliveryResult { DeliveryResult(-1) }
  static var refused: DeliveryResult { DeliveryResult(-2) }
  static var unreachable: DeliveryResult { DeliveryResult(-3) }
  static var broken: DeliveryResult { DeliveryResult(-4) }
  static var nameUnknown: DeliveryResult { DeliveryResult(-5) }
  static var noHTTP: DeliveryResult { DeliveryResult(-6) }

  /// Reads the start of an answer: `HTTP/1.1 204`, and a blank or the end of the line (RFC 9112 §4). Statuses below 200
  /// are no answer yet, and are not asked for.
  init(_ answer: Span<UInt8>) {
    self = .noHTTP
    guard answer.count >= Self.sizeMin, answer.hasPrefix("HTTP/1."), ASCII.digit(answer[7]) != nil,
      answer[8] == " ", let status = answer.extracting(9..<12).decimal(), status >= 100,
      answer[12] == " " || answer[12] == "\r" || answer[12] == "\n"
    else { return }
    self = DeliveryResult(Int32(status))
  }

  /// Octets of an answer that are read.
  static var sizeMin: Int { 13 }

  var isDelivered: Bool { 200..<300 ~= number }

  /// The words for it.
  var text: StaticString {
    switch self {
    case .silent: "it did not answer in time"
    case .refused: "nothing listens there"
    case .unreachable: "no network leads there"
    case .nameUnknown: "its name has no address"
    case .noHTTP: "what answered is no HTTP server"
    case .broken: "the connection was cut"
    case .none: "newer ones needed its place"
    default: "another status than 200 to 299"
    }
  }
}

/// The queue, and what is under way.
struct Webhook {
  static var queueCountMax: Int { 8 }
  /// Milliseconds for which an alert is tried.
  static var lifetime: Int64 { 80 * 60_000 }
  /// Milliseconds of the pause after a failure, and after many.
  static var pauseMin: Int64 { 10_000 }
  static var pauseMax: Int64 { 600_000 }

  private var queue = InlineArray<8, AlertEvent>(repeating: AlertEvent())
  private(set) var count = 0
  /// Whether a test is to be sent next.
  private var wantsTest = false
  /// What a child sends, if one does.
  private(set) var sent: AlertEvent?
  /// Whether the address has changed since then.
  private var isForeign = false
  private var pause: Int64 = 0
  /// When the next try is due, in milliseconds of the boot clock.
  private(set) var due: Int64 = 0
  /// The child, when it began, how the last delivery ended, and when, in Unix seconds; 0 where that is not known.
  var child: Int32 = 0
  var beganAt: Int64 = 0
  private(set) var result = DeliveryResult.none
  private(set) var resultTime: Int64 = 0

  /// Whether anything is under way or waits.
  var isBusy: Bool { child > 0 || count > 0 || wantsTest }

  /// Whether a test is under way.
  var isTesting: Bool { wantsTest || !isForeign && sent?.index == AlertEvent.testIndex }

  /// Adds an alert.
  ///
  /// - Returns: The one that made room for it.
  @inline(never)
  mutating func add(_ event: AlertEvent) -> AlertEvent? {
    var dropped: AlertEvent?
    if count == Self.queueCountMax {
      // The first one may be under way.
      dropped = remove(at: isFirstUnderWay ? 1 : 0)
    }
    queue[count] = event
    count += 1
    return dropped
  }

  mutating func addTest() { wantsTest = true }

  private var isFirstUnderWay: Bool { sent != nil && !isForeign && sent?.index != AlertEvent.testIndex }

  @inline(never)
  private mutating func remove(at index: Int) -> AlertEvent {
    let event = queue[index]
    for i in index..<count - 1 { queue[i] = queue[i + 1] }
    count -= 1
    return event
  }

  /// What is to be sent now, if anything is. A test does not wait for its turn.
  mutating func begin(at now: Int64, time: Int64) -> AlertEvent? {
    guard sent == nil else { return nil }
    if wantsTest {
      wantsTest = false
      sent = AlertEvent(index: AlertEvent.testIndex, time: time, moment: now)
    } else if count > 0, now >= due {
      sent = queue[0]
    }
    isForeign = false
    beganAt = now
    return sent
  }

  /// Notes how what was under way has ended.
  ///
  /// - Returns: What has been given up.
  mutating func end(_ result: DeliveryResult, at now: Int64, time: Int64) -> AlertEvent? {
    guard let event = sent else { return nil }
    let isFirst = isFirstUnderWay
    sent = nil
    guard !isForeign else { return nil }
    self.result = result
    resultTime = time
    if result.isDelivered {
      (pause, due) = (0, now)
      if isFirst { _ = remove(at: 0) }
      return nil
    }
    guard isFirst else { return nil }
    pause = min(pause == 0 ? Self.pauseMin : pause * 3, Self.pauseMax)
    due = now + pause
    return now - event.moment >= Self.lifetime ? remove(at: 0) : nil
  }

  /// Notes that the address is another one. What waits goes there, or nowhere.
  mutating func addressChanged(isEmpty: Bool) {
    isForeign = sent != nil
    (pause, due, wantsTest) = (0, 0, false)
    (result, resultTime) = (.none, 0)
    if isEmpty { count = 0 }
  }
}
