// What the machine does, sampled every five seconds, whether or not anybody watches. Only texts of the kernel are
// read here, which answer at once. The temperature is what a child has read last (Measurements.swift), because a
// sensor may hold up whatever asks it. Disks are not asked how full they are.

import CMartletPlatform
import Martlet

/// Takes samples, and keeps them.
struct Sampler: ~Copyable {
  private let isReadInPlace = ByAddress()

  /// Seconds from one sample to the next.
  static var seconds: Int { 5 }

  /// Whether samples are taken (`--history off`).
  let isOn: Bool
  /// The newest values.
  private(set) var values = Values()
  private(set) var memory: MemoryAmount?
  /// Use of each processor, as in the rings; 0 where it is not known.
  private var cores = InlineArray<16, UInt16>(repeating: 0)
  var rings = Rings()
  private var times = ProcessorTimes()
  private var disks = CounterSums(at: 0)
  private var network = CounterSums(at: 0)
  /// Whether the next sample asks for the temperature.
  private var asksNext = false

  init(isOn: Bool) { self.isOn = isOn }

  /// Milliseconds of the boot clock, which counts on while the machine sleeps, and which nobody can set.
  static var now: Int64 { martlet_boot_milliseconds() }

  /// Takes a sample.
  @inline(never)
  mutating func sample(_ measurements: inout Measurements) {
    guard isOn else { return }
    // A temperature moves slowly, and each question costs a child. The first sample makes no child. If the panel ended
    // at once, its child could hold the lock of the data directory for a moment longer.
    measurements.renewTemperature(asks: asksNext)
    asksNext = !asksNext
    let now = Self.now
    var values = Values()
    sampleProcessors(&values)
    values[.load] = Device.loadHundredths()
    memory = Device.memoryUse()
    values[.memory] = memory?.share
    if !measurements.sensorIsSilent, let temperature = measurements.temperature {
      values[.temperature] = Int64(temperature.milliDegrees + (temperature.milliDegrees < 0 ? -50 : 50)) / 100
    }
    let disks = Device.diskSums(at: now)
    if let rates = disks.rates(since: self.disks) {
      (values[.diskRead], values[.diskWritten]) = (rates.first * 512, rates.second * 512)
    }
    self.disks = disks
    let network = Device.networkSums(at: now)
    if let rates = network.rates(since: self.network) {
      (values[.received], values[.sent]) = (rates.first, rates.second)
    }
    self.network = network
    self.values = values
    rings.record(values, at: now)
  }

  private mutating func sampleProcessors(_ values: inout Values) {
    let times = Device.processorTimes()
    if let whole = times.whole, let earlier = self.times.whole {
      values[.processors] = whole.use(since: earlier)
    }
    var busiest: Int64?
    for i in 0..<times.cores.count {
      cores[i] = 0
      guard let core = times.cores[i], let earlier = self.times.cores[i], let use = core.use(since: earlier)
      else { continue }
      cores[i] = Series.Unit.percent.stored(use)
      busiest = max(busiest ?? use, use)
    }
    values[.busiest] = busiest
    self.times = times
  }

  /// Octets of the text of all processors at most.
  static var coresSizeMax: Int { 96 }

  /// Writes the use of each processor as people read it: `12, 40, –, 3 %`. A processor that is off, or whose use is
  /// not known yet, is a dash.
  @_lifetime(writer: copy writer)
  func writeCores(to writer: inout Writer) {
    for i in 0..<times.coreCount {
      if i > 0 { writer.append(", ") }
      if let use = Series.Unit.percent.value(cores[i]) {
        writer.append(decimal: UInt64(use + 50) / 100)
      } else {
        writer.append("–")
      }
    }
    writer.append(" %")
  }

  /// Whether the processors are told apart.
  var hasCores: Bool { times.coreCount > 0 }

  /// Processors that are not told apart.
  var moreCores: Int { times.moreCount }
}
