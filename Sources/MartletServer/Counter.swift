// What has happened so far, counted: what an operator wants to see when a device is short of something.
// The counts lie in static memory of C, one set a process.

import CMartletPlatform
import MartletBytes

/// Something that is counted from the program's start on. Names and meanings are those of `/metrics`.
public enum Counter: UInt8, Sendable {
  /// Connections taken from the listener.
  case connectionsAccepted
  /// Connections ended to make room for a new one: all slots, or all descriptors, were taken.
  case connectionsEvicted
  /// Times that new connections were left with the kernel for a while, because nothing could be ended.
  case listenerPaused
  /// Times that the system had no descriptor or memory for a connection.
  case descriptorsExhausted
  /// Requests answered by a page.
  case requestsAnswered
  /// Requests refused by the server, with a 4xx or 5xx status and the end of the connection.
  case requestsRefused
  /// Requests that waited for a response buffer.
  case requestsQueued
  /// Requests that waited because their client had not taken its earlier responses.
  case requestsUnread
  /// Times that octets of requests which could not be answered at once were put into a response buffer.
  case requestsStashed
  /// Requests answered with 503 because too much was under way.
  case requestsTurnedAway
  /// Times that the kernel took a part of what was to be sent.
  case sendsPartial
  /// Waits for a client that took too long.
  case deadlinesPassed

  /// Counts one more.
  func add() { martlet_count_add(Int(rawValue)) }

  /// How often it has happened.
  public var value: UInt64 { martlet_count(Int(rawValue)) }
}
