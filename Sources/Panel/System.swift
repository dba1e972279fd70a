// The panel's requests to the operating system: paths → what the files hold, how full disks are,
// which addresses there are. The only file of the panel that lends memory to C.

import CMartletPlatform
import Martlet

/// What the system answered instead of doing it.
struct SystemError: Error {
  /// A negative errno.
  let code: Int32

  /// Whether the file is not there.
  var isNotFound: Bool { martlet_error_class(Int(code)) == Int32(MARTLET_NOT_FOUND) }

  /// Whether another process has it.
  var isInUse: Bool { martlet_error_class(Int(code)) == Int32(MARTLET_EAGAIN) }

  /// The reason in a few words.
  var text: Span<UInt8> {
    @_lifetime(immortal)
    get {
      // Safe: C returns one of its literals, ended by a NUL and there for ever.
      guard let text = unsafe martlet_error_text(code) else { return ("" as StaticString).octets }
      let octets = unsafe UnsafeRawPointer(text).assumingMemoryBound(to: UInt8.self)
      var count = 0
      while unsafe octets[count] != 0 { count += 1 }
      let buffer = unsafe UnsafeBufferPointer(start: octets, count: count)
      return unsafe _overrideLifetime(Span(_unsafeElements: buffer), copying: ())
    }
  }
}

/// How far a file's new content has come.
enum Stored {
  /// It is on the disk.
  case onDisk
  /// Whoever reads the file gets it, but the disk has not confirmed it: a power cut may bring the old
  /// content back.
  case unconfirmed(SystemError)
}

/// Octets of a file system.
struct DiskSpace {
  let total: UInt64
  /// Free for everybody; the administrator's reserve is not.
  let available: UInt64
}

/// What the panel asks of the operating system.
enum System {
  /// Octets that are read of a file at most; the static memory that this costs.
  static var scratchSize: Int { Int(MARTLET_SCRATCH_SIZE) }

  /// Milliseconds that never go back.
  static var milliseconds: Int64 { martlet_monotonic_milliseconds() }

  /// Reads the start of a file and hands it to `body`, which must not read another one meanwhile.
  static func read<R>(
    _ path: Span<UInt8>, in directory: DataDirectory? = nil, _ body: (Span<UInt8>) -> R
  ) throws(SystemError) -> R {
    let scratch = unsafe martlet_scratch()
    // Safe: C reads the path during the call and writes at most `scratchSize` octets to its array.
    let count = unsafe path.withUnsafeBufferPointer { path in
      unsafe martlet_read_file(
        directory?.descriptor ?? -1, path.baseAddress, path.count, scratch, scratchSize)
    }
    guard count >= 0 else { throw SystemError(code: Int32(count)) }
    return body(unsafe Span(_unsafeStart: scratch, count: count))
  }

  /// Hands the machine's IPv4 addresses, lines `NAME ADDRESS`, to `body`, which must not read a
  /// file meanwhile.
  static func readIPv4Addresses<R>(_ body: (Span<UInt8>) -> R) throws(SystemError) -> R {
    let scratch = unsafe martlet_scratch()
    // Safe: C writes at most `scratchSize` octets to its own array.
    let count = unsafe martlet_ipv4_addresses(scratch, scratchSize)
    guard count >= 0 else { throw SystemError(code: Int32(count)) }
    return body(unsafe Span(_unsafeStart: scratch, count: count))
  }

  /// How large the file system at a path is, or `nil`.
  static func diskSpace(at path: Span<UInt8>) -> DiskSpace? {
    var total: UInt64 = 0
    var available: UInt64 = 0
    // Safe: C reads the path and writes both numbers during the call.
    let result = unsafe path.withUnsafeBufferPointer { path in
      unsafe martlet_disk_space(path.baseAddress, path.count, &total, &available)
    }
    return result == 0 ? DiskSpace(total: total, available: available) : nil
  }
}

extension System {
  /// Loads a module of the kernel.
  static func loadModule(_ path: Span<UInt8>) throws(SystemError) {
    // Safe: C reads the path during the call.
    let result = unsafe path.withUnsafeBufferPointer { path in
      unsafe martlet_load_module(path.baseAddress, path.count)
    }
    guard result == 0 else { throw SystemError(code: result) }
  }

  /// Names this machine.
  static func setHostname(_ name: Span<UInt8>) throws(SystemError) {
    // Safe: C reads the name during the call.
    let result = unsafe name.withUnsafeBufferPointer { name in
      unsafe martlet_set_host_name(name.baseAddress, name.count)
    }
    guard result == 0 else { throw SystemError(code: result) }
  }
}

/// The directory where the panel keeps its files. It is this process's alone until it ends.
struct DataDirectory {
  fileprivate let descriptor: Int32

  /// Opens the directory, and makes it when it is not there.
  init(_ path: Span<UInt8>) throws(SystemError) {
    // Safe: C reads the path during the call.
    let result = unsafe path.withUnsafeBufferPointer { path in
      unsafe martlet_open_directory(path.baseAddress, path.count)
    }
    guard result >= 0 else { throw SystemError(code: result) }
    descriptor = result
  }

  /// Gives a file new content in one step, and returns when it is on the disk or the disk has refused
  /// to confirm it.
  ///
  /// - Parameter waits: Whether to wait for the disk. If not, a power cut may leave the old content,
  ///   the new, or none that is whole.
  /// - Throws: `SystemError` when the file has its old content.
  func replace(
    _ name: StaticString, with octets: Span<UInt8>, waits: Bool = true
  ) throws(SystemError) -> Stored {
    // Safe: C reads the name and the octets during the call.
    let result = unsafe name.octets.withUnsafeBufferPointer { name in
      unsafe octets.withUnsafeBufferPointer { octets in
        unsafe martlet_replace_file(
          descriptor, name.baseAddress, name.count, octets.baseAddress, octets.count, waits ? 1 : 0)
      }
    }
    guard result >= 0 else { throw SystemError(code: result) }
    return result == 0 ? .onDisk : .unconfirmed(SystemError(code: -result))
  }
}
