// The Authorization field (RFC 9110 §11.6.2) of the schemes Basic (RFC 7617) and Bearer (RFC 6750), and
// the challenge that asks for it:
//
//     credentials = auth-scheme 1*SP token68
//     token68     = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
//
//     Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==       token68 = base64( user-id ":" password )
//     Bearer mF_9.B5f-4.1JqM                   token68 = the token
//
// Nothing is repaired: a value that another recipient could understand in another way is refused.

public import MartletBytes

/// Why the value of an Authorization field is refused. For the peer all reasons are one, 401; the reason
/// is for the log.
public enum AuthorizationRefusal: UInt8, Error, Equatable, Sendable {
  /// A scheme other than Basic and Bearer, or no scheme.
  case schemeUnknown
  /// What follows the scheme is not `1*SP token68`.
  case malformed
  /// The token68 of Basic is not the canonical base64 of anything.
  case base64Malformed
  /// The decoded credentials of Basic do not fit the buffer.
  case tooLong
  /// The decoded credentials of Basic hold no colon.
  case colonMissing
  /// The decoded credentials of Basic are no UTF-8, or hold a control octet (RFC 7617 §2).
  case notText
}

/// The credentials of a request, from the value of its Authorization field.
///
///     var buffer = CredentialsBuffer()
///     var room = buffer.storageSpan
///     switch try Authorization.parse(value, into: &room) {
///     case .basic(let user, let password): ...     // ranges of the buffer
///     case .bearer(let token): ...                 // a range of the value
///     }
public enum Authorization: Equatable, Sendable {
  /// The user-id and the password of Basic, as ranges of the buffer. Either may be empty; the user-id
  /// holds no colon.
  case basic(user: ByteRange, password: ByteRange)
  /// The token of Bearer, as a range of the value; never empty, and every octet of it is one of token68.
  case bearer(ByteRange)

  /// Parses the value of an Authorization field.
  ///
  /// The scheme is compared without regard to case (RFC 9110 §11.1). Credentials of Basic are UTF-8, as
  /// `Writer.append(_: Challenge)` asks for. `RequestHead` refuses a request with two Authorization fields.
  ///
  /// - Parameters:
  ///   - value: A field value without the blanks around it, at most 65,535 octets: any octets at all.
  ///   - buffer: Room for the decoded credentials of Basic, at most 65,535 octets of it are used.
  ///     `CredentialsBuffer` has room for the longest name and password. After a refusal the buffer
  ///     may hold a part of a password: wipe the buffer in any case.
  /// - Throws: The first reason why the value is refused.
  /// - Complexity: O(n) in the octets of the value; each octet is read at most four times.
  public static func parse(
    _ value: Span<UInt8>, into buffer: inout MutableSpan<UInt8>
  ) throws(AuthorizationRefusal) -> Authorization {
    guard value.count <= 0xFFFF else { throw .tooLong }
    let schemeEnd = value.firstIndex(of: 0x20) ?? value.count
    let scheme = value.extracting(0..<schemeEnd)
    let isBasic = scheme.equalsIgnoringCase("Basic")
    guard isBasic || scheme.equalsIgnoringCase("Bearer") else { throw .schemeUnknown }
    var start = schemeEnd
    while start < value.count, value[start] == " " { start &+= 1 }
    guard isToken68(value.extracting(start..<value.count)) else { throw .malformed }
    guard isBasic else { return .bearer(ByteRange(start..<value.count)) }
    return try decodeBasic(value.extracting(start..<value.count), into: &buffer)
  }

  /// The token of Bearer, as a range of the value; `nil` where the value is no `Bearer` and a token68. For a
  /// program that takes no passwords: the code for Basic is then not linked.
  ///
  /// - Parameter value: A field value without the blanks around it: any octets at all.
  public static func bearerToken(in value: Span<UInt8>) -> ByteRange? {
    guard value.count <= 0xFFFF, let schemeEnd = value.firstIndex(of: 0x20),
      value.extracting(0..<schemeEnd).equalsIgnoringCase("Bearer")
    else { return nil }
    var start = schemeEnd
    while start < value.count, value[start] == " " { start &+= 1 }
    guard isToken68(value.extracting(start..<value.count)) else { return nil }
    return ByteRange(start..<value.count)
  }

  /// Whether the octets are a token68 (RFC 9110 §11.2), which is the b64token of RFC 6750 §2.1.
  private static func isToken68(_ octets: Span<UInt8>) -> Bool {
    var end = octets.count
    while end > 0, octets[end &- 1] == "=" { end &-= 1 }
    for i in 0..<end {
      switch octets[i] {
      case "A"..."Z", "a"..."z", "0"..."9", "-", ".", "_", "~", "+", "/": continue
      default: return false
      }
    }
    return end > 0
  }

