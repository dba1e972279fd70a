// A server on the scripted system, with memory that is given back at the end of the test.

import CMartletPlatform
import MartletBytes
import MartletHTTP
import Testing

@testable import MartletServer

/// What the server has asked of its responder.
final class Requests {
  /// Parts of a file that have not been asked for, and the numbers of the responses that are over.
  var parts: [Range<Int64>] = []
  var endedParts: [Int8] = []
  var lines: [String] = []
  /// How often a connection has asked for `/slow`.
  var slowTurns: [UInt64: Int] = [:]
  /// Steps of work that are left for a connection that has asked for `/work`.
  var workSteps: [UInt64: Int] = [:]
  /// Milliseconds that `/rest` wants to rest each time that it is asked; it answers the fourth time.
  var restMilliseconds = 100
  var restCount = 0
  /// How requests for a path wait.
  var turns: [String: WorkTurn] = [:]
  /// Milliseconds between two requests for `/line`, and when the next may begin.
  var lineStep: Int64 = 0
  var lineOpens: Int64 = 0
  /// The connections whose work has had a step, in order.
  var worked: [UInt64] = []
  var cancelled: [UInt64] = []
  /// What `/upload` has been given.
  var taken: [[UInt8]] = []
  /// Uploads that have begun, by number from 1 on, and how often each has ended.
  var begunCount = 0
  var finished: [Int] = []
  var abandonedUploads: [Int] = []
  /// The requests that uploads were told of: path, connection, and moment.
  var uploadCalls: [String] = []
  /// Whether the answer to an upload, and to `/stop`, stops the server.
  var finishStops = false
  var abandoned: [StreamState] = []
  /// How many events there are for `/events` (page 5) and `/events-b` (page 6).
  var eventCounts: [UInt8: Int64] = [5: 0, 6: 0]
  /// Whose streams are to be woken.
  var woken = StreamSet()
  /// Whether each event of a page wakes the page's streams again.
  var eventsWake = false
  /// The login of the next streams of events, and logins whose streams end.
  var login: UInt32 = 0
  var endedLogins: [UInt32] = []
  /// How often a stream of events was asked.
  var askedForEvents = 0
  /// Octets that `/upload` takes.
  var uploadMax = 100_000
  /// Octets of a piece, and how many there are.
  var pieceSize = 1_000
  var pieceCount = 20
  /// After which piece the page wants a pause, and how long.
  var pauseAfter: Int64?
  var pauseMilliseconds = 3_000
  /// Whether the page has only pauses from then on.
  var staysSilent = false
  var failsAfter: Int64?
  /// Octets that `/begun` has written before its pieces.
  var beginningSize = 0
  weak var world: World?
}

/// What `/data` answers with.
let data: StaticString = "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz"

/// Says what it was asked: `METHOD /path [content]`. Some paths answer otherwise:
/// `/big` with 15,000 octets, `/nothing` with 204 and content all the same, `/slow` when it is asked
/// the fifth time.
struct EchoResponder: Responder, ~Copyable {
  let requests: Requests

  mutating func respond(
    to request: borrowing IncomingRequest, content: consuming Writer, fields: consuming Writer
  ) -> Reply {
    let reply = answer(to: request, content: content, fields: fields)
    let event: String
    switch reply.kind {
    case .later: event = "later"
    case .upload: event = "upload"
    case .written, .data, .file, .stream: event = "answer"
    }
    requests.world?.recorder?.note(connection: request.connection, event)
    return reply
  }

