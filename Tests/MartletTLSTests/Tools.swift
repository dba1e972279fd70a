// Other people's programs, and a folder of a test's own.

import Foundation
import Testing

/// A folder of one test's own. It goes with the test.
final class Scratch {
  let path: String

  init() throws {
    var template = Array("/tmp/martlet-certificates-XXXXXX".utf8CString)
    path = try #require(mkdtemp(&template).map { String(cString: $0) })
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }

  func write(_ name: String, _ text: String, mode: mode_t = 0o600) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: file(name)))
    chmod(file(name), mode)
  }

  func write(_ name: String, _ octets: [UInt8]) throws {
    try Data(octets).write(to: URL(fileURLWithPath: file(name)))
    chmod(file(name), 0o600)
  }

  func text(_ name: String) -> String? {
    FileManager.default.contents(atPath: file(name)).map { String(decoding: $0, as: UTF8.self) }
  }

  func remove(_ name: String) { unlink(file(name)) }

  var names: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
  }

  func mode(_ name: String) -> Int {
    var facts = stat()
    return stat(file(name), &facts) == 0 ? Int(facts.st_mode & 0o777) : -1
  }
}

/// Whether a program is installed.
func hasProgram(_ name: String) -> Bool {
  ["/usr/bin/", "/usr/sbin/", "/bin/"].contains { access($0 + name, X_OK) == 0 }
}

/// Runs a program to its end: its status, and all that it wrote.
@discardableResult
func run(_ words: [String], in folder: String = "/") throws -> (status: Int32, output: String) {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = words
  process.currentDirectoryURL = URL(fileURLWithPath: folder)
  let pipe = Pipe()
  process.standardOutput = pipe
  process.standardError = pipe
  process.standardInput = FileHandle.nullDevice
  try process.run()
  let output = pipe.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return (process.terminationStatus, String(decoding: output, as: UTF8.self))
}

/// Runs a program that must succeed: what it wrote.
@discardableResult
func must(_ words: [String], in folder: String = "/") throws -> String {
  let result = try run(words, in: folder)
  try #require(result.status == 0, "\(words.joined(separator: " ")): \(result.output)")
  return result.output
}

/// The words before a program that is to see another time of day, such as `2026-11-29 12:00:00` in UTC.
func at(_ time: String) -> [String] {
  let machines = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib")) ?? []
  let libraries: [String] = machines.map { "/usr/lib/\($0)/faketime/libfaketime.so.1" }
  let library = libraries.first { FileManager.default.isReadableFile(atPath: $0) } ?? ""
  return [
    "env", "TZ=UTC", "LD_PRELOAD=\(library)", "FAKETIME_DISABLE_SHM=1", "FAKETIME=@\(time)",
  ]
}
