// The last hour or the last day, as plots. A page of its own: the overview stays one screen, and both pages fit one
// buffer, however many disks and interfaces there are.

import Martlet

extension Panel {
  /// Shows the plots of a span.
  mutating func historyPage(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>
  ) -> Answer {
    let range = request.query.historyRange("range") ?? .hour
    var body = response.page(.history, request)
    body.write("<div class=\"title\"><h1>History</h1>\n")
    guard sampler.isOn else {
      body.write("</div>\n")
      body.write(.none, "Nothing is recorded: the panel was started with --history off.")
      return body.finish()
    }
    let path: StaticString = "/history"
    let mark: StaticString = " aria-current=\"page\""
    body.write(
      """
      <p class="facts"><a href="\(path: path)"\(markup: range == .hour ? mark : "")>The last hour</a> \
      <a href="\(path: path)?range=day"\(markup: range == .day ? mark : "")>The last day</a> \
      <a href="\(path: Panel.row(of: .alerts).path)">Alerts</a></p></div>

      """)
    body.write("<div class=\"plots\">\n")
    var number: UInt8 = 0
    // What this machine does not have is left out, once there was time for a few samples.
    let isNew = request.monotonicMilliseconds - startedAt < 30_000
    while let subject = Plot.Subject(rawValue: number) {
      let plot = Plot(subject, range, sampler)
      if isNew || !plot.isEmpty { body.write("\(plot: plot)\n") }
      number += 1
    }
    body.write("</div>\n")
    if sampler.hasCores {
      var buffer = FixedBuffer<96>()
      var writer = Writer(buffer.storageSpan)
      sampler.writeCores(to: &writer)
      let cores = writer.span
      body.write("\(begin: .note)Use of each processor: <span data-live=\"cores\">\(cores)</span>")
      if sampler.moreCores > 0 { body.write(", and \(sampler.moreCores) more") }
      body.write("\(end: .note)")
    }
    body.writeLiveState()
    body.writeLiveScript(range)
    return body.finish()
  }
}