  private mutating func answer(
    to request: borrowing IncomingRequest, content: consuming Writer, fields: consuming Writer
  ) -> Reply {
    let head = request.octets.extracting(0..<request.head.size)
    let path = String(decoding: [UInt8](copying: head[request.head.target.path]), as: UTF8.self)
    let text = String(decoding: [UInt8](copying: request.content), as: UTF8.self)
    let line = "\("\(request.head.method)".uppercased()) \(path) [\(text)]"
    if path == "/slow" {
      requests.slowTurns[request.connection, default: 0] += 1
      if requests.slowTurns[request.connection, default: 0] < 5 {
        fields.append("X-Half: written\r\n")
        return Reply(status: .ok, contentCount: 0, fieldsCount: fields.count, kind: .later)
      }
      requests.slowTurns[request.connection] = nil
    }
    if path == "/rest" {
      requests.restCount += 1
      guard requests.restCount > 3 else {
        var reply = Reply(status: .ok, contentCount: 0, fieldsCount: 0, kind: .later)
        reply.pauseMilliseconds = requests.restMilliseconds
        return reply
      }
    }
    if path.hasPrefix("/line") {
      let now = request.moment.monotonicMilliseconds
      guard now >= requests.lineOpens else {
        var reply = Reply(status: .ok, contentCount: 0, fieldsCount: 0, kind: .later)
        reply.turn = WorkTurn(rank: .line, notBefore: requests.lineOpens)
        return reply
      }
      requests.lineOpens = now + requests.lineStep
    }
    if path.hasPrefix("/work") {
      let left = requests.workSteps[request.connection, default: 10]
      requests.workSteps[request.connection] = left
      guard left == 0 else {
        var reply = Reply(status: .ok, contentCount: 0, fieldsCount: 0, kind: .later)
        if let turn = requests.turns[path] { reply.turn = turn }
        return reply
      }
      requests.workSteps[request.connection] = nil
    }
    requests.lines.append(line)
    switch path {
    case "/data":
      return Reply(status: .ok, contentCount: 0, fieldsCount: 0, kind: .data(ConstantOctets(data)))
    case "/file":
      requests.world?.files[900] = file
      return Reply(
        status: .ok, contentCount: 0, fieldsCount: 0,
        kind: .file(FileContent(descriptor: 900, count: Int64(file.count))))
    case "/range":
      requests.world?.files[900] = file
      return Reply(
        status: .partialContent, contentCount: 0, fieldsCount: 0,
        kind: .file(FileContent(descriptor: 900, 1_000..<201_000)))
    case "/parts":
      requests.world?.files[900] = file
      requests.parts = [500_000..<600_000, 0..<1, 100..<200_000]
      // The ranges, three times `<part>`, and `<end>`.
      let count: Int64 = 299_901 + 18 + 5
      return Reply(
        status: .partialContent, contentCount: 0, fieldsCount: 0,
        kind: .file(FileContent(descriptor: 900, list: 3, count: count)))
    case "/empty-file", "/large-file":
      requests.world?.files[900] = []
      return Reply(
        status: .ok, contentCount: 0, fieldsCount: 0,
        kind: .file(FileContent(descriptor: 900, count: path == "/large-file" ? 5_000_000_000 : 0)))
    case "/pieces":
      return Reply(
        status: .ok, contentCount: 0, fieldsCount: 0, kind: .stream(StreamState(page: 3, note: 7)))
    case "/begun":
      let count = requests.beginningSize
      for _ in 0..<count { content.append(0x78) }
      return Reply(
        status: .ok, contentCount: count, fieldsCount: 0, kind: .stream(StreamState(page: 3, note: 7)))
    case "/events", "/events-b":
      var state = StreamState(page: path == "/events" ? 5 : 6)
      state.login = requests.login
      return Reply(status: .ok, contentCount: 0, fieldsCount: 0, kind: .stream(state))
    case "/notify", "/notify-b":
      let page: UInt8 = path == "/notify" ? 5 : 6
      requests.eventCounts[page, default: 0] += 1
      requests.woken.insert(page)
    case "/upload", "/work-upload", "/line-upload":
      return Reply(
        status: .ok, contentCount: 0, fieldsCount: 0, kind: .upload(countMax: requests.uploadMax))
    default: break
    }
    if path == "/big" {
      for _ in 0..<15_000 { content.append(0x78) }
    } else {
      for octet in line.utf8 { content.append(octet) }
    }
    fields.append("X-Echo: yes\r\n")
    var reply = Reply(
      status: path == "/nothing" ? .noContent : .ok, contentCount: content.count,
      fieldsCount: fields.count)
    reply.stopsServer = path == "/stop" || path == "/big" && requests.finishStops
    return reply
  }
}

