// Percent-encoding (RFC 3986 §2.1), and the variant of forms, in which `+` is a space. The decoder
// returns one octet a call, so that no decoded copy needs memory.

/// Decodes octets one at a time, in place.
public struct PercentDecoder: ~Escapable {
  private let octets: Span<UInt8>
  /// Where the next octet is decoded: an index into the encoded octets, at most their count.
  public private(set) var index = 0
  private let plusIsSpace: Bool

  /// - Parameters:
  ///   - octets: The encoded octets. A `%` without two hexadecimal digits behind it stands for itself,
  ///     as browsers read it (WHATWG URL §1.3). Check `isWellFormed` first where that must not be.
  ///   - plusIsSpace: Whether `+` means a space (application/x-www-form-urlencoded).
  @_lifetime(copy octets)
  public init(_ octets: Span<UInt8>, plusIsSpace: Bool) {
    self.octets = octets
    self.plusIsSpace = plusIsSpace
  }

  /// The next decoded octet, or `nil` at the end.
  @inline(never)
  @_lifetime(self: copy self)
  public mutating func next() -> UInt8? {
    guard index < octets.count else { return nil }
    let octet = octets[index]
    index &+= 1
    if octet == "+", plusIsSpace { return 0x20 }
    guard octet == "%", index &+ 1 < octets.count,
      let high = ASCII.hexadecimalDigit(octets[index]),
      let low = ASCII.hexadecimalDigit(octets[index &+ 1])
    else { return octet }
    index &+= 2
    return high << 4 | low
  }

  /// Goes on at another index of the encoded octets, at most their count.
  @_lifetime(self: copy self)
  public mutating func move(to index: Int) {
    invariant(index >= 0 && index <= octets.count, "a decoder stays within its octets")
    self.index = index
  }

  /// Whether what is left is exactly `octets` when decoded. Not for secrets: it returns at the first
  /// difference.
  public func equals(_ octets: Span<UInt8>) -> Bool {
    var decoder = self
    var i = 0
    while let octet = decoder.next() {
      guard i < octets.count, octets[i] == octet else { return false }
      i &+= 1
    }
    return i == octets.count
  }

  /// Decodes what is left to the start of `target`.
  ///
  /// - Returns: How many octets, or `nil` when they do not fit; part of them may be written then.
  public func decode(into target: inout MutableSpan<UInt8>) -> Int? {
    var decoder = self
    var count = 0
    while let octet = decoder.next() {
      guard count < target.count else { return nil }
      target[count] = octet
      count &+= 1
    }
    return count
  }

  /// What is left, decoded and by value, or `nil` when it does not fit.
  public func text<let capacity: Int>() -> Text<capacity>? {
    var text = Text<capacity>()
    var decoder = self
    while let octet = decoder.next() {
      guard text.append(octet) else { return nil }
    }
    return text
  }

  /// Whether every `%` is followed by two hexadecimal digits.
  public static func isWellFormed(_ octets: Span<UInt8>) -> Bool {
    for i in octets.indices where octets[i] == "%" {
      guard i + 2 < octets.count, ASCII.hexadecimalDigit(octets[i + 1]) != nil,
        ASCII.hexadecimalDigit(octets[i + 2]) != nil
      else { return false }
    }
    return true
  }
}

extension Writer {
  /// Writes one octet as `%` and two upper-case hexadecimal digits.
  @_lifetime(self: copy self)
  public mutating func append(percentEncoded octet: UInt8) {
    append(0x25)
    append(ASCII.hexadecimal(octet >> 4, uppercase: true))
    append(ASCII.hexadecimal(octet & 15, uppercase: true))
  }

  /// Writes octets as a value of a form or of a query. Letters, digits, `-`, `.`, `_` and `~` stand for
  /// themselves; every other octet becomes `%` and two digits.
  @_lifetime(self: copy self)
  public mutating func append(percentEncoded octets: Span<UInt8>) {
    for i in octets.indices {
      switch octets[i] {
      case "0"..."9", "A"..."Z", "a"..."z", "-", ".", "_", "~": append(octets[i])
      default: append(percentEncoded: octets[i])
      }
    }
  }
}
