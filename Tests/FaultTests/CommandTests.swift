// The start of a program, and a GPIO line, with each call to the system failing in turn: the answer is a reason or a
// program that works, nothing leaks, and the next call works.

import CFaults
import CMartletPlatform
import Glibc
import Martlet
import Testing

extension EachFault {
  @Suite struct CommandTests {
    /// What has become of a program.
    private enum Outcome: Equatable {
      case refused(Int32)
      case ended(String, Int32)
    }

    /// Starts a program under the plan, reads all that it writes, and gives its number back.
    private func run(_ script: String) -> Outcome {
      let octets: [UInt8] = ["/bin/sh", "-c", script].flatMap { [UInt8]($0.utf8) + [0] }
      return Faults.under {
        var process: Int32 = 0
        let descriptor = octets.withUnsafeBufferPointer {
          martlet_start_command($0.baseAddress!, $0.count, &process)
        }
        guard descriptor >= 0 else { return .refused(-descriptor) }
        var output: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 512)
        var count = 1
        while count > 0 || count == -Int(EAGAIN) {
          count = martlet_read_output(descriptor, &part, part.count)
          if count > 0 { output += part.prefix(count) }
          if count == -Int(EAGAIN) { usleep(1_000) }
        }
        martlet_close(descriptor)
        var result = martlet_command_result(process)
        for _ in 0..<500 where result == MARTLET_COMMAND_RUNS {
          usleep(10_000)
          result = martlet_command_result(process)
        }
        martlet_forget_command(process)
        // A read that has failed ends the reading; the rest is not waited for.
        return .ended(count < 0 ? "" : String(decoding: output, as: UTF8.self), result)
      }
    }

    private func expectNothingLeft(_ told: String) {
      #expect(faults_stray_close_count() == 0, "\(told): a descriptor was closed twice")
      #expect(faults_close_all() == 0, "\(told): a descriptor leaks")
      #expect(waitpid(-1, nil, WNOHANG) == -1 && errno == ECHILD, "\(told): a child is left")
    }

    @Test("A program is refused with the reason, or runs to its end, whichever call fails")
    func start() {
      let script = "echo done; exit 3"
      let whole = Outcome.ended("done\n", 3)
      Faults.plan()
      let before = run(script)
      #expect(before == whole)
      expectNothingLeft("without faults")
      let calls = Faults.calls
      for name in ["access", "pipe2", "fcntl", "clone", "read", "close", "waitid"] {
        #expect(calls.contains { $0.name == name }, "\(name) is called")
      }
      // How often the pipe is read, and the end asked for, differs from run to run.
      let counted = calls.filter { $0.position == 1 || $0.name == "close" }
      for fault in Faults.all(in: counted) {
        Faults.plan(fault)
        let outcome = run(script)
        #expect(faults_injected_count() == 1, "\(fault) has happened")
        switch (fault.call.name, outcome) {
        case ("access", .refused), ("pipe2", .refused), ("fcntl", .refused), ("clone", .refused):
          #expect(outcome == .refused(number(of: fault.fault)), "\(fault)")
        case ("read", .ended("", let result)) where !fault.isRepaired:
          #expect(result == 3 || result > Int32(MARTLET_COMMAND_SIGNAL), "\(fault)")
        default:
          #expect(outcome == whole, "\(fault)")
        }
        expectNothingLeft("\(fault)")
        Faults.plan()
        let next = run(script)
        #expect(next == whole, "the next program after \(fault)")
        expectNothingLeft("after \(fault)")
      }
    }

    private func number(of name: String) -> Int32 {
      [
        "EACCES": EACCES, "EIO": EIO, "ENOMEM": ENOMEM, "EMFILE": EMFILE, "ENFILE": ENFILE, "EPERM": EPERM,
        "EAGAIN": EAGAIN,
      ][name] ?? 0
    }

    @Test("What fails in the new process is told by its output and status 127")
    func child() {
      // The parent opens nothing, so the fault is the new process's.
      #expect(faults_plan("open:1:EMFILE"))
      let outcome = run("echo done")
      #expect(outcome == .ended("/dev/null: too many open files\n", 127))
      expectNothingLeft("open")
    }

