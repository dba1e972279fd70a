// A payload ↔ a signed token: JSON Web Signature in its compact serialization, HS256 and nothing
// else (RFC 7515 §3.1, §5; RFC 7518 §3.2).
//
//     token = BASE64URL(header) "." BASE64URL(payload) "." BASE64URL(HMAC(key, signing-input))
//     signing-input = BASE64URL(header) "." BASE64URL(payload)
//
// Invariant: a token has one text. Whatever is not canonical is refused, so nobody can make a
// second text of a token he has been given; and no octet of a payload is read before its MAC was
// right.

public import MartletBytes

/// JSON Web Signatures with HMAC-SHA256.
public enum JWS {
  /// `{"alg":"HS256","typ":"JWT"}`, what PyJWT writes and what we write.
  private static var ownHeader: StaticString { "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9" }
  /// `{"typ": "JWT", "alg": "HS256"}`, what Microdot's library for MicroPython writes.
  private static var microPythonHeader: StaticString { "eyJ0eXAiOiAiSldUIiwgImFsZyI6ICJIUzI1NiJ9" }

  /// Where another's header is decoded. Ours has 27 octets; a key identifier adds some 50.
  private typealias HeaderBuffer = FixedBuffer<512>

  /// Octets of the token that a payload of `count` octets becomes.
  public static func tokenSize(payloadCount count: Int) -> Int {
    ownHeader.octets.count + 1 + Base64URL.encodedCount(count) + 1 + Base64URL.encodedCount(32)
  }

  /// Writes the token of `payload`, or nothing when it does not fit: the writer has then
  /// overflowed.
  ///
  /// - Parameters:
  ///   - payload: Any octets; a claims set when the token is to be a JSON Web Token.
  ///   - key: Not the empty key. RFC 7518 §3.2 asks for 32 octets or more.
  ///   - writer: A token beyond `Limits.tokenSizeMax` counts as not fitting: nobody would read it.
  /// - Complexity: One compression for each 48 octets of payload, and some four.
  @_lifetime(writer: copy writer)
  public static func sign(
    _ payload: Span<UInt8>, with key: borrowing HMACKey, to writer: inout Writer
  ) {
    invariant(!key.isEmpty, "a token is signed with a secret")
    let size = tokenSize(payloadCount: payload.count)
    guard size <= Limits.tokenSizeMax, size <= writer.room else { return writer.overflow() }
    let start = writer.count
    writer.append(ownHeader)
    writer.append(0x2E)  // "."
    Base64URL.encode(payload, to: &writer)
    let mac = key.authenticate(writer.span.extracting(start..<writer.count))
    writer.append(0x2E)
    Base64URL.encode(mac.span, to: &writer)
  }

  /// Verifies a token and decodes its payload.
  ///
  /// The checks come in this order, the cheap ones and those that need no key first: size, three
  /// parts, header, MAC in constant time, payload. What the payload says is `ClaimsSet`'s business.
  ///
  /// - Parameters:
  ///   - token: Any octets.
  ///   - key: The key that it must have been signed with.
  ///   - payload: Receives the payload from its start on; untouched unless the MAC is right.
  /// - Returns: How many octets the payload has.
  /// - Throws: Why the token is refused.
  /// - Complexity: One compression for each 64 octets of token, and some three.
  public static func verify(
    _ token: Span<UInt8>, with key: borrowing HMACKey, payload: inout MutableSpan<UInt8>
  ) throws(TokenRefusal) -> Int {
    guard token.count <= Limits.tokenSizeMax else { throw .tooLarge }
    // A full stop is no base64url character, so a fourth part shows up in the signature as well;
    // it is looked for all the same, because the reason is another one.
    guard let headerEnd = token.firstIndex(of: 0x2E),
      let payloadEnd = token.firstIndex(of: 0x2E, from: headerEnd + 1),
      token.firstIndex(of: 0x2E, from: payloadEnd + 1) == nil
    else { throw .notThreeParts }
    try checkHeader(token.extracting(0..<headerEnd))
    guard !key.isEmpty else { throw .emptyKey }
    try checkSignature(
      token.extracting(payloadEnd + 1..<token.count), of: token.extracting(0..<payloadEnd),
      with: key)
    let encoded = token.extracting(headerEnd + 1..<payloadEnd)
    guard encoded.count <= Base64URL.encodedCount(payload.count) else { throw .tooLarge }
    guard let count = Base64URL.decode(encoded, into: &payload) else { throw .payloadEncoding }
    return count
  }

  /// The MAC, compared in constant time.
  private static func checkSignature(
    _ encoded: Span<UInt8>, of signingInput: Span<UInt8>, with key: borrowing HMACKey
  ) throws(TokenRefusal) {
    var signature = Digest(repeating: 0)
    var target = signature.mutableSpan
    guard Base64URL.decode(encoded, into: &target) == 32 else { throw .signatureEncoding }
    let expected = key.authenticate(signingInput)
    guard constantTimeEquals(signature.span, expected.span) else { throw .signature }
  }

  /// The header says HS256 and asks for nothing that we do not know.
  private static func checkHeader(_ encoded: Span<UInt8>) throws(TokenRefusal) {
    // The two headers that nearly all tokens have are known to be good as they stand.
    if encoded.equals(ownHeader) || encoded.equals(microPythonHeader) { return }
    try checkForeignHeader(encoded)
  }

  @inline(never)
  private static func checkForeignHeader(_ encoded: Span<UInt8>) throws(TokenRefusal) {
    var buffer = HeaderBuffer()
    var target = buffer.storageSpan
    guard let count = Base64URL.decode(encoded, into: &target) else { throw .headerEncoding }
    buffer.setCount(count)
    let text = buffer.span
    guard let header = JSONObject(text) else { throw .headerNotObject }
    // An algorithm that the token could choose would be the attacker's choice (RFC 8725 §2.1).
    guard let algorithm = header.find("alg"), algorithm.kind == .string,
      JSON.string(text[algorithm.range], equals: "HS256")
    else { throw .algorithm }
    guard header.find("crit") == nil else { throw .critical }
  }
}
