import MartletBytes
import MartletHTTP
import TestSupport
import Testing

@Suite("Methods, statuses and refusals")
struct StatusTests {
  @Test("Each method is known by its exact name")
  func methods() {
    let names = [
      "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "QUERY", "OPTIONS", "CONNECT", "TRACE",
    ]
    for (code, name) in names.enumerated() {
      let method = withGuardedOctets(name) { Method.parse($0) }
      #expect(method == Method(rawValue: UInt8(code)))
      #expect(method.map { String($0.name) } == name)
    }
    for name in ["", "G", "GE", "GETS", "get", "Get", "Query", "QUERYS", "PROPFIND"] {
      #expect(withGuardedOctets(name) { Method.parse($0) } == nil)
    }
  }

  @Test("Success is 2xx, and 304, which says that the client's copy is current")
  func success() {
    for code in UInt16(100)...599 {
      #expect(Status(code).isSuccess == (200...299 ~= code || code == 304), "\(code)")
    }
  }

  @Test("Each status has the phrase that RFC 9110 gives it")
  func phrases() {
    let phrases: [(Status, UInt16, String)] = [
      (.ok, 200, "OK"), (.created, 201, "Created"), (.noContent, 204, "No Content"),
      (.found, 302, "Found"), (.seeOther, 303, "See Other"), (.notModified, 304, "Not Modified"),
      (.badRequest, 400, "Bad Request"), (.unauthorized, 401, "Unauthorized"),
      (.forbidden, 403, "Forbidden"), (.notFound, 404, "Not Found"),
      (.methodNotAllowed, 405, "Method Not Allowed"), (.requestTimeout, 408, "Request Timeout"),
      (.conflict, 409, "Conflict"), (.contentTooLarge, 413, "Content Too Large"),
      (.uriTooLong, 414, "URI Too Long"),
      (.unsupportedMediaType, 415, "Unsupported Media Type"),
      (.expectationFailed, 417, "Expectation Failed"),
      (.unprocessableContent, 422, "Unprocessable Content"),
      (.tooManyRequests, 429, "Too Many Requests"),
      (.requestHeaderFieldsTooLarge, 431, "Request Header Fields Too Large"),
      (.internalServerError, 500, "Internal Server Error"),
      (.notImplemented, 501, "Not Implemented"),
      (.serviceUnavailable, 503, "Service Unavailable"),
      (.httpVersionNotSupported, 505, "HTTP Version Not Supported"),
    ]
    for (status, code, phrase) in phrases {
      #expect(status.code == code)
      #expect(String(status.reasonPhrase) == phrase)
    }
    #expect(String(Status(418).reasonPhrase) == "")
  }

  @Test("1xx, 204 and 304 have no content")
  func allowsContent() {
    #expect([Status(100), .noContent, .notModified].allSatisfy { !$0.allowsContent })
    #expect([Status.ok, .found, .notFound, .internalServerError].allSatisfy { $0.allowsContent })
  }

  static let refusals: [(UInt16, [Refusal])] = [
    (
      400,
      [
        .requestLineMalformed, .targetMalformed, .pathMalformed, .versionMalformed,
        .lineEndMalformed, .fieldNameMalformed, .spaceBeforeColon, .fieldLineFolded,
        .fieldValueMalformed, .hostMissing, .hostRepeated, .hostMalformed, .fieldRepeated,
        .contentLengthMalformed, .contentLengthRepeated, .transferEncodingMalformed,
        .transferEncodingRepeated,
        .transferEncodingInOldVersion, .framingAmbiguous, .chunkSizeMalformed, .chunkEndMissing,
        .chunkExtensionMalformed, .trailerFieldForbidden,
      ]
    ),
    (408, [.headTimeout, .contentTimeout]),
    (413, [.contentTooLarge, .chunkExtensionsTooLarge]),
    (414, [.targetTooLong]),
    (417, [.expectationUnknown]),
    (431, [.headTooLarge, .tooManyFieldLines, .trailerSectionTooLarge]),
    (501, [.methodUnknown]),
    (505, [.versionUnsupported]),
  ]

  @Test("Each refusal is answered with its status and a sentence of its own", arguments: refusals)
  func refusal(code: UInt16, refusals: [Refusal]) {
    for refusal in refusals {
      #expect(refusal.status.code == code)
      #expect(String(refusal.reason).hasSuffix("."))
      #expect(String(refusal.reason).first?.isUppercase == true)
    }
    let all = Self.refusals.flatMap(\.1).map { String($0.reason) }
    #expect(Set(all).count == all.count)
  }
}
