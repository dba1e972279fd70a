// Whether a pattern is well-formed, and whether one pattern hides another. Both are asked when a program
// starts, so that a program with a wrong table of pages serves nothing.

import MartletBytes

/// What is wrong with a pattern.
public enum PathPatternFault: UInt8, Equatable, Sendable {
  /// No `/` at the start.
  case noSlashAtStart
  /// A `<` without `>` in the same segment.
  case parameterUnfinished
  /// A parameter beside other text in a segment.
  case parameterNotAlone
  /// A `>` without `<`.
  case bracketStray
  /// Nothing before the colon of a parameter.
  case typeEmpty
  /// A type that neither the pattern nor the application knows.
  case typeUnknown
  /// A parameter without a name.
  case nameEmpty
  /// A name of other octets than ASCII letters, digits and `_`.
  case nameMalformed
  /// Two parameters of one name.
  case nameRepeated
  /// Something after a parameter of type `path`.
  case pathNotLast
  /// More parameters than `Limits.pathParameterCountMax`.
  case tooManyParameters
  /// A percent sign: literal text is written decoded.
  case percentSign
  /// A `?` or a `#`: neither a query nor a fragment is part of a path.
  case queryOrFragment
  /// A control, or octets that are no UTF-8.
  case control
  /// A segment `.` or `..`, which browsers never send (RFC 3986 §5.2.4).
  case dotSegment

  /// A line for each case, in their order.
  private static var table: StaticString {
    """
    it does not begin with a slash
    a < has no > in its segment
    a parameter is not alone in its segment
    a > has no < before it
    a type is missing before a colon
    a type is neither int, text, path nor one of the application
    a parameter has no name
    a name holds something else than letters, digits and underscores
    a name stands twice
    something follows a path parameter
    it has more than four parameters
    it holds a percent sign; literal text is written decoded
    it holds a ? or a #, which end a path
    it holds a control character
    it has a segment . or .., which browsers take out
    """
  }

  /// What is wrong, in words that follow the pattern: "/items/<int:id: a < has no > in its segment".
  public var words: Span<UInt8> {
    @_lifetime(immortal) get { Self.table.line(Int(rawValue)) }
  }
}

/// The segments of a pattern, without their slashes.
private struct PatternSegments: ~Escapable {
  private var rest: Span<UInt8>

  /// - Parameter pattern: A pattern; before its first slash nothing is looked at.
  @_lifetime(copy pattern)
  init(_ pattern: Span<UInt8>) {
    rest = pattern.extracting((pattern.firstIndex(of: 0x2F) ?? pattern.count)..<pattern.count)
  }

  /// The next segment, which may be empty, or `nil` after the last.
  @inline(never)
  @_lifetime(copy self)
  @_lifetime(self: copy self)
  mutating func next() -> Span<UInt8>? {
    // What is left begins with the slash before the next segment.
    guard rest.count > 0 else { return nil }
    let end = rest.firstIndex(of: 0x2F, from: 1) ?? rest.count
    let segment = rest.extracting(1..<end)
    rest = rest.extracting(end..<rest.count)
    return segment
  }

  /// Whether there is no further segment.
  var isAtEnd: Bool { rest.count == 0 }
}

/// A segment of a pattern: literal text, or a parameter.
private struct PatternSegment: ~Escapable {
  let literal: Span<UInt8>
  let parameter: PathParameter?

  @inline(never)
  @_lifetime(copy segment)
  init(_ segment: Span<UInt8>) {
    literal = segment
    parameter = segment.hasPrefix("<") ? PathParameter.parse(segment, at: 0) : nil
  }
}

