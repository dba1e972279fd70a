// A plot of one or two curves, as SVG in a figure: what is shown, the newest values as text, the axes with their
// units. The picture is stretched to the room that there is, so its texts stand beside it as HTML. Classes give
// the colours, because the policy forbids styles inside the page. The second curve is broken, so that nobody needs
// colours to tell the two apart. A figure is one line, because an event brings it to pages that are shown.

import Martlet

/// What a figure shows.
struct Plot: ~Copyable {
  private let isReadInPlace = ByAddress()

  /// What there are plots of.
  enum Subject: UInt8 {
    case processors, load, memory, temperature, disks, network

    static var count: UInt8 { 6 }

    var id: StaticString {
      switch self {
      case .processors: "processors"
      case .load: "load"
      case .memory: "memory"
      case .temperature: "temperature"
      case .disks: "disks"
      case .network: "network"
      }
    }

    var title: StaticString {
      switch self {
      case .processors: "Processors"
      case .load: "Load"
      case .memory: "Memory"
      case .temperature: "Temperature"
      case .disks: "Disks"
      case .network: "Network"
      }
    }

    var first: Series {
      switch self {
      case .processors: .processors
      case .load: .load
      case .memory: .memory
      case .temperature: .temperature
      case .disks: .diskRead
      case .network: .received
      }
    }

    /// The other series of the plot. A plot of a day with one series shows its greatest values as well.
    func second(_ range: HistoryRange) -> Series? {
      switch self {
      case .processors: range == .hour ? .busiest : nil
      case .load, .memory, .temperature: nil
      case .disks: .diskWritten
      case .network: .sent
      }
    }
  }

  let subject: Subject
  /// The processor, where the figure shows one of them; negative otherwise.
  let core: Int
  let range: HistoryRange
  fileprivate let first: Curve
  fileprivate let second: Curve
  fileprivate let values: Values
  /// The newest use of the processor, where the figure shows one of them.
  fileprivate var coreUse: Int64?

  /// Octets of a figure at most: two curves of 120 points, and the rest.
  static var sizeMax: Int { 2 * Curve.sizeMax + 1_024 }

  @inline(never)
  init(
    _ subject: Subject, _ range: HistoryRange, _ sampler: borrowing Sampler, until now: Int64 = Sampler.now
  ) {
    self.subject = subject
    self.range = range
    core = -1
    values = sampler.values
    first = Curve(subject.first, .mean, range, of: sampler.rings, until: now)
    if let series = subject.second(range) {
      second = Curve(series, .mean, range, of: sampler.rings, until: now)
    } else if range == .day {
      second = Curve(subject.first, .greatest, range, of: sampler.rings, until: now)
    } else {
      second = Curve(subject.first.unit)
    }
  }

  /// The use of one processor.
  @inline(never)
  init(core: Int, _ range: HistoryRange, _ sampler: borrowing Sampler, until now: Int64 = Sampler.now) {
    subject = .processors
    self.range = range
    self.core = core
    coreUse = sampler.coreUse(core)?.value
    values = Values()
    first = Curve(.processors, .mean, range, core: core, of: sampler.rings, until: now)
    second = Curve(.percent)
  }

  /// Whether no curve has a point.
  var isEmpty: Bool { first.greatest == nil && second.greatest == nil }

  /// The greatest value of both curves.
  fileprivate var greatest: Int64 { max(first.greatest ?? 0, second.greatest ?? 0) }
  fileprivate var least: Int64 { min(first.least ?? 0, second.least ?? 0) }

  /// What the axis begins and ends with.
  fileprivate var axis: (bottom: Int64, top: Int64) {
    switch subject.first.unit {
    case .percent: (0, 10_000)
    case .load: (0, Self.roundedUp(greatest, from: 100, by: 1_000))
    case .temperature: (least < 0 ? -400 : 0, greatest <= 600 ? 600 : greatest <= 1_000 ? 1_000 : 1_500)
    case .rate: (0, Self.roundedUp(greatest, from: 1_024, by: 1_024))
    }
  }

