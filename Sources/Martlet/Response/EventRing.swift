// Server-sent events (WHATWG HTML, section 9.2), kept once for all readers. Each event lies in the ring as it
// is sent. A reader costs the number of the event that it has got last.
//
//     oldest ───────────────────── newest ·········· free          a new event replaces the oldest ones
//     [size|id: … data: …] [size|id: … data: …]

import CMartletPlatform
import MartletBytes
import MartletHTTP
public import MartletServer

/// The newest events of one subject, for any number of readers.
///
///     var readings = EventRing<4_096>()
///
///     mutating func tick(_ tick: inout Tick) {
///       readings.send("reading", json: "{\"celsius\":\(sensor.celsius)}")
///       tick.wake(Page.events)
///     }
///
/// A page answers with `response.events(_:_:)`, and `write` of the application with `body.write(events:_:)`.
///
/// JSON and plain text are made in a page, in `tick` and in `write`. Elsewhere, as in `receive` of an upload, send
/// octets.
///
/// The ring holds its octets in place. The oldest events make room for a new one. A reader that was away, or
/// reads too slowly, gets the events that the ring still has.
public struct EventRing<let capacity: Int>: ~Copyable {
  private var storage = InlineArray<capacity, UInt8>(repeating: 0)
  private var places = EventPlaces()

  /// Makes an empty ring. An event takes its text and about 40 octets more.
  public init() {}

  /// Events in the ring.
  public var count: Int { places.count }

  /// Sends an event whose data are JSON. `wake` of the response or the tick then wakes the streams.
  ///
  /// - Parameters:
  ///   - name: The event's type, for `addEventListener`. Without a name the browser calls `onmessage`. A name
  ///     with a line end is a bug and stops the program.
  ///   - data: The event's data.
  /// - Returns: `false` where the data do not fit into the ring or into a buffer, or where the JSON is a
  ///   misuse. Nothing is sent then.
  @discardableResult
  public mutating func send(_ name: StaticString = "", json data: JSONText) -> Bool {
    send(name, text: data.range)
  }

  /// Sends an event whose data are plain text. Each line of the text becomes a line of the data.
  ///
  /// - Returns: As `send(_:json:)`.
  @discardableResult
  public mutating func send(_ name: StaticString = "", plain data: Plain) -> Bool {
    send(name, text: data.range)
  }

  /// Sends an event whose data are octets from anywhere. Octets that are no UTF-8 become U+FFFD in the browser.
  ///
  /// - Returns: As `send(_:json:)`.
  @discardableResult
  public mutating func send(_ name: StaticString = "", octets data: Span<UInt8>) -> Bool {
    var target = storage.mutableSpan
    return places.add(name, data, to: &target)
  }

  /// Sends page text, and drops the text from the page, because it is no text of the page.
  private mutating func send(_ name: StaticString, text range: Range<Int>) -> Bool {
    let octets = PageText.octets
    invariant(range.upperBound == octets.count, "an event is sent where its data are made")
    let isWhole = !PageText.overflowed
    let isSent = isWhole && send(name, octets: octets.extracting(range))
    PageText.truncate(to: range.lowerBound)
    return isSent
  }

  /// Removes all events. Their numbers are not used again.
  public mutating func removeAll() { places.removeAll() }

  /// The number of the newest event; 0 before the first one.
  var newest: Int64 { places.newest }

  /// The event that follows the event with that number, or the oldest event in the ring; `nil` where no event
  /// follows.
  ///
  /// - Returns: The event's number and its text.
  @_lifetime(borrow self)
  func event(after number: Int64) -> Event? { places.event(after: number, in: storage.span) }

  /// The number of the event that a browser has got last.
  ///
  /// - Parameter id: The value of Last-Event-ID.
  /// - Returns: `nil` where the event is of another run of the program, or not known.
  func number(of id: Span<UInt8>) -> Int64? { places.number(of: id) }
}

/// One event in the ring.
struct Event: ~Escapable {
  let number: Int64
  let text: Span<UInt8>

  @_lifetime(copy text)
  init(number: Int64, text: Span<UInt8>) {
    self.number = number
    self.text = text
  }
}

/// Where the events of a ring lie. A type of its own, so that rings of all sizes share this code.
struct EventPlaces {
  /// Where the oldest event, the newest event and the next event begin.
  private var oldest = 0
  private var latest = 0
  private var next = 0
  /// Where the events end that lie behind `next`; 0 where none lies there.
  private var end = 0
  private(set) var count = 0
  /// The number of the newest event. Numbers are consecutive, and begin with 1 at each start of the program.
  private(set) var newest: Int64 = 0

