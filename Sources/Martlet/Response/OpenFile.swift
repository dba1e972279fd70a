// A path → an open file to be sent, and its facts. This file faces C.

import CMartletPlatform
import MartletBytes
import MartletHTTP

/// The result of opening a file.
enum OpenFile {
  /// The file's descriptor, and its size in octets.
  case file(Int32, Int64)
  /// The process or the system has no free descriptor now.
  case notNow
  case notThere

  static func open(_ path: Span<UInt8>) -> OpenFile {
    var size: Int64 = 0
    // Safe: C reads the path and writes the size during the call.
    let result = unsafe path.withUnsafeBufferPointer { path in
      unsafe martlet_open_file(-1, path.baseAddress, path.count, &size)
    }
    if result >= 0 { return .file(result, size) }
    return martlet_error_class(Int(result)) == Int32(MARTLET_NO_DESCRIPTOR) ? .notNow : .notThere
  }

  static func close(_ descriptor: Int32) { martlet_close(descriptor) }
}

/// A file of a `StaticFolder`.
struct FolderFile {
  /// The open file; negative where none is open.
  private(set) var descriptor: Int32 = -1
  /// Octets of the file.
  private(set) var size: Int64 = 0
  /// When the content has changed last, in Unix seconds.
  private(set) var seconds: Int64 = 0
  private var nanoseconds: Int64 = 0

  /// The result of opening a file.
  enum Opening {
    case open
    case isFolder
    /// The process or the system has no free descriptor now.
    case notNow
    case notThere
  }

  var isOpen: Bool { descriptor >= 0 }

  /// Opens a regular file.
  @inline(never)
  mutating func open(_ path: Span<UInt8>, below folder: Int32) -> Opening {
    var facts = martlet_file_facts()
    // Safe: C reads the path and writes the facts during the call.
    descriptor = unsafe path.withUnsafeBufferPointer { path in
      unsafe martlet_open_below(folder, path.baseAddress, path.count, 0, &facts)
    }
    (size, seconds, nanoseconds) = (facts.size, facts.seconds, facts.nanoseconds)
    if isOpen { return .open }
    if martlet_file_error_class(descriptor) == Int32(MARTLET_FILE_IS_FOLDER) { return .isFolder }
    return martlet_error_class(Int(descriptor)) == Int32(MARTLET_NO_DESCRIPTOR) ? .notNow : .notThere
  }

  /// Opens the variant of a file that has a further suffix, where it is not older than the file.
  ///
  /// - Parameter name: The path of the file. Afterwards it may have a suffix behind its former end.
  static func variant(
    of file: FolderFile, _ name: inout FixedBuffer<511>, _ suffix: StaticString, below folder: Int32
  ) -> FolderFile {
    var variant = FolderFile()
    let size = name.count
    guard name.append(suffix.octets) else { return variant }
    _ = variant.open(name.span, below: folder)
    name.setCount(size)
    let isOlder =
      variant.seconds < file.seconds
      || variant.seconds == file.seconds && variant.nanoseconds < file.nanoseconds
    if isOlder {
      variant.close()
      variant.descriptor = -1
    }
    return variant
  }

  /// Closes the file, where one is open.
  func close() { if isOpen { martlet_close(descriptor) } }

  /// Writes an entity tag out of the time of the last change, the size and the coding. A copy of the file on
  /// another device has the same tag, when the copy has the same time.
  @_lifetime(writer: copy writer)
  func writeTag(_ coding: ContentCoding, to writer: inout Writer) {
    writer.append("\"")
    writer.append(decimal: seconds)
    writer.append(".")
    writer.append(decimal: nanoseconds)
    writer.append("-")
    writer.append(decimal: size)
    if coding != .identity {
      writer.append("-")
      writer.append(coding.name)
    }
    writer.append("\"")
  }
}
