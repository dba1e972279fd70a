// A question to another machine, of which each call to the system fails in turn: the asker learns why there is no
// answer, no descriptor is left over, and the next question is answered.

import CFaults
import CMartletPlatform
import Glibc
import Testing

/// A listener of this machine that answers each connection, or takes none.
private final class Peer: @unchecked Sendable {
  let listener: Int32
  let port: UInt16

  init() {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    self.listener = listener
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) { address in
      address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        _ = bind(listener, address, size)
        _ = listen(listener, 16)
        _ = getsockname(listener, address, &size)
      }
    }
    port = UInt16(bigEndian: address.sin_port)
    var thread = pthread_t()
    let context = Unmanaged.passRetained(Listener(listener)).toOpaque()
    pthread_create(&thread, nil, { Unmanaged<Listener>.fromOpaque($0!).takeRetainedValue().serve() }, context)
    pthread_detach(thread)
  }

  deinit {
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }
}

private final class Listener {
  let descriptor: Int32

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  func serve() -> UnsafeMutableRawPointer? {
    while true {
      let connection = accept(descriptor, nil, nil)
      guard connection >= 0 else { return nil }
      var octets = [UInt8](repeating: 0, count: 64)
      _ = recv(connection, &octets, octets.count, 0)
      _ = send(connection, "HTTP/1.1 204 ", 13, Int32(MSG_NOSIGNAL))
      close(connection)
    }
  }
}

extension EachFault {
  @Suite final class PeerTests {
    private let peer = Peer()

    /// How many octets came, or why none.
    private func ask(size: Int = 13, within milliseconds: Int64 = 2_000) -> Int {
      let question = Array("POST / HTTP/1.1\r\n\r\n".utf8)
      var answer = [UInt8](repeating: 0, count: size)
      return Faults.under {
        Int(
          martlet_ask_peer(
            0, 0xFFFF_7F00_0001, peer.port, 0, question, question.count, &answer, answer.count, milliseconds))
      }
    }

    @Test("Each fault of each call is told, and leaves nothing behind")
    func each() throws {
      Faults.plan()
      #expect(ask() == 13)
      let calls = Faults.calls
      #expect(Set(calls.map(\.name)).isSuperset(of: ["socket", "connect", "poll", "recv", "close"]))
      let faults = Faults.all(in: calls)
      #expect(faults.count >= 15)
      for fault in faults {
        Faults.plan(fault)
        let result = ask()
        #expect(faults_injected_count() == 1, "\(fault) has happened")
        let isHarmless =
          fault.call.name == "close" || fault.fault == "EINTR" || fault.fault == "short"
          || fault.fault == "EAGAIN" && fault.call.name != "poll"
        #expect(isHarmless ? result == 13 : result < 0 || result == 13, "\(fault): \(result)")
        switch fault.fault {
        case "ECONNREFUSED": #expect(result == MARTLET_PEER_REFUSES, "\(fault)")
        case "ENETUNREACH": #expect(result == MARTLET_PEER_UNREACHABLE, "\(fault)")
        case "ETIMEDOUT": #expect(result == MARTLET_PEER_SILENT, "\(fault)")
        default: break
        }
        #expect(faults_open_count() == 0 && faults_stray_close_count() == 0, "\(fault): a descriptor is left")
        Faults.plan()
        #expect(ask() == 13, "\(fault): the next question")
      }
    }

    @Test("A peer that says less than there is room for is heard until its end")
    func shorter() {
      Faults.plan()
      #expect(ask(size: 64) == 13)
      #expect(faults_open_count() == 0)
    }
  }
}
