// A form: its fields, each with a label, a hint, what was typed, and beside it what is wrong with it. A form
// says one thing at a time. Names and `autocomplete` are what password managers know the fields by.

import Martlet

/// A field of a form.
enum Field: UInt8 {
  case code, username, current, password, newPassword, passwordAgain, confirm, remember
  case processors, load, memory, temperature
  case processorsMinutes, loadMinutes, memoryMinutes, temperatureMinutes
  case tokenName, scope, days
  case webhook

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
    case .processors: "processors"
    case .load: "load"
    case .memory: "memory"
    case .temperature: "temperature"
    case .processorsMinutes: "processors-minutes"
    case .loadMinutes: "load-minutes"
    case .memoryMinutes: "memory-minutes"
    case .temperatureMinutes: "temperature-minutes"
    case .tokenName: "name"
    case .scope: "scope"
    case .days: "days"
    case .webhook: "url"
    }
  }

  fileprivate var attributes: StaticString {
    switch self {
    case .code:
      """
       class="code" autocomplete="one-time-code" autocapitalize="characters" spellcheck="false" \
      placeholder="XXXX-XXXX" aria-describedby="code-hint" required
      """
    case .username: " autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" required"
    case .current, .password: " type=\"password\" autocomplete=\"current-password\" required"
    case .newPassword:
      """
       type="password" autocomplete="new-password" minlength="8" aria-describedby="password-hint" \
      required
      """
    case .passwordAgain: " type=\"password\" autocomplete=\"new-password\" minlength=\"8\" required"
    case .confirm: " type=\"checkbox\" required"
    case .remember: " type=\"checkbox\" value=\"yes\""
    case .processors, .load, .memory, .temperature, .processorsMinutes, .loadMinutes, .memoryMinutes,
      .temperatureMinutes:
      " inputmode=\"numeric\" autocomplete=\"off\" maxlength=\"3\""
    case .tokenName:
      """
       autocomplete="off" autocapitalize="none" spellcheck="false" aria-describedby="name-hint" required
      """
    case .webhook:
      """
       inputmode="url" autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="200" \
      placeholder="http://192.168.1.20:8080/alerts" aria-describedby="url-hint"
      """
    case .scope, .days: ""
    }
  }

  /// What the field wants; empty where the label says it all. Its element is what `attributes` refer to.
  fileprivate var hint: StaticString {
    switch self {
    case .code:
      "<p class=\"hint\" id=\"code-hint\">Printed on the terminal where martlet-panel was started.</p>\n"
    case .newPassword: "<p class=\"hint\" id=\"password-hint\">At least 8 characters.</p>\n"
    case .tokenName:
      """
      <p class="hint" id="name-hint">Of the program, such as prometheus. Up to 32 letters, digits, dots, \
      underscores or hyphens.</p>

      """
    case .webhook:
      """
      <p class="hint" id="url-hint">Empty for none. Nothing is encrypted on the way, so it should be a host in your own \
      network.</p>

      """
    default: ""
    }
  }

  /// As much of what was typed as fits: shown again beside what is wrong with it. Never for a password.
  /// Whatever was typed, the page has room for that.
  @inline(never)
  static func start(of value: borrowing FormValue?) -> Text<48> {
    var text = Text<48>()
    guard let value = copy value else { return text }
    var decoder = value.decoder
    while let octet = decoder.next(), text.append(octet) {}
    return text
  }
}

/// Why a form has been refused.
struct Problem {
  let kind: Kind
  /// The field that is wrong; none where it cannot be said which.
  let field: Field?
  /// Seconds after which it is worth while to try again.
  let wait: Int32?

  init(_ kind: Kind, at field: Field? = nil, wait: Int? = nil) {
    self.kind = kind
    self.field = field
    self.wait = wait.map { Int32(clamping: $0) }
  }

  /// The status of the page that shows the form again.
  var status: Status { wait == nil ? .unprocessableContent : .tooManyRequests }

  enum Kind: UInt8 {
    case codeMissing, codeWrong, codesTooMany
    case nameRefused, passwordNoText, passwordTooLong, passwordUseless, passwordShort, passwordCommon
    case passwordsDiffer
    case loginWrong, currentWrong, attemptsTooMany
    case unconfirmed
    case thresholdWrong, minutesWrong
    case tokenNameTaken, tokensTooMany, choiceUnknown, endUnknown
    case webhookHTTPS, webhookWrong

