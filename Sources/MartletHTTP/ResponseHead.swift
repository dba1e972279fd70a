// Writes a response head (RFC 9112 §4 and §5): status line, the server's own fields, the page's field
// lines, the empty line. `append(field:...)` refuses control octets, so that no value can begin another
// field line.

public import MartletBytes

/// The status and the server's own fields of a response head.
public struct ResponseHead: Equatable, Sendable {
  public var status: Status
  /// Octets of the content. For a response to HEAD: octets of the content that GET would bring. Not written
  /// with a status that has no content.
  public var contentLength: Int64
  /// Whether the server closes the connection after this response.
  public var closes: Bool
  /// How the content is delimited.
  public var framing = Framing.length

  /// How a response's content is delimited (RFC 9112 §6.3).
  public enum Framing: Equatable, Sendable {
    /// By `contentLength`.
    case length
    /// By chunks.
    case chunked
    /// By the end of the connection.
    case untilClose
  }

  public init(status: Status, contentLength: Int, closes: Bool) {
    self.status = status
    self.contentLength = Int64(contentLength)
    self.closes = closes
  }

  /// The interim response that tells a waiting peer to send its content (RFC 9110 §15.2.1).
  public static var interimContinue: StaticString { "HTTP/1.1 100 Continue\r\n\r\n" }
}

extension Writer {
  /// Writes a whole response head with the empty line that ends it.
  ///
  ///     HTTP/1.1 200 OK
  ///     Date: Sun, 06 Nov 1994 08:49:37 GMT
  ///     Content-Length: 14
  ///     Connection: close
  ///
  /// When the connection stays open, the head says how long a client may rest (`Keep-Alive: timeout=85`).
  ///
  /// - Parameters:
  ///   - head: Status and the server's own fields.
  ///   - date: The value of the Date field. A server with a clock must send Date (RFC 9110 §6.6.1).
  ///   - fieldLines: The page's field lines, each with its CRLF, as `append(field:...)` and the code for
  ///     cookies write them.
  @_lifetime(self: copy self)
  public mutating func append(
    _ head: ResponseHead, date: borrowing HTTPDate, fieldLines: Span<UInt8>
  ) {
    append("HTTP/1.1 ")
    append(decimal: Int(head.status.code), digitCountMin: 3)
    append(" ")
    append(head.status.reasonPhrase)
    append("\r\nDate: ")
    append(date.span)
    append("\r\n")
    if head.status.allowsContent {
      switch head.framing {
      case .length:
        append("Content-Length: ")
        append(decimal: head.contentLength)
        append("\r\n")
      case .chunked: append("Transfer-Encoding: chunked\r\n")
      case .untilClose: break
      }
    }
    if head.closes {
      append("Connection: close\r\n")
    } else {
      // Keep-Alive tells clients when the server closes, so that no request is sent at that moment. The
      // field concerns this connection only, so Connection names the field (RFC 9110 §7.6.1).
      append("Connection: keep-alive\r\nKeep-Alive: timeout=")
      append(decimal: Limits.keepAliveSeconds)
      append("\r\n")
    }
    append(fieldLines)
    append("\r\n")
  }

  /// Writes one field line from literals.
  ///
  /// - Parameters:
  ///   - name: A token.
  ///   - value: Octets without controls. A control octet, or a name that is no token, is a bug and stops
  ///     the program.
  @_lifetime(self: copy self)
  public mutating func append(field name: StaticString, value: StaticString) {
    invariant(append(field: name, checking: value.octets), "a literal field value has no controls")
  }

  /// Writes one field line whose value comes from outside the program.
  ///
  /// - Parameters:
  ///   - name: A token. A name that is no token is a bug and stops the program.
  ///   - value: The field's value, not checked yet.
  /// - Returns: `false` when the value holds a control octet other than HTAB. Nothing has been written
  ///   then, because CR LF in a value would begin another field (response splitting).
  @_lifetime(self: copy self)
  public mutating func append(field name: StaticString, checking value: Span<UInt8>) -> Bool {
    let token = name.octets
    invariant(token.count > 0, "a field name is not empty")
    for i in token.indices {
      invariant(ASCII.isTokenCharacter(token[i]), "a field name is a token")
    }
    var i = 0
    while let control = value.firstControl(from: i) {
      guard ASCII.isFieldValueOctet(value[control]) else { return false }
      i = control &+ 1
    }
    append(token)
    append(": ")
    append(value)
    append("\r\n")
    return true
  }
}
