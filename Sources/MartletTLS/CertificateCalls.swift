// Keys, signatures, files, and the machine's names and addresses: calls of C and their results as values. This file
// faces C: what a span lends, C reads or writes during the call only.

import CMartletPlatform
import CMartletTLS
import MartletBytes
import MartletToken

/// Octets of a public point: 4, x, y.
typealias PublicPoint = InlineArray<65, UInt8>

enum CertificateCalls {
  // MARK: Keys

  private static func check(_ result: Int32) throws(CertificateProblem) {
    switch Int(result) {
    case MARTLET_TLS_DONE: return
    case MARTLET_TLS_BAD_KEY: throw .unusableKey
    // Each of its certificates has been parsed before.
    case MARTLET_TLS_BAD_CHAIN: throw .tooLong
    case MARTLET_TLS_MISMATCH: throw .mismatch
    default: throw .noMemory
    }
  }

  /// Makes a private key in its array.
  static func makeKey(_ area: CertificateMemory.Area) throws(CertificateProblem) {
    var key = CertificateMemory.room(area)
    // Safe: the arrays of keys have the size that C writes.
    let result = unsafe key.withUnsafeMutableBufferPointer { key in
      unsafe martlet_tls_make_key(key.baseAddress!)
    }
    try check(result)
  }

  /// The public point of a private key of 32 octets.
  static func publicPoint(_ key: Span<UInt8>) throws(CertificateProblem) -> PublicPoint {
    invariant(key.count == Int(MARTLET_TLS_KEY_SIZE), "a key for P-256 has 32 octets")
    var point = PublicPoint(repeating: 0)
    var target = point.mutableSpan
    // Safe: C reads 32 octets and writes 65.
    let result = unsafe key.withUnsafeBufferPointer { key in
      unsafe target.withUnsafeMutableBufferPointer { point in
        unsafe martlet_tls_public_key(key.baseAddress!, point.baseAddress!)
      }
    }
    try check(result)
    return point
  }

  /// The public point of a key in its array.
  static func publicPoint(_ area: CertificateMemory.Area) throws(CertificateProblem) -> PublicPoint {
    try publicPoint(CertificateMemory.octets(area, Int(MARTLET_TLS_KEY_SIZE)))
  }

  /// Signs a digest with the key in an array: r, s.
  static func sign(
    _ digest: Digest, _ area: CertificateMemory.Area
  ) throws(CertificateProblem) -> InlineArray<64, UInt8> {
    var signature = InlineArray<64, UInt8>(repeating: 0)
    var target = signature.mutableSpan
    let key = CertificateMemory.octets(area, Int(MARTLET_TLS_KEY_SIZE))
    // Safe: C reads 32 octets of the key and of the digest, and writes 64.
    let result = unsafe key.withUnsafeBufferPointer { key in
      unsafe digest.span.withUnsafeBufferPointer { digest in
        unsafe target.withUnsafeMutableBufferPointer { signature in
          unsafe martlet_tls_sign(key.baseAddress!, digest.baseAddress!, signature.baseAddress!)
        }
      }
    }
    try check(result)
    return signature
  }

  /// Gives a chain and its key to the library.
  ///
  /// - Returns: Whether new connections have the chain. Otherwise connections still use the two before, and a
  ///   later call may succeed.
  @inline(never)
  static func install(
    _ chain: Span<UInt8>, _ key: Span<UInt8>, isP256: Bool
  ) throws(CertificateProblem) -> Bool {
    // Safe: C reads both, and copies them.
    let result = unsafe chain.withUnsafeBufferPointer { chain in
      unsafe key.withUnsafeBufferPointer { key in
        unsafe martlet_tls_install(
          chain.baseAddress!, chain.count, Int32(isP256 ? MARTLET_TLS_KEY_P256 : MARTLET_TLS_KEY_DER),
          key.baseAddress!, key.count)
      }
    }
    if Int(result) == MARTLET_TLS_BUSY { return false }
    try check(result)
    return true
  }

