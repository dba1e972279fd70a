// What is longer than a buffer, and what takes longer than a turn: the loop asks, the page goes on.

package import MartletBytes
package import MartletHTTP
package import MartletServer

/// The notes of a page: of what it writes piece by piece, and of what it takes so.
public typealias Cursor = StreamState

extension Piece {
  /// What follows a piece.
  public typealias Next = StreamStep
}

/// What a page says to a piece of a request's content.
public enum Reception: Sendable {
  /// It is taken; the next one may come.
  case taken
  /// No more of it is wanted: the request is refused.
  case refused(Status, StaticString)
}

extension Reply.Kind {
  /// The same, with the page's number in its cursor.
  func of<Page: RawRepresentable>(_ page: Page) -> Reply.Kind where Page.RawValue == UInt8 {
    switch self {
    case .stream(var cursor):
      cursor.page = page.rawValue
      return .stream(cursor)
    case .written, .data, .file, .later, .upload: return self
    }
  }
}

extension SiteResponder where A: ~Copyable {
  private func page(of cursor: Cursor) -> A.Page {
    guard let page = A.Page(rawValue: cursor.page) else { stop("a cursor is one of a page") }
    return page
  }

  package static var uploadStateSize: Int { A.hasUploads ? 32 : 0 }
  package static var hasStreams: Bool { A.answersInPieces }

  /// Notes how an upload begins.
  mutating func beginUpload(_ cursor: Cursor, _ countMax: Int, _ page: A.Page) {
    uploadCursor = cursor
    uploadCursor.page = page.rawValue
    kind = .upload(countMax: countMax)
  }

  package mutating func beginUpload(_ state: inout MutableSpan<UInt8>) {
    uploadCursor.write(to: &state)
  }

  package func isUpload(_ head: RequestHead, _ octets: Span<UInt8>) -> Bool {
    guard case .page(_, _, let takesPieces) = A.destination(head.method, octets[head.target.path])
    else { return false }
    return takesPieces
  }

  package mutating func receive(
    _ octets: Span<UInt8>, of request: borrowing IncomingRequest, _ state: inout MutableSpan<UInt8>
  ) -> UploadStep {
    var cursor = Cursor(from: state.span)
    let reception = site.take(octets, for: page(of: cursor), &cursor)
    cursor.write(to: &state)
    return switch reception {
    case .taken: .more
    case .refused(let status, let reason): .refuse(status, reason)
    }
  }

  package mutating func abandon(
    _ request: borrowing IncomingRequest, _ state: inout MutableSpan<UInt8>
  ) {
    abandon(Cursor(from: state.span))
  }

  package mutating func finish(
    _ request: borrowing IncomingRequest, _ state: inout MutableSpan<UInt8>,
    content: consuming Writer, fields: consuming Writer
  ) -> Reply {
    let cursor = Cursor(from: state.span)
    let moment = request.moment
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

extension Cursor {
  /// Reads what `write` has written.
  fileprivate init(from octets: Span<UInt8>) {
    var numbers = InlineArray<2, UInt64>(repeating: 0)
    for i in 0..<16 { numbers[i >> 3] |= UInt64(octets[i]) << UInt64(8 * (i & 7)) }
    self.init(
      page: octets[16], position: Int64(bitPattern: numbers[0]), note: Int64(bitPattern: numbers[1]))
  }

  /// Writes the notes to the state of an upload.
  @_lifetime(octets: copy octets)
  fileprivate func write(to octets: inout MutableSpan<UInt8>) {
    for i in 0..<16 {
      let number = UInt64(bitPattern: i < 8 ? position : note)
      octets[i] = UInt8(truncatingIfNeeded: number >> UInt64(8 * (i & 7)))
    }
    octets[16] = page
  }
}
