// Octets and names → Swift source: literals, identifiers, and pieces of Swift that stand in a template.

/// Writes Swift.
enum SwiftSource {
  /// What a file of Swift begins with.
  static func header(_ folder: String) -> String {
    "// Written by MartletCompile from the folder \(folder). Changes here are lost.\n\nimport Martlet\n\n"
  }

  /// A string literal on one line.
  static func literal(_ text: some StringProtocol) -> String { "\"" + escaped(text) + "\"" }

  /// The text between the quotation marks of a string literal.
  static func escaped(_ text: some StringProtocol) -> String {
    var source = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": source += "\\\\"
      case "\"": source += "\\\""
      case "\n": source += "\\n"
      case "\r": source += "\\r"
      case "\t": source += "\\t"
      // Controls, and marks that change the order in which an editor shows the line.
      case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{200B}"..."\u{200F}", "\u{2028}"..."\u{202E}",
        "\u{2060}"..."\u{206F}", "\u{FEFF}":
        source += "\\u{" + String(scalar.value, radix: 16) + "}"
      default: source.unicodeScalars.append(scalar)
      }
    }
    return source
  }

  /// The source of a value of `ConstantOctets`: a string literal for UTF-8, integer literals for other octets.
  static func constant(_ octets: [UInt8]) -> String {
    if let text = String(validating: octets, as: UTF8.self) { return "ConstantOctets(\(literal(text)))" }
    guard octets.count > pieceSize else {
      return "ConstantOctets(\(number(octets[...])), count: \(octets.count))"
    }
    var source = "unsafe ConstantOctets(count: \(octets.count), pieces: { index in\n        switch index {\n"
    for start in stride(from: 0, to: octets.count, by: pieceSize) {
      let piece = octets[start...].prefix(pieceSize)
      let label = start + pieceSize < octets.count ? "case \(start / pieceSize)" : "default"
      source += "        \(label): unsafe ConstantOctets.piece(\(number(piece)), count: \(piece.count))\n"
    }
    return source + "        }\n      })"
  }

  /// `ConstantOctets.pieceSize` of the library.
  static let pieceSize = 4_096

  /// An integer literal with the first octet lowest, and 0x01 above the last octet.
  private static func number(_ octets: ArraySlice<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var literal = Array("0x01".utf8)
    for octet in octets.reversed() {
      literal.append(digits[Int(octet >> 4)])
      literal.append(digits[Int(octet & 15)])
    }
    return String(decoding: literal, as: UTF8.self)
  }

  /// A name for a file: `img/logo-small.png` becomes `imgLogoSmallPng`.
  ///
  /// - Parameter taken: Names that the type has for other things.
  static func identifier(_ path: some StringProtocol, taken: Set<String> = []) -> String {
    var name = ""
    for word in path.split(whereSeparator: { !($0.isASCII && ($0.isLetter || $0.isNumber)) }) {
      if !name.isEmpty {
        name += word.prefix(1).uppercased() + word.dropFirst()
      } else if word.allSatisfy({ !$0.isLowercase }) {
        name = word.lowercased()
      } else {
        name = word.prefix(1).lowercased() + word.dropFirst()
      }
    }
    let needsMark = name.first.map { $0.isNumber } ?? true
    return needsMark || keywords.contains(name) || taken.contains(name) ? "_" + name : name
  }

  /// Whether a text can name a variable.
  static func isIdentifier(_ text: some StringProtocol) -> Bool {
    guard let first = text.unicodeScalars.first, first == "_" || first.properties.isXIDStart else {
      return false
    }
    return text.unicodeScalars.allSatisfy { $0.properties.isXIDContinue } && !keywords.contains(String(text))
  }

  private static let keywords: Set<String> = [
    "associatedtype", "as", "break", "case", "catch", "class", "continue", "default", "defer", "deinit", "do",
    "else", "enum", "extension", "fallthrough", "false", "fileprivate", "for", "func", "guard", "if",
    "import",
    "in", "init", "inout", "internal", "is", "let", "nil", "operator", "precedencegroup", "private",
    "protocol",
    "public", "repeat", "rethrows", "return", "self", "static", "struct", "subscript", "super", "switch",
    "throw", "throws", "true", "try", "typealias", "var", "where", "while", "Any", "Self", "Type", "Protocol",
  ]
}

/// Finds the end of a piece of Swift that stands in a template, such as an expression in `{{ … }}`.
///
/// A piece is refused when it could change what is around it: brackets that are not closed, comments, raw strings
/// and strings of several lines. Everything else is for the Swift compiler to judge.
struct SwiftPiece {
  let octets: ArraySlice<UInt8>
  /// Where the next octet is.
  private(set) var index: Int
  /// Brackets that are open, innermost last.
  private var open: [UInt8] = []

