// The octets of a template → its parts.
//
//     template   = *( text / value / tag / comment )
//     value      = "{{" expression "}}"
//     tag        = "{%" word … "%}"
//     comment    = "{#" *OCTET "#}"
//     tags       = parameters LIST / extends "FILE"                       ; at the top of the file
//                / include "FILE" / block NAME … endblock
//                / if CONDITION … *( elif CONDITION … ) [ else … ] endif
//                / for ELEMENT in LIST … endfor / for INDEX, ELEMENT in LIST … endfor
//
// A line that holds tags, comments and blanks only is no part of the page. So a page has no empty lines where its
// template has tags.

import Foundation

/// Parses one file.
struct TemplateParser {
  private let octets: [UInt8]
  private let start: Place
  private var index = 0
  /// The octets at which lines begin.
  private let lines: [Int]
  private var template: Template
  private var blocks: Set<String> = []
  private var hasContent = false
  /// The last line that holds tags, comments and blanks only.
  private var (tagLineStart, tagLineEnd) = (0, 0)

  /// Tags in each other: each costs a call within a call.
  private static let depthMax = 64

  /// - Parameters:
  ///   - octets: The content of the file.
  ///   - name: Its path below the folder `Templates`.
  ///   - file: Its path, for findings.
  static func parse(_ octets: [UInt8], name: String, file: String) throws(Finding) -> Template {
    let place = Place(file: file)
    guard String(validating: octets, as: UTF8.self) != nil else {
      throw Finding(place, "the file is not UTF-8")
    }
    var parser = TemplateParser(octets, name, place)
    parser.template.nodes = try parser.parse(until: [], opened: place, depth: 0).0
    if parser.template.layout != nil { try checkBlocks(of: parser.template) }
    return parser.template
  }

  /// A template with a layout has blocks and nothing else.
  private static func checkBlocks(of template: Template) throws(Finding) {
    for node in template.nodes {
      let place: Place
      switch node {
      case .text, .block: continue
      case .value(_, let found), .include(_, let found), .loop(_, _, _, let found, _): place = found
      case .part(let part): place = part.place
      case .choice(let branches): place = branches[0].place
      }
      throw Finding(place, layoutWords)
    }
  }

  private static let layoutWords = "a template with {% extends %} has everything in its blocks"

  private init(_ octets: [UInt8], _ name: String, _ place: Place) {
    // A mark of the octets' order is no part of the page.
    let octets = octets.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(octets.dropFirst(3)) : octets
    self.octets = octets
    start = place
    lines = [0] + octets.indices.filter { octets[$0] == UInt8(ascii: "\n") }.map { $0 + 1 }
    template = Template(name: name, place: place, layoutPlace: place)
  }

  // MARK: Places

  private func place(_ index: Int) -> Place {
    // The last line that begins at or before the index.
    var (low, high) = (0, lines.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if lines[middle] <= index { low = middle } else { high = middle }
    }
    return Place(file: start.file, line: low + 1, column: index - lines[low] + 1)
  }

  private func text(_ range: Range<Int>) -> String { String(decoding: octets[range], as: UTF8.self) }

  // MARK: Tags

  /// A tag, parted into its word and what follows.
  private struct Tag {
    var place: Place
    var word: String
    var rest: Range<Int>
    var mark: UInt8
    /// The octet after the tag.
    var end: Int
  }

  /// Parses parts up to a tag whose word is in `ends`, or to the end of the file where `ends` is empty.
  private mutating func parse(
    until ends: Set<String>, opened: Place, depth: Int
  ) throws(Finding) -> ([Node], Tag?) {
    guard depth < Self.depthMax else { throw Finding(opened, "there are too many tags in each other here") }
    var nodes: [Node] = []
    while index < octets.count {
      let begin = index
      index = nextMark(index)
      let tagStart = index
      guard index < octets.count else {
        try add(begin..<index, to: &nodes)
        break
      }
      let tag = try tag(at: index)
      if tag.mark != UInt8(ascii: "{"), tagStart >= tagLineEnd { findTagLine(tagStart) }
      if tagStart < tagLineEnd {
        // Blanks before and between the tags of such a line, and its end, are no part of the page.
        try add(begin..<max(begin, tagLineStart), to: &nodes)
        let blanksEnd = octets[tag.end..<max(tag.end, tagLineEnd)].firstIndex { !isSpace($0) }
        index = blanksEnd ?? max(tag.end, tagLineEnd)
      } else {
        try add(begin..<tagStart, to: &nodes)
        index = tag.end
      }
      switch tag.mark {
      case UInt8(ascii: "#"): break
      case UInt8(ascii: "{"):
        hasContent = true
        nodes.append(.value(code(tag.rest), tag.place))
      default:
        if ends.contains(tag.word) { return (nodes, tag) }
        try add(tag, to: &nodes, depth: depth)
      }
    }
    guard ends.isEmpty else {
      throw Finding(opened, "this tag is not closed: {% \(ends.sorted().last ?? "") %} is missing")
    }
    return (nodes, nil)
  }

