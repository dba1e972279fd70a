// The load of the machine, sampled once a second, whether or not anybody visits. The last hour is kept in
// memory. A page shows the least, mean and greatest value, and another page has all samples as JSON.

import Martlet

struct Site: TimedApplication, StreamingApplication, ~Copyable {
  /// Samples in hundredths, one a second.
  var load = History<3_600>(intervalMilliseconds: 1_000)
  let proc = try? Folder("/proc")

  enum Page: UInt8 { case index, history }

  static func route(to page: Page) -> Route {
    switch page {
    case .index: .get("/", for: .everyone)
    case .history: .get("/history", for: .everyone)
    }
  }

  static var period: Duration { .seconds(1) }

  /// Records a sample. Seconds without a sample become gaps.
  mutating func tick(_ tick: inout Tick) {
    if let sample = loadAverage(proc) { load.record(sample, at: tick.monotonicMilliseconds) }
  }

  mutating func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .index:
      let samples = load.samples
      var body = response.body()
      body.write(
        """
        <!doctype html>
        <title>Load</title><meta http-equiv="refresh" content="5">
        <h1>Load: \(decimals(samples.last(1).mean))</h1>
        <table><tr><th>Last<th>Least<th>Mean<th>Greatest

        """)
      Self.writeRow("minute", samples.last(60), to: &body)
      Self.writeRow("hour", samples, to: &body)
      body.write("</table>\n<p><a href=\"/history\">All samples</a></p>\n")
      return body.end()
    case .history:
      return response.stream("application/json")
    }
  }

  static func writeRow(_ title: StaticString, _ samples: HistorySamples, to body: inout Body<Self>) {
    body.write(
      """
      <tr><td>\(title)<td>\(decimals(samples.minimum))<td>\(decimals(samples.mean))\
      <td>\(decimals(samples.maximum))

      """)
  }

  /// Writes the next samples, because 3,600 samples do not fit into a whole page. The position is the moment of
  /// the sample that was written last, because new samples meanwhile replace the oldest ones.
  mutating func write(_ page: Page, _ state: inout StreamState, to body: inout StreamBody) -> StreamStep {
    if state.position == 0 { body.write(json: "{\"seconds\":1,\"load\":[") }
    while let moment = load.moment(after: state.position) {
      guard body.room >= 20 else { return .more }
      body.write(
        json: "\(markup: state.position == 0 ? "" : ",")\(decimals(load.sample(at: moment)))")
      state.position = moment
    }
    body.write(json: "]}")
    return .end
  }
}

/// Hundredths as a number with two decimals.
func decimals(_ hundredths: Int32?) -> FixedPoint? { hundredths.map { FixedPoint($0, digits: 2) } }

/// The load of the last minute in hundredths: the first word of `/proc/loadavg`.
func loadAverage(_ proc: Folder?) -> Int32? {
  guard let text: Text<64> = try? proc?.text("loadavg"), let end = text.span.firstIndex(of: 0x20),
    let load = try? FixedPoint(parsing: text.span.extracting(0..<end), digits: 2, in: 0...1_000_000)
  else { return nil }
  return Int32(load.value)
}

@main
enum SensorsExample {
  static func main() {
    serve(Site(), Options(program: "sensors-example", listen: "127.0.0.1:5000"))
  }
}
