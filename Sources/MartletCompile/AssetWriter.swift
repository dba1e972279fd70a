// The files of a folder Assets → Swift source: a constant for each file. A constant has the media type, the entity
// tag, the path with a hash of the content, and the octets. It has the octets in gzip where those are fewer.
// A constant of a folder PackedAssets has the octets in gzip only.

/// A file of the folder Assets.
struct AssetFile: Equatable {
  /// The path below the folder.
  var name: String
  /// The path in the file system, for findings.
  var file: String
  var octets: [UInt8]
  /// The octets in gzip; `nil` where the host has no gzip.
  var gzip: [UInt8]?
}

/// Writes the constants.
enum AssetWriter {
  /// Octets that are no UTF-8 become integer literals, which the compiler reads slowly: 10 s for so many octets.
  static let binarySizeMax = 524_288

  /// Octets of a file of PackedAssets: a response has room for so many (`Limits.responseContentSizeMax`). In gzip
  /// it has at most the octets of one literal.
  static let packedSizeMax = 15_872

  /// The files in order, each with the name of its constant.
  ///
  /// - Throws: `Finding` for a name that no path can have, and for two files with one name.
  private static func named(
    _ files: [AssetFile], in type: String, taken: Set<String>
  ) throws(Finding) -> [(name: String, file: AssetFile)] {
    var named: [(name: String, file: AssetFile)] = []
    var names: [String: String] = [:]
    for file in files.sorted(by: { $0.name < $1.name }) {
      let place = Place(file: file.file)
      guard isPath(file.name) else {
        throw Finding(place, "the name of an asset has letters and digits of ASCII, '-', '_' and '.' only")
      }
      let name = SwiftSource.identifier(file.name, taken: taken)
      if let other = names.updateValue(file.name, forKey: name) {
        throw Finding(place, "'\(other)' and '\(file.name)' would both be \(type).\(name)")
      }
      named.append((name, file))
    }
    return named
  }

  /// The source of all constants of a folder PackedAssets.
  ///
  /// - Throws: `Finding` as `source`, where the host has no gzip, and for a file that is too large.
  static func packedSource(_ files: [AssetFile]) throws(Finding) -> String {
    var constants = ""
    for (name, file) in try named(files, in: "PackedAssets", taken: []) {
      let place = Place(file: file.file)
      guard let gzip = file.gzip else { throw Finding(place, "a packed asset needs gzip, which is not here") }
      // One block with codes of its own: the library unpacks nothing else (Inflate.swift).
      guard gzip.count > 18, gzip[3] == 0, gzip[10] & 7 == 5 else {
        throw Finding(place, "gzip makes too little of this file; keep it in Assets")
      }
      guard file.octets.count <= packedSizeMax, gzip.count <= SwiftSource.pieceSize else {
        throw Finding(
          place,
          "a packed asset has at most \(packedSizeMax) octets, and \(SwiftSource.pieceSize) in gzip; keep larger "
            + "files in Assets")
      }
      constants += """

          /// `\(file.name)`: \(file.octets.count) octets, \(gzip.count) in gzip.
          static var \(name): PackedAsset {
            PackedAsset(
              path: \(SwiftSource.literal(path(file.name, ContentHash.hexadecimal(file.octets)))),
              mediaType: \(SwiftSource.literal(MediaTypes.of(file.name))),
              gzip: \(SwiftSource.constant(gzip)))
          }

        """
    }
    return SwiftSource.header("PackedAssets")
      + "/// The files of the folder PackedAssets.\nenum PackedAssets {\n\(constants)}\n"
  }

  /// The source of all constants.
  ///
  /// - Throws: `Finding` for a name that no path can have, for two files with one name, and for a file that is too
  ///   large.
  static func source(_ files: [AssetFile]) throws(Finding) -> String {
    var constants = ""
    var cases = ""
    let named = try named(files, in: "Assets", taken: ["asset", "route"])
    for (number, (name, file)) in named.enumerated() {
      constants += try constant(name, file, Place(file: file.file))
      cases += "    case \(number): \(name)\n"
    }
    return SwiftSource.header("Assets") + """
      /// The files of the folder Assets.
      enum Assets: AssetFolder {
      \(constants)
        static func asset(number: Int) -> Asset? {
          switch number {
      \(cases)    default: nil
          }
        }
      }

      """
  }

  private static func constant(_ name: String, _ file: AssetFile, _ place: Place) throws(Finding) -> String {
    let hash = ContentHash.hexadecimal(file.octets)
    let gzip = file.gzip.flatMap { isWorthwhile($0, for: file.octets) ? $0 : nil }
    let isText = String(validating: file.octets, as: UTF8.self) != nil
    guard max(gzip?.count ?? 0, isText ? 0 : file.octets.count) <= binarySizeMax else {
      throw Finding(
        place,
        "an asset that is not UTF-8, or its gzip, has at most \(binarySizeMax) octets; keep larger files in a "
          + "StaticFolder")
    }
    var lines = [
      "path: \(SwiftSource.literal(path(file.name, hash)))", "name: \(SwiftSource.literal(file.name))",
      "mediaType: \(SwiftSource.literal(MediaTypes.of(file.name)))",
      "tag: \(SwiftSource.literal("\"\(hash.prefix(16))\""))",
      "gzipTag: \(SwiftSource.literal("\"\(hash.prefix(16))-gzip\""))",
      "content: \(SwiftSource.constant(file.octets))",
    ]
    if let gzip { lines.append("gzip: \(SwiftSource.constant(gzip))") }
    return """

        /// `\(file.name)`: \(file.octets.count) octets\(gzip.map { ", \($0.count) in gzip" } ?? "").
        static var \(name): Asset {
          Asset(
            \(lines.joined(separator: ",\n      ")))
        }

      """
  }

  /// Whether gzip saves enough: both forms are in the program, so that a form that saves little costs more than it
  /// saves.
  static func isWorthwhile(_ gzip: [UInt8], for octets: [UInt8]) -> Bool {
    gzip.count + 64 <= octets.count && gzip.count * 10 <= octets.count * 9
  }

  /// The path with the hash: `img/logo.png` becomes `/assets/img/logo-1a2b3c4d.png`.
  static func path(_ name: String, _ hash: String) -> String {
    let nameStart = name.lastIndex(of: "/").map { name.index(after: $0) } ?? name.startIndex
    let stop = name[nameStart...].lastIndex(of: ".") ?? name.endIndex
    return "/assets/\(name[..<stop])-\(hash.prefix(8))\(name[stop...])"
  }

  /// Whether a path needs no encoding, and names no hidden file.
  private static func isPath(_ name: String) -> Bool {
    name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
      !part.isEmpty && part.first != "."
        && part.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
    }
  }
}
