// Forms in parts: small ones that `request.form` reads, and uploads that put a part into a file.

import Glibc
import MartletTesting
import TestSupport
import Testing

@testable import Martlet

/// A form as `curl -F` sends it.
private func multipart(_ fields: [(String, String)], end: String = "--") -> [UInt8] {
  var text = ""
  for (name, value) in fields {
    text += "--b\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n"
  }
  return Array((text + "--b\(end)\r\n").utf8)
}

private let type = ("Content-Type", "multipart/form-data; boundary=b")

/// What a test learns from the site.
private final class Log {
  var asked = 0
}

private struct FormSite: SessionApplication, FormDataApplication {
  enum Page: UInt8 { case login, echo, short, json, any }

  let log: Log

  static func route(to page: Page) -> Route {
    switch page {
    case .login: .getAndPost("/login", for: .everyone)
    case .echo: .post("/echo", for: .everyone)
    case .short: .post("/short", for: .everyone).taking(.form, atMost: 20)
    case .json: .post("/json", for: .everyone).taking(.json)
    case .any: .post("/any", for: .everyone).taking(.any)
    }
  }

  func user(_ id: UserID) -> Person? { Person(id: id, name: "susan") }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    log.asked += 1
    switch page {
    case .login:
      let form = request.form
      guard form.field("username", equals: "susan"), form.field("password", equals: "a&b=%41+ü\r\n") else {
        return response.redirectToLogin()
      }
      // Asked once more, the page sees the unchanged form.
      guard log.asked % 2 == 0 else { return response.later() }
      return response.login(Person(id: "user001", name: "susan"))
    case .echo, .short: return response.html("\(request.form["x"])|\(request.form["y"])")
    case .json: return response.noContent()
    case .any: return response.html("\(request.content)")
    }
  }
}

@Suite struct FormDataTests {
  private let log = Log()
  private let client: TestClient<FormSite>

  init() { client = TestClient(FormSite(log: log)) }

  private func post(
    _ target: String, _ content: [UInt8], fields: [(String, String)] = [type]
  ) -> TestResponse {
    client.request("POST", target, headers: fields, content: content)
  }

  @Test("A form in parts logs in, and a wrong password does not")
  func logsIn() {
    let right = post("/login", multipart([("username", "susan"), ("password", "a&b=%41+ü\r\n")]))
    #expect(right.location == "/" && right.setCookies.count == 1 && log.asked == 2)
    let wrong = post("/login", multipart([("username", "susan"), ("password", "a")]))
    #expect(wrong.location == "/login" && wrong.setCookies == [])
    client.cookies = CookieJar()
    let other = client.post("/login", form: [("username", "susan"), ("password", "a&b=%41+ü\r\n")])
    #expect(other.location == "/" || other.status == .found)
  }

  @Test("No octet of a form in parts stays in memory after its answer")
  func wiped() {
    _ = post("/echo", multipart([("x", "secret"), ("y", "secret")]))
    _ = post("/echo", multipart([("x", "secret")], end: "-"))
    let octets = SiteMemory.form(100)
    let isZero = octets.indices.allSatisfy { octets[$0] == 0 }
    #expect(isZero)
  }

  @Test("Fields of both types of form are read alike, and the first of a name wins")
  func fields() {
    let typed = [("x", "1&2"), ("x", "3"), ("y", "<ä>")]
    #expect(post("/echo", multipart(typed)).body == client.post("/echo", form: typed).body)
    #expect(post("/echo", multipart(typed)).body == "1&amp;2|&lt;ä&gt;")
    #expect(post("/echo", multipart([])).body == "|")
    #expect(post("/any", multipart([("x", "1")])).body.hasPrefix("--b"), "other routes get the octets")
  }

