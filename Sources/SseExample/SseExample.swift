// Server-sent events: a page that shows the program's uptime without being loaded again, and what visitors say
// to each other.

import Martlet

struct Site: StreamingApplication, TimedApplication, ~Copyable {
  /// The newest events, for all readers.
  var events = EventRing<2_048>()
  var seconds = 0

  enum Page: UInt8 { case index, script, say, events }

  static func route(to page: Page) -> Route {
    switch page {
    case .index: .get("/", for: .everyone)
    case .script: .get("/page.js", for: .everyone)
    case .say: .post("/say", for: .everyone)
    case .events: .get("/events", for: .everyone)
    }
  }

  static var period: Duration { .seconds(1) }

  mutating func tick(_ tick: inout Tick) {
    seconds += 1
    events.send(plain: "\(seconds)")
    tick.wake(Page.events)
  }

  mutating func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .index:
      return response.html(
        """
        <!doctype html>
        <meta name="viewport" content="width=device-width">
        <title>Events</title>
        <h1>Up for <span id="seconds">…</span> s</h1>
        <form method="POST" action="/say" target="answer">
          <input name="text" maxlength="80" aria-label="What you say" required> <button>Say</button>
        </form>
        <iframe name="answer" hidden></iframe>
        <ul id="said"></ul>
        <script src="/page.js"></script>
        """)
    case .script:
      return response.asset(
        "text/javascript; charset=utf-8",
        """
        const events = new EventSource("/events");
        events.onmessage = (event) => { seconds.textContent = event.data; };
        events.addEventListener("said", (event) => {
          const line = document.createElement("li");
          line.textContent = JSON.parse(event.data).text;
          said.prepend(line);
        });
        """)
    case .say:
      guard let text: Text<80> = request.form["text"]?.text(), !text.isEmpty, text.span.isUTF8 else {
        return response.refuse(.badRequest, "A text has 1 to 80 octets.")
      }
      events.send("said", json: "{\"text\":\(text)}")
      var response = response
      response.wake(.events)
      return response.noContent()
    case .events:
      return response.events(events, request, from: .next)
    }
  }

  mutating func write(_ page: Page, _ state: inout StreamState, to body: inout StreamBody) -> StreamStep {
    body.write(events: events, &state)
  }
}

@main
enum SseExample {
  static func main() {
    serve(Site(), Options(program: "sse-example", listen: "127.0.0.1:5000"))
  }
}
