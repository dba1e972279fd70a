// Another spelling of a page's path → the path itself: `/login/`, `//login`, `/./login`, `/a/../login` and
// `/login/index.html` mean `/login`. A visitor who asks for such a spelling is redirected to the path (308).
// So each page has one address, and all spellings have one access rule.

import MartletBytes
import MartletHTTP
import MartletServer

enum PlainPath {
  /// Writes a path decoded and without empty segments, dot segments (RFC 3986 §5.2.4), `index.html` and the
  /// slash at the end.
  ///
  /// - Returns: Octets of the path, which begins with exactly one slash. `nil` when the path does not fit, or
  ///   contains a percent sign, because a reader of the path would decode it.
  @inline(never)
  static func write(_ path: Span<UInt8>, to target: inout MutableSpan<UInt8>) -> Int? {
    var decoder = PercentDecoder(path, plusIsSpace: false)
    var count = 0
    var segment = 0
    while true {
      let octet = decoder.next()
      if octet == nil || octet == 0x2F {
        let last = target.span.extracting(segment..<count)
        let isParent = last.equals("/..")
        if isParent || last.equals("/") || last.equals("/.") || last.equals("/index.html") {
          count = segment
        }
        if isParent { count = lastSlash(target.span.extracting(0..<count)) }
        segment = count
      }
      guard count < target.count, octet != 0x25 else { return nil }
      guard let octet else { break }
      target[count] = octet
      count &+= 1
    }
    guard count == 0 else { return count }
    target[0] = 0x2F
    return 1
  }

  private static func lastSlash(_ octets: Span<UInt8>) -> Int {
    var i = octets.count
    while i > 0 {
      i &-= 1
      if octets[i] == "/" { break }
    }
    return i
  }
}
