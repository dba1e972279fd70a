// Reads claims (RFC 7519 §4) from the payload of a verified token: a JSON object, parsed in place.
//
// Invariant: the octets are one strict JSON object of at most `Limits.tokenSizeMax` octets. Of members with
// equal names the last member counts, as RFC 7519 §4 allows and as both of Microdot's runtimes do. Earlier
// members with that name are ignored.

public import MartletBytes

/// A claims set in place. Its lifetime is bound to the payload's memory.
///
///     let claims = try ClaimsSet(payload)
///     try claims.check(now: seconds)
///     let user: Text<64>? = claims.text(of: "_user_id")
public struct ClaimsSet: ~Escapable {
  private let octets: Span<UInt8>
  private let object: JSONObject

  /// - Parameter payload: The octets that `JWS.verify` has decoded.
  /// - Throws: `tooLarge` beyond `Limits.tokenSizeMax` octets, `claimsNotObject` for octets that are not
  ///   exactly one JSON object.
  /// - Complexity: O(n).
  @_lifetime(copy payload)
  public init(_ payload: Span<UInt8>) throws(TokenRefusal) {
    guard payload.count <= Limits.tokenSizeMax else { throw .tooLarge }
    guard let object = JSONObject(payload) else { throw .claimsNotObject }
    octets = payload
    self.object = object
  }

  /// Checks the claims that RFC 7519 registers. Each of them may be absent.
  ///
  /// - Parameter now: Seconds since 1970 (NumericDate, RFC 7519 §2).
  /// - Throws: The reason why the claims do not hold at `now`, or never hold; see `TokenRefusal`.
  /// - Complexity: O(n); the members are read once for each claim.
  public func check(now: Int64) throws(TokenRefusal) {
    // "On or after which the JWT MUST NOT be accepted" (§4.1.4).
    if let expiration = try number(of: "exp", orElse: .expirationType), now >= expiration {
      throw .expired
    }
    if let notBefore = try number(of: "nbf", orElse: .notBeforeType), now < notBefore {
      throw .notYetValid
    }
    try check()
  }

  /// Checks the claims that RFC 7519 registers, but not whether their times hold now.
  public func check() throws(TokenRefusal) {
    _ = try number(of: "exp", orElse: .expirationType)
    _ = try number(of: "nbf", orElse: .notBeforeType)
    // `iat` only informs about the age (§4.1.6): the board that made the token may have had no clock.
    _ = try number(of: "iat", orElse: .issuedAtType)
    // This program is no audience of any name, so a token with an audience is not for this program (§4.1.3).
    guard !contains("aud") else { throw .audience }
    try checkString("iss", orElse: .issuerType)
    try checkString("sub", orElse: .subjectType)
    try checkString("jti", orElse: .identifierType)
  }

  /// The number of a claim, rounded down. `nil` when there is no such claim.
  private func number(
    of name: StaticString, orElse refusal: TokenRefusal
  ) throws(TokenRefusal) -> Int64? {
    guard let value = object.find(name) else { return nil }
    guard value.kind == .number else { throw refusal }
    return JSON.floor(octets[value.range])
  }

  /// The number of a claim, rounded down. `nil` when the claim is absent or no number.
  public func number(of name: StaticString) -> Int64? {
    guard let value = object.find(name), value.kind == .number else { return nil }
    return JSON.floor(octets[value.range])
  }

  private func checkString(
    _ name: StaticString, orElse refusal: TokenRefusal
  ) throws(TokenRefusal) {
    guard let value = object.find(name) else { return }
    guard value.kind == .string else { throw refusal }
  }

  // MARK: Reading

  /// Whether there is a claim with that name.
  public func contains(_ name: StaticString) -> Bool { object.find(name) != nil }

  /// The kind of the claim with that name, or `nil` when there is no such claim.
  public func kind(of name: StaticString) -> JSONKind? { object.find(name)?.kind }

  /// The octets of a claim's value. For a string: the octets between the quotation marks, with escapes.
  @_lifetime(copy self)
  public func raw(of name: StaticString) -> Span<UInt8>? {
    guard let value = object.find(name) else { return nil }
    return octets[value.range]
  }

  /// The text of a string claim, with escapes decoded. `nil` when the claim is no string, or has more than
  /// `capacity` octets. A surrogate without its other half becomes U+FFFD.
  public func text<let capacity: Int>(of name: StaticString) -> Text<capacity>? {
    guard let value = object.find(name), value.kind == .string else { return nil }
    var decoder = JSONStringDecoder(octets[value.range])
    var text = Text<capacity>()
    while let octet = decoder.next() {
      guard text.append(octet) else { return nil }
    }
    return text
  }

  /// The value of a claim that is written as an integer. `nil` for every other claim, for a number with
  /// fraction or exponent, and for a number beyond `Int64`.
  public func integer(of name: StaticString) -> Int64? {
    guard let value = object.find(name), value.kind == .number else { return nil }
    let number = octets[value.range]
    let isNegative = number[0] == "-"
    let digits = number.extracting((isNegative ? 1 : 0)..<number.count)
    guard let magnitude = digits.decimal() else { return nil }
    if !isNegative { return Int64(exactly: magnitude) }
    // -2^63 has no positive counterpart; wrapping subtraction reaches it.
    return magnitude <= 1 << 63 ? 0 &- Int64(truncatingIfNeeded: magnitude) : nil
  }

  /// The value of a `true` or `false` claim; `nil` for every other claim.
  public func boolean(of name: StaticString) -> Bool? {
    switch object.find(name)?.kind {
    case .true: true
    case .false: false
    case .string, .number, .null, .object, .array, nil: nil
    }
  }
}
