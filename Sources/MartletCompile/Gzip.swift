// Compresses with the host's gzip. Without a name and a time in its header, one content has one result.

import Foundation

enum Gzip {
  /// The content of a file in gzip (RFC 1952); `nil` where the host has no gzip.
  static func compressed(_ file: String) -> [UInt8]? {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["gzip", "-9", "-n", "-c", "--", file]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return nil }
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return process.terminationStatus == 0 && data.starts(with: [0x1F, 0x8B]) ? [UInt8](data) : nil
  }
}
