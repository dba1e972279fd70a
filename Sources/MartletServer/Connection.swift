// One connection: where it stands between two system calls. Pure state, no I/O; the loop moves it.
//
//        accept ─► idle ─► head ─► content ─► (answered) ─► idle, or next
//                             │                   │  └─► sending ─► idle
//                             └─► receiving ──────┤
//                               (in pieces)    linger ◄─┘ (last response)
//
// An unfinished request is not stored here, and with many slow clients nowhere else in the program: its
// octets stay in the kernel's receive buffer until the request is complete (`peek`), so a connection is
// this small. A few are taken out, to a buffer of the pool (the stash): what was taken before anybody
// could know that it is not whole, and the rest of what came in one piece with earlier requests. The
// kernel would keep the whole piece for it, and have no room for what follows.
// Neither is a response that waits for its reader, as a rule: no request is answered before the
// peer's system has taken what was sent before, so that the kernel has room for the answer.

import MartletBytes
import MartletHTTP

/// The state of one connection slot.
public struct Connection: Sendable {
  /// What a connection waits for.
  public enum Phase: UInt8, Sendable {
    /// The slot holds no connection.
    case free
    /// The first octet of a request.
    case idle
    /// The rest of a request head.
    case head
    /// The rest of a request's content.
    case content
    /// The next piece of a request's content, which goes to its page in pieces.
    case receiving
    /// Its next turn: what follows the answered request has been taken with it, and is in the stash.
    case next
    /// Room with the kernel: the peer has not taken the responses before. A complete request waits.
    case unread
    /// A response buffer: a complete request waits.
    case queued
    /// Room among those that work: as many as may are working. The request waits.
    case waiting
    /// A later turn: its responder needs several for the answer. The request waits.
    case working
    /// Room at the peer's side for the rest of a response, or more of it from its page.
    case sending
    /// The peer's end, after the last response.
    case linger
  }

  /// What it waits for.
  public var phase = Phase.free
  /// Whether the connection ends after the response being sent.
  var closesAfterResponse = false
  /// Whether unread octets may still come after the last response.
  var lingers = false
  /// Whether 100 Continue has been sent for the request under way.
  var continued = false
  /// Whether its responder keeps work for it.
  var isPutOff = false
  /// Whether any request of it has been answered.
  var hasAnswered = false
  /// Whether the peer knows interim responses (HTTP/1.1).
  var knowsInterim = false
  /// How it waits where its answer takes several turns.
  var rank = WorkTurn.Rank.other
  /// Whether the peer, which has sent all that it will send, has been asked for a sign of life.
  var isProbed = false
  /// The index of the response buffer it holds, or -1.
  var responseBuffer: Int8 = -1
  /// Whether what waits with the kernel has come in one piece with what has been taken.
  var hasLeftover = false
  /// The index of the buffer that holds what has been taken out of the kernel, the stash, or -1.
  var stashBuffer: Int8 = -1
  /// The socket, or -1.
  var descriptor: Int32 = -1
  /// Octets that the kernel has taken and not yet sent, at most.
  var unsentCount: UInt32 = 0
  /// Octets of the unfinished request, or of what follows the answered one, that have been taken out of
  /// the kernel; the others wait there. Between two turns they are in the stash.
  var takenCount: UInt16 = 0
  /// Octets of the unfinished request that have been looked at.
  var examinedCount: UInt16 = 0
  /// The count that the kernel wakes us at.
  var wakeCount: UInt16 = 1
  /// Connections that the peer's network has, this one among them.
  var networkCount: UInt16 = 0
  /// Which network's share of the work it takes (`WorkTurn`).
  var share: UInt16 = 0
  /// What remains to be sent of the response, within its buffer.
  var unsentStart: UInt16 = 0
  var unsentEnd: UInt16 = 0
  /// Number of the connection, counted from 1. No other connection of the server has the number.
  var number: UInt64 = 0
  /// When the phase must have ended, on the monotonic clock, in milliseconds.
  var deadline: Int64 = 0
  /// Not moved on before this moment: set when there was nothing to do.
  var pausedUntil: Int64 = 0
  /// Where the peer is.
  var peer = IPAddress.unspecified
  /// What is longer than a buffer: of the response after its head, or of the request after its head.
  var flow = Flow.none

  init() {}

  /// Whether the rest of the request will not come as long as what is there stays with the kernel.
  var wantsStash: Bool {
    guard hasLeftover, takenCount == 0 else { return false }
    switch phase {
    case .head, .content, .receiving: return examinedCount > 0
    case .free, .idle, .next, .unread, .queued, .waiting, .working, .sending, .linger: return false
    }
  }

