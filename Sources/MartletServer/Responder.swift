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
    case data(ConstantOctets)
    /// The content is a file, or parts of it. The file is closed when the content has been sent.
    case file(FileContent)
    /// The content is a stream: `Responder.produce` writes it piece by piece, with this state first.
    case stream(StreamState)
    /// There is no answer yet, because the request's content, at most that many octets, is received first.
    /// Only for a request that `Responder.isUpload` knows. `Responder.beginUpload` is called at once.
    case upload(countMax: Int)
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
  /// Whether the server stops as at SIGTERM. The stop begins after the turn in which the answer was first
  /// sent, and what is being sent then is finished. Without meaning where there is no answer yet.
  public var stopsServer = false

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

/// Content from a file.
public struct FileContent: Equatable, Sendable {
  public let descriptor: Int32
  /// The number under which the responder keeps several parts (`Responder.nextPart`); -1: one range is sent.
  public let list: Int8
  /// The octets that are sent first; empty where there are several parts.
  public let range: Range<Int64>
  /// Octets of the content, with those that the responder writes between the parts.
  public let count: Int64

  /// The first `count` octets of a file: a whole file, as a rule.
  public init(descriptor: Int32, count: Int64) { self.init(descriptor: descriptor, 0..<count) }

  /// One range of a file.
  public init(descriptor: Int32, _ range: Range<Int64>) {
    self.descriptor = descriptor
    list = -1
    self.range = range
    count = range.upperBound - range.lowerBound
  }

  /// Several parts.
  public init(descriptor: Int32, list: Int8, count: Int64) {
    self.descriptor = descriptor
    self.list = list
    range = 0..<0
    self.count = count
  }
}

/// One part of a file's content.
public struct FilePart: Equatable, Sendable {
  /// Octets that the responder has written before the range.
  public var count: Int
  /// The octets of the file that follow; `nil` at the end of the content.
  public var range: Range<Int64>?

  public init(count: Int, range: Range<Int64>?) {
    self.count = count
    self.range = range
  }
}

/// What follows a piece of a stream.
public enum StreamStep: Equatable, Sendable {
  /// The next piece, when the kernel has room for it.
  case more
  /// The next piece, in that many milliseconds at the earliest, or when the stream is woken. Meanwhile a
  /// peer that is gone is noticed: at once, or after ten seconds where only its FIN has come. A stop of the
  /// server ends the stream, and when all slots are taken the stream's connection may be closed.
  case pause(milliseconds: Int)
  /// The next piece, when the stream is woken (`Responder.removeWoken`); otherwise as in a pause.
  case wait
  /// Nothing: the content is complete.
  case end
  /// Nothing: the content cannot be completed. The connection is closed, so that the peer notices.
  case failed
}

/// What a responder has written of a stream.
public struct Piece: Equatable, Sendable {
  /// Octets written.
  public var count: Int
  public var next: StreamStep

  public init(count: Int, next: StreamStep) {
    self.count = count
    self.next = next
  }
}

/// The streams that are woken, as a set of page numbers, and the login whose streams end.
public struct StreamSet: Sendable {
  private var bits = InlineArray<4, UInt64>(repeating: 0)
  /// The streams of that login are ended (`StreamState.login`); 0: of none; `.max`: of all.
  private var endedLogin: UInt32 = 0

  /// No page.
  public init() {}

  /// Whether no page is in the set, and no login has ended.
  public var isEmpty: Bool { bits[0] | bits[1] | bits[2] | bits[3] | UInt64(endedLogin) == 0 }

  /// Adds a page, by its number.
  public mutating func insert(_ page: UInt8) { bits[Int(page >> 6)] |= 1 << UInt64(page & 63) }

  /// Adds the streams of a login, which are to end. Of two logins in one turn the streams of all logins end, so
  /// that the set stays small. Their readers ask again.
  public mutating func end(login: UInt32) {
    guard login != 0 else { return }
    endedLogin = endedLogin == 0 || endedLogin == login ? login : .max
  }

  /// Whether the streams of a login are to end.
  func ends(login: UInt32) -> Bool { login != 0 && (endedLogin == login || endedLogin == .max) }

  /// Whether a page is in the set.
  public func contains(_ page: UInt8) -> Bool { bits[Int(page >> 6)] >> UInt64(page & 63) & 1 == 1 }
}

