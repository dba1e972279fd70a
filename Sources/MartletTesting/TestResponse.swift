// A response as a test sees it: parsed into strings, without omissions.

public import MartletHTTP

/// A response.
public struct TestResponse: Equatable, Sendable {
  /// The status.
  public let status: Status
  /// The headers in their order, including those of the server (Date, Content-Length).
  public let headers: [Header]
  /// The content as UTF-8; ill-formed octets become U+FFFD.
  public let body: String

  /// One header: one field line.
  public struct Header: Equatable, Sendable {
    public let name: String
    public let value: String

    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  /// The value of the first header of that name; upper and lower case are equal.
  public func header(_ name: String) -> String? { values(of: name).first }

  /// The values of all headers of that name, in their order.
  public func values(of name: String) -> [String] {
    let name = name.lowercased()
    return headers.filter { $0.name.lowercased() == name }.map(\.value)
  }

  /// The target of a redirection.
  public var location: String? { header("Location") }

  /// The values of the Set-Cookie headers, in their order.
  public var setCookies: [String] { values(of: "Set-Cookie") }

  /// Parses a response that a server would send.
  init(head: [UInt8], content: [UInt8]) {
    let lines = Self.lines(String(decoding: head, as: UTF8.self))
    let code = lines.first?.split(separator: " ").dropFirst().first.flatMap { UInt16($0) }
    status = Status(code ?? 0)
    headers = lines.dropFirst().compactMap { line in
      guard let colon = line.firstIndex(of: ":") else { return nil }
      let value = line[line.index(after: colon)...].drop { $0 == " " }
      return Header(String(line[..<colon]), String(value))
    }
    body = String(decoding: content, as: UTF8.self)
  }

  /// Parses a response from all octets that a server has sent on a connection.
  init(answer: [UInt8]) {
    let end = RequestHead.endOfHead(answer.span) ?? answer.count
    let whole = TestResponse(head: [UInt8](answer[..<end]), content: [])
    var content = answer[end...]
    if let count = whole.header("Content-Length").flatMap({ Int($0) }) {
      content = content.prefix(count)
    } else if whole.header("Transfer-Encoding") == "chunked" {
      content = Self.dechunked(content)[...]
    }
    self.init(head: [UInt8](answer[..<end]), content: [UInt8](content))
  }

  /// Joins the content of all chunks that have been received (RFC 9112 section 7.1).
  private static func dechunked(_ chunks: ArraySlice<UInt8>) -> [UInt8] {
    var (content, rest): ([UInt8], ArraySlice<UInt8>) = ([], chunks)
    while let lineEnd = rest.firstIndex(of: 0x0D),
      let count = Int(String(decoding: rest[..<lineEnd], as: UTF8.self), radix: 16), count > 0
    {
      rest = rest[lineEnd...].dropFirst(2)
      content += rest.prefix(count)
      rest = rest.dropFirst(count + 2)
    }
    return content
  }

  private static func lines(_ text: String) -> [Substring] {
    // CR LF is one character of a Swift string.
    text.split(separator: "\r\n", omittingEmptySubsequences: true)
  }
}
