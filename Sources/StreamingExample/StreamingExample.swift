// Microdot's streaming example as a Martlet program: a picture that changes each second, as a camera's picture does.
// The frames are parts of one answer (multipart/x-mixed-replace), and each frame takes the place of the one before.
//
//     curl -N localhost:5000/frames

import Martlet

struct Site: StreamingApplication, ~Copyable {
  /// Streams that have not ended.
  var viewers = 0

  enum Page: UInt8 { case index, frames }

  static func route(to page: Page) -> Route {
    switch page {
    case .index: .get("/", for: .everyone)
    case .frames: .get("/frames", for: .everyone)
    }
  }

  mutating func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .index:
      return response.html(
        """
        <!doctype html>
        <title>A stream of frames</title>
        <h1>A stream of frames</h1>
        <img src="/frames" alt="A dial whose hand moves each second" width="200" height="200">

        """)
    case .frames:
      viewers += 1
      return response.stream("multipart/x-mixed-replace; boundary=frame")
    }
  }

  /// Writes a frame, and the boundary behind it, because a browser shows a frame when it sees the frame's end.
  mutating func write(_ page: Page, _ state: inout StreamState, to body: inout StreamBody) -> StreamStep {
    if state.position == 0 { body.write(plain: "--frame\r\n") }
    body.write(plain: "Content-Type: image/svg+xml\r\n\r\n")
    body.write(
      plain: """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">
        <circle cx="50" cy="50" r="48" fill="none" stroke="gray"/>
        <path d="M50 50V10" stroke="teal" stroke-width="3" transform="rotate(\(state.position % 60 * 6) 50 50)"/>
        <text x="50" y="75" text-anchor="middle" font-size="9" fill="gray">viewers: \(viewers)</text>
        </svg>
        """)
    body.write(plain: "\r\n--frame\r\n")
    state.position += 1
    return .pause(milliseconds: 1_000)
  }

  /// Called when a viewer is gone, and for each stream when the program stops.
  mutating func streamEnded(_ page: Page, _ state: StreamState) { viewers -= 1 }
}

@main
enum StreamingExample {
  static func main() {
    serve(Site(), Options(program: "streaming-example", listen: "127.0.0.1:5000"))
  }
}
