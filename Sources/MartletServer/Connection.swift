// One connection: where it stands between two system calls. Pure state, no I/O; the loop moves it.
//
//        accept ─► idle ─► head ─► content ─► (answered) ─► idle
//                                                 │  └─► sending ─► idle
//                                              linger ◄─┘ (last response)
//
// An unfinished request is not stored here, nor anywhere else in the program: its octets stay in the
// kernel's receive buffer until the request is complete (`peek`), so a connection is this small.

import MartletBytes

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
    /// A response buffer: a complete request waits with the kernel.
    case queued
    /// A later turn: its responder needs several for the answer. The request waits with the kernel.
    case working
    /// Room at the peer's side for the rest of a response.
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
  /// The index of the response buffer it holds, or -1.
  var responseBuffer: Int8 = -1
  /// The socket, or -1.
  var descriptor: Int32 = -1
  /// Which connection of the server it is, counted from 1; after 2^32 the count begins again.
  var number: UInt32 = 0
  /// Octets of the unfinished request that have been looked at.
  var examinedCount: UInt16 = 0
  /// The count that the kernel wakes us at.
  var wakeCount: UInt16 = 1
  /// What remains to be sent of the response, within its buffer.
  var unsentStart: UInt16 = 0
  var unsentEnd: UInt16 = 0
  /// When the phase must have ended, on the monotonic clock, in milliseconds.
  var deadline: Int64 = 0
  /// Not read before this moment: set when the kernel woke us for nothing.
  var pausedUntil: Int64 = 0

  init() {}

  /// The relations that hold between two turns of the loop.
  func checkInvariants() {
    invariant((phase == .free) == (descriptor < 0), "a free slot has no descriptor")
    invariant((phase == .sending) == (responseBuffer >= 0), "who sends holds a response buffer")
    invariant(unsentStart <= unsentEnd, "what is unsent has a start and an end")
  }
}
