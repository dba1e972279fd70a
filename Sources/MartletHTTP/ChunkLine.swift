// Parses the line before a chunk's data, as far as the line has arrived:
//
//     chunk-size [ chunk-ext ] CRLF                                     ; RFC 9112 §7.1
//     chunk-size = 1*HEXDIG
//     chunk-ext  = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )
//     chunk-ext-name = token
//     chunk-ext-val  = token / quoted-string                           ; RFC 9110 §5.6
//
// A chunk size has no sign, no prefix and no blank, and cannot overflow. Parsers that accept such sizes
// disagree about where a chunk ends, which attackers use (request smuggling, RFC 9112 §11.2).

import MartletBytes

struct ChunkLine {
  /// Octets of data behind the line; 0 in the last chunk.
  let chunkSize: Int
  /// Octets of the extensions of this chunk and all earlier chunks.
  let extensionSize: Int
  /// The index after the line's CRLF.
  let end: Int

  /// Digits of a chunk size at most, leading zeros included: as many as a 64-bit number has.
  private static var digitCountMax: Int { 16 }

  /// Parses the line that begins at `start`. Returns `nil` while the line's end has not arrived.
  ///
  /// - Parameters:
  ///   - extensionSize: Octets of the extensions of earlier chunks.
  ///   - sizeMax: How many octets of data may follow. Beyond: `.contentTooLarge`.
  static func parse(
    _ octets: Span<UInt8>, from start: Int, extensionSize: Int,
    sizeMax: Int = Limits.requestContentSizeMax
  ) throws(Refusal) -> ChunkLine? {
    var size = 0
    var i = start
    while i < octets.count, let digit = ASCII.hexadecimalDigit(octets[i]) {
      guard i - start < digitCountMax else { throw .chunkSizeMalformed }
      // Checked at each digit, so that `size` cannot overflow: no limit is beyond 2^31 - 1 on any board.
      guard size <= (sizeMax - Int(digit)) >> 4 else { throw .contentTooLarge }
      size = size << 4 | Int(digit)
      i &+= 1
    }
    guard i < octets.count else { return nil }
    guard i > start else { throw .chunkSizeMalformed }
    // Octets beyond the limit are not read, so that the result does not depend on whether they arrived.
    let room = Limits.chunkExtensionSizeMax - extensionSize
    let bounded = octets.extracting(first: min(octets.count, i + room + 1))
    guard let end = try endOfExtensions(bounded, i) else {
      guard bounded.count - i <= room else { throw .chunkExtensionsTooLarge }
      return nil
    }
    guard try hasLineEnd(octets, at: end, orElse: .chunkExtensionMalformed) else { return nil }
    return ChunkLine(chunkSize: size, extensionSize: extensionSize + end - i, end: end + 2)
  }

  /// The part of the line that was read last.
  private enum Place {
    case size, name, value
    /// Blanks after a name; blanks after a size or a value.
    case blanksAfterName, blanksAfterValue
    /// The `;` before a name and the `=` before a value, with blanks or without.
    case semicolon, equals
    /// Inside a quoted string; a backslash inside a quoted string; the end of a quoted string.
    case quoted, escaped, closed
  }

  /// The index of the CR after the extensions; a line without extensions is allowed.
  private static func endOfExtensions(_ octets: Span<UInt8>, _ start: Int) throws(Refusal) -> Int? {
    var place = Place.size
    var refusal = Refusal.chunkSizeMalformed
    var i = start
    while i < octets.count {
      if octets[i] == "\r", place == .size || place == .name || place == .value || place == .closed {
        return i
      }
      guard let next = next(place, octets[i]) else { throw refusal }
      if next == .semicolon { refusal = .chunkExtensionMalformed }
      place = next
      i &+= 1
    }
    return nil
  }

  /// The next place after an octet. `nil` when the octet is not allowed at `place`.
  private static func next(_ place: Place, _ octet: UInt8) -> Place? {
    switch (place, octet) {
    case (.quoted, "\""): return .closed
    case (.quoted, "\\"): return .escaped
    case (.quoted, _), (.escaped, _): return ASCII.isFieldValueOctet(octet) ? .quoted : nil
    case (.semicolon, ";"), (.equals, ";"): return nil
    case (_, ";"): return .semicolon
    case (.name, "="), (.blanksAfterName, "="): return .equals
    case (.equals, "\""): return .quoted
    case (.semicolon, _) where ASCII.isTokenCharacter(octet): return .name
    case (.equals, _) where ASCII.isTokenCharacter(octet): return .value
    case (.name, _) where ASCII.isTokenCharacter(octet): return .name
    case (.value, _) where ASCII.isTokenCharacter(octet): return .value
    case (.name, _): return ASCII.isBlank(octet) ? .blanksAfterName : nil
    case (.size, _), (.value, _), (.closed, _):
      return ASCII.isBlank(octet) ? .blanksAfterValue : nil
    default: return ASCII.isBlank(octet) ? place : nil
    }
  }
}
