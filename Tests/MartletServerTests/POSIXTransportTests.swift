// The same loop on real sockets, once: what the scripted system assumes is what the kernel does.

import CMartletPlatform
import Glibc
import MartletBytes
import MartletHTTP
import TestSupport
import Testing

@testable import MartletServer

@Suite(.serialized) struct POSIXTransportTests {
  /// A client that is connected to a port of this machine.
  private struct Client {
    let descriptor: Int32

    init(port: UInt16) {
      descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = port.bigEndian
      address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      let size = socklen_t(MemoryLayout<sockaddr_in>.size)
      let result = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          Glibc.connect(descriptor, $0, size)
        }
      }
      #expect(result == 0)
    }

    func send(_ text: String) {
      let octets = [UInt8](text.utf8)
      #expect(Glibc.send(descriptor, octets, octets.count, Int32(MSG_NOSIGNAL)) == octets.count)
    }

    /// What has come, nothing at an end or a reset, or `nil` when neither has.
    func received() -> String? {
      var octets = [UInt8](repeating: 0, count: 65_536)
      let count = recv(descriptor, &octets, octets.count, Int32(MSG_DONTWAIT))
      if count < 0 { return errno == ECONNRESET ? "" : nil }
      return String(decoding: octets.prefix(count), as: UTF8.self)
    }

    func finish() { shutdown(descriptor, Int32(SHUT_WR)) }
    func close() { Glibc.close(descriptor) }
  }

  /// Memory for the descriptors of a transport. It is not given back: the transport may outlive a test.
  private static func table() -> PollTable {
    PollTable(.allocate(capacity: PollTable.entryCountMax))
  }

  private func octets(_ text: StaticString) -> [UInt8] { [UInt8](copying: text.octets) }

  private func error(listeningAt host: String, _ port: UInt16 = 0) -> ListenError? {
    do throws(ListenError) {
      var transport = try POSIXTransport(
        host: [UInt8](host.utf8).span, port: port, Self.table())
      transport.stopListening()
      transport.stopListening()
      return nil
    } catch {
      return error
    }
  }

  @Test("A request over the loopback is answered; SIGTERM ends the server")
  func loopback() throws {
    let requests = Requests()
    let transport = try POSIXTransport(
      host: octets("127.0.0.1").span, port: 0, Self.table())
    let port = transport.port
    #expect(port > 0)
    var server = Server(
      transport: transport, responder: EchoResponder(requests: requests),
      ServerMemory.lendStatic())

    let client = Client(port: port)
    client.send("GET /a HTTP/1.1\r\n")
    // The connection, then the first line: two turns that have something to do.
    _ = server.turn()
    _ = server.turn()
    #expect(client.received() == nil)
    client.send("Host: h\r\n\r\n")
    var text = answer(&server, client)
    #expect(text.hasSuffix("\r\n\r\nGET /a []"))

    client.send(request("POST /b", "Content-Length: 10"))
    _ = server.turn()
    client.send("01234")
    client.send("56789")
    text = answer(&server, client)
    #expect(text.hasSuffix("\r\n\r\nPOST /b [0123456789]"))

    client.send("?\r\n")
    text = answer(&server, client)
    #expect(text.hasPrefix("HTTP/1.1 400 "))
    #expect(client.received() == "", "the server has ended its side")
    client.finish()
    while true {
      let isIdle = server.isIdle
      if isIdle { break }
      _ = server.turn()
    }
    client.close()

    let half = Client(port: port)
    half.send("GET / HTTP/1.1\r\n")
    half.finish()
    text = answer(&server, half)
    #expect(text.isEmpty, "half a request is not answered")
    half.close()

    // The signal waits for this thread, which the transport has made block it.
    pthread_kill(pthread_self(), SIGTERM)
    server.run()
    let isIdleAtTheEnd = server.isIdle
    #expect(isIdleAtTheEnd)
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGTERM)
    var signal: Int32 = 0
    sigwait(&set, &signal)
    #expect(signal == SIGTERM)
    #expect(requests.lines == ["GET /a []", "POST /b [0123456789]"])
  }

  private func answer(
    _ server: inout Server<POSIXTransport, EchoResponder>, _ client: Client
  ) -> String {
    while true {
      if let text = client.received() { return text }
      _ = server.turn()
    }
  }

  @Test("What is no numeric address is not listened at")
  func notAnAddress() {
    for text in [
      "", "localhost", "1.2.3", "127.0.0.1 ", "1::2::3", String(repeating: "1", count: 99),
    ] {
      #expect(error(listeningAt: text) == .notAnAddress)
    }
  }

  @Test("A port that is in use is not listened at again")
  func inUse() throws {
    var transport = try POSIXTransport(
      host: octets("127.0.0.1").span, port: 0, Self.table())
    #expect(error(listeningAt: "127.0.0.1", transport.port) == .addressInUse)
    transport.stopListening()
    #expect(error(listeningAt: "127.0.0.1", transport.port) == nil)
  }

  @Test("An address that this machine does not have is not listened at")
  func noSuchAddress() { #expect(error(listeningAt: "192.0.2.1") == .noSuchAddress) }

  @Test("A port below 1,024 needs a right", .enabled(if: getuid() != 0))
  func noPermission() { #expect(error(listeningAt: "127.0.0.1", 81) == .noPermission) }

  @Test("IPv6 is listened at where the system has it")
  func version6() {
    let error = error(listeningAt: "::1")
    #expect(error == nil || error == .noSuchAddress)
  }

  @Test("The address of an IPv6 client is told whole")
  func version6Peer() throws {
    guard error(listeningAt: "::1") == nil else { return }
    var transport = try POSIXTransport(host: octets("::1").span, port: 0, Self.table())
    let client = socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(client) }
    var address = sockaddr_in6()
    address.sin6_family = sa_family_t(AF_INET6)
    address.sin6_port = transport.port.bigEndian
    address.sin6_addr = in6addr_loopback
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(client, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
      }
    }
    #expect(result == 0)
    guard case .connection(let descriptor, let peer) = transport.accept() else {
      Issue.record("the connection is there")
      return
    }
    #expect(peer == IPAddress(high: 0, low: 1))
    transport.close(descriptor: descriptor)
    transport.stopListening()
  }

  @Test("A listener may get descriptor 0, where a program has no standard input")
  func descriptorZero() {
    var port: UInt16 = 0
    var step: UInt32 = 0
    let listener = withDescriptorZeroFree { martlet_listen(0, 0xFFFF_7F00_0001, 0, &port, &step) }
    #expect(listener == 0 && port > 0)
  }

  @Test("Nobody waiting is nobody, and a descriptor that is none is gone")
  func calls() throws {
    var transport = try POSIXTransport(
      host: octets("127.0.0.1").span, port: 0, Self.table())
    #expect(transport.accept() == .none)
    let client = Client(port: transport.port)
    guard case .connection(let descriptor, let peer) = transport.accept() else {
      Issue.record("the connection is there")
      return
    }
    #expect(peer == IPAddress(high: 0, low: 0xFFFF_7F00_0001))
    var noDelay: Int32 = 0
    var noDelaySize = socklen_t(4)
    getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &noDelay, &noDelaySize)
    #expect(noDelay != 0, "a connection inherits that from its listener")
    transport.open(3, descriptor)
    var storage = [UInt8](repeating: 0, count: 8)
    var target = storage.mutableSpan
    let none: [UInt8] = []
    func send(_ octets: [UInt8], _ more: [UInt8] = []) -> Transfer {
      transport.send(3, octets.span, more.span, continues: false)
    }
    #expect(transport.receive(3, into: &target) == .notNow)
    transport.want(3, .readable)
    client.send("de")
    let wakeup = transport.wait(milliseconds: 1_000, listener: false, signals: false)
    #expect(wakeup == Wakeup(listenerIsReady: false, stopRequested: false))
    #expect(transport.ready(3) == .readable && transport.ready(0).isEmpty && transport.ready(4).isEmpty)
    transport.want(3, nil)
    _ = transport.wait(milliseconds: 0, listener: false, signals: false)
    #expect(transport.ready(3).isEmpty, "what is not wanted is not told")
    #expect(transport.receive(3, into: &target) == .octets(2))
    #expect(target[0] == 0x64 && target[1] == 0x65)
    #expect(transport.receive(3, into: &target) == .notNow)
    #expect(send([1, 2]) == .octets(2))
    #expect(send([3], [4, 5]) == .octets(3))
    #expect(transport.send(3, none.span, [6].span, continues: true) == .octets(1))
    let file = open(#filePath, O_RDONLY)
    #expect(transport.sendFile(3, file: file, offset: 3, count: 7) == .octets(7))
    #expect(transport.sendFile(3, file: file, offset: 1 << 40, count: 7) == .end)
    #expect(transport.sendFile(3, file: -1, offset: 0, count: 7) == .gone)
    close(file)
    #expect(client.received() == "\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}The sam")
    #expect(transport.unsentCount(3) >= 0)
    client.finish()
    #expect(transport.receive(3, into: &target) == .end)
    transport.want(3, .writable)
    _ = transport.wait(milliseconds: 1_000, listener: false, signals: false)
    #expect(transport.ready(3) == .writable)
    // A peer that closes with octets unread resets the connection.
    client.close()
    transport.finishSending(3)
    #expect(send([1]) == .gone)
    transport.close(3)
    transport.stopListening()
    #expect(transport.accept() == .none)
    let now = transport.now()
    #expect(now.monotonicMilliseconds > 0 && now.unixSeconds > 1_700_000_000)
  }

  @Test("Without a descriptor to spare a connection waits")
  func exhausted() async {
    await #expect(processExitsWith: .success) {
      var transport = try POSIXTransport(
        host: [UInt8]("127.0.0.1".utf8).span, port: 0, Self.table())
      let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = transport.port.bigEndian
      address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      let result = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          Glibc.connect(client, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      var limit = rlimit(rlim_cur: 0, rlim_max: 1_024)
      setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      let acceptance = transport.accept()
      limit.rlim_cur = 1_024
      setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      exit(result == 0 && acceptance == .exhausted ? 0 : 1)
    }
  }

  @Test("The static memory is lent once")
  func lentOnce() async {
    await #expect(processExitsWith: .failure) {
      _ = ServerMemory.lendStatic()
      _ = ServerMemory.lendStatic()
    }
  }
}