/// What a responder says to octets of an upload.
public enum UploadStep: Sendable {
  /// The next octets may come.
  case more
  /// The request is refused: with that status, and with a page that gives the reason.
  case refuse(Status, StaticString)
}

/// Answers requests.
public protocol Responder: ~Copyable {
  /// Answers one request.
  ///
  /// - Parameters:
  ///   - request: The whole request; of an upload, without its content.
  ///   - content: Where the content goes; at most `Limits.responseContentSizeMax` octets. Of a HEAD
  ///     request it is written and counted like GET's and not sent.
  ///   - fields: Where field lines go, each ended by CRLF. Date, Content-Length and Connection are
  ///     written by the server.
  mutating func respond(
    to request: borrowing IncomingRequest, content: consuming Writer, fields: consuming Writer
  ) -> Reply

  /// Field lines of its own responses that refusals of the server have as well, each ended by CRLF.
  static var fields: StaticString { get }

  /// Says what the octets of the next request go through, where the transport encrypts.
  mutating func note(_ channel: Channel)

  // MARK: Uploads

  /// Octets of the state that is kept for each upload, at most `Limits.uploadStateSizeMax`. 0: there are no
  /// uploads, and the server leaves out what they need.
  static var uploadStateSize: Int { get }

  /// Whether a request's content is received piece by piece. `respond` is then called once the head has
  /// been received, and answers or returns `.upload`.
  ///
  /// - Parameter octets: What the head was parsed from.
  mutating func isUpload(_ head: RequestHead, _ octets: Span<UInt8>) -> Bool

  /// Begins the upload for which `respond` has just returned `.upload`. From here on either `finish` answers
  /// or `abandon` is called for the upload, once.
  ///
  /// - Parameter state: The upload's own memory: `uploadStateSize` octets, aligned to 16. What the memory
  ///   holds at first is not defined.
  mutating func beginUpload(_ state: inout MutableSpan<UInt8>)

  /// Receives the next octets of an upload's content.
  ///
  /// - Parameters:
  ///   - request: The upload's request without its content, at the moment of this turn.
  ///   - state: What earlier calls have left there.
  /// - Returns: Whether more octets may come. After a refusal `abandon` is called.
  mutating func receive(
    _ octets: Span<UInt8>, of request: borrowing IncomingRequest, _ state: inout MutableSpan<UInt8>
  ) -> UploadStep

  /// Answers an upload whose content is complete, as `respond` does.
  ///
  /// - Returns: An answer, or `.later`: `finish` is then called again, or `abandon`. Never `.upload`.
  mutating func finish(
    _ request: borrowing IncomingRequest, _ state: inout MutableSpan<UInt8>,
    content: consuming Writer, fields: consuming Writer
  ) -> Reply

  /// Writes the error page of an upload that is refused: by `receive`, or because its content is malformed,
  /// too large or too slow. `abandon` is called afterwards.
  ///
  /// - Parameter reason: HTML.
  /// - Returns: An answer of the kind `written`.
  mutating func refuse(
    _ request: borrowing IncomingRequest, _ state: inout MutableSpan<UInt8>, _ status: Status,
    _ reason: Span<UInt8>, content: consuming Writer, fields: consuming Writer
  ) -> Reply

  /// The upload ends before its content is complete. The peer is gone, the content is refused or came too
  /// slowly, the server stops, or memory is short.
  mutating func abandon(_ request: borrowing IncomingRequest, _ state: inout MutableSpan<UInt8>)

  // MARK: Files

  /// Whether there is content from files. Otherwise the server leaves out what it needs.
  static var hasFiles: Bool { get }

  /// Writes what stands before the next part of a file's content, or after the last part.
  ///
  /// - Parameter list: The number that the content has (`FileContent.list`).
  mutating func nextPart(_ list: Int8, content: consuming Writer) -> FilePart

  /// The content with that number has been sent, or the connection is gone. Called once.
  mutating func endParts(_ list: Int8)

  // MARK: Streams

  /// Whether there are streams. Otherwise the server leaves out what they need.
  static var hasStreams: Bool { get }

  /// Writes the next piece of a stream.
  ///
  /// - Parameter state: What the page has noted before, and what it notes for the next piece.
  mutating func produce(_ state: inout StreamState, content: consuming Writer) -> Piece

