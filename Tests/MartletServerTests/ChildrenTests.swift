// Children of a process: programs, whose ends are asked for, and children that wait for disks, whose ends nobody asks
// for. Neither takes anything from the other.

import CMartletPlatform
import Glibc
import Testing

/// A program that has been started.
struct StartedProgram {
  let descriptor: Int32
  let process: Int32

  /// Starts a program; `nil` and the errno where that fails.
  static func start(_ words: [String], error: inout Int32) -> StartedProgram? {
    let octets: [UInt8] = words.flatMap { [UInt8]($0.utf8) + [0] }
    var process: Int32 = 0
    let descriptor = octets.withUnsafeBufferPointer {
      martlet_start_command($0.baseAddress!, $0.count, &process)
    }
    error = descriptor < 0 ? descriptor : 0
    return descriptor < 0 ? nil : StartedProgram(descriptor: descriptor, process: process)
  }

  /// Reads all that the program writes, waits for its end, and gives its number back.
  func finish() -> (output: String, result: Int32) {
    var output: [UInt8] = []
    var octets = [UInt8](repeating: 0, count: 512)
    var count = 1
    while count != 0 {
      count = martlet_read_output(descriptor, &octets, octets.count)
      if count > 0 { output += octets.prefix(count) }
      guard count < 0 else { continue }
      guard count == -Int(EAGAIN) else { break }
      var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      poll(&entry, 1, 100)
    }
    martlet_close(descriptor)
    var result = martlet_command_result(process)
    for _ in 0..<500 where result == MARTLET_COMMAND_RUNS {
      usleep(10_000)
      result = martlet_command_result(process)
    }
    martlet_forget_command(process)
    return (String(decoding: output, as: UTF8.self), result)
  }
}

@Suite("Children", .serialized)
struct ChildrenTests {
  /// A child that ends at once, as one that has asked a disk does.
  private func child() -> Int32 {
    let number = martlet_begin_child()
    if number == 0 { martlet_end_child() }
    return number
  }

  @Test("A child that asks disks takes no program's exit status away", arguments: [0, 1, 3, 255])
  func status(status: Int) throws {
    var error: Int32 = 0
    let program = try #require(
      StartedProgram.start(["/bin/sh", "-c", "sleep 0.1; exit \(status)"], error: &error))
    let number = child()
    #expect(number > 0)
    let (_, result) = program.finish()
    #expect(result == Int32(status))
    var turns = 0
    while martlet_child_runs(number) != 0, turns < 500 {
      usleep(10_000)
      turns += 1
    }
    #expect(turns < 500)
  }

  @Test("A child has ended for good once its end has been seen, and no zombie is left")
  func zombies() {
    let numbers = (0..<5).map { _ in child() }
    for number in numbers {
      var turns = 0
      while martlet_child_runs(number) != 0, turns < 500 {
        usleep(10_000)
        turns += 1
      }
      #expect(number > 0 && turns < 500 && martlet_child_runs(number) == 0)
      // ESRCH: there is no such process, not even a zombie.
      #expect(kill(number, 0) != 0 && errno == ESRCH)
    }
  }

  @Test("A process that was started with SIGCHLD ignored learns how its programs end")
  func inherited() throws {
    signal(SIGCHLD, SIG_IGN)
    var error: Int32 = 0
    let program = try #require(StartedProgram.start(["/bin/sh", "-c", "exit 7"], error: &error))
    let (_, result) = program.finish()
    #expect(result == 7)
    signal(SIGCHLD, SIG_DFL)
  }
}
