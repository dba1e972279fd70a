// The one protocol that the layers above conform to: a request in, a response out. The loop calls it
// with a whole request, in place, and with the memory to answer in.

public import MartletBytes
public import MartletHTTP

/// A complete request, in place: valid while it is being answered.
public struct IncomingRequest: ~Escapable {
  /// The request's octets; the head's ranges mean these.
  public let octets: Span<UInt8>
  /// The head.
  public let head: RequestHead
  /// The content, chunks put together; empty when there is none.
  public let content: Span<UInt8>
  /// The time of this turn.
  public let moment: Moment
  /// Which connection it came on; none other of this server has the number.
  public let connection: UInt32
  /// Where the peer is: the client, or a proxy before it.
  public let peer: IPAddress

  /// - Parameters:
  ///   - octets: At least the head.
  ///   - content: The content, wherever it lies.
  @_lifetime(copy octets, copy content)
  public init(
    octets: Span<UInt8>, head: RequestHead, content: Span<UInt8>, moment: Moment,
    connection: UInt32 = 0, peer: IPAddress = .unspecified
  ) {
    self.connection = connection
    self.peer = peer
    self.octets = octets
    self.head = head
    self.content = content
    self.moment = moment
  }

  /// The same view.
  @_lifetime(copy self)
  public func copy() -> IncomingRequest {
    IncomingRequest(
      octets: octets, head: head, content: content, moment: moment, connection: connection,
      peer: peer)
  }
}

/// What a responder decided; the octets are in the writers it was lent.
public struct Reply: Equatable, Sendable {
  /// The status.
  public var status: Status
  /// Octets of content written.
  public var contentCount: Int
  /// Octets of field lines written.
  public var fieldsCount: Int
  /// Whether there is no answer yet: nothing is sent, and the same request comes again in the next
  /// turn of the loop. Meanwhile other connections are served.
  public var isUnfinished: Bool

  public init(status: Status, contentCount: Int, fieldsCount: Int, isUnfinished: Bool = false) {
    self.isUnfinished = isUnfinished
    self.status = status
    self.contentCount = contentCount
    self.fieldsCount = fieldsCount
  }
}

/// Answers requests.
public protocol Responder: ~Copyable {
  /// Answers one request.
  ///
  /// - Parameters:
  ///   - request: The whole request.
  ///   - content: Where the content goes; at most `Limits.responseContentSizeMax` octets. Of a HEAD
  ///     request it is written and counted like GET's and not sent.
  ///   - fields: Where field lines go, each ended by CRLF. Date, Content-Length and Connection are
  ///     written by the server.
  mutating func respond(
    to request: borrowing IncomingRequest, content: consuming Writer, fields: consuming Writer
  ) -> Reply
}

/// The page that a refused request gets: what, and why, for a person.
public enum RefusalPage {
  /// Writes the content of a refusal: a small HTML page without any text from outside.
  @_lifetime(writer: copy writer)
  public static func write(_ status: Status, _ reason: Span<UInt8>, to writer: inout Writer) {
    writer.append("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">")
    writer.append("<meta name=\"viewport\" content=\"width=device-width\"><title>")
    writer.append(decimal: status.code)
    writer.append(" ")
    writer.append(status.reasonPhrase)
    writer.append("</title><h1>")
    writer.append(status.reasonPhrase)
    writer.append("</h1><p>")
    writer.append(reason)
    writer.append("</p></html>\n")
  }

  /// Writes the field lines that go with it.
  @_lifetime(writer: copy writer)
  public static func writeFields(to writer: inout Writer) {
    writer.append("Content-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\n")
  }
}