  /// Bits of a stream's position that hold the number of an event. Until the first piece, the other bits hold the
  /// milliseconds of `retry`. A ring that sends a hundred events a second takes 21 years to get there.
  static var retryShift: Int64 { 36 }

  /// Octets before an event that hold its size.
  private static var sizeSize: Int { 2 }
  /// Octets of an event's size, of `id: ` and of the number's two parts.
  private static var overhead: Int { 64 }

  /// Adds an event.
  ///
  /// - Returns: Whether the ring has room for the event.
  @inline(never)
  mutating func add(_ name: StaticString, _ data: Span<UInt8>, to storage: inout MutableSpan<UInt8>) -> Bool {
    for i in name.octets.indices {
      invariant(name.octets[i] != "\r" && name.octets[i] != "\n", "the name of an event is one line")
    }
    let (sizeMax, overflows) = data.count.addingReportingOverflow(
      Self.overhead + name.octets.count + DataLines.count(data) * DataLines.overhead)
    guard !overflows, sizeMax <= min(storage.count, Int(UInt16.max)) else { return false }
    let start = place(of: sizeMax, in: storage)
    var writer = Writer(storage._mutatingExtracting(start + Self.sizeSize..<start + sizeMax))
    newest += 1
    Self.write(newest, name, data, to: &writer)
    let (size, overflowed) = (writer.count, writer.overflowed)
    invariant(!overflowed, "an event has the size that was computed")
    storage[start] = UInt8(truncatingIfNeeded: size)
    storage[start + 1] = UInt8(truncatingIfNeeded: size >> 8)
    latest = start
    next = start + Self.sizeSize + size
    count += 1
    return true
  }

  @_lifetime(writer: copy writer)
  private static func write(
    _ number: Int64, _ name: StaticString, _ data: Span<UInt8>, to writer: inout Writer
  ) {
    writer.append("id: ")
    writer.append(decimal: martlet_run_number())
    writer.append("-")
    writer.append(decimal: number)
    if name.octets.count > 0 {
      writer.append("\nevent: ")
      writer.append(name)
    }
    var lines = DataLines(data)
    while let line = lines.next() {
      writer.append("\ndata: ")
      writer.append(line)
    }
    writer.append("\n\n")
  }

  /// Makes room for an event.
  ///
  /// - Returns: Where the event begins.
  private mutating func place(of size: Int, in storage: borrowing MutableSpan<UInt8>) -> Int {
    while count > 0 {
      if end == 0 {
        if storage.count - next >= size { return next }
        end = next
        next = 0
      }
      if oldest - next >= size { return next }
      oldest += Self.sizeSize + Self.size(at: oldest, in: storage.span)
      count -= 1
      if oldest == end {
        oldest = 0
        end = 0
      }
    }
    removeAll()
    return 0
  }

  private static func size(at place: Int, in storage: Span<UInt8>) -> Int {
    Int(storage[place]) | Int(storage[place + 1]) << 8
  }

  mutating func removeAll() { (oldest, latest, next, end, count) = (0, 0, 0, 0, 0) }

  @_lifetime(copy storage)
  func event(after number: Int64, in storage: Span<UInt8>) -> Event? {
    guard count > 0, number < newest else { return nil }
    var found = newest - Int64(count) + 1
    var place = oldest
    if number == newest - 1 {
      (found, place) = (newest, latest)
    }
    while found <= number {
      place += Self.sizeSize + Self.size(at: place, in: storage)
      if place == end { place = 0 }
      found += 1
    }
    let start = place + Self.sizeSize
    return Event(number: found, text: storage.extracting(start..<start + Self.size(at: place, in: storage)))
  }

  func number(of id: Span<UInt8>) -> Int64? {
    guard let dash = id.firstIndex(of: 0x2D),
      id.extracting(0..<dash).decimal() == UInt64(martlet_run_number()),
      let number = id.extracting(dash + 1..<id.count).decimal(), number <= UInt64(newest)
    else { return nil }
    return Int64(number)
  }
}

/// The lines of an event's data. CR, LF, and CR before LF each end a line.
struct DataLines: ~Escapable {
  private var rest: Span<UInt8>
  private var isAtEnd = false