  /// The least of 1, 2, 5, 10, 20 … 500 units that is not below a value. Beyond these the unit is larger by a
  /// factor.
  @inline(never)
  static func roundedUp(_ value: Int64, from unit: Int64, by factor: Int64) -> Int64 {
    var unit = unit
    // No value is above 2^50.
    while unit < 1 << 50 {
      var step = unit
      for _ in 0..<3 {
        if value <= step { return step }
        if value <= step * 2 { return step * 2 }
        if value <= step * 5 { return step * 5 }
        step *= 10
      }
      unit *= factor
    }
    return value
  }
}

extension Curve {
  /// Units of the picture's height.
  static var height: Int64 { 80 }

  /// Octets of a curve's path at most: each point is `l1-80`, or after a gap `M119 80h0`.
  static var sizeMax: Int { pointCount * 6 }
}

extension HTML.Interpolation {
  /// Adds a figure.
  @inline(never)
  mutating func appendInterpolation(plot: borrowing Plot) {
    let subject = plot.subject
    appendLiteral("<figure class=\"plot card\" id=\"plot-")
    appendLiteral(plot.core < 0 ? subject.id : "core")
    if plot.core >= 0 { appendInterpolation(plot.core) }
    appendLiteral("\"><figcaption><h2>")
    appendTitle(plot)
    appendLiteral("</h2><ul class=\"key\">")
    appendKey(plot)
    appendLiteral("</ul></figcaption>")
    let axis = plot.axis
    appendLiteral("<p class=\"scale\"><span>")
    appendInterpolation(subject.first.text(axis.top))
    appendLiteral("</span><span>")
    appendInterpolation(subject.first.text(axis.bottom))
    appendLiteral("</span></p>")
    appendPicture(plot, axis)
    appendLiteral(
      plot.range == .hour
        ? "<p class=\"time\"><span>60 min ago</span><span>30 min</span><span>now</span></p></figure>"
        : "<p class=\"time\"><span>24 h ago</span><span>12 h</span><span>now</span></p></figure>")
  }

  @inline(never)
  private mutating func appendTitle(_ plot: borrowing Plot) {
    guard plot.core >= 0 else { return appendLiteral(plot.subject.title) }
    appendLiteral("Processor ")
    appendInterpolation(plot.core)
  }

  private mutating func appendKey(_ plot: borrowing Plot) {
    let subject = plot.subject
    if plot.core >= 0 {
      appendLiteral("<li class=\"a\">now <b>")
      if let use = plot.coreUse {
        appendInterpolation(subject.first.text(use))
      } else {
        appendLiteral("unknown")
      }
      return appendLiteral("</b></li>")
    }
    let isDay = plot.range == .day
    switch subject {
    case .processors where !isDay:
      appendKey("a", "together", subject.first, plot)
      appendKey("b", "busiest", .busiest, plot)
    case .disks:
      appendKey("a", "read", .diskRead, plot)
      appendKey("b", "written", .diskWritten, plot)
    case .network:
      appendKey("a", "received", .received, plot)
      appendKey("b", "sent", .sent, plot)
    case .processors, .load, .memory, .temperature:
      appendKey("a", isDay ? "mean; now" : "now", subject.first, plot)
      guard isDay else { return }
      appendLiteral("<li class=\"b\">greatest ")
      if let greatest = plot.second.greatest { appendInterpolation(subject.first.text(greatest)) }
      appendLiteral("</li>")
    }
  }

  @inline(never)
  private mutating func appendKey(
    _ mark: StaticString, _ name: StaticString, _ series: Series, _ plot: borrowing Plot
  ) {
    appendLiteral("<li class=\"")
    appendLiteral(mark)
    appendLiteral("\">")
    appendLiteral(name)
    appendLiteral(" ")
    appendInterpolation(live: series, plot.values.text(series))
    appendLiteral("</li>")
  }

