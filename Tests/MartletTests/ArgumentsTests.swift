// The file that --secret-file names: what of it is the secret, and whose it must be.

import Glibc
import TestSupport
import Testing

@testable import Martlet

/// A file of a test's own, in a folder that others may pass through.
private final class SecretFile {
  private let folder: String
  private let path: String

  init(_ octets: [UInt8], mode: mode_t = 0o600, group: gid_t? = nil) throws {
    var template = Array("/tmp/martlet-secret-XXXXXX".utf8CString)
    folder = try #require(mkdtemp(&template).map { String(cString: $0) })
    path = folder + "/secret"
    chmod(folder, 0o711)
    let file = fopen(path, "w")
    fwrite(octets, 1, octets.count, file)
    fclose(file)
    if let group { #expect(chown(path, uid_t.max, group) == 0) }
    chmod(path, mode)
  }

  convenience init(_ text: String, mode: mode_t = 0o600, group: gid_t? = nil) throws {
    try self.init(Array(text.utf8), mode: mode, group: group)
  }

  deinit {
    unlink(path)
    rmdir(folder)
  }

  /// Octets of the secret, or a negative errno.
  func read() -> Int { withGuardedOctets(path) { GivenSecret.read($0) } }
}

@Suite(.serialized) struct GivenSecretTests {
  private func secret(_ text: String) throws -> String? {
    let count = try SecretFile(text).read()
    return 0...GivenSecret.sizeMax ~= count ? String(GivenSecret.span(count)) : nil
  }

  @Test("Line ends at the end of a secret's file are no part of the secret, and all else is")
  func lineEnds() throws {
    for end in ["", "\n", "\r\n", "\r", "\n\n", "\r\n\r\n"] {
      #expect(try secret("s3cret" + end) == "s3cret")
      #expect(try secret(end) == "")
    }
    for text in ["s3\r\ncret", "\ns3cret", "s3cret ", "s3cret\t", "s3cret\u{E}", "s3cret\u{C}"] {
      #expect(try secret(text + "\r\n") == text)
    }
  }

  @Test("A secret of 200 octets and its line end are read, and a file that has more is refused")
  func sizes() throws {
    let longest = String(repeating: "s", count: GivenSecret.sizeMax)
    #expect(try secret(longest + "\r\n") == longest)
    #expect(try SecretFile(longest + "s\r\n").read() == -Int(EFBIG))
  }

  @Test("A secret's file is refused where others may read or change it")
  func others() throws {
    for mode: mode_t in [0o640, 0o620, 0o604, 0o602, 0o666] {
      let result = try SecretFile("s3cret", mode: mode).read()
      #expect(GivenSecret.isOthers(result), "\(String(mode, radix: 8))")
    }
    for mode: mode_t in [0o600, 0o400] { #expect(try SecretFile("s3cret", mode: mode).read() == 6) }
  }

  @Test(
    "Root's file may be read by the group of a service, and is refused where others may read or change it",
    .enabled(if: getuid() == 0))
  func group() throws {
    let service: gid_t = 54_321
    for (mode, isRead) in [(0o640, true), (0o440, true), (0o660, false), (0o644, false)] as [(mode_t, Bool)] {
      let file = try SecretFile("s3cret", mode: mode, group: service)
      #expect(setegid(service) == 0 && seteuid(service) == 0)
      let result = file.read()
      #expect(seteuid(0) == 0 && setegid(0) == 0)
      #expect(isRead ? result == 6 : GivenSecret.isOthers(result), "\(String(mode, radix: 8))")
    }
  }

  @Test("Another user's file is refused", .enabled(if: getuid() == 0))
  func anotherOwner() throws {
    let file = try SecretFile("s3cret", mode: 0o644)
    #expect(seteuid(54_321) == 0)
    let result = file.read()
    #expect(seteuid(0) == 0)
    #expect(GivenSecret.isOthers(result))
  }

  @Test("A secret is read where its file gets descriptor 0")
  func descriptorZero() throws {
    let file = try SecretFile("s3cret")
    #expect(withDescriptorZeroFree { file.read() } == 6)
  }

  @Test("What is no file, or not there, is refused")
  func noFile() {
    for path in ["/tmp", "/dev/null", "/nowhere/secret", "", "/tmp/a\u{0}b"] {
      #expect(withGuardedOctets(path) { GivenSecret.read($0) } < 0, "\(path)")
    }
  }
}
