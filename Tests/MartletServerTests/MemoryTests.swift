// How much static memory a program has, as the linker has noted it in the program's file.

import CMartletPlatform
import Glibc
import Testing

@Suite struct MemoryTests {
  /// The program headers of the running program (ELF-64, in the machine's own order of octets).
  private func loadedSegments() throws -> [(flags: UInt32, fileSize: UInt64, memorySize: UInt64)] {
    let file = open("/proc/self/exe", O_RDONLY)
    defer { close(file) }
    var octets = [UInt8](repeating: 0, count: 4_096)
    #expect(pread(file, &octets, octets.count, 0) == octets.count)
    return octets.withUnsafeBytes { octets in
      let start = Int(octets.loadUnaligned(fromByteOffset: 32, as: UInt64.self))
      let size = Int(octets.loadUnaligned(fromByteOffset: 54, as: UInt16.self))
      let count = Int(octets.loadUnaligned(fromByteOffset: 56, as: UInt16.self))
      return (0..<count).map { start + $0 * size }
        .filter { octets.loadUnaligned(fromByteOffset: $0, as: UInt32.self) == 1 }
        .map { header in
          (
            octets.loadUnaligned(fromByteOffset: header + 4, as: UInt32.self),
            octets.loadUnaligned(fromByteOffset: header + 32, as: UInt64.self),
            octets.loadUnaligned(fromByteOffset: header + 40, as: UInt64.self)
          )
        }
    }
  }

  @Test(
    "The static memory is the last segment of the program, which can be written",
    .enabled(if: Int.bitWidth == 64))
  func linkedSize() throws {
    let last = try #require(try loadedSegments().last)
    #expect(last.flags & 2 != 0 && last.memorySize > last.fileSize)
    // .bss may begin some octets behind .data, because .bss is aligned.
    let size = UInt64(martlet_linked_size())
    #expect(size <= last.memorySize && size + 4_096 > last.memorySize)
  }
}
