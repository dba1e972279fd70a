// Counters at two moments → rates, and which two counts do not belong together.

import Martlet
import TestSupport
import Testing

@testable import martlet_panel

private func times(_ text: String) -> ProcessorTimes {
  var times = ProcessorTimes()
  for line in text.split(separator: "\n") {
    let goesOn = withGuardedOctets(String(line)) { times.add($0) }
    guard goesOn else { break }
  }
  return times
}

private func use(_ text: String, since earlier: String) -> Int64? {
  guard let now = times(text).whole, let before = times(earlier).whole else { return nil }
  return now.use(since: before)
}

@Suite struct ProcessorTests {
  @Test("Use is what was not idle and did not wait, of what has passed")
  func use() {
    let before = "cpu  100 0 100 800 0 0 0 0 0 0"
    #expect(useNow("cpu  150 0 100 850 0 0 0 0 0 0", before) == 5_000)
    #expect(useNow("cpu  100 0 100 900 0 0 0 0 0 0", before) == 0)
    #expect(useNow("cpu  200 0 100 800 0 0 0 0 0 0", before) == 10_000)
    #expect(useNow("cpu  100 0 100 850 50 0 0 0 0 0", before) == 0, "it waits for a disk")
    #expect(useNow("cpu  101 0 100 802 0 0 0 0 0 0", before) == 3_333)
    #expect(useNow("cpu  100 10 110 800 0 10 10 10 0 0", before) == 10_000)
    #expect(useNow("cpu  150 0 100 850 0 0 0 0 999 999", before) == 5_000, "guests count once")
  }

  private func useNow(_ now: String, _ before: String) -> Int64? {
    PanelTests.use(now, since: before)
  }

  @Test("Old kernels tell four numbers")
  func four() {
    #expect(useNow("cpu 150 0 100 850", "cpu 100 0 100 800") == 5_000)
    #expect(times("cpu 1 2 3").whole == nil)
  }

  @Test("Where nothing has passed, or the counters go back, there is no use")
  func back() {
    let before = "cpu 100 0 100 800"
    #expect(useNow(before, before) == nil)
    #expect(useNow("cpu 10 0 10 80", before) == nil)
    // The idle time alone goes back on some kernels.
    #expect(useNow("cpu 300 0 100 790", before) == 10_000)
    #expect(useNow("cpu 90 0 100 900", before) == 0)
  }

  @Test("Numbers of any size do not overflow")
  func large() {
    let most = (UInt64(1) << 58) - 1
    let line = "cpu " + [most, most, most, 0, 0, most, most, most].map { String($0) }.joined(separator: " ")
    #expect(useNow(line, "cpu 0 0 0 0") == 10_000)
    #expect(times("cpu 288230376151711744 0 0 0").whole == nil)
    #expect(times("cpu 99999999999999999999999 0 0 0").whole == nil)
  }

  @Test("Processors are told apart up to the sixteenth; one that is off is missing")
  func cores() {
    let four = times("cpu 9 9 9 9\ncpu0 1 0 0 9\ncpu1 2 0 0 9\ncpu3 4 0 0 9\nintr 1 2 3\ncpu7 1 1 1 1\n")
    #expect(four.coreCount == 4 && four.moreCount == 0)
    #expect(four.cores[0]?.all == 10 && four.cores[1]?.all == 11 && four.cores[3]?.all == 13)
    #expect(four.cores[2] == nil && four.cores[7] == nil)
    let many = times((0..<40).map { "cpu\($0) 1 2 3 4" }.joined(separator: "\n"))
    #expect(many.coreCount == 16 && many.moreCount == 24 && many.whole == nil)
    #expect(times("cpufreq 1 2 3 4\ncpux 1 2 3 4\ncpu-1 1 2 3 4").coreCount == 0)
  }

  @Test("Each prefix of a text, and each octet changed, is read")
  func damage() {
    let text = Array("cpu  10 20 30 40 50 60 70 80 90 0\ncpu0 1 2 3 4 5 6 7 8 9 0\nintr 7\n".utf8)
    for count in 0...text.count { _ = times(String(decoding: text[..<count], as: UTF8.self)) }
    for i in text.indices {
      for octet in [0, 0x20, 0x2D, 0x39, 0xFF] as [UInt8] {
        var changed = text
        changed[i] = octet
        var times = ProcessorTimes()
        withGuardedOctets(changed) { _ = times.add($0) }
        #expect(times.coreCount <= 16)
      }
    }
  }
}

private func sums(_ devices: [(String, UInt64, UInt64)], at moment: Int64) -> CounterSums {
  var sums = CounterSums(at: moment)
  for (name, first, second) in devices { withGuardedOctets(name) { sums.add($0, first, second) } }
  return sums
}

@Suite struct CounterTests {
  private let before = sums([("eth0", 1_000, 2_000)], at: 10_000)

  private func rate(_ count: UInt64, before: UInt64, milliseconds: Int64 = 1_000) -> Int64? {
    sums([("eth0", count, 0)], at: 10_000 + milliseconds)
      .rates(since: sums([("eth0", before, 0)], at: 10_000))?.first
  }

  @Test("A rate is the difference in the time that has passed, rounded")
  func rates() {
    let now = sums([("eth0", 11_000, 2_001)], at: 15_000)
    #expect(now.rates(since: before)?.first == 2_000 && now.rates(since: before)?.second == 0)
    #expect(rate(1_004, before: 1_000, milliseconds: 5_000) == 1)
    #expect(rate(3, before: 0, milliseconds: 2_000) == 2)
  }

