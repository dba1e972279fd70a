// The passwords that are being verified or hashed. Hashing is slow on purpose, so each turn of the loop does
// some iterations for every request that waits. A page asks, answers `later`, and is asked again when the
// result is known. The password itself is wiped at once; only states of SHA-256 stay.
//
// A result counts for one hash. A page that is asked again passes the hash that the account has by then.
// Where that hash differs, the verification begins anew. So a password that was changed during its
// verification is wrong, as if the verification had begun after the change.
//
// The table lies in the site's memory and identifies connections by their numbers. The server reaches the
// table through two function pointers that the first work sets. So a program that asks for no password links
// none of this code. This file faces C: the memory is a structure of C.

import CMartletPlatform
import MartletBytes
import MartletServer
import MartletToken

/// The work of one request, and its result.
struct Work: ~Copyable {
  enum State: ~Copyable {
    case done
    case verifying(PasswordVerification)
    case hashing(PasswordHashing)
  }

  /// Verifications for one request: the first, and one for each change of the hash. Without a bound, a page
  /// that asks about several hashes in turn would never end.
  static var verificationCountMax: UInt8 { 4 }

  private(set) var state = State.done
  /// The hash that the password is compared with, or was compared with.
  private(set) var asked: PasswordHash?
  /// Whether the password was that of `asked`.
  private(set) var isRight: Bool?
  /// The hash of the new password.
  private(set) var hash: PasswordHash?
  private(set) var verificationCount: UInt8 = 0
  /// Whether the throttle knows the result of the verification.
  fileprivate(set) var isSettled = false
  /// The hash of the password that came with the request in its Authorization header. The password was right.
  fileprivate(set) var proved: PasswordHash?

  /// No work.
  init() {}

  /// Whether a new password is being hashed.
  fileprivate var isHashing: Bool {
    switch state {
    case .hashing: true
    case .done: false
    case .verifying: false
    }
  }

  /// Does the next slice of the work.
  ///
  /// - Returns: Whether the work is done.
  mutating func step() -> Bool {
    var current = State.done
    swap(&current, &state)
    switch consume current {
    case .done: return true
    case .verifying(var verification):
      isRight = verification.step(verification.sliceIterations)
      guard isRight == nil else { return true }
      state = .verifying(verification)
    case .hashing(var hashing):
      hash = hashing.step(hashing.sliceIterations)
      guard hash == nil else { return true }
      state = .hashing(hashing)
    }
    return false
  }

  /// Begins to compare a password with a hash. The work before and its result are dropped.
  fileprivate mutating func verify(
    _ password: borrowing PasswordKey, against hash: PasswordHash
  ) {
    self.hash = nil
    isRight = nil
    asked = hash
    verificationCount += 1
    state = .verifying(PasswordVerification(password.octets, against: hash))
  }

  /// Keeps the right result as that of the request's own credentials. The page's verification begins anew,
  /// because the page asks about another password.
  fileprivate mutating func prove() {
    proved = asked
    asked = nil
    isRight = nil
    isSettled = false
    verificationCount = 0
  }

  /// Begins to hash a password.
  fileprivate mutating func hash(_ hashing: consuming PasswordHashing) {
    hash = nil
    state = .hashing(hashing)
  }
}

/// The table of the work of all connections.
@safe struct PasswordWork {
  private let site: UnsafeMutablePointer<martlet_site>

  init(_ memory: SiteMemory) { unsafe site = memory.site }

  private init(_ site: UnsafeMutablePointer<martlet_site>) { unsafe self.site = site }

  // MARK: The server's side

  /// Sets the connection whose request a page is about to handle.
  ///
  /// - Parameter connection: The connection's number; 0 for a request that cannot be answered in a later
  ///   turn.
  func enter(_ connection: UInt64, now: Int64) {
    unsafe site.pointee.works.connection = connection
    unsafe site.pointee.works.now = now
    unsafe site.pointee.works.rank = WorkTurn.Rank.other.rawValue
  }

  /// How the request that is being handled waits, where the page answers `later`.
  var turn: WorkTurn {
    get {
      unsafe WorkTurn(
        rank: WorkTurn.Rank(rawValue: site.pointee.works.rank) ?? .other, share: site.pointee.works.share,
        notBefore: site.pointee.works.not_before)
    }
    nonmutating set {
      unsafe site.pointee.works.rank = newValue.rank.rawValue
      unsafe site.pointee.works.share = newValue.share
      unsafe site.pointee.works.not_before = newValue.notBefore
    }
  }

  /// Does one step of a connection's work.
  ///
  /// - Returns: Whether the work is done.
  func step(_ connection: UInt64) -> Bool {
    unsafe site.pointee.works.step?(site, connection) ?? true
  }

  /// Drops a connection's work, and wipes the memory of the work.
  func end(_ connection: UInt64) {
    guard unsafe site.pointee.works.count > 0 else { return }
    unsafe site.pointee.works.end?(site, connection)
  }

  // MARK: The page's side

  /// Milliseconds of a clock that never goes back, taken when the request that is being handled began.
  var now: Int64 { unsafe site.pointee.works.now }

  /// The state of the verification for the request that is being handled.
  enum Standing: Equatable {
    /// No verification has begun.
    case new
    case underWay
    /// The verification ran against another hash. The throttle has counted the attempt.
    case outdated
    case known(isRight: Bool)
  }

