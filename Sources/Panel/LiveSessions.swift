// The sessions of an account that have not ended. A signed cookie alone would be good for ever: so
// each login gets a random number, which its tokens carry as their epoch, and logging out takes the
// number off this list. The list is part of the accounts file, so it outlasts a restart.

import Martlet

/// The numbers of an account's sessions, oldest first; at most `countMax`.
struct LiveSessions: Equatable {
  /// Sessions at a time; one more ends the oldest.
  static var countMax: Int { 8 }

  /// Octets of the written list at most: ten digits a number, and the commas between.
  static var textSizeMax: Int { countMax * 11 - 1 }

  private var numbers = InlineArray<8, Int64>(repeating: 0)
  private(set) var count = 0

  /// No sessions.
  init() {}

  static func == (left: LiveSessions, right: LiveSessions) -> Bool {
    guard left.count == right.count else { return false }
    for i in 0..<left.count where left.numbers[i] != right.numbers[i] { return false }
    return true
  }

  /// Whether that session has not ended.
  func contains(_ number: Int64) -> Bool {
    for i in 0..<count where numbers[i] == number { return true }
    return false
  }

  /// Begins a session.
  ///
  /// - Returns: Its number: random, so that no session ever gets the number of an earlier one.
  mutating func begin() -> Int64 {
    var octets = InlineArray<4, UInt8>(repeating: 0)
    var target = octets.mutableSpan
    Random.fill(&target)
    var number: Int64 = 0
    for i in 0..<4 { number = number << 8 | Int64(octets[i]) }
    if count == Self.countMax { end(numbers[0]) }
    append(number)
    return number
  }

  /// Ends a session.
  mutating func end(_ number: Int64) {
    var kept = 0
    for i in 0..<count where numbers[i] != number {
      numbers[kept] = numbers[i]
      kept += 1
    }
    count = kept
  }

  /// Ends all.
  mutating func endAll() { count = 0 }

  private mutating func append(_ number: Int64) {
    numbers[count] = number
    count += 1
  }

  // MARK: Text

  /// Reads numbers with commas between them, or nothing; `nil` when it is not that.
  init?(_ text: Span<UInt8>) {
    self.init()
    var start = 0
    while start < text.count {
      let end = text.firstIndex(of: 0x2C, from: start) ?? text.count
      guard count < Self.countMax, let number = text.extracting(start..<end).decimal(),
        number <= UInt64(UInt32.max), end < text.count - 1 || end == text.count
      else { return nil }
      append(Int64(number))
      start = end + 1
    }
  }

  /// Writes the list.
  @_lifetime(writer: copy writer)
  func write(to writer: inout Writer) {
    for i in 0..<count {
      if i > 0 { writer.append(",") }
      writer.append(decimal: numbers[i])
    }
  }
}
