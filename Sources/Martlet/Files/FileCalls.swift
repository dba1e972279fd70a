// Names and octets → calls of C, and the results of C → values and errors. This file faces C: what a span
// lends, C reads or writes during the call only.

import CMartletPlatform
import MartletBytes

/// The calls of files.c.
enum FileCalls {
  /// What does not fit, and what has been closed.
  static var tooLarge: Int32 { -Int32(MARTLET_TOO_LARGE) }
  static var closed: Int32 { -Int32(MARTLET_CLOSED) }

  /// Throws for a negative result.
  private static func check(_ result: Int) throws(FileError) -> Int {
    guard result >= 0 else { throw FileError(code: Int32(truncatingIfNeeded: result)) }
    return result
  }

  /// 0: on the disk. Negative: the file has its old content. Positive: the disk has not confirmed.
  private static func stored(_ result: Int32) throws(FileError) -> Stored {
    guard result >= 0 else { throw FileError(code: result) }
    return result == 0 ? .onDisk : .unconfirmed(FileError(code: -result))
  }

  static func allows(_ name: Span<UInt8>) -> Bool {
    unsafe name.withUnsafeBufferPointer { name in
      unsafe martlet_check_name(name.baseAddress, name.count) == 0
    }
  }

  static func open(_ path: Span<UInt8>, creating: Bool) throws(FileError) -> Int32 {
    let result = unsafe path.withUnsafeBufferPointer { path in
      unsafe martlet_open_folder(path.baseAddress, path.count, creating ? 1 : 0)
    }
    return Int32(try check(Int(result)))
  }

  @inline(never)
  static func read(
    _ folder: Int32, _ name: Span<UInt8>, _ target: inout MutableSpan<UInt8>
  ) throws(FileError) -> Int? {
    let result = unsafe name.withUnsafeBufferPointer { name in
      unsafe target.withUnsafeMutableBufferPointer { target in
        unsafe martlet_read_whole(folder, name.baseAddress, name.count, target.baseAddress, target.count)
      }
    }
    if martlet_file_error_class(Int32(truncatingIfNeeded: result)) == Int32(MARTLET_FILE_NOT_THERE) {
      return nil
    }
    return try check(result)
  }

  static func replace(
    _ folder: Int32, _ name: Span<UInt8>, _ octets: Span<UInt8>, keepingFormer: Bool, synced: Bool
  ) throws(FileError) -> Stored {
    let result = unsafe name.withUnsafeBufferPointer { name in
      unsafe octets.withUnsafeBufferPointer { octets in
        unsafe martlet_replace_whole(
          folder, name.baseAddress, name.count, octets.baseAddress, octets.count, keepingFormer ? 1 : 0,
          synced ? 1 : 0)
      }
    }
    return try stored(result)
  }

  static func append(
    _ folder: Int32, _ name: Span<UInt8>, _ line: Span<UInt8>, sizeMax: Int, synced: Bool
  ) throws(FileError) {
    let result = unsafe name.withUnsafeBufferPointer { name in
      unsafe line.withUnsafeBufferPointer { line in
        unsafe martlet_append_line(
          folder, name.baseAddress, name.count, line.baseAddress, line.count, Int64(sizeMax),
          synced ? 1 : 0)
      }
    }
    _ = try check(Int(result))
  }

  static func remove(_ folder: Int32, _ name: Span<UInt8>) throws(FileError) -> Bool {
    let result = unsafe name.withUnsafeBufferPointer { name in
      unsafe martlet_remove_file(folder, name.baseAddress, name.count)
    }
    if martlet_file_error_class(result) == Int32(MARTLET_FILE_NOT_THERE) { return false }
    _ = try check(Int(result))
    return true
  }

  static func removeUnfinished(_ folder: Int32) throws(FileError) -> Int {
    try check(Int(martlet_remove_unfinished(folder)))
  }

  static func begin(_ folder: Int32) throws(FileError) -> (file: Int32, number: UInt32) {
    var number: UInt32 = 0
    let result = unsafe martlet_begin_file(folder, &number)
    return (Int32(try check(Int(result))), number)
  }

  /// 0, or a negative errno.
  static func write(_ file: Int32, _ octets: Span<UInt8>) -> Int32 {
    guard octets.count > 0 else { return 0 }
    return unsafe octets.withUnsafeBufferPointer { octets in
      unsafe martlet_write_all(file, octets.baseAddress!, octets.count)
    }
  }

  static func finish(
    _ folder: Int32, _ file: Int32, _ number: UInt32, _ name: Span<UInt8>, synced: Bool
  ) throws(FileError) -> Stored {
    let result = unsafe name.withUnsafeBufferPointer { name in
      unsafe martlet_finish_file(folder, file, number, name.baseAddress, name.count, synced ? 1 : 0)
    }
    return try stored(result)
  }

  static func abandon(_ folder: Int32, _ file: Int32, _ number: UInt32) {
    martlet_abandon_file(folder, file, number)
  }

  static func close(_ descriptor: Int32) { martlet_close(descriptor) }
}

/// The entries of a folder, one after the other, in the order that the system gives.
///
///     var entries = try folder.entries()
///     while let entry = try entries.next() { … entry.name … }
///
/// The listing holds a descriptor and 1 KiB until its end. An entry that is made or removed meanwhile may be
/// left out.
@safe public struct FolderEntries: ~Copyable {
  private var listing: martlet_listing
  private var memory = InlineArray<128, UInt64>(repeating: 0)

  init(_ folder: Int32) throws(FileError) {
    invariant(Int(MARTLET_LISTING_COUNT) == 128, "the memory has the count that C expects")
    var listing = unsafe martlet_listing()
    let result = unsafe martlet_begin_entries(folder, &listing)
    guard result == 0 else { throw FileError(code: result) }
    unsafe self.listing = listing
  }

  deinit {
    var listing = unsafe listing
    unsafe martlet_end_entries(&listing)
  }

  /// The next entry, or `nil` after the last one. `.`, `..` and unfinished files are left out.
  ///
  /// - Throws: `FileError` when the system cannot read the folder, or tell what an entry is.
  @inline(never)
  @_lifetime(&self)
  public mutating func next() throws(FileError) -> FolderEntry? {
    var target = memory.mutableSpan
    // Safe: C writes at most the memory's 128 numbers.
    let result = unsafe target.withUnsafeMutableBufferPointer { target in
      unsafe martlet_next_entry(&listing, target.baseAddress!)
    }
    guard result >= 0 else { throw FileError(code: result) }
    guard result > 0 else { return nil }
    let kind: FolderEntry.Kind =
      switch unsafe Int(listing.kind) {
      case MARTLET_ENTRY_FILE: .file
      case MARTLET_ENTRY_FOLDER: .folder
      default: .other
      }
    // Safe: the name lies in `memory`, which stays as it is while the entry is in use.
    let name = unsafe Span<UInt8>(_unsafeStart: listing.name!, count: listing.name_count)
    let size = unsafe Int(clamping: listing.size)
    return unsafe _overrideLifetime(FolderEntry(name: name, kind: kind, size: size), mutating: &self)
  }
}
