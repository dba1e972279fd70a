// Files of a folder as a page answers with them: caches, logins, media types, names that are not sent.

import Glibc
import Martlet
import MartletTesting
import TestSupport
import Testing

@testable import Martlet

/// A folder of a test's own, with a file of each kind.
final class WebFolder {
  let path: String

  init() throws {
    var template = Array("/tmp/martlet-static-XXXXXX".utf8CString)
    path = try #require(mkdtemp(&template).map { String(cString: $0) })
    mkdir(path + "/sub", 0o755)
    for (name, text) in [
      ("a.css", "body {}"), ("b.step", "solid"), (".dot", "dot"), (".martlet-new", "begun"),
      ("sub/index.html", "<p>index"), ("sub/.dot", "dot"),
      ("large.txt", String(repeating: "0123456789", count: 9_000)),
    ] { write(name, text) }
  }

  deinit {
    for name in [
      "a.css", "a.css.gz", "b.step", ".dot", ".martlet-new", "sub/index.html", "sub/.dot", "large.txt",
    ] {
      unlink(path + "/" + name)
    }
    rmdir(path + "/sub")
    rmdir(path)
  }

  func write(_ name: String, _ text: String, at seconds: Int = 1_600_000_000) {
    let file = Glibc.fopen(path + "/" + name, "w")
    fputs(text, file)
    fclose(file)
    var times = [timespec(tv_sec: seconds, tv_nsec: 5), timespec(tv_sec: seconds, tv_nsec: 5)]
    utimensat(AT_FDCWD, path + "/" + name, &times, 0)
  }

  func open(index: StaticString = "", showsDotFiles: Bool = false, types: StaticString = "") throws
    -> StaticFolder
  {
    let octets = Array(path.utf8)
    return try StaticFolder(octets.span, index: index, showsDotFiles: showsDotFiles, types: types)
  }
}

private struct FilesSite: FileApplication, SessionApplication {
  struct Person: SessionUser { var id: UserID { "susan" } }

  let folder: StaticFolder

  enum Page: UInt8 { case index, files, cached, own, cookie, login }

  static func route(to page: Page) -> Route {
    switch page {
    case .index: .get("/", for: .everyone)
    case .files: .get("/files/<path:rest>", for: .everyone)
    case .cached: .get("/cached/<path:rest>", for: .everyone)
    case .own: .get("/own/<path:rest>", for: .loggedIn)
    case .cookie: .get("/cookie/<path:rest>", for: .everyone)
    case .login: .post("/login", for: .everyone)
    }
  }

  func user(_ id: UserID) -> Person? { Person() }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .index: return response.file(from: folder, at: "sub/index.html", request)
    case .login: return response.login(Person())
    case .cached: response.cache(forSeconds: 3_600)
    case .cookie: response.setCookie("seen", ("1" as StaticString).octets)
    case .files, .own: break
    }
    return response.file(from: folder, request)
  }
}

/// A site whose own headers do not forbid to guess media types.
private struct BareSite: FileApplication {
  let folder: StaticFolder

  enum Page: UInt8 { case files }
  static var headers: StaticString { "X-Frame-Options: DENY\r\n" }
  static func route(to page: Page) -> Route { .get("/<path:rest>", for: .everyone) }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer { response.file(from: folder, request) }
}

@Suite("Files of a folder") struct StaticFolderTests {
  let web: WebFolder

  init() throws { web = try WebFolder() }

  private func client(
    index: StaticString = "", showsDotFiles: Bool = false, types: StaticString = "", reach: Reach = Reach()
  ) throws -> TestClient<FilesSite> {
    TestClient(
      FilesSite(folder: try web.open(index: index, showsDotFiles: showsDotFiles, types: types)), reach: reach)
  }

