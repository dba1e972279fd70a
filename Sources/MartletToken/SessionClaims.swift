// Claims that change: a JSON object kept as compact text in a buffer of fixed size. A change walks
// over the members and writes the next text beside the present one, then takes its place; so it
// happens whole or not at all, and what the application does not know stays as it was.
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
    var next = FixedBuffer<capacity>()
    guard payload.count <= Limits.tokenSizeMax, let object = JSONObject(payload),
      Self.rewrite(object, of: payload, without: nil, with: .nothing, to: &next)
    else { return nil }
    buffer = next
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
    replace(name, with: .integer(integer))
  }

  /// Sets a claim to `true` or `false`, in place of all of that name.
  ///
  /// - Returns: Whether it fitted. If not, nothing has changed.
  @discardableResult
  public mutating func set(_ name: StaticString, boolean: Bool) -> Bool {
    replace(name, with: .literal(boolean ? "true" : "false"))
  }

  /// Sets a claim to `null`, in place of all of that name.
  ///
  /// - Returns: Whether it fitted. If not, nothing has changed.
  @discardableResult
  public mutating func setNull(_ name: StaticString) -> Bool {
    replace(name, with: .literal("null"))
  }

  /// Removes all claims of that name, however it is spelled there.
  public mutating func remove(_ name: StaticString) {
    invariant(replace(name, with: .nothing), "claims get no longer by removing one")
  }

  /// Removes all claims.
  public mutating func removeAll() { self = SessionClaims() }

  // MARK: Writing

  private enum Replacement: ~Escapable {
    case text(Span<UInt8>)
    case integer(Int64)
    case literal(StaticString)
    case nothing
  }

  private mutating func replace(_ name: StaticString, with value: Replacement) -> Bool {
    var next = FixedBuffer<capacity>()
    guard rewrite(without: name, with: value, to: &next) else { return false }
    buffer = next
    return true
  }

  private func rewrite(
    without name: StaticString, with value: Replacement, to target: inout FixedBuffer<capacity>
  ) -> Bool {
    guard let object = JSONObject(buffer.span) else { stop("claims are a JSON object") }
    return Self.rewrite(object, of: buffer.span, without: name, with: value, to: &target)
  }

  /// Writes the object without the members of one name, and then that one anew.
  ///
  /// - Returns: Whether it fitted.
  private static func rewrite(
    _ object: JSONObject, of octets: Span<UInt8>, without name: StaticString?,
    with value: Replacement, to target: inout FixedBuffer<capacity>
  ) -> Bool {
    var writer = Writer(target.storageSpan)
    writer.append(0x7B)  // "{"
    var next = object.member(after: nil)
    while let member = next {
      next = object.member(after: member)
      if let name, JSON.string(octets[member.name], equals: name) { continue }
      beginMember(&writer)
      copy(member, of: octets, to: &writer)
    }
    if let name { write(name, value, to: &writer) }
    writer.append(0x7D)  // "}"
    let (count, overflowed) = (writer.count, writer.overflowed)
    if !overflowed { target.setCount(count) }
    return !overflowed
  }

  /// Writes a member octet for octet, without the blanks around its colon.
  @_lifetime(writer: copy writer)
  private static func copy(
    _ member: JSONObject.Member, of octets: Span<UInt8>, to writer: inout Writer
  ) {
    let quote: StaticString = member.value.kind == .string ? "\"" : ""
    writer.append(0x22)  // DQUOTE
    writer.append(octets[member.name])
    writer.append("\":")
    writer.append(quote)
    writer.append(octets[member.value.range])
    writer.append(quote)
  }

  @_lifetime(writer: copy writer)
  private static func write(
    _ name: StaticString, _ value: Replacement, to writer: inout Writer
  ) {
    if case .nothing = value { return }
    beginMember(&writer)
    writer.append(jsonString: name.octets)
    writer.append(0x3A)  // ":"
    switch value {
    case .text(let text): writer.append(jsonString: text)
    case .integer(let integer): writer.append(decimal: integer)
    case .literal(let literal): writer.append(literal)
    case .nothing: break
    }
  }

  /// A comma, unless only "{" has been written.
  @_lifetime(writer: copy writer)
  private static func beginMember(_ writer: inout Writer) {
    if writer.count > 1 { writer.append(0x2C) }
  }
}
