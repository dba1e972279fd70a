// The program's arguments, in order. Embedded Swift has no `CommandLine`.

import CMartletPlatform
import MartletBytes

/// The arguments of the running program, without its name.
public struct Arguments {
  /// Index of the next argument.
  private(set) var index = 1

  /// The arguments from the first one on.
  public init() {}

  /// The next argument, or `nil` after the last. The octets lie in the process's own memory until it ends.
  @inline(never) @_lifetime(immortal)
  public mutating func next() -> Span<UInt8>? {
    guard let argument = Self[index] else { return nil }
    index += 1
    return argument
  }

  /// An argument, counted from 1; `nil` beyond the last argument.
  static subscript(index: Int) -> Span<UInt8>? {
    @_lifetime(immortal)
    get {
      var count = 0
      // Safe: C returns `count` octets that stay until the process ends.
      guard let octets = unsafe martlet_argument(index, &count) else { return nil }
      let buffer = unsafe UnsafeBufferPointer(start: octets, count: count)
      return unsafe _overrideLifetime(Span(_unsafeElements: buffer), copying: ())
    }
  }
}

/// The secret that the command line gives. It is kept in static memory, because everybody can read an
/// argument (`ps`).
enum GivenSecret {
  /// Octets of the longest secret.
  static var sizeMax: Int { Int(MARTLET_SECRET_SIZE) }

  /// Copies an argument as the secret, and overwrites the argument.
  ///
  /// - Returns: Octets of the argument. More than `sizeMax` octets are not copied.
  static func store(argument index: Int) -> Int { martlet_store_secret(index) }

  /// Reads the secret from a file: the whole file, without line ends at its end.
  ///
  /// - Returns: Octets of the secret, at most two more than `sizeMax`; or a negative errno.
  static func read(_ path: Span<UInt8>) -> Int {
    let octets = unsafe martlet_secret()!
    // Safe: C reads the path and writes at most that many octets during the call.
    let count = unsafe path.withUnsafeBufferPointer { path in
      unsafe martlet_read_secret_file(path.baseAddress, path.count, octets, sizeMax + 2)
    }
    var end = Int(count)
    // A line end that an editor or echo has added is no part of the secret.
    while end > 0, unsafe octets[end - 1] == 0x0A || octets[end - 1] == 0x0D { end -= 1 }
    return end
  }

  /// Whether the file was refused because other users may read or change it.
  static func isOthers(_ error: Int) -> Bool {
    error == -Int(MARTLET_OTHERS_MAY) || error == -Int(MARTLET_ANOTHER_OWNER)
  }

  /// The first octets of the secret.
  @_lifetime(immortal)
  static func span(_ count: Int) -> Span<UInt8> {
    invariant(count <= sizeMax, "a secret has been stored")
    // Safe: the array has room for the longest secret, and stays for ever.
    let buffer = unsafe UnsafeBufferPointer(start: UnsafePointer(martlet_secret()!), count: count)
    return unsafe _overrideLifetime(Span(_unsafeElements: buffer), copying: ())
  }
}