  /// Whether it waits for its page, which has more to say at a later moment.
  func isPaused(at moment: Moment) -> Bool {
    guard phase == .sending, responseBuffer < 0, case .pieces = flow else { return false }
    return pausedUntil > moment.monotonicMilliseconds
  }

  /// Whether its answer takes several turns.
  var works: Bool { phase == .working || phase == .waiting }

  /// Whether it has been answered, and no request of it is under way.
  var isBetweenRequests: Bool {
    hasAnswered && (phase == .idle || phase == .next || phase == .unread)
  }

  /// Whether it waits for octets.
  var reads: Bool {
    switch phase {
    case .idle, .head, .content, .receiving, .linger: true
    case .free, .next, .unread, .queued, .waiting, .working, .sending: false
    }
  }

  /// The relations that hold between two turns of the loop.
  func checkInvariants() {
    invariant((phase == .free) == (descriptor < 0), "a free slot has no descriptor")
    invariant(
      responseBuffer < 0 || phase == .sending, "who holds a response buffer is sending from it")
    invariant(stashBuffer < 0 || takenCount > 0, "who has a stash has octets in it")
    invariant(unsentStart <= unsentEnd, "what is unsent has a start and an end")
  }
}

/// Where a page is in something that is longer than a buffer: the page's own notes.
public struct Cursor: Equatable, Sendable {
  /// How far it has come; 0 at the start. What is counted is the page's affair.
  public var position: Int64
  /// Whatever else the page wants to know.
  public var note: Int64
  /// Which page it is: its number in the application.
  public var page: UInt8

  public init(page: UInt8 = 0, position: Int64 = 0, note: Int64 = 0) {
    self.page = page
    self.position = position
    self.note = note
  }
}

/// What goes through a connection in pieces, without being held in memory.
public enum Flow: Sendable {
  case none
  /// A response's content in the program's read-only data; how many octets of it have been sent.
  case data(StaticString, sentCount: UInt32)
  /// A response's content in a file: its descriptor, and what remains to be sent.
  case file(Int32, offset: Int64, end: Int64)
  /// A response's content that its page writes piece by piece.
  case pieces(Cursor, isChunked: Bool)
  /// The end of such a response, whose buffer holds its last octets.
  case piecesEnd
  /// A request's content that its page takes piece by piece.
  case content(Cursor, ContentFraming)
}

/// How far a request's content has come that is taken in pieces (RFC 9112 §6.3, §7.1).
public struct ContentFraming: Equatable, Sendable {
  enum Step: UInt8, Sendable {
    /// `remaining` octets follow and nothing else.
    case length
    /// A chunk's line follows.
    case chunkLine
    /// `remaining` octets of a chunk follow.
    case chunkData
    /// The CRLF after a chunk's data follows.
    case chunkEnd
    /// All is there.
    case complete
  }

  var step: Step
  /// Octets of the chunk extensions so far.
  var extensionSize: UInt16 = 0
  /// Octets of content until the step ends.
  var remaining: Int32
  /// Octets of content that may still come in later chunks.
  var room: Int32
  /// Milliseconds that the content may still fall behind `Limits.uploadRateMin`.
  var slack = Limits.uploadSlackMilliseconds

  /// - Parameters:
  ///   - framing: What the head says.
  ///   - countMax: Octets that the page takes.
  /// - Throws: `.contentTooLarge` when the head announces more.
  init(_ framing: BodyFraming, countMax: Int) throws(Refusal) {
    room = Int32(clamping: countMax)
    remaining = 0
    switch framing {
    case .none: step = .complete
    case .length(let count):
      guard count <= countMax else { throw .contentTooLarge }
      step = .length
      remaining = Int32(count)
    case .chunked: step = .chunkLine
    }
  }

  /// Milliseconds that the next piece may take.
  var patience: Int64 { min(Limits.contentTimeoutMilliseconds, Int64(slack)) }

  /// Octets have come: each makes up for some time.
  ///
  /// - Parameters:
  ///   - deadline: Until when the connection would have waited for them: `patience` from the octets before.
  mutating func receive(_ count: Int, after deadline: Int64, at now: Int64) {
    let took = max(0, now - (deadline - patience))
    let earned = Int64(count) * 1_000 / Int64(Limits.uploadRateMin)
    slack = Int32(
      clamping: min(Int64(slack) - took + earned, Int64(Limits.uploadSlackMilliseconds)))
  }
}