    @Test("Without a descriptor, and without a process, programs are refused as long as that lasts")
    func lasting() {
      for (plan, error) in [("pipe2:1+:EMFILE", EMFILE), ("clone:1+:EAGAIN", EAGAIN)] {
        #expect(faults_plan(plan))
        for _ in 0..<20 {
          let outcome = run("echo done")
          #expect(outcome == .refused(error))
        }
        expectNothingLeft(plan)
      }
    }
  }

  @Suite struct LineTests {
    private func request(_ path: StaticString) -> Int32 {
      path.withUTF8Buffer { path in
        Faults.under { martlet_gpio_request(path.baseAddress!, path.count, 17, Int32(MARTLET_GPIO_INPUT)) }
      }
    }

    @Test("A line of a chip is refused with the reason, and no descriptor leaks, whichever call fails")
    func request() {
      Faults.plan()
      // /dev/null opens, and is no chip.
      let before = request("/dev/null")
      #expect(before == -ENOTTY)
      let calls = Faults.calls
      #expect(calls.map(\.name) == ["open", "ioctl", "close"])
      let errors = ["EMFILE": EMFILE, "ENFILE": ENFILE, "EIO": EIO, "EACCES": EACCES, "ENODEV": ENODEV]
      for fault in Faults.all(in: calls) {
        Faults.plan(fault)
        let result = request("/dev/null")
        let isHidden = fault.isRepaired || fault.call.name == "close"
        #expect(result == (isHidden ? -ENOTTY : -(errors[fault.fault] ?? 0)), "\(fault)")
        #expect(faults_stray_close_count() == 0 && faults_close_all() == 0, "\(fault)")
      }
    }

    @Test("A line is requested for its use, read by its lowest bit, set, and given back")
    func line() throws {
      let chip = try #require(faults_chip())
      chip.pointee.is_there = true
      defer { chip.pointee.is_there = false }
      // The kernel's numbers (linux/gpio.h): input 4, output 8, pulled up 256, pulled down 512.
      let uses: [(GPIOLine.Use, UInt64, UInt64)] = [
        (.input, 4, 0), (.inputPulledUp, 4 | 256, 0), (.inputPulledDown, 4 | 512, 0),
        (.output(isHigh: false), 8, 0), (.output(isHigh: true), 8, 1),
      ]
      for (use, flags, first) in uses {
        Faults.plan()
        let levels: [Bool] = try Faults.under {
          Result {
            let line = try GPIOLine(21, use, of: "/dev/null")
            var levels: [Bool] = []
            for bits in [0, 1, 2, 3] as [UInt64] {
              chip.pointee.bits = bits
              levels.append(try line.isHigh())
            }
            for isHigh in [true, false] {
              try line.set(isHigh)
              levels.append(chip.pointee.bits == 1)
            }
            return levels
          }
        }.get()
        #expect(levels == [false, true, false, true, true, false])
        #expect(chip.pointee.line == 21 && chip.pointee.flags == flags && chip.pointee.first == first)
        #expect(faults_stray_close_count() == 0 && faults_close_all() == 0, "the line is given back")
      }
    }

    @Test("A level that cannot be read or set is the chip's own reason")
    func levels() {
      for (name, error) in [("EIO", EIO), ("ENODEV", ENODEV)] {
        #expect(faults_plan("ioctl:1+:\(name)"))
        let read = Faults.under { martlet_gpio_get(0) }
        let set = Faults.under { martlet_gpio_set(0, 1) }
        #expect(read == -error && set == -error)
      }
      Faults.plan()
    }
  }

  /// Files below a folder, as `BelowTests` has them, with faults.
  @Suite struct BelowFolderTests {
    @Test("A file below a folder is opened or its reason told, and nothing leaks", arguments: [false, true])
    func open(walks: Bool) throws {
      let scratch = try ScratchFolder()
      for name in ["/sub", "/sub/deep"] { mkdir(scratch.path + name, 0o755) }
      let file = fopen(scratch.path + "/sub/deep/file", "w")
      fputs("content", file)
      fclose(file)
      let folder = Glibc.open(scratch.path, O_RDONLY | O_DIRECTORY)
      defer {
        close(folder)
        unlink(scratch.path + "/sub/deep/file")
        for name in ["/sub/deep", "/sub"] { rmdir(scratch.path + name) }
      }
      let path = Array("sub/deep/file".utf8)
      /// Whether the file was opened; its content is right, or the errno is returned.
      func result() -> Int32 {
        var facts = martlet_file_facts()
        return Faults.under {
          let file = martlet_open_below(folder, path, path.count, walks ? 1 : 0, &facts)
          guard file >= 0 else { return file }
          var content = [UInt8](repeating: 0, count: 20)
          #expect(facts.size == 7 && pread(file, &content, 20, 0) == 7)
          martlet_close(file)
          return 0
        }
      }
      Faults.plan()
      let before = result()
      let calls = Faults.calls.filter { $0.name != "pread" && $0.name != "close" }
      let opened = walks ? ["openat", "openat", "openat"] : ["openat2"]
      #expect(before == 0 && calls.map(\.name) == opened + ["fstat"])
      let errors = [
        "EMFILE": EMFILE, "ENFILE": ENFILE, "EIO": EIO, "EACCES": EACCES, "ENOMEM": ENOMEM, "ESTALE": ESTALE,
        "ENOSPC": ENOSPC,
      ]
      for fault in Faults.all(in: calls) {
        Faults.plan(fault)
        let outcome = result()
        #expect(faults_injected_count() == 1, "\(fault) has happened")
        #expect(outcome == (fault.isRepaired ? 0 : -(errors[fault.fault] ?? 0)), "\(fault)")
        #expect(faults_stray_close_count() == 0 && faults_close_all() == 0, "\(fault)")
        Faults.plan()
        #expect(result() == 0, "the next file after \(fault)")
        faults_close_all()
      }
      // Programs that rename all the time: the walk does not need the kernel's watch.
      #expect(faults_plan("openat2:1+:EAGAIN"))
      #expect(result() == 0 && faults_close_all() == 0)
      Faults.plan()
    }
  }
}
