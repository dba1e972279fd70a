// Where a visitor was going: carried through the login page as `?next=…`, and believed only when it
// is a path of this site. An open redirect would let a foreign link end on a foreign page with the
// user's trust in this one.

import MartletBytes
import MartletHTTP
import MartletServer

/// The `next` of a login.
enum NextTarget {
  /// Writes a request target as the value of `next`, as Microdot does, but `%` first, so that what
  /// is encoded comes back as it was: `/?a=b` becomes `/%3Fa%3Db`.
  ///
  /// - Returns: Whether it is within `Limits.nextSizeMax`; if not, nothing is written.
  @_lifetime(writer: copy writer)
  static func encode(_ target: Span<UInt8>, to writer: inout Writer) -> Bool {
    let start = writer.count
    for i in target.indices {
      switch target[i] {
      case "%", "+", "?", "#", "&", "=": writer.append(percentEncoded: target[i])
      case let octet where ASCII.isURIOctet(octet): writer.append(octet)
      case let octet: writer.append(percentEncoded: octet)
      }
    }
    guard writer.count - start <= Limits.nextSizeMax else {
      writer.truncate(to: start)
      return false
    }
    return true
  }

  /// Writes the target of a request: its path and, where there is one, its query.
  @_lifetime(writer: copy writer)
  static func encode(_ request: borrowing IncomingRequest, to writer: inout Writer) -> Bool {
    let start = writer.count
    let target = request.head.target
    guard encode(request.octets[target.path], to: &writer) else { return false }
    guard let query = target.query else { return true }
    writer.append(percentEncoded: 0x3F)
    guard encode(request.octets[query], to: &writer),
      writer.count - start <= Limits.nextSizeMax
    else {
      writer.truncate(to: start)
      return false
    }
    return true
  }

  /// Writes the `next` of a query as the value of another one's.
  ///
  /// - Returns: Whether it is within `Limits.nextSizeMax` and not empty; if not, nothing is written.
  @_lifetime(writer: copy writer)
  static func reencode(_ next: borrowing FormValue, to writer: inout Writer) -> Bool {
    var text = FixedBuffer<3_072>()
    var target = text.storageSpan
    guard let count = next.decode(into: &target), count > 0 else { return false }
    text.setCount(count)
    return encode(text.span, to: &writer)
  }

  /// Writes the decoded `next` as a Location when it is a path of this site.
  ///
  /// A path of this site begins with one `/` that neither `/` nor `\` follows, and has no control
  /// octet, which browsers leave out: `/<TAB>/host` is `//host` to them. The same must hold when it
  /// is decoded once more, for whoever decodes too often on the way.
  ///
  /// - Returns: Whether it is one; if not, nothing is written.
  @_lifetime(writer: copy writer)
  static func write(_ next: borrowing FormValue, to writer: inout Writer) -> Bool {
    var text = FixedBuffer<3_072>()
    var target = text.storageSpan
    guard let count = next.decode(into: &target) else { return false }
    text.setCount(count)
    guard isLocal(PercentDecoder(text.span, plusIsSpace: false)), isLocal(undecoded: text.span)
    else { return false }
    for i in text.span.indices {
      let octet = text.span[i]
      if ASCII.isURIOctet(octet) { writer.append(octet) } else { writer.append(percentEncoded: octet) }
    }
    return true
  }

  private static func isLocal(undecoded octets: Span<UInt8>) -> Bool {
    guard octets.count > 0, octets[0] == "/" else { return false }
    if octets.count > 1, octets[1] == "/" || octets[1] == "\\" { return false }
    for i in octets.indices where ASCII.isControl(octets[i]) { return false }
    return true
  }

  private static func isLocal(_ decoder: consuming PercentDecoder) -> Bool {
    guard let first = decoder.next(), first == "/" else { return false }
    guard let second = decoder.next() else { return true }
    if second == "/" || second == "\\" || ASCII.isControl(second) { return false }
    while let octet = decoder.next() {
      if ASCII.isControl(octet) { return false }
    }
    return true
  }
}
