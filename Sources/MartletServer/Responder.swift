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
  public let connection: UInt64
  /// Where the peer is: the client, or a proxy before it.
  public let peer: IPAddress

  /// - Parameters:
  ///   - octets: At least the head.
  ///   - content: The content, wherever it lies.
  @_lifetime(copy octets, copy content)
  public init(
    octets: Span<UInt8>, head: RequestHead, content: Span<UInt8>, moment: Moment,
    connection: UInt64 = 0, peer: IPAddress = .unspecified
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

/// How a request waits whose answer takes several turns of the loop.
public struct WorkTurn: Equatable, Sendable {
  /// Who goes before whom.
  public enum Rank: UInt8, Sendable {
    /// Goes before all others, and has a place kept for it: a login that is known.
    case first
    /// A password. It is worked on for as long as that takes.
    case password
    /// The page's own work, which is to come to an end within `Limits.workTimeoutMilliseconds`.
    case other
    /// It does not begin before a moment. Whoever waits so goes one after the other.
    case line

    /// Requests of that rank that are worked on at a time, with those of other ranks.
    public var placeCountMax: Int {
      self == .first ? Limits.workCountMax : max(1, Limits.workCountMax - 1)
    }

    /// Requests that wait, up to which one more of that rank may.
    var queueCountMax: Int {
      self == .first ? Limits.workQueueCountMax : Limits.workQueueCountMax - 1
    }
  }

  public var rank: Rank
  /// Which network it comes from: those of a network share what there is.
  public var share: UInt16
  /// Of the line: when its next request may begin, in milliseconds of the monotonic clock.
  public var notBefore: Int64

  public init(rank: Rank, share: UInt16 = 0, notBefore: Int64 = 0) {
    self.rank = rank
    self.share = share
    self.notBefore = notBefore
  }
}

/// What a responder decided; the octets are in the writers it was lent.
public struct Reply: Sendable {
  /// What comes of the request.
  public enum Kind: Sendable {
    /// The content is what has been written.
    case written
    /// The content is in the program's read-only data.
    case data(StaticString)
    /// The content is a whole file, which is closed when it has been sent.
    case file(descriptor: Int32, count: Int64)
    /// The content comes in pieces: `Responder.produce` is asked for them, with this cursor.
    case pieces(Cursor)
    /// There is no answer yet, because the request's content is to be taken first: in pieces, by
    /// `Responder.take`, at most that many octets.
    case content(Cursor, countMax: Int)
    /// There is no answer yet: nothing is sent, and the same request comes again in a later turn of
    /// the loop, after other connections were served.
    case later
  }

  /// The status.
  public var status: Status
  /// Octets of content written.
  public var contentCount: Int
  /// Octets of field lines written.
  public var fieldsCount: Int
  public var kind: Kind
  /// Milliseconds until the request comes again at the earliest, where there is no answer yet.
  public var pauseMilliseconds = 0
  /// How it waits, where there is no answer yet.
  public var turn = WorkTurn(rank: .other)

  public init(status: Status, contentCount: Int, fieldsCount: Int, kind: Kind = .written) {
    self.status = status
    self.contentCount = contentCount
    self.fieldsCount = fieldsCount
    self.kind = kind
  }

  /// Whether there is no answer yet because the responder needs another turn.
  public var isUnfinished: Bool {
    if case .later = kind { return true }
    return false
  }
}

/// What a responder has written of a long content.
public struct Piece: Equatable, Sendable {
  public enum Next: Equatable, Sendable {
    /// There is more.
    case more
    /// There will be more, in that many milliseconds at the earliest. Meanwhile a visitor who leaves is
    /// noticed (after ten seconds without a piece, where only the end of what it sends is known), a
    /// stop of the program does not wait, and when all connections are taken this one makes room.
    case pause(milliseconds: Int)
    /// That was all.
    case end
    /// It cannot be completed: the connection ends, so that the peer knows.
    case failed
  }

  /// Octets written.
  public var count: Int
  public var next: Next

  public init(count: Int, next: Next) {
    self.count = count
    self.next = next
  }
}

/// What a responder says to a piece of a request's content.
public enum Reception: Sendable {
  /// It is taken; the next one may come.
  case taken
  /// No more of it is wanted: the request is refused.
  case refused(Status, StaticString)
}

/// Answers requests.
public protocol Responder: ~Copyable {
  /// Answers one request.
  ///
  /// - Parameters:
  ///   - request: The whole request; without its content when that is taken in pieces.
  ///   - content: Where the content goes; at most `Limits.responseContentSizeMax` octets. Of a HEAD
  ///     request it is written and counted like GET's and not sent.
  ///   - fields: Where field lines go, each ended by CRLF. Date, Content-Length and Connection are
  ///     written by the server.
  mutating func respond(
    to request: borrowing IncomingRequest, content: consuming Writer, fields: consuming Writer
  ) -> Reply

  /// Field lines of its own responses that refusals of the server have as well, each ended by CRLF.
  static var fields: StaticString { get }

  /// Whether it ever takes content in pieces, or answers in pieces. The server leaves out what is not
  /// needed for that.
  static var takesPieces: Bool { get }
  static var answersInPieces: Bool { get }

  /// Whether a request's content is taken in pieces: `respond` is asked once the head is there.
  ///
  /// - Parameter octets: What the head was parsed from.
  func takesPieces(_ head: RequestHead, of octets: Span<UInt8>) -> Bool

  /// Takes the next piece of a request's content.
  mutating func take(_ octets: Span<UInt8>, _ cursor: inout Cursor) -> Reception

  /// Answers after the last piece, as `respond` does.
  mutating func finish(
    _ cursor: Cursor, moment: Moment, content: consuming Writer, fields: consuming Writer
  ) -> Reply

  /// Writes the next piece of a response's content.
  mutating func produce(_ cursor: inout Cursor, content: consuming Writer) -> Piece

  /// The connection ended before the last piece, of either direction.
  mutating func abandon(_ cursor: Cursor)

  /// Goes on with the work of a request that `respond` has put off: about a tenth of a millisecond.
  ///
  /// - Returns: Whether `respond` is to be asked again.
  mutating func work(_ connection: UInt64) -> Bool

  /// The connection ended before the answer to a request that was put off.
  mutating func cancel(_ connection: UInt64)

  /// The server has stopped.
  mutating func serverStopped(at moment: Moment)
}

extension Responder where Self: ~Copyable {
  public static var fields: StaticString { "" }
  public static var takesPieces: Bool { false }
  public static var answersInPieces: Bool { false }

  public func takesPieces(_ head: RequestHead, of octets: Span<UInt8>) -> Bool { false }

  public mutating func take(_ octets: Span<UInt8>, _ cursor: inout Cursor) -> Reception {
    stop("a responder that takes pieces says how")
  }

  public mutating func finish(
    _ cursor: Cursor, moment: Moment, content: consuming Writer, fields: consuming Writer
  ) -> Reply {
    stop("a responder that takes pieces says how")
  }

  public mutating func produce(_ cursor: inout Cursor, content: consuming Writer) -> Piece {
    stop("a responder that answers in pieces says how")
  }

  public mutating func abandon(_ cursor: Cursor) {}

  public mutating func work(_ connection: UInt64) -> Bool { true }

  public mutating func cancel(_ connection: UInt64) {}

  public mutating func serverStopped(at moment: Moment) {}
}

/// The page that a refused request gets: what, and why, for a person.
public enum RefusalPage {
  /// Writes the content of a refusal: a small HTML page without any text from outside.
  ///
  /// - Parameters:
  ///   - home: The path that the page links to; empty for no link.
  ///   - prefix: The path below which browsers see that one.
  @_lifetime(writer: copy writer)
  public static func write(
    _ status: Status, _ reason: Span<UInt8>, home: StaticString = "",
    below prefix: Span<UInt8> = Span(), to writer: inout Writer
  ) {
    writer.append("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">")
    writer.append("<meta name=\"viewport\" content=\"width=device-width\"><title>")
    writer.append(decimal: status.code)
    writer.append(" ")
    writer.append(status.reasonPhrase)
    writer.append("</title><h1>")
    writer.append(status.reasonPhrase)
    writer.append("</h1><p>")
    writer.append(reason)
    if home.utf8CodeUnitCount > 0 {
      writer.append("</p><p><a href=\"")
      writer.append(prefix)
      writer.append(home)
      writer.append("\">Go to the first page</a>")
    }
    writer.append("</p></html>\n")
  }

  /// Writes the field lines that go with it.
  @_lifetime(writer: copy writer)
  public static func writeFields(to writer: inout Writer) {
    writer.append("Content-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\n")
  }
}