  /// Why a piece is refused, and where.
  struct Fault: Error, Equatable {
    var index: Int
    var words: String
  }

  init(_ octets: ArraySlice<UInt8>) {
    self.octets = octets
    index = octets.startIndex
  }

  /// Finds `}}` or `%}` outside of brackets and strings.
  ///
  /// - Returns: The index where the mark begins; `nil` where there is none.
  static func end(in octets: ArraySlice<UInt8>, mark: (UInt8, UInt8)) throws(Fault) -> Int? {
    var piece = SwiftPiece(octets)
    while let octet = piece.peek() {
      if piece.open.isEmpty, octet == mark.0, piece.peek(1) == mark.1 { return piece.index }
      try piece.step()
    }
    return nil
  }

  /// The parts of a list that commas separate. Angle brackets count as brackets, because a list of parameters has
  /// types in it.
  static func list(_ octets: ArraySlice<UInt8>) throws(Fault) -> [Range<Int>] {
    var piece = SwiftPiece(octets)
    var angles = 0
    var start = octets.startIndex
    var parts: [Range<Int>] = []
    while let octet = piece.peek() {
      if octet == UInt8(ascii: "<") { angles += 1 }
      if octet == UInt8(ascii: ">"), piece.previous != UInt8(ascii: "-") { angles -= 1 }
      if octet == UInt8(ascii: ","), piece.open.isEmpty, angles <= 0 {
        parts.append(start..<piece.index)
        start = piece.index + 1
      }
      try piece.step()
    }
    if let bracket = piece.open.last {
      throw piece.fault("'\(Character(UnicodeScalar(bracket)))' is missing")
    }
    return parts + [start..<octets.endIndex]
  }

  private func peek(_ distance: Int = 0) -> UInt8? {
    index + distance < octets.endIndex ? octets[index + distance] : nil
  }

  private var previous: UInt8? { index > octets.startIndex ? octets[index - 1] : nil }

  private func fault(_ words: String) -> Fault { Fault(index: index, words: words) }

  /// Consumes one octet, or a whole string literal.
  private mutating func step() throws(Fault) {
    guard let octet = peek() else { return }
    switch octet {
    case UInt8(ascii: "\""): return try string()
    case UInt8(ascii: "("): open.append(UInt8(ascii: ")"))
    case UInt8(ascii: "["): open.append(UInt8(ascii: "]"))
    case UInt8(ascii: "{"): open.append(UInt8(ascii: "}"))
    case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"):
      let found = Character(UnicodeScalar(octet))
      guard let expected = open.popLast() else { throw fault("'\(found)' closes no bracket") }
      guard expected == octet else {
        throw fault("'\(Character(UnicodeScalar(expected)))' is missing before this '\(found)'")
      }
    case UInt8(ascii: "/") where peek(1) == octet || peek(1) == UInt8(ascii: "*"):
      throw fault("a comment cannot stand in a tag; write {# … #} outside of the tag")
    case UInt8(ascii: "#") where peek(1) == UInt8(ascii: "\"") || peek(1) == octet:
      throw fault("a raw string cannot stand in a tag")
    case UInt8(ascii: "`"), UInt8(ascii: ";"):
      throw fault("'\(Character(UnicodeScalar(octet)))' cannot stand in a tag")
    default: break
    }
    index += 1
  }

  /// Consumes a string literal, with the expressions in it.
  private mutating func string() throws(Fault) {
    let start = fault("this string is not closed")
    index += 1
    if peek() == UInt8(ascii: "\""), peek(1) == UInt8(ascii: "\"") {
      throw fault("a string of several lines cannot stand in a tag")
    }
    while let octet = peek() {
      switch octet {
      case UInt8(ascii: "\""):
        index += 1
        return
      case UInt8(ascii: "\n"), UInt8(ascii: "\r"): throw start
      case UInt8(ascii: "\\") where peek(1) == UInt8(ascii: "("):
        index += 1
        let depth = open.count
        guard depth < Self.depthMax else { throw fault("the tag has too many brackets in each other") }
        repeat { try step() } while open.count > depth && peek() != nil
      case UInt8(ascii: "\\"): index += peek(1) == nil ? 1 : 2
      default: index += 1
      }
    }
    throw start
  }

  /// Brackets in each other in strings of a piece: each costs a call within a call.
  private static let depthMax = 64
}
