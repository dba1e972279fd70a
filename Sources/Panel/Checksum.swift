// The last line of the files that the panel keeps: `sha256 DIGEST`, over all lines before it. It is no
// protection against people, it finds disks that forget.

import Martlet

/// The checksum line of a file.
enum Checksum {
  private static var name: StaticString { "sha256 " }
  /// Octets of the line: name, 64 digits, line feed.
  static var lineSize: Int { 7 + 64 + 1 }

  /// Where the lines before the checksum end. `nil` when the text does not begin with that line, or does not
  /// have the form of a file.
  static func end(of text: Span<UInt8>, _ firstLine: StaticString) -> Int? {
    let end = text.count - lineSize
    guard end >= firstLine.utf8CodeUnitCount, text.hasPrefix(firstLine), text[end - 1] == "\n"
    else { return nil }
    return end
  }

  /// Whether the last line is that of the lines before it.
  static func isRight(_ text: Span<UInt8>, end: Int) -> Bool {
    var line = FixedBuffer<72>()
    write(over: text.extracting(0..<end), to: &line)
    return text.extracting(end..<text.count).equals(line.span)
  }

  /// The lines between the first and the last, or `nil` when the file is damaged.
  @_lifetime(copy text)
  static func checked(_ text: Span<UInt8>, _ firstLine: StaticString) -> Span<UInt8>? {
    guard let end = end(of: text, firstLine), isRight(text, end: end) else { return nil }
    return text.extracting(firstLine.utf8CodeUnitCount..<end)
  }

  /// Writes the line of what has been written.
  @_lifetime(writer: copy writer)
  static func append(to writer: inout Writer) {
    var line = FixedBuffer<72>()
    write(over: writer.span, to: &line)
    writer.append(line.span)
  }

  private static func write(over lines: Span<UInt8>, to line: inout FixedBuffer<72>) {
    var hash = SHA256()
    hash.update(lines)
    let digest = hash.finish()
    var writer = Writer(line.storageSpan)
    writer.append(name)
    writer.append(hexadecimal: digest.span)
    writer.append("\n")
    let count = writer.count
    line.setCount(count)
  }
}
