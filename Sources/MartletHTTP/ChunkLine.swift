// The line before a chunk's data, read as far as it has arrived:
//
//     chunk-size [ chunk-ext ] CRLF                                     ; RFC 9112 §7.1
//     chunk-size = 1*HEXDIG
//     chunk-ext  = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )
//     chunk-ext-name = token
//     chunk-ext-val  = token / quoted-string                           ; RFC 9110 §5.6
//
// Sizes are the oldest trick against recipients of chunks: no sign, no prefix, no blank, no wrap.

import MartletBytes

struct ChunkLine {
  /// Octets of data that follow; 0 in the last chunk.
  let chunkSize: Int
  /// Octets of all extensions so far.
  let extensionSize: Int
  /// The index after the line's CRLF.
  let end: Int

  /// Digits of the longest size, leading zeros counted: those of a 64-bit number.
  private static var digitCountMax: Int { 16 }

  /// Reads the line that begins at `start`; `nil` while its end has not arrived.
  ///
  /// - Parameters:
  ///   - extensionSize: Octets of the extensions before this line.
  ///   - sizeMax: Octets of data that may follow. Beyond: `.contentTooLarge`.
  static func parse(
    _ octets: Span<UInt8>, from start: Int, extensionSize: Int,
    sizeMax: Int = Limits.requestContentSizeMax
  ) throws(Refusal) -> ChunkLine? {
    var size = 0
    var i = start
    while i < octets.count, let digit = ASCII.hexadecimalDigit(octets[i]) {
      guard i - start < digitCountMax else { throw .chunkSizeMalformed }
      // Checked at each digit, so it cannot wrap: on no board is a limit beyond 2^31 - 1.
      guard size <= (sizeMax - Int(digit)) >> 4 else { throw .contentTooLarge }
      size = size << 4 | Int(digit)
      i &+= 1
    }
    guard i < octets.count else { return nil }
    guard i > start else { throw .chunkSizeMalformed }
    // Nothing beyond the limit is looked at, so that the answer is the same whether or not it has come.
    let room = Limits.chunkExtensionSizeMax - extensionSize
    let bounded = octets.extracting(first: min(octets.count, i + room + 1))
    guard let end = try endOfExtensions(bounded, i) else {
      guard bounded.count - i <= room else { throw .chunkExtensionsTooLarge }
      return nil
    }
    guard try hasLineEnd(octets, at: end, orElse: .chunkExtensionMalformed) else { return nil }
    return ChunkLine(chunkSize: size, extensionSize: extensionSize + end - i, end: end + 2)
  }

  /// What has been read last.
  private enum Place {
    case size, name, value
    /// Blanks after a name; after a size or a value.
    case blanksAfterName, blanksAfterValue
    /// The `;` before a name and the `=` before a value, with blanks or without.
    case semicolon, equals
    /// A quoted string that has not ended; a backslash in it; its end.
    case quoted, escaped, closed
  }

  /// The index of the CR after the extensions, of which there may be none.
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

  /// Where an octet leads; `nil` when it may not stand there.
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
