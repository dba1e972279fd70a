// How many session tokens can be signed and verified in a time: the arguments say which → one line
// with how many and how long. The token is what a login makes (`Session.logIn`), and both ways are
// whole: claims → JSON → token, and token → JSON → checked claims → user, as PyJWT's encode() and
// decode() do.
//
//     token-bench token SECRET USER SECONDS                  the token
//     token-bench sign SECRET USER SECONDS MILLISECONDS      COUNT MILLISECONDS
//     token-bench verify SECRET USER SECONDS MILLISECONDS    COUNT MILLISECONDS
//     token-bench hash BLOCKS                                BLOCKS and an octet of the digest
//     token-bench pbkdf2 PASSWORD SALT ITERATIONS fast|plain NANOSECONDS of processor time, and the key
//
// SECONDS is when the user logged in, since 1970. `hash` hashes
// so many blocks of 64 octets, for its instructions to be counted. `pbkdf2 … fast` says `none` where the processor has
// no instructions for SHA-256, and `plain` does without.

import CMartletPlatform
import Martlet

/// What the token says.
struct Login {
  let user: Text<64>
  let seconds: Int64

  /// Writes the token of a session that begins now.
  @_lifetime(writer: copy writer)
  func sign(with key: borrowing HMACKey, to writer: inout Writer) {
    var storage = InlineArray<256, UInt8>(repeating: 0)
    var claims = SessionClaims(storage.mutableSpan)
    claims.set("_user_id", text: user.span)
    claims.set("_fresh", boolean: true)
    claims.set("_session", integer: 0)
    claims.set("_at", integer: seconds)
    JWS.sign(claims.span, with: key, to: &writer)
  }

  /// Whether the token is a session of this user.
  func isVerified(_ token: Span<UInt8>, with key: borrowing HMACKey) -> Bool {
    var storage = InlineArray<256, UInt8>(repeating: 0)
    var target = storage.mutableSpan
    guard let count = try? JWS.verify(token, with: key, payload: &target),
      let claims = try? ClaimsSet(storage.span.extracting(first: count)),
      (try? claims.check(now: seconds)) != nil,
      let id: Text<64> = claims.text(of: "_user_id")
    else { return false }
    return id == user && claims.boolean(of: "_fresh") == true
      && claims.integer(of: "_at") == seconds
  }
}

/// How often something went well within a time.
struct Rate {
  /// How many are done between two looks at the clock.
  static var batchCount: Int { 256 }

  private let milliseconds: Int64
  private let start = martlet_monotonic_milliseconds()
  private var elapsed: Int64 = 0
  private var count = 0

  init(milliseconds: Int) { self.milliseconds = Int64(milliseconds) }

  var goesOn: Bool {
    mutating get {
      elapsed = martlet_monotonic_milliseconds() - start
      return elapsed < milliseconds
    }
  }

  /// Counts one, which must have gone well: that is part of what is claimed.
  mutating func add(_ isRight: Bool) {
    guard isRight else { Message("token-bench: a token is not as it was made").fail() }
    count += 1
  }

  func print() {
    var message = Message()
    message.add(count)
    message.add(" ")
    message.add(Int(elapsed))
    message.print()
  }
}

@main
enum TokenBench {
  static func main() {
    var arguments = Arguments()
    guard let command = arguments.next(), let first = arguments.next() else { misused() }
    if command.equals("hash") { return hash(number(first)) }
    if command.equals("pbkdf2") { return derive(first, &arguments) }
    guard let name = arguments.next(), let user = Text<64>(name), let seconds = arguments.next()
    else { misused() }
    let key = HMACKey(first)
    let login = Login(user: user, seconds: Int64(number(seconds)))
    if command.equals("token") { return printToken(login, key) }
    guard let time = arguments.next() else { misused() }
    if command.equals("sign") { return sign(login, key, milliseconds: number(time)) }
    if command.equals("verify") { return verify(login, key, milliseconds: number(time)) }
    misused()
  }

  static func printToken(_ login: Login, _ key: borrowing HMACKey) {
    var storage = InlineArray<512, UInt8>(repeating: 0)
    var writer = Writer(storage.mutableSpan)
    login.sign(with: key, to: &writer)
    var message = Message()
    message.add(writer.span)
    message.print()
  }

  static func sign(_ login: Login, _ key: borrowing HMACKey, milliseconds: Int) {
    var rate = Rate(milliseconds: milliseconds)
    var storage = InlineArray<512, UInt8>(repeating: 0)
    while rate.goesOn {
      for _ in 0..<Rate.batchCount {
        var writer = Writer(storage.mutableSpan)
        login.sign(with: key, to: &writer)
        rate.add(!writer.overflowed)
      }
    }
    rate.print()
  }

  static func verify(_ login: Login, _ key: borrowing HMACKey, milliseconds: Int) {
    var rate = Rate(milliseconds: milliseconds)
    var storage = InlineArray<512, UInt8>(repeating: 0)
    var writer = Writer(storage.mutableSpan)
    login.sign(with: key, to: &writer)
    while rate.goesOn {
      for _ in 0..<Rate.batchCount { rate.add(login.isVerified(writer.span, with: key)) }
    }
    rate.print()
  }

  /// Hashes so many blocks in one go.
  static func hash(_ count: Int) {
    let block = InlineArray<64, UInt8>(repeating: 0x61)
    var hash = SHA256()
    for _ in 0..<count { hash.update(block.span) }
    let digest = hash.finish()
    var message = Message()
    message.add(count)
    message.add(" ")
    message.add(Int(digest[0]))
    message.print()
  }

  /// Derives one key, and says how long that took.
  static func derive(_ password: Span<UInt8>, _ arguments: inout Arguments) {
    guard let salt = arguments.next(), let iterations = arguments.next(), let way = arguments.next()
    else { misused() }
    let isFast = way.equals("fast")
    var message = Message()
    guard !isFast || SHA256.hasInstructions else {
      message.add("none")
      return message.print()
    }
    let start = martlet_processor_nanoseconds()
    let derivation = PBKDF2(
      password: password, salt: salt, iterations: UInt32(number(iterations)), usesInstructions: isFast)
    let key = derivation.finish()
    message.add(Int(martlet_processor_nanoseconds() - start))
    message.add(" ")
    var storage = InlineArray<64, UInt8>(repeating: 0)
    var writer = Writer(storage.mutableSpan)
    writer.append(hexadecimal: key.span)
    message.add(writer.span)
    message.print()
  }

  static func number(_ text: Span<UInt8>) -> Int {
    guard let number = text.decimal(), number <= Int32.max else { misused() }
    return Int(number)
  }

  static func misused() -> Never {
    Message("token-bench: its arguments are in Tests/Bench/TokenBench/TokenBench.swift").fail(
      status: 2)
  }
}
