// Whole templates → Swift source. Each template is a function that writes the page with the library's HTML, so that
// the library escapes the values. No program contains anything that reads templates.
//
// The compiler tells errors in lines of the template: `#sourceLocation` stands before each piece of its Swift. Such a
// line cannot stand in an expression, so the values of one statement are those of one line of the template.

/// Writes the functions.
struct TemplateWriter {
  private var source = ""
  private var indentation = 4
  /// Text and values that have not been written: the inside of a string literal.
  private var pending = ""
  /// The line of the pending values; `nil` where there are none.
  private var pendingPlace: Place?
  /// Parts of layouts that have been called, and the functions of parts that have been written.
  private var parts: [Part] = []
  private var written: Set<String> = []

  /// The name of the page in a function. It is no name that a template uses by chance.
  private static let page = "martletPage"

  /// The source of all functions.
  static func source(_ templates: [WholeTemplate]) -> String {
    var writer = TemplateWriter()
    writer.source = SwiftSource.header("Templates")
    writer.line("/// The pages of the folder Templates. Each function writes one page.", indented: false)
    writer.line("enum Templates {", indented: false)
    for template in templates {
      writer.source += "\n  /// Writes `\(template.name)`.\n"
      let name = SwiftSource.identifier(template.name.dropLast(".html".count))
      writer.write("", name, template.parameters, template.place, template.nodes)
    }
    // A part may call further parts.
    while let part = writer.parts.first(where: { !writer.written.contains($0.function) }) {
      writer.written.insert(part.function)
      writer.source += "\n"
      writer.write("private", part.function, part.parameters, part.place, part.nodes)
    }
    return writer.source + "}\n"
  }

  private mutating func write(
    _ access: String, _ name: String, _ parameters: [Parameter], _ place: Place, _ nodes: [Node]
  ) {
    let parameters = ["to \(Self.page): inout MartletPage"] + parameters.map(\.declaration)
    locate(place)
    line(
      "  \(access.isEmpty ? "" : access + " ")static func \(name)<MartletPage: PageWriter & ~Copyable & ~Escapable>("
        + parameters.joined(separator: ", ") + ") {", indented: false)
    write(nodes)
    flush()
    source += "#sourceLocation()\n  }\n"
  }

  private mutating func write(_ nodes: [Node]) {
    for node in nodes {
      switch node {
      case .text(let text): pending += SwiftSource.escaped(text)
      case .value(let code, let place):
        if let before = pendingPlace, before.file != place.file || before.line != place.line { flush() }
        pendingPlace = place
        pending += "\\(" + code + ")"
      case .choice(let branches): write(branches)
      case .loop(let index, let element, let list, let place, let content):
        flush()
        let indexName = index ?? "martletIndex"
        locate(place)
        // Spans and arrays of a fixed size are no sequences: their indices are.
        line("for \(indexName) in (\(list)).indices { let \(element) = (\(list))[\(indexName)]")
        nest(content)
        line("}")
      case .part(let part):
        flush()
        if part.isOfLayout { parts.append(part) }
        locate(part.place)
        let arguments = ["to: &\(Self.page)"] + part.parameters.map(\.argument)
        line("Templates.\(part.function)(\(arguments.joined(separator: ", ")))")
      case .include, .block: break
      }
    }
  }

  private mutating func write(_ branches: [Branch]) {
    flush()
    for (number, branch) in branches.enumerated() {
      let word = number == 0 ? "" : "} else "
      locate(branch.place)
      line(branch.condition.map { word + "if \($0) {" } ?? word + "{")
      nest(branch.nodes)
    }
    line("}")
  }

  private mutating func nest(_ nodes: [Node]) {
    indentation += 2
    write(nodes)
    flush()
    indentation -= 2
  }

  /// Writes what is pending as one statement.
  private mutating func flush() {
    guard !pending.isEmpty else { return }
    if let place = pendingPlace { locate(place) }
    line("\(Self.page).write(\"\(pending)\")")
    pending = ""
    pendingPlace = nil
  }

  /// The next line of the source is that line of a template.
  private mutating func locate(_ place: Place) {
    source += "#sourceLocation(file: \(SwiftSource.literal(place.file)), line: \(place.line))\n"
  }

  private mutating func line(_ text: String, indented: Bool = true) {
    source += (indented ? String(repeating: " ", count: indentation) : "") + text + "\n"
  }
}