extension PathPattern {
  /// Says what is wrong with the pattern.
  ///
  /// Literal text may hold blanks and letters of any language, because literal text is written decoded.
  /// Empty segments and a slash at the end are allowed; they mean themselves.
  ///
  /// - Parameter isOwnType: Says whether the application has made a type of that name.
  /// - Returns: The first fault from the left, or `nil`.
  public func check(
    isOwnType: (_ type: Span<UInt8>) -> Bool = { _ in false }
  ) -> PathPatternFault? {
    guard text.octets.hasPrefix("/") else { return .noSlashAtStart }
    var segments = PatternSegments(text.octets)
    var count = 0
    while let segment = segments.next() {
      guard segment.hasPrefix("<") else {
        if let fault = Self.check(literal: segment) { return fault }
        continue
      }
      guard let parameter = PathParameter.parse(segment, at: 0) else { return .parameterUnfinished }
      guard parameter.end == segment.count else { return .parameterNotAlone }
      if let fault = Self.check(parameter, isOwnType) { return fault }
      if parameter.kind == .path, !segments.isAtEnd { return .pathNotLast }
      guard count < Limits.pathParameterCountMax else { return .tooManyParameters }
      guard index(ofParameter: parameter.name) == count else { return .nameRepeated }
      count &+= 1
    }
    return nil
  }

  private static func check(
    _ parameter: borrowing PathParameter, _ isOwnType: (_ type: Span<UInt8>) -> Bool
  ) -> PathPatternFault? {
    if parameter.kind == .own {
      guard parameter.type.count > 0 else { return .typeEmpty }
      guard isOwnType(parameter.type) else { return .typeUnknown }
    }
    let name = parameter.name
    for i in name.indices {
      switch name[i] {
      case "a"..."z", "A"..."Z", "0"..."9", "_": continue
      default: return .nameMalformed
      }
    }
    return name.count > 0 ? nil : .nameEmpty
  }

  private static func check(literal: Span<UInt8>) -> PathPatternFault? {
    for i in literal.indices {
      switch literal[i] {
      case "<": return .parameterNotAlone
      case ">": return .bracketStray
      case "%": return .percentSign
      case "?", "#": return .queryOrFragment
      default: continue
      }
    }
    if literal.equals(".") || literal.equals("..") { return .dotSegment }
    return literal.count == 0 || PathValue.isText(literal) ? nil : .control
  }

  /// Whether every path of `second` is a path of `first` too, so that a page of `second` behind one of
  /// `first` is never reached.
  ///
  /// The patterns are compared segment by segment, and both have passed `check`. An own type holds
  /// itself only, because nothing is known of its values. Spellings of a literal slash as `%2F` are left
  /// out of account: `/a%2Fb` is a path of `/a/b` and not one of `/<x>/<y>`.
  public static func shadows(_ first: PathPattern, _ second: PathPattern) -> Bool {
    var segments = PatternSegments(first.text.octets)
    var others = PatternSegments(second.text.octets)
    while let text = segments.next() {
      guard let otherText = others.next() else { return false }
      let segment = PatternSegment(text)
      let other = PatternSegment(otherText)
      if let parameter = segment.parameter, parameter.kind == .path {
        // Only the rest that is empty is no value of a path.
        return otherText.count > 0 || !others.isAtEnd
      }
      guard holds(segment, other) else { return false }
    }
    return others.isAtEnd
  }

  /// Whether both patterns have the same paths: they differ in the names of their parameters at most.
  public static func isSame(_ first: PathPattern, _ second: PathPattern) -> Bool {
    shadows(first, second) && shadows(second, first)
  }

  /// Whether every text of the segment `other` is one of `segment`, which is no `path`.
  private static func holds(
    _ segment: borrowing PatternSegment, _ other: borrowing PatternSegment
  ) -> Bool {
    guard let parameter = segment.parameter else {
      return other.parameter == nil && segment.literal.equals(other.literal)
    }
    guard let otherParameter = other.parameter else {
      return parameter.accepts(other.literal, isOwn: { _, _ in false })
    }
    return switch parameter.kind {
    case .int: otherParameter.kind == .int
    case .text: otherParameter.kind != .path
    case .path: true
    case .own: otherParameter.kind == .own && parameter.type.equals(otherParameter.type)
    }
  }
}
