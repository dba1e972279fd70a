// The loop on real sockets: whatever goes wrong in a call, clients get whole answers or the end of
// their connection, nothing stays lent out, and the next client is served.

import CFaults
import CMartletPlatform
import Glibc
import MartletBytes
import MartletHTTP
import Testing

@testable import MartletServer

/// Says what it was asked: `METHOD /path [content]`; `/big` with 15,000 octets, `/slow` when it is
/// asked the third time.
private struct Echo: Responder, ~Copyable {
  final class Asked {
    var lines: [String] = []
    var slowTurns = 0
  }

  let asked: Asked

  mutating func respond(
    to request: borrowing IncomingRequest, content: consuming Writer, fields: consuming Writer
  ) -> Reply {
    let path = string(request.octets.extracting(0..<request.head.size)[request.head.target.path])
    if path == "/slow" {
      asked.slowTurns += 1
      if asked.slowTurns % 3 != 0 {
        return Reply(status: .ok, contentCount: 0, fieldsCount: 0, kind: .later)
      }
    }
    let line = "\(request.head.method) \(path) [\(string(request.content))]"
    asked.lines.append(line)
    for octet in (path == "/big" ? Self.big : line).utf8 { content.append(octet) }
    return Reply(status: .ok, contentCount: content.count, fieldsCount: 0)
  }

  static let big = (0..<1_500).map { String(10_000 + $0) + "-line" }.joined()
}

private func string(_ octets: Span<UInt8>) -> String {
  String(decoding: octets.indices.map { octets[$0] }, as: UTF8.self)
}

/// A client on a socket of its own, whose calls are not under test.
private final class Client {
  private(set) var descriptor: Int32
  private(set) var received: [UInt8] = []
  private(set) var isEnded = false

  init(port: UInt16) {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    #expect(result == 0)
    // Octets are to arrive when they are sent, not when earlier ones have been acknowledged.
    var on: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, 4)
  }

  func send(_ text: String) {
    let octets = Array(text.utf8)
    _ = Glibc.send(descriptor, octets, octets.count, Int32(MSG_NOSIGNAL))
  }

  func receive() {
    var octets = [UInt8](repeating: 0, count: 65_536)
    while !isEnded {
      let count = recv(descriptor, &octets, octets.count, Int32(MSG_DONTWAIT))
      if count < 0, errno == EAGAIN { return }
      if count <= 0 { isEnded = true } else { received += octets.prefix(count) }
    }
  }

  /// The whole answers so far, `STATUS CONTENT`, and what came after the last of them.
  var answers: (whole: [String], rest: String) {
    var whole: [String] = []
    var text = Substring(String(decoding: received, as: UTF8.self))
    while let end = text.firstRange(of: "\r\n\r\n") {
      let head = text[..<end.lowerBound]
      let status = head.dropFirst(9).prefix(3)
      let length = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }
      let count = length.flatMap { Int($0.dropFirst(16)) } ?? 0
      let content = text[end.upperBound...].utf8.prefix(count)
      guard content.count == count else { break }
      whole.append(status == "200" ? "200 \(Substring(content))" : String(status))
      text = text[content.endIndex...]
    }
    return (whole, String(text))
  }

  func close() {
    if descriptor >= 0 { Glibc.close(descriptor) }
    descriptor = -1
  }

  /// Ends the connection with a reset.
  func reset() {
    var linger = linger(l_onoff: 1, l_linger: 0)
    setsockopt(
      descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
    close()
  }
}

private let pollTableSize = PollTable.entryCountMax * MemoryLayout<martlet_poll_entry>.stride

private func pollTable(_ memory: UnsafeMutableRawPointer) -> PollTable {
  PollTable(memory.bindMemory(to: martlet_poll_entry.self, capacity: PollTable.entryCountMax))
}

/// A server on real sockets, in memory of its own.
private final class Rig {
  let asked = Echo.Asked()
  let port: UInt16
  private var server: Server<POSIXTransport, Echo>
  private let memory: [UnsafeMutableRawPointer]
  /// Turns of this run; more than its bound is a loop without an end.
  var turns = 0

