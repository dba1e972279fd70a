// Where a visitor was going: carried through the login page as `?next=…`, and believed only when it
// is a path of this site. An open redirect would let a foreign link end on a foreign page with the
// user's trust in this one.

package import MartletBytes
package import MartletHTTP
package import MartletServer

/// The `next` of a login.
package enum NextTarget {
  /// Writes an octet of a target in the value of `next`, as Microdot does, but `%` too, so that what
  /// is encoded comes back as it was: `/?a=b` becomes `/%3Fa%3Db`.
  @inline(never)
  @_lifetime(writer: copy writer)
  private static func encode(_ octet: UInt8, to writer: inout Writer) {
    switch octet {
    case "%", "+", "?", "#", "&", "=": writer.append(percentEncoded: octet)
    default: write(octet, to: &writer)
    }
  }

  @inline(never)
  @_lifetime(writer: copy writer)
  private static func write(_ octet: UInt8, to writer: inout Writer) {
    if ASCII.isURIOctet(octet) { writer.append(octet) } else { writer.append(percentEncoded: octet) }
  }

  /// Writes the target of a request: its path and, where there is one, its query.
  ///
  /// - Returns: Whether it is within `Limits.nextSizeMax`.
  @_lifetime(writer: copy writer)
  package static func encode(_ request: borrowing IncomingRequest, to writer: inout Writer) -> Bool {
    let start = writer.count
    let target = request.head.target
    encode(request.octets[target.path], to: &writer)
    if let query = target.query {
      encode(0x3F, to: &writer)
      encode(request.octets[query], to: &writer)
    }
    return writer.count - start <= Limits.nextSizeMax
  }

  @_lifetime(writer: copy writer)
  private static func encode(_ octets: Span<UInt8>, to writer: inout Writer) {
    for i in octets.indices { encode(octets[i], to: &writer) }
  }

  /// Writes a decoded path of this site in a Location.
  @_lifetime(writer: copy writer)
  static func write(path: Span<UInt8>, to writer: inout Writer) { encode(path, to: &writer) }

  /// Writes a query, as it came, in a Location.
  @_lifetime(writer: copy writer)
  static func write(query: Span<UInt8>, to writer: inout Writer) {
    writer.append("?")
    for i in query.indices { write(query[i], to: &writer) }
  }

  /// Writes the `next` of a query as the value of another one's.
  ///
  /// - Returns: Whether it is within `Limits.nextSizeMax` and not empty.
  @_lifetime(writer: copy writer)
  package static func reencode(_ next: borrowing FormValue, to writer: inout Writer) -> Bool {
    let start = writer.count
    var decoder = next.decoder
    while let octet = decoder.next() { encode(octet, to: &writer) }
    return writer.count > start && writer.count - start <= Limits.nextSizeMax
  }

  /// Writes the decoded `next` as a Location when it is a path of this site.
  ///
  /// A path of this site begins with one `/` that neither `/` nor `\` follows, and has no control
  /// octet, which browsers leave out: `/<TAB>/host` is `//host` to them. This must hold for what is
  /// written when it is decoded, which also shows what was encoded twice, for whoever decodes too
  /// often on the way.
  ///
  /// - Returns: Whether it is one, of at most `Limits.nextSizeMax` octets.
  @_lifetime(writer: copy writer)
  package static func write(_ next: borrowing FormValue, to writer: inout Writer) -> Bool {
    let start = writer.count
    var decoder = next.decoder
    var count = 0
    while let octet = decoder.next() {
      write(octet, to: &writer)
      count += 1
    }
    let written = writer.span.extracting(start..<writer.count)
    return count <= Limits.nextSizeMax && written.hasPrefix("/") && isLocal(written)
  }

  private static func isLocal(_ path: Span<UInt8>) -> Bool {
    var decoder = PercentDecoder(path, plusIsSpace: false)
    var position = 0
    while let octet = decoder.next() {
      if ASCII.isControl(octet) { return false }
      if position == 0, octet != "/" { return false }
      if position == 1, octet == "/" || octet == "\\" { return false }
      position += 1
    }
    return position > 0
  }
}