  /// Octets that a line needs beside its own.
  static var overhead: Int { 8 }

  @_lifetime(copy data)
  init(_ data: Span<UInt8>) { rest = data }

  /// How many lines there are: at least one.
  static func count(_ data: Span<UInt8>) -> Int {
    var lines = DataLines(data)
    var count = 0
    while lines.next() != nil { count += 1 }
    return count
  }

  @_lifetime(copy self)
  @_lifetime(self: copy self)
  mutating func next() -> Span<UInt8>? {
    guard !isAtEnd else { return nil }
    var end = 0
    while end < rest.count, rest[end] != "\r", rest[end] != "\n" { end += 1 }
    let line = rest.extracting(first: end)
    isAtEnd = end == rest.count
    guard !isAtEnd else { return line }
    let hasTwo = rest[end] == "\r" && end + 1 < rest.count && rest[end + 1] == "\n"
    rest = rest.extracting(end + (hasTwo ? 2 : 1)..<rest.count)
    return line
  }
}

// MARK: Readers

/// Where a new reader of events begins.
public enum EventStart: Sendable {
  /// With the oldest event that the ring has.
  case oldest
  /// With the next event that is sent.
  case next
}

extension Response where Site: StreamingApplication & ~Copyable {
  /// Answers with the events of a ring (`text/event-stream`). The application's `write` then writes them with
  /// `body.write(events:_:)`.
  ///
  /// A browser that comes back says which event it has got last (Last-Event-ID), and goes on behind that
  /// event. Where the ring has dropped that event, or the program has been started again, the browser gets all
  /// events of the ring.
  ///
  /// Where the login of the reader ends, the library ends the stream. The browser then asks again and is
  /// checked anew.
  ///
  /// - Parameters:
  ///   - ring: The events.
  ///   - request: The request, which may have a Last-Event-ID.
  ///   - start: Where a new reader begins.
  ///   - retry: After how long a browser asks again when the connection has ended, from 1 ms.
  ///   - note: What `write` of the application finds in the state's `note`, such as the number of the reader's
  ///     session.
  public consuming func events<let capacity: Int>(
    _ ring: borrowing EventRing<capacity>, _ request: borrowing Request<Site>,
    from start: EventStart = .oldest, retry: Duration = .seconds(2), note: Int64 = 0
  ) -> Answer {
    var state = StreamState(note: note)
    if let id = request.headers.value(of: "Last-Event-ID"), !id.isEmpty {
      state.position = ring.number(of: id) ?? 0
    } else if start == .next {
      state.position = ring.newest
    }
    let (seconds, attoseconds) = retry.components
    let milliseconds = max(1, min(seconds, 86_400) * 1_000 + attoseconds / 1_000_000_000_000_000)
    state.position |= milliseconds << EventPlaces.retryShift
    // A proxy that collects an answer before it sends the answer on would hold events back.
    setHeader("X-Accel-Buffering", "no")
    return stream("text/event-stream", from: state)
  }
}

extension StreamBody {
  /// Writes the events that the reader lacks.
  ///
  ///     mutating func write(
  ///       _ page: Page, _ state: inout StreamState, to body: inout StreamBody
  ///     ) -> StreamStep {
  ///       body.write(events: readings, &state)
  ///     }
  ///
  /// Where no event is new, a comment is written. Proxies then see that the stream is in use, and a reader that
  /// is gone is noticed.
  ///
  /// - Parameters:
  ///   - ring: The events.
  ///   - state: How far the reader has come. `response.events` has made it.
  ///   - seconds: Time until a comment is written where no event is sent, from 1 s.
  /// - Returns: What `write` of the application returns.
  public mutating func write<let capacity: Int>(
    events ring: borrowing EventRing<capacity>, _ state: inout StreamState,
    commentAfterSeconds seconds: Int = 15
  ) -> StreamStep {
    let before = room
    let retry = state.position >> EventPlaces.retryShift
    if retry > 0 {
      write(plain: "retry: \(retry)\n\n")
      state.position &= (1 << EventPlaces.retryShift) - 1
    }
    while let event = ring.event(after: state.position) {
      guard event.text.count <= room else { return .more }
      write(octets: event.text)
      state.position = event.number
    }
    if room == before { write(plain: ":\n\n") }
    return .pause(milliseconds: max(1, min(seconds, 86_400)) * 1_000)
  }
}
