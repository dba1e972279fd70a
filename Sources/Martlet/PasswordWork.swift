// Passwords that are being verified or hashed: slow on purpose, so done a little in each turn of the
// loop, for all who wait at the same time. A page asks, answers `later`, and is asked again when the
// result is there; the password itself is forgotten at once, only states of SHA-256 stay. This file
// faces C: the memory is a static array of it.

import CMartletPlatform
import MartletBytes
import MartletToken

/// What is being done for a connection, and what has come of it.
struct Work: ~Copyable {
  enum State: ~Copyable {
    case done
    case verifying(PasswordVerification)
    case hashing(PasswordHashing)
  }

  var state: State
  /// Whether the password was right.
  private(set) var isRight: Bool?
  /// The hash of the new password.
  private(set) var hash: PasswordHash?

  /// Nothing yet.
  init() { state = .done }

  /// Goes on for that many iterations.
  ///
  /// - Returns: Whether nothing is left to be done.
  mutating func step(_ iterationCount: UInt32) -> Bool {
    var current = State.done
    swap(&current, &state)
    switch consume current {
    case .done: return true
    case .verifying(var verification):
      isRight = verification.step(iterationCount)
      guard isRight == nil else { return true }
      state = .verifying(verification)
    case .hashing(var hashing):
      hash = hashing.step(iterationCount)
      guard hash == nil else { return true }
      state = .hashing(hashing)
    }
    return false
  }
}

/// The work of all connections.
@safe struct WorkTable: ~Copyable {
  /// Iterations in a step: some 20 µs on a PC, 1 ms on the slowest board.
  private static var stepIterations: UInt32 { 16 }

  /// Whose each work is; 0: nobody's, and then there is none.
  private var owners = InlineArray<8, UInt32>(repeating: 0)

  /// How many are somebody's.
  private var count = 0

  init() {
    invariant(Limits.workCountMax <= owners.count, "each work has an owner")
    invariant(MemoryLayout<Work>.size <= Int(MARTLET_WORK_SIZE), "a work fits its place")
  }

  private func index(of connection: UInt32) -> Int? {
    for i in 0..<Limits.workCountMax where owners[i] == connection { return i }
    return nil
  }

  /// The work at a place that has an owner.
  private func work(_ index: Int) -> UnsafeMutablePointer<Work> {
    invariant(owners[index] != 0, "a work is there")
    // Safe: a place holds a work from when it gets its owner until it loses it.
    return unsafe martlet_work(index).assumingMemoryBound(to: Work.self)
  }

  /// Whether work of a connection could begin.
  func canBegin(_ connection: UInt32) -> Bool {
    count == 0 || count < Limits.workCountMax && index(of: connection) == nil
  }

  /// Whether the password that a connection has sent was right, once that is known.
  func isRight(_ connection: UInt32) -> Bool? {
    guard count > 0, let index = index(of: connection) else { return nil }
    return unsafe work(index).pointee.isRight
  }

  /// The hash of the new password that a connection has sent, once it is there.
  func hash(of connection: UInt32) -> PasswordHash? {
    guard count > 0, let index = index(of: connection) else { return nil }
    return unsafe work(index).pointee.hash
  }

  /// Takes on what the page that is being answered wants, if it wants anything.
  ///
  /// - Returns: Whether there was room.
  mutating func begin(for connection: UInt32) -> Bool {
    guard PageWork.kind == .verify || PageWork.kind == .hash else { return true }
    invariant(connection != 0, "connections are counted from 1")
    guard let index = index(of: connection) ?? index(of: 0) else { return false }
    if owners[index] == 0 {
      owners[index] = connection
      count += 1
      // Safe: a place without an owner holds nothing.
      unsafe work(index).initialize(to: Work())
    }
    unsafe PageWork.begin(&work(index).pointee)
    return true
  }

  /// Does one step of a connection's work.
  ///
  /// - Returns: Whether nothing is left to be done.
  mutating func step(_ connection: UInt32) -> Bool {
    guard let index = index(of: connection) else { return true }
    return unsafe work(index).pointee.step(Self.stepIterations)
  }

  /// Forgets a connection's work, and overwrites what was kept of it.
  mutating func end(_ connection: UInt32) {
    guard count > 0, connection != 0, let index = index(of: connection) else { return }
    let place = unsafe work(index)
    owners[index] = 0
    count -= 1
    unsafe place.deinitialize(count: 1)
    // Safe: the place has that many octets, and nobody's value is in it any more.
    unsafe martlet_wipe(place, Int(MARTLET_WORK_SIZE))
  }
}
