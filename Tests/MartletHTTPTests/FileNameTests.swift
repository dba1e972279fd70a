import MartletHTTP
import TestSupport
import Testing

@Suite("Names of files that clients send")
struct FileNameTests {
  private func name(_ sent: String, allowsHidden: Bool = false) -> String? {
    name(Array(sent.utf8), allowsHidden: allowsHidden)
  }

  private func name(_ sent: [UInt8], allowsHidden: Bool = false) -> String? {
    withGuardedOctets(sent) { span in
      guard let name = FileName(span, allowsHidden: allowsHidden) else { return nil }
      return String(name.span)
    }
  }

  @Test(
    "A name is the last component of what was sent",
    arguments: [
      ("photo.jpg", "photo.jpg"), ("../../etc/passwd", "passwd"), ("/etc/passwd", "passwd"),
      ("C:\\Users\\me\\a b.txt", "a b.txt"), ("a/b\\c", "c"), ("a\\b/c", "c"), ("a..b", "a..b"),
      ("ä☃.txt", "ä☃.txt"), ("..\\..\\x", "x"), ("a.", "a."), ("\"quoted\"", "\"quoted\""), ("-rf", "-rf"),
    ])
  func lastComponent(_ sent: String, _ expected: String) { #expect(name(sent) == expected) }

  @Test(
    "A name that no file should have is refused",
    arguments: [
      "", ".", "..", "/", "\\", "a/", "a\\", "../", "..\\..", ".profile", "dir/.ssh", ".martlet-1",
      "a\u{0}", "\u{0}", "a\nb", "a\rb", "a\tb", "a\u{7F}", "a\u{1B}[2J", "...", "x/...",
    ])
  func refused(_ sent: String) { #expect(name(sent) == nil) }

  @Test("A hidden name is taken where the page allows it, and a folder is never a name")
  func hidden() {
    #expect(name(".profile", allowsHidden: true) == ".profile")
    for sent in ["", ".", "..", "a/..", "a/."] { #expect(name(sent, allowsHidden: true) == nil) }
  }

  @Test("Ill-formed UTF-8 is refused")
  func illFormed() {
    #expect(name([0x61, 0xFF]) == nil)
    #expect(name([0xC0, 0xAF]) == nil)
    #expect(name([0xFF, 0x2F, 0x61]) == "a", "only the last component counts")
  }

  @Test("A name of 255 octets is taken, and a longer one is refused")
  func long() {
    #expect(name(String(repeating: "x", count: 255)) == String(repeating: "x", count: 255))
    #expect(name(String(repeating: "x", count: 256)) == nil)
    #expect(name(String(repeating: "d/", count: 500) + "x") == "x")
  }

  @Test("A part that is no file has no name of a file")
  func noFile() { #expect(FileName(nil) == nil) }
}
