// The files of a folder Assets → Swift source: a constant for each file. A constant has the media type, the entity
// tag, the path with a hash of the content, and the octets. It has the octets in gzip where those are fewer.

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

  /// The source of all constants.
  ///
  /// - Throws: `Finding` for a name that no path can have, for two files with one name, and for a file that is too
  ///   large.
  static func source(_ files: [AssetFile]) throws(Finding) -> String {
    let files = files.sorted { $0.name < $1.name }
    var constants = ""
    var cases = ""
    var names: [String: String] = [:]
    for (number, file) in files.enumerated() {
      let place = Place(file: file.file)
      guard isPath(file.name) else {
        throw Finding(place, "the name of an asset has letters and digits of ASCII, '-', '_' and '.' only")
      }
      let name = SwiftSource.identifier(file.name, taken: ["asset", "route"])
      if let other = names.updateValue(file.name, forKey: name) {
        throw Finding(place, "'\(other)' and '\(file.name)' would both be Assets.\(name)")
      }
      constants += try constant(name, file, place)
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
