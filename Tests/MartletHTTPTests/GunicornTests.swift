// The request vectors of gunicorn, read as a server reads them: head, content, next head.

import MartletBytes
import MartletHTTP
import TestSupport
import Testing

@Suite("The vectors of gunicorn")
struct GunicornTests {
  /// A vector that this project must treat as gunicorn does.
  struct Vector {
    let name: String
    let octets: [UInt8]
    let isAccepted: Bool
    let requests: [[String: Any]]
  }

  /// Decided otherwise here, with the refusal that each gets.
  static let refusedHere: [String: Refusal] = [
    "valid/009": .targetMalformed,  // a fragment, and identity
    "valid/025": .transferEncodingMalformed,  // gzip; only `chunked` is known
    "valid/025_line": .transferEncodingMalformed,
    "valid/029": .transferEncodingMalformed,
    "valid/030": .transferEncodingMalformed,
    "valid/rfc9112_smuggle_gzip_chunked_01": .transferEncodingMalformed,
    "valid/rfc9112_smuggle_te_identity_chunked_01": .transferEncodingMalformed,
    "valid/005": .targetMalformed,  // a fragment
    "valid/027": .targetMalformed,  // an octet over 127
    "valid/031": .methodUnknown,
    "valid/rfc9112_target_authority_connect_01": .methodUnknown,
    "valid/rfc9112_target_authority_ipv6_01": .methodUnknown,
  ]

  static func vectors() throws -> [Vector] {
    let cases = try #require(try vectorJSON("http-gunicorn/cases.json") as? [[String: Any]])
    return cases.compactMap { vector in
      guard vector["not_binding"] as? String == nil,
        let name = vector["name"] as? String, let raw = vector["raw_latin1"] as? String
      else { return nil }
      var octets = raw.unicodeScalars.map { UInt8($0.value) }
      if vector["no_host"] as? Bool == true { octets = addingHosts(octets) }
      return Vector(
        name: name, octets: octets, isAccepted: vector["expect"] as? String == "accept",
        requests: vector["requests"] as? [[String: Any]] ?? [])
    }
  }

  /// Adds a Host line after each request line of HTTP/1.1, as the vectors' origin says. What begins
  /// with HTTP/1.0 stays: nothing after it is read as a request.
  static func addingHosts(_ octets: [UInt8]) -> [UInt8] {
    var text = String(String.UnicodeScalarView(octets.map { Unicode.Scalar($0) }))
    guard !text.prefix(while: { !$0.isNewline }).hasSuffix("HTTP/1.0") else { return octets }
    text = text.replacing(" HTTP/1.1\r\n", with: " HTTP/1.1\r\nHost: h\r\n")
    return text.unicodeScalars.map { UInt8($0.value) }
  }

  /// What one request is: method, target, content.
  struct Request: Equatable {
    var method: String
    var target: [UInt8]
    var content: [UInt8]
  }

  enum Reading: Equatable {
    case requests([Request])
    case incomplete
    case refused(Refusal)
  }

  /// Reads requests until the octets end or a request closes the connection.
  func read(_ octets: [UInt8]) -> Reading {
    var rest = octets
    var requests: [Request] = []
    while !rest.isEmpty {
      let headOutcome = drive(rest, size: \.size, RequestHead.parse)
      if case .refused(let refusal) = headOutcome { return .refused(refusal) }
      guard case .value(let head) = headOutcome else { return .incomplete }
      let end = head.target.query?.end ?? head.target.path.end
      let target = Array(rest[Int(head.target.path.offset)..<end])
      rest.removeFirst(head.size)
      var content: [UInt8] = []
      switch head.framing {
      case .none: break
      case .length(let count):
        guard count <= rest.count else { return .incomplete }
        content = Array(rest.prefix(count))
        rest.removeFirst(count)
      case .chunked:
        let outcome = drive(rest, size: \.size, decodeChunks)
        if case .refused(let refusal) = outcome { return .refused(refusal) }
        guard case .value(let decoded) = outcome else { return .incomplete }
        content = decoded.content
        rest.removeFirst(decoded.size)
      }
      requests.append(
        Request(method: String(head.method.name), target: target, content: content))
      if !head.keepsAlive { break }
    }
    return .requests(requests)
  }

  @Test("What gunicorn accepts is read as the same requests")
  func accepted() throws {
    var count = 0
    for vector in try Self.vectors() where vector.isAccepted {
      count += 1
      let reading = read(vector.octets)
      if let refusal = Self.refusedHere[vector.name] {
        #expect(reading == .refused(refusal), "\(vector.name)")
        continue
      }
      let expected = vector.requests.map { request in
        let uri = (request["uri"] as? String ?? "").unicodeScalars.map { UInt8($0.value) }
        let body = (request["body_latin1"] as? String ?? "").unicodeScalars.map { UInt8($0.value) }
        return Request(
          method: request["method"] as? String ?? "", target: originForm(uri), content: body)
      }
      // HTTP/1.0 always closes here, so what is pipelined behind it is not read.
      guard case .requests(let requests) = reading else {
        Issue.record("\(vector.name): \(reading)")
        continue
      }
      #expect(
        !requests.isEmpty && requests == Array(expected.prefix(requests.count)), "\(vector.name)")
      let is10 = String(decoding: vector.octets, as: UTF8.self).contains("HTTP/1.0")
      if !is10 { #expect(requests.count == expected.count, "\(vector.name)") }
    }
    #expect(count >= 45)
  }

  /// A target without scheme, authority and fragment.
  func originForm(_ uri: [UInt8]) -> [UInt8] {
    var text = String(String.UnicodeScalarView(uri.map { Unicode.Scalar($0) }))
    for scheme in ["http://", "https://"] where text.hasPrefix(scheme) {
      text = String(text.dropFirst(scheme.count).drop { $0 != "/" })
    }
    return text.prefix { $0 != "#" }.unicodeScalars.map { UInt8($0.value) }
  }

  @Test("What gunicorn rejects is never a request")
  func rejected() throws {
    var count = 0
    for vector in try Self.vectors() where !vector.isAccepted {
      count += 1
      if case .requests(let requests) = read(vector.octets) {
        Issue.record("\(vector.name): \(requests)")
      }
    }
    #expect(count >= 45)
  }
}
