// A folder of files: a page, a style sheet with its variant in gzip, and a picture.
//
//     cd Sources/StaticExample
//     static-example
//     curl -i --compressed localhost:5000/files/style.css      curl -r 0-99 localhost:5000/files/picture.svg

import Martlet

struct Site: FileApplication {
  let folder: StaticFolder

  enum Page: UInt8 { case index, files }

  static func route(to page: Page) -> Route {
    switch page {
    case .index: .get("/", for: .everyone)
    case .files: .get("/files/<path:rest>", for: .everyone)
    }
  }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    switch page {
    case .index: response.file(from: folder, at: "index.html", request)
    case .files: response.file(from: folder, request)
    }
  }
}

@main
enum StaticExample {
  static func main() {
    do throws(FileError) {
      let folder = try StaticFolder("www", index: "index.html")
      serve(Site(folder: folder), Options(program: "static-example", listen: "127.0.0.1:5000"))
    } catch {
      var message = Message("static-example: the folder www: ")
      message.add(error.text)
      message.fail()
    }
  }
}
