// The last hour or the last day, as plots. A page of its own: the overview stays one screen, and both pages fit one
// buffer, however many disks and interfaces there are.

import Martlet

extension Panel {
  /// Shows the plots of a span.
  mutating func historyPage(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>
  ) -> Answer {
    let range = request.query.historyRange("range") ?? .hour
    let ofCores = request.query.isOfCores
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
      <p class="facts"><a href="\(path: path)\(markup: ofCores ? "?of=cores" : "")"\(markup: range == .hour ? mark : "")>The last hour</a> \
      <a href="\(path: path)?range=day\(markup: ofCores ? "&amp;of=cores" : "")"\(markup: range == .day ? mark : "")>\
      The last day</a> \
      <a href="\(path: path)?range=\(markup: range == .hour ? "hour" : "day")\(markup: ofCores ? "" : "&amp;of=cores")">\
      \(markup: ofCores ? "All values" : "Each processor")</a> \
      <a href="\(path: Panel.row(of: .alerts).path)">Alerts</a></p></div>

      """)
    body.write("<div class=\"plots\">\n")
    var number: UInt8 = 0
    // What this machine does not have is left out, once there was time for a few samples.
    let isNew = request.monotonicMilliseconds - startedAt < 30_000
    for core in 0..<(ofCores ? sampler.plottedCoreCount : 0) {
      body.write("\(plot: Plot(core: core, range, sampler))\n")
    }
    while !ofCores, let subject = Plot.Subject(rawValue: number) {
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
      let untold = sampler.coreCount - sampler.plottedCoreCount
      if ofCores, untold > 0 { body.write(". No plots of \(untold) of them") }
      body.write("\(end: .note)")
    }
    body.writeLiveState()
    body.writeLiveScript(range, ofCores: ofCores)
    return body.finish()
  }
}