  /// The index of the next `{{`, `{%` or `{#`.
  private func nextMark(_ from: Int) -> Int {
    var i = from
    while i + 1 < octets.count {
      if octets[i] == UInt8(ascii: "{"), "{%#".utf8.contains(octets[i + 1]) { return i }
      i += 1
    }
    return octets.count
  }

  /// Parses the tag at an index.
  private func tag(at index: Int) throws(Finding) -> Tag {
    let (place, mark) = (place(index), octets[index + 1])
    let inside = index + 2
    var end: Int?
    if mark == UInt8(ascii: "#") {
      end = octets[inside...].indices.first {
        octets[$0] == mark && $0 + 1 < octets.count && octets[$0 + 1] == UInt8(ascii: "}")
      }
    } else {
      do {
        let close = mark == UInt8(ascii: "{") ? UInt8(ascii: "}") : mark
        end = try SwiftPiece.end(in: octets[inside...], mark: (close, UInt8(ascii: "}")))
      } catch {
        throw Finding(self.place(error.index), error.words)
      }
    }
    guard let end else {
      let opening = mark == UInt8(ascii: "{") ? "{{" : mark == UInt8(ascii: "%") ? "{%" : "{#"
      throw Finding(place, "this \(opening) is not closed")
    }
    var rest = trimmed(inside..<end)
    var word = ""
    if mark == UInt8(ascii: "{"), rest.isEmpty { throw Finding(place, "there is no value in {{ }}") }
    if mark == UInt8(ascii: "%") {
      let wordEnd = octets[rest].firstIndex { !isLetter($0) } ?? rest.upperBound
      word = text(rest.lowerBound..<wordEnd)
      rest = trimmed(wordEnd..<rest.upperBound)
    }
    return Tag(place: place, word: word, rest: rest, mark: mark, end: end + 2)
  }

  private func isLetter(_ octet: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(octet | 0x20)
  }

  private func isBlank(_ octet: UInt8) -> Bool { octet == 0x20 || octet == 0x09 }

  private func isSpace(_ octet: UInt8) -> Bool { isBlank(octet) || octet == 0x0A || octet == 0x0D }

  private func trimmed(_ range: Range<Int>) -> Range<Int> {
    var (low, high) = (range.lowerBound, range.upperBound)
    while low < high, isSpace(octets[low]) { low += 1 }
    while low < high, isSpace(octets[high - 1]) { high -= 1 }
    return low..<high
  }

  /// A piece of Swift on one line.
  private func code(_ range: Range<Int>) -> String {
    String(text(range).unicodeScalars.map { $0 == "\n" || $0 == "\r" ? " " : Character($0) })
  }

  /// Notes the range of a tag's line, with its end, where the line holds tags, comments and blanks only.
  private mutating func findTagLine(_ tagStart: Int) {
    var low = tagStart
    while low > 0, isBlank(octets[low - 1]) { low -= 1 }
    guard low == 0 || octets[low - 1] == 0x0A else { return }
    var high = tagStart
    while high + 1 < octets.count, octets[high] == UInt8(ascii: "{"), "%#".utf8.contains(octets[high + 1]),
      let tag = try? tag(at: high)
    {
      high = tag.end
      while high < octets.count, isBlank(octets[high]) { high += 1 }
    }
    if high < octets.count, octets[high] == 0x0D { high += 1 }
    guard high == octets.count || octets[high] == 0x0A else { return }
    (tagLineStart, tagLineEnd) = (low, min(high + 1, octets.count))
  }

  /// Adds markup.
  private mutating func add(_ range: Range<Int>, to nodes: inout [Node]) throws(Finding) {
    guard !range.isEmpty else { return }
    let visible = trimmed(range)
    if !visible.isEmpty {
      hasContent = true
      if template.layout != nil, depthOfBlocks == 0 {
        throw Finding(place(visible.lowerBound), Self.layoutWords)
      }
    }
    if case .text(let before) = nodes.last {
      nodes[nodes.count - 1] = .text(before + text(range))
    } else {
      nodes.append(.text(text(range)))
    }
  }

  private var depthOfBlocks = 0

