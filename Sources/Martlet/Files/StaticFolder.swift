// A folder whose files are sent as they are, and which of them are sent.

import MartletBytes

/// A folder whose files are sent to visitors (`Response.file(from:_:)`).
///
///     let folder = try StaticFolder("/usr/share/lamps/www", index: "index.html")
///
/// The folder is opened once, at the start, and stays the one that was opened, whatever happens to its path.
/// Files in the folder may come and go while the program runs. A program that changes a file makes a new file and
/// renames it (`Folder.replace`). Then a visitor who receives the old file gets the old file whole, and the new file
/// has another entity tag. A file that is changed in place may reach visitors as a mixture of old and new octets.
///
/// A path with a name that begins with a full stop names no file, unless `showsDotFiles` is true. Files that a
/// `FileWriter` has begun are never sent. Symbolic links are followed when they stay below the folder; before Linux
/// 5.6, symbolic links are not followed. There are no listings.
public struct StaticFolder: BitwiseCopyable, Sendable {
  let descriptor: Int32
  let index: StaticString
  let showsDotFiles: Bool
  let hasVariants: Bool
  let types: StaticString

  /// Opens a folder.
  ///
  /// - Parameters:
  ///   - path: At most 511 octets; relative paths begin where the process was started.
  ///   - index: The name of the file that a path with a slash at its end stands for, such as `index.html`. Empty
  ///     where there is none: such paths are then answered with 404.
  ///   - showsDotFiles: Whether files and folders are sent whose name begins with a full stop.
  ///   - hasVariants: Whether there may be files `NAME.gz` and `NAME.br`, which are the file `NAME` compressed. A
  ///     variant that is older than its file is not sent.
  ///   - types: Further suffixes and their media types, in lines such as `step stp model/step`. They count before
  ///     the types that `MediaType.of` knows.
  /// - Throws: `FileError` where there is no such folder, or where it may not be opened.
  public init(
    _ path: Span<UInt8>, index: StaticString = "", showsDotFiles: Bool = false, hasVariants: Bool = true,
    types: StaticString = ""
  ) throws(FileError) {
    descriptor = try FileCalls.open(path, creating: false)
    self.index = index
    self.showsDotFiles = showsDotFiles
    self.hasVariants = hasVariants
    self.types = types
  }

  /// Opens a folder at a path that the program knows.
  public init(
    _ path: StaticString, index: StaticString = "", showsDotFiles: Bool = false, hasVariants: Bool = true,
    types: StaticString = ""
  ) throws(FileError) {
    try self.init(
      path.octets, index: index, showsDotFiles: showsDotFiles, hasVariants: hasVariants, types: types)
  }
}

/// The path of a request → a path below a folder.
enum FilePath {
  /// Appends the decoded path, and the folder's index after a slash at the end.
  ///
  /// Refused are paths with one of these:
  ///
  /// - no name, an empty name, `.` or `..`
  /// - a name that begins with a full stop, where the folder does not show such names
  /// - a name that begins with `.martlet-`
  /// - a control, a backslash, a slash that is encoded, or a `%` without two digits
  /// - more octets than fit
  ///
  /// - Returns: Whether the path is allowed.
  /// - Complexity: O(n).
  static func append(
    _ path: Span<UInt8>, isEncoded: Bool, in folder: StaticFolder, to target: inout FixedBuffer<511>
  ) -> Bool {
    guard !isEncoded || PercentDecoder.isWellFormed(path) else { return false }
    var decoder = PercentDecoder(path, plusIsSpace: false)
    var index = 0
    var nameStart = 0
    while index < path.count {
      var octet = path[index]
      index &+= 1
      var isSlash = octet == "/"
      if isEncoded {
        octet = decoder.next() ?? 0
        index = decoder.index
        isSlash = octet == "/" && path[index - 1] == "/"
      }
      guard !ASCII.isControl(octet), octet != "\\", isSlash || octet != "/" else { return false }
      if isSlash {
        guard isName(target.span.extracting(nameStart..<target.count), in: folder) else { return false }
        nameStart = target.count + 1
      }
      guard target.append(octet) else { return false }
    }
    if nameStart > 0, nameStart == target.count {
      return folder.index.utf8CodeUnitCount > 0 && target.append(folder.index.octets)
    }
    return isName(target.span.extracting(nameStart..<target.count), in: folder)
  }

  private static func isName(_ name: Span<UInt8>, in folder: StaticFolder) -> Bool {
    guard name.count > 0, name[0] == "." else { return name.count > 0 }
    return folder.showsDotFiles && !name.equals(".") && !name.equals("..") && !name.hasPrefix(".martlet-")
  }
}
