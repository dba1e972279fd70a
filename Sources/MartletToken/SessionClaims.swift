// Claims that change: a JSON object kept as compact text in a buffer of fixed size. A change first
// measures whether it fits, then moves the members that stay together and writes the new one behind
// them; so it happens whole or not at all, and what the application does not know stays as it was.
//
// Invariant: the buffer holds one strict JSON object without blanks between its members; blanks
// inside nested values stay, they are the values' own.

import MartletBytes

/// A claims set to be changed and signed: up to `capacity` octets of JSON text, at most 65,535.
///
///     var claims = SessionClaims<2_048>()
///     claims.set("_user_id", text: id.span)
///     claims.set("_fresh", boolean: true)
///     JWS.sign(claims.span, with: key, to: &writer)
public struct SessionClaims<let capacity: Int>: ~Copyable {
  private var buffer = FixedBuffer<capacity>()

  /// No claims: `{}`.
  public init() {
    invariant(capacity >= 2 && capacity <= 0xFFFF, "claims hold {}, and ranges reach all of them")
    buffer.append(("{}" as StaticString).octets)
  }

  /// The claims of `payload`, each of them octet for octet; blanks between them are left out.
  ///
  /// - Returns: `nil` when it is not one JSON object, or does not fit.
  public init?(copying payload: Span<UInt8>) {
    self.init()
    guard payload.count <= capacity else { return nil }
    buffer.removeAll()
    buffer.append(payload)
    guard adopt(payload.count) else { return nil }
  }

  /// The whole storage, for a payload to be put there; then call `adopt`.
  public var storageSpan: MutableSpan<UInt8> {
    @_lifetime(&self) mutating get { buffer.storageSpan }
  }

  /// Takes the first `count` octets of the storage for the claims, each of them octet for octet;
  /// blanks between them are left out.
  ///
  /// - Returns: Whether they are one JSON object. If not, there are no claims.
  public mutating func adopt(_ count: Int) -> Bool {
    buffer.setCount(count)
    guard JSONObject(buffer.span) != nil else {
      removeAll()
      return false
    }
    return replace(nil, with: .nothing)
  }

  /// The claims as JSON text: what `JWS.sign` takes and `ClaimsSet` reads.
  public var span: Span<UInt8> {
    // Addressable for the reason that stands at `FixedBuffer.span`.
    @_addressableSelf @_lifetime(borrow self) get { buffer.span }
  }

  /// Whether there are no claims.
  public var isEmpty: Bool { buffer.count == 2 }

  /// Sets a claim to a string, in place of all of that name.
  ///
  /// - Parameter text: UTF-8; anything else is refused rather than repaired.
  /// - Returns: Whether it fitted and was UTF-8. If not, nothing has changed.
  /// - Complexity: O(capacity).
  @discardableResult
  public mutating func set(_ name: StaticString, text: Span<UInt8>) -> Bool {
    guard text.isUTF8 else { return false }
    return replace(name, with: .text(text))
  }

  /// Sets a claim to an integer, in place of all of that name.
  ///
  /// - Returns: Whether it fitted. If not, nothing has changed.
  @discardableResult
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
  public mutating func set(_ name: StaticString, boolean: Bool) -> Bool {
    replace(name, with: .json((boolean ? "true" : "false" as StaticString).octets))
  }

  /// Sets a claim to `null`, in place of all of that name.
  ///
  /// - Returns: Whether it fitted. If not, nothing has changed.
  @discardableResult
  public mutating func setNull(_ name: StaticString) -> Bool {
    replace(name, with: .json(("null" as StaticString).octets))
  }

  /// Removes all claims of that name, however it is spelled there.
  public mutating func remove(_ name: StaticString) {
    invariant(replace(name, with: .nothing), "claims get no longer by removing one")
  }

  /// Removes all claims.
  public mutating func removeAll() {
    buffer.removeAll()
    buffer.append(("{}" as StaticString).octets)
  }

  private mutating func replace(_ name: StaticString?, with value: ClaimsText.Value) -> Bool {
    let count = buffer.count
    var storage = buffer.storageSpan
    guard let newCount = ClaimsText.replace(name, with: value, in: &storage, count: count) else {
      return false
    }
    buffer.setCount(newCount)
    return true
  }
}

/// Changes to the text of claims, in place, whatever the capacity.
private enum ClaimsText {
  enum Value: ~Escapable {
    case text(Span<UInt8>)
    /// JSON as it stands.
    case json(Span<UInt8>)
    case nothing
  }

  /// Takes the members of one name out and writes that one anew.
  ///
  /// - Parameters:
  ///   - name: The name, or `nil` to change nothing but the blanks between the members.
  ///   - count: How many octets of `storage` are the text, which has been checked.
  /// - Returns: How many are now, or `nil` when it would not fit; then nothing has changed.
  static func replace(
    _ name: StaticString?, with value: Value, in storage: inout MutableSpan<UInt8>, count: Int
  ) -> Int? {
    let keptCount = compact(&storage, count: count, without: name, moves: false)
    let memberSize = size(of: name, value, isFirst: keptCount == 1)
    guard keptCount + memberSize + 1 <= storage.count else { return nil }
    let end = compact(&storage, count: count, without: name, moves: true)
    var writer = Writer(storage._mutatingExtracting(end..<storage.count))
    if let name { write(name, value, isFirst: end == 1, to: &writer) }
    writer.append("}")
    return end + writer.count
  }

  /// Moves the members together, but not those of one name.
  ///
  /// - Parameter moves: Whether to do it, or only to say how long they would be.
  /// - Returns: The index behind the last one.
  private static func compact(
    _ octets: inout MutableSpan<UInt8>, count: Int, without name: StaticString?, moves: Bool
  ) -> Int {
    var source = JSON.skipBlanks(octets.span, 0) + 1
    var end = 0
    // What is written never overtakes what is read, because nothing gets longer.
    func put(_ octet: UInt8, _ octets: inout MutableSpan<UInt8>) {
      if moves { octets[end] = octet }
      end += 1
    }
    put(0x7B, &octets)  // "{"
    while let member = JSON.member(octets.span.extracting(0..<count), from: source) {
      source = member.range.end
      if let name, JSON.string(octets.span[member.name], equals: name) { continue }
      if end > 1 { put(0x2C, &octets) }  // ","
      for i in Int(member.name.offset) - 1...member.name.end { put(octets[i], &octets) }
      put(0x3A, &octets)  // ":"
      let isString = member.value.kind == .string
      let (start, valueEnd) = (Int(member.value.range.offset), member.value.range.end)
      for i in (isString ? start - 1 : start)..<(isString ? valueEnd + 1 : valueEnd) {
        put(octets[i], &octets)
      }
    }
    return end
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
