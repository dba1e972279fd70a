// Hashing a password in slices: some 2 ms in each turn of the loop, so that nobody waits for somebody
// else's login. One password at a time; whoever comes meanwhile asks again until it is their turn.

import Martlet

/// Whose turn it is.
struct WorkTurn {
  let connection: UInt32
  /// Milliseconds of the clock that never goes back.
  let now: Int64

  init(_ request: borrowing Request<Account>) {
    connection = request.connection
    now = request.monotonicMilliseconds
  }
}

/// The one password that is being verified or hashed.
struct PasswordWork: ~Copyable {
  /// Milliseconds without a turn after which the work counts as abandoned: its client is gone.
  static var abandonedAfterMilliseconds: Int64 { 1_000 }

  private var verification: PasswordVerification?
  private var hashing: PasswordHashing?
  private var owner: UInt32 = 0
  private var lastTurn: Int64 = 0
  /// Iterations in a turn.
  private let slice: UInt32

  /// - Parameter iterations: What takes this machine some 300 ms: a slice is a 150th.
  init(iterations: UInt32) { slice = max(iterations / 150, 100) }

  /// Goes on verifying a password, or begins.
  ///
  /// - Returns: Whether it is right; `nil` when the page is to answer later.
  mutating func verify(
    _ password: borrowing TypedPassword, against hash: PasswordHash, _ turn: WorkTurn
  ) -> Bool? {
    guard claim(turn) else { return nil }
    // A hash that an earlier request left behind is nobody's any more.
    hashing = nil
    var current = verification.take() ?? password.verification(against: hash)
    let result = current.step(slice)
    if result == nil { verification = consume current }
    return result
  }

  /// Whether `verify` would begin now: nothing is under way, neither of that connection nor before it.
  func begins(_ turn: WorkTurn) -> Bool {
    let isFree = verification == nil && hashing == nil
    return isFree || isAbandoned(turn)
  }

  /// Whether a new password of that connection is being hashed.
  func isHashing(_ turn: WorkTurn) -> Bool {
    owner == turn.connection && hashing != nil && !isAbandoned(turn)
  }

  private func isAbandoned(_ turn: WorkTurn) -> Bool {
    turn.now - lastTurn >= Self.abandonedAfterMilliseconds
  }

  /// Goes on hashing a new password, or begins.
  ///
  /// - Returns: The hash; `nil` when the page is to answer later.
  mutating func hash(
    _ password: borrowing TypedPassword, iterations: UInt32, _ turn: WorkTurn
  ) -> PasswordHash? {
    guard claim(turn) else { return nil }
    var current = hashing.take() ?? password.hashing(iterations: iterations)
    let result = current.step(slice)
    if result == nil { hashing = consume current }
    return result
  }

  /// Whether the work is this connection's, or free, or abandoned: then it is this connection's now.
  private mutating func claim(_ turn: WorkTurn) -> Bool {
    let isFree = verification == nil && hashing == nil
    guard owner == turn.connection || isFree || isAbandoned(turn) else { return false }
    if owner != turn.connection || isAbandoned(turn) {
      verification = nil
      hashing = nil
      owner = turn.connection
    }
    lastTurn = turn.now
    return true
  }
}
