import TestSupport
import Testing

@testable import Martlet

@Suite struct HistoryTests {
  func shown(_ samples: borrowing HistorySamples) -> String {
    (0..<samples.count).map { i in samples[i].map { "\($0)" } ?? "-" }.joined(separator: " ")
  }

  @Test("The newest samples are kept, the oldest first")
  func ring() {
    var history = History<4>(intervalMilliseconds: 10)
    #expect(shown(history.samples) == "" && history.newestMoment == nil && history.samples.mean == nil)
    #expect(history.samples.minimum == nil && history.samples.maximum == nil)
    for (i, expected) in [
      "1", "1 2", "1 2 3", "1 2 3 4", "2 3 4 5", "3 4 5 6", "4 5 6 7", "5 6 7 8", "6 7 8 9",
    ].enumerated() {
      history.record(Int32(i + 1), at: Int64(i) * 10)
      #expect(shown(history.samples) == expected)
      #expect(history.newestMoment == Int64(i) * 10)
    }
    #expect(shown(history.samples.last(2)) == "8 9" && shown(history.samples.last(9)) == "6 7 8 9")
    #expect(shown(history.samples.last(0)) == "" && shown(history.samples.last(-1)) == "")
    #expect(shown(history.samples.last(3).last(2)) == "8 9")
    history.removeAll()
    #expect(shown(history.samples) == "" && history.newestMoment == nil)
    history.record(1, at: 0)
    #expect(shown(history.samples) == "1")
  }

  @Test("Missing samples are gaps; late ones are none")
  func gaps() {
    var history = History<8>(intervalMilliseconds: 1_000)
    for (moment, expected) in [
      (5_000, "1"), (6_400, "1 2"), (7_900, "1 2 - 3"), (8_000, "1 2 - 4"), (8_399, "1 2 - 5"),
      (8_900, "1 2 - 5 6"),
      (8_000, "1 2 - 5 7"), (13_000, "- 5 7 - - - 8"), (13_900, "- 5 7 - - - 8 9"),
      (60_000, "- - - - - - - 10"),
      (Int64.max, "- - - - - - - 11"), (Int64.min, "- - - - - - - 12"),
    ] as [(Int64, String)] {
      let value = expected.split(separator: " ").last.flatMap { Int32($0) }!
      history.record(value, at: moment)
      // Cut to what this table shows.
      let text = shown(history.samples)
      #expect(text.hasSuffix(expected), "\(moment): \(text)")
    }
    #expect(history.samples.sampleCount == 1 && history.samples.mean == 12)
  }

  @Test("A sample between two intervals replaces the newest, also where the ring begins anew")
  func replaced() {
    var history = History<3>(intervalMilliseconds: 10)
    for i in 0..<3 { history.record(Int32(i), at: Int64(i) * 10) }
    history.record(7, at: 21)
    #expect(shown(history.samples) == "0 1 7")
    history.record(8, at: 30)
    history.record(9, at: 31)
    #expect(shown(history.samples) == "1 7 9" && history.newestMoment == 30)
    // A step of one millisecond has no half.
    var fast = History<2>(intervalMilliseconds: 1)
    for i in 0..<5 { fast.record(Int32(i), at: Int64(i)) }
    #expect(shown(fast.samples) == "3 4")
  }

  @Test("Least, greatest and mean are those of the samples, as a plain list has them")
  func figures() {
    var history = History<16>(intervalMilliseconds: 1)
    var list: [Int32?] = []
    var random = SeededRandom(9)
    var moment: Int64 = 0
    for _ in 0..<2_000 {
      let value: Int32 =
        switch Int.random(in: 0...9, using: &random) {
        case 0: .min
        case 1: .max
        default: Int32.random(in: -100...100, using: &random)
        }
      let gap = Int.random(in: 0...5, using: &random) == 0 ? Int.random(in: 1...20, using: &random) : 0
      moment += Int64(gap + 1)
      if !list.isEmpty { list += [Int32?](repeating: nil, count: gap) }
      list.append(max(value, .min + 1))
      list = list.suffix(16)
      history.record(value, at: moment)
      let samples = history.samples
      #expect((0..<samples.count).map { samples[$0] } == list)
      for n in [1, 5, 16] {
        let part = list.suffix(n).compactMap { $0 }
        let last = samples.last(n)
        #expect(last.minimum == part.min() && last.maximum == part.max() && last.sampleCount == part.count)
        let mean =
          part.isEmpty
          ? nil : (Double(part.reduce(Int64(0)) { $0 + Int64($1) }) / Double(part.count)).rounded()
        #expect(last.mean.map { Double($0) } == mean)
      }
      for columns in [1, 3, 7, 16, 40] {
        var all: [Int32?] = []
        for i in 0..<columns {
          let bucket = samples.bucket(i, of: columns)
          let part = (0..<bucket.count).map { bucket[$0] }
          #expect(bucket.minimum == part.compactMap { $0 }.min())
          #expect(abs(part.count - list.count / columns) <= 1)
          all += part
        }
        #expect(all == list)
      }
    }
  }

  @Test("Samples without end change neither size nor place")
  func endless() {
    // A ring without a count of all samples passes 2^32 as it passes 10,000; its moments do as well.
    var history = History<3>(intervalMilliseconds: 1)
    let start = Int64(UInt32.max) - 5_000
    for i in 0..<10_000 as Range<Int64> { history.record(Int32(i), at: start + i) }
    #expect(shown(history.samples) == "9997 9998 9999" && history.newestMoment == start + 9_999)
    #expect(MemoryLayout<History<288>>.size <= 288 * 4 + 32)
  }

  @Test("An index beyond the samples stops the program")
  func bugs() async {
    await #expect(processExitsWith: .failure) {
      var history = History<3>(intervalMilliseconds: 1)
      history.record(1, at: 1)
      _ = history.samples[1]
    }
    await #expect(processExitsWith: .failure) { _ = History<3>(intervalMilliseconds: 0) }
  }
}

@Suite struct HistoryMomentTests {
  @Test("A reader goes on behind the moment that it has read, whatever the ring has forgotten")
  func moments() {
    var history = History<4>(intervalMilliseconds: 10)
    let none = history.moment(after: 0)
    #expect(none == nil)
    for i in 1...6 { history.record(Int32(i), at: Int64(i * 10)) }
    var read: [Int32?] = []
    var moment = Int64.min / 2
    while let next = history.moment(after: moment) {
      read.append(history.sample(at: next))
      moment = next
    }
    #expect(read == [3, 4, 5, 6] && moment == 60)
    history.record(9, at: 90)
    read = []
    while let next = history.moment(after: moment) {
      read.append(history.sample(at: next))
      moment = next
    }
    #expect(read == [nil, nil, 9] && moment == 90)
    let outside = [history.sample(at: 91), history.sample(at: 50), history.sample(at: -5)]
    #expect(outside == [nil, nil, nil])
    let between = history.moment(after: 74)
    #expect(between == 80)
    let end = history.moment(after: .max)
    #expect(end == nil)
  }

  @Test("A sample that comes late is read once, and so is the sample before it")
  func late() {
    var history = History<4>(intervalMilliseconds: 10)
    history.record(1, at: 10)
    history.record(2, at: 20)
    let first = history.moment(after: 10)
    #expect(first == 20)
    history.record(3, at: 33)
    let second = history.moment(after: 20)
    #expect(second == 33)
    let third = history.moment(after: 33)
    #expect(third == nil)
  }
}