  /// Overwrites an array that a key was in.
  static func wipe(_ area: CertificateMemory.Area) {
    var room = CertificateMemory.room(area)
    // Safe: C writes as many octets as the array has.
    unsafe room.withUnsafeMutableBufferPointer { room in
      unsafe martlet_wipe(room.baseAddress!, room.count)
    }
  }

  /// Overwrites what keys have left in the array for text and on the stack. The arrays that are used only during a call
  /// are zeros afterwards.
  static func wipeKeys() {
    wipe(.text)
    martlet_wipe_stack()
    martlet_certificate_end_call()
  }

  // MARK: Files

  /// The error for a path that is too long.
  static var badName: Int32 { -Int32(MARTLET_BAD_NAME) }

  /// Opens the directory, and makes it where it is missing. Where others may write, they could remove the authority,
  /// and browsers would be given a new one.
  static func openDirectory(_ path: Span<UInt8>) throws(CertificateProblem) -> Int32 {
    let result = unsafe path.withUnsafeBufferPointer { path in
      unsafe martlet_open_folder(path.baseAddress, path.count, 1)
    }
    guard result >= 0 else { throw .file(result) }
    let trouble = martlet_check_folder(result)
    guard trouble == 0 else {
      martlet_close(result)
      throw .file(trouble)
    }
    return result
  }

  static func closeDirectory(_ directory: Int32) { martlet_close(directory) }

  /// Reads a file of the directory to the array for text.
  ///
  /// - Returns: How many octets, or `nil` where there is no such file.
  @inline(never)
  static func read(_ directory: Int32, _ name: StaticString) throws(CertificateProblem) -> Int? {
    var text = CertificateMemory.room(.text)
    let name = name.octets
    let result = unsafe name.withUnsafeBufferPointer { name in
      unsafe text.withUnsafeMutableBufferPointer { text in
        unsafe martlet_read_own_file(directory, name.baseAddress, name.count, text.baseAddress!, text.count)
      }
    }
    return try checkRead(result)
  }

  private static func checkRead(_ result: Int) throws(CertificateProblem) -> Int? {
    guard result < 0 else { return result }
    let code = Int32(truncatingIfNeeded: result)
    if martlet_file_error_class(code) == Int32(MARTLET_FILE_NOT_THERE) { return nil }
    throw .file(code)
  }

  /// Reads a file of the administrator's to the array for text.
  ///
  /// - Parameter isSecret: Whether nobody else may be able to read it.
  @inline(never)
  static func read(path: Span<UInt8>, isSecret: Bool) throws(CertificateProblem) -> Int {
    var text = CertificateMemory.room(.text)
    let result = unsafe path.withUnsafeBufferPointer { path in
      unsafe text.withUnsafeMutableBufferPointer { text in
        if isSecret {
          return unsafe martlet_read_secret_file(path.baseAddress, path.count, text.baseAddress!, text.count)
        }
        var size: Int64 = 0
        let file = unsafe martlet_open_file(-1, path.baseAddress, path.count, &size)
        guard file >= 0 else { return Int(file) }
        let fits = size <= Int64(text.count)
        let count =
          fits
          ? unsafe martlet_read_at(file, text.baseAddress!, text.count, 0) : Int(-Int32(MARTLET_TOO_LARGE))
        martlet_close(file)
        return count
      }
    }
    guard result >= 0 else { throw .file(Int32(truncatingIfNeeded: result)) }
    return result
  }

  /// Replaces a file of the directory by the start of the array for text. 0: the file is on the disk. Otherwise a
  /// negative errno, also where the disk has not confirmed the new content.
  @inline(never)
  static func write(_ directory: Int32, _ name: StaticString, _ count: Int) -> Int32 {
    let text = CertificateMemory.octets(.text, count)
    let name = name.octets
    let result = unsafe name.withUnsafeBufferPointer { name in
      unsafe text.withUnsafeBufferPointer { text in
        unsafe martlet_replace_file(directory, name.baseAddress, name.count, text.baseAddress, text.count, 1)
      }
    }
    return result > 0 ? -result : result
  }

