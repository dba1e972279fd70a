// Signs payloads and verifies tokens: JSON Web Signature in compact serialization, with HS256 only (RFC 7515
// §3.1, §5; RFC 7518 §3.2).
//
//     token = BASE64URL(header) "." BASE64URL(payload) "." BASE64URL(HMAC(key, signing-input))
//     signing-input = BASE64URL(header) "." BASE64URL(payload)
//
// Invariant: each token has one text. A text that is not canonical is refused, so that nobody can make a
// second text of a token. No octet of a payload is read before the MAC has been verified.

public import MartletBytes

/// JSON Web Signatures with HMAC-SHA256.
public enum JWS {
  /// `{"alg":"HS256","typ":"JWT"}`, the header that PyJWT and this program write.
  private static var ownHeader: StaticString { "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9" }
  /// `{"typ": "JWT", "alg": "HS256"}`, the header that Microdot's library for MicroPython writes.
  private static var microPythonHeader: StaticString { "eyJ0eXAiOiAiSldUIiwgImFsZyI6ICJIUzI1NiJ9" }

  /// Memory to decode another program's header. Our header has 27 octets; a key identifier adds some 50.
  private typealias HeaderBuffer = FixedBuffer<512>

  /// How many octets the token of a payload of `count` octets has.
  public static func tokenSize(payloadCount count: Int) -> Int {
    ownHeader.octets.count + 1 + Base64URL.encodedCount(count) + 1 + Base64URL.encodedCount(32)
  }

  /// Writes the token of `payload`. When the token does not fit, nothing is written and the writer has
  /// overflowed.
  ///
  /// - Parameters:
  ///   - payload: Any octets. The payload of a JSON Web Token is a claims set.
  ///   - key: A key of at least one octet. RFC 7518 §3.2 asks for 32 octets or more.
  ///   - writer: Where the token is written. A token beyond `Limits.tokenSizeMax` never fits, because no
  ///     `verify` would accept it.
  /// - Complexity: One compression for each 48 octets of payload, and some four more.
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
  /// The checks are, in this order: size, three parts, header, MAC in constant time, payload. Cheap checks
  /// and checks without a key come first. `ClaimsSet` checks the claims in the payload.
  ///
  /// - Parameters:
  ///   - token: Any octets.
  ///   - key: The key with which the token must be signed.
  ///   - payload: Memory for the decoded payload. Unchanged unless the MAC is right.
  /// - Returns: How many octets the payload has.
  /// - Throws: The reason why the token is refused.
  /// - Complexity: One compression for each 64 octets of the token, and some three more.
  public static func verify(
    _ token: Span<UInt8>, with key: borrowing HMACKey, payload: inout MutableSpan<UInt8>
  ) throws(TokenRefusal) -> Int {
    guard token.count <= Limits.tokenSizeMax else { throw .tooLarge }
    // A fourth part would also fail in the signature, because a full stop is no base64url character. It is
    // checked here, so that the reason of the refusal is the right one.
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

  /// Checks the MAC, in constant time.
  private static func checkSignature(
    _ encoded: Span<UInt8>, of signingInput: Span<UInt8>, with key: borrowing HMACKey
  ) throws(TokenRefusal) {
    var signature = Digest(repeating: 0)
    var target = signature.mutableSpan
    guard Base64URL.decode(encoded, into: &target) == 32 else { throw .signatureEncoding }
    let expected = key.authenticate(signingInput)
    guard constantTimeEquals(signature.span, expected.span) else { throw .signature }
  }

  /// Checks that the header names HS256 and has no `crit`.
  private static func checkHeader(_ encoded: Span<UInt8>) throws(TokenRefusal) {
    // Nearly all tokens have one of two headers. Both are valid and need no decoding.
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
    // If a token chose the algorithm, an attacker would choose it (RFC 8725 §2.1).
    guard let algorithm = header.find("alg"), algorithm.kind == .string,
      JSON.string(text[algorithm.range], equals: "HS256")
    else { throw .algorithm }
    guard header.find("crit") == nil else { throw .critical }
  }
}
