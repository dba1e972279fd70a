// The fuzzing program: one target for each parser and one for whole connections, all driven by
// libFuzzer. It hands in octets whose memory ends where they end, so AddressSanitizer sees the first
// octet read too many. A target does not only wait for a crash: it states what must hold.
//
//     fuzz --target=json CORPUS...            (scripts/fuzz does it)

import Glibc

private typealias Target = (name: String, run: @Sendable (Span<UInt8>) -> Void)

private let targets: [Target] = [
  ("request-head", fuzzRequestHead),
  ("chunked", fuzzChunked),
  ("cookies", fuzzCookies),
  ("form", fuzzForm),
  ("multipart", fuzzMultipart),
  ("next", fuzzNext),
  ("paths", fuzzPaths),
  ("authorization", fuzzAuthorization),
  ("json", fuzzJSON),
  ("json-reader", fuzzJSONReader),
  ("number", fuzzNumber),
  ("conditions", fuzzConditions),
  ("inflate", fuzzInflate),
  ("jws", fuzzJWS),
  ("certificates", fuzzCertificates),
  ("connections", fuzzConnections),
]

/// Shows that a broken rule is found; not fuzzed otherwise.
private let selfCheck: Target = ("self-check", { check($0.count > 0, "an input has octets") })

/// What is fuzzed.
public let targetNames = targets.map(\.name)

nonisolated(unsafe) private var chosen = selfCheck

/// Chooses the target; libFuzzer calls it first and ignores arguments with two hyphens itself.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>
) -> CInt {
  let words = (0..<Int(count.pointee)).compactMap { arguments.pointee[$0].map { String(cString: $0) } }
  if words.contains("--list") {
    for target in targets { print(target.name) }
    exit(0)
  }
  let target = (targets + [selfCheck]).first { words.contains("--target=" + $0.name) }
  guard let target else { fatalError("name a target with --target=NAME") }
  chosen = target
  return 0
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  chosen.run(UnsafeBufferPointer(start: start, count: count).span)
  return 0
}

/// Where broken rules are noted; `nil` where the first one ends the program, as libFuzzer wants it.
nonisolated(unsafe) private var notes: [String]?

/// States what must hold: where it does not, the input is a find.
func check(_ holds: @autoclosure () -> Bool, _ rule: StaticString) {
  guard !holds() else { return }
  if notes == nil { fatalError("broken rule: \(rule)") }
  notes?.append("\(rule)")
}

/// The rules of a target that an input breaks. For one thread at a time.
public func brokenRules(_ name: String, _ input: [UInt8]) -> [String] {
  guard let target = (targets + [selfCheck]).first(where: { $0.name == name }) else {
    return ["there is no such target"]
  }
  notes = []
  defer { notes = nil }
  withExactCopy(input) { target.run($0) }
  return notes ?? []
}
