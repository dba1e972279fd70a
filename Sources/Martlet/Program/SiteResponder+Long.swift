// Long answers, long content, long work and timers: the loop asks, the application continues.

package import MartletBytes
package import MartletHTTP
package import MartletServer

extension Reply.Kind {
  /// The reply with the page's number, and its reader's login, in the state of its stream.
  func of<Page: RawRepresentable>(_ page: Page, _ login: UInt32) -> Reply.Kind where Page.RawValue == UInt8 {
    switch self {
    case .stream(var state):
      state.page = page.rawValue
      state.login = login
      return .stream(state)
    case .written, .data, .file, .upload, .later: return self
    }
  }
}

extension SiteResponder where A: ~Copyable {
  // MARK: Uploads

  package static var hasUploads: Bool { A._hasUploads }
  package static var uploadStateSize: Int { A._hasUploads ? MemoryLayout<KeptUpload<A.UploadState>>.size : 0 }

  package mutating func isUpload(_ head: RequestHead, _ octets: Span<UInt8>) -> Bool {
    guard case .page(_, let match) = A.destination(head.method, octets[head.target.path])
    else { return false }
    return match.content == .upload
  }

  package mutating func beginUpload(_ state: inout MutableSpan<UInt8>) {
    guard let page = outcome.page, let pending = pendingUpload else {
      stop("an upload begins after its page")
    }
    KeptUpload(page: page, state: pending).write(to: &state)
    pendingUpload = nil
  }

  package mutating func receive(
    _ octets: Span<UInt8>, of request: borrowing IncomingRequest, _ state: inout MutableSpan<UInt8>
  ) -> UploadStep {
    var kept = KeptUpload<A.UploadState>(state.span)
    let (page, match) = uploadPage(kept.page, request)
    UnderWay.begin(page: kept.page, request: request.line)
    let step = site._receive(octets, for: page, view(request, match, Visitor()), &kept.state)
    UnderWay.end()
    kept.write(to: &state)
    return step
  }

  package mutating func finish(
    _ request: borrowing IncomingRequest, _ state: inout MutableSpan<UInt8>, content: consuming Writer,
    fields: consuming Writer
  ) -> Reply {
    let kept = KeptUpload<A.UploadState>(state.span)
    if A._hasSessions { keeper.update(request.moment) }
    pendingUpload = kept.state
    let reply = conclude(kept.page, request, nil, Span(), content, fields)
    // The page has not been asked: the visitor may no longer enter, or it is not known yet who the visitor is.
    if pendingUpload != nil, !reply.isUnfinished { abandon(request, &state) }
    pendingUpload = nil
    return reply
  }

  package mutating func refuse(
    _ request: borrowing IncomingRequest, _ state: inout MutableSpan<UInt8>, _ status: Status,
    _ reason: Span<UInt8>, content: consuming Writer, fields: consuming Writer
  ) -> Reply {
    let page = KeptUpload<A.UploadState>(state.span).page
    return conclude(page, request, status, reason, content, fields)
  }

  /// Answers an upload.
  ///
  /// - Parameters:
  ///   - status: The status of a refusal; `nil` where the page answers.
  ///   - reason: The reason of a refusal.
  @inline(never)
  private mutating func conclude(
    _ number: UInt8, _ request: borrowing IncomingRequest, _ status: Status?, _ reason: Span<UInt8>,
    _ content: consuming Writer, _ fields: consuming Writer
  ) -> Reply {
    var text = FixedBuffer<512>()
    if reason.count <= Limits.reasonSizeMax { text.append(reason) }
    return reply(to: request, &content, &fields) {
      $0.answerUpload(number, $1, status, text.span, &$2, &$3)
    }
  }

  package mutating func abandon(_ request: borrowing IncomingRequest, _ state: inout MutableSpan<UInt8>) {
    let kept = KeptUpload<A.UploadState>(state.span)
    abandon(kept.page, request, kept.state)
  }

  private mutating func abandon(
    _ number: UInt8, _ request: borrowing IncomingRequest, _ state: A.UploadState
  ) {
    let (page, match) = uploadPage(number, request)
    site._abandon(page, view(request, match, Visitor()), state)
  }

  /// Ends what a page has begun, where an error page takes the place of the page's answer.
  mutating func dropBegun(_ request: borrowing IncomingRequest) {
    switch outcome.kind {
    case .file(let file): if A._hasFiles { drop(file) }
    case .stream(let state): if A._hasStreams { abandon(state) }
    case .upload:
      guard A._hasUploads, let page = outcome.page, let state = pendingUpload else { return }
      pendingUpload = nil
      abandon(page, request, state)
    case .written, .data, .later: break
    }
  }

