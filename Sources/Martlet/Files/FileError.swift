// A refusal of the system, a negative errno → a reason for programs, and words for people. This file faces C.

import CMartletPlatform
import MartletBytes
public import MartletHTTP

/// Why a file could not be read, written or removed.
public struct FileError: Error, Equatable {
  /// A negative errno, or a negative number below -4,095 of Martlet's own.
  public let code: Int32

  package init(code: Int32) { self.code = code }

  /// What a program decides by. `FileError.text` tells people more.
  public enum Reason: Equatable {
    /// The disk, or the user's share of the disk, is full.
    case diskFull
    /// The file system is mounted read-only.
    case readOnly
    case notPermitted
    /// The process, or the system, has no descriptor left. The call may succeed in a moment.
    case tooManyOpenFiles
    /// There is no such file or folder.
    case notThere
    /// A folder has the name.
    case isFolder
    /// The name would lead out of the folder, or is longer than 255 octets (`Folder.allows`).
    case nameNotAllowed
    /// The file is larger than the buffer, or the line longer than the file may be.
    case tooLarge
    /// Anything else, with the errno.
    case other(Int32)
  }

  /// What a program decides by.
  public var reason: Reason {
    switch Int(martlet_file_error_class(code)) {
    case MARTLET_FILE_DISK_FULL: .diskFull
    case MARTLET_FILE_READ_ONLY: .readOnly
    case MARTLET_FILE_NOT_PERMITTED: .notPermitted
    case MARTLET_FILE_NO_DESCRIPTOR: .tooManyOpenFiles
    case MARTLET_FILE_NOT_THERE: .notThere
    case MARTLET_FILE_IS_FOLDER: .isFolder
    case MARTLET_FILE_BAD_NAME: .nameNotAllowed
    case MARTLET_FILE_TOO_LARGE: .tooLarge
    default: .other(-code)
    }
  }

  /// The status of an answer to a request that fails because of this error.
  ///
  /// - 400, 409: The client should use another name.
  /// - 404: There is no such file.
  /// - 413: The content is too large.
  /// - 503: The same request may succeed in a moment.
  /// - 507: The disk is full or read-only.
  /// - 500: The client cannot help it.
  public var status: Status {
    switch reason {
    case .diskFull, .readOnly: .insufficientStorage
    case .tooManyOpenFiles: .serviceUnavailable
    case .notThere: .notFound
    case .isFolder: .conflict
    case .nameNotAllowed: .badRequest
    case .tooLarge: .contentTooLarge
    case .notPermitted, .other: .internalServerError
    }
  }

  /// The reason in a few words, such as `no space left on the device`.
  public var text: Span<UInt8> {
    @_lifetime(immortal)
    get {
      // Safe: C returns one of its literals, which ends with a NUL and stays as long as the program runs.
      guard let text = unsafe martlet_error_text(code) else { return ("" as StaticString).octets }
      let octets = unsafe UnsafeRawPointer(text).assumingMemoryBound(to: UInt8.self)
      var count = 0
      while unsafe octets[count] != 0 { count += 1 }
      let buffer = unsafe UnsafeBufferPointer(start: octets, count: count)
      return unsafe _overrideLifetime(Span(_unsafeElements: buffer), copying: ())
    }
  }
}

/// Whether the disk has confirmed what was written.
public enum Stored: Equatable {
  /// The new content is on the disk. Without `synced` the disk was not asked.
  case onDisk
  /// Each read gets the new content, but the disk has not confirmed it: a power cut may bring the old
  /// content back.
  case unconfirmed(FileError)
}
