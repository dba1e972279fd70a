// Parses the parameters behind a field value:
//
//     parameters      = *( OWS ";" OWS [ parameter ] )                  ; RFC 9110 §5.6.6
//     parameter       = parameter-name "=" parameter-value
//     parameter-value = token / quoted-string
//
// A value without quotation marks may have each visible octet but the semicolon and the quotation mark,
// because Java's mail library sends `boundary=----=_Part_0`. A backslash quotes a quotation mark or a
// backslash only: browsers send `filename="C:\new"` with backslashes that quote nothing.

import MartletBytes

/// Reads one parameter a call.
struct FieldParameters {
  /// A parameter, as ranges of the field value.
  struct Parameter {
    let name: Range<Int>
    /// The value without its quotation marks, with its backslashes.
    let value: Range<Int>
  }

  /// What was found.
  enum Step {
    case parameter(Parameter)
    case end
    case malformed
  }

  private var position: Int

  /// The essence is what stands before the parameters: a media type, or the type of a disposition.
  ///
  /// - Parameter octets: A field value without the blanks around it.
  static func endOfEssence(_ octets: Span<UInt8>) -> Int {
    let end = octets.firstIndex(of: 0x3B) ?? octets.count
    return octets.trimmed(0..<end).upperBound
  }

  /// - Parameter start: The index after the essence.
  init(from start: Int) { position = start }

  /// The next parameter. Empty parameters are skipped.
  @inline(never)
  mutating func next(in octets: Span<UInt8>) -> Step {
    while true {
      skipBlanks(octets)
      guard position < octets.count else { return .end }
      guard octets[position] == ";" else { return .malformed }
      position &+= 1
      skipBlanks(octets)
      guard position < octets.count else { return .end }
      if octets[position] == ";" { continue }
      let start = position
      while position < octets.count, ASCII.isTokenCharacter(octets[position]) { position &+= 1 }
      let name = start..<position
      guard !name.isEmpty, position < octets.count, octets[position] == "=" else { return .malformed }
      position &+= 1
      guard let value = value(octets) else { return .malformed }
      return .parameter(Parameter(name: name, value: value))
    }
  }

  private mutating func skipBlanks(_ octets: Span<UInt8>) {
    while position < octets.count, ASCII.isBlank(octets[position]) { position &+= 1 }
  }

  /// The value at the position. `nil` where none is.
  private mutating func value(_ octets: Span<UInt8>) -> Range<Int>? {
    let isQuoted = position < octets.count && octets[position] == "\""
    if isQuoted { position &+= 1 }
    let start = position
    while position < octets.count {
      let octet = octets[position]
      if isQuoted {
        if octet == "\"" {
          position &+= 1
          return start..<position &- 1
        }
        if Self.isQuotedPair(octets, position) { position &+= 1 }
      } else if octet <= 0x20 || octet >= 0x7F || octet == ";" || octet == "\"" {
        break
      }
      position &+= 1
    }
    return isQuoted || position == start ? nil : start..<position
  }

  /// Whether a backslash at the index quotes the octet behind it.
  static func isQuotedPair(_ octets: Span<UInt8>, _ index: Int) -> Bool {
    guard octets[index] == "\\", index + 1 < octets.count else { return false }
    return octets[index + 1] == "\"" || octets[index + 1] == "\\"
  }
}