  /// The page of an upload, and the match of its route. Finds out how the browser has come, because other
  /// requests have been answered since the last piece.
  private mutating func uploadPage(
    _ number: UInt8, _ request: borrowing IncomingRequest
  ) -> (A.Page, RouteMatch) {
    PageText.setPrefix(reach.prefix.span)
    readApproach(request)
    let path = request.octets[request.head.target.path]
    guard case .page(let page, let match) = A.destination(request.head.method, path),
      page.rawValue == number
    else { stop("an upload's page is where it was") }
    if A._hasSharing { _ = admits(request, page) }
    return (page, match)
  }

  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  private mutating func answerUpload(
    _ number: UInt8, _ request: borrowing IncomingRequest, _ status: Status?, _ reason: Span<UInt8>,
    _ content: inout Writer, _ fields: inout Writer
  ) -> Status {
    let (page, match) = uploadPage(number, request)
    outcome.page = number
    outcome.isForPrograms = match.isForPrograms
    if A.hasFirstFields { writeFirstFields(request, page, &fields) }
    if let status { return refuse(request, status, reason, &content, &fields) }
    guard A._hasSessions else {
      return enterWithoutSession(page, match, request, &content, &fields)
    }
    var storage = memory.session
    return enter(page, match, request, &storage, &content, &fields)
  }

  // MARK: Files

  package static var hasFiles: Bool { A._hasFiles }

  package mutating func nextPart(_ list: Int8, content: consuming Writer) -> FilePart {
    let range = FilePartsTable(memory).writeNext(list, to: &content)
    return FilePart(count: content.count, range: range)
  }

  package mutating func endParts(_ list: Int8) { FilePartsTable(memory).remove(list) }

  /// Gives up a file that a page has answered with.
  mutating func drop(_ file: FileContent) {
    OpenFile.close(file.descriptor)
    if file.list >= 0 { endParts(file.list) }
  }

  // MARK: Streams

  package static var hasStreams: Bool { A._hasStreams }

  package mutating func produce(_ state: inout StreamState, content: consuming Writer) -> Piece {
    // The request is gone, and with it what a proxy has said. What the command line says still counts.
    PageText.setPrefix(reach.prefix.span)
    PageText.begin(in: content.roomSpan)
    var body = StreamBody(capacity: content.room, memory)
    UnderWay.begin(page: state.page, request: Span())
    let next = site._write(page(of: state), &state, to: &body)
    UnderWay.end()
    let piece =
      PageText.overflowed ? Piece(count: 0, next: .failed) : Piece(count: PageText.count, next: next)
    PageText.end()
    return piece
  }

  package mutating func abandon(_ state: StreamState) {
    if A._hasCommands { CommandTable(memory).leave(state.note) }
    site._streamEnded(page(of: state), state)
  }

  private mutating func page(of state: StreamState) -> A.Page {
    guard let page = A.Page(rawValue: state.page) else { stop("a stream is one of a page") }
    return page
  }

  package mutating func removeWoken() -> StreamSet {
    memory.removeWoken()
  }

  // MARK: Commands

  package static var hasWatches: Bool { A._hasCommands }

  package func watched(_ index: Int) -> Int32 { CommandTable(memory).watched(index) }

  package var nextWatchMoment: Int64 { CommandTable(memory).nextMoment }

  package mutating func lookAfterWatches(_ ready: UInt8, now: Int64) {
    CommandTable(memory).lookAfter(ready, now: now, memory)
  }

  // MARK: Time

  package static var tickMilliseconds: Int { A._tickMilliseconds }

  package mutating func tick(at moment: Moment, content: consuming Writer) {
    var tick = Tick(moment, memory)
    // For the text of events.
    PageText.setPrefix(reach.prefix.span)
    PageText.begin(in: content.roomSpan)
    site._tick(&tick)
    PageText.end()
  }

  package static var hasWork: Bool { A._hasWork }

  package mutating func work(_ connection: UInt64) -> Bool { memory.work.step(connection) }

  package mutating func cancel(_ connection: UInt64) { memory.work.end(connection) }

  package mutating func serverStopped(at moment: Moment) {
    if A._hasCommands { CommandTable(memory).endAll() }
    guard A._hasSessions else { return }
    keeper.update(moment)
    site._serverStopped(at: keeper.clock)
  }
}
