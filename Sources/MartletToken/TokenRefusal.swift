// The reasons why a token is refused. Each case is a reason that a test can provoke. The peer never learns
// the reason, only that it is not logged in; counters and the log may show the reason.

/// The reason why a token, or its claims set, is refused.
///
/// Microdot's two reference runtimes (CPython with PyJWT, MicroPython with its `jwt.py`) do not
/// accept equal sets of tokens. The table shows what Martlet does where both runtimes differ, or where both
/// are wrong. *no* means "not logged in", *500* means an error page, names are the cases below:
///
/// | Token | PyJWT | jwt.py | Martlet | Reason |
/// |---|---|---|---|---|
/// | header compact or with blanks, in any order | ok | ok | ok | RFC 7515 §4 |
/// | header without `alg` | no | 500 | `algorithm` | RFC 7515 §4.1.1: it must be there |
/// | header not an object | no | 500 | `headerNotObject` | RFC 7515 §4 |
/// | `alg` is `none`, `hs256`, `HS512` | no | no | `algorithm` | RFC 8725 §3.1: one is allowed |
/// | `typ` missing, or anything | ok | ok | ok | RFC 7515 §4.1.9: optional |
/// | `crit` there | no | ok | `critical` | RFC 7515 §4.1.11: we know no extension |
/// | `=`, `+` or `/` in a part | ok | ok | `...Encoding` | RFC 7515 §2: base64url, no padding |
/// | last character not canonical | no | ok | `...Encoding` | RFC 4648 §3.5: one token, one text |
/// | blanks or junk in a part | no | ok | `...Encoding` | RFC 4648 §3.3: one token, one text |
/// | MAC comparison leaks the place | no | yes | no | a MAC could be found octet by octet |
/// | secret empty | 500 | 500 | `emptyKey` | anybody could sign |
/// | payload a list or a string | no | 500 | `claimsNotObject` | RFC 7519 §7.2 |
/// | payload holds `NaN` | ok | - | `claimsNotObject` | RFC 8259 §6: not JSON |
/// | a name twice | last | last | last | RFC 7519 §4 |
/// | `exp` past | no | no | `expired` | RFC 7519 §4.1.4 |
/// | `exp` is now | no | ok | `expired` | RFC 7519 §4.1.4: "on or after" |
/// | `exp` with fraction or exponent | ok | ok | ok, floor | RFC 7519 §2: NumericDate |
/// | `exp` a number in a string | ok | 500 | `expirationType` | RFC 7519 §4.1.4: a number |
/// | `exp` null or text | no | 500 | `expirationType` | RFC 7519 §4.1.4: a number |
/// | `nbf` in the future | no | ok | `notYetValid` | RFC 7519 §4.1.5 |
/// | `nbf` null or text | no | ok | `notBeforeType` | RFC 7519 §4.1.5: a number |
/// | `iat` in the future | no | ok | ok | RFC 7519 §4.1.6: it only informs; clocks start in 1970 |
/// | `iat` null or text | no | ok | `issuedAtType` | RFC 7519 §4.1.6: a number |
/// | `aud` there | no | ok | `audience` | RFC 7519 §4.1.3: we are of no audience |
/// | `sub` not a string | no | ok | `subjectType` | RFC 7519 §4.1.2 |
/// | `jti` not a string | no | ok | `identifierType` | RFC 7519 §4.1.7 |
/// | `iss` not a string | ok | ok | `issuerType` | RFC 7519 §4.1.1 |
/// | `_user_id` a list | 500 | loader | nobody | `text(of:)` and `integer(of:)` are `nil` |
/// | `_fresh` is `"no"` | fresh | fresh | not fresh | `boolean(of:)` is `nil` |
public enum TokenRefusal: Error, Equatable, Sendable {
  // MARK: Shape

  /// The token has more than `Limits.tokenSizeMax` octets, or the payload does not fit its memory.
  case tooLarge
  /// The token has not exactly three parts, separated by full stops.
  case notThreeParts

  // MARK: Header

  /// The header is not canonical base64url, or has more than 512 octets.
  case headerEncoding
  /// The header is not a JSON object.
  case headerNotObject
  /// `alg` is missing, or is not the string `HS256`.
  case algorithm
  /// There is a `crit`. It names extensions that a recipient must understand, and Martlet knows none.
  case critical

  // MARK: Signature

  /// The key has no octets.
  case emptyKey
  /// The signature is not the canonical base64url of 32 octets.
  case signatureEncoding
  /// The signature does not match header, payload and key.
  case signature

  // MARK: Payload

  /// The payload is not canonical base64url.
  case payloadEncoding
  /// The payload is not a JSON object.
  case claimsNotObject
  /// `exp` is not a number.
  case expirationType
  /// `exp` is now or in the past.
  case expired
  /// `nbf` is not a number.
  case notBeforeType
  /// `nbf` is in the future.
  case notYetValid
  /// `iat` is not a number.
  case issuedAtType
  /// There is an `aud`, so the token is meant for another program.
  case audience
  /// `iss` is not a string.
  case issuerType
  /// `sub` is not a string.
  case subjectType
  /// `jti` is not a string.
  case identifierType
}
