// Each system call made to fail at each position, in turn: what a run without faults has called says
// where, and CFaults's table what can happen there.

import CFaults
import Testing

/// All tests with faults: one after the other, because there is one plan.
@Suite(.serialized) struct EachFault {}

enum Faults {
  /// One call that a run has made.
  struct Call {
    let name: String
    let position: Int
    let descriptor: Int
    let path: String
    let result: Int
    let isInjected: Bool
  }

  /// One thing that goes wrong.
  struct Fault: CustomStringConvertible {
    let call: Call
    let fault: String

    var description: String { "\(call.name):\(call.position):\(fault)" }

    /// Whether the product is to go on as if nothing had been.
    var isRepaired: Bool {
      switch (call.name, fault) {
      case ("openat2", "EAGAIN"), ("openat2", "EPERM"), ("openat2", "ENOSYS"): true
      case (_, "EINTR"), (_, "short"), ("getrandom", _), ("poll", _), ("accept4", _), ("send", "EAGAIN"): true
      default: false
      }
    }
  }

  /// Forgets what was called, and takes a plan.
  static func plan(_ faults: Fault...) {
    let text = faults.map(\.description).joined(separator: ",")
    #expect(faults_plan(text), "\(text) is a plan")
  }

  /// Runs what is under test; only this thread's calls meanwhile count.
  static func under<R>(_ body: () -> R) -> R {
    faults_begin()
    defer { faults_end() }
    return body()
  }

  /// The calls since the plan was made.
  static var calls: [Call] {
    (0..<faults_call_count()).map { index in
      let call = faults_call_at(index)
      return Call(
        name: String(cString: call.name), position: Int(call.position),
        descriptor: Int(call.descriptor), path: String(cString: call.path), result: call.result,
        isInjected: call.is_injected)
    }
  }

  /// Everything that can go wrong in these calls, once each.
  static func all(in calls: [Call]) -> [Fault] {
    calls.flatMap { call in
      String(cString: faults_of(call.name)).split(separator: " ").map {
        Fault(call: call, fault: String($0))
      }
    }
  }
}
