// What is longer than any buffer: a file, a list, events as they come, uploads. None of it is ever held
// in memory; what a page has to remember from one piece to the next is its cursor.
//
//     curl localhost:5000/list?count=1000000        curl -T film.mp4 -X POST localhost:5000/digest

import Martlet

struct Site: Application, ~Copyable {
  enum Page: UInt8 { case index, style, file, list, events, count, digest }

  /// The upload that is being hashed: one at a time, because a hash does not fit a cursor.
  private var hash = SHA256()
  private var isHashing = false

  static var answersInPieces: Bool { true }
  static var hasUploads: Bool { true }

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

  mutating func respond(
    to page: Page, _ request: borrowing Request<NoUser>, _ response: consuming Response
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
      return response.pieces("text/html; charset=utf-8", from: Cursor(note: Int64(count)))
    case .events:
      return response.pieces("text/event-stream")
    case .count:
      return response.take(atMost: Limits.requestPiecesSizeMax)
    case .digest:
      guard !isHashing else {
        return response.refuse(.serviceUnavailable, "One is being hashed.", retryAfter: 5)
      }
      isHashing = true
      return response.take(atMost: Limits.requestPiecesSizeMax)
    }
  }

  /// Writes the next piece of a list, or the next event.
  func write(_ page: Page, _ cursor: inout Cursor, to body: inout PieceBody) -> Piece.Next {
    guard page == .list else {
      body.write("data: \(cursor.position)\n\n")
      cursor.position += 1
      return .pause(milliseconds: 500)
    }
    // An entry is no longer than 30 octets.
    while body.room >= 30, cursor.position < cursor.note {
      body.write("<li>\(cursor.position)\n")
      cursor.position += 1
    }
    return cursor.position < cursor.note ? .more : .end
  }

  /// Takes the next piece of an upload.
  mutating func take(
    _ octets: Span<UInt8>, for page: Page, _ cursor: inout Cursor
  ) -> Reception {
    cursor.position += Int64(octets.count)
    if page == .digest { hash.update(octets) }
    return .taken
  }

  /// Answers an upload.
  mutating func finish(_ page: Page, _ cursor: Cursor, _ response: consuming Response) -> Answer {
    guard page == .digest else { return response.html("\(cursor.position) octets\n") }
    let digest = hash.copy().finish()
    forget()
    var text = Text<64>()
    for i in digest.indices {
      text.append(ASCII.hexadecimal(digest[i] >> 4))
      text.append(ASCII.hexadecimal(digest[i] & 15))
    }
    return response.html("\(text)\n")
  }

  /// Somebody has left before the end.
  mutating func abandon(_ page: Page, _ cursor: Cursor) { if page == .digest { forget() } }

  private mutating func forget() {
    hash = SHA256()
    isHashing = false
  }
}

@main
enum PiecesExample {
  static func main() {
    serve(Site(), Options(program: "pieces-example", listen: "127.0.0.1:5000"))
  }
}
