// The last line of a program that a bug ends: page, request and reason, once, and the exit status as ever.

import Glibc
import Testing

@testable import Martlet

@Suite struct UnderWayTests {
  /// What a child process has written, after what Swift itself says of a trap.
  private func lines(_ result: ExitTest.Result?) -> [String] {
    String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
      .filter { $0.contains("a bug") }
  }

  @Test("A trap names page and request, and ends the program by its signal")
  func trap() async {
    #if arch(x86_64)
      let signal = SIGILL
      let name = "SIGILL"
    #else
      let signal = SIGTRAP
      let name = "SIGTRAP"
    #endif
    let result = await #expect(
      processExitsWith: .signal(signal), observing: [\.standardErrorContent]
    ) {
      UnderWay.install(program: "tester")
      begin(3, "GET", Array("/items/5".utf8))
      let numbers = (0..<Int(getpid() > 0 ? 3 : 4)).map { $0 }
      exit(Int32(numbers[3]))
    }
    #expect(
      lines(result) == [
        "tester: a bug in page 3 while GET /items/5 was answered (signal \(name)); the program ends."
      ])
  }

  @Test("Each fault of the processor has its name, and keeps its exit status")
  func signals() async {
    let bus = await #expect(processExitsWith: .signal(SIGBUS), observing: [\.standardErrorContent]) {
      UnderWay.install(program: "tester")
      raise(SIGBUS)
      exit(0)
    }
    let divide = await #expect(processExitsWith: .signal(SIGFPE), observing: [\.standardErrorContent]) {
      UnderWay.install(program: "tester")
      raise(SIGFPE)
      exit(0)
    }
    let abort = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      UnderWay.install(program: "tester")
      Glibc.abort()
    }
    let trap = await #expect(processExitsWith: .signal(SIGTRAP), observing: [\.standardErrorContent]) {
      UnderWay.install(program: "tester")
      raise(SIGTRAP)
      exit(0)
    }
    let ending = "); the program ends."
    let start = "tester: a bug outside of any page (signal "
    #expect(lines(bus) == [start + "SIGBUS" + ending])
    #expect(lines(divide) == [start + "SIGFPE" + ending])
    #expect(lines(abort) == [start + "SIGABRT" + ending])
    #expect(lines(trap) == [start + "SIGTRAP" + ending])
  }

  @Test("A stack that is full still says its line")
  func fullStack() async {
    let result = await #expect(
      processExitsWith: .signal(SIGSEGV), observing: [\.standardErrorContent]
    ) {
      UnderWay.install(program: "tester")
      begin(0, "POST", Array("/".utf8))
      exit(Int32(deeper(Int(getpid()))))
    }
    #expect(
      lines(result) == [
        "tester: a bug in page 0 while POST / was answered (signal SIGSEGV); the program ends."
      ])
  }

  @Test("What `stop` says is in that one line, and the program ends with SIGABRT")
  func stopped() async {
    let result = await #expect(
      processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]
    ) {
      UnderWay.install(program: "tester")
      begin(255, "DELETE", Array("/a".utf8))
      stop("the reason", file: "Module/File.swift", line: 1_234_567_890)
    }
    #expect(
      lines(result) == [
        "tester: a bug in page 255 while DELETE /a was answered (Module/File.swift:1234567890: the reason); "
          + "the program ends."
      ])
    let plain = await #expect(
      processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]
    ) {
      stop("the reason", file: "Module/File.swift", line: 0)
    }
    #expect(
      lines(plain) == [
        "martlet: a bug outside of any page (Module/File.swift:0: the reason); the program ends."
      ])
  }

  @Test("A path is cut, and no octet of the path steers the terminal")
  func paths() async {
    let result = await #expect(
      processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]
    ) {
      let controls: [UInt8] = [0x2F, 0x1B, 0x5B, 0x0A, 0x00, 0x7F, 0x20, 0xC3]
      let path = controls + Array(repeating: 0x61, count: 57)
      begin(nil, "OPTIONS", path)
      stop("r", file: "F", line: 1)
    }
    #expect(
      lines(result) == [
        "martlet: a bug outside of any page while OPTIONS /?[??? ?" + String(repeating: "a", count: 56)
          + " was answered (F:1: r); the program ends."
      ])
    let whole = await #expect(
      processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]
    ) {
      let path = [UInt8](repeating: 0x62, count: 69)
      begin(1, "GET", path)
      stop("r", file: "F", line: 1)
    }
    #expect(
      lines(whole) == [
        "martlet: a bug in page 1 while GET " + String(repeating: "b", count: 68)
          + " was answered (F:1: r); the program ends."
      ])
  }

  @Test("Once a page has been answered, a bug is no longer that page's")
  func end() async {
    let result = await #expect(
      processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]
    ) {
      begin(3, "GET", Array("/".utf8))
      UnderWay.end()
      stop("r", file: "F", line: 1)
    }
    #expect(lines(result) == ["martlet: a bug outside of any page (F:1: r); the program ends."])
    let empty = await #expect(
      processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]
    ) {
      begin(4, "", [])
      stop("r", file: "F", line: 1)
    }
    #expect(lines(empty) == ["martlet: a bug in page 4 (F:1: r); the program ends."])
  }
}

private func begin(_ page: UInt8?, _ method: String, _ path: [UInt8]) {
  let request = method.isEmpty ? [] : Array(method.utf8) + [0x20] + path
  UnderWay.begin(page: page, request: request.span)
}

/// Calls itself until the stack is full.
private func deeper(_ number: Int) -> Int {
  var numbers = InlineArray<512, Int>(repeating: number)
  numbers[number & 511] = number == 0 ? 0 : deeper(number &+ 1)
  return numbers[(number &+ 1) & 511]
}
