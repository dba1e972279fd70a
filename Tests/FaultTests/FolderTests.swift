// The files of programs: whatever goes wrong while they are written, a name has its old content or the new
// one, whole, and the program is told which.

import CFaults
import Glibc
import Martlet
import Testing

/// A folder as a program opens it.
private final class Scratch: ScratchFolder {
  private(set) var folder: Martlet.Folder!

  override init() throws {
    try super.init()
    let octets = Array(path.utf8)
    folder = try Martlet.Folder(octets.span)
  }

  deinit { folder.close() }

  func appendThree(sizeMax: Int) throws(FileError) -> Stored {
    let line = octets("three")
    try folder.append(line: line.span, to: "log", sizeMax: sizeMax, synced: true)
    return .onDisk
  }
}

/// What a call told its program.
private enum Told: Equatable {
  case onDisk, unconfirmed, refused
}

private func told(_ body: () throws(FileError) -> Stored) -> Told {
  Faults.under {
    do throws(FileError) {
      if case .onDisk = try body() { return .onDisk }
      return .unconfirmed
    } catch {
      return .refused
    }
  }
}

private func octets(_ text: String) -> [UInt8] { Array(text.utf8) }

private let old = String(repeating: "old content ", count: 100)
private let new = String(repeating: "the new content ", count: 90)
private let former = "the content before"

/// Whether a log ends as it should after the line "three" was to be appended.
private func isLog(_ all: String, after begin: String, _ result: Told, _ told: String) -> Bool {
  let before = begin + (begin.hasSuffix("hal") ? "\n" : "")
  let hasLine = all.hasSuffix(before + "three\n")
  if result == .onDisk || hasLine { return hasLine }
  if all.hasSuffix(begin) { return true }
  // What a power cut keeps of the line, where it cannot be taken back.
  return told.hasPrefix("a power cut") && ["\n", "t", "three"].contains { all.hasSuffix(begin + $0) }
}

