// The values of a path's parameters: where a match has found them, and how they are parsed. A value
// stays encoded where the path is; decoding and numbers come when a page asks for them.

public import MartletBytes

/// The type of a parameter.
public enum PathParameterKind: UInt8, Sendable {
  /// A number of 64 bits with a sign.
  case int
  /// One segment.
  case text
  /// The rest of the path.
  case path
  /// A type that the application has made.
  case own
}

/// Where the values of a path's parameters are. It takes 22 octets, and means nothing without the path.
public struct PathMatch: Sendable {
  private var ranges = PathParameters<ByteRange>(repeating: ByteRange(0..<0))
  private var kinds = PathParameters<PathParameterKind>(repeating: .text)
  private var size: UInt8 = 0

  /// No parameters.
  public init() {}

  /// How many parameters there are, at most `Limits.pathParameterCountMax`.
  public var count: Int { Int(size) }

  /// The value of a parameter.
  ///
  /// - Parameters:
  ///   - index: The parameter, from 0, as `PathPattern.parameter(named:)` gives it.
  ///   - path: The path that was matched.
  /// - Returns: `nil` when there is no such parameter, or when the path is shorter than the matched path.
  @_lifetime(copy path)
  public func value(_ index: Int, in path: Span<UInt8>) -> PathValue? {
    guard index >= 0, index < count, ranges[index].end <= path.count else { return nil }
    return PathValue(kinds[index], path[ranges[index]])
  }

  /// Adds the next parameter.
  ///
  /// - Parameter range: Bounds below 65,536.
  /// - Returns: Whether there was room.
  mutating func append(_ kind: PathParameterKind, _ range: Range<Int>) -> Bool {
    guard count < Limits.pathParameterCountMax else { return false }
    ranges[count] = ByteRange(range)
    kinds[count] = kind
    size &+= 1
    return true
  }
}

/// The value of a path's parameter, still encoded.
///
/// A value of any type but `int` is text without controls, and no segment of the decoded value is `.` or
/// `..` (`PathPattern.match`). The decoded value may hold a `/`, because the path may hold `%2F`.
public struct PathValue: ~Escapable {
  /// The type of the parameter.
  public let kind: PathParameterKind
  /// The value as it was received: percent-encoded, never empty.
  public let encoded: Span<UInt8>

  @_lifetime(copy encoded)
  init(_ kind: PathParameterKind, _ encoded: Span<UInt8>) {
    self.kind = kind
    self.encoded = encoded
  }

  /// A walk over the decoded octets.
  public var decoder: PercentDecoder {
    @_lifetime(copy self) get { PercentDecoder(encoded, plusIsSpace: false) }
  }

  /// The number, or `nil` when the value is no number within `Int64`. It is never `nil` for `int`.
  public var integer: Int64? { Self.integer(encoded) }

  /// Whether the decoded value is exactly the literal.
  public func equals(_ literal: StaticString) -> Bool { decoder.equals(literal.octets) }

  /// Whether the decoded value is exactly `octets`. Not for secrets: it returns at the first difference.
  public func equals(_ octets: Span<UInt8>) -> Bool { decoder.equals(octets) }

  /// Decodes the value to the start of `target`.
  ///
  /// - Returns: How many octets, or `nil` when they do not fit; part of them may be written then.
  public func decode(into target: inout MutableSpan<UInt8>) -> Int? { decoder.decode(into: &target) }

  /// The decoded octets by value, or `nil` when they do not fit.
  public func text<let capacity: Int>() -> Text<capacity>? { decoder.text() }

  /// The number that an optional minus and decimal digits spell, percent-encoded or not; `nil` for
  /// anything else and for a number beyond `Int64`.
  @inline(never)
  static func integer(_ encoded: Span<UInt8>) -> Int64? {
    var decoder = PercentDecoder(encoded, plusIsSpace: false)
    var next = decoder.next()
    let isNegative = next == 0x2D
    if isNegative { next = decoder.next() }
    guard next != nil else { return nil }
    var value: Int64 = 0
    while let octet = next {
      guard let digit = ASCII.digit(octet) else { return nil }
      let (product, productWraps) = value.multipliedReportingOverflow(by: 10)
      let (sum, sumWraps) =
        isNegative
        ? product.subtractingReportingOverflow(Int64(digit))
        : product.addingReportingOverflow(Int64(digit))
      guard !productWraps, !sumWraps else { return nil }
      value = sum
      next = decoder.next()
    }
    return value
  }

  /// Whether the octets are a text: not empty, and each `%` begins a whole escape. The decoded octets are
  /// well-formed UTF-8 without controls and without the segments `.` and `..`.
  @inline(never)
  static func isText(_ encoded: Span<UInt8>) -> Bool {
    guard encoded.count > 0, PercentDecoder.isWellFormed(encoded) else { return false }
    var decoder = PercentDecoder(encoded, plusIsSpace: false)
    var characters = UTF8Decoder()
    // Dots of a segment of nothing but dots, or -1 in any other segment.
    var dots = 0
    while let octet = decoder.next() {
      switch characters.feed(octet) {
      case .needsMore: break
      case .illFormed, .scalar(0...0x1F), .scalar(0x7F...0x9F): return false
      case .scalar: break
      }
      if octet == "/" {
        if dots == 1 || dots == 2 { return false }
        dots = 0
      } else {
        dots = octet == "." && dots >= 0 ? dots &+ 1 : -1
      }
    }
    return characters.isAtStart && dots != 1 && dots != 2
  }
}
