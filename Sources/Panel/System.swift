// The panel's requests to the operating system: paths → what the files hold, which addresses there are,
// how full disks are. The only file of the panel that lends memory to C.

import CMartletPlatform
import Martlet

/// What the system answered instead of doing it, for files and all else.
typealias SystemError = FileError

extension FileError {
  /// Whether the file is not there.
  var isNotFound: Bool { reason == .notThere }

  /// What has been read is not what was written.
  static var damaged: FileError { FileError(code: -Int32(MARTLET_DAMAGED)) }

  /// Whether another user could have read or changed it.
  var isOthers: Bool { isAnotherOwner || code == -Int32(MARTLET_OTHERS_MAY) }

  /// Whether another user owns it.
  var isAnotherOwner: Bool { code == -Int32(MARTLET_ANOTHER_OWNER) }

  /// Whether the file system keeps no permissions.
  var isWithoutModes: Bool { code == -Int32(MARTLET_NO_MODES) }

  /// Whether the call may succeed in a moment, because descriptors or memory are missing.
  var isPassing: Bool { martlet_error_class(Int(code)) == Int32(MARTLET_NO_DESCRIPTOR) }

  /// Whether another process has it.
  var isInUse: Bool { martlet_error_class(Int(code)) == Int32(MARTLET_EAGAIN) }
}

/// What the panel asks of the operating system.
enum System {
  /// Octets that are read of a file at most; the static memory that this costs.
  static var scratchSize: Int { Int(MARTLET_SCRATCH_SIZE) }

  /// The number of the user that this process is.
  static var user: Int { Int(martlet_user()) }

  /// Milliseconds that never go back.
  static var milliseconds: Int64 { martlet_monotonic_milliseconds() }

  /// Nanoseconds that this process has had a processor: what others do meanwhile is not in it.
  static var processorNanoseconds: Int64 { martlet_processor_nanoseconds() }

  /// Reads the start of a file and hands it to `body`, which must not read another one meanwhile.
  static func read<R: ~Copyable>(
    _ path: Span<UInt8>, _ body: (Span<UInt8>) -> R
  ) throws(SystemError) -> R {
    let scratch = unsafe martlet_scratch()
    // Safe: C reads the path during the call and writes at most `scratchSize` octets to its array.
    let count = unsafe path.withUnsafeBufferPointer { path in
      unsafe martlet_read_file(-1, path.baseAddress, path.count, scratch, scratchSize)
    }
    guard count >= 0 else { throw SystemError(code: Int32(count)) }
    return body(unsafe Span(_unsafeStart: scratch, count: count))
  }

  /// Makes all texts of the system be read below a directory.
  static func setRoot(_ path: Span<UInt8>) throws(SystemError) {
    // Safe: C copies the path during the call.
    let result = unsafe path.withUnsafeBufferPointer { path in
      unsafe martlet_set_root(path.baseAddress, path.count)
    }
    guard result == 0 else { throw SystemError(code: result) }
  }

  /// The first line of a short text, without blanks around it; at most 40 octets of it. The memory that
  /// others read to is left alone.
  @inline(never)
  static func readWord(_ path: Span<UInt8>) -> Text<40>? {
    var octets = InlineArray<40, UInt8>(repeating: 0)
    var target = octets.mutableSpan
    // Safe: C reads the path and writes at most 40 octets during the call.
    let count = unsafe path.withUnsafeBufferPointer { path in
      unsafe target.withUnsafeMutableBufferPointer { target in
        unsafe martlet_read_file(-1, path.baseAddress, path.count, target.baseAddress!, target.count)
      }
    }
    guard count > 0 else { return nil }
    let text = octets.span.extracting(first: count)
    let end = text.firstIndex(of: 0x0A) ?? count
    return Text(text.extracting(text.trimmed(0..<end)))
  }

  /// Lets the process rest.
  static func sleep(milliseconds: Int32) { martlet_sleep(milliseconds) }

  /// Whether texts are read below a directory, and nothing of this machine is asked.
  static var hasRoot: Bool { martlet_has_root() != 0 }

  /// Whether there is a file or folder at a path.
  static func exists(_ path: Span<UInt8>) -> Bool {
    // Safe: C reads the path during the call.
    unsafe path.withUnsafeBufferPointer { path in
      unsafe martlet_exists(path.baseAddress, path.count) != 0
    }
  }

