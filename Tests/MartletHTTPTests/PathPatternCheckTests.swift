import MartletBytes
import MartletHTTP
import TestSupport
import Testing

@Suite("Checks of path patterns")
struct PathPatternCheckTests {
  func check(_ pattern: StaticString) -> PathPatternFault? {
    PathPattern(pattern).check { $0.equals("hex") || $0.equals("word") }
  }

  @Test("Patterns that can be right pass")
  func right() {
    let patterns: [StaticString] = [
      "/", "/a", "/a/", "//", "/foo//bar/baz/", "/a b/ü", "/~a/b.c/...", "/.well-known/x", "/a:b@c;d=e,f&g+h",
      "/<a>", "/<int:a>", "/<text:a>", "/<path:a>", "/<hex:a>", "/<a>/", "/<a>/<b>/<c>/<d>",
      "/<a>/<b>/<c>/<path:d>", "/a/<int:id_2>/b/<Name>", "/*",
    ]
    for pattern in patterns { #expect(check(pattern) == nil, "\(pattern)") }
  }

  @Test("Each fault is told", arguments: faults)
  func fault(pattern: StaticString, fault: PathPatternFault) {
    #expect(check(pattern) == fault)
  }

  static let faults: [(StaticString, PathPatternFault)] = [
    ("", .noSlashAtStart), ("a", .noSlashAtStart), ("<a>", .noSlashAtStart), ("*", .noSlashAtStart),
    ("/users/<foo/bar", .parameterUnfinished), ("/<", .parameterUnfinished),
    ("/<a/b>", .parameterUnfinished), ("/<int:a", .parameterUnfinished),
    ("/a<b>", .parameterNotAlone), ("/<a>b", .parameterNotAlone), ("/<a><b>", .parameterNotAlone),
    ("/<a>.txt", .parameterNotAlone), ("/a<", .parameterNotAlone), ("/<<a>>", .parameterNotAlone),
    ("/>", .bracketStray), ("/a>b", .bracketStray), ("/<b>/a>", .bracketStray),
    ("/<:id>", .typeEmpty), ("/<:>", .typeEmpty),
    ("/users/<badtype:id>", .typeUnknown), ("/<string:a>", .typeUnknown), ("/<re:[a-c]+:id>", .typeUnknown),
    ("/<Int:a>", .typeUnknown), ("/< int:a>", .typeUnknown),
    ("/<>", .nameEmpty), ("/<int:>", .nameEmpty),
    ("/<a b>", .nameMalformed), ("/<int: a>", .nameMalformed), ("/<int:a:b>", .nameMalformed),
    ("/<é>", .nameMalformed), ("/<a-b>", .nameMalformed), ("/<a%>", .nameMalformed),
    ("/<a>/<a>", .nameRepeated), ("/<a>/x/<b>/<int:a>", .nameRepeated),
    ("/users/<path:path>/foo", .pathNotLast), ("/<path:a>/", .pathNotLast),
    ("/foo/<path:path>/<int:id>/bar/<name>", .pathNotLast),
    ("/<a>/<b>/<c>/<d>/<e>", .tooManyParameters),
    ("/a%20b", .percentSign), ("/%", .percentSign),
    ("/a?b", .queryOrFragment), ("/a#b", .queryOrFragment),
    ("/a\n", .control), ("/\u{0}", .control), ("/\u{7F}", .control), ("/\u{85}", .control),
    ("/.", .dotSegment), ("/a/../b", .dotSegment), ("/./", .dotSegment),
  ]

  @Test("Each fault has words of its own, and a pattern that shows it")
  func words() {
    var all: Set<String> = []
    var rawValue: UInt8 = 0
    while let fault = PathPatternFault(rawValue: rawValue) {
      let words = String(fault.words)
      #expect(!words.isEmpty && all.insert(words).inserted)
      #expect(Self.faults.contains { $0.1 == fault })
      rawValue += 1
    }
    #expect(all.count == 15)
    #expect(String(PathPatternFault.pathNotLast.words) == "something follows a path parameter")
    #expect(String(PathPatternFault.dotSegment.words).contains(".."))
  }

  @Test("Without own types every other type is unknown")
  func noOwnTypes() {
    #expect(PathPattern("/<hex:a>").check() == .typeUnknown)
    #expect(PathPattern("/<int:a>").check() == nil)
  }

  // MARK: Shadows

  static let shadowing: [(StaticString, StaticString)] = [
    ("/a", "/a"), ("/", "/"), ("//", "//"),
    ("/<x>", "/a"), ("/<x>", "/<y>"), ("/<x>", "/<int:y>"), ("/<x>", "/<hex:y>"), ("/<x>", "/..."),
    ("/<int:x>", "/5"), ("/<int:x>", "/-007"), ("/<int:x>", "/<int:y>"), ("/<hex:x>", "/<hex:y>"),
    ("/<path:x>", "/a"), ("/<path:x>", "/a/b/"), ("/<path:x>", "/<y>/<int:z>"), ("/<path:x>", "/<path:y>"),
    ("/<path:x>", "//"), ("/<path:x>", "/<hex:y>"), ("/a/<path:x>", "/a/<y>/<path:z>"), ("/<path:x>", "/é"),
    ("/<x>/b", "/a/b"), ("/<x>/<y>", "/a/<int:y>"), ("/<x>/", "/a/"),
  ]

  static let notShadowing: [(StaticString, StaticString)] = [
    ("/a", "/b"), ("/a", "/a/"), ("/a/", "/a"), ("/", "//"), ("/a", "/<x>"), ("/a", "/ab"),
    ("/<x>", "/"), ("/<x>", "/a/"), ("/<x>", "/a/b"), ("/<x>", "/<path:y>"),
    ("/<int:x>", "/a"), ("/<int:x>", "/+5"), ("/<int:x>", "/9223372036854775808"), ("/<int:x>", "/<y>"),
    ("/<int:x>", "/<hex:y>"), ("/<int:x>", "/<path:y>"), ("/<int:x>", "/"),
    ("/<hex:x>", "/a"), ("/<hex:x>", "/<word:y>"), ("/<hex:x>", "/<y>"), ("/<hex:x>", "/<int:y>"),
    ("/<path:x>", "/"), ("/a/<path:x>", "/a"), ("/a/<path:x>", "/a/"), ("/a/<path:x>", "/b/c"),
    ("/<x>/<path:y>", "/a"), ("/<x>/<y>", "/<path:z>"), ("/a/b/c", "/a/b"),
  ]

  @Test("A pattern shadows another if every path of the other is also one of it")
  func shadows() {
    for (first, second) in Self.shadowing {
      #expect(PathPattern.shadows(PathPattern(first), PathPattern(second)), "\(first) \(second)")
    }
    for (first, second) in Self.notShadowing {
      #expect(!PathPattern.shadows(PathPattern(first), PathPattern(second)), "\(first) \(second)")
    }
  }

  @Test("Whatever a shadowed pattern matches, the first one matches too")
  func shadowsAreReal() {
    let paths = [
      "/", "//", "/a", "/b", "/5", "/-007", "/+5", "/a/", "/a/b", "/a/b/", "/a/b/c", "/a/5", "/...", "/é",
      "/%C3%A9", "/%61", "/9223372036854775808", "/0f", "/0f/", "/a//", "/a//b", "///",
    ]
    let patterns = Set((Self.shadowing + Self.notShadowing).flatMap { ["\($0.0)", "\($0.1)"] })
    #expect(patterns.count > 30)
    let all = (Self.shadowing + Self.notShadowing).flatMap { [$0.0, $0.1] }
    for first in all {
      for second in all where PathPattern.shadows(PathPattern(first), PathPattern(second)) {
        for path in paths where values(second, path) != nil {
          #expect(values(first, path) != nil, "\(first) \(second) \(path)")
        }
      }
    }
  }

  @Test("Each pair that is not shadowed has a path that shows it, own types aside")
  func notShadowsAreReal() {
    let shown = [
      "/", "//", "/a/", "/b", "/a/b", "/a", "/ab", "/x", "/+5", "/9223372036854775808", "/a/b/", "/b/c",
      "/0a",
    ]
    for (first, second) in Self.notShadowing
    where !"\(first)".contains("hex") && !"\(second)".contains("hex") {
      let hasPath = shown.contains { values(second, $0) != nil && values(first, $0) == nil }
      #expect(hasPath, "\(first) \(second)")
    }
  }

  @Test("Patterns are the same if only names and the word text differ")
  func same() {
    let same: [(StaticString, StaticString)] = [
      ("/a", "/a"), ("/<x>", "/<text:y>"), ("/a/<int:x>/<path:y>", "/a/<int:z>/<path:x>"),
      ("/<hex:x>", "/<hex:y>"),
    ]
    for (first, second) in same {
      #expect(PathPattern.isSame(PathPattern(first), PathPattern(second)), "\(first) \(second)")
    }
    let different: [(StaticString, StaticString)] = [
      ("/a", "/a/"), ("/<x>", "/<int:y>"), ("/<x>", "/a"), ("/<hex:x>", "/<word:x>"), ("/<path:x>", "/<x>"),
    ]
    for (first, second) in different {
      #expect(!PathPattern.isSame(PathPattern(first), PathPattern(second)), "\(first) \(second)")
      #expect(!PathPattern.isSame(PathPattern(second), PathPattern(first)), "\(second) \(first)")
    }
  }
}
