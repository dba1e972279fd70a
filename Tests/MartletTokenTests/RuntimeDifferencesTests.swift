// Where Microdot's two reference runtimes differ, or are both wrong: one row for each line of the
// table in TokenRefusal.swift, all under the right key, so that nothing but the rule refuses them.

import MartletBytes
import MartletToken
import TestSupport
import Testing

private let now: Int64 = 1_000

/// A token, and why it is refused.
private struct Row: CustomTestStringConvertible {
  let testDescription: String
  let token: String
  let refusal: TokenRefusal?

  init(_ description: String, _ token: String, _ refusal: TokenRefusal?) {
    (testDescription, self.token, self.refusal) = (description, token, refusal)
  }

  /// A payload under our own header.
  init(_ description: String, claims: String, _ refusal: TokenRefusal?) {
    self.init(description, MartletTokenTests.token(claims), refusal)
  }

  /// A header over no claims.
  init(_ description: String, header: String, _ refusal: TokenRefusal?) {
    self.init(description, MartletTokenTests.token("{}", header: header), refusal)
  }
}

private let good = token("{}")
private let rows = [
  Row("PyJWT's header", header: #"{"alg":"HS256","typ":"JWT"}"#, nil),
  Row("MicroPython's header", header: #"{"typ": "JWT", "alg": "HS256"}"#, nil),
  Row("compact payload", claims: #"{"_user_id":"u1","_fresh":true}"#, nil),
  Row("payload with blanks, raw UTF-8", claims: #"{"_fresh": true, "_user_id": "é"}"#, nil),
  Row("payload with escapes", claims: #"{"_user_id":"\u00e9"}"#, nil),
  Row("garbage", "garbage", .notThreeParts),
  Row("empty", "", .notThreeParts),
  Row("two parts", String(good.prefix(40)), .notThreeParts),
  Row("four parts", good + ".e30", .notThreeParts),
  Row("wrong key", token("{}", secret: "other"), .signature),
  Row("alg none", header: #"{"alg":"none","typ":"JWT"}"#, .algorithm),
  Row("alg none, no signature", "eyJhbGciOiJub25lIn0.e30.", .algorithm),
  Row("alg hs256", header: #"{"alg":"hs256","typ":"JWT"}"#, .algorithm),
  Row("alg HS512", header: #"{"alg":"HS512","typ":"JWT"}"#, .algorithm),
  Row("no alg", header: #"{"typ":"JWT"}"#, .algorithm),
  Row("no alg, unsigned", "e30.e30.", .algorithm),
  Row("header a list", header: "[]", .headerNotObject),
  Row("header a list, unsigned", "W10.e30.", .headerNotObject),
  Row("no typ", header: #"{"alg":"HS256"}"#, nil),
  Row("crit", header: #"{"alg":"HS256","crit":["x"]}"#, .critical),
  Row("exp past", claims: #"{"exp":999}"#, .expired),
  Row("exp now", claims: #"{"exp":1000}"#, .expired),
  Row("exp now and a fraction", claims: #"{"exp":1000.9}"#, .expired),
  Row("exp in a second", claims: #"{"exp":1001}"#, nil),
  Row("exp as Microdot writes it", claims: #"{"exp":1797973169.9142106}"#, nil),
  Row("exp with an exponent", claims: #"{"exp":2e9}"#, nil),
  Row("exp a number in a string", claims: #"{"exp":"2000"}"#, .expirationType),
  Row("exp null", claims: #"{"exp":null}"#, .expirationType),
  Row("exp text", claims: #"{"exp":"never"}"#, .expirationType),
  Row("nbf in the future", claims: #"{"nbf":1001}"#, .notYetValid),
  Row("nbf null", claims: #"{"nbf":null}"#, .notBeforeType),
  Row("iat in the future", claims: #"{"iat":2000}"#, nil),
  Row("iat text", claims: #"{"iat":"now"}"#, .issuedAtType),
  Row("aud", claims: #"{"aud":"somebody"}"#, .audience),
  Row("sub not a string", claims: #"{"sub":1}"#, .subjectType),
  Row("jti not a string", claims: #"{"jti":1}"#, .identifierType),
  Row("iss not a string", claims: #"{"iss":1}"#, .issuerType),
  Row("payload a list", claims: "[]", .claimsNotObject),
  Row("payload a string", claims: #""_user_id""#, .claimsNotObject),
  Row("payload holds NaN", claims: #"{"a":NaN}"#, .claimsNotObject),
  Row("padding on the signature", good + "=", .signatureEncoding),
  Row("padding on the payload", token(parts: "eyJhbGciOiJIUzI1NiJ9.e30="), .payloadEncoding),
  Row("padding on the header", token(parts: "e30=.e30"), .headerEncoding),
  Row(
    "the other alphabet", good.replacing("_", with: "/").replacing("-", with: "+"),
    .signatureEncoding),
  Row("a blank in the signature", good + " ", .signatureEncoding),
  Row("junk in the signature", good.dropLast(4) + "!" + good.suffix(4), .signatureEncoding),
  Row("a last character not canonical", good.dropLast() + "l", .signatureEncoding),
  Row("a name twice", claims: #"{"exp":1,"exp":2000}"#, nil),
]

@Suite struct RuntimeDifferencesTests {
  @Test("Each difference is decided as the table says", arguments: rows)
  private func decided(_ row: Row) { #expect(tokenRefusal(row.token, now: now) == row.refusal) }

  @Test("The empty secret signs nothing that is accepted")
  func emptySecret() {
    #expect(verify(token("{}", secret: ""), secret: "") == .failure(.emptyKey))
  }

  @Test("A user identifier is a string or an integer, a fresh login is true")
  func loginClaims() throws {
    func read(_ payload: String) throws -> (text: String?, integer: Int64?, fresh: Bool?) {
      try withGuardedOctets(payload) { octets in
        let claims = try ClaimsSet(octets)
        let text: Text<64>? = claims.text(of: "_user_id")
        return (
          text.map { String($0.span) }, claims.integer(of: "_user_id"), claims.boolean(of: "_fresh")
        )
      }
    }
    #expect(try read(#"{"_user_id":"u1","_fresh":true}"#) == ("u1", nil, true))
    #expect(try read(#"{"_user_id":0,"_fresh":false}"#) == (nil, 0, false))
    #expect(try read(#"{"_user_id":["u1"],"_fresh":"no"}"#) == (nil, nil, nil))
    #expect(try read(#"{"_user_id":1.0,"_fresh":1}"#) == (nil, nil, nil))
  }
}
