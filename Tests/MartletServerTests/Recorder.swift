// Which changes of phase happen, and after which event. The server knows nothing of this: each call that it
// makes to the transport or to the responder is a moment at which the recorder looks at the slots, in the
// memory that the test has lent.

import MartletBytes
import Synchronization
import Testing

@testable import MartletServer

/// A change of phase: from which one, after which event, to which one.
struct Transition: Hashable, Comparable, CustomStringConvertible, Sendable {
  let from: String
  let event: String
  let to: String

  var description: String { "| \(from) | \(event) | \(to) |" }

  static func < (a: Transition, b: Transition) -> Bool { a.description < b.description }

  /// The transitions that all stages of this process have seen.
  static let seen = Mutex<Set<Transition>>([])
}

/// Watches the slots of one server.
final class Recorder {
  private let slots: UnsafeMutablePointer<Connection>
  /// The phases that have been seen last, of slots that have been used.
  private var phases: [Int: String] = [:]
  /// What has happened to a slot since then, in this turn.
  private var events: [Int: String] = [:]
  private(set) var transitions: Set<Transition> = []
  private var stopDeadline: Int64?
  private var now: Int64 = 0

  init(_ slots: UnsafeMutablePointer<Connection>) { self.slots = slots }

  private func phase(_ slot: Int) -> String {
    switch slots[slot].phase {
    case .free: "free"
    case .reading: "reading"
    case .receivingBody: "receivingBody"
    case .waiting: "waiting: \(slots[slot].reason)"
    case .sending: "sending"
    case .lingering: "lingering"
    }
  }

  /// Notes what has happened to a connection.
  func note(_ slot: Int, _ event: String) {
    look(slot)
    events[slot] = event
  }

  func note(connection number: UInt64, _ event: String) {
    for slot in phases.keys where slots[slot].phase != .free && slots[slot].number == number {
      note(slot, event)
    }
  }

  /// A slot is used.
  func open(_ slot: Int) {
    if phases[slot] == nil { phases[slot] = "free" }
    note(slot, "accepted")
  }

  /// The kernel has been asked how much of the earlier responses it holds.
  func noteUnsent(_ slot: Int, _ count: Int) {
    look(slot)
    guard count > Limits.unsentSizeMax, events[slot] != "deadline",
      slots[slot].phase != .sending || events[slot] == "sent"
    else { return }
    events[slot] = "unread"
  }

  /// A stop begins.
  func stop() {
    lookAtAll()
    stopDeadline = now + Limits.stopTimeoutMilliseconds
    for slot in phases.keys { events[slot] = "stop" }
  }

  /// From here on connections are ended only to make room.
  func makeRoom() {
    lookAtAll()
    events = [:]
  }

  /// A turn begins.
  func beginTurn(at now: Int64, _ ready: [Int: Readiness]) {
    lookAtAll()
    self.now = now
    events = [:]
    for slot in phases.keys where slots[slot].phase != .free {
      if slots[slot].deadline <= now { events[slot] = "deadline" }
      guard let ready = ready[slot] else { continue }
      if slots[slot].reads, ready.contains(.readable) {
        events[slot] = "octets"
      } else if ready.contains(.broken) {
        events[slot] = "broken"
      } else if ready.contains(.writable) {
        events[slot] = "room"
      }
    }
  }

  func lookAtAll() { for slot in phases.keys { look(slot) } }

  private func look(_ slot: Int) {
    let (from, to) = (phases[slot] ?? "free", phase(slot))
    guard from != to else { return }
    phases[slot] = to
    transitions.insert(Transition(from: from, event: event(slot, from, to), to: to))
  }

  /// The event as the table has it.
  private func event(_ slot: Int, _ from: String, _ to: String) -> String {
    if to == "free", stopDeadline.map({ $0 <= now }) ?? false { return "stop" }
    let event = events[slot] ?? (stopDeadline == nil ? "evicted" : "stop")
    switch (from, event, to) {
    case (_, "octets", "sending"), (_, "room", "sending"), (_, "upload", "sending"): return "refused"
    case (_, "later", "sending"): return "busy"
    case ("waiting: place", "later", "waiting: job"): return "place"
    case ("sending", "sent", "free"), (_, "FIN", "free"), (_, "broken", "free"), (_, "deadline", "free"),
      (_, "stop", "free"):
      return event
    case ("receivingBody", "full", "free"), ("waiting: job", "full", "free"): return "broken"
    case ("sending", "room", "free"): return stopDeadline == nil ? "failed" : "stop"
    case (_, _, "free"): return "evicted"
    default: return event
    }
  }
}
