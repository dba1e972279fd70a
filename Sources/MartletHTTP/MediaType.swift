// The name of a file → the media type of its octets, by a table of suffixes. Text is UTF-8.

import MartletBytes

/// Media types by name.
public enum MediaType {
  /// The media type of a file, by what follows the last full stop of its name.
  ///
  ///     MediaType.of("style.css")      text/css; charset=utf-8
  ///
  /// - Parameters:
  ///   - name: A name or a path. The case of ASCII letters is ignored.
  ///   - more: Further lines of the table, which count before the library's: suffixes, a blank, the type.
  ///     `"stl step model/step\nwebc text/html; charset=utf-8"` would be two lines; the first word that has a
  ///     slash begins the type.
  /// - Returns: `application/octet-stream` where no suffix fits. A program that saves such a file runs nothing.
  @_lifetime(immortal)
  public static func of(_ name: Span<UInt8>, _ more: StaticString = "") -> Span<UInt8> {
    var start = name.count
    while start > 0, name[start - 1] != ".", name[start - 1] != "/" { start &-= 1 }
    let unknown: StaticString = "application/octet-stream"
    // A name such as `.css` has no suffix.
    guard start > 1, name[start - 1] == ".", name[start - 2] != "/" else { return unknown.octets }
    let suffix = name.extracting(start..<name.count)
    if let type = find(suffix, in: more) { return type }
    if let type = find(suffix, in: table) { return type }
    return unknown.octets
  }

  @inline(never)
  @_lifetime(immortal)
  private static func find(_ suffix: Span<UInt8>, in table: StaticString) -> Span<UInt8>? {
    let octets = table.octets
    var start = 0
    while start < octets.count {
      let end = octets.firstIndex(of: 0x0A, from: start) ?? octets.count
      var isFound = false
      while start < end {
        let wordEnd = min(octets.firstIndex(of: 0x20, from: start) ?? end, end)
        let word = octets.extracting(start..<wordEnd)
        if word.firstIndex(of: 0x2F) != nil {
          if isFound { return octets.extracting(start..<end) }
          break
        }
        if word.equalsIgnoringCase(suffix) { isFound = true }
        start = wordEnd + 1
      }
      start = end + 1
    }
    return nil
  }

  private static var table: StaticString {
    """
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
}
