// The name of a file → its octets, and octets → a file that is whole at each instant.
//
//     Folder ── read, text ──► memory of the caller        entries ──► names, kinds, sizes
//        ├───── replace ─────► temporary file ─ fsync ─ rename ─ fsync of the folder
//        ├───── append ──────► NAME, and NAME.1 when NAME is full
//        └───── FileWriter ──► temporary file, part by part ─ fsync ─ rename ─ fsync of the folder
//
// Invariant: no name leads out of the folder. A name has no `/`, and a symbolic link is not followed.

import MartletBytes

/// A folder in which a program keeps its files.
///
///     let folder = try Folder("/var/lib/thermostat", creating: true)
///     try folder.replace("target", with: text.span)
///     let target: Text<20>? = try folder.text("target")
///
/// A name has 1 to 255 octets, no `/` and no NUL, is neither `.` nor `..`, and does not begin with
/// `.martlet-`. Other names are refused, so a name may come from a request. A program that keeps files of its
/// own beside those of visitors uses two folders.
///
/// Each call waits for the disk. New files have the mode 0600. One process at a time writes to a folder.
public struct Folder: BitwiseCopyable, Sendable {
  let descriptor: Int32

  /// Opens a folder. The folder stays open until `close()` or the end of the process, whatever happens to
  /// its path.
  ///
  /// - Parameters:
  ///   - path: At most 511 octets; relative paths begin where the process was started.
  ///   - creating: Whether to make the folder, with the mode 0700, when it is missing. Folders above it must
  ///     be there.
  public init(_ path: Span<UInt8>, creating: Bool = false) throws(FileError) {
    descriptor = try FileCalls.open(path, creating: creating)
  }

  /// Opens a folder at a path that the program knows.
  public init(_ path: StaticString, creating: Bool = false) throws(FileError) {
    try self.init(path.octets, creating: creating)
  }

  /// Closes the folder. Neither this value nor a copy of it may be used afterwards.
  public func close() { FileCalls.close(descriptor) }

  /// Whether a file of a folder may have that name.
  public static func allows(_ name: Span<UInt8>) -> Bool { FileCalls.allows(name) }

  /// Reads a whole file into the start of `target`.
  ///
  /// - Returns: How many octets the file has, or `nil` when there is no such file.
  /// - Throws: `FileError`; the reason is `tooLarge` when the file has more octets than `target`.
  public func read(
    _ name: Span<UInt8>, into target: inout MutableSpan<UInt8>
  ) throws(FileError) -> Int? {
    try FileCalls.read(descriptor, name, &target)
  }

  /// Reads a whole file into the start of `target`.
  public func read(
    _ name: StaticString, into target: inout MutableSpan<UInt8>
  ) throws(FileError) -> Int? {
    try FileCalls.read(descriptor, name.octets, &target)
  }

  /// Reads a whole file into a buffer, whose former octets are lost.
  ///
  /// - Returns: Whether there is such a file.
  /// - Throws: `FileError`; the reason is `tooLarge` when the file has more octets than the buffer.
  public func read<let capacity: Int>(
    _ name: Span<UInt8>, into buffer: inout FixedBuffer<capacity>
  ) throws(FileError) -> Bool {
    buffer.removeAll()
    var target = buffer.storageSpan
    guard let count = try FileCalls.read(descriptor, name, &target) else { return false }
    buffer.setCount(count)
    return true
  }

  /// Reads a whole file into a buffer, whose former octets are lost.
  public func read<let capacity: Int>(
    _ name: StaticString, into buffer: inout FixedBuffer<capacity>
  ) throws(FileError) -> Bool {
    try read(name.octets, into: &buffer)
  }

  /// Reads a whole file as a text, without the line feed at its end.
  ///
  /// - Returns: The text, or `nil` when there is no such file.
  /// - Throws: `FileError`; the reason is `tooLarge` when the file does not fit the text.
  public func text<let capacity: Int>(_ name: Span<UInt8>) throws(FileError) -> Text<capacity>? {
    var octets = InlineArray<256, UInt8>(repeating: 0)
    var target = octets.mutableSpan
    guard var count = try FileCalls.read(descriptor, name, &target) else { return nil }
    if count > 0, octets[count - 1] == 0x0A { count -= 1 }
    guard let text = Text<capacity>(octets.span.extracting(first: count)) else { throw .tooLarge }
    return text
  }

