// The name of a file → its media type, by the table of the library (MediaType.swift of MartletHTTP). A test holds both
// tables to each other. The tool does not import the library, so that a build does not compile the library for the
// host.

/// Media types by suffix.
enum MediaTypes {
  /// The media type of a file; `application/octet-stream` where no suffix fits.
  static func of(_ name: String) -> String {
    let file = name.split(separator: "/").last ?? ""
    guard let stop = file.lastIndex(of: "."), stop != file.startIndex else { return unknown }
    let suffix = file[file.index(after: stop)...].lowercased()
    for line in table.split(separator: "\n") {
      let words = line.split(separator: " ")
      let types = words.drop { !$0.contains("/") }
      if words.dropLast(types.count).contains(suffix[...]) { return types.joined(separator: " ") }
    }
    return unknown
  }

  private static let unknown = "application/octet-stream"

  static let table = """
    html htm text/html; charset=utf-8
    css text/css; charset=utf-8
    js mjs text/javascript; charset=utf-8
    json map application/json
    webmanifest application/manifest+json
    txt md log text/plain; charset=utf-8
    csv text/csv; charset=utf-8
    xml application/xml
    svg image/svg+xml
    png image/png
    jpg jpeg image/jpeg
    gif image/gif
    webp image/webp
    avif image/avif
    ico image/x-icon
    woff font/woff
    woff2 font/woff2
    ttf font/ttf
    otf font/otf
    wasm application/wasm
    pdf application/pdf
    mp3 audio/mpeg
    ogg oga opus audio/ogg
    wav audio/wav
    flac audio/flac
    mp4 m4v video/mp4
    webm video/webm
    ics text/calendar; charset=utf-8
    zip application/zip
    gz application/gzip
    tar application/x-tar
    """
}
