// Files below a folder, opened by the kernel's own watch (openat2) and name by name. Both refuse what leads out.

import CMartletPlatform
import Glibc
import Testing

@Suite("Files below a folder", .serialized)
final class BelowTests {
  let path: String
  let folder: Int32

  init() throws {
    var template = Array("/tmp/martlet-below-XXXXXX".utf8CString)
    path = try #require(mkdtemp(&template).map { String(cString: $0) })
    for name in ["web", "web/sub", "web/sub/deep"] { mkdir(path + "/" + name, 0o755) }
    for name in ["secret", "web/a", "web/sub/deep/b"] {
      let file = fopen(path + "/" + name, "w")
      fputs(name, file)
      fclose(file)
    }
    for (target, name) in [
      ("../secret", "out"), (path + "/secret", "absolute"), ("sub", "inside"), ("..", "parent"),
      ("loop", "loop"),
      ("/proc/self/fd", "magic"), ("sub/deep/b", "link"), ("nowhere", "dead"),
    ] { symlink(target, path + "/web/" + name) }
    mkfifo(path + "/web/pipe", 0o600)
    folder = Glibc.open(path + "/web", O_RDONLY | O_DIRECTORY)
  }

  deinit {
    close(folder)
    for name in [
      "secret", "web/a", "web/sub/deep/b", "web/out", "web/absolute", "web/inside", "web/parent", "web/loop",
      "web/magic",
      "web/link", "web/dead", "web/pipe",
    ] { unlink(path + "/" + name) }
    for name in ["web/sub/deep", "web/sub", "web", ""] { rmdir(path + "/" + name) }
  }

  /// The content of a file, or a negative errno.
  private func open(_ name: String, walks: Bool) -> (content: String?, error: Int32) {
    var facts = martlet_file_facts()
    let octets = Array(name.utf8)
    let file = octets.withUnsafeBufferPointer {
      martlet_open_below(folder, $0.baseAddress, $0.count, walks ? 1 : 0, &facts)
    }
    guard file >= 0 else { return (nil, file) }
    defer { close(file) }
    var content = [UInt8](repeating: 0, count: 100)
    let count = read(file, &content, 100)
    #expect(facts.size == Int64(count) && facts.seconds > 1_600_000_000)
    #expect((0..<1_000_000_000).contains(facts.nanoseconds))
    return (String(decoding: content.prefix(count), as: UTF8.self), 0)
  }

  @Test("Files are opened both ways, and a descriptor is left over by neither", arguments: [false, true])
  func files(walks: Bool) {
    let before = Glibc.open("/", O_RDONLY)
    close(before)
    #expect(open("a", walks: walks).content == "web/a")
    #expect(open("sub/deep/b", walks: walks).content == "web/sub/deep/b")
    for name in ["sub", "sub/deep"] { #expect(open(name, walks: walks).error == -EISDIR) }
    #expect(open("pipe", walks: walks).error == -Int32(MARTLET_NO_FILE))
    for name in ["nowhere", "sub/nowhere", "dead", "nowhere/a"] {
      #expect(open(name, walks: walks).content == nil, "\(name)")
    }
    #expect(open("a/b", walks: walks).error == -ENOTDIR)
    #expect(open(String(repeating: "a", count: 256), walks: walks).error == -ENAMETOOLONG)
    #expect(open(String(repeating: "a", count: 512), walks: walks).error == -ENAMETOOLONG)
    #expect(open("", walks: walks).content == nil && open("a\0b", walks: walks).error == -EINVAL)
    let after = Glibc.open("/", O_RDONLY)
    close(after)
    #expect(before == after, "each descriptor is closed")
  }

  @Test("Nothing leads out of the folder", arguments: [false, true])
  func outside(walks: Bool) {
    for name in [
      "out", "absolute", "parent/secret", "magic/0", "loop", "../secret", "sub/../../secret", "/etc/passwd",
      "/",
      "sub/../a/../../secret",
    ] { #expect(open(name, walks: walks).content == nil, "\(name)") }
  }

  @Test("The walk follows no symbolic link, and no name that is empty or a dot segment")
  func walk() {
    for name in [
      "link", "inside/deep/b", ".", "..", "./a", "sub/./deep/b", "sub/../a", "sub//deep/b", "sub/deep/b/",
    ] {
      #expect(open(name, walks: true).content == nil, "\(name)")
    }
  }

  @Test("What is in memory is told; a file that the kernel has not read yet is asked for")
  func memory() {
    let name = path + "/web/a"
    let file = Glibc.open(name, O_RDWR)
    var octets = [UInt8](repeating: 7, count: 300_000)
    #expect(write(file, &octets, octets.count) == octets.count)
    #expect(martlet_file_in_memory(file, 0, 65_536, 262_144, Int32(MARTLET_ASK_EXACTLY)) == 65_536)
    #expect(martlet_file_in_memory(file, 299_990, 10, 10, Int32(MARTLET_ASK_BRIEFLY)) == 10)
    #expect(martlet_file_in_memory(file, 5_000, 1, 1, Int32(MARTLET_ASK_ANEW)) == 1)
    // Behind its end, or without a file, there is nothing to wait for: sendfile() tells.
    #expect(martlet_file_in_memory(file, 400_000, 10, 10, Int32(MARTLET_ASK_BRIEFLY)) == 10)
    #expect(martlet_file_in_memory(-1, 0, 10, 10, Int32(MARTLET_ASK_ANEW)) == 10)
    fsync(file)
    posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED)
    // The kernel may keep the pages all the same; otherwise it brings them.
    var turns = 0
    while martlet_file_in_memory(file, 0, 300_000, 300_000, Int32(MARTLET_ASK_EXACTLY)) < 300_000,
      turns < 5_000
    {
      usleep(1_000)
      turns += 1
      _ = pread(file, &octets, turns > 2_000 ? 300_000 : 0, 0)
    }
    #expect(turns < 5_000)
    close(file)
  }
}