  @Test("Everyone's file may be kept and is asked for again; a page may let it be kept for a time")
  func caches() throws {
    let client = try client()
    let response = client.get("/files/a.css")
    #expect(response.body == "body {}" && response.values(of: "Cache-Control") == ["no-cache"])
    #expect(response.header("ETag") == "\"1600000000.5-7\"" && response.setCookies.isEmpty)
    #expect(response.header("Vary") == nil)
    let tag = response.header("ETag")!
    #expect(client.get("/files/a.css", headers: [("If-None-Match", tag)]).status == .notModified)
    let cached = client.get("/cached/a.css")
    #expect(cached.values(of: "Cache-Control") == ["public, max-age=3600"])
    let again = client.get("/cached/a.css", headers: [("If-None-Match", tag)])
    #expect(again.status == .notModified && again.values(of: "Cache-Control") == ["public, max-age=3600"])
    let missing = client.get("/cached/nowhere.css")
    #expect(missing.status == .notFound && missing.values(of: "Cache-Control") == ["no-store"])
  }

  @Test("A file behind a login, and one with a cookie, is kept nowhere")
  func logins() throws {
    let client = try client()
    #expect(client.get("/own/a.css").status == .found)
    #expect(client.get("/own/nowhere.css").status == .found, "what there is is told to nobody else")
    _ = client.post("/login")
    let response = client.get("/own/a.css")
    #expect(response.body == "body {}" && response.values(of: "Cache-Control") == ["no-store"])
    #expect(response.values(of: "Vary").contains("Cookie"))
    let cookie = client.get("/cookie/a.css")
    #expect(cookie.values(of: "Cache-Control") == ["no-store"] && cookie.setCookies.count == 1)
    // A public file is no place for a session cookie.
    #expect(client.get("/files/a.css").setCookies.isEmpty)
  }

  @Test("The media type is not guessed by browsers, whatever headers the application has")
  func sniffing() throws {
    #expect(try client().get("/files/a.css").values(of: "X-Content-Type-Options") == ["nosniff"])
    let bare = TestClient(BareSite(folder: try web.open()))
    let response = bare.get("/a.css")
    #expect(response.values(of: "X-Content-Type-Options") == ["nosniff"])
    #expect(response.header("X-Frame-Options") == "DENY" && response.body == "body {}")
    #expect(bare.get("//evil.example/..").status != .ok && bare.get("//sub").status == .notFound)
  }

  @Test("The application may add media types")
  func types() throws {
    #expect(try client().get("/files/b.step").header("Content-Type") == "application/octet-stream")
    #expect(try client(types: "step model/step").get("/files/b.step").header("Content-Type") == "model/step")
  }

  @Test("Dot files are sent when asked for; unfinished files are never sent")
  func dotFiles() throws {
    let (closed, open) = (try client(), try client(showsDotFiles: true))
    for name in [".dot", "sub/.dot"] {
      #expect(closed.get("/files/\(name)").status == .notFound && open.get("/files/\(name)").body == "dot")
    }
    for name in [".martlet-new", "..", ".", "sub/..", "sub/../a.css", "%2e%2e/a.css", ".dot/", "./a.css"] {
      #expect(open.get("/files/\(name)").status != .ok, "\(name)")
    }
  }