  /// Removes a file of the directory, if it is there.
  static func remove(_ directory: Int32, _ name: StaticString) throws(CertificateProblem) {
    let name = name.octets
    let result = unsafe name.withUnsafeBufferPointer { name in
      unsafe martlet_remove_file(directory, name.baseAddress, name.count)
    }
    if result < 0, martlet_file_error_class(result) != Int32(MARTLET_FILE_NOT_THERE) { throw .file(result) }
  }

  /// Whether another user owns the file, or may read it.
  static func isOthers(_ code: Int32) -> Bool { code == -Int32(MARTLET_OTHERS_MAY) }

  /// The words for a negative errno.
  @_lifetime(immortal)
  static func errorText(_ code: Int32) -> Span<UInt8> {
    // Safe: C returns one of its literals, which ends with a NUL and stays as long as the program runs.
    guard let text = unsafe martlet_error_text(code) else {
      return ("it cannot be used" as StaticString).octets
    }
    let octets = unsafe UnsafeRawPointer(text).assumingMemoryBound(to: UInt8.self)
    var count = 0
    while unsafe octets[count] != 0 { count += 1 }
    let buffer = unsafe UnsafeBufferPointer(start: octets, count: count)
    return unsafe _overrideLifetime(Span(_unsafeElements: buffer), copying: ())
  }

  // MARK: The machine

  /// Reads the machine's name to its array.
  @inline(never)
  static func readHostName() {
    var count = 0
    // Safe: C returns `count` octets of a static array, which stay until the next call.
    let octets = unsafe martlet_host_name(-1, &count)
    let name = unsafe Span<UInt8>(_unsafeElements: UnsafeBufferPointer(start: octets, count: count))
    var room = CertificateMemory.room(.hostName)
    guard CertificateNames.isName(name), name.count <= room.count else {
      return CertificateMemory.state.host_name_count = 0
    }
    for i in name.indices { room[i] = ASCII.lowercased(name[i]) }
    CertificateMemory.state.host_name_count = UInt32(name.count)
  }

  /// Reads the addresses of the machine, those of IPv4 first. The array for text is used meanwhile.
  @inline(never)
  static func read(_ addresses: inout MachineAddresses) {
    var text = CertificateMemory.room(.text)
    var leftOut = 0
    // Safe: C writes at most as many octets as the array has, and entries of 20 octets to its start.
    let count = unsafe text.withUnsafeMutableBufferPointer { text in
      unsafe martlet_ipv4_addresses(text.baseAddress!, min(text.count, 4_096), &leftOut)
    }
    let size = MemoryLayout<martlet_ipv4>.size
    for i in 0..<max(count, 0) {
      var address: UInt64 = 0
      for place in size - 4..<size { address = address << 8 | UInt64(text[i * size + place]) }
      addresses.add(IPAddress(high: 0, low: 0xFFFF << 32 | address))
    }
    let path: StaticString = "/proc/net/if_inet6"
    unsafe path.octets.withUnsafeBufferPointer { path in
      unsafe text.withUnsafeMutableBufferPointer { text in
        var lines = unsafe martlet_lines(
          octets: text.baseAddress!, size: 1_024, start: 0, end: 0, descriptor: -1, skips: 0)
        unsafe martlet_begin_lines(&lines, path.baseAddress, path.count)
        var offset = 0
        // The kernel has a line for each address; what is beyond 256 is left out.
        for _ in 0..<256 {
          let count = unsafe martlet_next_line(&lines, &offset)
          guard count >= 0 else { break }
          // Safe: C hands out a range of the array.
          addresses.add(line: unsafe Span(_unsafeStart: text.baseAddress! + offset, count: count))
        }
        unsafe martlet_end_lines(&lines)
      }
    }
  }
}
