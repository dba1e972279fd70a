// The page that a visitor wanted before the login. The login page carries its target as `?next=…`, and only a
// path of this site is accepted from there. An open redirect would let a foreign link end on a foreign page,
// while the user trusts this site.

package import MartletBytes
package import MartletHTTP
package import MartletServer

/// Encodes, checks and writes the `next` of a login.
package enum NextTarget {
  /// Writes one octet of a target in the value of `next`, as Microdot does: `/?a=b` becomes `/%3Fa%3Db`.
  /// Unlike Microdot, `%` is encoded as well, so that decoding gives back the target unchanged.
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

  /// Writes the target of a request: the path, then the query if there is a query.
  ///
  /// - Returns: Whether the text is within `Limits.nextSizeMax`.
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

  /// Writes a query, as it was received, in a Location.
  @_lifetime(writer: copy writer)
  static func write(query: Span<UInt8>, to writer: inout Writer) {
    writer.append("?")
    for i in query.indices { write(query[i], to: &writer) }
  }

  /// Writes the `next` of one query as the value of another query's `next`.
  ///
  /// - Returns: Whether the value is within `Limits.nextSizeMax` and not empty.
  @_lifetime(writer: copy writer)
  package static func reencode(_ next: borrowing FormValue, to writer: inout Writer) -> Bool {
    let start = writer.count
    var decoder = next.decoder
    while let octet = decoder.next() { encode(octet, to: &writer) }
    return writer.count > start && writer.count - start <= Limits.nextSizeMax
  }

  /// Writes the decoded `next` as a Location when the text is a path of this site.
  ///
  /// A path of this site begins with one `/`, and the next octet is neither `/` nor `\`. It has no control
  /// octet, because browsers drop control octets: they read `/<TAB>/host` as `//host`.
  ///
  /// The rule is checked on what is written, decoded once more. So a slash that was encoded twice is found as
  /// well, because a program on the way may decode once too often.
  ///
  /// - Returns: Whether the text is such a path, of at most `Limits.nextSizeMax` octets.
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
