// The payload of a verified token → claims (RFC 7519 §4): a JSON object read in place.
//
// Invariant: the octets are one strict JSON object, at most `Limits.tokenSizeMax` of them. Of
// members with the same name the last one counts (RFC 7519 §4 allows it, and both of Microdot's
// runtimes do so); the others are as if they were not there.

public import MartletBytes

/// A claims set in place; it lives no longer than the payload.
///
///     let claims = try ClaimsSet(payload)
///     try claims.check(now: seconds)
///     let user: Text<64>? = claims.text(of: "_user_id")
public struct ClaimsSet: ~Escapable {
  private let octets: Span<UInt8>
  private let object: JSONObject

  /// - Parameter payload: What `JWS.verify` decoded.
  /// - Throws: `tooLarge` beyond `Limits.tokenSizeMax` octets, `claimsNotObject` for anything that
  ///   is not exactly one JSON object.
  /// - Complexity: O(n).
  @_lifetime(copy payload)
  public init(_ payload: Span<UInt8>) throws(TokenRefusal) {
    guard payload.count <= Limits.tokenSizeMax else { throw .tooLarge }
    guard let object = JSONObject(payload) else { throw .claimsNotObject }
    octets = payload
    self.object = object
  }

  /// Checks the claims that RFC 7519 registers, as far as they are there.
  ///
  /// - Parameter now: Seconds since 1970 (NumericDate, RFC 7519 §2).
  /// - Throws: Why the claims do not hold now, or never do; see `TokenRefusal`.
  /// - Complexity: O(n), a walk over the members for each claim.
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
    // Informs about the age and no more (§4.1.6): a board that minted it may have had no clock.
    _ = try number(of: "iat", orElse: .issuedAtType)
    // We do not identify ourselves with any audience, so no token that names one is for us
    // (§4.1.3).
    guard !contains("aud") else { throw .audience }
    try checkString("iss", orElse: .issuerType)
    try checkString("sub", orElse: .subjectType)
    try checkString("jti", orElse: .identifierType)
  }

  /// A number rounded down, or `nil` when there is no such claim.
  private func number(
    of name: StaticString, orElse refusal: TokenRefusal
  ) throws(TokenRefusal) -> Int64? {
    guard let value = object.find(name) else { return nil }
    guard value.kind == .number else { throw refusal }
    return JSON.floor(octets[value.range])
  }

  /// A number claim rounded down; `nil` when it is not a number.
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

  /// Whether there is a claim of that name.
  public func contains(_ name: StaticString) -> Bool { object.find(name) != nil }

  /// What the claim of that name is, or `nil` when there is none.
  public func kind(of name: StaticString) -> JSONKind? { object.find(name)?.kind }

  /// The claim's octets as they stand, a string's without its quotation marks and with its escapes.
  @_lifetime(copy self)
  public func raw(of name: StaticString) -> Span<UInt8>? {
    guard let value = object.find(name) else { return nil }
    return octets[value.range]
  }

  /// A string claim, its escapes read; `nil` when it is not a string or longer than `capacity`
  /// octets. A surrogate without its other half reads as U+FFFD.
  public func text<let capacity: Int>(of name: StaticString) -> Text<capacity>? {
    guard let value = object.find(name), value.kind == .string else { return nil }
    var decoder = JSONStringDecoder(octets[value.range])
    var text = Text<capacity>()
    while let octet = decoder.next() {
      guard text.append(octet) else { return nil }
    }
    return text
  }

  /// A number claim written as an integer; `nil` when it is anything else, a fraction or an
  /// exponent included, or beyond `Int64`.
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

  /// A `true` or `false` claim; `nil` when it is anything else.
  public func boolean(of name: StaticString) -> Bool? {
    switch object.find(name)?.kind {
    case .true: true
    case .false: false
    case .string, .number, .null, .object, .array, nil: nil
    }
  }
}
