// Types that an interpolation refuses, each with a message that says what to write instead. Without these
// overloads the compiler would name an overload that fits badly. None of them is linked into a program.

extension HTML.Interpolation {
  @available(
    *, unavailable,
    message:
      "A String is on the heap. Use a StaticString for a literal, Text for a short text, or a Span of octets."
  )
  @_disfavoredOverload
  public mutating func appendInterpolation(_ text: String) {}

  @available(
    *, unavailable,
    message:
      "A String is on the heap. Use a StaticString for a literal, Text for a short text, or a Span of octets."
  )
  @_disfavoredOverload
  public mutating func appendInterpolation(_ text: Substring) {}

  @available(
    *, unavailable,
    message: "A list has no form of its own. Write its elements one after the other in a loop."
  )
  public mutating func appendInterpolation<Element>(_ list: [Element]) {}

  @available(
    *, unavailable,
    message:
      "HTML is written where it is made. Call write once for each part, or extend HTML.Interpolation with a type of your own."
  )
  public mutating func appendInterpolation(_ page: HTML) {}

  @available(
    *, unavailable,
    message:
      "JSON stands in a script element only. Write \\(json: …) right after <script type='application/json'>."
  )
  public mutating func appendInterpolation(_ piece: JSONText) {}

  @available(*, unavailable, message: "Plain text is not escaped. Put the values themselves into the HTML.")
  public mutating func appendInterpolation(_ piece: Plain) {}
}

extension JSONText.Interpolation {
  @available(*, unavailable, message: "Write \\(json: …) for JSON that a function makes.")
  public mutating func appendInterpolation(_ piece: JSONText) {}

  @available(
    *, unavailable,
    message:
      "A String is on the heap. Use a StaticString for a literal, Text for a short text, or a Span of octets."
  )
  @_disfavoredOverload
  public mutating func appendInterpolation(_ text: String) {}

  @available(
    *, unavailable,
    message:
      "A String is on the heap. Use a StaticString for a literal, Text for a short text, or a Span of octets."
  )
  @_disfavoredOverload
  public mutating func appendInterpolation(_ text: Substring) {}

  @available(
    *, unavailable, message: "Write the brackets in literals and the elements one after the other in a loop."
  )
  public mutating func appendInterpolation<Element>(_ list: [Element]) {}

  @available(
    *, unavailable, message: "HTML is no JSON. Put the values themselves into the JSON; each is encoded."
  )
  public mutating func appendInterpolation(_ page: HTML) {}

  @available(
    *, unavailable,
    message: "Plain text is no JSON. Put the values themselves into the JSON; each is encoded."
  )
  public mutating func appendInterpolation(_ piece: Plain) {}
}

extension Plain.Interpolation {
  @available(
    *, unavailable,
    message:
      "A String is on the heap. Use a StaticString for a literal, Text for a short text, or a Span of octets."
  )
  @_disfavoredOverload
  public mutating func appendInterpolation(_ text: String) {}

  @available(
    *, unavailable,
    message:
      "A String is on the heap. Use a StaticString for a literal, Text for a short text, or a Span of octets."
  )
  @_disfavoredOverload
  public mutating func appendInterpolation(_ text: Substring) {}

  @available(
    *, unavailable,
    message: "A list has no form of its own. Write its elements one after the other in a loop."
  )
  public mutating func appendInterpolation<Element>(_ list: [Element]) {}

  @available(
    *, unavailable, message: "HTML is escaped for browsers. Put the values themselves into the plain text."
  )
  public mutating func appendInterpolation(_ page: HTML) {}

  @available(
    *, unavailable,
    message:
      "JSON has a media type of its own. Answer with json, or put the values themselves into the plain text."
  )
  public mutating func appendInterpolation(_ piece: JSONText) {}

  @available(
    *, unavailable, message: "Plain text is written where it is made. Call write(plain:) once for each part."
  )
  public mutating func appendInterpolation(_ piece: Plain) {}
}

extension Location.Interpolation {
  @available(
    *, unavailable,
    message:
      "A String is on the heap. Use a StaticString for a literal, Text for a short text, or a Span of octets."
  )
  @_disfavoredOverload
  public mutating func appendInterpolation(_ text: String) {}

  @available(
    *, unavailable,
    message:
      "A String is on the heap. Use a StaticString for a literal, Text for a short text, or a Span of octets."
  )
  @_disfavoredOverload
  public mutating func appendInterpolation(_ text: Substring) {}

  @available(
    *, unavailable,
    message: "HTML is no part of a path. Put the values themselves into the location; each is encoded."
  )
  public mutating func appendInterpolation(_ page: HTML) {}
}
