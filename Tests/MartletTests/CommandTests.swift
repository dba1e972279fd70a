// Programs that pages start: their words, their surroundings, and every way in which they end. The programs are real
// ones of this machine.

import Foundation
import MartletTesting
import TestSupport
import Testing

@testable import Martlet

/// What a test lets the site run, and what the site learns.
private final class Job {
  var script = ""
  var value: [UInt8]?
  var seconds = 10
  var sizeMax = 1_048_576
  var isEscaped = false
  var end: CommandEnd?
}

/// Runs a script of the test, or a fixed program.
private struct CommandSite: CommandApplication {
  enum Page: UInt8 { case script, echo, missing, folder, relative, many, long, list }

  let job: Job

  static func route(to page: Page) -> Route {
    switch page {
    case .script: .get("/script", for: .everyone)
    case .echo: .get("/echo", for: .everyone)
    case .missing: .get("/missing", for: .everyone)
    case .folder: .get("/folder", for: .everyone)
    case .relative: .get("/relative", for: .everyone)
    case .many: .get("/many", for: .everyone)
    case .long: .get("/long", for: .everyone)
    case .list: .get("/list", for: .everyone)
    }
  }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .script:
      var command = Command(["/bin/sh", "-c"])
      command.append(value: [UInt8](job.script.utf8).span)
      return response.output(of: command, atMostSeconds: job.seconds, atMost: job.sizeMax)
    case .echo:
      var command = Command(["/bin/echo"])
      if let value = job.value { command.append(value: value.span) }
      command.append(-7)
      return response.output(of: command, as: "text/html; charset=utf-8")
    case .missing: return response.output(of: Command(["/bin/no-such-program"]))
    case .folder: return response.output(of: Command(["/etc"]))
    case .relative: return response.output(of: Command(["sh"]))
    case .many:
      var command = Command(["/bin/echo"])
      for _ in 0..<Limits.commandWordCountMax { command.append("x") }
      return response.output(of: command)
    case .long:
      var command = Command(["/bin/echo"])
      for _ in 0..<3 { command.append(value: [UInt8](repeating: 0x78, count: 400).span) }
      return response.output(of: command)
    case .list: return response.stream("text/plain", from: StreamState(note: 1 << 8))
    }
  }

  func write(_ page: Page, _ state: inout StreamState, to body: inout StreamBody) -> StreamStep {
    guard page != .list else { return .wait }
    switch job.isEscaped ? body.write(escapedOutput: state) : body.write(output: state) {
    case .goesOn(let step): return step
    case .ended(let end):
      job.end = end
      return .end
    }
  }
}

@Suite("Commands")
struct CommandTests {
  private let job = Job()

  /// The output of a script.
  private func run(_ script: String) -> String {
    job.script = script
    job.end = nil
    let client = TestClient(CommandSite(job: job))
    return client.get("/script").body
  }