/// What `/file` answers with.
let file = (0..<600_000).map { UInt8(truncatingIfNeeded: $0 >> 8 ^ $0) }

extension EchoResponder {
  static var uploadStateSize: Int { 72 }
  static var hasStreams: Bool { true }

  mutating func isUpload(_ head: RequestHead, _ octets: Span<UInt8>) -> Bool {
    let path = String(decoding: [UInt8](copying: octets[head.target.path]), as: UTF8.self)
    return path.hasSuffix("upload") || path == "/refused"
  }

  mutating func beginUpload(_ state: inout MutableSpan<UInt8>) {
    #expect(state.count == Self.uploadStateSize)
    let address = state.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
    #expect(address % 16 == 0, "the state is aligned")
    requests.begunCount += 1
    for i in 0..<8 { state[i] = 0 }
    for i in 8..<state.count { state[i] = UInt8(truncatingIfNeeded: requests.begunCount) }
  }

  /// The number of an upload, and whether its state is whole.
  private func number(_ state: Span<UInt8>) -> Int {
    for i in 8..<state.count where state[i] != state[8] {
      Issue.record("an upload's state is not its own")
    }
    return Int(state[8])
  }

  private func count(_ state: Span<UInt8>) -> Int { (0..<8).reduce(0) { $0 | Int(state[$1]) << (8 * $1) } }

  private func note(_ call: String, _ request: borrowing IncomingRequest) {
    let path = String(decoding: [UInt8](copying: request.octets[request.head.target.path]), as: UTF8.self)
    #expect(request.content.isEmpty && request.octets.count == request.head.size)
    requests.uploadCalls.append(
      "\(call) \(path) \(request.connection) at \(request.moment.monotonicMilliseconds)")
  }

  mutating func receive(
    _ octets: Span<UInt8>, of request: borrowing IncomingRequest, _ state: inout MutableSpan<UInt8>
  ) -> UploadStep {
    note("receive", request)
    #expect(octets.count > 0)
    _ = number(state.span)
    requests.taken.append([UInt8](copying: octets))
    let count = count(state.span) + octets.count
    for i in 0..<8 { state[i] = UInt8(truncatingIfNeeded: count >> (8 * i)) }
    return octets.firstIndex(of: 0x21) == nil ? .more : .refuse(.conflict, "No exclamations.")
  }

  mutating func finish(
    _ request: borrowing IncomingRequest, _ state: inout MutableSpan<UInt8>,
    content: consuming Writer, fields: consuming Writer
  ) -> Reply {
    note("finish", request)
    requests.world?.recorder?.note(connection: request.connection, "answer")
    requests.finished.append(number(state.span))
    let count = count(state.span)
    requests.lines.append("took \(count)")
    content.append("took ")
    content.append(decimal: count)
    var reply = Reply(status: .created, contentCount: content.count, fieldsCount: 0)
    reply.stopsServer = requests.finishStops
    return reply
  }

  mutating func abandon(_ request: borrowing IncomingRequest, _ state: inout MutableSpan<UInt8>) {
    note("abandon", request)
    requests.abandonedUploads.append(number(state.span))
  }

  mutating func nextPart(_ list: Int8, content: consuming Writer) -> FilePart {
    #expect(list == 3)
    content.append(requests.parts.isEmpty ? "<end>" : "<part>")
    return FilePart(count: content.count, range: requests.parts.isEmpty ? nil : requests.parts.removeFirst())
  }

  mutating func endParts(_ list: Int8) { requests.endedParts.append(list) }