extension EachFault {
  @Suite struct FolderTests {
    /// Runs a scenario without faults, then with each fault of each call, then with a power cut before each
    /// call: nothing that is called afterwards reaches the disk.
    ///
    /// - Returns: How many faults and cuts there were.
    private func failEach(
      _ scratch: Scratch, _ prepare: () -> Void, _ scenario: (String) -> Told,
      _ check: (Told, String) -> Void
    ) -> Int {
      func run(_ told: String) -> Told {
        let result = scenario(told)
        #expect(faults_stray_close_count() == 0, "\(told): a descriptor was closed twice")
        #expect(faults_close_all() == 0, "\(told): a descriptor leaks")
        return result
      }
      prepare()
      Faults.plan()
      let result = run("without faults")
      #expect(result == .onDisk)
      check(result, "without faults")
      let calls = Faults.calls
      let faults = Faults.all(in: calls)
      for fault in faults {
        prepare()
        Faults.plan(fault)
        let result = run("\(fault)")
        #expect(faults_injected_count() == 1, "\(fault) has happened")
        if fault.isRepaired { #expect(result == .onDisk, "\(fault) is repaired") }
        check(result, "\(fault)")
        if fault.call.name != "unlinkat" {
          #expect(!scratch.names.contains { $0.hasPrefix(".martlet-") }, "\(fault): left over")
        }
      }
      for index in calls.indices {
        prepare()
        var plan: [String] = []
        for name in Set(calls.map(\.name)) {
          let before = calls[..<index].filter { $0.name == name }.count
          plan.append("\(name):\(before + 1)+:EIO")
        }
        #expect(faults_plan(plan.joined(separator: ",")))
        let told = "a power cut before \(calls[index].name):\(calls[index].position)"
        check(run(told), told)
        Faults.plan()
        #expect(throws: Never.self) { try scratch.folder.removeUnfinished() }
        check(result == .refused ? .refused : .unconfirmed, told)
        #expect(!scratch.names.contains { $0.hasPrefix(".martlet-") }, "\(told): left over")
      }
      return faults.count + calls.count
    }

    @Test("A file that is replaced has the old content or the new one after each fault and power cut")
    func replace() throws {
      let scratch = try Scratch()
      for keepingFormer in [false, true] {
        let count = failEach(
          scratch,
          {
            scratch.empty()
            scratch.write("file", old)
            scratch.write("file~", former)
            scratch.write(".martlet-new", "half a fi")
            scratch.write(".martlet-former", "half")
          },
          { _ in
            let text = octets(new)
            let result = told { () throws(FileError) -> Stored in
              try scratch.folder.replace("file", with: text.span, keepingFormer: keepingFormer)
            }
            // What an earlier power cut left is no part of this test.
            if !keepingFormer { unlink(scratch.path + "/.martlet-former") }
            if result == .refused, faults_injected_count() > 0 {
              unlink(scratch.path + "/.martlet-new")
              unlink(scratch.path + "/.martlet-former")
            }
            return result
          },
          { result, told in
            let content = scratch.content("file")
            switch result {
            case .onDisk: #expect(content == new, "\(told)")
            case .unconfirmed: #expect(content == new || content == old, "\(told)")
            case .refused: #expect(content == old, "\(told)")
            }
            let kept = scratch.content("file~")
            let hasFormer = kept == former && !(keepingFormer && content == new)
            #expect(hasFormer || keepingFormer && kept == old, "\(told)")
          })
        #expect(count >= (keepingFormer ? 80 : 40))
      }
    }

    @Test("A file is written, synchronized, renamed, and then the folder is synchronized")
    func order() throws {
      let scratch = try Scratch()
      scratch.write("file", old)
      Faults.plan()
      let text = octets(new)
      let result = told { () throws(FileError) -> Stored in
        try scratch.folder.replace("file", with: text.span, keepingFormer: true)
      }
      #expect(result == .onDisk)
      let calls = Faults.calls
      var synchronized: Set<String> = []
      var names: [Int: String] = [:]
      for call in calls {
        switch call.name {
        case "openat": names[call.result] = call.path
        case "write": synchronized.remove(names[call.descriptor] ?? "")
        case "fsync": synchronized.insert(names[call.descriptor] ?? "folder")
        case "renameat":
          let source = call.path == "file" ? ".martlet-new" : ".martlet-former"
          #expect(synchronized.contains(source), "\(call.path) is on the disk before it has its name")
          synchronized.remove("folder")
        default: break
        }
      }
      #expect(synchronized.contains("folder"))
      #expect(calls.filter { $0.name == "renameat" }.map(\.path) == ["file~", "file"])
      #expect(scratch.names == ["file", "file~"])
    }

    @Test("Without waiting for the disk nothing is synchronized")
    func unsynced() throws {
      let scratch = try Scratch()
      Faults.plan()
      let text = octets(new)
      let result = told { () throws(FileError) -> Stored in
        try scratch.folder.replace("file", with: text.span, keepingFormer: true, synced: false)
        try scratch.folder.append(line: text.span, to: "log", sizeMax: 10_000)
        var writer = try FileWriter(in: scratch.folder)
        try writer.append(text.span)
        return try writer.finish(as: "upload", synced: false)
      }
      #expect(result == .onDisk)
      #expect(!Faults.calls.contains { $0.name == "fsync" })
      #expect(scratch.content("upload") == new && scratch.content("log") == new + "\n")
    }

    @Test("A writer waits for the disk, the file's and the folder's, unless it is told not to")
    func synced() throws {
      let scratch = try Scratch()
      let text = octets(new)
      let name = octets("upload")
      for byLiteral in [false, true] {
        Faults.plan()
        let result = told { () throws(FileError) -> Stored in
          var writer = try FileWriter(in: scratch.folder)
          try writer.append(text.span)
          return byLiteral ? try writer.finish(as: "upload") : try writer.finish(as: name.span)
        }
        #expect(result == .onDisk)
        #expect(Faults.calls.filter { $0.name == "fsync" }.count == 2)
      }
    }

    @Test("A line is appended whole or not at all, and no earlier line is lost")
    func append() throws {
      let scratch = try Scratch()
      let lines = "one\ntwo\n"
      for (begin, sizeMax) in [(lines, 100), (lines, 9), (lines + "hal", 100), ("", 100)] {
        let count = failEach(
          scratch,
          {
            scratch.empty()
            if !begin.isEmpty { scratch.write("log", begin) }
            scratch.write("log.1", "older\n")
          },
          { _ in told { () throws(FileError) -> Stored in try scratch.appendThree(sizeMax: sizeMax) } },
          { result, told in
            let all = (scratch.content("log.1") ?? "") + (scratch.content("log") ?? "")
            let isRight = isLog(all, after: begin, result, told)
            #expect(isRight, "\(told): \(all)")
            let size = scratch.content("log")?.utf8.count ?? 0
            #expect(size <= sizeMax, "\(told)")
          })
        #expect(count > 20)
      }
    }

    @Test("A start of a line that cannot be taken back is told, and the next line stands apart from it")
    func stuckLine() throws {
      let scratch = try Scratch()
      scratch.write("log", "one\n")
      #expect(faults_plan("write:1:short,write:2+:ENOSPC,ftruncate:1:EIO"))
      let result = told { () throws(FileError) -> Stored in try scratch.appendThree(sizeMax: 100) }
      #expect(result == .refused && scratch.content("log") == "one\nt")
      Faults.plan()
      let next = told { () throws(FileError) -> Stored in try scratch.appendThree(sizeMax: 100) }
      #expect(next == .onDisk && scratch.content("log") == "one\nt\nthree\n")
      #expect(faults_close_all() == 0)
    }

    @Test("A file that is written part by part has its name when it is whole, and not before")
    func parts() throws {
      let scratch = try Scratch()
      let parts = [octets("the "), octets("new "), octets("content")]
      let count = failEach(
        scratch,
        {
          scratch.empty()
          scratch.write("file", old)
        },
        { _ in
          told { () throws(FileError) -> Stored in
            var writer = try FileWriter(in: scratch.folder)
            for part in parts { try writer.append(part.span) }
            return try writer.finish(as: "file")
          }
        },
        { result, told in
          let content = scratch.content("file")
          switch result {
          case .onDisk: #expect(content == "the new content", "\(told)")
          case .unconfirmed: #expect(content == "the new content" || content == old, "\(told)")
          case .refused: #expect(content == old, "\(told)")
          }
        })
      #expect(count > 40)
    }

    @Test("After a failure a writer holds nothing, and says the failure again")
    func failedWriter() throws {
      let scratch = try Scratch()
      #expect(faults_plan("write:1:ENOSPC"))
      var writer = try Faults.under { Result { try FileWriter(in: scratch.folder) } }.get()
      let part = octets("a part")
      let reasons: [FileError.Reason?] = Faults.under {
        (0..<3).map { index in
          do throws(FileError) {
            if index == 2 { try writer.finish(as: "file") } else { try writer.append(part.span) }
            return nil
          } catch {
            return error.reason
          }
        }
      }
      #expect(reasons == [.diskFull, .diskFull, .diskFull])
      #expect(!writer.isOpen && writer.count == 0)
      Faults.under { writer.abandon() }
      #expect(faults_open_count() == 0 && faults_stray_close_count() == 0)
      #expect(scratch.names == [])
    }

    @Test("A file is read whole, or the program is told why not")
    func read() throws {
      let scratch = try Scratch()
      let count = failEach(
        scratch, { scratch.write("file", old) },
        { text in
          told { () throws(FileError) -> Stored in
            var buffer = FixedBuffer<1_200>()
            let isThere = try scratch.folder.read("file", into: &buffer)
            let content = string(buffer.span)
            #expect(isThere && content == old, "\(text)")
            return .onDisk
          }
        },
        { _, told in #expect(scratch.content("file") == old, "\(told)") })
      #expect(count >= 15)
    }

    @Test("A listing has all names, or the program is told why not")
    func listing() throws {
      let scratch = try Scratch()
      let names = (0..<40).map { "\($0)" + String(repeating: "n", count: 60) }
      for name in names { scratch.write(name, name) }
      let count = failEach(
        scratch, {},
        { text in
          told { () throws(FileError) -> Stored in
            var found: Set<String> = []
            var entries = try scratch.folder.entries()
            while let entry = try entries.next() {
              let name = string(entry.name)
              #expect(entry.size == 60 + name.count - 60 && entry.kind == .file)
              found.insert(name)
            }
            #expect(found == Set(names), "\(text)")
            return .onDisk
          }
        }, { _, _ in })
      #expect(count > 80)
    }

    @Test("What a power cut has left is removed, or the program is told why not")
    func unfinished() throws {
      let scratch = try Scratch()
      let count = failEach(
        scratch,
        {
          scratch.write("file", old)
          for number in 0..<5 { scratch.write(".martlet-0000000\(number)", "half") }
        },
        { _ in
          let result = told { () throws(FileError) -> Stored in
            try scratch.folder.removeUnfinished()
            return .onDisk
          }
          if result == .onDisk { #expect(scratch.names == ["file"]) }
          if result == .refused { _ = try? scratch.folder.removeUnfinished() }
          return result
        }, { _, told in #expect(scratch.content("file") == old, "\(told)") })
      #expect(count > 20)
    }

    @Test("A folder that is made is on the disk before it is used, or is not there")
    func newFolder() throws {
      let scratch = try Scratch()
      let path = scratch.path + "/inner"
      let name = octets(path)
      let count = failEach(
        scratch, { rmdir(path) },
        { _ in
          told { () throws(FileError) -> Stored in
            try Martlet.Folder(name.span, creating: true).close()
            return .onDisk
          }
        },
        { result, told in
          let isThere = access(path, F_OK) == 0
          let isCut = told.hasPrefix("a power cut")
          if !isCut { #expect(isThere == (result == .onDisk), "\(told)") }
        })
      rmdir(path)
      #expect(count > 15)
    }
  }
}

private func string(_ octets: Span<UInt8>) -> String {
  String(decoding: octets.indices.map { octets[$0] }, as: UTF8.self)
}
