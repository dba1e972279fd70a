// The tokens that programs read this device with ↔ the text of their file:
//
//     martlet-tokens 1
//     NAME:SCOPE:MAKER:CREATED:END:USED:HASH     one line a token
//     sha256 DIGEST                              over all lines before it
//
// A token is `martlet_` and 32 characters of base32 in lower case (RFC 4648 §6). Nobody can guess 160 random
// bits, so a hash without iterations is enough. The file and the memory have the SHA-256 alone.
//
// Moments are Unix seconds. CREATED is 0 where the time of day was not known. END is 0 for a token without an
// end. USED is 0 for a token that was never used, and 1 where a token was used at an unknown time.
//
// A token belongs to the device. It goes on when the account that made it changes its password.

import Martlet

/// What a token may read.
enum TokenScope: UInt8 {
  /// `/metrics` alone.
  case metrics
  /// `/metrics` and all of `/api/v1`.
  case read

  /// The word in the file, in forms and in answers.
  var word: StaticString {
    switch self {
    case .metrics: "metrics"
    case .read: "read"
    }
  }

  /// The scope of a word, or `nil`.
  init?(word: Span<UInt8>) {
    for number in 0...Self.read.rawValue {
      if let scope = Self(rawValue: number), word.equals(scope.word) {
        self = scope
        return
      }
    }
    return nil
  }

  /// The role of a request with such a token.
  var roles: Roles { self == .metrics ? .metricsReaders : .readers }
}

extension Roles {
  /// Who has logged in with a password. No token has this role.
  static var people: Roles { .role(0) }
  /// Tokens of the scope `read`.
  static var readers: Roles { .role(1) }
  /// Tokens of the scope `metrics`.
  static var metricsReaders: Roles { .role(2) }
}

/// The text of a token.
enum TokenText {
  /// Octets of it.
  static var size: Int { 40 }
  private static var prefix: StaticString { "martlet_" }
  private static var alphabet: StaticString { "abcdefghijklmnopqrstuvwxyz234567" }

  /// Random octets as a text: each 5 bits are a character.
  static func make(_ random: InlineArray<20, UInt8>) -> Text<40> {
    let alphabet = Self.alphabet.octets
    var text = Text<40>()
    text.append(prefix.octets)
    var (bits, bitCount) = (0, 0)
    for i in random.indices {
      bits = bits << 8 & 0xFFF | Int(random[i])
      bitCount += 8
      while bitCount >= 5 {
        bitCount -= 5
        text.append(alphabet[bits >> bitCount & 31])
      }
    }
    return text
  }

  /// Whether a text has the form of a token.
  static func isOne(_ text: Span<UInt8>) -> Bool {
    guard text.count == size, text.hasPrefix(prefix) else { return false }
    for i in prefix.utf8CodeUnitCount..<size {
      switch text[i] {
      case "a"..."z", "2"..."7": continue
      default: return false
      }
    }
    return true
  }

  /// What is kept of a token.
  static func hash(_ text: Span<UInt8>) -> Digest {
    var hash = SHA256()
    hash.update(text)
    return hash.finish()
  }
}

/// What a request with a token may do.
struct TokenRights {
  let scope: TokenScope
  /// When they end, in Unix seconds; 0: never.
  let end: Int64
}

/// A token, without its text.
struct Token {
  /// Room for it: a name of accounts' form, so that logs and labels can have it.
  var name = Text<32>()
  var scope = TokenScope.metrics
  /// The account that made it.
  var maker = Text<32>()
  var created: Int64 = 0
  var end: Int64 = 0
  var used: Int64 = 0
  var hash = Digest(repeating: 0)

  /// What forms know it by: the start of its hash, so that a stale page means no later token of the same name.
  var id: Text<16> {
    var id = Text<16>()
    id.append(hexadecimal: hash.span.extracting(first: 8))
    return id
  }

  var rights: TokenRights { TokenRights(scope: scope, end: end) }

  /// Why a token does not count, although its text is right.
  enum Refusal: Equatable {
    case ended
    /// Nobody knows whether the token's end has come: the clock is not set, or is before the token's creation.
    case clockUnknown

    var word: StaticString { self == .ended ? "ended" : "clock" }
  }

  /// - Parameter now: The time of day; `nil` where it is not known.
  func refusal(at now: Int64?) -> Refusal? {
    guard end > 0 else { return nil }
    guard let now, now >= created else { return .clockUnknown }
    return now < end ? nil : .ended
  }
}

extension SystemClock {
  /// Unix seconds; `nil` while the time of day is not known.
  var timeOfDay: Int64? { isSet ? unixSeconds : nil }
}

/// The list of tokens.
struct Tokens: ~Copyable {
  private let isReadInPlace = ByAddress()

