// Content that is longer than any buffer: a file, a list, events, uploads. Only one piece at a time is in
// memory. The page keeps its state from one piece to the next.
//
//     curl localhost:5000/list?count=1000000        curl -T film.mp4 -X POST localhost:5000/digest

import Martlet

struct Site: FileApplication, StreamingApplication, UploadApplication {
  enum Page: UInt8 { case index, style, file, list, events, count, digest }

  /// The state of an upload: how many octets have been received, and their hash.
  struct UploadState: BitwiseCopyable {
    var count: Int64 = 0
    var hash = SHA256State()
  }

  static func route(to page: Page) -> Route {
    switch page {
    case .index: .get("/", for: .everyone)
    case .style: .get("/style.css", for: .everyone)
    case .file: .get("/file", for: .everyone)
    case .list: .get("/list", for: .everyone)
    case .events: .get("/events", for: .everyone)
    case .count: .upload("/count", for: .everyone)
    case .digest: .upload("/digest", for: .everyone)
    }
  }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .index:
      return response.html(
        """
        <!doctype html><title>Pieces</title><link rel="stylesheet" href="/style.css">
        <h1>Pieces</h1>
        <p><a href="/file">A file</a>, <a href="/list">a list</a>, <a href="/events">events</a></p>
        <form method="post" action="/digest" enctype="multipart/form-data">
        <input name="file" type="file"> <button>Hash it</button></form>

        """)
    case .style:
      response.cache(forSeconds: 3_600)
      return response.asset("text/css; charset=utf-8", "body { font: 1em sans-serif }\n")
    case .file:
      return response.file(
        "application/octet-stream", at: ("pieces-example.bin" as StaticString).octets)
    case .list:
      let typed: Text<9>? = request.query["count"]?.text()
      let count = typed?.span.decimal() ?? 100_000
      return response.stream("text/html; charset=utf-8", from: StreamState(note: Int64(count)))
    case .events:
      return response.stream("text/event-stream")
    case .count, .digest:
      return response.receive(atMost: Limits.requestPiecesSizeMax, into: UploadState())
    }
  }

  /// Writes the next piece of a list, or the next event.
  func write(_ page: Page, _ state: inout StreamState, to body: inout StreamBody) -> StreamStep {
    guard page == .list else {
      body.write(plain: "data: \(state.position)\n\n")
      state.position += 1
      return .pause(milliseconds: 500)
    }
    // An entry has at most 30 octets.
    while body.room >= 30, state.position < state.note {
      body.write("<li>\(state.position)\n")
      state.position += 1
    }
    return state.position < state.note ? .more : .end
  }

  /// Handles the next piece of an upload.
  func receive(
    _ octets: Span<UInt8>, for page: Page, _ request: borrowing Request<Self>, _ state: inout UploadState
  ) -> UploadStep {
    state.count += Int64(octets.count)
    if page == .digest { state.hash.update(octets) }
    return .more
  }

  /// Answers an upload.
  func finish(
    _ page: Page, _ request: borrowing Request<Self>, _ state: UploadState,
    _ response: consuming Response<Self>
  ) -> Answer {
    guard page == .digest else { return response.html("\(state.count) octets\n") }
    let digest = state.hash.finish()
    var text = Text<64>()
    text.append(hexadecimal: digest.span)
    return response.html("\(text)\n")
  }

  /// Does nothing, because an upload that ends early has left nothing outside of its state.
  func abandon(_ page: Page, _ request: borrowing Request<Self>, _ state: UploadState) {}
}

@main
enum PiecesExample {
  static func main() {
    serve(Site(), Options(program: "pieces-example", listen: "127.0.0.1:5000"))
  }
}
