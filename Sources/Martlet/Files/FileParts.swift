// Several ranges of a file in one response (RFC 9110 §14.6). Each part has a head of its own:
//
//     CRLF "--" boundary CRLF
//     Content-Type: text/plain; charset=utf-8 CRLF
//     Content-Range: bytes 0-99/1000 CRLF CRLF  ── octets of the file
//     …
//     CRLF "--" boundary "--" CRLF
//
// What is left to be sent is kept in memory of a fixed size, which is an array of C. This file faces C.

import CMartletPlatform
import MartletBytes
import MartletHTTP
import MartletServer
import MartletToken

/// The parts of one response that have not been sent yet.
struct FileParts: BitwiseCopyable {
  private let ranges: ByteRanges
  private let size: Int64
  private var nextIndex = 0
  /// Octets that make the boundary. 128 random bits are in no file by chance.
  private var random = InlineArray<16, UInt8>(repeating: 0)
  private var mediaType = InlineArray<96, UInt8>(repeating: 0)
  private var mediaTypeSize: UInt8 = 0

  /// - Parameters:
  ///   - size: Octets of the file.
  ///   - type: The media type; a type of more than 96 octets is left out.
  init(_ ranges: ByteRanges, of size: Int64, _ type: Span<UInt8>) {
    self.ranges = ranges
    self.size = size
    if type.count <= mediaType.count {
      var target = mediaType.mutableSpan
      target.copy(type, to: 0)
      mediaTypeSize = UInt8(type.count)
    }
  }

  /// Chooses the boundary.
  mutating func chooseBoundary() {
    var target = random.mutableSpan
    Random.fill(&target)
  }

  @_lifetime(writer: copy writer)
  func writeBoundary(to writer: inout Writer) { writer.append(hexadecimal: random.span) }

  /// Writes the head of the next part, or the end of the content.
  ///
  /// - Returns: The octets of the file that follow; `nil` at the end.
  @_lifetime(writer: copy writer)
  mutating func writeNext(to writer: inout Writer) -> Range<Int64>? {
    writer.append("\r\n--")
    writeBoundary(to: &writer)
    guard nextIndex < ranges.count else {
      writer.append("--\r\n")
      return nil
    }
    writer.append("\r\n")
    if mediaTypeSize > 0 {
      writer.append("Content-Type: ")
      writer.append(mediaType.span.extracting(first: Int(mediaTypeSize)))
      writer.append("\r\n")
    }
    let range = ranges[nextIndex]
    writer.append(contentRange: range, of: size)
    writer.append("\r\n")
    nextIndex += 1
    return range
  }

  /// Octets of the whole content.
  func contentCount() -> Int64 {
    var parts = self
    var count: Int64 = 0
    var head = InlineArray<288, UInt8>(repeating: 0)
    while true {
      var writer = Writer(head.mutableSpan)
      let range = parts.writeNext(to: &writer)
      count += Int64(writer.count)
      guard let range else { return count }
      count += range.upperBound - range.lowerBound
    }
  }
}

/// The responses with several parts that are being sent.
@safe struct FilePartsTable {
  private let places: UnsafeMutablePointer<martlet_file_parts>

  init(_ memory: SiteMemory) {
    let places = unsafe memory.site.pointee.parts ?? martlet_static_file_parts()
    unsafe memory.site.pointee.parts = places
    unsafe self.places = places
  }

  /// Chooses a boundary, and keeps the parts.
  ///
  /// - Returns: The number of the response; `nil` where all places are taken.
  func insert(_ parts: inout FileParts) -> Int8? {
    for index in 0..<Limits.filePartsCountMax where unsafe places[index].taken == 0 {
      parts.chooseBoundary()
      unsafe places[index].taken = 1
      store(parts, at: index)
      return Int8(index)
    }
    return nil
  }

  /// Writes what stands before the next part of a response.
  @_lifetime(writer: copy writer)
  func writeNext(_ list: Int8, to writer: inout Writer) -> Range<Int64>? {
    invariant(list >= 0 && Int(list) < Limits.filePartsCountMax, "the number of a response with parts")
    // Safe: `insert` has stored parts there.
    var parts = unsafe withUnsafeBytes(of: &places[Int(list)].octets) {
      unsafe $0.load(as: FileParts.self)
    }
    let range = parts.writeNext(to: &writer)
    store(parts, at: Int(list))
    return range
  }

  /// Gives the place of a response back.
  func remove(_ list: Int8) {
    invariant(list >= 0 && Int(list) < Limits.filePartsCountMax, "the number of a response with parts")
    unsafe places[Int(list)].taken = 0
  }

  private func store(_ parts: FileParts, at index: Int) {
    invariant(
      MemoryLayout<FileParts>.size <= Int(MARTLET_FILE_PARTS_SIZE), "the parts of a response fit their place")
    // Safe: the place has room for the value, which is plain octets.
    unsafe withUnsafeMutableBytes(of: &places[index].octets) {
      unsafe $0.storeBytes(of: parts, as: FileParts.self)
    }
  }
}
