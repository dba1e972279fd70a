// The parts of a template, in their order. `TemplateParser` makes them from one file; `TemplateSet` joins the
// files that extend and include each other.

/// A part of a template.
indirect enum Node: Equatable {
  /// Markup that is written as it is.
  case text(String)
  /// `{{ … }}`: what stands in the parentheses of an interpolation.
  case value(String, Place)
  /// `{% if … %}`: the branches in their order; the last one may have no condition.
  case choice([Branch])
  /// `{% for element in list %}`, or `{% for index, element in list %}`.
  case loop(index: String?, element: String, list: String, Place, [Node])
  /// `{% include "FILE" %}`
  case include(String, Place)
  /// `{% block NAME %}`
  case block(String, Place, [Node])
  /// A call of a function that several pages share. Only joining makes such parts.
  case part(Part)
}

/// A piece of a page that is a function of its own, so that the program contains it once.
struct Part: Equatable {
  /// The name of the function.
  var function: String
  /// The parameters of the function; the variables with the same names are passed.
  var parameters: [Parameter]
  /// Where the piece is included.
  var place: Place
  /// What the function writes.
  var nodes: [Node]
  /// Whether the piece is of a layout, so that no template is the function.
  var isOfLayout: Bool
}

/// A branch of `{% if … %}`.
struct Branch: Equatable {
  /// `nil` for `{% else %}`.
  var condition: String?
  var place: Place
  var nodes: [Node]
}

/// One file.
struct Template: Equatable {
  /// The path below the folder `Templates`.
  var name: String
  var place: Place
  /// `{% parameters … %}`; `nil` where the file has no such tag.
  var parameters: [Parameter]?
  /// `{% extends "FILE" %}`
  var layout: String?
  var layoutPlace: Place
  var nodes: [Node] = []
}

/// A parameter of the function that a template becomes.
struct Parameter: Equatable {
  /// The name inside of the template.
  var name: String
  /// The declaration, such as `title: StaticString`.
  var declaration: String
  var place: Place

  /// The argument of a call that passes the variable with the name of the parameter.
  var argument: String {
    let label = declaration.prefix { $0 != ":" }.split(separator: " ").first.map(String.init) ?? name
    return label == "_" ? name : "\(label): \(name)"
  }

  /// Whether the variable can be passed on as it is.
  var canBePassed: Bool {
    let words = declaration.split { $0 == " " || $0 == ":" }
    return !words.contains("inout") && !words.contains("consuming")
  }
}
