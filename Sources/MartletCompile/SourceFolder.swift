// The files of a folder, and the file that the tool writes.

import Foundation

/// A folder of a target.
struct SourceFolder {
  let root: String

  init(_ root: String) { self.root = root }

  /// The paths of all files below the folder, in order. Names that begin with a full stop or end with `~` are left
  /// out.
  var names: [String] {
    guard let entries = FileManager.default.enumerator(atPath: root) else { return [] }
    var names: [String] = []
    for case let name as String in entries {
      let isHidden = name.split(separator: "/").contains { $0.hasPrefix(".") || $0.hasSuffix("~") }
      let file = URL(fileURLWithPath: path(name)).resolvingSymlinksInPath()
      let isFile = (try? file.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile) ?? false
      if !isHidden, isFile { names.append(name) }
    }
    return names.sorted()
  }

  func path(_ name: String) -> String { root + "/" + name }

  func octets(_ name: String) throws(Finding) -> [UInt8] {
    guard let data = FileManager.default.contents(atPath: path(name)) else {
      throw Finding(Place(file: path(name)), "the file cannot be read")
    }
    return [UInt8](data)
  }

  /// Writes a file, unless the file has that content already: then nothing is compiled again.
  static func write(_ source: String, to path: String) throws {
    let data = Data(source.utf8)
    if FileManager.default.contents(atPath: path) == data { return }
    try data.write(to: URL(fileURLWithPath: path), options: .atomic)
  }
}