    /// The words for it.
    var text: StaticString {
      switch self {
      case .codeMissing: "Enter the set-up code that martlet-panel has printed on its terminal."
      case .codeWrong: "That is not the set-up code. It is on the terminal where martlet-panel runs."
      case .codesTooMany: "Too many wrong codes."
      case .nameRefused:
        """
        The name needs 1 to 32 letters, digits, dots, underscores or hyphens, and begins with a letter.
        """
      case .passwordNoText: "The password is no text: it is not in UTF-8."
      case .passwordTooLong:
        """
        The password is too long: it may have up to 1,024 octets. A letter of English is one, others are \
        two to four.
        """
      case .passwordUseless: "The password has a character of no use."
      case .passwordShort: "The password is too short: it needs at least 8 characters."
      case .passwordCommon:
        """
        That password is one of the first that others would try. Choose another one, or add words to it.
        """
      case .passwordsDiffer: "The two passwords are not the same."
      case .loginWrong: "Wrong name or password."
      case .currentWrong: "The current password is wrong."
      case .attemptsTooMany: "Too many failed attempts."
      case .unconfirmed: "Tick the box first."
      case .thresholdWrong: "A whole number: at most 99 %, a load of 600, or 150 °C. Nothing for no alert."
      case .minutesWrong: "A whole number of minutes, 1 to 60."
      case .tokenNameTaken:
        "There is a token of that name already. Choose another name, or revoke that token."
      case .tokensTooMany: "There are 16 tokens already. Revoke one first."
      case .webhookHTTPS:
        """
        An address with https cannot be used: this program has no TLS yet, so it can neither encrypt nor tell who \
        answers. Use http in your own network, for example to a proxy there that goes on by https.
        """
      case .webhookWrong:
        """
        Enter an address such as http://192.168.1.20:8080/alerts: at most 200 letters, digits and signs without \
        blanks, umlauts, # or a name and password.
        """
      case .choiceUnknown: "Choose one of the list."
      case .endUnknown:
        """
        The clock of this device is not set, so no end can be kept. Choose no end, or set the clock first.
        """
      }
    }
  }
}

/// A form on its way into a page.
struct Form: ~Copyable {
  private let isReadInPlace = ByAddress()

  /// Why it has been refused, if it has.
  let problem: Problem?
  /// Whether a field has the focus: the first one that is empty or wrong.
  fileprivate var hasFocus = false

  /// - Parameter focuses: Whether a field gets the focus. Where the form is not what a page begins with, only
  ///   one that is wrong should.
  init(_ problem: Problem?, focuses: Bool = true) {
    self.problem = problem
    hasFocus = !focuses
  }

  /// The problem, if it is a field's.
  fileprivate func problem(at field: Field) -> Problem? {
    problem?.field == field ? problem : nil
  }

  /// Attributes of a field that is wrong.
  fileprivate static var marks: StaticString { " aria-invalid=\"true\" aria-errormessage=\"problem\"" }
}

extension Response where Site == Panel {
  /// Begins the page of a form, in a card with the page's title.
  ///
  /// - Parameters:
  ///   - request: Says who is logged in.
  ///   - problem: Why the form has been refused, if it has.
  ///   - lead: What the form is about.
  @_lifetime(copy self)
  consuming func form(
    _ page: Panel.Page, _ request: borrowing Request<Panel>, _ problem: Problem?, lead: StaticString?
  ) -> Body<Panel> {
    if let wait = problem?.wait { setRetryAfter(seconds: Int(wait)) }
    var body = self.page(page, request, problem?.status ?? .ok)
    body.write("\(begin: .narrowCard)<h1>\(markup: Panel.row(of: page).title)</h1>\n")
    if let lead { body.write(.lead, lead) }
    return body
  }
}

extension Body where Site == Panel {
  /// Begins the form itself, with what is wrong with all of it.
  @inline(never)
  @_lifetime(self: copy self)
  mutating func begin(_ form: borrowing Form) {
    if let problem = form.problem, problem.field == nil { write(problem) }
    write("\(begin: .form)")
  }

  @inline(never)
  @_lifetime(self: copy self)
  private mutating func write(_ problem: Problem) {
    write("<p class=\"problem\" role=\"alert\" id=\"problem\">\(markup: problem.kind.text)")
    if let wait = problem.wait { write(" Try again in \(Readable.wait(seconds: Int(wait))).") }
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
    let problem = form.problem(at: field)
    let isEmpty = (typed?.count ?? 0) == 0
    let hasFocus = !form.hasFocus && (problem != nil || isEmpty)
    if hasFocus { form.hasFocus = true }
    write(
      """
      <label for="\(markup: name)">\(markup: label)</label>
      <input id="\(markup: name)" name="\(markup: name)"
      """)
    if let typed, !isEmpty { write(" value=\"\(typed)\"") }
    write(
      """
      \(markup: field.attributes)\(markup: problem == nil ? "" : Form.marks)\
      \(markup: hasFocus ? " autofocus" : "")>

      """)
    if let problem { write(problem) }
    write("\(markup: field.hint)")
  }

  /// Writes a list to choose from.
  ///
  /// - Parameters:
  ///   - options: Two lines for each: the value, and its words. The first is chosen unless `typed` is another.
  ///   - typed: The value that was chosen before.
  @inline(never)
  @_lifetime(self: copy self)
  mutating func writeChoice(
    _ field: Field, _ label: StaticString, _ options: StaticString, typed: Span<UInt8>,
    in form: borrowing Form
  ) {
    let problem = form.problem(at: field)
    write(
      """
      <label for="\(markup: field.name)">\(markup: label)</label>
      <select id="\(markup: field.name)" name="\(markup: field.name)"\(markup: problem == nil ? "" : Form.marks)>

      """)
    var lines = Lines(options.octets)
    while let value = lines.next(), let words = lines.next() {
      let isChosen = value.equals(typed)
      write("<option value=\"\(value)\"\(markup: isChosen ? " selected" : "")>\(words)</option>\n")
    }
    write("</select>\n")
    if let problem { write(problem) }
  }

  /// Writes a box to tick.
  @inline(never)
  @_lifetime(self: copy self)
  mutating func writeCheck(_ field: Field, _ label: StaticString, in form: borrowing Form) {
    let problem = form.problem(at: field)
    write(
      """
      <label class="check"><input name="\(markup: field.name)"\(markup: field.attributes)\
      \(markup: problem == nil ? "" : Form.marks)>
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