  init() throws {
    func part(_ size: Int) -> UnsafeMutableRawPointer {
      .allocate(byteCount: size, alignment: 16)
    }
    memory = [
      part(Limits.receiveSizeMax), part(Limits.responseFieldsSizeMax), part(Limits.responseSizeMax),
      part(Limits.smallBlockCountMax * Limits.smallBlockSize),
      part(Limits.largeBlockCountMax * Limits.largeBlockSize),
      part(Limits.connectionCountMax * Int(MARTLET_CONNECTION_SIZE)),
      part(pollTableSize),
    ]
    let octets = memory.map { $0.assumingMemoryBound(to: UInt8.self) }
    faults_begin()
    defer { faults_end() }
    let transport = try POSIXTransport(
      host: Array("127.0.0.1".utf8).span, port: 0, pollTable(memory[6]))
    port = transport.port
    server = Server(
      transport: transport, responder: Echo(asked: asked),
      ServerMemory(
        martlet_memory(
          receive: octets[0], fields: octets[1], response: octets[2], small: octets[3],
          large: octets[4], connections: memory[5])))
  }

  deinit { for part in memory { part.deallocate() } }

  var isIdle: Bool { server.isIdle }

  /// Turns until `isReached`, or until the clients can expect no more.
  func run(_ clients: [Client], until isReached: () -> Bool) {
    for _ in 0..<200 {
      for client in clients { client.receive() }
      if isReached() || clients.contains(where: \.isEnded) { return }
      turns += 1
      let goesOn = Faults.under { server.turn() }
      #expect(goesOn, "the server goes on")
    }
  }

  /// Turns until everything is given back.
  func settle() {
    for _ in 0..<200 where !isIdle {
      turns += 1
      _ = Faults.under { server.turn() }
    }
  }
}

private func request(_ line: String, _ fields: String = "", _ content: String = "") -> String {
  "\(line) HTTP/1.1\r\nHost: h\r\n\(fields)\r\n\(content)"
}

/// What the first client does, one step after the other, and what it is to get.
private let steps: [(text: String, answers: [String])] = [
  (request("GET /a"), ["200 get /a []"]),
  (request("POST /b", "Content-Length: 10\r\n", "01234"), []),
  ("56789", ["200 post /b [0123456789]"]),
  (request("GET /c") + request("GET /d"), ["200 get /c []", "200 get /d []"]),
  (request("POST /e", "Content-Length: 3\r\nExpect: 100-continue\r\n"), ["100"]),
  ("abc", ["200 post /e [abc]"]),
  (
    request("POST /f", "Transfer-Encoding: chunked\r\n", "2\r\nxy\r\n1\r\nz\r\n0\r\n\r\n"),
    ["200 post /f [xyz]"]
  ),
  (request("GET /big"), ["200 " + Echo.big]),
  (request("GET /slow"), ["200 get /slow []"]),
  ("GET /g HT", []),
  ("TP/1.1\r\nHost: h\r\n\r\n", ["200 get /g []"]),
  ("?\r\n\r\n", ["400"]),
]

