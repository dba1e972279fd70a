// The programs that pages have started. A stream passes the output of each on. Where no output is there, the loop
// waits for the pipe. When nobody reads any more, the program gets SIGTERM, and SIGKILL two seconds later. The place
// in the table is free when the program has ended, and when its number has been given back to the system.
//
// A stream that ends, for whatever reason, ends its command. This file faces C: the table is a struct of C.

import CMartletPlatform
import MartletBytes
import MartletServer

/// The table of a site's commands.
@safe struct CommandTable {
  private let table: UnsafeMutablePointer<martlet_commands>

  init(_ memory: SiteMemory) {
    let table = unsafe memory.site.pointee.commands ?? martlet_static_commands()
    unsafe memory.site.pointee.commands = table
    unsafe self.table = table
  }

  /// The entry with that index.
  private subscript(index: Int) -> martlet_command {
    get {
      invariant(index >= 0 && index < Limits.commandCountMax, "a command of the table")
      // Safe: the array of C has that many elements, and a tuple of Swift lies in memory as the array does.
      return unsafe Self.first(table)[index]
    }
    nonmutating set {
      invariant(index >= 0 && index < Limits.commandCountMax, "a command of the table")
      unsafe Self.first(table)[index] = newValue
    }
  }

  @unsafe private static func first(
    _ table: UnsafeMutablePointer<martlet_commands>
  ) -> UnsafeMutablePointer<martlet_command> {
    unsafe UnsafeMutableRawPointer(table).assumingMemoryBound(to: martlet_command.self)
  }

  // MARK: Begin

  /// Why no command has begun.
  enum Refusal: Error {
    case tooMany
    /// The system has no descriptor, process or memory left. Starting the program may succeed in a moment.
    case notNow
    case error(FileError)
  }

  /// Starts a command.
  ///
  /// - Returns: The number that its stream keeps.
  func begin(_ command: borrowing Command, seconds: Int, sizeMax: Int) -> Result<Int64, Refusal> {
    var place = -1
    for index in 0..<Limits.commandCountMax {
      reap(index)
      if self[index].process == 0 { place = index }
    }
    guard place >= 0 else { return .failure(.tooMany) }
    var process: Int32 = 0
    let octets = command.octets.span
    // Safe: C reads that many octets, writes the number, and keeps neither.
    let descriptor = unsafe octets.withUnsafeBufferPointer {
      unsafe martlet_start_command($0.baseAddress, $0.count, &process)
    }
    guard descriptor >= 0 else {
      let kind = Int(martlet_error_class(Int(descriptor)))
      let isTemporary = kind == MARTLET_EAGAIN || kind == MARTLET_NO_DESCRIPTOR
      return .failure(isTemporary ? .notNow : .error(FileError(code: descriptor)))
    }
    unsafe table.pointee.count &+= 1
    let number = unsafe table.pointee.count
    let deadline = unsafe table.pointee.now &+ Int64(max(1, min(seconds, 86_400))) * 1_000
    self[place] = martlet_command(
      process: process, descriptor: descriptor, deadline: deadline, kill_at: .max,
      left: Int64(max(1, sizeMax)),
      number: number, page: 0, is_read: 1, waits: 0, is_late: 0)
    return .success(Self.tag | Int64(number) << 8 | Int64(place))
  }

  // MARK: Read

  /// Distinguishes the note of a command's stream from what other streams note, such as a count.
  private static var tag: Int64 { 1 << 62 }

  /// The index of a stream's command; `nil` where the command is no longer read.
  private func index(of note: Int64) -> Int? {
    let index = Int(note & 0xFF)
    guard index < Limits.commandCountMax, self[index].process != 0, self[index].is_read != 0,
      note == Self.tag | Int64(self[index].number) << 8 | Int64(index)
    else { return nil }
    return index
  }

  /// What a read has come to.
  enum Reading {
    case octets(Int)
    case step(CommandStep)
  }

