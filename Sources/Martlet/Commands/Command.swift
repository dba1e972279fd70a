// A program that a page starts, with its words. There is no shell: no word is split, expanded or interpreted.

import MartletBytes

/// A program of the board, and the words that it is started with (`CommandApplication`).
///
///     var ping = Command(["/bin/ping", "-c", "4"])
///     ping.append(value: host.span)
///     return response.output(of: ping)
///
/// There is no shell, so a value cannot begin another command. A value cannot be an option either: a value that begins
/// with `-` is refused.
public struct Command: ~Copyable {
  /// The words, each with a NUL behind it.
  private(set) var octets = FixedBuffer<1_024>()
  private var wordCount = 0
  /// Whether a value, or the words together, are not allowed.
  private(set) var isRefused = false
  /// Whether the words of the program's author are not allowed.
  private(set) var isWrong = false

  /// - Parameter words: The absolute path of the program, and the words that follow it.
  public init<let count: Int>(_ words: InlineArray<count, StaticString>) {
    isWrong = count == 0
    for i in words.indices { append(words[i]) }
    if octets.span.isEmpty || octets.span[0] != "/" { isWrong = true }
  }

  /// Adds a word that the program's author has chosen, such as an option.
  public mutating func append(_ word: StaticString) {
    if !add(word.octets) { isWrong = true }
  }

  /// Adds a number.
  public mutating func append(_ number: Int) {
    var digits = InlineArray<24, UInt8>(repeating: 0)
    var writer = Writer(digits.mutableSpan)
    writer.append(decimal: number)
    let count = writer.count
    if !add(digits.span.extracting(first: count)) { isRefused = true }
  }

  /// Adds a word that comes from outside. The request is refused with 400 where the word is empty, begins with `-`,
  /// has control octets, or is too long (`Limits.commandSizeMax`).
  public mutating func append(value: Span<UInt8>) {
    guard !value.isEmpty, value[0] != "-", !value.hasControls, add(value) else {
      isRefused = true
      return
    }
  }

  /// Adds a word, where there is room.
  private mutating func add(_ word: Span<UInt8>) -> Bool {
    guard wordCount < Limits.commandWordCountMax, word.firstIndex(of: 0) == nil,
      octets.count + word.count < Limits.commandSizeMax
    else { return false }
    wordCount += 1
    return octets.append(word) && octets.append(0)
  }
}

extension Span<UInt8> {
  /// Whether an octet is a control character of ASCII.
  fileprivate var hasControls: Bool {
    for i in indices where self[i] < 0x20 || self[i] == 0x7F { return true }
    return false
  }
}

/// How a command has ended.
public enum CommandEnd: Equatable, Sendable {
  /// The program has ended with that exit status, 0...255. 0 means success. 127: the program could not be started,
  /// and its output says why.
  case exited(status: Int)
  /// A signal has ended the program.
  case signalled(Int)
  /// The program's time was over. The program gets SIGTERM, and SIGKILL after two seconds.
  case timedOut
  /// The program's output was longer than the page allows. The program is ended in the same way.
  case outputTooLong
  /// The system does not tell. This is so where this program is the first process of a system or a container, on
  /// kernels before 4.7.
  case unknown
}

/// What a page does after `body.write(output:)`.
public enum CommandStep: Equatable, Sendable {
  /// The command goes on, and `write` of the application returns this step.
  case goesOn(StreamStep)
  /// The whole output has been written. The page may add more, and returns `.end`.
  case ended(CommandEnd)
}
