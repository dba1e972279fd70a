// What fuzzing has found worth keeping, as tests: each input of a corpus must keep the rules that its
// target states, here without libFuzzer.

import Foundation
import Fuzz
import Testing

/// A folder below Tests/Fuzz/corpus, or one of its files.
private func corpus(_ name: String) -> URL {
  URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fuzz/corpus/" + name)
}

@Suite("Corpora of the fuzzers", .serialized)
struct CorpusTests {
  @Test("Every target has a corpus, and each input in it keeps the target's rules", arguments: targetNames)
  func inputs(target: String) throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: corpus(target).path)
    #expect(files.count >= 10)
    for file in files.sorted() {
      let input = [UInt8](try Data(contentsOf: corpus(target).appendingPathComponent(file)))
      for rule in brokenRules(target, input) { Issue.record("\(target)/\(file): \(rule)") }
    }
  }

  @Test("A rule that is broken is told")
  func broken() {
    #expect(brokenRules("self-check", [1]) == [])
    #expect(brokenRules("self-check", []) == ["an input has octets"])
  }
}
