// Claims that change: a JSON object kept as compact text in a buffer of fixed size. A change first
// measures whether it fits, then moves the members that stay together and writes the new one behind
// them; so it happens whole or not at all, and what the application does not know stays as it was.
//
// Invariant: the buffer holds one strict JSON object without blanks between its members; blanks
// inside nested values stay, they are the values' own.

import MartletBytes

/// A claims set to be changed and signed, in memory that is lent: as many octets of JSON text as it
/// has, at most 65,535.
///
///     var claims = SessionClaims(storage.mutableSpan)
///     claims.set("_user_id", text: id.span)
///     claims.set("_fresh", boolean: true)
///     JWS.sign(claims.span, with: key, to: &writer)
public struct SessionClaims: ~Copyable, ~Escapable {
  private var storage: MutableSpan<UInt8>
  private var size: UInt16

  /// Octets of the JSON text, at the storage's start.
  public private(set) var count: Int {
    get { Int(size) }
    set { size = UInt16(newValue) }
  }

  /// Octets of the storage.
  public var capacity: Int { storage.count }

  /// No claims: `{}`.
  @_lifetime(copy storage)
  public init(_ storage: consuming MutableSpan<UInt8>) {
    invariant(storage.count >= 2 && storage.count <= 0xFFFF, "claims hold {}, in reach of ranges")
    self.init(storage, count: 0)
    removeAll()
  }

  /// The claims that another value has left in the storage.
  ///
  /// - Parameter count: Its `count`.
  @_lifetime(copy storage)
  public init(_ storage: consuming MutableSpan<UInt8>, count: Int) {
    self.storage = storage
    size = UInt16(count)
  }

  /// The whole storage, for a payload to be put there; then call `adopt`.
  public var storageSpan: MutableSpan<UInt8> {
    @_lifetime(&self) mutating get { storage._mutatingExtracting(0..<storage.count) }
  }

  /// Takes the first octets of the storage for the claims, each of them octet for octet; blanks
  /// between them are left out.
  ///
  /// - Returns: Whether they are one JSON object. If not, there are no claims.
  @_lifetime(self: copy self)
  public mutating func adopt(_ count: Int) -> Bool {
    self.count = count
    if JSONObject(span) != nil { return replace(nil, with: .nothing) }
    removeAll()
    return false
  }

  /// Takes the first octets of the storage for the claims: what `span` was of another value.
  @_lifetime(self: copy self)
  public mutating func resume(_ count: Int) { self.count = count }

  /// The claims as JSON text: what `JWS.sign` takes and `ClaimsSet` reads.
  public var span: Span<UInt8> {
    @_lifetime(borrow self) get { storage.span.extracting(0..<count) }
  }

  /// Whether there are no claims.
  public var isEmpty: Bool { count == 2 }

  /// Sets a claim to a string, in place of all of that name.
  ///
  /// - Parameter text: UTF-8; anything else is refused rather than repaired.
  /// - Returns: Whether it fitted and was UTF-8. If not, nothing has changed.
  /// - Complexity: O(capacity).
  @discardableResult
  @_lifetime(self: copy self)
  public mutating func set(_ name: StaticString, text: Span<UInt8>) -> Bool {
    guard text.isUTF8 else { return false }
    return replace(name, with: .text(text))
  }

  /// Sets a claim to an integer, in place of all of that name.
  ///
  /// - Returns: Whether it fitted. If not, nothing has changed.
  @discardableResult
  @_lifetime(self: copy self)
  public mutating func set(_ name: StaticString, integer: Int64) -> Bool {
    var digits = InlineArray<24, UInt8>(repeating: 0)
    var writer = Writer(digits.mutableSpan)
    writer.append(decimal: integer)
    let count = writer.count
    return replace(name, with: .json(digits.span.extracting(first: count)))
  }

  /// Sets a claim to `true` or `false`, in place of all of that name.
  ///
  /// - Returns: Whether it fitted. If not, nothing has changed.
  @discardableResult
  @_lifetime(self: copy self)
  public mutating func set(_ name: StaticString, boolean: Bool) -> Bool {
    replace(name, with: .json((boolean ? "true" : "false" as StaticString).octets))
  }

