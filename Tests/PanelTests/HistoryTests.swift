// Samples in 16 bits, the rings of an hour and of a day with their gaps, curves, and plots.

import CMartletPlatform
import Martlet
import MartletTesting
import TestSupport
import Testing

@testable import martlet_panel

/// Rings in memory that no test has written to.
private func rings() -> Rings {
  for i in 0..<Rings.size / 2 { martlet_set_history(i, 0) }
  for i in 0..<Int(MARTLET_CORE_HISTORY_SIZE) { martlet_set_core_history(i, 0) }
  return Rings()
}

private func values(_ pairs: [(Series, Int64)]) -> Values {
  var values = Values()
  for (series, value) in pairs { values[series] = value }
  return values
}

@Suite(.serialized) struct HistoryTests {
  @Test("A percentage, a load and a temperature are stored as they are")
  func exact() {
    for value in [0, 1, 4_999, 10_000] as [Int64] {
      #expect(Series.Unit.percent.value(Series.Unit.percent.stored(value)) == value)
      #expect(Series.Unit.load.value(Series.Unit.load.stored(value)) == value)
    }
    for value in [-400, -1, 0, 483, 1_500] as [Int64] {
      #expect(Series.Unit.temperature.value(Series.Unit.temperature.stored(value)) == value)
    }
  }

  @Test("What cannot be stored becomes the nearest value, and never a gap")
  func clamped() {
    #expect(Series.Unit.percent.value(Series.Unit.percent.stored(20_000)) == 10_000)
    #expect(Series.Unit.percent.value(Series.Unit.percent.stored(-5)) == 0)
    #expect(Series.Unit.load.value(Series.Unit.load.stored(.max)) == 65_534)
    #expect(Series.Unit.temperature.value(Series.Unit.temperature.stored(.min)) == -400)
    for unit in [Series.Unit.percent, .load, .temperature, .rate] {
      for value in [Int64.min, -1, 0, 1, .max] { #expect(unit.stored(value) > 0) }
      #expect(unit.value(0) == nil)
    }
  }

  @Test("A rate is stored within 1 in 2,000, and greater rates have greater numbers")
  func rates() {
    var former: UInt16 = 0
    var rate: Int64 = 0
    while rate < 1 << 42 {
      let stored = Series.Unit.rate.stored(rate)
      #expect(stored >= former, "\(rate)")
      former = stored
      let value = Series.Unit.rate.value(stored) ?? -1
      #expect(abs(value - rate) * 2_000 <= rate, "\(rate) became \(value)")
      rate += rate / 97 + 1
    }
    #expect(Series.Unit.rate.value(Series.Unit.rate.stored(2_047)) == 2_047)
    #expect(Series.Unit.rate.value(Series.Unit.rate.stored(4_095)) == 4_096)
  }

  @Test("Each value has its unit in its text")
  func texts() {
    let texts = [
      Series.processors.text(1_250), Series.load.text(42), Series.load.text(1_205),
      Series.temperature.text(483),
      Series.temperature.text(-5), Series.received.text(1_572_864), Series.sent.text(0),
    ].map { String($0.span) }
    #expect(texts == ["13 %", "0.42", "12.05", "48.3 °C", "-0.5 °C", "1.5 MiB/s", "0 B/s"])
  }

  @Test("A sample is found in its slot, and slots without a sample are gaps")
  func gaps() {
    var rings = rings()
    rings.record(values([(.load, 100)]), at: 1_000_000)
    rings.record(values([(.load, 300)]), at: 1_015_000)
    let slots = (198...204).map { rings.value(.load, .mean, .hour, slot: $0) }
    #expect(slots == [nil, nil, 100, nil, nil, 300, nil])
    #expect(rings.value(.memory, .mean, .hour, slot: 200) == nil)
    #expect(rings.value(.load, .mean, .hour, slot: -1) == nil)
  }

  @Test("A value that is not known is a gap of its series alone")
  func unknown() {
    var rings = rings()
    rings.record(values([(.load, 100), (.memory, 5)]), at: 5_000)
    rings.record(values([(.load, 200)]), at: 10_000)
    #expect(
      rings.value(.load, .mean, .hour, slot: 2) == 200 && rings.value(.memory, .mean, .hour, slot: 2) == nil)
    #expect(rings.value(.memory, .mean, .hour, slot: 1) == 5)
  }

