// Serves the files of the folder ./www over TLS, for what one connection can carry: `scripts/bench --only tls` builds
// it and runs it beside nginx.
//
//     tls-bench --listen 127.0.0.1:PORT --tls-certificate FILE --tls-key FILE

import Martlet

struct Site: FileApplication, TLSApplication {
  let folder: StaticFolder

  enum Page: UInt8 { case files }

  static func route(to page: Page) -> Route { .get("/<path:rest>", for: .everyone) }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    response.file(from: folder, request)
  }
}

@main
enum TLSBench {
  static func main() {
    do throws(FileError) {
      let folder = try StaticFolder("www", index: "index.html")
      var tls = TLSOptions(directory: "tls-data")
      let options = Options(program: "tls-bench", listen: "127.0.0.1:5002", secret: "", &tls)
      serve(Site(folder: folder), options, tls)
    } catch {
      var message = Message("tls-bench: the folder www: ")
      message.add(error.text)
      message.fail()
    }
  }
}