  /// Adds the part that a tag begins.
  private mutating func add(_ tag: Tag, to nodes: inout [Node], depth: Int) throws(Finding) {
    switch tag.word {
    case "parameters": try addParameters(tag)
    case "extends":
      guard template.layout == nil, !hasContent else {
        throw Finding(tag.place, "{% extends %} stands once, at the top of the file")
      }
      template.layout = try fileName(tag)
      template.layoutPlace = tag.place
    case "include":
      hasContent = true
      nodes.append(.include(try fileName(tag), tag.place))
    case "block":
      hasContent = true
      let name = text(tag.rest)
      guard SwiftSource.isIdentifier(name) else {
        throw Finding(tag.place, "a block has a name: {% block content %}")
      }
      guard blocks.insert(name).inserted else { throw Finding(tag.place, "there are two blocks '\(name)'") }
      depthOfBlocks += 1
      let (content, _) = try parse(until: ["endblock"], opened: tag.place, depth: depth + 1)
      depthOfBlocks -= 1
      nodes.append(.block(name, tag.place, content))
    case "if": try addChoice(tag, to: &nodes, depth: depth)
    case "for": try addLoop(tag, to: &nodes, depth: depth)
    case "elif", "else", "endif", "endfor", "endblock":
      throw Finding(tag.place, "{% \(tag.word) %} does not belong here")
    case "elseif", "elsif": throw Finding(tag.place, "write {% elif … %}")
    default:
      throw Finding(
        tag.place,
        "unknown tag '\(tag.word)'; there are parameters, extends, block, include, if, elif, else and for")
    }
  }

  private mutating func addParameters(_ tag: Tag) throws(Finding) {
    guard template.parameters == nil, !hasContent else {
      throw Finding(tag.place, "{% parameters %} stands once, at the top of the file")
    }
    var parameters: [Parameter] = []
    if !tag.rest.isEmpty {
      var parts: [Range<Int>] = []
      do { parts = try SwiftPiece.list(octets[tag.rest]) } catch {
        throw Finding(place(error.index), error.words)
      }
      for part in parts.map(trimmed) {
        let declaration = code(part)
        let place = place(part.isEmpty ? tag.rest.lowerBound : part.lowerBound)
        let names = declaration.prefix { $0 != ":" }.split(separator: " ")
        guard declaration.contains(":"), let name = names.last, names.count <= 2,
          names.allSatisfy({ SwiftSource.isIdentifier($0) || names.count == 2 && $0 == names[0] }),
          name != "_"
        else { throw Finding(place, "a parameter is NAME: TYPE, and a comma is between two of them") }
        guard !parameters.contains(where: { $0.name == name }) else {
          throw Finding(place, "there are two parameters '\(name)'")
        }
        parameters.append(Parameter(name: String(name), declaration: declaration, place: place))
      }
    }
    template.parameters = parameters
  }

  /// The name in `{% include "FILE" %}`.
  private func fileName(_ tag: Tag) throws(Finding) -> String {
    let quoted = text(tag.rest)
    let name = quoted.dropFirst().dropLast()
    guard quoted.count > 2, quoted.first == "\"", quoted.last == "\"", !name.contains("\""),
      !name.contains("\\")
    else { throw Finding(tag.place, "a file stands in quotation marks: {% \(tag.word) \"layout.html\" %}") }
    return String(name)
  }

  private mutating func addChoice(_ first: Tag, to nodes: inout [Node], depth: Int) throws(Finding) {
    hasContent = true
    var branches: [Branch] = []
    var tag = first
    while tag.word != "endif" {
      let isLast = tag.word == "else"
      guard isLast == tag.rest.isEmpty else {
        let words = isLast ? "{% else %} has no condition; write {% elif … %}" : "there is no condition"
        throw Finding(tag.place, words)
      }
      let ends: Set<String> = isLast ? ["endif"] : ["elif", "else", "endif"]
      let (content, end) = try parse(until: ends, opened: tag.place, depth: depth + 1)
      branches.append(Branch(condition: isLast ? nil : code(tag.rest), place: tag.place, nodes: content))
      guard let end else { break }
      tag = end
    }
    nodes.append(.choice(branches))
  }

  private mutating func addLoop(_ tag: Tag, to nodes: inout [Node], depth: Int) throws(Finding) {
    hasContent = true
    let head = code(tag.rest)
    let words = "write {% for ELEMENT in LIST %} or {% for INDEX, ELEMENT in LIST %}"
    guard let range = head.range(of: " in ") else { throw Finding(tag.place, words) }
    let names = head[..<range.lowerBound].split(separator: ",", omittingEmptySubsequences: false)
      .map { $0.filter { $0 != " " && $0 != "\t" } }
    let list = head[range.upperBound...].drop { $0 == " " || $0 == "\t" }
    guard (1...2).contains(names.count), names.allSatisfy(SwiftSource.isIdentifier), !list.isEmpty else {
      throw Finding(tag.place, words)
    }
    let (content, _) = try parse(until: ["endfor"], opened: tag.place, depth: depth + 1)
    nodes.append(
      .loop(
        index: names.count == 2 ? names[0] : nil, element: names[names.count - 1], list: String(list),
        tag.place,
        content))
  }
}
