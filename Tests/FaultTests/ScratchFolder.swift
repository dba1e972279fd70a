import Glibc
import Testing

/// A folder of one test's own, in memory where the system has such. It goes with the test.
class ScratchFolder {
  let path: String
  /// Where the files are.
  var files: String { path }

  init() throws {
    let parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    var template = Array((parent + "/martlet-faults-XXXXXX").utf8CString)
    path = try #require(mkdtemp(&template).map { String(cString: $0) })
  }

  deinit {
    empty()
    rmdir(path)
  }

  /// All names, those of unfinished files as well.
  var names: [String] {
    guard let folder = opendir(files) else { return [] }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// What a file holds; `nil` when it is not there.
  func content(_ name: String) -> String? {
    guard let file = fopen(files + "/" + name, "r") else { return nil }
    defer { fclose(file) }
    var octets = [UInt8](repeating: 0, count: 10_000)
    let count = fread(&octets, 1, octets.count, file)
    return String(decoding: octets.prefix(count), as: UTF8.self)
  }

  func write(_ name: String, _ text: String) {
    let file = fopen(files + "/" + name, "w")
    fputs(text, file)
    fclose(file)
  }

  func empty() { for name in names { unlink(files + "/" + name) } }
}
