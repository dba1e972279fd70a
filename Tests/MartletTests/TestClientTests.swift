// The client of tests: what it waits for, and when it stops waiting.

import Martlet
import MartletTesting
import Testing

/// A site whose pages end, pause without an end, or wait for a tick without an end.
private struct WaitingSite: StreamingApplication, TimedApplication {
  var tickCount: Int64 = 0

  enum Page: UInt8 { case index, ticks, pauses, silence }

  static func route(to page: Page) -> Route {
    switch page {
    case .index: .get("/", for: .everyone)
    case .ticks: .get("/ticks", for: .everyone)
    case .pauses: .get("/pauses", for: .everyone)
    case .silence: .get("/silence", for: .everyone)
    }
  }

  static var period: Duration { .seconds(2) }

  mutating func tick(_ tick: inout Tick) {
    tickCount += 1
    tick.wake(Page.ticks)
  }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    page == .index ? response.plain("\(tickCount)") : response.stream("text/plain")
  }

  func write(_ page: Page, _ state: inout StreamState, to body: inout StreamBody) -> StreamStep {
    if page == .silence { return .wait }
    body.write(plain: ".")
    return page == .ticks ? .wait : .pause(milliseconds: 500)
  }
}

@Suite struct TestClientTests {
  @Test("A stream without an end is cut off, and the next request is answered")
  func endlessStreams() {
    let client = TestClient(WaitingSite())
    client.waitSecondsMax = 10
    let ticks = client.get("/ticks").body.count
    #expect(ticks == 6, "one piece at once, and one with each of five ticks")
    let pauses = client.get("/pauses").body.count
    #expect((20...22).contains(pauses), "\(pauses)")
    #expect(client.get("/silence").body == "")
    #expect(client.get("/").status == .ok)
  }
}
