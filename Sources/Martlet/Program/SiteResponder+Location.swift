// The Location of a redirection that the library writes: to the plain spelling of a path, to the login, and on
// after a login.

import MartletBytes
import MartletHTTP
import MartletServer

extension SiteResponder where A: ~Copyable {
  /// Writes the Location of the page whose path the request spells in another way (PlainPath.swift).
  ///
  /// - Parameter scratch: Memory for the plain path.
  /// - Returns: The status. `nil` when no page with that path answers the method, or when the query does not
  ///   fit.
  @inline(never)
  @_lifetime(fields: copy fields)
  mutating func writePlainLocation(
    _ request: borrowing IncomingRequest, scratch: consuming MutableSpan<UInt8>,
    _ fields: inout Writer
  ) -> Status? {
    let target = request.head.target
    guard let count = PlainPath.write(request.octets[target.path], to: &scratch) else { return nil }
    let path = scratch.span.extracting(0..<count)
    guard A.isAnswered(request.head.method, path) else { return nil }
    let start = fields.count
    fields.append("Cache-Control: no-store\r\nLocation: ")
    fields.append(PageText.prefix)
    NextTarget.write(path: path, to: &fields)
    if let query = target.query { NextTarget.write(query: request.octets[query], to: &fields) }
    fields.append("\r\n")
    guard fields.overflowed else { return .permanentRedirect }
    fields.truncate(to: start)
    return nil
  }

  /// Writes the Location after a login: the `next` of the query, or else `path`. A `next` counts when it is a
  /// path of this site and a page may answer GET there.
  ///
  /// - Returns: The index in `fields` where the path begins.
  @inline(never)
  @_lifetime(fields: copy fields)
  mutating func writeNextLocation(
    _ request: borrowing IncomingRequest, orElse path: StaticString, _ fields: inout Writer
  ) -> Int {
    fields.append("Location: ")
    fields.append(PageText.prefix)
    let start = fields.count
    var isWritten = false
    if let next = request.query["next"], NextTarget.write(next, to: &fields) {
      isWritten = true
      // A target that only POST answers, such as a logout, is not used, because GET would be answered 405.
      if case .otherMethods = destination(fields.span, from: start) { isWritten = false }
    }
    if !isWritten {
      fields.truncate(to: start)
      fields.append(path)
    }
    return start
  }

  /// The page that answers GET at the target from `start` to the end of a text.
  mutating func destination(_ text: Span<UInt8>, from start: Int) -> Destination<A.Page> {
    A.destination(
      .get, text.extracting(start..<(text.firstIndex(of: 0x3F, from: start) ?? text.count)))
  }

  /// Redirects a visitor who is logged in from the login page to the page that a login would lead to.
  ///
  /// - Returns: Whether the visitor may enter that page. Nothing is written where the page needs a fresher
  ///   login.
  @inline(never)
  @_lifetime(fields: copy fields)
  mutating func writeWayOn(
    _ request: borrowing IncomingRequest, _ visitor: borrowing Visitor<A.User>,
    _ fields: inout Writer
  ) -> Bool {
    let start = fields.count
    let pathStart = writeNextLocation(request, orElse: "/", &fields)
    if case .page(_, let match) = destination(fields.span, from: pathStart),
      visitor.obstacle(to: match.access) != nil
    {
      fields.truncate(to: start)
      return false
    }
    fields.append("\r\nCache-Control: no-store\r\nVary: Cookie\r\n")
    return true
  }

  /// Writes the Location of the login page.
  ///
  /// - Parameter keepingNext: Whether to copy the `next` of this request's query. Otherwise `next` becomes
  ///   this request's target, unless no page answers GET there.
  @inline(never)
  @_lifetime(fields: copy fields)
  mutating func writeLoginLocation(
    _ request: borrowing IncomingRequest, keepingNext: Bool, _ fields: inout Writer
  ) {
    fields.append("Location: ")
    fields.append(PageText.prefix)
    fields.append(site._loginPath)
    let start = fields.count
    fields.append("?next=")
    var isWritten = false
    if !keepingNext {
      isWritten =
        A.isAnsweredByGET(request.octets[request.head.target.path])
        && NextTarget.encode(request, to: &fields)
    } else if let next = request.query["next"] {
      isWritten = NextTarget.reencode(next, to: &fields)
    }
    if !isWritten { fields.truncate(to: start) }
    fields.append("\r\n")
  }
}