extension EachFault {
  @Suite struct ConnectionTests {
    /// Three clients: one that asks for a lot, one that goes away within a request, one that wants
    /// its connection closed.
    ///
    /// - Parameter isRepaired: Whether they must not notice anything.
    private func runClients(_ rig: Rig, _ told: String, isRepaired: Bool = true) {
      rig.turns = 0
      rig.asked.lines = []
      let first = Client(port: rig.port)
      let gone = Client(port: rig.port)
      gone.send("POST /gone HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n1234")
      var expected: [String] = []
      for step in steps where !first.isEnded {
        first.send(step.text)
        expected += step.answers
        // Where no answer is due, the server gets one turn to see what has come.
        let start = rig.turns
        rig.run([first]) {
          step.answers.isEmpty
            ? rig.turns > start : first.answers.whole.count >= expected.count
        }
      }
      gone.reset()
      check(first, expected: steps.flatMap(\.answers), told)
      if isRepaired { #expect(expected.count == steps.flatMap(\.answers).count, "\(told): cut off") }
      first.close()

      let last = Client(port: rig.port)
      last.send(request("GET /last", "Connection: close\r\n"))
      rig.run([last]) { last.isEnded }
      #expect(last.isEnded, "\(told): the last client's connection ends")
      check(last, expected: ["200 get /last []"], told)
      last.close()
      rig.settle()

      #expect(rig.isIdle, "\(told): every slot and buffer is free")
      #expect(faults_open_count() == 2, "\(told): listener and signals are open, and nothing else")
      #expect(faults_stray_close_count() == 0, "\(told): a descriptor was closed twice")
      #expect(rig.turns < 400, "\(told): \(rig.turns) turns")
      let lines = rig.asked.lines
      #expect(Set(lines).count == lines.count, "\(told): answered twice: \(lines)")
    }

    /// Whole answers in order; then an end within an answer at most, or the server's excuse.
    private func check(_ client: Client, expected: [String], _ told: String) {
      var (whole, rest) = client.answers
      var expected = expected
      // The invitation to go on may be left out.
      if whole.contains("200 post /e [abc]") || whole.last != "100" {
        whole.removeAll { $0 == "100" }
        expected.removeAll { $0 == "100" }
      }
      if let last = whole.last, last == "408" || last == "503", client.isEnded { whole.removeLast() }
      #expect(Array(expected.prefix(whole.count)) == whole, "\(told)")
      #expect(client.isEnded || whole.count == expected.count, "\(told): an answer is missing")
      guard !rest.isEmpty else { return }
      #expect(client.isEnded, "\(told): half an answer, and the connection goes on")
      #expect("HTTP/1.1 ".hasPrefix(rest.prefix(9)), "\(told): \(rest)")
      let content = rest.firstRange(of: "\r\n\r\n").map { rest[$0.upperBound...] } ?? ""
      let next = expected.dropFirst(whole.count).first?.dropFirst(4) ?? ""
      #expect(next.hasPrefix(content), "\(told): \(content)")
    }

    @Test("Each fault of each call leaves answers whole, nothing lent out, and the server serving")
    func each() throws {
      Faults.plan()
      let rig = try Rig()
      defer {
        #expect(faults_close_all() == 2)
        faults_use_virtual_time(false)
      }
      faults_use_virtual_time(true)
      Faults.plan()
      runClients(rig, "without faults")
      #expect(rig.asked.lines.count == 10, "\(rig.asked.lines)")
      let faults = Faults.all(in: Faults.calls)
      #expect(faults.count >= 280)
      for fault in faults {
        // The kernel says when octets arrive, so a call may be left out; then the clients come again.
        var hasHappened = false
        for _ in 0..<5 where !hasHappened { hasHappened = try happens(fault, rig) }
        // How often the loop waits differs most.
        #expect(hasHappened || fault.call.name == "poll", "\(fault) has happened")
      }
    }

    /// Whether the fault has happened while the clients came; whatever happened, the server is as before.
    private func happens(_ fault: Faults.Fault, _ rig: Rig) throws -> Bool {
      let clock = ContinuousClock()
      let start = clock.now
      Faults.plan(fault)
      // Half an invitation to go on cannot be taken back, so the connection ends.
      let isInvitation = fault.call.name == "send" && fault.call.result == 25
      runClients(rig, "\(fault)", isRepaired: fault.isRepaired && !isInvitation)
      let count = faults_injected_count()
      #expect(count <= 1, "\(fault) happens once")
      #expect(clock.now - start < .seconds(10), "\(fault) takes \(clock.now - start)")
      Faults.plan()
      let good = Client(port: rig.port)
      good.send(request("GET /good"))
      rig.run([good]) { !good.answers.whole.isEmpty }
      #expect(good.answers.whole == ["200 get /good []"], "\(fault): the next client is served")
      good.close()
      rig.settle()
      // With less than everything back, all that follows would only be slow.
      try #require(rig.isIdle && faults_open_count() == 2, "\(fault): after the next client")
      return count == 1
    }

    @Test("A server that cannot start says why and leaves nothing open")
    func start() throws {
      let memory = UnsafeMutableRawPointer.allocate(byteCount: pollTableSize, alignment: 16)
      defer { memory.deallocate() }
      func listen() -> ListenError? {
        Faults.under {
          do throws(ListenError) {
            _ = try POSIXTransport(
              host: Array("127.0.0.1".utf8).span, port: 0, pollTable(memory))
            return nil
          } catch {
            return error
          }
        }
      }
      Faults.plan()
      #expect(listen() == nil)
      #expect(faults_close_all() == 2)
      let faults = Faults.all(in: Faults.calls)
      #expect(faults.count >= 10)
      for fault in faults {
        Faults.plan(fault)
        let error = listen()
        // Six options only help; the others are named.
        let helps = fault.call.name == "setsockopt" && fault.call.position <= 6
        #expect((error == nil) == helps, "\(fault)")
        if helps {
          #expect(faults_close_all() == 2)
        } else if fault.call.name == "setsockopt" {
          guard case .noOption(let option, _)? = error else {
            Issue.record("\(fault): \(String(describing: error))")
            continue
          }
          #expect(option == (fault.call.position == 7 ? .noDelay : .buffers))
        }
        #expect(faults_open_count() == 0, "\(fault): a descriptor leaks")
        #expect(faults_stray_close_count() == 0, "\(fault)")
      }
    }
  }
}
