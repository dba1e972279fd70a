// What is longer than a buffer, and what takes longer than a turn: the loop asks, the page goes on.

package import MartletBytes
package import MartletHTTP
package import MartletServer

extension Reply.Kind {
  /// The same, with the page's number in its cursor.
  func of<Page: RawRepresentable>(_ page: Page) -> Reply.Kind where Page.RawValue == UInt8 {
    switch self {
    case .pieces(var cursor):
      cursor.page = page.rawValue
      return .pieces(cursor)
    case .content(var cursor, let countMax):
      cursor.page = page.rawValue
      return .content(cursor, countMax: countMax)
    case .written, .data, .file, .later: return self
    }
  }
}

extension SiteResponder where A: ~Copyable {
  private func page(of cursor: Cursor) -> A.Page {
    guard let page = A.Page(rawValue: cursor.page) else { stop("a cursor is one of a page") }
    return page
  }

  package static var takesPieces: Bool { A.hasUploads }
  package static var answersInPieces: Bool { A.answersInPieces }

  package func takesPieces(_ head: RequestHead, of octets: Span<UInt8>) -> Bool {
    guard case .page(_, _, let takesPieces) = A.destination(head.method, octets[head.target.path])
    else { return false }
    return takesPieces
  }

  package mutating func take(_ octets: Span<UInt8>, _ cursor: inout Cursor) -> Reception {
    site.take(octets, for: page(of: cursor), &cursor)
  }

  package mutating func finish(
    _ cursor: Cursor, moment: Moment, content: consuming Writer, fields: consuming Writer
  ) -> Reply {
    fields.append(A.fields)
    let fieldsStart = fields.count
    let page = page(of: cursor)
    var status = answer(page, cursor, moment, &content, &fields)
    if content.overflowed || fields.overflowed {
      status = writeOverflow(from: fieldsStart, &content, &fields)
    }
    return Reply(
      status: status, contentCount: content.count, fieldsCount: fields.count, kind: kind)
  }

  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  private mutating func answer(
    _ page: A.Page, _ cursor: Cursor, _ moment: Moment, _ content: inout Writer,
    _ fields: inout Writer
  ) -> Status {
    takeOwnPrefix()
    PasswordWork.enter(0, now: moment.monotonicMilliseconds)
    let response = Response(
      fields: fields.remainder, session: Session(),
      isForEveryone: A.route(to: page).access == .everyone)
    PageText.begin(in: content.roomSpan)
    let answer = site.finish(page, cursor, response)
    PageText.end()
    content.advance(by: answer.contentCount)
    fields.advance(by: answer.fieldsCount)
    if answer.overflowed { content.overflow() }
    kind = answer.content.of(page)
    switch answer.action {
    case .none: break
    case .refuse(let reason): writeRefusal(answer.status, reason, &content, &fields)
    case .later, .take, .toNext, .toLogin:
      stop("after the last piece an answer is given, and it is none of a login")
    }
    return answer.status
  }

  package mutating func produce(_ cursor: inout Cursor, content: consuming Writer) -> Piece {
    takeOwnPrefix()
    PageText.begin(in: content.roomSpan)
    var body = PieceBody(capacity: content.room)
    let next = site.write(page(of: cursor), &cursor, to: &body)
    let piece =
      PageText.overflowed ? Piece(count: 0, next: .failed) : Piece(count: PageText.count, next: next)
    PageText.end()
    return piece
  }

  /// The request is gone, and with it what a proxy has said: what the command line says remains.
  private func takeOwnPrefix() { if A.isGuarded { PageText.setPrefix(reach.prefix.span) } }

  package mutating func abandon(_ cursor: Cursor) { site.abandon(page(of: cursor), cursor) }

  package mutating func work(_ connection: UInt64) -> Bool {
    PasswordWork.step(connection)
  }

  package mutating func serverStopped(at moment: Moment) {
    guard A.hasSessions else { return }
    keeper.update(moment)
    site.serverStopped(at: keeper.clock)
  }

  package mutating func cancel(_ connection: UInt64) {
    PasswordWork.end(connection)
  }
}