  /// The stream ends before its last piece.
  mutating func abandon(_ state: StreamState)

  /// The pages whose streams are to write now. The set is asked for once a turn, after all other calls, and
  /// is empty afterwards. Their streams that pause or wait write in the same turn where the kernel has room.
  mutating func removeWoken() -> StreamSet

  // MARK: Watches

  /// Whether the loop waits for descriptors of the responder beside the connections: the output of programs.
  /// Otherwise the server leaves out what they need.
  static var hasWatches: Bool { get }

  /// The descriptor that the loop waits for in order to read; negative: none.
  ///
  /// - Parameter index: Below `Limits.watchCountMax`.
  func watched(_ index: Int) -> Int32

  /// When `lookAfterWatches` is to be called at the latest, in milliseconds of the monotonic clock.
  var nextWatchMoment: Int64 { get }

  /// Called once a turn, before connections are served.
  ///
  /// - Parameter ready: A bit for each descriptor at which something came.
  mutating func lookAfterWatches(_ ready: UInt8, now: Int64)

  // MARK: Time

  /// Milliseconds between two calls of `tick`; 0: there are none.
  static var tickMilliseconds: Int { get }

  /// That much time of the monotonic clock has passed, with connections or without. The first call comes
  /// one period after the server's start. Calls that are missed, because a turn takes long, are left out.
  ///
  /// - Parameter content: Memory for text that is made during the call. Nothing of it is sent.
  mutating func tick(at moment: Moment, content: consuming Writer)

  // MARK: Work

  /// Whether an answer may take several turns (`Reply.Kind.later`). Otherwise the server leaves out what such
  /// answers need: 2 KB.
  static var hasWork: Bool { get }

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
  public mutating func note(_ channel: Channel) {}
  /// Whether there are uploads.
  @inline(__always)
  public static var hasUploads: Bool { uploadStateSize > 0 }
  public static var uploadStateSize: Int { 0 }

  public mutating func isUpload(_ head: RequestHead, _ octets: Span<UInt8>) -> Bool { false }

  public mutating func beginUpload(_ state: inout MutableSpan<UInt8>) { noUploads() }

  public mutating func receive(
    _ octets: Span<UInt8>, of request: borrowing IncomingRequest, _ state: inout MutableSpan<UInt8>
  ) -> UploadStep { noUploads() }

  public mutating func finish(
    _ request: borrowing IncomingRequest, _ state: inout MutableSpan<UInt8>,
    content: consuming Writer, fields: consuming Writer
  ) -> Reply { noUploads() }

  public mutating func refuse(
    _ request: borrowing IncomingRequest, _ state: inout MutableSpan<UInt8>, _ status: Status,
    _ reason: Span<UInt8>, content: consuming Writer, fields: consuming Writer
  ) -> Reply {
    fields.append(Self.fields)
    RefusalPage.write(status, reason, to: &content)
    RefusalPage.writeFields(to: &fields)
    return Reply(status: status, contentCount: content.count, fieldsCount: fields.count)
  }

  public mutating func abandon(
    _ request: borrowing IncomingRequest, _ state: inout MutableSpan<UInt8>
  ) {}

  private func noUploads() -> Never { stop("a responder with uploads says how") }

  public static var hasFiles: Bool { true }

  public mutating func nextPart(_ list: Int8, content: consuming Writer) -> FilePart {
    stop("a responder with several parts says how")
  }

  public mutating func endParts(_ list: Int8) {}

  public static var hasStreams: Bool { false }

  public mutating func produce(_ state: inout StreamState, content: consuming Writer) -> Piece {
    stop("a responder with streams says how")
  }

  public mutating func abandon(_ state: StreamState) {}

  public mutating func removeWoken() -> StreamSet { StreamSet() }

  public static var hasWatches: Bool { false }

  public func watched(_ index: Int) -> Int32 { -1 }

  public var nextWatchMoment: Int64 { .max }

  public mutating func lookAfterWatches(_ ready: UInt8, now: Int64) {}

  public static var tickMilliseconds: Int { 0 }

  public mutating func tick(at moment: Moment, content: consuming Writer) {}

  public static var hasWork: Bool { true }
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