  mutating func produce(_ state: inout StreamState, content: consuming Writer) -> Piece {
    if state.page >= 5 {
      requests.askedForEvents += 1
      guard state.position < requests.eventCounts[state.page]! else { return Piece(count: 0, next: .wait) }
      state.position += 1
      content.append("event ")
      content.append(decimal: state.position)
      content.append("\n")
      if requests.eventsWake { requests.woken.insert(state.page) }
      return Piece(
        count: content.count,
        next: state.position < requests.eventCounts[state.page]! ? .more : .wait)
    }
    #expect(state.page == 3 && state.note == 7, "the page's notes come back")
    guard state.position < Int64(requests.pieceCount) else { return Piece(count: 0, next: .end) }
    if requests.staysSilent, state.position == requests.pauseAfter {
      return Piece(count: 0, next: .pause(milliseconds: requests.pauseMilliseconds))
    }
    state.position += 1
    for _ in 0..<requests.pieceSize {
      content.append(UInt8(truncatingIfNeeded: 0x60 + state.position))
    }
    let next: StreamStep =
      state.position == requests.failsAfter
      ? .failed
      : state.position == requests.pauseAfter ? .pause(milliseconds: requests.pauseMilliseconds) : .more
    return Piece(count: content.count, next: next)
  }

  mutating func abandon(_ state: StreamState) { requests.abandoned.append(state) }

  mutating func removeWoken() -> StreamSet {
    for login in requests.endedLogins { requests.woken.end(login: login) }
    defer { (requests.woken, requests.endedLogins) = (StreamSet(), []) }
    return requests.woken
  }

  mutating func work(_ connection: UInt64) -> Bool {
    guard let left = requests.workSteps[connection], left > 0 else { return true }
    requests.worked.append(connection)
    requests.workSteps[connection] = left - 1
    return left == 1
  }

  mutating func cancel(_ connection: UInt64) {
    requests.cancelled.append(connection)
    requests.workSteps[connection] = nil
  }
}

extension Array where Element == UInt8 {
  init(copying span: Span<UInt8>) {
    self.init()
    for i in span.indices { append(span[i]) }
  }
}

/// The memory of one server.
final class LentMemory {
  private let parts: [UnsafeMutableRawPointer]

  init() {
    func part(_ size: Int) -> UnsafeMutableRawPointer {
      // Not zero: nothing may rely on what memory holds at the start.
      let start = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
      start.initializeMemory(as: UInt8.self, repeating: 0xA5, count: size)
      return start
    }
    parts = [
      part(Limits.receiveSizeMax), part(Limits.responseFieldsSizeMax), part(Limits.responseSizeMax),
      part(Limits.smallBlockCountMax * Limits.smallBlockSize),
      part(Limits.largeBlockCountMax * Limits.largeBlockSize),
      part(Limits.connectionCountMax * Int(MARTLET_CONNECTION_SIZE)),
    ]
  }

  var serverMemory: ServerMemory {
    let octets = parts.map { $0.assumingMemoryBound(to: UInt8.self) }
    return ServerMemory(
      martlet_memory(
        receive: octets[0], fields: octets[1], response: octets[2], small: octets[3],
        large: octets[4], connections: parts[5]))
  }

  /// Where the slots lie.
  var slots: UnsafeMutablePointer<Connection> { parts[5].assumingMemoryBound(to: Connection.self) }

  deinit { for part in parts { part.deallocate() } }
}

/// A server over any transport.
private protocol AnyServer: AnyObject {
  var slotCount: Int { get }
  subscript(slot: Int) -> Connection { get set }
  var isIdle: Bool { get }
  var jobCount: Int { get }
  var connectionNumber: UInt64 { get set }
  func turn() -> Bool
  func run()
}

private final class ServerBox<T: Transport & ~Copyable>: AnyServer {
  private var server: Server<T, EchoResponder>

  init(_ transport: consuming T, _ requests: Requests, _ memory: LentMemory) {
    server = Server(
      transport: transport, responder: EchoResponder(requests: requests), memory.serverMemory)
  }

  var slotCount: Int { server.connections.count }
  subscript(slot: Int) -> Connection {
    get { server.connections[server.connections.slot(at: slot)] }
    set { server.connections[server.connections.slot(at: slot)] = newValue }
  }
  var isIdle: Bool { server.isIdle }
  var jobCount: Int { server.jobCount }
  var connectionNumber: UInt64 {
    get { server.connectionNumber }
    set { server.connectionNumber = newValue }
  }
  func turn() -> Bool { server.turn() }
  func run() { server.run() }
}