  @Test("Several devices make one sum")
  func several() {
    let now = sums([("a", 10, 1), ("b", 20, 2)], at: 1_000)
    let then = sums([("a", 5, 1), ("b", 5, 1)], at: 0)
    #expect(now.rates(since: then)?.first == 20 && now.rates(since: then)?.second == 1)
  }

  @Test("The first sample has no rate, and a missing file has none")
  func first() {
    #expect(before.rates(since: CounterSums(at: 0)) == nil)
    #expect(CounterSums(at: 11_000).rates(since: before) == nil)
    #expect(CounterSums(at: 11_000).rates(since: CounterSums(at: 10_000)) == nil)
  }

  @Test("Where a device came, went, or took another's place, there is no rate")
  func devices() {
    let one = sums([("a", 5, 5)], at: 0)
    #expect(sums([("a", 5, 5), ("b", 9, 9)], at: 1_000).rates(since: one) == nil)
    #expect(one.rates(since: sums([("a", 5, 5), ("b", 9, 9)], at: -1_000)) == nil)
    #expect(sums([("b", 9, 9)], at: 1_000).rates(since: one) == nil)
    #expect(
      sums([("ab", 5, 5), ("c", 5, 5)], at: 1_000).rates(since: sums([("a", 1, 1), ("bc", 1, 1)], at: 0))
        == nil)
  }

  @Test("A counter of 32 bits goes on beyond its end")
  func wraps() {
    #expect(rate(100, before: 4_294_967_196) == 200)
    #expect(rate(0, before: 4_294_967_295) == 1)
    // The sum of two counters, of which one has wrapped.
    #expect(rate(4_294_967_396, before: 8_589_934_492) == 200)
  }

  @Test("A counter that goes back in another way has no rate")
  func back() {
    #expect(rate(0, before: 1_000) == nil)
    #expect(rate(0, before: 1 << 31) == nil)
    #expect(rate(5, before: 1 << 40) == nil)
    #expect(rate(0, before: .max) == nil)
  }

  @Test("A clock that jumps has no rate")
  func clock() {
    #expect(rate(2_000, before: 1_000, milliseconds: 0) == nil)
    #expect(rate(2_000, before: 1_000, milliseconds: -5_000) == nil)
    #expect(rate(61_000, before: 1_000, milliseconds: 60_000) == 1_000)
    #expect(rate(61_000, before: 1_000, milliseconds: 60_001) == nil)
    #expect(rate(61_000, before: 1_000, milliseconds: .max / 2) == nil)
  }

  @Test("Rates of any size do not overflow")
  func large() {
    #expect(rate(1 << 53, before: 0, milliseconds: 1) == 1 << 40)
    #expect(rate((1 << 53) + 1, before: 0) == nil)
    #expect(rate(.max, before: 0) == nil)
    _ = sums([("a", .max, .max), ("b", .max, .max)], at: 0)
  }

  @Test("A line of /proc/diskstats has the sectors read and written")
  func disk() {
    let line = " 179       0 mmcblk0 9 8 7777 5 4 3 2222 1 0 0 0 0 0 0 0"
    withGuardedOctets(line) { line in
      guard let disk = DiskLine(line) else {
        Issue.record("the line is one")
        return
      }
      let name = String(disk.name)
      let (read, written) = (disk.read, disk.written)
      #expect(name == "mmcblk0" && read == 7_777 && written == 2_222)
    }
    for count in 0..<(line.utf8.count - " 1 0 0 0 0 0 0 0".utf8.count - 3) {
      let isLine = withGuardedOctets(String(line.prefix(count))) { DiskLine($0) != nil }
      #expect(!isLine, "\(count)")
    }
  }

  @Test("A line of /proc/net/dev has the octets received and sent; the loopback is left out")
  func interface() {
    withGuardedOctets("  eth0:1234 5 0 0 0 0 0 0    5678 9 0 0 0 0 0 0") { line in
      guard let interface = InterfaceLine(line) else {
        Issue.record("the line is one")
        return
      }
      let name = String(interface.name)
      let (received, sent) = (interface.received, interface.sent)
      #expect(name == "eth0" && received == 1_234 && sent == 5_678)
    }
    for text in [
      "    lo: 1 2 3 4 5 6 7 8 9 10", "Inter-|   Receive", " face |bytes: x", ":1 2 3 4 5 6 7 8 9",
      "eth0: 1 2 3",
      "eth0:", "",
    ] {
      let isInterface = withGuardedOctets(text) { InterfaceLine($0) != nil }
      #expect(!isInterface, "\(text)")
    }
  }

  @Test("The load in hundredths is what the kernel's text says, or unknown")
  func load() {
    func load(_ text: String) -> Int64? { withGuardedOctets(text) { ProcText.loadHundredths($0) } }
    #expect(load("0.00 0.01 0.05 1/100 4") == 0)
    #expect(load("12.34 0.01 0.05 1/100 4") == 1_234)
    for wrong in ["", "1", "1.2", "1.234", ".", "x.00", "-1.00", "99999999999.00", "1.x0"] {
      #expect(load(wrong) == nil, "\(wrong)")
    }
  }

  @Test("What a Raspberry Pi's firmware says about throttling is read as hexadecimal digits")
  func throttling() {
    func read(_ text: String) -> Throttling? { withGuardedOctets(text) { Throttling($0) } }
    #expect(read("0")?.text == nil && read("0")?.isNow == false)
    #expect(read("50005")?.isNow == true && read("0x50005")?.bits == 0x50005)
    #expect(string(read("50000")?.text?.octets) == "supply voltage was too low")
    #expect(
      string(read("A")?.text?.octets) == "clock limited" && string(read("4")?.text?.octets) == "throttled")
    #expect(read("")?.bits == nil && read("0x") == nil && read("g") == nil && read("123456789") == nil)
  }
}
