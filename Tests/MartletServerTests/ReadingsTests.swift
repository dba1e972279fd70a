// What C reads of the system: lines of texts, and the machine's addresses.

import CMartletPlatform
import Glibc
import TestSupport
import Testing

@Suite struct ReadingsTests {
  @Test("A text that gets descriptor 0 is opened once, whatever a call before has left in errno")
  func descriptorZero() {
    let path = [UInt8]("/proc/self/status".utf8)
    var octets = [UInt8](repeating: 0, count: 256)
    octets.withUnsafeMutableBufferPointer { octets in
      var lines = martlet_lines(
        octets: octets.baseAddress!, size: octets.count, start: 0, end: 0, descriptor: -1, skips: 0)
      let (result, descriptor) = withDescriptorZeroFree {
        errno = EINTR
        let result = martlet_begin_lines(&lines, path, path.count)
        let descriptor = lines.descriptor
        martlet_end_lines(&lines)
        return (result, descriptor)
      }
      #expect(result == 0 && descriptor == 0)
    }
  }

  @Test("The machine's IPv4 addresses are those that the C library lists, each with its interface")
  func addresses() {
    var octets = [UInt8](repeating: 0, count: 64 * MemoryLayout<ifreq>.stride)
    var leftOut = 0
    let count = martlet_ipv4_addresses(&octets, octets.count, &leftOut)
    var found: [String] = []
    for index in 0..<max(0, count) {
      let entry = octets[(index * 20)..<(index * 20 + 20)]
      let name = String(decoding: entry.prefix(16).prefix { $0 != 0 }, as: UTF8.self)
      found.append("\(name) \(Array(entry.suffix(4)))")
    }
    #expect(MemoryLayout<martlet_ipv4>.size == 20 && leftOut == 0)
    #expect(found.sorted() == listed().sorted())
  }

  /// What getifaddrs() says.
  private func listed() -> [String] {
    var first: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&first) == 0 else { return [] }
    defer { freeifaddrs(first) }
    var found: [String] = []
    var next = first
    while let entry = next?.pointee {
      next = entry.ifa_next
      guard let address = entry.ifa_addr, address.pointee.sa_family == sa_family_t(AF_INET) else { continue }
      let number = address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { $0.pointee.sin_addr.s_addr }
      let octets = withUnsafeBytes(of: number) { Array($0) }
      found.append("\(String(cString: entry.ifa_name)) \(octets)")
    }
    return found
  }
}
