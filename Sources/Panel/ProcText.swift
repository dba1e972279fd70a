// Single texts of /proc and /sys → values (proc(5)). Pure, and never surprised: what is not as expected
// is left out, because a page that shows less is better than none.

import Martlet

/// The words of a line, between blanks.
struct Words: ~Escapable {
  private var rest: Span<UInt8>

  @_lifetime(copy line)
  init(_ line: Span<UInt8>) { rest = line }

  /// The next word, or `nil` after the last.
  @inline(never)
  @_lifetime(copy self)
  @_lifetime(self: copy self)
  mutating func next() -> Span<UInt8>? {
    let trimmed = rest.extracting(rest.trimmed(0..<rest.count))
    guard trimmed.count > 0 else { return nil }
    var end = 0
    while end < trimmed.count, !ASCII.isBlank(trimmed[end]) { end += 1 }
    rest = trimmed.extracting(end..<trimmed.count)
    return trimmed.extracting(0..<end)
  }
}

/// Readers of single texts of /proc and /sys.
enum ProcText {
  /// The first line without blanks and NULs around it, as in `/proc/sys/kernel/hostname` and
  /// `/proc/device-tree/model`; `nil` when nothing is left.
  @inline(never)
  static func line(_ text: Span<UInt8>) -> Text<96>? {
    var lines = Lines(text)
    guard let line = lines.next() else { return nil }
    let visible = line.extracting(0..<(line.firstIndex(of: 0) ?? line.count))
    let trimmed = visible.extracting(visible.trimmed(0..<visible.count))
    return trimmed.count > 0 ? Text(showing: trimmed) : nil
  }

  /// Whether a line of `/proc/cpuinfo` tells the model: the board's, or the processor's.
  @inline(never)
  static func isModel(_ line: Span<UInt8>) -> Bool {
    line.hasPrefix("model name") || line.hasPrefix("Model") || line.hasPrefix("machine")
  }

  /// What stands after the first colon of a line.
  @inline(never)
  static func value(_ line: Span<UInt8>) -> Text<96>? {
    guard let colon = line.firstIndex(of: 0x3A) else { return nil }
    return self.line(line.extracting(colon + 1..<line.count))
  }

  /// Kibibytes of a line `NAME:   NUMBER kB` (`/proc/meminfo`).
  @inline(never)
  static func kibibytes(_ name: StaticString, in text: Span<UInt8>) -> UInt64? {
    var lines = Lines(text)
    while let line = lines.next() {
      var words = Words(line)
      guard let first = words.next(), first.equals(name) else { continue }
      return words.next()?.decimal()
    }
    return nil
  }

  /// Whole seconds since the start (`/proc/uptime`).
  static func uptime(_ text: Span<UInt8>) -> UInt64? {
    var words = Words(text)
    guard let word = words.next() else { return nil }
    return word.extracting(0..<(word.firstIndex(of: 0x2E) ?? word.count)).decimal()
  }

  /// The load of 1, 5 and 15 minutes (`/proc/loadavg`).
  static func load(_ text: Span<UInt8>) -> InlineArray<3, Text<8>>? {
    var words = Words(text)
    guard let one = words.next(), let five = words.next(), let fifteen = words.next(),
      isFixedPoint(one), isFixedPoint(five), isFixedPoint(fifteen)
    else { return nil }
    return [Text(cutting: one), Text(cutting: five), Text(cutting: fifteen)]
  }

  /// The hundredths that a load of two decimals is.
  @inline(never)
  static func hundredths(_ load: Span<UInt8>) -> Int? {
    guard let point = load.firstIndex(of: 0x2E), load.count == point + 3,
      let whole = load.extracting(0..<point).decimal(),
      let part = load.extracting(point + 1..<load.count).decimal()
    else { return nil }
    return Int(whole * 100 + part)
  }

  private static func isFixedPoint(_ word: Span<UInt8>) -> Bool {
    for i in word.indices where ASCII.digit(word[i]) == nil && word[i] != "." { return false }
    return word.count <= 8
  }

  /// How many processors `0-3,5` names (`/sys/devices/system/cpu/online`).
  static func processorCount(_ text: Span<UInt8>) -> Int? {
    var lines = Lines(text)
    guard let list = lines.next() else { return nil }
    var (count, start) = (0, 0)
    while start < list.count {
      let end = list.firstIndex(of: 0x2C, from: start) ?? list.count
      let part = list.extracting(start..<end)
      let dash = part.firstIndex(of: 0x2D)
      guard let first = part.extracting(0..<(dash ?? part.count)).decimal(),
        let last = dash.map({ part.extracting($0 + 1..<part.count).decimal() }) ?? first,
        last >= first, last < 65_536
      else { return nil }
      count += Int(last - first) + 1
      start = end + 1
    }
    return count > 0 ? count : nil
  }
}
