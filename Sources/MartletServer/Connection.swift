// One connection: its state between two system calls. Pure state, no I/O; the loop changes it.
//
//     free ─accepted─▶ reading ─octets─▶ receivingBody ─answer─▶ sending ─sent─▶ reading, or free
//                         │                   │                 ▲   │
//                         ├── answer ─────────┼─────────────────┘   │ last response
//                         └──── later ──▶ waiting ── answer ──▲     ▼
//                                                               lingering
//
// The whole drawing, with each event, is in the documentation: "How a request travels". The test
// `StatesTests` holds its table against this code.
//
// Octets of a request that cannot be answered at once lie in a block of the pool, at `start..<end`.

import MartletBytes
import MartletHTTP

/// The state of one connection slot.
struct Connection: Sendable {
  /// Where a connection is in its journey.
  enum Phase: UInt8, Sendable {
    /// The slot has no connection.
    case free
    /// recv() is to bring a request's head, or the rest of it.
    case reading
    /// recv() is to bring content: of a form until it is whole, of an upload piece by piece.
    case receivingBody
    /// A request waits; `reason` says for what.
    case waiting
    /// The rest of a response waits until the kernel takes octets, or until its page writes more.
    case sending
    /// The last response has been sent. recv() is to bring the peer's FIN.
    case lingering
  }

  /// What a request in the phase `waiting` waits for.
  enum Reason: UInt8, Sendable {
    /// The kernel's send buffer has room: the peer has not read the responses before.
    case room
    /// A place among the requests that are worked on.
    case place
    /// Its work, which takes several turns of the loop.
    case job
  }

  /// What follows the last octet of the response.
  enum AfterResponse: UInt8, Sendable {
    /// The next request.
    case keepAlive
    /// close().
    case close
    /// shutdown(SHUT_WR), then the peer's FIN: octets of the peer may still be on their way.
    case linger
  }

  var phase = Phase.free
  var reason = Reason.room
  var afterResponse = AfterResponse.keepAlive
  /// Whether 100 Continue has been sent for the request under way.
  var hasContinued = false
  /// Whether a request of the connection has been answered.
  var hasAnswered = false
  /// Whether the responder keeps work for the request.
  var hasWork = false
  /// Whether the peer has sent FIN while its request waits, and a probe has been sent.
  var isProbed = false
  /// Of HTTP/1.x, in the request under way.
  var minorVersion: UInt8 = 0
  /// How the request waits for its work.
  var rank = WorkTurn.Rank.other
  /// Octets of requests that have been received and not consumed: their block, where they begin, how far
  /// they have been scanned or decoded, and where they end.
  var block = BlockPool.none
  var start: UInt16 = 0
  var scanned: UInt16 = 0
  var end: UInt16 = 0
  /// The rest of a response that the kernel has not taken: its block, and the octets to be sent.
  var responseBlock = BlockPool.none
  var unsentStart: UInt16 = 0
  var unsentEnd: UInt16 = 0
  /// Connections of the peer's network, this one included.
  var networkCount: UInt16 = 0
  /// The network that the request's work is counted for (`WorkTurn`).
  var share: UInt16 = 0
  /// Octets that the kernel has taken and not yet sent, at most.
  var unsentCount: UInt32 = 0
  /// Milliseconds that an upload may still fall behind `Limits.uploadRateMin`. Of a file that is sent: how often
  /// in a row the disk has been asked for the next octets, and has not brought them.
  var slack: Int32 = 0
  /// Where in the table the connection's slot is.
  let index: UInt16
  /// Number of the connection, counted from 1. No other connection of the server has the number.
  var number: UInt64 = 0
  /// When the phase must have ended, in milliseconds of the monotonic clock.
  var deadline: Int64 = 0
  /// The connection is not looked at before: a page rests, or there was nothing to do. `.max`: a stream waits
  /// until it is woken.
  var pausedUntil: Int64 = 0
  /// Where the peer is.
  var peer = IPAddress.unspecified
  /// What is longer than a block: of the response after its head, or of the request after its head.
  var flow = Flow.none

  init(index: UInt16) { self.index = index }

