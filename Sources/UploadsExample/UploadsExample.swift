// Files that browsers and programs send, kept in a folder: by a form, and as raw octets. Microdot's examples
// of uploads do so with two programs.
//
//     curl -F note=holiday -F file=@photo.jpg localhost:5000/
//     curl -T photo.jpg localhost:5000/files/

import Martlet

struct Site: UploadApplication {
  let folder: Folder
  /// Of the upload that has brought the last octets: how many have come, and how many the client has stated.
  var progress = (count: 0, total: Int?.none)

  enum Page: UInt8 { case index, form, raw, progress }

  /// The part of the form that is being received.
  enum Part { case other, note, file }

  struct UploadState: BitwiseCopyable {
    var form = MultipartDecoder()
    var part = Part.other
    var note = Text<64>()
    var name: FileName?
    var file: FileWriter?
    var count = 0
  }

  static var fileSizeMax: Int { 2_000_000_000 }

  static func route(to page: Page) -> Route {
    switch page {
    case .index: .get("/", for: .everyone)
    case .form: .upload("/", for: .everyone)
    case .raw: .put("/files/<text:name>", for: .everyone).taking(.upload)
    case .progress: .get("/progress", for: .everyone)
    }
  }

  mutating func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .index: return list(response.body())
    case .form:
      do throws(MultipartRefusal) {
        let form = try request.multipart()
        // The parts have boundaries and a note beside the file.
        return response.receive(atMost: Self.fileSizeMax + 10_000, into: UploadState(form: form))
      } catch { return response.refuse(error.status, "\(error.reason)") }
    case .raw:
      let sent: FileNameText? = request.parameter(named: "name")?.text()
      guard let sent, let name = FileName(sent.span) else {
        return response.refuse(.badRequest, "A file cannot have that name.")
      }
      do throws(FileError) {
        let file = try FileWriter(in: folder)
        return response.receive(atMost: Self.fileSizeMax, into: UploadState(name: name, file: file))
      } catch { return response.refuse(error.status, "\(error.text)") }
    case .progress:
      return response.plain("\(progress.count) of \(progress.total ?? 0) octets\n")
    }
  }

  mutating func receive(
    _ octets: Span<UInt8>, for page: Page, _ request: borrowing Request<Self>, _ state: inout UploadState
  ) -> UploadStep {
    state.count += octets.count
    progress = (state.count, request.contentLength)
    do throws(FileError) {
      if page == .raw {
        try state.file?.append(octets)
        return .more
      }
      return try receiveForm(octets, &state)
    } catch { return .refuse(error) }
  }

  /// Receives a portion of a form with a note and a file.
  private func receiveForm(
    _ octets: Span<UInt8>, _ state: inout UploadState
  ) throws(FileError) -> UploadStep {
    var rest = octets
    while true {
      let event: FormPartEvent?
      do throws(MultipartRefusal) {
        event = try state.form.next(&rest)
      } catch { return .refuse(error) }
      switch event {
      case nil: return .more
      case .part(let part)?:
        state.part = part.name.equals("note") ? .note : .other
        guard part.name.equals("file"), let sent = part.fileName, sent.count > 0 else { continue }
        guard state.file == nil else { return .refuse(.badRequest, "One file at a time.") }
        guard let name = FileName(sent) else { return .refuse(.badRequest, "A file cannot have that name.") }
        state.part = .file
        state.name = name
        state.file = try FileWriter(in: folder, atMost: Int64(Self.fileSizeMax))
      case .octets(let octets)?:
        switch state.part {
        case .note:
          guard state.note.append(octets) else { return .refuse(.contentTooLarge, "The note is too long.") }
        case .file: try state.file?.append(octets)
        case .other: break
        }
      case .partEnd?: state.part = .other
      }
    }
  }

  mutating func finish(
    _ page: Page, _ request: borrowing Request<Self>, _ state: UploadState,
    _ response: consuming Response<Self>
  ) -> Answer {
    guard state.form.isComplete, let name = state.name, var file = state.file else {
      abandon(page, request, state)
      return response.refuse(.badRequest, "The form has no file, or no end.")
    }
    do throws(FileError) {
      try file.finish(as: name.span)
    } catch { return response.refuse(error.status, "The file is not kept: \(error.text).") }
    if page == .raw { return response.plain(.created, "\(file.count) octets are kept.\n") }
    return response.html(
      """
      <!doctype html><title>Kept</title>
      <p>\(name.span): \(file.count) octets are kept. \(state.note)</p>
      <p><a href="/">Files</a></p>

      """)
  }

  /// Removes what has been written of a file that will never be whole.
  mutating func abandon(_ page: Page, _ request: borrowing Request<Self>, _ state: UploadState) {
    var file = state.file
    file?.abandon()
  }

  /// Writes the form, and the files of the folder.
  private func list(_ page: consuming Body<Self>) -> Answer {
    page.write(
      """
      <!doctype html><title>Files</title>
      <h1>Files</h1>
      <form method="post" enctype="multipart/form-data">
      <p>Note <input name="note" maxlength="64"></p>
      <p><input name="file" type="file" required> <button>Send</button></p>
      </form>
      <ul>

      """)
    do throws(FileError) {
      var entries = try folder.entries()
      while page.room > 4_096, let entry = try entries.next() {
        page.write("<li>\(entry.name), \(entry.size) octets\n")
      }
    } catch { page.write("<li>The folder cannot be read: \(error.text)\n") }
    page.write("</ul>\n")
    return page.end()
  }
}

@main
enum UploadsExample {
  static func main() {
    let options = Options(program: "uploads-example", listen: "127.0.0.1:5000")
    do throws(FileError) {
      let folder = try Folder("uploads-example-data", creating: true)
      try folder.removeUnfinished()
      serve(Site(folder: folder), options)
    } catch {
      var message = Message("uploads-example: the folder uploads-example-data: ")
      message.add(error.text)
      message.fail()
    }
  }
}
