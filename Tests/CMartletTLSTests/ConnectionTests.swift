import CMartletTLS
import CTLSClient
import Glibc
import Testing

@Suite("TLS connections", .serialized)
struct ConnectionTests {
  init() throws { try installOwn() }

  @Test("Both suites make a connection, the certificate is ours, and the protocol is http/1.1")
  func handshakes() throws {
    for suite in [chacha, aes] {
      let pair = try Pair.open(suite: suite)
      #expect(tls_client_suite(pair.peer) == suite)
      #expect(tls_client_has_protocol(pair.peer) == 1)
      var count = 0
      let certificate = tls_client_certificate(pair.peer, &count)
      #expect(Array(UnsafeBufferPointer(start: certificate, count: count)) == (try vector("p256.der")))
    }
  }

  @Test("The server's order of suites decides, ChaCha20 before AES")
  func order() throws {
    let pair = try Pair.open()
    #expect(tls_client_suite(pair.peer) == chacha)
  }

  @Test("Octets go both ways; one call gives at most one record")
  func octets() throws {
    let pair = try Pair.open()
    #expect(pair.sendFromClient([UInt8]("abc".utf8)) == 3)
    #expect(pair.sendFromClient([UInt8]("de".utf8)) == 2)
    #expect(pair.receive(2).octets == [UInt8]("ab".utf8))
    #expect(martlet_tls_pending(pair.place) == 1)
    #expect(pair.receive().octets == [UInt8]("c".utf8))
    #expect(martlet_tls_pending(pair.place) == 0)
    #expect(pair.receive().octets == [UInt8]("de".utf8))
    #expect(pair.receive().result == Int(Code.wantRead))
    #expect(pair.send([1, 2, 3]) == 3)
    #expect(pair.receiveByClient().octets == [1, 2, 3])
  }

  @Test("Whatever the kernel takes of a record, each octet arrives once", arguments: [1, 2, 100, 4096, 4097, 40_000])
  func partial(piece: Int) throws {
    let pair = try Pair.open(size: 1)
    let octets = (0..<(piece == 1 ? 500 : 60_000)).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let (received, waits) = pair.transfer(octets, piece: piece)
    #expect(received == octets)
    #expect(waits > 0)
    #expect(martlet_tls_unsent(pair.place) == 0)
  }

