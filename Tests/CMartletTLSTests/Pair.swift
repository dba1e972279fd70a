// A server's place and a client on both ends of one pair of sockets, stepped in turn by the test.

import CMartletTLS
import CTLSClient
import Foundation
import Glibc
import TestSupport
import Testing

func vector(_ name: String) throws -> [UInt8] { [UInt8](try vectorData("tls/" + name)) }

let started = martlet_tls_start()

@discardableResult
func install(
  _ chain: [UInt8], kind: Int = MARTLET_TLS_KEY_P256, key: [UInt8]
) -> Int32 {
  #expect(started == Code.done)
  // Without an octet an array may have no address.
  return (chain + [0]).withUnsafeBufferPointer { chainOctets in
    (key + [0]).withUnsafeBufferPointer { keyOctets in
      martlet_tls_install(chainOctets.baseAddress!, chain.count, Int32(kind), keyOctets.baseAddress!, key.count)
    }
  }
}

/// The certificate for P-256, in use from now on.
func installOwn() throws {
  let result = install(try vector("p256.der"), key: try vector("p256.key"))
  try #require(result == Code.done)
}

enum Code {
  static let done = Int32(MARTLET_TLS_DONE)
  static let again = Int32(MARTLET_TLS_AGAIN)
  static let wantRead = Int32(MARTLET_TLS_WANT_READ)
  static let wantWrite = Int32(MARTLET_TLS_WANT_WRITE)
  static let gone = Int32(MARTLET_TLS_GONE)
  static let noPlace = Int32(MARTLET_TLS_NO_PLACE)
  static let busy = Int32(MARTLET_TLS_BUSY)
  static let badChain = Int32(MARTLET_TLS_BAD_CHAIN)
  static let badKey = Int32(MARTLET_TLS_BAD_KEY)
  static let mismatch = Int32(MARTLET_TLS_MISMATCH)
}

let chacha: Int32 = 0xCCA9
let aes: Int32 = 0xC02B

final class Pair {
  let server, client: Int32
  let place: Int32
  let peer: OpaquePointer
  private var isOpen = true

  /// `size`: of what the kernel keeps between the two ends.
  init(suite: Int32 = 0, small: Bool = false, size: Int32? = nil) throws {
    var ends: [Int32] = [0, 0]
    guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else { throw PairError.noSockets }
    (server, client) = (ends[0], ends[1])
    if var size {
      setsockopt(server, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }
    place = martlet_tls_open(server)
    peer = tls_client_open(client, suite, small ? 1 : 0)
    guard place >= 0 else { throw PairError.noPlace }
  }

  enum PairError: Error { case noSockets, noPlace, noHandshake }

  deinit {
    close()
    tls_client_close(peer)
    Glibc.close(client)
    Glibc.close(server)
  }

  func close() {
    if isOpen && place >= 0 { martlet_tls_close(place) }
    isOpen = false
  }

  /// The handshake, to its end. The last answer of the server.
  @discardableResult
  func shake() -> Int32 {
    var (ofClient, ofServer) = (Int32(TLS_CLIENT_WANT), Code.again)
    for _ in 0..<200 {
      if ofClient == Int32(TLS_CLIENT_WANT) { ofClient = tls_client_shake(peer) }
      if ofServer != Code.done { ofServer = martlet_tls_step(place) }
      if ofServer == Code.gone || (ofServer == Code.done && ofClient == 0) { break }
    }
    return ofServer
  }

  static func open(suite: Int32 = 0, small: Bool = false, size: Int32? = nil) throws -> Pair {
    let pair = try Pair(suite: suite, small: small, size: size)
    guard pair.shake() == Code.done else { throw PairError.noHandshake }
    return pair
  }

  func send(_ octets: ArraySlice<UInt8>, continues: Bool = false) -> Int {
    octets.withUnsafeBufferPointer { martlet_tls_send(place, $0.baseAddress!, $0.count, continues ? 1 : 0) }
  }

  func receive(_ count: Int = 32768) -> (result: Int, octets: [UInt8]) {
    var octets = [UInt8](repeating: 0, count: count)
    let n = octets.withUnsafeMutableBufferPointer { martlet_tls_receive(place, $0.baseAddress!, $0.count) }
    return (n, Array(octets.prefix(max(0, n))))
  }

  func sendFromClient(_ octets: [UInt8]) -> Int {
    octets.withUnsafeBufferPointer { tls_client_send(peer, $0.baseAddress!, $0.count) }
  }

  func receiveByClient(_ count: Int = 32768) -> (result: Int, octets: [UInt8]) {
    var octets = [UInt8](repeating: 0, count: count)
    let n = octets.withUnsafeMutableBufferPointer { tls_client_receive(peer, $0.baseAddress!, $0.count) }
    return (n, Array(octets.prefix(max(0, n))))
  }

  /// Sends all of it as a server does that keeps what has not been counted, while the client reads on.
  /// What the client has read, and how often the server had to wait.
  func transfer(_ octets: [UInt8], piece: Int) -> (received: [UInt8], waits: Int) {
    var (sent, received, waits) = (0, [UInt8](), 0)
    while received.count < octets.count {
      let end = min(sent + piece, octets.count)
      if sent < end {
        let n = send(octets[sent..<end], continues: end < octets.count)
        if n > 0 { sent += n } else if n == Int(Code.wantWrite) { waits += 1 } else { break }
      }
      if sent == octets.count || waits % 2 == 1 {
        let (n, more) = receiveByClient()
        if n == Int(TLS_CLIENT_ENDED) || (n <= 0 && sent == octets.count && waits > 100_000) { break }
        received += more
        if n <= 0 { waits += 1 }
      }
    }
    return (received, waits)
  }
}