  @Test("After an hour the oldest sample makes room, and after a long sleep all is gaps")
  func wraps() {
    var rings = rings()
    for slot in 0..<Int64(1_000) { rings.record(values([(.load, slot)]), at: slot * 5_000) }
    #expect(rings.value(.load, .mean, .hour, slot: 279) == nil)
    #expect(rings.value(.load, .mean, .hour, slot: 280) == 280)
    #expect(rings.value(.load, .mean, .hour, slot: 999) == 999)
    #expect(rings.value(.load, .mean, .hour, slot: 1_000) == nil)
    rings.record(values([(.load, 7)]), at: 5_000 * 1_000_000)
    let found = (999_281...1_000_000 as ClosedRange<Int64>).filter {
      rings.value(.load, .mean, .hour, slot: $0) != nil
    }
    #expect(found == [1_000_000])
  }

  @Test("Of two samples in a slot the last one counts, and one from before is left out")
  func order() {
    var rings = rings()
    rings.record(values([(.load, 1)]), at: 50_000)
    rings.record(values([(.load, 2)]), at: 54_999)
    rings.record(values([(.load, 3)]), at: 45_000)
    rings.record(values([(.load, 4)]), at: -5_000)
    #expect(
      rings.value(.load, .mean, .hour, slot: 10) == 2 && rings.value(.load, .mean, .hour, slot: 9) == nil)
  }

  @Test(
    "Each processor has an hour in halves of a percent and a day of means, and gaps where nothing is known")
  func cores() {
    var rings = rings()
    func cores(_ uses: [Int64?]) -> InlineArray<16, UInt16> {
      var cores = InlineArray<16, UInt16>(repeating: 0)
      for (i, use) in uses.enumerated() { cores[i] = use.map { Series.Unit.percent.stored($0) } ?? 0 }
      return cores
    }
    for i in 0..<Int64(24) {
      let uses = [0, 10_000, i % 2 == 0 ? 2_524 : nil] as [Int64?] + Array(repeating: 4_976, count: 13)
      rings.record(Values(), cores: cores(uses), at: 240_000 + i * 5_000)
    }
    func hour(_ core: Int, _ slot: Int64) -> Int64? { rings.use(core: core, .hour, slot: slot) }
    #expect(hour(0, 48) == 0 && hour(1, 71) == 10_000 && hour(2, 48) == 2_500 && hour(2, 49) == nil)
    #expect(hour(0, 47) == nil && hour(0, 72) == nil && hour(0, -1) == nil)
    let last = Rings.coreCount - 1
    #expect(hour(last, 60) == 5_000 && hour(last + 1, 60) == nil && hour(15, 60) == nil)
    #expect(rings.use(core: 2, .day, slot: 2) == 2_500 && rings.use(core: last, .day, slot: 2) == 5_000)
    #expect(rings.use(core: 0, .day, slot: 1) == nil)
    // A long sleep makes gaps, and what comes an hour later is in its own slot.
    rings.record(Values(), cores: cores([700]), at: 240_000 + 3_600_000)
    #expect(hour(0, 768) == 700 && hour(0, 767) == nil && hour(1, 768) == nil && hour(0, 48) == nil)
    #expect(rings.use(core: 0, .day, slot: 32) == 700 && rings.use(core: 1, .day, slot: 2) == 10_000)
    let curve = Curve(.processors, .mean, .hour, core: 0, of: rings, until: 240_000 + 3_600_000)
    #expect(curve[119] == 700 && curve[118] == nil)
  }

  @Test("The day has the mean and the greatest value of two minutes, from the first sample on")
  func day() {
    var rings = rings()
    for i in 0..<Int64(24) { rings.record(values([(.load, i * 10)]), at: 240_000 + i * 5_000) }
    #expect(
      rings.value(.load, .mean, .day, slot: 2) == 115 && rings.value(.load, .greatest, .day, slot: 2) == 230)
    rings.record(values([(.load, 7)]), at: 360_000)
    #expect(rings.value(.load, .mean, .day, slot: 3) == 7 && rings.value(.load, .mean, .day, slot: 2) == 115)
    #expect(rings.value(.load, .mean, .day, slot: 1) == nil)
  }

  @Test("A curve has 120 points up to now; a point is the mean of its samples")
  func curve() {
    var rings = rings()
    for slot in 0..<Int64(720) { rings.record(values([(.load, slot)]), at: slot * 5_000) }
    let curve = Curve(.load, .mean, .hour, of: rings, until: 719 * 5_000)
    let (first, last) = (curve[0], curve[119])
    #expect(first == 3 && last == 717 && curve.least == 3 && curve.greatest == 717)
    let later = Curve(.load, .mean, .hour, of: rings, until: 779 * 5_000)
    let (moved, end, gap) = (later[0], later[109], later[110])
    #expect(moved == 63 && end == 717 && gap == nil, "it has moved by five minutes")
    let empty = Curve(.memory, .mean, .hour, of: rings, until: 719 * 5_000)
    #expect(empty.greatest == nil)
  }

  @Test("An axis ends at 1, 2 or 5 of a unit, not below the greatest value")
  func axes() {
    for (value, end) in [
      (0, 100), (100, 100), (101, 200), (201, 500), (501, 1_000), (1_001, 2_000), (99_999, 100_000),
    ] as [(Int64, Int64)] {
      #expect(Plot.roundedUp(value, from: 100, by: 1_000) == end, "\(value)")
    }
    #expect(Plot.roundedUp(500 * 1_024, from: 1_024, by: 1_024) == 500 * 1_024)
    #expect(Plot.roundedUp(500 * 1_024 + 1, from: 1_024, by: 1_024) == 1_024 * 1_024)
    for shift in 0..<50 as Range<Int64> {
      #expect(Plot.roundedUp(1 << shift, from: 1_024, by: 1_024) >= 1 << shift)
    }
  }

  @Test("What a stream notes about its reader is read again")
  func watchers() {
    for plots in [nil, .hour, .day] as [HistoryRange?] {
      for ofCores in [false, true] {
        var watcher = Watcher(session: (1 << 53) - 1, plots: plots, ofCores: ofCores)
        #expect(Int(watcher.nextPlot) >= max(Int(Plot.Subject.count), Rings.coreCount))
        watcher.order(at: 5)
        let again = Watcher(note: watcher.note)
        #expect(again.session == (1 << 53) - 1 && again.plots == plots && again.nextPlot == 0)
        #expect(again.ofCores == ofCores && watcher.note > 0)
      }
    }
    var day = Watcher(session: 1, plots: .day)
    day.order(at: 1)
    day.nextPlot = Plot.Subject.count
    day.order(at: 23)
    #expect(day.nextPlot == Plot.Subject.count)
    day.order(at: 24)
    #expect(day.nextPlot == 0)
  }
}