  @Test("A record that the kernel takes in part counts without its last octet")
  func holding() throws {
    let pair = try Pair.open(size: 1)
    let octets = [UInt8](repeating: 9, count: 4000)
    var sent = 0
    while martlet_tls_unsent(pair.place) == 0 && sent < 400_000 {
      let n = pair.send(octets[...])
      if n == Int(Code.wantWrite) { break }
      sent += n
    }
    #expect(sent % 4000 == 3999)
    #expect(martlet_tls_unsent(pair.place) > 0)
    // Nothing more goes until the client reads.
    #expect(pair.send([9]) == Int(Code.wantWrite))
    var received = 0
    while received < sent + 1 {
      let (n, _) = pair.receiveByClient()
      if n > 0 { received += n } else { #expect(pair.send([9]) == 1) }
      if received > 400_000 { break }
    }
    #expect(received == sent + 1)
  }

  @Test("A client may ask for fragments of 512 octets")
  func fragments() throws {
    let pair = try Pair.open(small: true)
    let octets = (0..<5000).map { UInt8(truncatingIfNeeded: $0) }
    #expect(pair.send(octets[...]) == 5000)
    var received: [UInt8] = []
    for _ in 0..<10 {
      let (n, more) = pair.receiveByClient()
      #expect(n <= 512)
      received += more
    }
    #expect(received == octets)
  }

  @Test("One call sends 32 KiB at most")
  func bounded() throws {
    let pair = try Pair.open()
    #expect(pair.send([UInt8](repeating: 1, count: 100_000)[...]) == 32768)
  }

  @Test("close_notify of the client is 0, an end without it is GONE")
  func ends() throws {
    var pair = try Pair.open()
    tls_client_finish(pair.peer)
    #expect(pair.receive().result == 0)
    #expect(pair.send([1]) == 1)
    pair = try Pair.open()
    shutdown(pair.client, Int32(SHUT_WR))
    #expect(pair.receive().result == Int(Code.gone))
    #expect(pair.receive().result == Int(Code.gone))
    #expect(pair.send([1]) == Int(Code.gone))
  }

  @Test("The server says close_notify when it finishes or closes; afterwards it sends nothing, but still reads")
  func finishes() throws {
    let pair = try Pair.open()
    martlet_tls_finish(pair.place)
    #expect(pair.receiveByClient().result == 0)
    #expect(pair.send([1]) == Int(Code.gone))
    #expect(pair.sendFromClient([7]) == 1)
    #expect(pair.receive().octets == [7])
    martlet_tls_finish(pair.place)
    pair.close()
    #expect(pair.receiveByClient().result == Int(TLS_CLIENT_WANT))
    let other = try Pair.open()
    other.close()
    #expect(other.receiveByClient().result == 0)
  }

  @Test("close_notify waits behind a record that the kernel has taken in part")
  func finishesLater() throws {
    let pair = try Pair.open(size: 1)
    let octets = [UInt8](repeating: 9, count: 4000)
    while martlet_tls_unsent(pair.place) == 0 { if pair.send(octets[...]) < 0 { break } }
    martlet_tls_finish(pair.place)
    #expect(martlet_tls_unsent(pair.place) > 0)
    var result = 1
    for _ in 0..<1000 where result != 0 {
      result = pair.receiveByClient().result
      martlet_tls_finish(pair.place)
    }
    #expect(result == 0)
    #expect(martlet_tls_unsent(pair.place) == 0)
  }

  @Test("All places in use, one is free again after a close")
  func places() throws {
    var pairs: [Pair] = []
    for _ in 0..<MARTLET_TLS_COUNT { pairs.append(try Pair.open()) }
    #expect(martlet_tls_open(0) == Code.noPlace)
    for pair in pairs { #expect(pair.send([5]) == 1) }
    pairs.removeLast()
    #expect(throws: Never.self) { try Pair.open() }
  }

  @Test("Another handshake is refused, and what was under way goes on")
  func renegotiation() throws {
    let pair = try Pair.open()
    #expect(tls_client_renegotiate(pair.peer) == Int32(TLS_CLIENT_WANT))
    let (result, _) = pair.receive()
    #expect(result == Int(Code.wantRead) || result == Int(Code.gone))
  }

  @Test("Records without content cost a bounded time")
  func warnings() throws {
    let pair = try Pair.open()
    var warnings = 0
    while warnings < 100 && tls_client_warn(pair.peer) == 0 { warnings += 1 }
    #expect(pair.sendFromClient([1]) == 1)
    var calls = 0
    var result = Int(Code.wantRead)
    while result == Int(Code.wantRead) && calls < 1000 {
      result = pair.receive().result
      calls += 1
    }
    // At most 32 reads a call, two for each record.
    #expect(result == 1)
    #expect(calls >= warnings / 16)
  }

  @Test("A handshake with any octet of the client's changed ends or waits, and leaves the place free")
  func flipped() throws {
    // What a client says first, taken from a connection that is then given up.
    let recorded = try Pair()
    _ = tls_client_shake(recorded.peer)
    var hello = [UInt8](repeating: 0, count: 4096)
    let count = recv(recorded.server, &hello, hello.count, Int32(MSG_DONTWAIT))
    try #require(count > 100)
    hello.removeLast(hello.count - count)
    recorded.close()
    for i in 0..<count {
      for bits in [UInt8(1), 0x80, 0xFF] {
        var changed = hello
        changed[i] ^= bits
        let pair = try Pair()
        Glibc.send(pair.client, changed, count, 0)
        var result = Code.again
        for _ in 0..<100 where result == Code.again { result = martlet_tls_step(pair.place) }
        #expect(result == Code.gone || result == Code.wantRead)
        pair.close()
      }
    }
    // Each prefix, then the end of the connection.
    for size in stride(from: 0, to: count, by: 3) {
      let pair = try Pair()
      Glibc.send(pair.client, hello, size, 0)
      shutdown(pair.client, Int32(SHUT_WR))
      var result = Code.again
      for _ in 0..<100 where result == Code.again { result = martlet_tls_step(pair.place) }
      #expect(result == Code.gone)
    }
    #expect(throws: Never.self) { try Pair.open() }
  }

  @Test("A handshake in pieces of one octet succeeds")
  func pieces() throws {
    var ends: [Int32] = [0, 0]
    try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
    let pair = try Pair()
    // The client's octets pass through a second pair, one at a time.
    let place = martlet_tls_open(ends[0])
    try #require(place >= 0)
    var (ofClient, ofServer, octet) = (Int32(TLS_CLIENT_WANT), Code.again, UInt8(0))
    for _ in 0..<20_000 where ofServer != Code.gone && !(ofServer == Code.done && ofClient == 0) {
      if ofClient == Int32(TLS_CLIENT_WANT) { ofClient = tls_client_shake(pair.peer) }
      if recv(pair.server, &octet, 1, Int32(MSG_DONTWAIT)) == 1 { Glibc.send(ends[1], &octet, 1, 0) }
      if ofServer != Code.done { ofServer = martlet_tls_step(place) }
      if recv(ends[1], &octet, 1, Int32(MSG_DONTWAIT)) == 1 { Glibc.send(pair.server, &octet, 1, 0) }
    }
    #expect(ofServer == Code.done)
    martlet_tls_close(place)
    for end in ends { close(end) }
  }

  @Test("A place without connection, or out of range, is harmless")
  func nowhere() {
    for place in [-1, 0, Int32(MARTLET_TLS_COUNT), Int32.max] {
      var octet: UInt8 = 0
      #expect(martlet_tls_step(place) == Code.gone)
      #expect(martlet_tls_receive(place, &octet, 1) == Int(Code.gone))
      #expect(martlet_tls_send(place, &octet, 1, 0) == Int(Code.gone))
      #expect(martlet_tls_pending(place) == 0)
      #expect(martlet_tls_unsent(place) == 0)
      martlet_tls_finish(place)
      martlet_tls_close(place)
    }
  }
}
