// All templates of a target → functions of Swift. Files that extend and include each other are joined. Then each value
// is checked for the place of the markup where it stands.

/// A template that becomes a function, with all files that it extends and includes.
struct WholeTemplate: Equatable {
  var name: String
  /// Where errors of the parameters are told.
  var place: Place
  var parameters: [Parameter]
  var nodes: [Node]
}

/// The templates of a target.
struct TemplateSet {
  private let templates: [String: Template]

  /// Files in each other: a page in a layout in a layout, a file that includes a file.
  private static let depthMax = 16

  init(_ templates: [Template]) {
    self.templates = Dictionary(templates.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The templates that become functions, by name. A layout is none. A file without `{% parameters %}` that another
  /// file includes is a part of that file only.
  var functions: [Template] {
    let layouts = Set(templates.values.compactMap(\.layout))
    var included: Set<String> = []
    for template in templates.values { Self.addIncluded(template.nodes, to: &included) }
    return templates.values
      .filter { !layouts.contains($0.name) && ($0.parameters != nil || !included.contains($0.name)) }
      .sorted { $0.name < $1.name }
  }

  private static func addIncluded(_ nodes: [Node], to files: inout Set<String>) {
    for node in nodes {
      switch node {
      case .include(let name, _): files.insert(name)
      case .choice(let branches): for branch in branches { addIncluded(branch.nodes, to: &files) }
      case .loop(_, _, _, _, let content), .block(_, _, let content): addIncluded(content, to: &files)
      case .text, .value, .part: break
      }
    }
  }

  // MARK: Joining

  /// Joins a template with its layouts and with the files that it includes, and checks its markup.
  func whole(_ template: Template) throws(Finding) -> WholeTemplate {
    var chain = [template]
    while let layout = chain.last?.layout, let place = chain.last?.layoutPlace {
      guard !chain.contains(where: { $0.name == layout }), chain.count < Self.depthMax else {
        throw Finding(place, "'\(layout)' extends itself")
      }
      chain.append(try file(layout, place))
    }
    // The blocks of the template come before those of its layouts.
    var blocks: [String: [Node]] = [:]
    for file in chain.dropLast() {
      for case .block(let name, let place, let content) in file.nodes {
        let layouts = chain.drop { $0.name != file.name }.dropFirst()
        guard layouts.contains(where: { self.hasBlock(name, in: $0.nodes, depth: 0) }) else {
          throw Finding(place, "'\(file.layout ?? "")' has no block '\(name)'")
        }
        if blocks[name] == nil { blocks[name] = content }
      }
    }
    var parameters: [Parameter] = []
    for parameter in chain.reversed().flatMap({ $0.parameters ?? [] }) {
      if let other = parameters.first(where: { $0.name == parameter.name }) {
        guard other.declaration == parameter.declaration else {
          throw Finding(parameter.place, "the layout declares '\(other.declaration)'")
        }
      } else {
        parameters.append(parameter)
      }
    }
    let root = chain[chain.count - 1]
    let files = chain.map(\.name)
    let nodes =
      chain.count > 1 ? try joinLayout(root, blocks, in: files) : try join(root.nodes, blocks, in: files)
    var contexts: Set<MarkupContext> = [MarkupContext()]
    try Self.check(nodes, &contexts, template.place)
    guard contexts.allSatisfy(\.isText) else {
      throw Finding(template.place, "the page ends in a tag, an attribute, a comment, a script or a style")
    }
    return WholeTemplate(
      name: template.name, place: parameters.first?.place ?? template.place, parameters: parameters,
      nodes: nodes)
  }

  private func file(_ name: String, _ place: Place) throws(Finding) -> Template {
    guard let template = templates[name] else {
      throw Finding(place, "there is no template '\(name)' in the folder Templates")
    }
    return template
  }

  /// Whether there is a block with the name, or any block where the name is `nil`.
  private func hasBlock(_ name: String?, in nodes: [Node], depth: Int) -> Bool {
    depth < Self.depthMax
      && nodes.contains { node in
        switch node {
        case .block(let found, _, let content):
          name == nil || found == name || hasBlock(name, in: content, depth: depth)
        case .choice(let branches): branches.contains { hasBlock(name, in: $0.nodes, depth: depth) }
        case .loop(_, _, _, _, let content): hasBlock(name, in: content, depth: depth)
        case .include(let file, _):
          templates[file].map { hasBlock(name, in: $0.nodes, depth: depth + 1) } ?? false
        case .text, .value, .part: false
        }
      }
  }

  /// Joins a layout. What stands between its blocks is the same on each page, so that it becomes a function.
  private func joinLayout(
    _ layout: Template, _ blocks: [String: [Node]], in files: [String]
  ) throws(Finding) -> [Node] {
    var joined: [Node] = []
    let parameters = layout.parameters ?? []
    let name = SwiftSource.identifier(layout.name.dropLast(".html".count))
    var number = 0
    var rest = layout.nodes[...]
    while let first = rest.first {
      if case .block = first {
        joined += try join([first], blocks, in: files)
        rest = rest.dropFirst()
        continue
      }
      let piece = rest.prefix { node in
        if case .block = node { false } else { true }
      }
      rest = rest.dropFirst(piece.count)
      let nodes = try join(Array(piece), blocks, in: files)
      number += 1
      let isText = nodes.allSatisfy { node in
        if case .text = node { true } else { false }
      }
      if isText || hasBlock(nil, in: Array(piece), depth: 0) || !parameters.allSatisfy(\.canBePassed) {
        joined += nodes
      } else {
        joined.append(
          .part(
            Part(
              function: "\(name)Part\(number)", parameters: parameters,
              place: parameters.first?.place ?? layout.place, nodes: nodes, isOfLayout: true)))
      }
    }
    return joined
  }

  /// Puts blocks and included files in their places.
  ///
  /// - Parameter files: The files that are being joined, so that a file that includes itself is found.
  private func join(
    _ nodes: [Node], _ blocks: [String: [Node]], in files: [String], depth: Int = 0
  ) throws(Finding) -> [Node] {
    var joined: [Node] = []
    for node in nodes {
      switch node {
      case .text, .value, .part: joined.append(node)
      case .choice(let branches):
        var whole: [Branch] = []
        for var branch in branches {
          branch.nodes = try join(branch.nodes, blocks, in: files, depth: depth)
          whole.append(branch)
        }
        joined.append(.choice(whole))
      case .loop(let index, let element, let list, let place, let content):
        joined.append(
          .loop(
            index: index, element: element, list: list, place,
            try join(content, blocks, in: files, depth: depth)))
      case .block(let name, let place, let content):
        guard depth < Self.depthMax else { throw Finding(place, "the block '\(name)' is in itself") }
        joined += try join(blocks[name] ?? content, blocks, in: files, depth: depth + 1)
      case .include(let name, let place):
        guard !files.contains(name), files.count < Self.depthMax else {
          throw Finding(place, "'\(name)' includes itself")
        }
        let template = try file(name, place)
        guard template.layout == nil else {
          throw Finding(place, "'\(name)' extends a layout, so that no template can include it")
        }
        let nodes = try join(template.nodes, blocks, in: files + [name], depth: depth)
        if let parameters = template.parameters, parameters.allSatisfy(\.canBePassed),
          !hasBlock(nil, in: template.nodes, depth: 0)
        {
          let function = SwiftSource.identifier(name.dropLast(".html".count))
          joined.append(
            .part(
              Part(function: function, parameters: parameters, place: place, nodes: nodes, isOfLayout: false))
          )
        } else {
          joined += nodes
        }
      }
    }
    return joined
  }

  // MARK: Markup

  /// States that are possible at one place: more mean that branches leave the markup in too many ways.
  private static let contextCountMax = 64

  /// Follows the markup, and refuses a value where none can stand.
  ///
  /// - Parameter contexts: The states that are possible before the nodes; afterwards those behind the nodes.
  private static func check(
    _ nodes: [Node], _ contexts: inout Set<MarkupContext>, _ place: Place
  ) throws(Finding) {
    for node in nodes {
      switch node {
      case .text(let text):
        var next: Set<MarkupContext> = []
        for var context in contexts {
          if let words = context.read(text.utf8) { throw Finding(place, words) }
          next.insert(context)
        }
        contexts = next
      case .value(_, let place):
        var next: Set<MarkupContext> = []
        for var context in contexts {
          if let words = context.refusal() { throw Finding(place, words) }
          next.insert(context)
        }
        contexts = next
      case .choice(let branches):
        var next: Set<MarkupContext> = branches.last?.condition == nil ? [] : contexts
        for branch in branches {
          var inside = contexts
          try check(branch.nodes, &inside, branch.place)
          next.formUnion(inside)
        }
        guard next.count <= contextCountMax else {
          throw Finding(branches[0].place, "the branches end at too many places of the markup")
        }
        contexts = next
      case .loop(_, _, _, let place, let content):
        // The content may follow itself.
        var all = contexts
        var new = contexts
        while !new.isEmpty {
          try check(content, &new, place)
          new.subtract(all)
          all.formUnion(new)
          guard all.count <= contextCountMax else {
            throw Finding(place, "the loop ends at another place of the markup than it begins")
          }
        }
        contexts = all
      case .part(let part): try check(part.nodes, &contexts, part.place)
      case .include, .block: break
      }
    }
  }
}