  /// Reads the next octets of a command's output.
  ///
  /// - Parameters:
  ///   - note: The number that `begin` has returned.
  ///   - page: The page whose streams are woken when there is more.
  func read(_ note: Int64, page: UInt8, into target: inout MutableSpan<UInt8>) -> Reading {
    guard let index = index(of: note) else { return .step(.ended(.unknown)) }
    self[index].page = page
    if self[index].is_late != 0 { return .step(.ended(leave(index, .timedOut))) }
    guard self[index].descriptor >= 0 else { return .step(end(index)) }
    guard self[index].left > 0 else { return .step(.ended(leave(index, .outputTooLong))) }
    let descriptor = self[index].descriptor
    let wanted = min(target.count, Int(clamping: self[index].left))
    // Safe: the kernel writes at most that many octets there.
    let count = unsafe target.withUnsafeMutableBufferPointer { octets in
      unsafe martlet_read_output(descriptor, octets.baseAddress, wanted)
    }
    if count > 0 {
      self[index].left -= Int64(count)
      return .octets(count)
    }
    guard count == 0 || Int(martlet_error_class(count)) != MARTLET_EAGAIN else {
      self[index].waits = 1
      return .step(.goesOn(.wait))
    }
    martlet_close(descriptor)
    self[index].descriptor = -1
    return .step(end(index))
  }

  /// The output has ended. The program ends a moment later, as a rule.
  private func end(_ index: Int) -> CommandStep {
    let result = Int(martlet_command_result(self[index].process))
    switch result {
    case Int(MARTLET_COMMAND_RUNS): return .goesOn(.pause(milliseconds: 10))
    case Int(MARTLET_COMMAND_UNKNOWN): return .ended(leave(index, .unknown))
    case Int(MARTLET_COMMAND_SIGNAL)...:
      return .ended(leave(index, .signalled(result - Int(MARTLET_COMMAND_SIGNAL))))
    default: return .ended(leave(index, .exited(status: result)))
    }
  }

  // MARK: End

  /// A stream has ended: its command ends as well.
  func leave(_ note: Int64) {
    if let index = index(of: note) { _ = leave(index, .unknown) }
  }

  private func leave(_ index: Int, _ end: CommandEnd) -> CommandEnd {
    if self[index].descriptor >= 0 { martlet_close(self[index].descriptor) }
    self[index].descriptor = -1
    self[index].is_read = 0
    self[index].waits = 0
    reap(index)
    if self[index].process != 0, self[index].is_late == 0 { tellToEnd(index) }
    return end
  }

  private func tellToEnd(_ index: Int) {
    martlet_end_command(self[index].process, 0)
    self[index].kill_at = unsafe table.pointee.now &+ Limits.commandGraceMilliseconds
  }

  /// Frees the place of a command that nobody reads and that has ended.
  private func reap(_ index: Int) {
    guard self[index].process != 0, self[index].is_read == 0 else { return }
    let result = Int(martlet_command_result(self[index].process))
    guard result != Int(MARTLET_COMMAND_RUNS) else { return }
    if result != Int(MARTLET_COMMAND_UNKNOWN) { martlet_forget_command(self[index].process) }
    self[index].process = 0
  }

  /// Ends all commands at once, because the program ends.
  func endAll() {
    for index in 0..<Limits.commandCountMax where self[index].process != 0 {
      martlet_end_command(self[index].process, 1)
    }
  }

  // MARK: The loop

  /// The descriptor of a command whose stream waits for output; -1: none.
  func watched(_ index: Int) -> Int32 { self[index].waits != 0 ? self[index].descriptor : -1 }

  /// When a command is to be looked after at the latest.
  var nextMoment: Int64 {
    var next = Int64.max
    for index in 0..<Limits.commandCountMax where self[index].process != 0 {
      if self[index].is_late == 0, self[index].is_read != 0 { next = min(next, self[index].deadline) }
      next = min(next, self[index].kill_at)
      // A program that has been told to end is to be given back soon after its end.
      if self[index].is_read == 0 { next = min(next, unsafe table.pointee.now + 50) }
    }
    return next
  }

  /// Wakes the streams that have output, and ends the commands whose time is over.
  func lookAfter(_ ready: UInt8, now: Int64, _ memory: SiteMemory) {
    unsafe table.pointee.now = now
    for index in 0..<Limits.commandCountMax where self[index].process != 0 {
      if self[index].waits != 0, ready >> UInt8(index) & 1 != 0 {
        self[index].waits = 0
        memory.wake(page: self[index].page)
      }
      if self[index].is_read != 0, self[index].is_late == 0, self[index].deadline <= now {
        self[index].is_late = 1
        self[index].waits = 0
        tellToEnd(index)
        memory.wake(page: self[index].page)
      }
      if self[index].kill_at <= now {
        self[index].kill_at = .max
        martlet_end_command(self[index].process, 1)
      }
      reap(index)
    }
  }
}
