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
}
