// Keeps files that clients send over TLS, for Tests/Wire/test_tls_uploads.py. `scripts/build --examples` builds it.
//
//     curl --insecure -T photo.jpg https://localhost:5003/files/

import Martlet

struct Site: UploadApplication, TLSApplication {
  let folder: Folder

  enum Page: UInt8 { case index, file }

  struct UploadState: BitwiseCopyable {
    let name: FileName
    var file: FileWriter
  }

  static func route(to page: Page) -> Route {
    switch page {
    case .index: .get("/", for: .everyone)
    case .file: .put("/files/<text:name>", for: .everyone).taking(.upload)
    }
  }

  mutating func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    guard page == .file else { return response.plain("Send a file to /files/NAME.\n") }
    let sent: FileNameText? = request.parameter(named: "name")?.text()
    guard let sent, let name = FileName(sent.span) else {
      return response.refuse(.badRequest, "A file cannot have that name.")
    }
    do throws(FileError) {
      let file = try FileWriter(in: folder)
      return response.receive(atMost: 100_000_000, into: UploadState(name: name, file: file))
    } catch { return response.refuse(error.status, "\(error.text)") }
  }

  mutating func receive(
    _ octets: Span<UInt8>, for page: Page, _ request: borrowing Request<Self>, _ state: inout UploadState
  ) -> UploadStep {
    do throws(FileError) {
      try state.file.append(octets)
      return .more
    } catch { return .refuse(error) }
  }

  mutating func finish(
    _ page: Page, _ request: borrowing Request<Self>, _ state: UploadState,
    _ response: consuming Response<Self>
  ) -> Answer {
    var file = state.file
    do throws(FileError) {
      try file.finish(as: state.name.span)
    } catch { return response.refuse(error.status, "The file is not kept: \(error.text).") }
    return response.plain(.created, "\(file.count) octets are kept.\n")
  }

  mutating func abandon(_ page: Page, _ request: borrowing Request<Self>, _ state: UploadState) {
    var file = state.file
    file.abandon()
  }
}

@main
enum TLSUploads {
  static func main() {
    var tls = TLSOptions(directory: "tls-data")
    let options = Options(program: "tls-uploads", listen: "127.0.0.1:5003", secret: "", &tls)
    do throws(FileError) {
      let folder = try Folder("tls-uploads-data", creating: true)
      try folder.removeUnfinished()
      serve(Site(folder: folder), options, tls)
    } catch {
      var message = Message("tls-uploads: the folder tls-uploads-data: ")
      message.add(error.text)
      message.fail()
    }
  }
}
