// The status of a response (RFC 9110 §15): a code of three digits and the phrase that people read.
// The phrase follows from the code, so no status line can say two things.

/// A response's status.
public struct Status: Equatable, Sendable {
  /// Three digits, 100 to 599; the first one is the class.
  public let code: UInt16

  /// - Parameter code: 100 to 599. One that has no name here gets an empty reason phrase, which
  ///   RFC 9112 §4 allows.
  public init(_ code: UInt16) { self.code = code }

  public static var ok: Status { Status(200) }
  public static var created: Status { Status(201) }
  public static var noContent: Status { Status(204) }
  public static var found: Status { Status(302) }
  public static var seeOther: Status { Status(303) }
  public static var notModified: Status { Status(304) }
  public static var badRequest: Status { Status(400) }
  public static var unauthorized: Status { Status(401) }
  public static var forbidden: Status { Status(403) }
  public static var notFound: Status { Status(404) }
  public static var methodNotAllowed: Status { Status(405) }
  public static var requestTimeout: Status { Status(408) }
  public static var conflict: Status { Status(409) }
  public static var contentTooLarge: Status { Status(413) }
  public static var uriTooLong: Status { Status(414) }
  public static var unsupportedMediaType: Status { Status(415) }
  public static var expectationFailed: Status { Status(417) }
  public static var unprocessableContent: Status { Status(422) }
  public static var tooManyRequests: Status { Status(429) }
  public static var requestHeaderFieldsTooLarge: Status { Status(431) }
  public static var internalServerError: Status { Status(500) }
  public static var notImplemented: Status { Status(501) }
  public static var serviceUnavailable: Status { Status(503) }
  public static var httpVersionNotSupported: Status { Status(505) }

  /// The phrase that RFC 9110 §15, RFC 6585 §4 and §5 give the code; empty for any other code.
  public var reasonPhrase: StaticString {
    switch code {
    case 200: "OK"
    case 201: "Created"
    case 204: "No Content"
    case 302: "Found"
    case 303: "See Other"
    case 304: "Not Modified"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 408: "Request Timeout"
    case 409: "Conflict"
    case 413: "Content Too Large"
    case 414: "URI Too Long"
    case 415: "Unsupported Media Type"
    case 417: "Expectation Failed"
    case 422: "Unprocessable Content"
    case 429: "Too Many Requests"
    case 431: "Request Header Fields Too Large"
    case 500: "Internal Server Error"
    case 501: "Not Implemented"
    case 503: "Service Unavailable"
    case 505: "HTTP Version Not Supported"
    default: ""
    }
  }

  /// Whether a response of this status has content at all: 1xx, 204 and 304 end with their head
  /// (RFC 9112 §6.3).
  public var allowsContent: Bool { code >= 200 && code != 204 && code != 304 }
}