  @Test("A form that is malformed is 400, and one that is no form 415")
  func refused() {
    #expect(post("/echo", multipart([("x", "1")], end: "-")).status == .badRequest)
    let long = String(repeating: "m", count: 2_000)
    #expect(post("/echo", Array(long.utf8)).status == .contentTooLarge)
    for type in [
      "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\"b \"",
    ] {
      #expect(post("/echo", multipart([]), fields: [("Content-Type", type)]).status == .badRequest)
    }
    for type in ["multipart/mixed; boundary=b", "multipart/form-dat"] {
      #expect(post("/echo", multipart([]), fields: [("Content-Type", type)]).status == .unsupportedMediaType)
    }
    #expect(post("/json", multipart([])).status == .unsupportedMediaType)
    #expect(post("/echo", multipart([]), fields: [type, type]).status != .ok)
    #expect(log.asked == 0)
  }

  @Test("The limits of forms hold for a form in parts")
  func limits() {
    #expect(post("/short", multipart([("x", "1")])).status == .contentTooLarge)
    #expect(
      post("/echo", multipart([("x", String(repeating: "1", count: 16_384))])).status == .contentTooLarge)
    #expect(
      post("/echo", multipart([("x", String(repeating: "&", count: 6_000))])).status == .contentTooLarge)
    #expect(post("/echo", multipart([("x", String(repeating: "1", count: 3_000))])).body.count == 3_001)
    #expect(log.asked == 1)
  }

  @Test("Another site cannot send a form in parts")
  func crossOrigin() {
    let fields = [type, ("Origin", "http://evil.example")]
    #expect(post("/echo", multipart([("x", "1")]), fields: fields).status == .forbidden && log.asked == 0)
  }
}

// MARK: Uploads

private struct FileSite: UploadApplication {
  enum Page: UInt8 { case upload }

  struct UploadState: BitwiseCopyable {
    var form: MultipartDecoder
    var file: FileWriter?
    var name: FileName?
  }

  let folder: Folder
  let log: LengthLog

  static func route(to page: Page) -> Route { .upload("/", for: .everyone) }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    log.length = request.contentLength
    do throws(MultipartRefusal) {
      let form = try request.multipart()
      return response.receive(atMost: 100_000, into: UploadState(form: form))
    } catch { return response.refuse(error.status, "\(error.reason)") }
  }

  func receive(
    _ octets: Span<UInt8>, for page: Page, _ request: borrowing Request<Self>, _ state: inout UploadState
  ) -> UploadStep {
    do throws(FileError) {
      return try receive(octets, &state)
    } catch { return .refuse(error) }
  }

  private func receive(
    _ octets: Span<UInt8>, _ state: inout UploadState
  ) throws(FileError) -> UploadStep {
    var rest = octets
    while true {
      let event: FormPartEvent?
      do throws(MultipartRefusal) { event = try state.form.next(&rest) } catch { return .refuse(error) }
      switch event {
      case nil: return .more
      case .part(let part)?:
        guard state.file == nil, let name = FileName(part.fileName) else {
          return .refuse(.badRequest, "No such name.")
        }
        state.name = name
        state.file = try FileWriter(in: folder, atMost: 50_000)
      case .octets(let octets)?: try state.file?.append(octets)
      case .partEnd?: break
      }
    }
  }

  func finish(
    _ page: Page, _ request: borrowing Request<Self>, _ state: UploadState,
    _ response: consuming Response<Self>
  ) -> Answer {
    var file = state.file
    do throws(MultipartRefusal) { try state.form.checkEnd() } catch {
      file?.abandon()
      return response.refuse(error.status, "\(error.reason)")
    }
    guard let name = state.name else { return response.noContent() }
    _ = try? file?.finish(as: name.span)
    return response.html("kept")
  }

  func abandon(_ page: Page, _ request: borrowing Request<Self>, _ state: UploadState) {
    var file = state.file
    file?.abandon()
  }
}

private final class LengthLog {
  var length: Int?
}

@Suite struct FormUploadTests {
  private let path: String
  private let folder: Folder
  private let client: TestClient<FileSite>
  private let log = LengthLog()

