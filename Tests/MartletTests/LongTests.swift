// Pages with content that is longer than a buffer, and answers that take several turns.

import MartletTesting
import TestSupport
import Testing

@testable import Martlet

/// Verifies a password, and hashes a new one.
struct PasswordSite: DeferringApplication {
  enum Page: UInt8 { case verify, change }

  var hash: StaticString = """
    pbkdf2-hmac-sha256:6d6172746c65742d7375736172000001:10000:\
    a490a7858438832f9e19ae8b98e75fcdbb847c5047a55d95b065a36e905b603c
    """

  static func route(to page: Page) -> Route {
    switch page {
    case .verify: .post("/verify", for: .everyone)
    case .change: .post("/change", for: .everyone)
    }
  }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    let form = request.form
    guard let isRight = response.verify(form["password"], against: hash) else {
      return response.later()
    }
    guard page == .change else { return response.html(isRight ? "right" : "wrong") }
    guard isRight else { return response.html(.forbidden, "wrong") }
    guard let typed: Text<64> = form["new"]?.text() else {
      return response.html(.badRequest, "too long")
    }
    do throws(PasswordRefusal) {
      guard let hash = try response.hash(typed.span, iterations: 100) else {
        return response.later()
      }
      return response.html(hash.verify(typed.span) ? "changed" : "broken")
    } catch {
      return response.html(.badRequest, "refused")
    }
  }
}

/// What a test gives to the site, and learns from it.
final class Shelf {
  var path = ""
  var taken: [UInt8] = []
  var abandoned: [Int64] = []
}

/// Pages that are longer than a buffer.
struct LongSite: FileApplication, StreamingApplication, UploadApplication {
  enum Page: UInt8 { case asset, file, list, upload, empty, broken, begun }

  let shelf: Shelf

  /// Octets received, and a note.
  struct UploadState: BitwiseCopyable {
    var position: Int64 = 0
    var note: Int64
  }

  static func route(to page: Page) -> Route {
    switch page {
    case .asset: .get("/asset", for: .everyone)
    case .file: .get("/file", for: .everyone)
    case .list: .get("/list", for: .everyone)
    case .upload: .upload("/upload", for: .everyone)
    case .empty: .get("/empty", for: .everyone)
    case .broken: .get("/broken", for: .everyone)
    case .begun: .get("/begun/<int:size>", for: .everyone)
    }
  }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .asset: return response.asset("text/plain", "an asset")
    case .file:
      return response.file("application/octet-stream", at: [UInt8](shelf.path.utf8).span)
    case .list: return response.stream("text/html", from: StreamState(note: 40_000))
    case .upload: return response.receive(atMost: 50_000, into: UploadState(note: 1))
    case .empty: return response.stream("text/plain")
    case .broken: return response.stream("text/plain", from: StreamState(note: -1))
    case .begun:
      var body = response.body(.created)
      body.write("<h1>\("<&>" as StaticString)</h1>")
      for _ in 0..<request[.size] { body.write(octets: [0x78].span) }
      return body.stream(from: StreamState(position: 3, note: 6))
    }
  }

  func write(_ page: Page, _ cursor: inout StreamState, to body: inout StreamBody) -> StreamStep {
    guard page == .list || page == .begun else {
      if cursor.note == -1 {
        for _ in 0..<20 { body.write(octets: [UInt8](repeating: 0x78, count: 1_000).span) }
      }
      return .end
    }
    while body.room > 20, cursor.position < cursor.note {
      body.write("<li>\(cursor.position)")
      cursor.position += 1
    }
    return cursor.position < cursor.note ? .more : .end
  }

  func receive(
    _ octets: Span<UInt8>, for page: Page, _ request: borrowing Request<Self>, _ cursor: inout UploadState
  ) -> UploadStep {
    for i in octets.indices { shelf.taken.append(octets[i]) }
    cursor.position += Int64(octets.count)
    return octets[0] == 0x21 ? .refuse(.conflict, "No.") : .more
  }

  func finish(
    _ page: Page, _ request: borrowing Request<Self>, _ cursor: UploadState,
    _ response: consuming Response<Self>
  ) -> Answer {
    response.html(.created, "\(cursor.position) \(cursor.note)")
  }

  func abandon(_ page: Page, _ request: borrowing Request<Self>, _ cursor: UploadState) {
    shelf.abandoned.append(cursor.position)
  }

  func streamEnded(_ page: Page, _ state: StreamState) {
    if page == .begun { shelf.abandoned.append(-state.position) }
  }
}

extension PathParameter<Int> {
  fileprivate static var size: Self { "size" }
}