  /// Adds a value that moves.
  @inline(never)
  mutating func appendInterpolation(live series: Series, _ text: Text<24>?) {
    appendLiteral("<b data-live=\"")
    appendLiteral(series.name)
    appendLiteral("\">")
    if let text { appendInterpolation(text) } else { appendLiteral("unknown") }
    appendLiteral("</b>")
  }

  private mutating func appendPicture(_ plot: borrowing Plot, _ axis: (bottom: Int64, top: Int64)) {
    let subject = plot.subject
    appendLiteral("<svg viewBox=\"0 0 119 80\" preserveAspectRatio=\"none\" role=\"img\"><title>")
    appendTitle(plot)
    appendLiteral(plot.range == .hour ? ", the last hour" : ", the last day")
    appendLiteral("</title><desc>")
    if plot.isEmpty {
      appendLiteral("No values yet.")
    } else {
      appendLiteral("Between ")
      let least = min(plot.first.least ?? .max, plot.second.least ?? .max)
      appendInterpolation(subject.first.text(least))
      appendLiteral(" and ")
      appendInterpolation(subject.first.text(max(plot.first.greatest ?? .min, plot.second.greatest ?? .min)))
    }
    appendLiteral("</desc><path class=\"grid\" d=\"M0 40h119\"/>")
    appendCurve("b", plot.second, axis)
    appendCurve("a", plot.first, axis)
    appendLiteral("</svg>")
  }

  /// Adds a path. A gap ends a line, and a single point becomes a dot.
  @inline(never)
  private mutating func appendCurve(
    _ mark: StaticString, _ curve: borrowing Curve, _ axis: (bottom: Int64, top: Int64)
  ) {
    guard curve.greatest != nil else { return }
    appendLiteral("<path class=\"")
    appendLiteral(mark)
    appendLiteral("\" d=\"")
    var former: Int64?
    // Points of the same height, which become one line.
    var level = 0
    for i in 0..<Curve.pointCount {
      guard let value = curve[i] else {
        appendLevel(&level)
        former = nil
        continue
      }
      let part = min(max(value, axis.bottom), axis.top) - axis.bottom
      let height = axis.top - axis.bottom
      let y = Curve.height - (part * Curve.height + height / 2) / height
      if let last = former {
        if y == last {
          level += 1
        } else {
          appendLevel(&level)
          appendLiteral(y < last ? "l1" : "l1 ")
          appendInterpolation(y - last)
        }
      } else {
        appendLiteral("M")
        appendInterpolation(i)
        appendLiteral(" ")
        appendInterpolation(y)
        appendLiteral("h0")
      }
      former = y
    }
    appendLevel(&level)
    appendLiteral("\"/>")
  }

  private mutating func appendLevel(_ count: inout Int) {
    guard count > 0 else { return }
    appendLiteral("h")
    appendInterpolation(count)
    count = 0
  }
}

extension Series {
  /// The name in events and in pages.
  var name: StaticString {
    switch self {
    case .processors: "processors"
    case .busiest: "busiest"
    case .load: "load"
    case .memory: "memory"
    case .temperature: "temperature"
    case .diskRead: "read"
    case .diskWritten: "written"
    case .received: "received"
    case .sent: "sent"
    }
  }
}

extension PageWriter where Self: ~Copyable & ~Escapable {
  /// Writes where the page says whether its values move.
  @_lifetime(self: copy self)
  mutating func writeLiveState() { write("<p id=\"live\" class=\"note live\" role=\"status\"></p>\n") }
}

extension Body where Site == Panel {
  /// Writes the script that moves the values of the page, and the plots of a span.
  @inline(never)
  @_lifetime(self: copy self)
  mutating func writeLiveScript(_ range: HistoryRange?, ofCores: Bool = false) {
    write(
      """
      <script defer src="\(PackedAssets.panelJs)" \
      data-events="\(path: Panel.row(of: .live).path)
      """)
    if let range { write("\(markup: range == .hour ? "?plots=hour" : "?plots=day")") }
    if ofCores { write("&amp;of=cores") }
    write("\"></script>\n")
  }
}