  /// Reads a whole file as a text, without the line feed at its end.
  public func text<let capacity: Int>(_ name: StaticString) throws(FileError) -> Text<capacity>? {
    try text(name.octets)
  }

  /// Gives a file new content in one step. After a failure, or a power cut at any moment, the file has
  /// either its old content or the new one, whole.
  ///
  /// - Parameters:
  ///   - name: A name that the folder `allows`.
  ///   - octets: The new content.
  ///   - keepingFormer: Whether to copy the old content to the file NAME`~` first.
  ///   - synced: Whether to wait for the disk, some milliseconds on an SD card. If not, a power cut may
  ///     leave the old content, the new content, or none that is whole.
  /// - Throws: `FileError` when the file has its old content.
  @discardableResult
  public func replace(
    _ name: Span<UInt8>, with octets: Span<UInt8>, keepingFormer: Bool = false, synced: Bool = true
  ) throws(FileError) -> Stored {
    try FileCalls.replace(descriptor, name, octets, keepingFormer: keepingFormer, synced: synced)
  }

  /// Gives a file new content in one step.
  @discardableResult
  public func replace(
    _ name: StaticString, with octets: Span<UInt8>, keepingFormer: Bool = false, synced: Bool = true
  ) throws(FileError) -> Stored {
    try replace(name.octets, with: octets, keepingFormer: keepingFormer, synced: synced)
  }

  /// Appends a line, and a line feed, to a file that never has more than `sizeMax` octets. A file without
  /// room for the line becomes NAME`.1`, in place of an older one, and a new file begins.
  ///
  /// After a failure the file has the lines that it had. What a power cut left of a line stays a line of its
  /// own.
  ///
  /// - Parameters:
  ///   - line: Octets without a line feed.
  ///   - name: A name that the folder `allows`.
  ///   - sizeMax: Octets; the two files have at most twice as many.
  ///   - synced: Whether to wait for the disk. If not, a power cut may take the lines of the last half
  ///     minute.
  /// - Throws: `FileError`; the reason is `tooLarge` for a line that `sizeMax` octets cannot hold.
  public func append(
    line: Span<UInt8>, to name: Span<UInt8>, sizeMax: Int, synced: Bool = false
  ) throws(FileError) {
    try FileCalls.append(descriptor, name, line, sizeMax: sizeMax, synced: synced)
  }

  /// Appends a line, and a line feed, to a file that never has more than `sizeMax` octets.
  public func append(
    line: Span<UInt8>, to name: StaticString, sizeMax: Int, synced: Bool = false
  ) throws(FileError) {
    try append(line: line, to: name.octets, sizeMax: sizeMax, synced: synced)
  }

  /// Removes a file. A power cut may bring the file back.
  ///
  /// - Returns: Whether there was such a file.
  @discardableResult
  public func remove(_ name: Span<UInt8>) throws(FileError) -> Bool {
    try FileCalls.remove(descriptor, name)
  }

  /// Removes a file. A power cut may bring the file back.
  @discardableResult
  public func remove(_ name: StaticString) throws(FileError) -> Bool { try remove(name.octets) }

  /// Begins a listing of the folder.
  public func entries() throws(FileError) -> FolderEntries { try FolderEntries(descriptor) }

  /// Removes the files that `FileWriter` had begun when the power was cut. A program calls this at its start,
  /// before any writer begins.
  ///
  /// - Returns: How many files were removed.
  @discardableResult
  public func removeUnfinished() throws(FileError) -> Int {
    try FileCalls.removeUnfinished(descriptor)
  }
}

/// An entry of a folder.
public struct FolderEntry: ~Escapable {
  /// What an entry is.
  public enum Kind: Equatable {
    case file
    case folder
    /// A symbolic link, a pipe, a socket, a device.
    case other
  }

  /// The name, valid until the next entry. Any octets but `/` and NUL may be in the name.
  public let name: Span<UInt8>
  public let kind: Kind
  /// Octets of a file; 0 for all else.
  public let size: Int

  @_lifetime(copy name)
  init(name: Span<UInt8>, kind: Kind, size: Int) {
    self.name = name
    self.kind = kind
    self.size = size
  }
}

extension FileError {
  /// What does not fit.
  static var tooLarge: FileError { FileError(code: FileCalls.tooLarge) }
}