  @Test("A folder has its index where the application says so, and a path without a slash is redirected")
  func index() throws {
    let client = try client()
    for path in ["/files/sub", "/files/sub/"] { #expect(client.get(path).status == .notFound) }
    #expect(client.get("/").body == "<p>index", "a page may answer with one file")
    var reach = Reach()
    let isSet = reach.setPrefix(("/box" as StaticString).octets)
    #expect(isSet)
    let indexed = try self.client(index: "index.html", reach: reach)
    #expect(indexed.get("/files/sub/").body == "<p>index")
    #expect(indexed.get("/files/sub?a=%20b").location == "/box/files/sub/?a=%20b")
    #expect(indexed.get("/files/s%75b").location == "/box/files/s%75b/")
    #expect(indexed.get("/files/a.css/").status == .notFound)
  }

  @Test("Several ranges come as parts, and the places of responses come back")
  func parts() throws {
    let client = try client()
    for _ in 0..<3 * Limits.filePartsCountMax {
      let response = client.get("/files/large.txt", headers: [("Range", "bytes=0-1,80000-80009")])
      #expect(response.status == .partialContent && response.body.contains("\r\n\r\n01\r\n--"))
      #expect(response.body.contains("Content-Range: bytes 80000-80009/90000\r\n\r\n0123456789\r\n--"))
      #expect(response.header("Content-Length") == "\(response.body.utf8.count)")
    }
    let head = client.request("HEAD", "/files/large.txt", headers: [("Range", "bytes=0-1,5-6")])
    #expect(head.status == .ok && head.header("Content-Length") == "90000")
  }

  @Test("Too long a path is no file, whatever suffix a variant would have")
  func longPaths() throws {
    let client = try client(index: "index.html")
    for count in [254, 255, 256, 508, 509, 510, 511, 512, 2_000] {
      let name = String(repeating: "a", count: count)
      for path in [name, name + "/", "sub/" + name, String(repeating: "a/", count: count / 2)] {
        #expect(client.get("/files/" + path).status == .notFound, "\(count)")
      }
    }
  }

  @Test("A path has at most 511 octets, decoded and with the folder's index; a longer path names no file")
  func longestPath() throws {
    let folder = try web.open(index: "index")
    for count in 500...520 {
      let names = String(repeating: "a/", count: 260)
      let plain = names.prefix(count - 1) + "b"
      let encoded = names.prefix(count - 2) + "%62" + "b"
      let folderPath = names.prefix((count - 5) / 2 * 2)
      for (path, size) in [(plain, count), (encoded, count), (folderPath, folderPath.count + 5)] {
        var name = FixedBuffer<511>()
        let isAllowed = withGuardedOctets(String(path)) {
          FilePath.append($0, isEncoded: true, in: folder, to: &name)
        }
        #expect(isAllowed == (size <= 511), "\(size)")
        if isAllowed { #expect(name.count == size) }
      }
    }
  }

  @Test(
    "Paths become names below the folder, or are refused",
    arguments: [
      ("a", "a"), ("a/b.c", "a/b.c"), ("a%20b", "a b"), ("%61", "a"), ("a%252e", "a%2e"), ("a/", "a/index"),
      ("a..b", "a..b"), ("a.", "a."), ("...a", nil), ("", nil), ("/", nil), ("/a", nil), ("a//b", nil),
      ("a//", nil),
      (".", nil), ("..", nil), ("a/.", nil), ("a/..", nil), ("../a", nil), ("%2e%2e", nil), ("%2E", nil),
      ("a%2fb", nil),
      ("a%2Fb", nil), ("%2f", nil), ("a%5cb", nil), ("a\\b", nil), ("a%00", nil), ("a%0a", nil),
      ("a%7f", nil), ("a%", nil),
      ("a%4", nil), ("a%zz", nil), ("%", nil), (".a", nil), ("a/.b/c", nil), ("%2ea", nil),
    ] as [(String, String?)])
  func paths(_ path: String, _ expected: String?) throws {
    let folder = try web.open(index: "index")
    var name = FixedBuffer<511>()
    let isAllowed = withGuardedOctets(path) { FilePath.append($0, isEncoded: true, in: folder, to: &name) }
    let text = String(name.span)
    #expect((isAllowed ? text : nil) == expected)
  }

  @Test("No path that is allowed has a name that leads elsewhere, whatever octets it is made of")
  func randomPaths() throws {
    let folder = try web.open(index: "index", showsDotFiles: true)
    var random = SeededRandom(21)
    let pieces = [
      "a", ".", "..", "/", "//", "%2e", "%2F", "%5C", "\\", "%00", "%", "%25", "2e", ".martlet-", "\u{FC}",
      " ",
    ]
    for _ in 0..<20_000 {
      let path = (0..<Int.random(in: 0...8, using: &random)).map { _ in pieces.randomElement(using: &random)!
      }.joined()
      var name = FixedBuffer<511>()
      guard withGuardedOctets(path, { FilePath.append($0, isEncoded: true, in: folder, to: &name) }) else {
        continue
      }
      let text = String(name.span)
      for part in text.split(separator: "/", omittingEmptySubsequences: false) {
        #expect(!part.isEmpty && part != "." && part != ".." && !part.hasPrefix(".martlet-"), "\(path)")
      }
      #expect(!text.contains("\\") && !text.contains("\0"), "\(path)")
    }
  }
}