  /// Hands each IPv4 address of this machine to `body`, with the name of its interface or alias; `body`
  /// must not read a file meanwhile.
  ///
  /// - Returns: How many addresses found no room.
  static func eachIPv4Address(_ body: (_ name: Span<UInt8>, _ address: UInt32) -> Void) -> Int {
    let scratch = unsafe martlet_scratch()
    var leftOut = 0
    // Safe: C writes at most `scratchSize` octets to its own array.
    let count = unsafe martlet_ipv4_addresses(scratch, scratchSize, &leftOut)
    let size = MemoryLayout<martlet_ipv4>.size
    for i in 0..<max(count, 0) {
      let entry = unsafe Span<UInt8>(_unsafeStart: scratch + i * size, count: size)
      let name = entry.extracting(0..<16)
      var address: UInt32 = 0
      for place in 16..<20 { address = address << 8 | UInt32(entry[place]) }
      body(name.extracting(0..<(name.firstIndex(of: 0) ?? 16)), address)
    }
    return leftOut
  }

  /// Asks how full the file system at a path of this machine is. It waits for as long as the device does
  /// not answer, so only a child asks.
  static func space(at path: Span<UInt8>) -> DiskSpace? {
    var space = martlet_space()
    // Safe: C reads the path and writes the numbers during the call.
    let result = unsafe path.withUnsafeBufferPointer { path in
      unsafe martlet_ask_space(path.baseAddress, path.count, &space)
    }
    guard result == 0 else { return nil }
    return DiskSpace(
      total: space.total, free: space.free, available: space.available,
      blockSize: space.block_size)
  }
}

/// The lines of a text of the system, however long the text is. Of a line that is longer than the scratch
/// memory there is the start. While one text is read so, no other file is.
@safe struct TextLines: ~Copyable {
  private var lines: martlet_lines

  /// Whether there is such a text.
  var isThere: Bool { unsafe lines.descriptor >= 0 }

  /// Opens the text; one that is not there has no lines.
  @inline(never)
  init(_ path: Span<UInt8>) {
    unsafe lines = martlet_lines(
      octets: martlet_scratch(), size: System.scratchSize, start: 0, end: 0, descriptor: -1, skips: 0)
    // Safe: C reads the path during the call, and its scratch array stays.
    _ = unsafe path.withUnsafeBufferPointer { path in
      unsafe martlet_begin_lines(&lines, path.baseAddress, path.count)
    }
  }

  init(_ path: StaticString) { self.init(path.octets) }

  deinit {
    var lines = unsafe self.lines
    unsafe martlet_end_lines(&lines)
  }

  /// The next line without its line feed, or `nil` after the last.
  @inline(never)
  @_lifetime(&self)
  mutating func next() -> Span<UInt8>? {
    var offset = 0
    // Safe: C hands out a range of its scratch array.
    let count = unsafe martlet_next_line(&lines, &offset)
    guard count >= 0 else { return nil }
    let line = unsafe Span<UInt8>(_unsafeStart: lines.octets + offset, count: Int(count))
    return unsafe _overrideLifetime(line, mutating: &self)
  }
}

/// The questions to a child of this process and its answers, in memory that both see.
@safe struct Questions {
  private let memory: UnsafeMutablePointer<martlet_questions>
  static var count: Int { Int(MARTLET_QUESTION_COUNT) }
  static var childCount: Int { Int(MARTLET_CHILD_COUNT) }

  enum State: UInt32 { case notAsked, wanted, asked, answered, refused }

  /// The questions of a child; `nil` where the system has no memory for them.
  init?(child: Int) {
    guard let memory = unsafe martlet_questions(child) else { return nil }
    unsafe self.memory = memory
  }

  private func question(_ index: Int) -> UnsafeMutablePointer<martlet_question> {
    invariant(index >= 0 && index < Self.count, "a question is one of those that there are")
    // Safe: the first of the fixed array's elements lies where the array does.
    return unsafe UnsafeMutableRawPointer(memory).assumingMemoryBound(to: martlet_question.self) + index
  }

  func state(_ index: Int) -> State {
    unsafe State(rawValue: martlet_load_state(&question(index).pointee.state)) ?? .notAsked
  }

  func setState(_ index: Int, _ state: State) {
    unsafe martlet_store_state(&question(index).pointee.state, state.rawValue)
  }