  @Test("A program has its words, PATH and LANG, an empty input, and nothing else of ours")
  func surroundings() {
    let environment = run("env -u PWD -u SHLVL -u _ | sort")
    #expect(
      environment
        == "LANG=C.UTF-8\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n")
    let descriptors = run(
      "i=0; while [ $i -lt 300 ]; do [ -e /proc/$$/fd/$i ] && echo $i; i=$((i+1)); done; readlink /proc/$$/fd/0"
    )
    #expect(descriptors == "0\n1\n2\n/dev/null\n")
    // 32 and 33 are the C library's own.
    let signals = run("grep -E '^Sig(Blk|Ign)' /proc/self/status | tr -d '\\t\\n'")
    #expect(signals.replacing("8", with: "0") == "SigBlk:0000000000000000SigIgn:0000000000000000")
    let input = run("cat; echo done")
    #expect(input == "done\n")
    let both = run("echo out; echo error >&2")
    #expect(both == "out\nerror\n")
    #expect(job.end == .exited(status: 0))
  }

  @Test("How a program has ended")
  func ends() {
    _ = run("exit 7")
    #expect(job.end == .exited(status: 7))
    _ = run("exit 255")
    #expect(job.end == .exited(status: 255))
    _ = run("kill -9 $$")
    #expect(job.end == .signalled(9))
    // The output ends before the program does.
    let text = run("echo first; exec >&- 2>&-; sleep 0.3; exit 3")
    #expect(text == "first\n" && job.end == .exited(status: 3), "\(String(describing: job.end))")
  }

  @Test("A program whose time is over is ended, with what it has started")
  func timeout() {
    job.seconds = 1
    let begin = ContinuousClock.now
    let text = run("echo first; sleep 30 & sleep 30")
    #expect(text == "first\n" && job.end == .timedOut)
    #expect(ContinuousClock.now - begin < .seconds(5))
    // SIGTERM is not enough here.
    let stubborn = run("trap '' TERM; echo first; while :; do sleep 30; done")
    #expect(stubborn == "first\n" && job.end == .timedOut)
  }

  @Test("A program that ignores SIGTERM is killed after the grace")
  func kill() {
    job.seconds = 1
    job.script = "trap '' TERM; echo $$; while :; do sleep 30; done"
    let client = TestClient(CommandSite(job: job))
    let process = Int32(client.get("/script").body.trimmingCharacters(in: .newlines)) ?? 0
    #expect(process > 1 && Foundation.kill(process, 0) == 0)
    var isGone = false
    for _ in 0..<40 where !isGone {
      client.time += 1
      _ = client.get("/missing")
      usleep(20_000)
      isGone = Foundation.kill(process, 0) != 0
    }
    #expect(isGone)
  }

  @Test(
    "Output of each size comes whole, up to the bound", arguments: [0, 1, 511, 512, 513, 65_536, 300_000])
  func sizes(count: Int) {
    job.value = nil
    job.sizeMax = 1 << 20
    let text = run("head -c \(count) /dev/zero | tr '\\0' x")
    #expect(text.utf8.count == count && text.allSatisfy { $0 == "x" })
    #expect(job.end == .exited(status: 0))
  }

  @Test("Output beyond the bound is cut, and the program is ended")
  func bound() {
    job.sizeMax = 10_000
    let text = run("yes")
    #expect(text.utf8.count == 10_000 && job.end == .outputTooLong)
    job.sizeMax = 4
    let exact = run("printf 1234")
    #expect(exact == "1234" && job.end == .outputTooLong)
  }

  @Test("Output within HTML is escaped")
  func escaping() {
    job.isEscaped = true
    let text = run("printf '<b a=\"1\">&amp;'\"'\"'\\n'")
    #expect(text == "&lt;b a=&quot;1&quot;&gt;&amp;amp;&#39;\n")
  }

  @Test("Values are one word, and no option")
  func values() {
    let client = TestClient(CommandSite(job: job))
    for good in ["a", "a b", "; id", "$(id)", "*", "'", "ü"] {
      job.value = [UInt8](good.utf8)
      let response = client.get("/echo")
      #expect(response.status == .ok && response.body == good + " -7\n")
    }
    for bad in ["", "-", "-n", "--help", "a\nb", "a\0b", "\u{7F}", String(repeating: "x", count: 1_024)] {
      job.value = [UInt8](bad.utf8)
      #expect(client.get("/echo").status == .badRequest)
    }
    #expect(client.get("/long").status == .badRequest)
  }

  @Test("A program that cannot be started is a readable error")
  func errors() {
    let client = TestClient(CommandSite(job: job))
    let missing = client.get("/missing")
    #expect(missing.status == .internalServerError && missing.body.contains("no such file or folder"))
    let folder = client.get("/folder")
    #expect(folder.status == .ok && folder.body == "/etc: permission denied\n")
    #expect(job.end == .exited(status: 127))
    // A bug of the program: a path that is not absolute, and more words than there may be.
    #expect(client.get("/relative").status == .internalServerError)
    #expect(client.get("/many").status == .internalServerError)
  }

  @Test("Another stream that ends does not end a command")
  func otherStreams() {
    let client = TestClient(CommandSite(job: job))
    job.script = "echo begun; sleep 30"
    client.waitSecondsMax = 1
    job.seconds = 60
    let stream = client.open("/script")
    let list = client.open("/list")
    list.close()
    _ = client.get("/missing")
    #expect(stream.response.body.contains("begun") && !stream.isEnded)
    stream.close()
    _ = client.get("/missing")
  }
}
