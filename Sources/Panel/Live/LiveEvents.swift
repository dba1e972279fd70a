// New values for browsers that watch: server-sent events. One ring has the newest values for all of them. Plots are
// not in the ring: each is written for its reader when it is sent, because a plot is larger than all values.
//
//     id: RUN-NUMBER                        each five seconds
//     event: values
//     data: {"processors":"12 %", …}
//
//     event: plot                           behind the values, where the page has plots
//     data: <figure id="plot-load" …>
//
// PackedAssets/panel.js shows what comes. A page that nobody sees closes its stream, because a browser has few
// connections for each device. A connection that is cut somewhere on the way says nothing, and neither does a refusal.
// So the script asks anew after 16 seconds without values. A page without it has the same values, which then stay.
//
// Watching is no use of a session: what a browser asks for by itself does not keep a login alive.

import Martlet

extension Panel {
  /// Browsers that may watch at a time: a quarter of all connections, so that pages are served beside them.
  static var watcherCountMax: Int { min(16, Limits.connectionCountMax / 4) }

  static var period: Duration { .seconds(Sampler.seconds) }

  /// Takes a sample, and tells whoever watches.
  mutating func tick(_ tick: inout Tick) {
    defer { deliver() }
    guard sampler.isOn else { return }
    sampler.sample(&measurements)
    alerts.update(sampler.values)
    queueAlerts()
    var buffer = FixedBuffer<900>()
    var writer = Writer(buffer.storageSpan)
    writer.append("{\"alerts\":\"")
    alerts.write(to: &writer)
    writer.append("\",")
    sampler.write(to: &writer)
    invariant(!writer.overflowed, "the newest values fit an event")
    events.send("values", octets: writer.span)
    tick.wake(Page.live)
  }

  /// Begins the stream of events of one browser.
  mutating func liveEvents(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>
  ) -> Answer {
    guard sampler.isOn else {
      return response.refuse(.notFound, "Nothing is recorded here: the panel was started with --history off.")
    }
    guard watcherCount < Self.watcherCountMax else {
      return response.refuse(
        .serviceUnavailable, "Too many browsers watch this device. Close one of them.", retryAfter: 15)
    }
    watcherCount += 1
    let watcher = Watcher(
      session: request.user?.epoch ?? 0, plots: request.query.historyRange("plots"),
      ofCores: request.query.isOfCores)
    return response.events(events, request, from: .next, note: watcher.note)
  }

  mutating func write(_ page: Page, _ state: inout StreamState, to body: inout StreamBody) -> StreamStep {
    guard page == .live else { return writeOverview(&state, to: &body) }
    var watcher = Watcher(note: state.note)
    guard sessions.isLive(watcher.session, at: Sampler.now / 1_000) else {
      watcherCount -= 1
      return .end
    }
    let former = state.position
    let step = body.write(events: events, &state)
    if case .more = step { return .more }
    if state.position != former { watcher.order(at: state.position) }
    let count = watcher.ofCores ? UInt8(sampler.plottedCoreCount) : Plot.Subject.count
    while let range = watcher.plots, watcher.nextPlot < count {
      guard body.room >= Plot.sizeMax else {
        state.note = watcher.note
        return .more
      }
      body.write("event: plot\ndata: ")
      if watcher.ofCores {
        body.write("\(plot: Plot(core: Int(watcher.nextPlot), range, sampler))")
      } else if let subject = Plot.Subject(rawValue: watcher.nextPlot) {
        body.write("\(plot: Plot(subject, range, sampler))")
      }
      body.write("\n\n")
      watcher.nextPlot += 1
    }
    state.note = watcher.note
    return step
  }

  mutating func streamEnded(_ page: Page, _ state: StreamState) {
    if page == .live { watcherCount -= 1 }
  }
}

extension Sampler {
  /// Writes the newest values as the rest of a JSON object: texts of numbers and units, which need no escapes.
  @_lifetime(writer: copy writer)
  fileprivate func write(to writer: inout Writer) {
    writer.append("\"cores\":\"")
    writeCores(to: &writer)
    writer.append("\",\"used\":")
    let used = memory?.used
    Self.write(used.map { Text(cutting: Readable.size($0).span) }, to: &writer)
    var number: UInt8 = 0
    while let series = Series(rawValue: number) {
      writer.append(",\"")
      writer.append(series.name)
      writer.append("\":")
      Self.write(values.text(series), to: &writer)
      number += 1
    }
    writer.append("}")
  }

  @inline(never)
  @_lifetime(writer: copy writer)
  private static func write(_ text: Text<24>?, to writer: inout Writer) {
    guard let text else { return writer.append("null") }
    writer.append("\"")
    writer.append(text.span)
    writer.append("\"")
  }
}

/// A browser that watches: what the state of its stream notes.
///
///     note = session << 8 | of processors << 7 | plots << 4 | next plot
struct Watcher {
  /// The number of the session, below 2^53.
  let session: Int64
  /// Of which span the browser shows plots.
  let plots: HistoryRange?
  /// Whether these are plots of single processors.
  let ofCores: Bool
  /// The plot that is sent next; from the number of plots on there is none.
  var nextPlot: UInt8

  init(session: Int64, plots: HistoryRange?, ofCores: Bool = false) {
    self.session = session
    self.plots = plots
    self.ofCores = ofCores
    nextPlot = Self.new
  }

  init(note: Int64) {
    session = note >> 8
    plots = HistoryRange(rawValue: UInt8(note >> 4 & 0x7))
    ofCores = note >> 7 & 1 != 0
    nextPlot = UInt8(note & 0xF)
  }

  var note: Int64 {
    session << 8 | (ofCores ? 0x80 : 0) | Int64(plots?.rawValue ?? 0) << 4 | Int64(nextPlot)
  }

  /// Makes all plots due behind an event with that number, and at the start. Those of a day move more slowly.
  mutating func order(at number: Int64) {
    if plots == .hour || number % 24 == 0 || nextPlot == Self.new { nextPlot = 0 }
  }

  /// The number of no plot, of a browser that has got none yet.
  private static var new: UInt8 { 0xF }
}

extension FormFields {
  /// Whether plots of single processors are asked for.
  var isOfCores: Bool { self["of"]?.equals("cores") == true }

  /// The span that a field names: `hour` or `day`; `nil` for anything else.
  func historyRange(_ name: StaticString) -> HistoryRange? {
    guard let text: Text<8> = self[name]?.text() else { return nil }
    return text == "day" ? .day : text == "hour" ? .hour : nil
  }
}
