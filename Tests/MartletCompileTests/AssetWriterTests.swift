// The constants that files become.

import MartletBytes
import MartletHTTP
import TestSupport
import Testing

@testable import MartletCompile

private func file(_ name: String, _ octets: [UInt8], gzip: [UInt8]? = nil) -> AssetFile {
  AssetFile(name: name, file: "/x/" + name, octets: octets, gzip: gzip)
}

@Suite struct AssetWriterTests {
  @Test("A file becomes a constant with its path, its media type, its tags and its octets")
  func constant() throws {
    let source = try AssetWriter.source([file("a.css", Array("abc".utf8)), file("b/c.bin", [0xFF])])
    #expect(source.contains("static var aCss: Asset {"))
    #expect(source.contains("path: \"/assets/a-ba7816bf.css\",\n      name: \"a.css\","))
    #expect(source.contains("mediaType: \"text/css; charset=utf-8\","))
    #expect(source.contains(#"tag: "\"ba7816bf8f01cfea\"","#))
    #expect(source.contains(#"gzipTag: "\"ba7816bf8f01cfea-gzip\"","#))
    #expect(source.contains("content: ConstantOctets(\"abc\"))"))
    #expect(source.contains("content: ConstantOctets(0x01ff, count: 1))"))
    #expect(source.contains("case 0: aCss\n    case 1: bCBin\n    default: nil"))
  }

