// The status of a response (RFC 9110 §15): a code of three digits, and the reason phrase for people. The
// code alone decides the phrase, so that both always agree.

import MartletBytes

/// A response's status.
public struct Status: Equatable, Sendable {
  /// Three digits, 100 to 599. The first digit is the class.
  public let code: UInt16

  /// - Parameter code: 100 to 599. A code without a phrase below has an empty reason phrase, which RFC 9112
  ///   §4 allows.
  public init(_ code: UInt16) { self.code = code }

  public static var ok: Status { Status(200) }
  public static var created: Status { Status(201) }
  public static var accepted: Status { Status(202) }
  public static var noContent: Status { Status(204) }
  public static var partialContent: Status { Status(206) }
  public static var movedPermanently: Status { Status(301) }
  public static var found: Status { Status(302) }
  public static var seeOther: Status { Status(303) }
  public static var notModified: Status { Status(304) }
  public static var temporaryRedirect: Status { Status(307) }
  public static var permanentRedirect: Status { Status(308) }
  public static var badRequest: Status { Status(400) }
  public static var unauthorized: Status { Status(401) }
  public static var forbidden: Status { Status(403) }
  public static var notFound: Status { Status(404) }
  public static var methodNotAllowed: Status { Status(405) }
  public static var requestTimeout: Status { Status(408) }
  public static var conflict: Status { Status(409) }
  public static var gone: Status { Status(410) }
  public static var preconditionFailed: Status { Status(412) }
  public static var contentTooLarge: Status { Status(413) }
  public static var uriTooLong: Status { Status(414) }
  public static var unsupportedMediaType: Status { Status(415) }
  public static var rangeNotSatisfiable: Status { Status(416) }
  public static var expectationFailed: Status { Status(417) }
  public static var misdirectedRequest: Status { Status(421) }
  public static var unprocessableContent: Status { Status(422) }
  public static var tooManyRequests: Status { Status(429) }
  public static var requestHeaderFieldsTooLarge: Status { Status(431) }
  public static var internalServerError: Status { Status(500) }
  public static var notImplemented: Status { Status(501) }
  public static var serviceUnavailable: Status { Status(503) }
  public static var httpVersionNotSupported: Status { Status(505) }
  public static var insufficientStorage: Status { Status(507) }

  /// The phrase of RFC 9110 §15, RFC 6585 §4 and §5, RFC 4918 §11.5 for the code; empty for a code without a phrase.
  public var reasonPhrase: Span<UInt8> {
    @_lifetime(immortal)
    get {
      var lines = Lines(Self.phrases.octets)
      while let line = lines.next() {
        if line.extracting(first: 3).decimal() == UInt64(code) {
          return line.extracting(4..<line.count)
        }
      }
      return Self.phrases.octets.extracting(0..<0)
    }
  }

  private static var phrases: StaticString {
    """
    200 OK
    201 Created
    202 Accepted
    204 No Content
    206 Partial Content
    301 Moved Permanently
    302 Found
    303 See Other
    304 Not Modified
    307 Temporary Redirect
    308 Permanent Redirect
    400 Bad Request
    401 Unauthorized
    403 Forbidden
    404 Not Found
    405 Method Not Allowed
    408 Request Timeout
    409 Conflict
    410 Gone
    412 Precondition Failed
    413 Content Too Large
    414 URI Too Long
    415 Unsupported Media Type
    416 Range Not Satisfiable
    417 Expectation Failed
    421 Misdirected Request
    422 Unprocessable Content
    429 Too Many Requests
    431 Request Header Fields Too Large
    500 Internal Server Error
    501 Not Implemented
    503 Service Unavailable
    505 HTTP Version Not Supported
    507 Insufficient Storage
    """
  }

  /// Whether the client has what it asked for: 2xx, or 304, which says that the client's copy is current.
  public var isSuccess: Bool { code / 100 == 2 || code == 304 }

  /// Whether a response with this status may have content. 1xx, 204 and 304 end with their head (RFC 9112
  /// §6.3).
  public var allowsContent: Bool { code >= 200 && code != 204 && code != 304 }
}
