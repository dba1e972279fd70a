// Parts of a content → a temporary file → a file that is whole. For uploads, which arrive in pieces.
//
//     FileWriter(in:) ─ append ─ append ─ … ─┬─ finish(as:) ─► fsync, rename, fsync of the folder
//                                            └─ abandon() ───► the temporary file is removed
//
// Invariant: a name of the folder never has a part of a content.

import MartletBytes

/// Writes a file part by part. The file has its name once it is finished, and not before.
///
/// A writer has 32 octets and is copied as octets, so the state of an upload can hold a writer. One copy of
/// a writer is used, and ends with `finish` or `abandon`. Otherwise the descriptor stays open, and the
/// temporary file stays until `Folder.removeUnfinished()`.
public struct FileWriter: BitwiseCopyable, Sendable {
  private let folder: Int32
  /// The descriptor of the temporary file; after a failure, or the end, a negative errno.
  private var file: Int32
  private let number: UInt32
  private let sizeMax: Int64
  /// How many octets have been appended.
  public private(set) var count: Int64 = 0

  /// Whether octets can be appended: neither a failure nor an end has closed the file.
  public var isOpen: Bool { file >= 0 }

  /// Begins a file in a folder, with a temporary name.
  ///
  /// - Parameters:
  ///   - folder: The folder that the file is for.
  ///   - sizeMax: Octets of the file, at most.
  public init(in folder: Folder, atMost sizeMax: Int64 = .max) throws(FileError) {
    self.folder = folder.descriptor
    self.sizeMax = sizeMax
    (file, number) = try FileCalls.begin(folder.descriptor)
  }

  /// Appends octets. The first failure removes the temporary file, so that a full disk has room again;
  /// further calls throw that failure once more. Octets beyond the largest size are such a failure; the reason
  /// is `tooLarge`.
  public mutating func append(_ octets: Span<UInt8>) throws(FileError) {
    guard isOpen else { throw FileError(code: file) }
    let fits = Int64(octets.count) <= sizeMax - count
    let result = fits ? FileCalls.write(file, octets) : FileCalls.tooLarge
    guard result == 0 else {
      end(because: result)
      throw FileError(code: result)
    }
    count += Int64(octets.count)
  }

  /// Gives the file its name, in place of an older file with that name, in one step.
  ///
  /// - Parameters:
  ///   - name: A name that `Folder.allows`.
  ///   - synced: Whether to wait for the disk, which takes seconds for a large file on an SD card.
  /// - Throws: `FileError` when the name has its old content; then the temporary file is gone.
  @discardableResult
  public mutating func finish(as name: Span<UInt8>, synced: Bool = true) throws(FileError) -> Stored {
    guard isOpen else { throw FileError(code: file) }
    let file = file
    self.file = FileCalls.closed
    return try FileCalls.finish(folder, file, number, name, synced: synced)
  }

  /// Gives the file a name that the program knows.
  @discardableResult
  public mutating func finish(as name: StaticString, synced: Bool = true) throws(FileError) -> Stored {
    try finish(as: name.octets, synced: synced)
  }

  /// Removes the temporary file. Does nothing after a failure, or after `finish`.
  public mutating func abandon() {
    if isOpen { end(because: FileCalls.closed) }
  }

  private mutating func end(because error: Int32) {
    FileCalls.abandon(folder, file, number)
    file = error
  }
}