  /// Sets a claim to `null`, in place of all of that name.
  ///
  /// - Returns: Whether it fitted. If not, nothing has changed.
  @discardableResult
  @_lifetime(self: copy self)
  public mutating func setNull(_ name: StaticString) -> Bool {
    replace(name, with: .json(("null" as StaticString).octets))
  }

  /// Removes all claims of that name, however it is spelled there.
  @_lifetime(self: copy self)
  public mutating func remove(_ name: StaticString) {
    invariant(replace(name, with: .nothing), "claims get no longer by removing one")
  }

  /// Removes all claims.
  @_lifetime(self: copy self)
  public mutating func removeAll() {
    storage[0] = 0x7B
    storage[1] = 0x7D
    count = 2
  }

  private enum Value: ~Escapable {
    case text(Span<UInt8>)
    /// JSON as it stands.
    case json(Span<UInt8>)
    case nothing
  }

  /// Takes the members of one name out and writes that one anew.
  ///
  /// - Parameter name: The name, or `nil` to change nothing but the blanks between the members.
  /// - Returns: Whether it fitted. If not, nothing has changed.
  @_lifetime(self: copy self)
  private mutating func replace(_ name: StaticString?, with value: Value) -> Bool {
    let keptCount = compact(without: name, moves: false)
    let memberSize = Self.size(of: name, value, isFirst: keptCount == 1)
    guard keptCount + memberSize + 1 <= storage.count else { return false }
    let end = compact(without: name, moves: true)
    var writer = Writer(storage._mutatingExtracting(end..<storage.count))
    if let name { Self.write(name, value, isFirst: end == 1, to: &writer) }
    writer.append(0x7D)  // "}"
    count = end + writer.count
    return true
  }

  /// Moves the members together, but not those of one name.
  ///
  /// - Parameter moves: Whether to do it, or only to say how long they would be.
  /// - Returns: The index behind the last one.
  @inline(never)
  @_lifetime(self: copy self)
  private mutating func compact(without name: StaticString?, moves: Bool) -> Int {
    var source = JSON.skipBlanks(span, 0) + 1
    var end = 0
    if moves { storage[0] = 0x7B }  // "{"
    while let member = JSON.member(span, from: source) {
      source = member.range.end
      if let name, JSON.string(span[member.name], equals: name) { continue }
      // In front of the first member stands the brace, in front of any other a comma. What is written
      // never overtakes what is read, because nothing gets longer.
      if moves, end > 0 { storage[end] = 0x2C }
      end &+= 1
      let quote = member.value.kind == .string ? 1 : 0
      let value = member.value.range
      end = copy(Int(member.name.offset) &- 1, Int(member.name.count) &+ 2, to: end, moves)
      if moves { storage[end] = 0x3A }
      end = copy(Int(value.offset) &- quote, Int(value.count) &+ 2 &* quote, to: end &+ 1, moves)
    }
    return max(end, 1)
  }

  /// Moves octets towards the start, if asked to.
  ///
  /// - Returns: The index behind them.
  @inline(never)
  @_lifetime(self: copy self)
  private mutating func copy(_ start: Int, _ count: Int, to target: Int, _ moves: Bool) -> Int {
    if moves { for i in 0..<count { storage[target &+ i] = storage[start &+ i] } }
    return target &+ count
  }

  /// Octets that `write` writes.
  private static func size(of name: StaticString?, _ value: Value, isFirst: Bool) -> Int {
    guard let name else { return 0 }
    let nameSize = (isFirst ? 0 : 1) + JSON.stringSize(name.octets) + 1
    switch value {
    case .text(let text): return nameSize + JSON.stringSize(text)
    case .json(let json): return nameSize + json.count
    case .nothing: return 0
    }
  }

  @_lifetime(writer: copy writer)
  private static func write(
    _ name: StaticString, _ value: Value, isFirst: Bool, to writer: inout Writer
  ) {
    if case .nothing = value { return }
    if !isFirst { writer.append(0x2C) }
    writer.append(jsonString: name.octets)
    writer.append(0x3A)  // ":"
    switch value {
    case .text(let text): writer.append(jsonString: text)
    case .json(let json): writer.append(json)
    case .nothing: break
    }
  }
}
