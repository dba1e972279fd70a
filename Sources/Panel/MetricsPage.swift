// What the machine is like and what the server has counted, for a monitoring system: Prometheus' text format,
// version 0.0.4. Counts begin at the program's start and only grow.

import Martlet

extension Panel {
  /// Shows the values of this moment. It waits a little for what the system may hold up.
  mutating func metricsPage(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>
  ) -> Answer {
    if let milliseconds = measurements.renew() { return response.later(inMilliseconds: milliseconds) }
    var body = response.body(mediaType: "text/plain; version=0.0.4; charset=utf-8")
    body.begin("info", "gauge", "The version that runs.")
    body.write(plain: "martlet_info{version=\"\(Panel.version)\"} 1\n")
    body.writeGauge(
      "uptime_seconds", "Seconds since the program started.",
      UInt64(max(0, request.monotonicMilliseconds - startedAt) / 1_000))
    body.writeMetrics(Device(), request.clock, measurements)
    body.writeNewest(sampler, measurements.throttling)
    var texts = Lines(Counter.texts.octets)
    var number: UInt8 = 0
    while let counter = Counter(rawValue: number) {
      guard let name = texts.next(), let meaning = texts.next() else {
        stop("every counter has a name")
      }
      body.write(
        plain: """
          # HELP martlet_\(name)_total \(meaning)
          # TYPE martlet_\(name)_total counter
          martlet_\(name)_total \(counter.value)

          """)
      number += 1
    }
    return body.end()
  }
}

extension Counter {
  /// Names, without what all have, and what is counted: two lines for each, in the order of the cases.
  fileprivate static var texts: StaticString {
    """
    connections_accepted
    Connections taken from the listener.
    connections_evicted
    Connections ended to make room for new ones.
    listener_paused
    Times that new connections had to wait because none could be ended.
    descriptors_exhausted
    Times that the system had no descriptor or memory for a connection.
    requests_answered
    Requests answered by a page.
    requests_refused
    Requests refused with an error that ends the connection.
    requests_queued
    Requests that waited for a response buffer.
    requests_unread
    Requests that waited because their client had not read earlier responses.
    requests_stashed
    Times that a part of a request was put into a response buffer.
    requests_turned_away
    Requests answered with 503 because too much was under way.
    sends_partial
    Times that the kernel took a part of what was to be sent.
    deadlines_passed
    Waits for a client that took too long.
    """
  }
}