  /// The state of the verification against that hash.
  func standing(against hash: PasswordHash) -> Standing {
    guard let index = currentIndex else { return .new }
    let work = unsafe work(index)
    guard let asked = unsafe work.pointee.asked else { return .new }
    if asked.isSame(as: hash) {
      return unsafe work.pointee.isRight.map { .known(isRight: $0) } ?? .underWay
    }
    return unsafe work.pointee.verificationCount < Work.verificationCountMax
      ? .outdated : .known(isRight: false)
  }

  /// Whether the table has room for work of the request that is being handled.
  var hasRoom: Bool {
    unsafe Int(site.pointee.works.count) < turn.rank.placeCountMax || currentIndex != nil
  }

  /// Begins to compare a password with a hash, where the table has room. The caller may wipe the password
  /// afterwards.
  func verify(_ password: borrowing PasswordKey, against hash: PasswordHash) {
    guard let index = reserve() else { return }
    unsafe work(index).pointee.verify(password, against: hash)
  }

  /// Notes that the throttle knows the result.
  ///
  /// - Returns: Whether the throttle did not know the result before.
  func settle() -> Bool {
    guard let index = currentIndex else { return false }
    defer { unsafe work(index).pointee.isSettled = true }
    return unsafe !work(index).pointee.isSettled
  }

  /// Notes that the verified password is that of the request's own credentials.
  func prove() {
    guard let index = currentIndex else { return }
    unsafe work(index).pointee.prove()
  }

  /// Whether the request's own credentials have been found right against that hash.
  func isProved(_ hash: PasswordHash) -> Bool {
    guard let index = currentIndex else { return false }
    return unsafe work(index).pointee.proved.map { $0.isSame(as: hash) } ?? false
  }

  /// The hash of the new password for the request that is being handled; `nil` until the hash is computed.
  var hash: PasswordHash? {
    guard let index = currentIndex else { return nil }
    return unsafe work(index).pointee.hash
  }

  /// Begins to hash a password, where the table has room and the hashing has not begun.
  ///
  /// - Throws: `PasswordRefusal`.
  func hash(
    _ password: borrowing PasswordKey, iterations: UInt32
  ) throws(PasswordRefusal) {
    try PasswordHash.check(password, iterations: iterations)
    guard let index = reserve() else { return }
    guard unsafe !work(index).pointee.isHashing else { return }
    unsafe work(index).pointee.hash(PasswordHashing(password.octets, iterations: iterations))
  }

  // MARK: Places

  private func index(of owner: UInt64) -> Int? {
    for i in 0..<Limits.workCountMax where unsafe place(i).pointee.owner == owner { return i }
    return nil
  }

  /// The index of the work for the request that is being handled.
  private var currentIndex: Int? {
    guard unsafe site.pointee.works.count > 0, unsafe site.pointee.works.connection != 0 else { return nil }
    return unsafe index(of: site.pointee.works.connection)
  }

  private func place(_ index: Int) -> UnsafeMutablePointer<martlet_work> {
    invariant(0..<Limits.workCountMax ~= index, "a place is in the table")
    let places = unsafe site.pointee.places ?? martlet_static_work()
    unsafe site.pointee.places = places
    // Safe: the table has that many places.
    return unsafe places + index
  }

  /// The work at a place that has an owner.
  private func work(_ index: Int) -> UnsafeMutablePointer<Work> {
    let place = unsafe place(index)
    invariant(unsafe place.pointee.owner != 0, "a work is there")
    // Safe: the place holds a `Work` from when the place gets its owner until the owner is removed.
    return unsafe UnsafeMutableRawPointer(place).assumingMemoryBound(to: Work.self)
  }

  /// The index of the work for the request that is being handled. Where there is no work, a place is
  /// reserved.
  ///
  /// - Returns: `nil` where the table is full.
  private func reserve() -> Int? {
    if let index = currentIndex { return index }
    let owner = unsafe site.pointee.works.connection
    guard owner != 0 else { stop("a page that asks for a password answers a request") }
    guard let index = index(of: 0) else { return nil }
    invariant(
      MemoryLayout<Work>.size <= Int(MARTLET_WORK_SIZE)
        && MemoryLayout<Work>.alignment <= MemoryLayout<UInt64>.alignment, "a work fits its place")
    let place = unsafe place(index)
    unsafe place.pointee.owner = owner
    unsafe site.pointee.works.count += 1
    // Safe: a place without an owner holds nothing.
    unsafe UnsafeMutableRawPointer(place).assumingMemoryBound(to: Work.self).initialize(to: Work())
    unsafe site.pointee.works.step = { unsafe PasswordWork($0).goOn($1) }
    unsafe site.pointee.works.end = { unsafe PasswordWork($0).release($1) }
    return index
  }

  /// Does a step; the function pointer `step` calls this.
  private func goOn(_ owner: UInt64) -> Bool {
    guard let index = index(of: owner) else { return true }
    return unsafe work(index).pointee.step()
  }

  /// Releases a place; the function pointer `end` calls this.
  private func release(_ owner: UInt64) {
    guard owner != 0, let index = index(of: owner) else { return }
    unsafe work(index).deinitialize(count: 1)
    let place = unsafe place(index)
    // Safe: the place has that many octets, and the value has been moved out. Wiping removes the owner as
    // well.
    unsafe martlet_wipe(place, MemoryLayout<martlet_work>.size)
    unsafe site.pointee.works.count -= 1
  }
}
