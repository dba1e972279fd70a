// What an administrator wants to be told: a value that is above a threshold for a time. Time is counted in samples,
// so a machine that sleeps counts none, and a value that is not known changes nothing. The rules are kept in a file:
//
//     martlet-alerts 1
//     THRESHOLD MINUTES 0 0 0        for each of the values, in their order
//     http://HOST:PORT/PATH          where alerts are sent to; no line for nowhere
//     sha256 DIGEST                  over all lines before it

import Martlet

/// When to be told about a value.
struct AlertRule: Equatable {
  /// In the unit of the series; 0: never.
  var threshold: Int64 = 0
  /// How long the value must have been above.
  var minutes: Int64 = 5

  static var minutesMax: Int64 { 60 }
}

/// The rules, and for how long each value has been above.
struct Alerts {
  static var count: Int { 4 }
  static var fileName: StaticString { "alerts" }
  private static var olderName: StaticString { "alerts.old" }
  private static var firstLine: StaticString { "martlet-alerts 1\n" }
  /// Octets of the file at most: two numbers of at most 16 digits a line, and an address.
  static var fileSizeMax: Int { 17 + count * (2 * 17 + 6) + HookAddress.sizeMax + 1 + Checksum.lineSize }

  private(set) var rules = InlineArray<4, AlertRule>(repeating: AlertRule())
  /// Where alerts are sent to.
  var hook = HookAddress()
  /// Why the file of the rules cannot be used, if so. It is left alone until somebody has mended it.
  private(set) var damage: SystemError?
  /// Samples one after another in which a value was above.
  private var aboveCounts = InlineArray<4, Int64>(repeating: 0)
  /// The threshold of each alert that has begun and not ended; 0 for no alert.
  private var begun = InlineArray<4, Int64>(repeating: 0)

  /// No rules.
  init() {}

  /// The values that there can be rules about.
  static func series(_ index: Int) -> Series {
    switch index {
    case 0: .processors
    case 1: .load
    case 2: .memory
    default: .temperature
    }
  }

  /// What a whole number of a form counts, in the unit of the series.
  static func scale(_ index: Int) -> Int64 { index == 3 ? 10 : 100 }

  /// The greatest number that a form takes.
  static func numberMax(_ index: Int) -> Int64 { index == 1 ? 600 : index == 3 ? 150 : 99 }

  /// Sets a rule. A rule that changes counts from the beginning.
  mutating func set(_ rule: AlertRule, at index: Int) {
    guard rules[index] != rule else { return }
    rules[index] = rule
    aboveCounts[index] = 0
  }

  /// Whether there is a rule.
  var hasRules: Bool {
    for i in 0..<Self.count where rules[i].threshold > 0 { return true }
    return false
  }

  /// Takes the values of a sample.
  mutating func update(_ values: Values) {
    for i in 0..<Self.count {
      guard let value = values[Self.series(i)] else { continue }
      let isAbove = rules[i].threshold > 0 && value > rules[i].threshold
      // More than a year is no news.
      aboveCounts[i] = isAbove ? min(aboveCounts[i] + 1, 10_000_000) : 0
    }
  }

  /// Seconds for which a value has been above, where that is long enough to tell; `nil` otherwise.
  func raised(_ index: Int) -> UInt64? {
    let seconds = aboveCounts[index] * Int64(Sampler.seconds)
    return rules[index].threshold > 0 && seconds >= rules[index].minutes * 60 ? UInt64(seconds) : nil
  }

  /// Whether an alert has begun or ended since the last call.
  @inline(never)
  mutating func change(_ index: Int, in values: Values) -> AlertEvent? {
    let isFiring = raised(index) != nil
    guard isFiring != (begun[index] > 0) else { return nil }
    if isFiring { begun[index] = rules[index].threshold }
    let event = AlertEvent(
      index: UInt8(index), isFiring: isFiring, value: values[Self.series(index)] ?? AlertEvent.unknown,
      threshold: begun[index])
    if !isFiring { begun[index] = 0 }
    return event
  }

  /// Octets of all sentences at most.
  static var textSizeMax: Int { 320 }

  /// Writes a sentence about each value that is to be told: `Memory is above 90 %, for 5 min now. …`
  @_lifetime(writer: copy writer)
  func write(to writer: inout Writer) {
    var isFirst = true
    for i in 0..<Self.count {
      guard let seconds = raised(i) else { continue }
      if !isFirst { writer.append(" ") }
      isFirst = false
      writer.append(Self.name(i))
      writer.append(" above ")
      writer.append(Self.series(i).text(rules[i].threshold).span)
      writer.append(", for ")
      writer.append(Readable.duration(seconds: seconds).span)
      writer.append(" now.")
    }
  }

  private static func name(_ index: Int) -> StaticString {
    switch index {
    case 0: "Use of the processors"
    case 1: "Load"
    case 2: "Memory in use"
    default: "Temperature"
    }
  }

  // MARK: File

  /// Reads the text of a file; `nil` when it is damaged.
  init?(_ text: Span<UInt8>) {
    guard text.count <= Self.fileSizeMax, let body = Checksum.checked(text, Self.firstLine) else {
      return nil
    }
    var lines = Lines(body)
    for i in 0..<Self.count {
      guard let row = Decimals.row(lines.next()), row[0] <= Self.numberMax(i) * Self.scale(i),
        1...AlertRule.minutesMax ~= row[1]
      else { return nil }
      rules[i] = AlertRule(threshold: row[0], minutes: row[1])
    }
    if let line = lines.next() {
      guard let address = try? HookAddress(line) else { return nil }
      hook = address
    }
    guard lines.next() == nil else { return nil }
  }

  /// Writes the text of a file, at most `fileSizeMax` octets.
  @_lifetime(writer: copy writer)
  func writeFile(to writer: inout Writer) {
    writer.append(Self.firstLine)
    for i in 0..<Self.count { Decimals.write([rules[i].threshold, rules[i].minutes, 0, 0, 0], to: &writer) }
    if !hook.isEmpty {
      writer.append(hook.text.span)
      writer.append("\n")
    }
    Checksum.append(to: &writer)
  }

  /// Reads the file of a directory. One that is not there has no rules. With one that is damaged there are none
  /// either, and the log says so.
  static func load(from directory: DataDirectory) -> Alerts {
    var damage = SystemError.damaged
    do throws(SystemError) {
      let loaded: Alerts? = try directory.read(fileName) { Alerts($0) }
      if let loaded { return loaded }
    } catch {
      if error.isNotFound { return Alerts() }
      damage = error
    }
    Log.failed("alerts_damaged", damage)
    var alerts = Alerts()
    alerts.damage = damage
    return alerts
  }

  /// Writes the file of a directory. Those before become the generation before; where that fails, the change goes on,
  /// because nothing depends on it.
  func store(in directory: DataDirectory, after former: Alerts) throws(SystemError) -> Stored {
    _ = try? former.write(Self.olderName, in: directory, waits: false)
    return try write(Self.fileName, in: directory, waits: true)
  }

  @inline(never)
  private func write(
    _ name: StaticString, in directory: DataDirectory, waits: Bool
  ) throws(SystemError) -> Stored {
    var text = FixedBuffer<512>()
    var writer = Writer(text.storageSpan)
    writeFile(to: &writer)
    invariant(!writer.overflowed, "the alerts fit their file")
    let count = writer.count
    text.setCount(count)
    return try directory.replace(name, with: text.span, waits: waits)
  }
}