  /// Room for tokens.
  static var countMax: Int { 16 }

  /// Octets of a line at most: two names of 32, a word of 7, three numbers of 16 digits, a hash of 64 digits. Six
  /// colons and a line feed are the last 7.
  private static var lineSizeMax: Int { 2 * 32 + 7 + 3 * 16 + 64 + 7 }

  /// Octets of the file at most.
  static var fileSizeMax: Int {
    firstLine.utf8CodeUnitCount + countMax * lineSizeMax + Checksum.lineSize
  }

  private static var firstLine: StaticString { "martlet-tokens 1\n" }

  private var list = InlineArray<16, Token>(repeating: Token())
  private(set) var count = 0

  /// No tokens.
  init() {}

  /// The same tokens, to be changed until they are stored.
  init(copyOf other: borrowing Tokens) {
    list = other.list
    count = other.count
  }

  /// The token at a place, from 0 to `count` - 1.
  subscript(index: Int) -> Token { list[index] }

  /// Whether a token has that name, in whatever case its letters are.
  func contains(_ name: Text<32>) -> Bool {
    let wanted = AccountRules.canonical(name)
    for i in 0..<count where AccountRules.canonical(list[i].name) == wanted { return true }
    return false
  }

  /// The place of the token whose text that is. The time does not tell how much of a text is right: hashes are
  /// compared, each of them whole, and all of them.
  func index(of text: Span<UInt8>) -> Int? {
    let hash = TokenText.hash(text)
    var found: Int?
    for i in 0..<count where constantTimeEquals(hash.span, list[i].hash.span) { found = i }
    return found
  }

  /// Adds a token with a name that no other has.
  ///
  /// - Returns: Whether there was room, and the name was free.
  mutating func add(_ token: Token) -> Bool {
    guard count < Self.countMax, !contains(token.name) else { return false }
    list[count] = token
    count += 1
    return true
  }

  /// Removes the token that has that `id`.
  ///
  /// - Returns: The token, or `nil` where there is none.
  mutating func remove(_ id: Span<UInt8>) -> Token? {
    for i in 0..<count where list[i].id.span.equals(id) {
      let token = list[i]
      for later in i + 1..<max(count, i + 1) { list[later - 1] = list[later] }
      count -= 1
      list[count] = Token()
      return token
    }
    return nil
  }

  /// Notes that a token is used.
  ///
  /// - Parameter now: The time of day; `nil` where it is not known.
  mutating func use(_ index: Int, at now: Int64?) { list[index].used = now ?? max(list[index].used, 1) }

  // MARK: Text

  /// Reads the text of a file in the place of what has been there.
  ///
  /// - Returns: Whether the file is good. There are no tokens when it is damaged.
  mutating func read(_ text: Span<UInt8>) -> Bool {
    count = 0
    guard text.count <= Self.fileSizeMax, let body = Checksum.checked(text, Self.firstLine)
    else { return false }
    var lines = Lines(body)
    while let line = lines.next() {
      guard let token = Self.token(line), add(token) else {
        count = 0
        return false
      }
    }
    return true
  }

  private static func token(_ line: Span<UInt8>) -> Token? {
    var fields = ColonFields(line)
    var token = Token()
    guard let name = name(fields.next()), let scope = TokenScope(word: fields.next()),
      let maker = self.name(fields.next()), let created = Decimals.number(fields.next()),
      let end = Decimals.number(fields.next()), let used = Decimals.number(fields.next())
    else { return nil }
    let digits = fields.next()
    var hash = token.hash.mutableSpan
    guard fields.isAtEnd, digits.count == 64, digits.decodeHexadecimal(into: &hash) == 32,
      end == 0 || created > 0 && end > created
    else { return nil }
    token.name = name
    token.scope = scope
    token.maker = maker
    token.created = created
    token.end = end
    token.used = used
    return token
  }

  private static func name(_ text: Span<UInt8>) -> Text<32>? {
    AccountRules.isName(text) ? Text(text) : nil
  }

  /// Writes the text of a file, at most `fileSizeMax` octets.
  @_lifetime(writer: copy writer)
  func write(to writer: inout Writer) {
    writer.append(Self.firstLine)
    for i in 0..<count {
      writer.append(list[i].name.span)
      writer.append(":")
      writer.append(list[i].scope.word)
      writer.append(":")
      writer.append(list[i].maker.span)
      writer.append(":")
      writer.append(decimal: list[i].created)
      writer.append(":")
      writer.append(decimal: list[i].end)
      writer.append(":")
      writer.append(decimal: list[i].used)
      writer.append(":")
      writer.append(hexadecimal: list[i].hash.span)
      writer.append("\n")
    }
    Checksum.append(to: &writer)
  }
}