/// A page with a plot of noise that is as long as a plot can be.
private struct PlotSite: Application, ~Copyable {
  enum Page: UInt8 { case first, second, cores }

  static func route(to page: Page) -> Route {
    switch page {
    case .first: .get("/", for: .everyone)
    case .second: .get("/gaps", for: .everyone)
    case .cores: .get("/cores", for: .everyone)
    }
  }

  mutating func respond(
    to page: Page, _ request: borrowing Request<PlotSite>, _ response: consuming Response<PlotSite>
  ) -> Answer {
    var rings = rings()
    var sampler = Sampler(isOn: true)
    for slot in 0..<Int64(720) where page != .second || slot / 6 % 2 == 0 {
      let value: Int64 = slot / 6 % 2 == 0 || page == .second ? 0 : 10_000
      rings.record(
        values([(.processors, value), (.busiest, 10_000 - value)]),
        cores: InlineArray(repeating: Series.Unit.percent.stored(value)), at: slot * 5_000)
    }
    sampler.rings = rings
    var body = response.body()
    guard page != .cores else {
      for core in 0..<Rings.coreCount {
        body.write("\(plot: Plot(core: core, .hour, sampler, until: 719 * 5_000))")
      }
      return body.end()
    }
    body.write("\(plot: Plot(.processors, .hour, sampler, until: 719 * 5_000))")
    return body.end()
  }
}

extension HistoryTests {
  @Test("The longest plot fits what is kept for it, and is one line")
  func longest() {
    let client = TestClient(PlotSite())
    for target in ["/", "/gaps"] {
      let figure = client.get(target).body
      #expect(figure.utf8.count <= Plot.sizeMax && figure.utf8.count > 1_000, "\(figure.utf8.count)")
      #expect(!figure.contains("\n") && figure.hasPrefix("<figure") && figure.hasSuffix("</figure>"))
      let paths = figure.split(separator: " d=\"").dropFirst(2).map { $0.prefix { $0 != "\"" } }
      #expect(paths.count == 2 && paths.allSatisfy { $0.utf8.count <= Curve.sizeMax }, "\(paths)")
    }
    // Beside the plots of all processors the page has less than 5,000 octets.
    let cores = client.get("/cores").body
    #expect(cores.utf8.count < Limits.responseContentSizeMax - 5_000, "\(cores.utf8.count)")
    #expect(cores.contains("id=\"plot-core7\"") && cores.contains("Processor 7, the last hour"))
    let paths = client.get("/").body.split(separator: " d=\"").map { $0.prefix { $0 != "\"" } }
    #expect(paths.contains { $0.hasPrefix("M0 80h0l1-80l1 80l1-80") })
    #expect(client.get("/gaps").body.contains("\"M0 80h0M2 80h0M4 80h0"))
  }
}
