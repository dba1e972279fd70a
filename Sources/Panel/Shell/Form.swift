// A form: its fields, each with a label, a hint, what was typed, and beside it what is wrong with it. A form
// says one thing at a time. Names and `autocomplete` are what password managers know the fields by.

import Martlet

/// A field of a form.
enum Field: UInt8 {
  case code, username, current, password, newPassword, passwordAgain, confirm, remember

  /// The name in what the browser sends, and the identifier in the page.
  var name: StaticString {
    switch self {
    case .code: "code"
    case .username: "username"
    case .current: "current"
    case .password, .newPassword: "password"
    case .passwordAgain: "password_again"
    case .confirm: "confirm"
    case .remember: "remember_me"
    }
  }

  fileprivate var attributes: StaticString {
    switch self {
    case .code:
      """
       class="code" autocomplete="one-time-code" autocapitalize="characters" spellcheck="false" \
      placeholder="XXXX-XXXX" required
      """
    case .username: " autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" required"
    case .current, .password: " type=\"password\" autocomplete=\"current-password\" required"
    case .newPassword, .passwordAgain:
      " type=\"password\" autocomplete=\"new-password\" minlength=\"8\" required"
    case .confirm: " type=\"checkbox\" required"
    case .remember: " type=\"checkbox\" value=\"yes\""
    }
  }

  fileprivate var hint: StaticString? {
    switch self {
    case .code: "Printed on the terminal where martlet-panel was started."
    case .newPassword: "At least 8 characters."
    default: nil
    }
  }

  /// As much of what was typed as fits: shown again beside what is wrong with it. Never for a password.
  static func start<let capacity: Int>(of value: borrowing FormValue?) -> Text<capacity> {
    var text = Text<capacity>()
    guard let value = copy value else { return text }
    var decoder = value.decoder
    while let octet = decoder.next(), text.append(octet) {}
    return text
  }
}

/// Why a form has been refused.
struct Problem {
  let text: StaticString
  /// The field that is wrong; none where it cannot be said which.
  let field: Field?
  /// Seconds after which it is worth while to try again.
  let wait: Int?

  init(_ text: StaticString, at field: Field? = nil, wait: Int? = nil) {
    self.text = text
    self.field = field
    self.wait = wait
  }

  /// The status of the page that shows the form again.
  var status: Status { wait == nil ? .unprocessableContent : .tooManyRequests }
}

/// A form on its way into a page.
struct Form {
  /// Why it has been refused, if it has.
  let problem: Problem?
  /// Whether a field has the focus: the first one that is empty or wrong.
  fileprivate var hasFocus = false

  init(_ problem: Problem?) { self.problem = problem }
}

extension Response where Site == Panel {
  /// Begins the page of a form, in a card with the page's title.
  ///
  /// - Parameters:
  ///   - lead: What the form is about.
  ///   - problem: Why it has been refused, if it has.
  @_lifetime(copy self)
  consuming func form(
    _ page: Panel.Page, _ problem: Problem?, lead: StaticString? = nil, for user: Account? = nil
  ) -> Body<Panel> {
    if let wait = problem?.wait { setRetryAfter(seconds: wait) }
    var body = self.page(page, problem?.status ?? .ok, for: user)
    if user == nil { body.writeBrand() }
    body.write("\(begin: .narrowCard)<h1>\(markup: Panel.row(of: page).title)</h1>\n")
    if let lead { body.write(.lead, lead) }
    return body
  }
}

extension Body where Site == Panel {
  /// Begins the form itself, with what is wrong with all of it.
  @inline(never)
  @_lifetime(self: copy self)
  mutating func begin(_ form: Form) {
    if let problem = form.problem, problem.field == nil { write(problem) }
    write("\(begin: .form)")
  }

  @inline(never)
  @_lifetime(self: copy self)
  private mutating func write(_ problem: Problem) {
    write("<p class=\"problem\" role=\"alert\" id=\"problem\">\(markup: problem.text)")
    if let wait = problem.wait { write(" Try again in \(Readable.wait(seconds: wait)).") }
    write("</p>\n")
  }

  /// Writes a field.
  ///
  /// - Parameters:
  ///   - field: Which, with its name, hint and kind.
  ///   - label: What the field is called.
  ///   - typed: What was typed, or is known. Never a password.
  ///   - form: The form that the field belongs to.
  @inline(never)
  @_lifetime(self: copy self)
  mutating func write(
    _ field: Field, _ label: StaticString, typed: Span<UInt8>? = nil, in form: inout Form
  ) {
    let name = field.name
    let problem = form.problem?.field == field ? form.problem : nil
    let isEmpty = (typed?.count ?? 0) == 0
    write(
      """
      <label for="\(markup: name)">\(markup: label)</label>
      <input id="\(markup: name)" name="\(markup: name)"\(markup: field.attributes)
      """)
    if let typed, !isEmpty { write(" value=\"\(typed)\"") }
    if problem != nil || field.hint != nil {
      write(" aria-describedby=\"\(markup: problem != nil ? "problem " : "")")
      if field.hint != nil { write("\(markup: name)-hint") }
      write("\"")
    }
    if problem != nil { write(" aria-invalid=\"true\"") }
    if !form.hasFocus, problem != nil || isEmpty {
      form.hasFocus = true
      write(" autofocus")
    }
    write(">\n")
    if let problem { write(problem) }
    if let hint = field.hint { write("<p class=\"hint\" id=\"\(markup: name)-hint\">\(markup: hint)</p>\n") }
  }

  /// Writes a box to tick.
  @inline(never)
  @_lifetime(self: copy self)
  mutating func writeCheck(_ field: Field, _ label: StaticString, in form: Form) {
    let problem = form.problem?.field == field ? form.problem : nil
    let marks: StaticString =
      problem == nil ? "" : " aria-describedby=\"problem\" aria-invalid=\"true\" autofocus"
    write(
      """
      <label class="check"><input name="\(markup: field.name)"\(markup: field.attributes)\(markup: marks)>
      <span>\(markup: label)</span></label>

      """)
    if let problem { write(problem) }
  }

  /// Ends the form with its button, and the card.
  @inline(never)
  @_lifetime(self: copy self)
  mutating func endForm(_ button: StaticString) {
    write(
      """
      \(begin: .buttons)<button type="submit">\(markup: button)</button>\(end: .buttons)\(end: .form)\
      \(end: .card)
      """)
  }
}
