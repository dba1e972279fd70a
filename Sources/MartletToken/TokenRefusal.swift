// Why a token is refused: one case for each reason that a test can provoke. For the peer they are all
// one, "not logged in"; the reason is for a counter and the log.

/// Why a token, or the claims set in it, is refused.
///
/// Microdot's two reference runtimes (CPython with PyJWT, MicroPython with its `jwt.py`) do not
/// accept the same tokens. What Martlet decided wherever they differ, or where both are wrong:
///
/// | Case | PyJWT | jwt.py | Martlet | Why |
/// |---|---|---|---|---|
/// | header `{"alg":"HS256","typ":"JWT"}`, compact or with blanks, any order | ok | ok | ok | RFC 7515 §4: a JSON object |
/// | header without `alg` | refused | error 500 | `algorithm` | RFC 7515 §4.1.1: `alg` must be present |
/// | header not an object | refused | error 500 | `headerNotObject` | RFC 7515 §4 |
/// | `alg` other than the string `HS256` (`none`, `hs256`, `HS512`) | refused | refused | `algorithm` | RFC 8725 §3.1: names are case-sensitive, one is allowed |
/// | `typ` missing or anything | ok | ok | ok | RFC 7515 §4.1.9: for applications |
/// | `crit` present | refused | ok | `critical` | RFC 7515 §4.1.11: no extension is understood |
/// | `=` padding, `+` or `/` | ok | ok | `signatureEncoding`, … | RFC 7515 §2: base64url, no padding; one token, one text |
/// | unused bits not 0, other octets in the signature | refused | ok | `signatureEncoding` | RFC 4648 §3.5: else a token has several texts |
/// | signature compared | constant time | `!=` | constant time | a MAC could be found octet by octet |
/// | empty secret | error 500 | error 500 | `emptyKey` | anybody could sign |
/// | payload not an object | refused | error 500 | `claimsNotObject` | RFC 7519 §3 |
/// | `exp` past | refused | refused | `expired` | RFC 7519 §4.1.4 |
/// | `exp` this very second | refused | ok | `expired` | RFC 7519 §4.1.4: "on or after"; fractions are rounded down |
/// | `exp` an integer, a fraction or with an exponent | ok | ok | ok | RFC 7519 §2, NumericDate |
/// | `exp` a number in a string | ok | error 500 | `expirationType` | RFC 7519 §4.1.4: must be a number |
/// | `exp` null or text | refused | error 500 | `expirationType` | same |
/// | `nbf` in the future | refused | ok | `notYetValid` | RFC 7519 §4.1.5 |
/// | `nbf` not a number | refused | ok | `notBeforeType` | same |
/// | `iat` in the future | refused | ok | ok | RFC 7519 §4.1.6: it informs; a board may have no clock |
/// | `iat` not a number | refused | ok | `issuedAtType` | RFC 7519 §4.1.6: must be a number |
/// | `aud` present | refused | ok | `audience` | RFC 7519 §4.1.3: we are none of an audience |
/// | `sub` or `jti` not a string | refused | ok | `subjectType`, `identifierType` | RFC 7519 §4.1.2, §4.1.7 |
/// | `iss` not a string | ok | ok | `issuerType` | RFC 7519 §4.1.1 |
/// | a member's name twice | last | last | last | RFC 7515 §4, RFC 7519 §4 allow it |
/// | `NaN`, `Infinity`, other text that is not JSON | ok | ok | `claimsNotObject` | RFC 8259 §6 |
public enum TokenRefusal: Error, Equatable, Sendable {
  // MARK: Its shape

  /// More octets than `Limits.tokenSizeMax`, or claims that do not fit the room given for them.
  case tooLarge
  /// Not exactly three parts with a full stop between each two.
  case notThreeParts

  // MARK: Its header

  /// The header is not canonical base64url, or longer than any header of use.
  case headerEncoding
  /// The header is not a JSON object.
  case headerNotObject
  /// `alg` is missing, or anything else than the string `HS256`.
  case algorithm
  /// There is a `crit`: something that we do not understand must be understood.
  case critical

  // MARK: Its signature

  /// The key has no octets.
  case emptyKey
  /// The signature is not the canonical base64url of 32 octets.
  case signatureEncoding
  /// The signature is not that of this header and payload under this key.
  case signature

  // MARK: Its payload

  /// The payload is not canonical base64url.
  case payloadEncoding
  /// The payload is not a JSON object.
  case claimsNotObject
  /// `exp` is not a number.
  case expirationType
  /// `exp` has come.
  case expired
  /// `nbf` is not a number.
  case notBeforeType
  /// `nbf` is still to come.
  case notYetValid
  /// `iat` is not a number.
  case issuedAtType
  /// There is an `aud`: the token is meant for somebody else.
  case audience
  /// `iss` is not a string.
  case issuerType
  /// `sub` is not a string.
  case subjectType
  /// `jti` is not a string.
  case identifierType
}
