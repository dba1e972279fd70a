import MartletBytes
import TestSupport
import Testing

@Suite struct LinesTests {
  private func lines(_ text: String) -> [String] {
    withGuardedOctets(text) { octets in
      var (lines, found) = (Lines(octets), [String]())
      while let line = lines.next() { found.append(String(line)) }
      return found
    }
  }

  @Test("Each line feed ends a line, and the last line may have none")
  func lines() {
    for (text, expected) in [
      ("", []), ("a", ["a"]), ("a\n", ["a"]), ("a\nb", ["a", "b"]), ("a\nb\n", ["a", "b"]), ("\n", [""]),
      ("\n\n", ["", ""]), ("a\n\nb", ["a", "", "b"]), ("a\rb", ["a\rb"]),
    ] { #expect(lines(text) == expected, "\(text.debugDescription)") }
  }

  @Test("The line of a literal by its number; empty where there is none")
  func numbers() {
    let text: StaticString = "zero\none\n\nthree"
    for (index, expected) in ["zero", "one", "", "three", "", ""].enumerated() {
      #expect(String(text.line(index)) == expected)
    }
  }
}
