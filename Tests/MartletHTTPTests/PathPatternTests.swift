import MartletBytes
import MartletHTTP
import TestSupport
import Testing

/// The values that a pattern finds in a path, still encoded; `nil` when the path does not match. The path
/// lies against an inaccessible page. The application's own type `hex` is of `a` to `f` and digits.
func values(_ pattern: StaticString, _ path: [UInt8]) -> [String]? {
  withGuardedOctets(path) { path in
    guard let match = PathPattern(pattern).match(path, isOwn: isHex) else { return nil }
    var values: [String] = []
    while let value = match.value(values.count, in: path) { values.append(String(value.encoded)) }
    #expect(values.count == match.count)
    return values
  }
}

func values(_ pattern: StaticString, _ path: String) -> [String]? {
  values(pattern, Array(path.utf8))
}

func isHex(_ type: Span<UInt8>, _ value: Span<UInt8>) -> Bool {
  guard type.equals("hex") else { return false }
  for i in value.indices where ASCII.hexadecimalDigit(value[i]) == nil { return false }
  return true
}

@Suite("Path patterns")
struct PathPatternTests {
  // MARK: What Microdot's eight tests of patterns show

  @Test("Literal patterns match their path only")
  func literal() {
    #expect(values("/", "/") == [])
    for path in ["/foo", "foo", ""] { #expect(values("/", path) == nil) }
    #expect(values("/foo/bar", "/foo/bar") == [])
    for path in ["/foo", "/foo/bar/", "/foo/bar/baz"] { #expect(values("/foo/bar", path) == nil) }
    #expect(values("/foo//bar/baz/", "/foo//bar/baz/") == [])
    for path in ["/foo/bar/baz/", "/foo", "/foo/bar/baz"] {
      #expect(values("/foo//bar/baz/", path) == nil)
    }
  }

  @Test("A text is one segment that is not empty", arguments: [true, false])
  func text(hasType: Bool) {
    let pattern: StaticString = hasType ? "/<text:arg>" : "/<arg>"
    #expect(values(pattern, "/foo") == ["foo"])
    for path in [
      "/", "//", "", "foo/", "/foo/", "//foo/", "/foo//", "/foo/bar", "/foo//bar", "foo",
    ] {
      #expect(values(pattern, path) == nil, "\(path)")
    }
    let withSlash: StaticString = hasType ? "/<text:arg>/" : "/<arg>/"
    #expect(values(withSlash, "/foo/") == ["foo"])
    for path in ["/", "//", "/foo", "/foo/bar", "/foo/bar/"] {
      #expect(values(withSlash, path) == nil, "\(path)")
    }
  }

  @Test("Several texts and literals take turns")
  func texts() {
    let pattern: StaticString = "/foo/<arg1>/bar/<arg2>"
    #expect(values(pattern, "/foo/one/bar/two") == ["one", "two"])
    for path in ["/", "/foo/", "/foo/bar", "/foo//bar/", "/foo//bar//", "/foo/one/bar/"] {
      #expect(values(pattern, path) == nil, "\(path)")
    }
  }

  @Test("An int is a number of decimal digits with an optional minus")
  func int() {
    let pattern: StaticString = "/users/<int:id>"
    for number in ["123", "-123", "0"] { #expect(values(pattern, "/users/" + number) == [number]) }
    for path in ["/users/", "/users/abc", "/users/123abc", "/users/123/abc", "/users"] {
      #expect(values(pattern, path) == nil, "\(path)")
    }
    let two: StaticString = "/users/<int:id>/<int:id2>/"
    #expect(values(two, "/users/123/456/") == ["123", "456"])
    #expect(values(two, "/users/123/-456/") == ["123", "-456"])
    for path in [
      "/users/", "/users/123/-456", "/users/123/abc/", "/users/123/-456/abc", "/users/--123/456/",
    ] {
      #expect(values(two, path) == nil, "\(path)")
    }
  }

  @Test("A path is the rest, slashes and all, and is not empty")
  func path() {
    let pattern: StaticString = "/users/<path:path>"
    for rest in ["123", "123/", "abc/def", "/", "//a", "a//b/"] {
      #expect(values(pattern, "/users/" + rest) == [rest])
    }
    for path in ["/users/", "/users", "/user/a"] { #expect(values(pattern, path) == nil) }
  }

  @Test("A path that is not last matches nothing, where Microdot searches for what follows")
  func pathNotLast() {
    for path in ["/users/123/foo", "/users/abc/def/foo", "/users/foo"] {
      #expect(values("/users/<path:path>/foo", path) == nil)
    }
    #expect(values("/foo/<path:path>/<int:id>/bar/<name>", "/foo/abc/def/123/bar/test") == nil)
  }

  @Test("Four parameters of four types")
  func many() {
    let pattern: StaticString = "/foo/<name>/<int:id>/bar/<hex:key>/<path:rest>"
    #expect(values(pattern, "/foo/abc/-5/bar/0fF/a/b/") == ["abc", "-5", "0fF", "a/b/"])
    for path in [
      "/foo/abc/-5/bar/0fF/", "/foo/abc/-5/bar/0fF", "/foo/abc/-5/bar/0fg/a", "/foo/abc/x/bar/0/a",
      "/foo/abc/5/baz/0/a", "/foo//5/bar/0/a",
    ] {
      #expect(values(pattern, path) == nil, "\(path)")
    }
  }

  @Test("The application says what is of its own types, and is asked about nothing else")
  func own() {
    #expect(values("/users/<hex:id>", "/users/a1") == ["a1"])
    #expect(values("/users/<hex:id>", "/users/ab12z") == nil)
    #expect(values("/users/<word:id>", "/users/a1") == nil)
    withGuardedOctets("/users/a1") { path in
      #expect(PathPattern("/users/<hex:id>").match(path) == nil)
      #expect(PathPattern("/users/<id>").match(path, isOwn: { _, _ in fatalError() }) != nil)
    }
    // What is no text is of no type.
    for value in ["%00", "..", "%FF", "%4", ""] {
      let path = Array("/users/\(value)".utf8)
      withGuardedOctets(path) { path in
        let match = PathPattern("/users/<any:id>").match(path, isOwn: { _, _ in true })
        #expect(match == nil, "\(value)")
      }
    }
  }

  // MARK: Encoded paths

  @Test("Literal octets are compared decoded, and values stay encoded")
  func encoded() {
    #expect(values("/a b/ü", "/a%20b/%C3%BC") == [])
    #expect(values("/a b/ü", "/%61%20b%2F%c3%bc") == [])
    #expect(values("/a+b", "/a+b") == [] && values("/a b", "/a+b") == nil)
    #expect(values("/hello/<name>", "/%68ello/S%C3%BCsan") == ["S%C3%BCsan"])
    #expect(values("/a/<int:id>/b", "/a/%2d%35/%62") == ["%2d%35"])
    #expect(values("/a", "/A") == nil)
  }

  @Test("An encoded slash stays inside of its segment")
  func encodedSlash() {
    #expect(values("/<name>", "/a%2Fb") == ["a%2Fb"])
    #expect(values("/<name>/b", "/a%2Fb") == nil)
    #expect(values("/<name>/b", "/a%2fb/b") == ["a%2fb"])
    #expect(values("/<path:rest>", "/a%2Fb/c") == ["a%2Fb/c"])
    #expect(values("/<int:id>", "/5%2F") == nil)
    // The slash of literal text may be encoded, as in a path without parameters.
    #expect(values("/items/<int:id>", "/items%2F5") == ["5"])
  }

  @Test(
    "A value that is no text does not match",
    arguments: [
      "%00", "a%00", "%0A", "%0d%0aX:y", "%1F", "%7F", "%C2%85",  // controls
      "%C0%AF", "%C1%81", "%E0%80%AF", "%F0%80%80%AF", "%FF", "%C3", "a%E2%82", "%ED%A0%80", "%80",
      "%F4%90%80%80",  // beyond Unicode
      "%", "a%", "%4", "%zz", "%%41", "a%2", "%4g",  // unfinished
      ".", "..", "%2e", "%2E%2e", ".%2E", "%2e%2e%2fetc", "a%2F..%2Fb", "a%2F..", "..%2Fa", "a%2F.",
    ])
  func hostile(value: String) {
    #expect(values("/files/<name>", "/files/" + value) == nil)
    #expect(values("/files/<path:rest>", "/files/" + value) == nil)
    #expect(values("/files/<path:rest>", "/files/a/" + value) == nil)
    #expect(values("/files/<path:rest>", "/files/" + value + "/a") == nil)
    #expect(values("/files/<int:id>", "/files/" + value) == nil)
  }

  @Test("Dots that are no dot segment match, and so does every other character")
  func harmless() {
    for value in ["...", ".a", "a.", "..a", "a..b", "%2e%2e%2e", "a%2F...", "+", "%25", "%2B", "é", "😀", "~"]
    {
      #expect(values("/files/<name>", "/files/" + value) == [value])
      #expect(values("/files/<path:rest>", "/files/a/" + value + "/") == ["a/" + value + "/"])
    }
  }

  @Test("Dot segments of a path rest do not match, wherever they are")
  func dotSegments() {
    for rest in ["..", "../a", "a/..", "a/../b", "./a", "a/.", "a/./b", "a/%2e%2E/b", "//..", "../"] {
      #expect(values("/files/<path:rest>", "/files/" + rest) == nil, "\(rest)")
    }
  }

  // MARK: Every prefix, every damaged octet

  static let vectors: [(StaticString, String)] = [
    ("/", "/"),
    ("/items/<int:id>", "/items/%2d12"),
    ("/hello/<name>/x", "/h%65llo/S%C3%BCsan%2F/x"),
    ("/files/<path:rest>", "/files/a//b%20c/"),
    ("/<hex:a>/<b>/<int:c>/<path:d>", "/fF0/b.%2e%2e/-0/d/%C3%A9"),
    ("/a b/ü/", "/a%20b/%C3%BC/"),
  ]

  @Test("Every prefix and every damaged octet gives what a simple matcher gives", arguments: vectors)
  func driven(pattern: StaticString, path: String) {
    let path = Array(path.utf8)
    #expect(values(pattern, path) != nil)
    for count in 0...path.count {
      let prefix = Array(path.prefix(count))
      #expect(values(pattern, prefix) == simple(pattern, prefix), "the first \(count) octets")
    }
    for position in path.indices {
      for octet in UInt8.min...UInt8.max {
        var damaged = path
        damaged[position] = octet
        #expect(values(pattern, damaged) == simple(pattern, damaged), "\(octet) at \(position)")
      }
    }
  }

  /// The same as `values`, by splitting texts: first the segments, then each of them. It knows no encoded
  /// slash of literal text, so such a slash is decoded here before.
  func simple(_ pattern: StaticString, _ path: [UInt8]) -> [String]? {
    var found: [String] = []
    var path = path[...]
    var pattern = Array(pattern.octets)[...]
    while let first = pattern.first {
      guard first == UInt8(ascii: "<"), let close = pattern.firstIndex(of: UInt8(ascii: ">")) else {
        guard let (octet, size) = decoded(path), octet == first else { return nil }
        path = path.dropFirst(size)
        pattern = pattern.dropFirst()
        continue
      }
      let words = String(decoding: pattern[pattern.startIndex + 1..<close], as: UTF8.self).split(
        separator: ":")
      let type = words.count == 2 ? words[0] : "text"
      pattern = pattern[(close + 1)...]
      let value = type == "path" ? path : path.prefix { $0 != UInt8(ascii: "/") }
      path = path.dropFirst(value.count)
      guard let text = text(value) else { return nil }
      switch type {
      case "int":
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        guard Int64(text) != nil, digits.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
      case "hex":
        guard value.allSatisfy({ ASCII.hexadecimalDigit($0) != nil }) else { return nil }
      default: break
      }
      found.append(String(decoding: value, as: UTF8.self))
    }
    return path.isEmpty ? found : nil
  }

  /// The octet that a path begins with, and how many octets spell it.
  func decoded(_ path: ArraySlice<UInt8>) -> (octet: UInt8, size: Int)? {
    guard let first = path.first else { return nil }
    let digits = path.dropFirst().prefix(2)
    guard first == UInt8(ascii: "%"), digits.count == 2,
      digits.allSatisfy({ ASCII.hexadecimalDigit($0) != nil }),
      let octet = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
    else { return (first, 1) }
    return (octet, 3)
  }

  /// The text that a value spells, or `nil`.
  func text(_ value: ArraySlice<UInt8>) -> String? {
    var rest = value
    var octets: [UInt8] = []
    while let (octet, size) = decoded(rest) {
      if size == 1, octet == UInt8(ascii: "%") { return nil }
      octets.append(octet)
      rest = rest.dropFirst(size)
    }
    guard let text = String(validating: octets, as: UTF8.self), !text.isEmpty else { return nil }
    let isPlain = text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    let segments = octets.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    let hasDots = segments.contains { $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) }
    return isPlain && !hasDots ? text : nil
  }

  // MARK: Limits

  @Test("The longest path is matched; a path beyond 65,535 octets has no parameters")
  func long() {
    let value = String(repeating: "a", count: 65_534)
    #expect(values("/<name>", "/" + value) == [value])
    #expect(values("/<path:rest>", "/" + value) == [value])
    #expect(values("/<name>", "/" + value + "a") == nil)
    #expect(values("/a", "/" + value + "aaaa") == nil)
  }

  @Test("A pattern that is malformed matches nothing, or something, and never traps")
  func malformed() {
    let patterns: [StaticString] = [
      "", "a", "<", ">", "/<", "/>", "/<>", "/<:>", "/<a", "/<a/b>", "/a<b>", "/<b>c", "/<<a>>", "/<a><b>",
      "/<a>/<b>/<c>/<d>/<e>", "/<path:a>/", "/<path:a><b>", "/<::>", "/%", "/<int:>", "/<:a>",
    ]
    let paths = ["", "/", "/a", "/a/b/c/d/e", "a", "<", "/<a", "/>", "/1", "/%3C", "//"]
    for pattern in patterns {
      for path in paths { _ = values(pattern, path) }
    }
    #expect(values("/<a>/<b>/<c>/<d>/<e>", "/a/b/c/d/e") == nil)
    #expect(values("/<a", "/<a") == nil)
    #expect(values("", "") == [] && values("", "/") == nil)
  }

  @Test("Parameters are found by name")
  func names() {
    let pattern = PathPattern("/foo/<name>/<int:id>/<path:rest>")
    #expect(pattern.parameter(named: "name") == 0)
    #expect(pattern.parameter(named: "id") == 1)
    #expect(pattern.parameter(named: "rest") == 2)
    for name in ["", "int", "foo", "nam", "names", "Name"] as [StaticString] {
      #expect(pattern.parameter(named: name) == nil)
    }
    #expect(PathPattern("/<a/<b>").parameter(named: "b") == nil)
  }
}