@Suite struct LongTests {
  func client() -> (TestClient<LongSite>, Shelf) {
    let shelf = Shelf()
    return (TestClient(LongSite(shelf: shelf), secret: ""), shelf)
  }

  @Test("A password is verified, and then a new one hashed, within one request")
  func change() {
    let client = TestClient(PasswordSite(), secret: secret)
    let change = { (old: String, new: String) in
      client.post("/change", form: [("password", old), ("new", new)]).body
    }
    #expect(change("hello", "a new password") == "changed")
    #expect(change("hallo", "a new password") == "wrong")
    #expect(change("hello", "a\u{0}b") == "refused")
    #expect(change("hello", String(repeating: "a", count: 65)) == "too long")
    #expect(change("hello", "another password") == "changed", "nothing is left of the first")
  }

  @Test("An asset is sent as it is")
  func asset() {
    let (client, _) = client()
    let response = client.get("/asset")
    #expect(response.body == "an asset" && response.header("Content-Length") == "8")
    #expect(client.request("HEAD", "/asset").header("Content-Length") == "8")
  }

  @Test("A file is sent as it is; one that is not there, or is none, is a 404")
  func files() throws {
    let (client, shelf) = client()
    shelf.path = #filePath
    let response = client.get("/file")
    #expect(response.status == .ok)
    #expect(response.body.hasPrefix("// Pages with content that is longer"))
    #expect(response.header("Content-Length") == "\(response.body.utf8.count)")
    for path in ["/nowhere", "/", "", "/dev/null", "a\u{0}b", String(repeating: "a", count: 600)] {
      shelf.path = path
      #expect(client.get("/file").status == .notFound, "\(path.prefix(20))")
    }
  }

  @Test("A page in pieces is asked until its end; values are escaped in it as everywhere")
  func list() {
    let (client, _) = client()
    let response = client.get("/list")
    #expect(response.header("Transfer-Encoding") == "chunked")
    #expect(response.header("Content-Length") == nil)
    #expect(response.body == (0..<40_000).map { "<li>\($0)" }.joined())
    #expect(client.get("/empty").body == "")
  }

  @Test("A page that begins with what the request decides goes on in pieces, and has its status")
  func begun() {
    let (client, _) = client()
    let response = client.get("/begun/2")
    #expect(response.status == .created && response.header("Transfer-Encoding") == "chunked")
    #expect(response.header("Content-Type") == "text/html; charset=utf-8")
    #expect(response.body == "<h1>&lt;&amp;&gt;</h1>xx<li>3<li>4<li>5")
  }

  @Test("A beginning that leaves no room for the end of a chunk is refused, and its stream is given up")
  func beginningTooLong() {
    let (client, shelf) = client()
    let room = Limits.responseContentSizeMax - "<h1>&lt;&amp;&gt;</h1>".utf8.count - Limits.chunkEndSize
    let content = Limits.responseContentSizeMax - Limits.chunkEndSize + "<li>3<li>4<li>5".utf8.count
    #expect(client.get("/begun/\(room)").body.utf8.count == content)
    for size in room + 1...room + Limits.chunkEndSize + 1 {
      let response = client.get("/begun/\(size)")
      #expect(response.status == .internalServerError && response.body.contains("does not fit"), "\(size)")
    }
    #expect(shelf.abandoned == [Int64](repeating: -3, count: Limits.chunkEndSize + 1))
  }

  @Test("A piece that does not fit is not sent")
  func broken() {
    let (client, _) = client()
    #expect(client.get("/broken").body == "")
  }

  @Test("Content in pieces comes whole; too much of it, or none that is wanted, is refused")
  func upload() {
    let (client, shelf) = client()
    let content = (0..<40_000).map { UInt8(truncatingIfNeeded: $0 % 251) }
    let response = client.request("POST", "/upload", content: content)
    #expect(response.status == .created && response.body == "40000 1")
    #expect(shelf.taken == content)
    #expect(client.request("POST", "/upload").body == "0 1", "no content is content taken")
    let tooMuch = client.request("POST", "/upload", content: [UInt8](repeating: 1, count: 50_001))
    #expect(tooMuch.status == .contentTooLarge)
    #expect(shelf.abandoned == [0])
    let refused = client.request("POST", "/upload", content: [0x21])
    #expect(refused.status == .conflict && refused.body.contains("No."))
    #expect(client.get("/upload").status == .methodNotAllowed)
  }

  @Test("Another site cannot have its visitors upload")
  func crossOrigin() {
    let (client, shelf) = client()
    let response = client.request(
      "POST", "/upload", headers: [("Origin", "http://elsewhere")], content: [1, 2, 3])
    #expect(response.status == .forbidden)
    #expect(shelf.taken.isEmpty)
  }
}
