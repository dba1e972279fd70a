// A command's output as a response. The stream's state keeps the number of its command.

import MartletBytes
import MartletHTTP
public import MartletServer

extension Response where Site: CommandApplication & ~Copyable {
  /// Starts a program, and answers with its output: what it writes to standard output and to standard error. The
  /// application's `write` passes the output on with `body.write(output:)`.
  ///
  /// The program runs as the user of this program, in its folder, with PATH and LANG as environment and an empty
  /// standard input. It leads a process group of its own. The group gets SIGTERM when
  /// the visitor leaves or is logged out, when the time is over, or when the output is too long.
  /// SIGKILL follows after two seconds. While the visitor reads slowly, the program waits.
  ///
  /// Where a value is refused, the answer is 400. Where the words of the page itself are wrong, the answer is 500. Where
  /// `Limits.commandCountMax` programs run, or where the system has no descriptor, process or memory left, the answer
  /// is 503. Where the program cannot be started for another reason, the answer is 500, and the page says why.
  ///
  /// Starting the program costs one fork() and one execve(), and the disk's time for the program's file.
  ///
  /// - Parameters:
  ///   - command: The program and its words.
  ///   - mediaType: The media type of the answer.
  ///   - seconds: The longest time that the program may run, from 1 s to a day.
  ///   - sizeMax: The longest output in octets.
  public consuming func output(
    of command: borrowing Command, as mediaType: StaticString = "text/plain; charset=utf-8",
    atMostSeconds seconds: Int = 60, atMost sizeMax: Int = 1_048_576
  ) -> Answer {
    if command.isWrong { return refuse(.internalServerError, "The command of this page is wrong.") }
    if command.isRefused { return refuse(.badRequest, "A value is not allowed here.") }
    switch CommandTable(memory).begin(command, seconds: seconds, sizeMax: sizeMax) {
    case .success(let number):
      // A proxy that collects an answer before it sends the answer on would hold the output back.
      setHeader("X-Accel-Buffering", "no")
      return stream(mediaType, from: StreamState(note: number))
    case .failure(.tooMany):
      return refuse(
        .serviceUnavailable, "Too many programs run at the moment. Try again later.", retryAfter: 5)
    case .failure(.notNow):
      return refuse(.serviceUnavailable, "This device is busy. Try again in a few seconds.", retryAfter: 5)
    case .failure(.error(let error)):
      return refuse(.internalServerError, "The program cannot be started: \(error.text).")
    }
  }
}

extension StreamBody {
  /// Passes on what a command has written (`response.output`), as it is.
  ///
  ///     switch body.write(output: state) {
  ///     case .goesOn(let step): return step
  ///     case .ended(let end):
  ///       if end != .exited(status: 0) { body.write(plain: "It has failed.\n") }
  ///       return .end
  ///     }
  ///
  /// The page may write text of its own before, but no more than leaves `room` for some output.
  ///
  /// - Parameter state: The state that `response.output` has made.
  public mutating func write(output state: StreamState) -> CommandStep { pass(state, isEscaped: false) }

  /// Passes on what a command has written, in an HTML page: for example within `<pre>`.
  public mutating func write(escapedOutput state: StreamState) -> CommandStep { pass(state, isEscaped: true) }

  private mutating func pass(_ state: StreamState, isEscaped: Bool) -> CommandStep {
    let table = CommandTable(memory)
    var buffer = InlineArray<512, UInt8>(repeating: 0)
    // An octet is written as at most six.
    while room >= 6 * buffer.count {
      var target = buffer.mutableSpan
      switch table.read(state.note, page: state.page, into: &target) {
      case .octets(let count):
        let octets = buffer.span.extracting(first: count)
        if isEscaped { writeEscaped(octets) } else { write(octets: octets) }
      case .step(let step): return step
      }
    }
    return .goesOn(.more)
  }

  private mutating func writeEscaped(_ octets: Span<UInt8>) {
    for i in octets.indices {
      switch octets[i] {
      case "&": write(octets: ("&amp;" as StaticString).octets)
      case "<": write(octets: ("&lt;" as StaticString).octets)
      case ">": write(octets: ("&gt;" as StaticString).octets)
      case "\"": write(octets: ("&quot;" as StaticString).octets)
      case "'": write(octets: ("&#39;" as StaticString).octets)
      default: write(octets: octets.extracting(i..<i + 1))
      }
    }
  }
}