  /// What is asked about.
  func key(_ index: Int) -> UInt32 { unsafe question(index).pointee.key }
  func setKey(_ index: Int, _ key: UInt32) { unsafe question(index).pointee.key = key }

  /// How full a file system is.
  func space(_ index: Int) -> DiskSpace {
    let space = unsafe question(index).pointee.space
    return DiskSpace(
      total: space.total, free: space.free, available: space.available,
      blockSize: space.block_size)
  }

  func setSpace(_ index: Int, _ space: DiskSpace) {
    unsafe question(index).pointee.space = martlet_space(
      total: space.total, free: space.free, available: space.available,
      block_size: space.blockSize)
  }

  /// What the sensor of the processor says.
  var temperature: Temperature {
    let count = unsafe min(Int(memory.pointee.sensor_count), Int(MARTLET_SENSOR_SIZE))
    // Safe: the array has that many octets.
    let name = unsafe withUnsafeBytes(of: &memory.pointee.sensor) { octets in
      unsafe Text<40>(octets.bindMemory(to: UInt8.self).span.extracting(0..<count))
    }
    return Temperature(
      milliDegrees: Int(unsafe memory.pointee.milli_degrees), sensor: name ?? Text())
  }

  /// What the firmware says about throttling.
  var throttling: Throttling? {
    let bits = unsafe memory.pointee.throttling
    return bits >= 0 ? Throttling(bits: UInt32(bits)) : nil
  }

  func setThrottling(_ throttling: Throttling?) {
    unsafe memory.pointee.throttling = throttling.map { Int32($0.bits & 0xFFFFF) } ?? -1
  }

  func setTemperature(_ temperature: Temperature) {
    unsafe memory.pointee.milli_degrees = Int32(clamping: temperature.milliDegrees)
    unsafe memory.pointee.sensor_count = UInt32(temperature.sensor.count)
    unsafe withUnsafeMutableBytes(of: &memory.pointee.sensor) { octets in
      for i in 0..<min(temperature.sensor.count, octets.count) {
        unsafe octets[i] = temperature.sensor.span[i]
      }
    }
  }
}

/// A child of this process, which asks what the system may hold up.
enum ChildProcess {
  case child
  case parent(Int32)
  case refused

  /// Makes one. From here on there are two processes, and the child must call `end`.
  static func begin() -> ChildProcess {
    let result = martlet_begin_child()
    return result == 0 ? .child : result > 0 ? .parent(result) : .refused
  }

  static func isRunning(_ number: Int32) -> Bool { martlet_child_runs(number) != 0 }

  static func end() -> Never { martlet_end_child() }
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

  /// Why the file system cannot lock the directory; then another process is not noticed.
  let unlocked: SystemError?

  /// Opens the directory, and makes it when it is not there. It must be this user's alone.
  init(_ path: Span<UInt8>) throws(SystemError) {
    var why: Int32 = 0
    // Safe: C reads the path and writes the number during the call.
    let result = unsafe path.withUnsafeBufferPointer { path in
      unsafe martlet_open_directory(path.baseAddress, path.count, &why)
    }
    guard result >= 0 else { throw SystemError(code: result) }
    descriptor = result
    unlocked = why == 0 ? nil : SystemError(code: why)
  }

  /// Hands all of a file to `body`, which must not read another one meanwhile. It must be a regular
  /// file, this user's alone, of at most `System.scratchSize` octets.
  func read<R: ~Copyable>(
    _ name: StaticString, _ body: (Span<UInt8>) -> R
  ) throws(SystemError) -> R {
    let scratch = unsafe martlet_scratch()
    // Safe: C reads the name during the call and writes at most `scratchSize` octets to its array.
    let count = unsafe name.octets.withUnsafeBufferPointer { name in
      unsafe martlet_read_own_file(
        descriptor, name.baseAddress, name.count, scratch, System.scratchSize)
    }
    guard count >= 0 else { throw SystemError(code: Int32(count)) }
    return body(unsafe Span(_unsafeStart: scratch, count: count))
  }

  /// Keeps a damaged file under another name.
  func setAside(_ name: StaticString) throws(SystemError) {
    // Safe: C reads the name during the call.
    let result = unsafe name.octets.withUnsafeBufferPointer { name in
      unsafe martlet_set_aside(descriptor, name.baseAddress!, name.count)
    }
    guard result == 0 else { throw SystemError(code: result) }
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