/// A server, its memory and its world.
final class Stage {
  /// Whether stages have the awkward transport.
  @TaskLocal static var isAwkward = false
  /// What the places of a transport that encrypts are like; `nil`: stages have another transport.
  @TaskLocal static var places: Places?

  let world = World()
  let requests = Requests()
  private let server: any AnyServer
  private let memory = LentMemory()

  /// - Parameter slots: Connections at a time.
  init(slots: Int = Limits.connectionCountMax) {
    requests.world = world
    let transport = ScriptedTransport(world: world, connectionCountMax: slots)
    if let places = Stage.places {
      server = ServerBox(EncryptingTransport(base: transport, places), requests, memory)
    } else if Stage.isAwkward {
      server = ServerBox(AwkwardTransport(base: transport), requests, memory)
    } else {
      server = ServerBox(transport, requests, memory)
      world.recorder = Recorder(memory.slots)
    }
  }

  deinit {
    guard let recorder = world.recorder else { return }
    recorder.lookAtAll()
    Transition.seen.withLock { $0.formUnion(recorder.transitions) }
    for transition in recorder.transitions where !drawing.contains(transition) {
      Issue.record("the drawing lacks \(transition)")
    }
  }

  /// Turns until `isReached`, at most some thousand times.
  func run(
    until isReached: () -> Bool, turns: Int = 20_000,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    for _ in 0..<turns {
      if isReached() { return }
      guard turn() else { break }
    }
    if !isReached() {
      Issue.record("it never comes to that", sourceLocation: sourceLocation)
    }
  }

  /// Turns until the clock shows `milliseconds` more.
  func run(
    milliseconds: Int64, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let end = world.monotonic + milliseconds
    let alarm = world.connectAlarm(at: end)
    run(until: { world.monotonic >= end }, sourceLocation: sourceLocation)
    alarm()
  }

  /// One turn.
  @discardableResult
  func turn() -> Bool {
    let goesOn = server.turn()
    for slot in 0..<server.slotCount { server[slot].checkInvariants() }
    return goesOn
  }

  /// Turns until the server has nothing more to do at this moment.
  func settle() {
    let now = world.monotonic
    for _ in 0..<2_000 {
      guard !isQuiet else { return }
      guard turn(), world.monotonic == now else { return }
    }
    Issue.record("the server does not come to rest")
  }

  private var isQuiet: Bool {
    if world.isListening, !world.waiting.isEmpty { return false }
    for slot in 0..<server.slotCount {
      let connection = server[slot]
      if world.awkward[slot]?.isBusy(connection) ?? false { return false }
      guard let descriptor = world.slots[slot], let peer = world.peers[descriptor] else { continue }
      let ready = peer.readiness
      switch connection.phase {
      case .free: continue
      case .reading, .receivingBody, .lingering: if ready.contains(.readable) { return false }
      case .waiting:
        switch connection.reason {
        case .room: if connection.pausedUntil <= world.monotonic { return false }
        case .place, .job: return false
        }
      case .sending:
        let moment = Moment(monotonicMilliseconds: world.monotonic, unixSeconds: 0)
        if ready.contains(.writable), !connection.isPaused(at: moment) { return false }
      }
    }
    return true
  }

  /// The phase of a peer's connection.
  func phase(of peer: Peer) -> Connection.Phase {
    for slot in 0..<server.slotCount
    where world.slots[slot] == peer.descriptor {
      return server[slot].phase
    }
    return .free
  }

  var openCount: Int {
    var count = 0
    for slot in 0..<server.slotCount where server[slot].phase != .free {
      count += 1
    }
    return count
  }

  var isIdle: Bool { server.isIdle }

  /// The connection of a peer.
  func connection(of peer: Peer) -> Connection {
    for slot in 0..<server.slotCount where world.slots[slot] == peer.descriptor {
      return server[slot]
    }
    return Connection(index: 0)
  }

  /// Whether a peer's request waits for that reason.
  func waits(_ peer: Peer, for reason: Connection.Reason) -> Bool {
    connection(of: peer).waits(for: reason)
  }