  init() throws {
    var template = Array("/tmp/martlet-form-XXXXXX".utf8CString)
    path = try #require(mkdtemp(&template).map { String(cString: $0) })
    folder = try Folder(Array(path.utf8).span)
    client = TestClient(FileSite(folder: folder, log: log))
  }

  /// The names in the folder, unfinished files included.
  private var names: [String] {
    guard let directory = opendir(path) else { return ["?"] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      names.append(
        withUnsafePointer(to: entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        })
    }
    return names.filter { $0 != "." && $0 != ".." }.sorted()
  }

  private func send(_ fileName: String, _ data: [UInt8], end: String = "\r\n--b--") -> TestResponse {
    let head = "--b\r\nContent-Disposition: form-data; name=f; filename=\"\(fileName)\"\r\n\r\n"
    return client.request("POST", "/", headers: [type], content: Array(head.utf8) + data + Array(end.utf8))
  }

  @Test("A part becomes a file, octet for octet, under the last component of its name")
  func kept() throws {
    var random = SeededRandom(1)
    let data = (0..<50_000).map { _ in UInt8.random(in: 8...16, using: &random) }
    #expect(send("../../dir\\x.bin", data).body == "kept")
    #expect(names == ["x.bin"])
    var target = [UInt8](repeating: 0, count: 60_000)
    var span = target.mutableSpan
    let count = try folder.read("x.bin", into: &span)
    #expect(count == 50_000)
    #expect(Array(target.prefix(50_000)) == data)
    let around =
      "--b\r\nContent-Disposition: form-data; name=f; filename=\"../../dir\\x.bin\"\r\n\r\n\r\n--b--"
    #expect(log.length == 50_000 + around.utf8.count)
  }

  @Test("A file beyond its limit, a cut form and a refused name leave no file")
  func notKept() {
    #expect(send("x", [UInt8](repeating: 1, count: 50_001)).status == .contentTooLarge)
    #expect(send("x", [1, 2, 3], end: "\r\n--b-").status == .badRequest)
    #expect(send("x", [1, 2, 3], end: "\r\n--b\r\n\r\n").status == .badRequest)
    #expect(send("..", [1]).status == .badRequest)
    #expect(send(".hidden", [1]).status == .badRequest)
    #expect(send("x", [UInt8](repeating: 1, count: 100_001)).status == .contentTooLarge)
    #expect(names == [])
  }

  @Test("Other content than a form in parts is 415 at the head")
  func otherContent() {
    for fields in [[("Content-Type", "text/plain")], []] {
      #expect(client.request("POST", "/", headers: fields, content: [1]).status == .unsupportedMediaType)
    }
    let malformed = [("Content-Type", "multipart/form-data")]
    for fields in [malformed, [type, type]] {
      #expect(client.request("POST", "/", headers: fields, content: [1]).status == .badRequest)
    }
    #expect(names == [])
  }

  @Test("The length of content in chunks is not known")
  func chunked() {
    let form = String(decoding: multipart([]), as: UTF8.self)
    let answer = client.send(
      Array(
        ("POST / HTTP/1.1\r\nHost: localhost\r\n\(type.0): \(type.1)\r\nTransfer-Encoding: chunked\r\n\r\n"
          + "\(String(form.utf8.count, radix: 16))\r\n\(form)\r\n0\r\n\r\n").utf8))
    #expect(answer.status == .noContent && log.length == nil)
  }

  @Test("A file error of an upload has the status that tells what a client can do")
  func statuses() {
    let all = [
      (ENOSPC, 507), (EDQUOT, 507), (EROFS, 507), (EIO, 500), (EACCES, 500), (ENOENT, 404), (EISDIR, 409),
      (EMFILE, 503), (ENFILE, 503), (ENAMETOOLONG, 400), (EFBIG, 413), (FileCalls.tooLarge, 413),
    ]
    for (code, status) in all {
      guard case .refuse(let found, _) = UploadStep.refuse(FileError(code: code < 0 ? code : -code)) else {
        return #expect(Bool(false))
      }
      #expect(Int(found.code) == status)
    }
  }
}
