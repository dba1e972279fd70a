import CMartletTLS
import Glibc
import Testing

@Suite("Memory that goes back to the kernel")
struct PageTests {
  /// What `martlet_give_back_pages` leaves of 24 pages of 4 KiB full of ones.
  private func given(from start: Int, size: Int, used: Int, page: Int) -> [UInt8] {
    let whole = 24 * 4096
    let memory = aligned_alloc(65536, 2 * 65536)!.assumingMemoryBound(to: UInt8.self)
    defer { free(memory) }
    for i in 0..<whole { memory[i] = i >= start && i < start + size && i >= start + used ? 0 : 1 }
    martlet_give_back_pages(memory + start, size, used, page)
    return (0..<whole).map { memory[$0] }
  }

  @Test(
    "Zeros are where the memory is, and nowhere else, whatever pages the kernel has",
    arguments: [4096, 16384, 65536])
  func exactly(page: Int) {
    // Beginnings and sizes that are whole pages, and that are none: as the arenas of connections lie.
    for start in [0, 4096, 8192, 16384, 16384 + 100] {
      for size in [0, 100, 4096, 28672, 32768, 65536, 65536 + 8] {
        for used in [0, size / 2, size] {
          let octets = given(from: start, size: size, used: used, page: page)
          let wrong = octets.indices.filter { octets[$0] != (($0 >= start && $0 < start + size) ? 0 : 1) }
          #expect(wrong.isEmpty, "from \(start), \(size) octets: \(wrong.prefix(3))")
        }
      }
    }
  }
}
