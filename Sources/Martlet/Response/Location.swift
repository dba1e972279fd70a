// The target of a redirection: literals are written as they are, values are percent-encoded. So a value can
// neither leave its segment nor name another site.

public import MartletBytes
public import MartletHTTP

/// The target of a redirection, written as a string literal with interpolated values.
///
///     return response.redirect("/items/\(id)?from=\(name)")
///
/// Letters, digits, `-`, `.`, `_` and `~` of a value are written as they are. Every other octet is
/// percent-encoded (RFC 3986 §2.1). Write a target where it is passed to `redirect`, `setLocation` or
/// `logout`.
public struct Location: ExpressibleByStringInterpolation {
  private let range: Range<Int>

  public init(stringLiteral literal: StaticString) {
    let start = PageText.count
    PageText.append(literal.octets)
    range = start..<PageText.count
  }

  public init(stringInterpolation: Interpolation) { range = stringInterpolation.start..<PageText.count }

  /// Writes the target. For a path, the path under which browsers see the program is written before it. An
  /// octet that no URI may have is percent-encoded, also in a literal.
  @_lifetime(writer: copy writer)
  func write(to writer: inout Writer) {
    invariant(range.upperBound == PageText.count, "a location is written where it is made")
    let target = PageText.octets.extracting(range)
    if target.hasPrefix("/") { writer.append(PageText.prefix) }
    for i in target.indices {
      if ASCII.isURIOctet(target[i]) {
        writer.append(target[i])
      } else {
        writer.append(percentEncoded: target[i])
      }
    }
  }

  public typealias StringInterpolation = Interpolation

  /// Writes the parts of a target.
  public struct Interpolation: StringInterpolationProtocol {
    fileprivate let start: Int

    public init(literalCapacity: Int, interpolationCount: Int) { start = PageText.count }

    public mutating func appendLiteral(_ literal: StaticString) { PageText.append(literal.octets) }

    /// Adds a text, percent-encoded.
    public mutating func appendInterpolation<let capacity: Int>(_ text: Text<capacity>) {
      appendInterpolation(text.span)
    }

    /// Adds the text of a literal held in a variable, percent-encoded.
    public mutating func appendInterpolation(_ text: StaticString) { appendInterpolation(text.octets) }

    /// Adds octets, percent-encoded.
    ///
    /// - Complexity: O(n).
    public mutating func appendInterpolation(_ octets: Span<UInt8>) {
      for i in octets.indices { Self.put(octets[i]) }
    }

    /// Adds what a person typed into a form, decoded and then percent-encoded.
    public mutating func appendInterpolation(_ value: borrowing FormValue) { append(decoded: value.decoder) }

    /// Adds the value of a parameter of the path, decoded and then percent-encoded.
    public mutating func appendInterpolation(_ value: borrowing PathValue) { append(decoded: value.decoder) }

    private func append(decoded value: PercentDecoder) {
      var decoder = value
      while let octet = decoder.next() { Self.put(octet) }
    }

    /// Adds the path that a part is mounted at, as it was received.
    public mutating func appendInterpolation(_ mount: borrowing MountPath) {
      PageText.append(mount.octets)
    }

    /// Adds a number in decimal digits.
    public mutating func appendInterpolation(_ number: some BinaryInteger & FixedWidthInteger) {
      PageText.append(decimal: number)
    }

    private static func put(_ octet: UInt8) {
      var digits: InlineArray<3, UInt8> = [
        0x25, ASCII.hexadecimal(octet >> 4, uppercase: true), ASCII.hexadecimal(octet & 15, uppercase: true),
      ]
      switch octet {
      case "A"..."Z", "a"..."z", "0"..."9", "-", ".", "_", "~":
        digits[0] = octet
        PageText.append(digits.span.extracting(0..<1))
      default: PageText.append(digits.span)
      }
    }
  }
}
