// The paths of a page, written as a pattern, and whether a path is one of them:
//
//     pattern   = 1*( "/" segment )
//     segment   = literal / parameter
//     literal   = *octet                              ; written decoded: `/a b`, never `/a%20b`
//     parameter = "<" [ type ":" ] name ">"           ; always a whole segment
//     type      = "int" / "text" / "path" / own       ; `text` without a type
//
//     /items/<int:id>          /items/5   /items/-12
//     /hello/<name>            /hello/S%C3%BCsan
//     /files/<path:rest>       /files/a   /files/a/b/c.txt
//
// The path stays percent-encoded as it was received. Literal octets are compared with the decoded
// path. A parameter's value ends at the next `/` of the encoded path, so `%2F` stays in the value. The
// notation is Microdot's, without its regular expressions and without text after a `path`.

import MartletBytes

/// A pattern of paths, in a literal.
///
///     let pattern = PathPattern("/items/<int:id>")
///     guard let match = pattern.match(path), let index = pattern.parameter(named: "id"),
///       let id = match.value(index, in: path)?.integer else { ... }
///
/// `check()` says what is wrong with a pattern; run it once, at the start of a program. A pattern with a
/// fault never traps, but which paths it matches is not defined.
public struct PathPattern: Sendable {
  /// The pattern as it stands in the source.
  public let text: StaticString

  /// A pattern, not yet checked.
  public init(_ text: StaticString) { self.text = text }

  /// Whether the pattern has no parameters.
  public var isLiteral: Bool { text.octets.firstIndex(of: 0x3C) == nil }

  /// Matches a path against the pattern.
  ///
  /// | Type | Value |
  /// |---|---|
  /// | `int` | an optional minus and decimal digits, within `Int64`; `007` and `-0` are numbers |
  /// | `text` | one segment, not empty |
  /// | `path` | the rest of the path, not empty; it may hold slashes |
  /// | own | one segment, not empty, for which `isOwn` says so |
  ///
  /// A value of any type but `int` is text. In a text each `%` begins a whole escape. The decoded value is
  /// well-formed UTF-8 without controls (U+0000 to U+001F, U+007F to U+009F). Neither `.` nor `..` is a
  /// segment of the decoded value, even between two `%2F`. Other values do not match, so that the answer
  /// is 404.
  ///
  /// - Parameters:
  ///   - path: The path as it was received, at most 65,535 octets; any octets at all.
  ///   - isOwn: Says whether a value, still encoded, is of a type that the application has made.
  /// - Returns: Where the values of the parameters are in `path`, or `nil` when the path does not match.
  /// - Complexity: O(n) in the octets of the path and of the pattern. A pattern without parameters
  ///   costs one comparison up to the first difference.
  public func match(
    _ path: Span<UInt8>,
    isOwn: (_ type: Span<UInt8>, _ value: Span<UInt8>) -> Bool = { _, _ in false }
  ) -> PathMatch? {
    let pattern = text.octets
    var match = PathMatch()
    var decoder = PercentDecoder(path, plusIsSpace: false)
    var i = 0
    while i < pattern.count {
      if pattern[i] == "<" {
        guard let parameter = PathParameter.parse(pattern, at: i),
          let range = parameter.range(in: path, from: decoder.index),
          parameter.accepts(path.extracting(range), isOwn: isOwn),
          match.append(parameter.kind, range)
        else { return nil }
        decoder.move(to: range.upperBound)
        i = parameter.end
      } else {
        guard let octet = decoder.next(), octet == pattern[i] else { return nil }
        i &+= 1
      }
    }
    return decoder.next() == nil ? match : nil
  }

  /// The index of the parameter of that name, from 0; `nil` when the pattern has no such parameter.
  public func parameter(named name: StaticString) -> Int? { index(ofParameter: name.octets) }

  /// The index of the first parameter of that name.
  @inline(never)
  func index(ofParameter name: Span<UInt8>) -> Int? {
    let pattern = text.octets
    var index = 0
    var i = 0
    while let start = pattern.firstIndex(of: 0x3C, from: i) {
      guard let parameter = PathParameter.parse(pattern, at: start) else { return nil }
      if parameter.name.equals(name) { return index }
      index &+= 1
      i = parameter.end
    }
    return nil
  }
}

/// A parameter of a pattern, in place.
struct PathParameter: ~Escapable {
  let kind: PathParameterKind
  /// The type, empty when none is written or when nothing stands before the colon.
  let type: Span<UInt8>
  let name: Span<UInt8>
  /// The index after the `>`.
  let end: Int

  @_lifetime(copy type, copy name)
  private init(_ kind: PathParameterKind, _ type: Span<UInt8>, _ name: Span<UInt8>, _ end: Int) {
    self.kind = kind
    self.type = type
    self.name = name
    self.end = end
  }

  /// Parses the parameter whose `<` is at `start`; `nil` when no `>` follows.
  @inline(never)
  @_lifetime(copy pattern)
  static func parse(_ pattern: Span<UInt8>, at start: Int) -> PathParameter? {
    guard let close = pattern.firstIndex(of: 0x3E, from: start) else { return nil }
    let inside = pattern.extracting(start &+ 1..<close)
    guard let colon = inside.firstIndex(of: 0x3A) else {
      return PathParameter(.text, inside.extracting(0..<0), inside, close &+ 1)
    }
    let type = inside.extracting(0..<colon)
    let name = inside.extracting(colon &+ 1..<inside.count)
    let kind: PathParameterKind =
      type.equals("int") ? .int : type.equals("text") ? .text : type.equals("path") ? .path : .own
    return PathParameter(kind, type, name, close &+ 1)
  }

  /// The range of a value that begins at `start`: up to the next `/`, or to the end of the path.
  func range(in path: Span<UInt8>, from start: Int) -> Range<Int>? {
    guard path.count <= 0xFFFF else { return nil }
    let slash = kind == .path ? nil : path.firstIndex(of: 0x2F, from: start)
    return start..<(slash ?? path.count)
  }

  /// Whether `value`, still encoded, is one of this parameter.
  @inline(never)
  func accepts(
    _ value: Span<UInt8>, isOwn: (_ type: Span<UInt8>, _ value: Span<UInt8>) -> Bool
  ) -> Bool {
    switch kind {
    case .int: PathValue.integer(value) != nil
    case .text, .path: PathValue.isText(value)
    case .own: PathValue.isText(value) && isOwn(type, value)
    }
  }
}