  @Test("gzip is kept where it is at least a tenth and 64 octets smaller")
  func gzip() throws {
    let text = [UInt8](repeating: 0x61, count: 1_000)
    func hasGzip(_ count: Int) throws -> Bool {
      try AssetWriter.source([file("a", text, gzip: [UInt8](repeating: 0x62, count: count))]).contains(
        "gzip: ")
    }
    #expect(try hasGzip(900) && !hasGzip(901) && !hasGzip(1_100))
    #expect(
      AssetWriter.isWorthwhile([UInt8](repeating: 0, count: 136), for: [UInt8](repeating: 0, count: 200)))
    #expect(
      !AssetWriter.isWorthwhile([UInt8](repeating: 0, count: 137), for: [UInt8](repeating: 0, count: 200)))
  }

  @Test("A long content is several literals of the size that the library reads")
  func pieces() throws {
    #expect(SwiftSource.pieceSize == ConstantOctets.pieceSize)
    let octets = [UInt8](repeating: 0xFF, count: 2 * SwiftSource.pieceSize) + [0xFE]
    let source = SwiftSource.constant(octets)
    #expect(source.hasPrefix("unsafe ConstantOctets(count: 8193, pieces: { index in\n"))
    #expect(source.contains("case 0: unsafe ConstantOctets.piece(0x01ff"))
    #expect(source.contains("case 1: unsafe ConstantOctets.piece(0x01ff"))
    #expect(source.contains("default: unsafe ConstantOctets.piece(0x01fe, count: 1)\n"))
    let two = SwiftSource.constant(Array(octets.dropLast()))
    #expect(!two.contains("case 1:") && two.contains("ff, count: 4096)\n        }"))
  }

  /// What looks as gzip with one dynamic block.
  private func gzip(_ count: Int, flags: UInt8 = 0, block: UInt8 = 5) -> [UInt8] {
    [0x1F, 0x8B, 8, flags, 0, 0, 0, 0, 2, 3, block] + [UInt8](repeating: 0xFF, count: count - 11)
  }

  @Test("A packed asset has a path, a media type and its octets in gzip, and no other octets")
  func packed() throws {
    let source = try AssetWriter.packedSource([file("b/c-d.js", Array("abc".utf8), gzip: gzip(19))])
    #expect(source.contains("enum PackedAssets {\n\n  /// `b/c-d.js`: 3 octets, 19 in gzip.\n"))
    #expect(source.contains("static var bCDJs: PackedAsset {"))
    #expect(source.contains("path: \"/assets/b/c-d-ba7816bf.js\","))
    #expect(source.contains("mediaType: \"text/javascript; charset=utf-8\","))
    #expect(source.contains("gzip: ConstantOctets(0x01ffffffffffffffff0503020000000000"))
    #expect(source.contains("8b1f, count: 19))\n  }\n"))
    #expect(!source.contains("abc\""))
  }

  @Test("A packed asset that fits no response or no literal, or cannot be unpacked, is refused")
  func packedRefused() throws {
    #expect(AssetWriter.packedSizeMax == Limits.responseContentSizeMax)
    let (large, size) = (
      [UInt8](repeating: 0x61, count: AssetWriter.packedSizeMax + 1), SwiftSource.pieceSize
    )
    _ = try AssetWriter.packedSource([file("a", Array(large.dropLast()), gzip: gzip(size))])
    for wrong in [
      file("a", large, gzip: gzip(19)), file("a", [1], gzip: gzip(size + 1)), file("a", [1]),
      file(".a", [1], gzip: gzip(19)), file("a", [1], gzip: gzip(18)),
      file("a", [1], gzip: gzip(19, flags: 8)),
      file("a", [1], gzip: gzip(19, block: 3)), file("a", [1], gzip: gzip(19, block: 4)),
    ] {
      #expect(throws: Finding.self) { try AssetWriter.packedSource([wrong]) }
    }
    #expect(throws: Finding.self) {
      try AssetWriter.packedSource([file("a-b", [1], gzip: gzip(19)), file("a_b", [1], gzip: gzip(19))])
    }
  }

  @Test("The hash stands before the last suffix of the name")
  func paths() {
    #expect(AssetWriter.path("a.min.js", "0123456789") == "/assets/a.min-01234567.js")
    #expect(AssetWriter.path("b.c/d", "0123456789") == "/assets/b.c/d-01234567")
  }

  @Test(
    "A name that a path cannot have is refused",
    arguments: ["a b.css", "ä.css", ".a", "a/.b", "a//b", "a%20", "a\"b", "a?b", "../a", "a/..", ""])
  func badNames(_ name: String) {
    #expect(throws: Finding.self) { try AssetWriter.source([file(name, [])]) }
  }

  @Test("Two files with one name are refused, and so is a binary file that is too large")
  func refused() throws {
    #expect(throws: Finding.self) { try AssetWriter.source([file("a-b.c", []), file("a_b.c", [])]) }
    let size = AssetWriter.binarySizeMax
    _ = try AssetWriter.source([file("a", [UInt8](repeating: 0xFF, count: size))])
    #expect(throws: Finding.self) {
      try AssetWriter.source([file("a", [UInt8](repeating: 0xFF, count: size + 1))])
    }
    _ = try AssetWriter.source([file("a", [UInt8](repeating: 0x61, count: size + 1))])
  }

  @Test("A media type is the one that the library gives a file")
  func mediaTypes() {
    let suffixes = MediaTypes.table.split(separator: "\n").flatMap { line in
      line.split(separator: " ").prefix { !$0.contains("/") }
    }
    #expect(suffixes.count > 30)
    for name in suffixes.map({ "a." + $0 }) + ["a", ".css", "a.CSS", "b.c/d", "x.unknown", "b/.png", "a."] {
      let octets = Array(name.utf8)
      let type = String(MediaType.of(octets.span))
      #expect(MediaTypes.of(name) == type, "\(name)")
    }
  }

  @Test("The host's gzip makes what the program sends")
  func hostGzip() throws {
    let folder = SourceFolder(#filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 })
    let names = folder.names
    #expect(names.contains("AssetWriterTests.swift"))
    let octets = try folder.octets("AssetWriterTests.swift")
    let gzip = try #require(Gzip.compressed(folder.path("AssetWriterTests.swift")))
    #expect(gzip.starts(with: [0x1F, 0x8B, 8, 0, 0, 0, 0, 0]), "no name and no time")
    #expect(AssetWriter.isWorthwhile(gzip, for: octets))
    #expect(Gzip.compressed("/nowhere") == nil)
  }
}
