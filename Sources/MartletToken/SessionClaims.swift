// Changes claims: a JSON object, stored as compact text in memory of fixed size. A change first measures
// whether the new text fits. Then it moves the members that stay to the front, and writes the new member
// behind them. So a change happens completely or not at all, and members that the application does not know
// stay as they are.
//
// Invariant: the memory holds one strict JSON object without blanks between its members. Blanks inside nested
// values stay, because they belong to the values.

import MartletBytes

/// A claims set that can be changed and signed, in memory that a caller lends. The memory's size is the limit
/// of the JSON text, at most 65,535 octets.
///
///     var claims = SessionClaims(storage.mutableSpan)
///     claims.set("_user_id", text: id.span)
///     claims.set("_fresh", boolean: true)
///     JWS.sign(claims.span, with: key, to: &writer)
public struct SessionClaims: ~Copyable, ~Escapable {
  private let isReadInPlace = ByAddress()

  private var storage: MutableSpan<UInt8>
  private var size: UInt16

  /// Octets of the JSON text at the start of the storage.
  public private(set) var count: Int {
    get { Int(size) }
    set { size = UInt16(newValue) }
  }

  /// Octets of the storage.
  public var capacity: Int { storage.count }

  /// Claims without members: `{}`.
  @_lifetime(copy storage)
  public init(_ storage: consuming MutableSpan<UInt8>) {
    invariant(storage.count >= 2 && storage.count <= 0xFFFF, "claims hold {}, in reach of ranges")
    self.init(storage, count: 0)
    removeAll()
  }

  /// The claims that another value has left in the storage.
  ///
  /// - Parameter count: The `count` of that value.
  @_lifetime(copy storage)
  public init(_ storage: consuming MutableSpan<UInt8>, count: Int) {
    self.storage = storage
    size = UInt16(count)
  }

  /// The whole storage, for a caller to write a payload to. Call `adopt` afterwards.
  public var storageSpan: MutableSpan<UInt8> {
    @_lifetime(&self) mutating get { storage._mutatingExtracting(0..<storage.count) }
  }

  /// Makes the first `count` octets of the storage the claims. Values stay octet for octet; blanks between
  /// members are removed.
  ///
  /// - Returns: Whether the octets are one JSON object. If not, there are no claims afterwards.
  @_lifetime(self: copy self)
  public mutating func adopt(_ count: Int) -> Bool {
    self.count = count
    if JSONObject(span) != nil { return replace(nil, with: .nothing) }
    removeAll()
    return false
  }

  /// Makes the first `count` octets of the storage the claims, unchecked: another value's `span`.
  @_lifetime(self: copy self)
  public mutating func resume(_ count: Int) { self.count = count }

  /// The claims as JSON text, for `JWS.sign` and `ClaimsSet`.
  public var span: Span<UInt8> {
    @_lifetime(borrow self) get { storage.span.extracting(0..<count) }
  }

  /// Whether there are no claims.
  public var isEmpty: Bool { count == 2 }

  /// Sets a claim to a string. The new member replaces all members with that name.
  ///
  /// - Parameter text: UTF-8. Octets that are no UTF-8 are refused, not repaired.
  /// - Returns: Whether `text` fitted and was UTF-8. If not, nothing has changed.
  /// - Complexity: O(capacity).
  @discardableResult
  @_lifetime(self: copy self)
  public mutating func set(_ name: StaticString, text: Span<UInt8>) -> Bool {
    guard text.isUTF8 else { return false }
    return replace(name, with: .text(text))
  }

  /// Sets a claim to an integer. The new member replaces all members with that name.
  ///
  /// - Returns: Whether the member fitted. If not, nothing has changed.
  @discardableResult
  @_lifetime(self: copy self)
  public mutating func set(_ name: StaticString, integer: Int64) -> Bool {
    var digits = InlineArray<24, UInt8>(repeating: 0)
    var writer = Writer(digits.mutableSpan)
    writer.append(decimal: integer)
    let count = writer.count
    return replace(name, with: .json(digits.span.extracting(first: count)))
  }

  /// Sets a claim to `true` or `false`. The new member replaces all members with that name.
  ///
  /// - Returns: Whether the member fitted. If not, nothing has changed.
  @discardableResult
  @_lifetime(self: copy self)
  public mutating func set(_ name: StaticString, boolean: Bool) -> Bool {
    replace(name, with: .json((boolean ? "true" : "false" as StaticString).octets))
  }

  /// Sets a claim to `null`. The new member replaces all members with that name.
  ///
  /// - Returns: Whether the member fitted. If not, nothing has changed.
  @discardableResult
  @_lifetime(self: copy self)
  public mutating func setNull(_ name: StaticString) -> Bool {
    replace(name, with: .json(("null" as StaticString).octets))
  }

  /// Removes all members with that name, also when escapes spell the name.
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
    /// JSON text, written unchanged.
    case json(Span<UInt8>)
    case nothing
  }

  /// Removes all members with that name, and writes a new member.
  ///
  /// - Parameter name: The name. `nil` only removes blanks between members.
  /// - Returns: Whether the new text fitted. If not, nothing has changed.
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

  /// Moves the members to the front, without blanks and without the members with that name.
  ///
  /// - Parameter moves: `false` only computes the result.
  /// - Returns: The index behind the last member.
  @inline(never)
  @_lifetime(self: copy self)
  private mutating func compact(without name: StaticString?, moves: Bool) -> Int {
    var source = JSON.skipBlanks(span, 0) + 1
    var end = 0
    if moves { storage[0] = 0x7B }  // "{"
    while let member = JSON.member(span, from: source) {
      source = member.range.end
      if let name, JSON.string(span[member.name], equals: name) { continue }
      // The brace stands in front of the first member, a comma in front of every later member. Writing never
      // overtakes reading, because no member gets longer.
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

  /// Moves octets towards the start. With `moves` false, the call only computes the result.
  ///
  /// - Returns: The index behind the moved octets.
  @inline(never)
  @_lifetime(self: copy self)
  private mutating func copy(_ start: Int, _ count: Int, to target: Int, _ moves: Bool) -> Int {
    if moves { for i in 0..<count { storage[target &+ i] = storage[start &+ i] } }
    return target &+ count
  }

  /// How many octets `write` writes.
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