  /// How often in a row the disk has been asked for the next octets of the file that is sent.
  var diskAskCount: Int32 {
    get { slack }
    set { slack = newValue }
  }

  /// Octets of requests that have been received and not consumed.
  var held: Range<Int> { Int(start)..<Int(end) }

  /// Whether recv() brings what the connection waits for.
  var reads: Bool { phase == .reading || phase == .receivingBody || phase == .lingering }

  /// Whether the request waits for that reason.
  func waits(for reason: Reason) -> Bool { phase == .waiting && self.reason == reason }

  /// Whether the answer takes several turns of the loop.
  var works: Bool { waits(for: .job) || waits(for: .place) }

  /// Since when the client has kept the connection waiting; `now` where it has not.
  @inline(never)
  func waitsSince(_ now: Int64) -> Int64 {
    switch phase {
    case .reading where !held.isEmpty: deadline - Limits.headTimeoutMilliseconds
    case .reading, .lingering: deadline - Limits.idleTimeoutMilliseconds
    case .receivingBody: deadline - Limits.contentTimeoutMilliseconds
    case .waiting where reason == .room: deadline - Limits.sendTimeoutMilliseconds
    case .free, .waiting, .sending: now
    }
  }

  /// Whether a request has been answered, and none is under way.
  var isBetweenRequests: Bool {
    hasAnswered && (phase == .reading && held.isEmpty || waits(for: .room))
  }

  /// Whether the response waits for its page, which writes more at a later moment.
  func isPaused(at moment: Moment) -> Bool {
    guard phase == .sending, responseBlock < 0, case .stream = flow else { return false }
    return pausedUntil > moment.monotonicMilliseconds
  }

  /// Whether the response waits until the disk has brought the next octets of its file.
  func waitsForDisk(at moment: Int64) -> Bool {
    guard phase == .sending, responseBlock < 0, case .file = flow else { return false }
    return pausedUntil > moment
  }

  /// Checks relations that hold between two turns of the loop.
  func checkInvariants() {
    invariant(start <= scanned && scanned <= end, "octets are consumed, scanned, received in this order")
    invariant((block > 0) == (start < end), "a connection has a block while it holds octets")
    invariant(
      (responseBlock >= 0) == (unsentStart < unsentEnd), "a connection has a block while octets wait")
    invariant(responseBlock < 0 || phase == .sending, "what waits to be sent is being sent")
  }
}

/// How far a stream has come: what its page notes from one piece to the next.
public struct StreamState: Equatable, Sendable {
  /// How far the page has come; 0 at the start. What is counted is the page's affair.
  public var position: Int64
  /// Whatever else the page notes.
  public var note: Int64
  /// The page's number in the application. The number says which streams are woken together.
  public var page: UInt8
  /// Names the login of the reader; 0: none. The number says which streams end when the login ends.
  public var login: UInt32 = 0

  public init(page: UInt8 = 0, position: Int64 = 0, note: Int64 = 0) {
    self.page = page
    self.position = position
    self.note = note
  }
}

/// An upload that is being received. Its block holds `state | head, parsed | head | octets kept`.
struct Upload: Sendable {
  /// How far the content has been decoded.
  var decoder = ContentDecoder()
  var block: Block
  /// Octets of the head.
  var headSize: UInt16
  /// Octets behind the head that have not been decoded: a part of a chunk's line, or of the trailer section.
  var keptCount: UInt16 = 0
}

/// What goes through a connection without being held in memory as a whole.
enum Flow: Sendable {
  case none
  /// A response's content in the program's read-only data; how many octets of it have been sent.
  case data(ConstantOctets, sentCount: UInt32)
  /// A response's content in a file: its descriptor, what remains to be sent of a range, and the number of
  /// the list with further ranges, or -1.
  case file(Int32, list: Int8, offset: Int64, end: Int64)
  /// A response's content that its page writes piece by piece.
  case stream(StreamState, isChunked: Bool)
  /// The end of such a response, whose last octets wait to be sent.
  case streamEnd
  /// A request's content that is handled when it is whole.
  case form(ContentDecoder)
  /// A request's content that its page receives piece by piece.
  case upload(Upload)
}
