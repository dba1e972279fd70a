// Two files, `tokens` and the generation before it, `tokens.old` ↔ the tokens in memory.
//
// A new token counts once it has been stored. A revoked token ends at once, also where the disk is full; the
// file is then written again later. A file that is damaged, or that others may have written, is left alone. Then
// no token works, none can be made, and the page says why. `tokens.old` is never used by itself, because tokens
// that have been revoked may be in it.
//
// Uses are kept in memory, and written twice a day and at the end, so that they wear no flash out. A power cut
// takes what is known of the last twelve hours' uses.

import Martlet

/// The tokens and their files.
struct TokenFiles: ~Copyable {
  private let isReadInPlace = ByAddress()

  private let directory: DataDirectory
  private(set) var tokens = Tokens()
  /// Why no token works, if so.
  private(set) var damage: SystemError?
  /// What went wrong when the file was written last.
  private(set) var trouble: SystemError?
  /// Whether memory has what the file has not, and the boot clock's second when the file was written last.
  private var hasChanged = false
  private var storedAt: Int64

  private static var name: StaticString { "tokens" }
  private static var olderName: StaticString { "tokens.old" }

  /// Seconds after which uses are stored, and after which a change that the disk has refused is tried again.
  static var useInterval: Int64 { Sessions.storeInterval }
  private static var retryInterval: Int64 { 60 }

  /// Reads the file of a directory; one that is not there has no tokens.
  init(in directory: DataDirectory) {
    self.directory = directory
    storedAt = SystemClock.now(newest: 0).bootSeconds
    load()
  }

  private mutating func load() {
    damage = nil
    do throws(SystemError) {
      guard try directory.read(Self.name, { tokens.read($0) }) else { throw .damaged }
    } catch {
      if !error.isNotFound { damage = error }
    }
  }

  /// Reads the file again, if it could not be read because descriptors or memory were missing.
  mutating func loadWhenMissed() {
    if let damage, damage.isPassing { load() }
  }

  /// Stores a new token; it counts when it has been stored.
  ///
  /// - Throws: `SystemError` when nothing has changed.
  mutating func add(_ token: Token) throws(SystemError) {
    var changed = Tokens(copyOf: tokens)
    invariant(changed.add(token), "a new token has a name of its own, and room")
    keepFormer()
    note(try Self.write(changed, Self.name, in: directory, waits: true))
    tokens = changed
    hasChanged = false
  }

  /// Ends a token.
  ///
  /// - Returns: The token, or `nil` where there is none.
  mutating func remove(_ id: Span<UInt8>, at clock: SystemClock) -> Token? {
    var changed = Tokens(copyOf: tokens)
    guard let token = changed.remove(id) else { return nil }
    keepFormer()
    tokens = changed
    store(at: clock)
    return token
  }

  /// Ends all tokens, before the device is set up by somebody new. What is damaged gets another name.
  ///
  /// - Throws: `SystemError` when they may come back.
  mutating func removeAll() throws(SystemError) {
    if damage != nil { try directory.setAside(Self.name) }
    guard damage != nil || tokens.count > 0 else { return }
    note(try Self.write(Tokens(), Self.name, in: directory, waits: true))
    tokens = Tokens()
    damage = nil
  }

  /// Notes that a token is used.
  mutating func use(_ index: Int, at clock: SystemClock) {
    tokens.use(index, at: clock.timeOfDay)
    hasChanged = true
    storeWhenDue(at: clock)
  }

  /// Writes the file where it is time to.
  mutating func storeWhenDue(at clock: SystemClock) {
    let interval = trouble == nil ? Self.useInterval : Self.retryInterval
    if hasChanged, clock.bootSeconds - storedAt >= interval { store(at: clock) }
  }

  /// Writes the file at the end of the program, if there is anything new.
  mutating func storeAtEnd(_ clock: SystemClock) {
    if hasChanged { store(at: clock) }
  }

  @inline(never)
  private mutating func store(at clock: SystemClock) {
    storedAt = clock.bootSeconds
    hasChanged = true
    guard damage == nil else { return }
    do throws(SystemError) {
      note(try Self.write(tokens, Self.name, in: directory, waits: true))
      hasChanged = false
    } catch {
      note(.unconfirmed(error))
    }
  }

  @inline(never)
  private mutating func note(_ stored: Stored) {
    switch stored {
    case .onDisk: trouble = nil
    case .unconfirmed(let error):
      trouble = error
      Log.failed("tokens_not_stored", error)
    }
  }

  /// Keeps the tokens before a change. Where that fails, the change goes on: nothing depends on it.
  private func keepFormer() {
    if tokens.count > 0 { _ = try? Self.write(tokens, Self.olderName, in: directory, waits: false) }
  }

  @inline(never)
  private static func write(
    _ tokens: borrowing Tokens, _ name: StaticString, in directory: DataDirectory, waits: Bool
  ) throws(SystemError) -> Stored {
    var text = FixedBuffer<3_200>()
    var writer = Writer(text.storageSpan)
    tokens.write(to: &writer)
    invariant(!writer.overflowed, "the tokens fit their file")
    let count = writer.count
    text.setCount(count)
    return try directory.replace(name, with: text.span, waits: waits)
  }
}
