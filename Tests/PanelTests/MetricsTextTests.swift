// Labels of Prometheus' text format, and how many disks have room for theirs.

import Martlet
import TestSupport
import Testing

@testable import martlet_panel

private func label(_ value: String) -> String {
  var storage = [UInt8](repeating: 0, count: 600)
  var writer = Writer(storage.mutableSpan)
  withGuardedOctets(value) { MetricLabels.write("a", $0, to: &writer) }
  return String(writer.span)
}

@Suite struct MetricsTextTests {
  @Test(
    "Quotation marks, backslashes and line ends are escaped, and nothing else",
    arguments: [
      ("", "a=\"\""), ("/mnt/x", "a=\"/mnt/x\""), ("\"", "a=\"\\\"\""), ("\\", "a=\"\\\\\""),
      ("\n", "a=\"\\n\""), ("ä{},=", "a=\"ä{},=\""), ("\\n", "a=\"\\\\n\""),
    ])
  func escapes(_ value: String, _ expected: String) { #expect(label(value) == expected) }

  @Test("Disks with short names all fit; of those with the longest names two do")
  func room() {
    let few = disks(
      mountinfo: (0..<8).map { "1 0 8:\($0) / /mnt/\($0) rw - ext4 /dev/sd\($0) rw" }.joined(separator: "\n"))
    #expect(MetricLabels.fitting(few) == 0xFF)
    #expect(MetricLabels.fitting(Disks()) == 0)
    let word = String(repeating: "\\134", count: 240)
    let long = disks(
      mountinfo: (0..<8).map { "1 0 8:\($0) / /\($0)\(word) rw - ext4 /dev/\($0)\(word) rw" }.joined(
        separator: "\n"))
    #expect(long.count == 8)
    #expect(MetricLabels.fitting(long).nonzeroBitCount == 2)
  }

  @Test(
    "Hundredths of a load",
    arguments: [
      ("0.00", 0), ("1.25", 125), ("10.07", 1_007), ("9999.99", 999_999), ("", nil), (".", nil), ("1", nil),
      ("1.2", nil), ("1.234", nil), (".25", nil), ("1.2.3", nil), ("1.x0", nil), ("..00", nil),
    ] as [(String, Int?)])
  func loads(_ text: String, _ expected: Int?) {
    let found = withGuardedOctets(text) { ProcText.hundredths($0) }
    #expect(found == expected)
  }
}