  private static func decodeBasic(
    _ text: Span<UInt8>, into buffer: inout MutableSpan<UInt8>
  ) throws(AuthorizationRefusal) -> Authorization {
    guard text.count / 4 * 3 <= min(buffer.count, 0xFFFF) + paddingCount(text) else { throw .tooLong }
    guard let count = Base64.decode(text, into: &buffer) else { throw .base64Malformed }
    let octets = buffer.span.extracting(0..<count)
    guard octets.firstControl() == nil, octets.isUTF8 else { throw .notText }
    guard let colon = octets.firstIndex(of: 0x3A) else { throw .colonMissing }
    return .basic(user: ByteRange(0..<colon), password: ByteRange(colon + 1..<count))
  }

  /// How many characters of padding a text ends with, at most two.
  private static func paddingCount(_ text: Span<UInt8>) -> Int {
    let padding = text.extracting(max(0, text.count - 2)..<text.count)
    return padding.equals("==") ? 2 : text[text.count - 1] == "=" ? 1 : 0
  }
}

/// What a server answers to a request without valid credentials: the value of a WWW-Authenticate field
/// (RFC 9110 §11.6.1).
public struct Challenge: Sendable {
  fileprivate enum Scheme: Sendable { case basic, bearer, bearerAfterInvalidToken, both }

  fileprivate let scheme: Scheme
  fileprivate let realm: StaticString

  private init(_ scheme: Scheme, _ realm: StaticString) {
    let octets = realm.octets
    for i in octets.indices {
      invariant(ASCII.isFieldValueOctet(octets[i]), "a realm has no controls")
    }
    self.scheme = scheme
    self.realm = realm
  }

  /// `Basic realm="…", charset="UTF-8"` (RFC 7617 §2.1): a browser asks for a name and a password.
  ///
  /// - Parameter realm: What the name and the password are for. A control other than HTAB in it is a
  ///   bug and stops the program.
  public static func basic(realm: StaticString) -> Challenge { Challenge(.basic, realm) }

  /// `Basic realm="…", charset="UTF-8", Bearer realm="…"`: two challenges, of which a client chooses one it
  /// knows (RFC 9110 §11.6.1).
  ///
  /// - Parameter realm: What the name and the password, or the token, are for. A control other than HTAB in
  ///   the realm is a bug and stops the program.
  public static func basicOrBearer(realm: StaticString) -> Challenge { Challenge(.both, realm) }

  /// `Bearer realm="…"` (RFC 6750 §3).
  ///
  /// - Parameters:
  ///   - realm: What the token is for. A control other than HTAB in it is a bug and stops the program.
  ///   - isTokenInvalid: Whether the request came with a token: then `error="invalid_token"` follows. A
  ///     request without credentials gets no error code (RFC 6750 §3.1).
  public static func bearer(realm: StaticString, isTokenInvalid: Bool = false) -> Challenge {
    Challenge(isTokenInvalid ? .bearerAfterInvalidToken : .bearer, realm)
  }
}

extension Writer {
  /// Writes a challenge: the value of a WWW-Authenticate field, without name and line end.
  ///
  /// - Parameters:
  ///   - challenge: The challenge.
  ///   - isTokenInvalid: Whether the request came with a Bearer token. A challenge for Bearer then ends with
  ///     `error="invalid_token"` (RFC 6750 §3.1).
  @_lifetime(self: copy self)
  public mutating func append(_ challenge: Challenge, isTokenInvalid: Bool = false) {
    append(challenge.scheme == .basic || challenge.scheme == .both ? "Basic realm=" : "Bearer realm=")
    append(quoted: challenge.realm.octets)
    switch challenge.scheme {
    case .basic: append(", charset=\"UTF-8\"")
    case .both:
      append(", charset=\"UTF-8\", Bearer realm=")
      append(quoted: challenge.realm.octets)
    case .bearer, .bearerAfterInvalidToken: break
    }
    if isTokenInvalid && challenge.scheme != .basic || challenge.scheme == .bearerAfterInvalidToken {
      append(", error=\"invalid_token\"")
    }
  }

  /// Writes a quoted-string (RFC 9110 §5.6.4): a backslash stands before each `"` and each `\`.
  ///
  /// - Parameter octets: Without controls other than HTAB, because no quoted-string holds them.
  @_lifetime(self: copy self)
  private mutating func append(quoted octets: Span<UInt8>) {
    append(0x22)
    for i in octets.indices {
      if octets[i] == "\"" || octets[i] == "\\" { append(0x5C) }
      append(octets[i])
    }
    append(0x22)
  }
}