  /// Whether a peer's connection rests between two requests, or has begun one.
  func rests(_ peer: Peer) -> Bool { reads(peer) && connection(of: peer).held.isEmpty }
  func hasBegun(_ peer: Peer) -> Bool { reads(peer) && !connection(of: peer).held.isEmpty }
  private func reads(_ peer: Peer) -> Bool { phase(of: peer) == .reading }

  /// How many connections hold a block, of requests and of responses.
  var requestBlockCount: Int { count { $0.block > 0 } }
  var responseBlockCount: Int { count { $0.responseBlock > 0 } }

  private func count(_ isMeant: (Connection) -> Bool) -> Int {
    (0..<server.slotCount).count { isMeant(server[$0]) }
  }

  /// Sets how many connections there have been.
  func begins(afterConnection number: UInt64) { server.connectionNumber = number }

  /// How many connections wait for a later turn.
  var workingCount: Int { server.jobCount }

  /// Lets the kernel hold more of what a peer was sent than a next response may follow.
  func sendMuch(to peer: Peer) {
    peer.sentByKernel = 0
    for slot in 0..<server.slotCount where world.slots[slot] == peer.descriptor {
      server[slot].unsentCount = UInt32(Limits.unsentSizeMax) + 1
    }
    if peer.sent.count <= Limits.unsentSizeMax {
      peer.sentByKernel = peer.sent.count - Limits.unsentSizeMax - 1
    }
  }

  /// Runs the whole loop until a stop that comes at `stopAt`.
  func runToStop() { server.run() }

  /// How many uploads hold a block.
  var uploadBlockCount: Int { count { if case .upload = $0.flow { true } else { false } } }

  /// Ends the test: every peer goes away, and then nothing is lent out any more.
  func finish(sourceLocation: SourceLocation = #_sourceLocation) {
    world.isSpurious = false
    for peer in world.peers.values where !peer.isClosed {
      peer.script = []
      peer.isDone = true
      peer.isReset = true
    }
    run(until: { server.isIdle }, sourceLocation: sourceLocation)
    #expect(
      (requests.finished + requests.abandonedUploads).sorted() == [Int](1..<requests.begunCount + 1),
      "each upload ends once", sourceLocation: sourceLocation)
    for peer in world.peers.values {
      #expect(peer.isClosed, "every descriptor is given back", sourceLocation: sourceLocation)
    }
  }
}

extension World {
  /// Makes the wait end at `moment`, with an arrival that concerns nobody.
  func connectAlarm(at moment: Int64) -> () -> Void {
    let peer = Peer(-2)
    peer.script = [(moment, [0])]
    peers[-2] = peer
    return { self.peers[-2] = nil }
  }
}

/// Runs `body` with a server, and checks that nothing is left over.
func withStage(
  slots: Int = Limits.connectionCountMax, sourceLocation: SourceLocation = #_sourceLocation,
  _ body: (Stage, World) throws -> Void
) rethrows {
  let stage = Stage(slots: slots)
  try body(stage, stage.world)
  stage.finish(sourceLocation: sourceLocation)
}

let date = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

/// What a response says of its connection when it stays.
let stays = "Connection: keep-alive\r\nKeep-Alive: timeout=85\r\n"

/// The response of `EchoResponder`.
func echo(_ line: String, closes: Bool = false, sendsContent: Bool = true) -> String {
  "HTTP/1.1 200 OK\r\n\(date)Content-Length: \(line.utf8.count)\r\n"
    + (closes ? "Connection: close\r\n" : stays) + "X-Echo: yes\r\n\r\n" + (sendsContent ? line : "")
}

/// Its response to an upload of that many octets.
func took(_ count: Int) -> String {
  let text = "took \(count)"
  return "HTTP/1.1 201 Created\r\n\(date)Content-Length: \(text.count)\r\n\(stays)\r\n" + text
}

/// A request head with the fields given.
func request(_ line: String, _ fields: String...) -> String {
  "\(line) HTTP/1.1\r\nHost: h\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n"
}

/// A POST with that content.
func post(_ path: String, _ content: String) -> String {
  request("POST \(path)", "Content-Length: \(content.utf8.count)") + content
}
