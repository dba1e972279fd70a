// A name, a scope and an end → a token, whose text is shown once; and a token's end.
//
// The text is in the answer to the form and nowhere else: in no file, no log, no address and no session. So that
// form is answered with a page, not with a redirect. Who loads the page again sends the form again, and it is
// refused, because a name is one token's.

import Martlet

extension Panel {
  /// Shows the tokens, or makes or revokes one.
  mutating func tokensPage(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>
  ) -> Answer {
    tokens.loadWhenMissed()
    guard request.method == .post else {
      tokens.storeWhenDue(at: request.clock)
      return tokensForm(request, response, nil)
    }
    if let error = tokens.damage { return Self.refuseTokens(response, error) }
    return request.form.has("revoke") ? revokeToken(request, response) : makeToken(request, response)
  }

  // MARK: Changes

  private mutating func makeToken(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>
  ) -> Answer {
    guard let account = request.user else { return response.redirectToLogin() }
    let form = request.form
    var token = Token()
    if let problem = tokens.tokens.read(form, now: request.clock.timeOfDay, into: &token) {
      return tokensForm(request, response, problem)
    }
    token.maker = account.name
    var random = InlineArray<20, UInt8>(repeating: 0)
    var target = random.mutableSpan
    Random.fill(&target)
    let text = TokenText.make(random)
    token.hash = TokenText.hash(text.span)
    do throws(SystemError) {
      try tokens.add(token)
    } catch {
      Log.failed("tokens_not_stored", error)
      return Self.refuseTokens(response, error)
    }
    Log.changed("token_created", token: token.name, by: account.name, request.client(trusting: proxies))
    var body = response.form(
      .tokens, request, nil,
      lead: "Copy the token now. This device keeps no copy, and shows it only this once.")
    body.write(
      """
      <code class="secret" id="token">\(text)</code>
      <p>A program sends it with each request: <code>Authorization: Bearer</code> and the token.</p>
      \(begin: .buttons)\(button: "I have copied it", path: Self.row(of: .tokens).path)\(end: .buttons)\(end: .card)
      """)
    return body.finish()
  }

  private mutating func revokeToken(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>
  ) -> Answer {
    guard let account = request.user else { return response.redirectToLogin() }
    let id: Text<16>? = request.form["revoke"]?.text()
    guard let id, let token = tokens.remove(id.span, at: request.clock) else {
      return response.redirect(to: .tokens, saying: .tokenGone)
    }
    Log.changed("token_revoked", token: token.name, by: account.name, request.client(trusting: proxies))
    return response.redirect(to: .tokens, saying: .tokenRevoked)
  }

  /// Says that a token could not be made or revoked, and why.
  @inline(never)
  private static func refuseTokens(_ response: consuming Response<Panel>, _ error: SystemError) -> Answer {
    response.refuse(
      .internalServerError,
      """
      The tokens could not be stored: \(error.text). Nothing has changed. Check the data directory's disk and \
      permissions, then try again.
      """)
  }

  // MARK: Page

  @inline(never)
  private mutating func tokensForm(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>, _ problem: Problem?
  ) -> Answer {
    let name = Field.start(of: request.form["name"])
    let scope = Field.start(of: request.form["scope"])
    let days = Field.start(of: request.form["days"])
    var form = Form(problem, focuses: problem != nil)
    var body = response.form(
      .tokens, request, problem,
      lead: "A program reads this device with a token. No token opens these pages, or changes anything.")
    if let error = tokens.damage {
      body.write(
        """
        \(begin: .problem)The file of tokens cannot be used: \(error.text). So no token works, and none can be \
        made. Put a copy of “tokens” back into the data directory, or remove it, and start martlet-panel \
        again.\(end: .problem)\(end: .card)
        """)
      return body.finish()
    }
    if let error = tokens.trouble {
      body.write(
        """
        \(begin: .problem)The tokens could not be stored: \(error.text). Until they are, a restart undoes the \
        last change.\(end: .problem)
        """)
    }
    body.writeTokens(tokens.tokens, request.clock)
    body.write("\(end: .card)\(begin: .narrowCard)\(heading: "New token")")
    body.begin(form)
    body.write(.tokenName, "Name", typed: name.span, in: &form)
    body.writeChoice(
      .scope, "May read",
      """
      metrics
      /metrics only
      read
      /metrics and /api/v1
      """, typed: scope.span, in: form)
    body.writeChoice(.days, "Ends after", Tokens.lifetimes, typed: days.span, in: form)
    body.endForm("Make token")
    return body.finish()
  }
}

extension Tokens {
  /// How long a token may last: two lines for each, days and words.
  static var lifetimes: StaticString {
    """
    90
    90 days
    30
    30 days
    365
    a year
    0
    no end
    """
  }

  /// Reads what was chosen for a new token.
  ///
  /// - Parameter now: The time of day; `nil` where it is not known.
  /// - Returns: Why it is refused, or `nil`.
  func read(_ form: FormFields, now: Int64?, into token: inout Token) -> Problem? {
    guard let name = AccountRules.typedName(form["name"]), AccountRules.isName(name.span) else {
      return Problem(.nameRefused, at: .tokenName)
    }
    if contains(name) { return Problem(.tokenNameTaken, at: .tokenName) }
    if count == Self.countMax { return Problem(.tokensTooMany) }
    let word = Field.start(of: form["scope"])
    guard let scope = TokenScope(word: word.span) else { return Problem(.choiceUnknown, at: .scope) }
    guard let days = Self.days(Field.start(of: form["days"])) else {
      return Problem(.choiceUnknown, at: .days)
    }
    if days > 0, now == nil { return Problem(.endUnknown, at: .days) }
    token.name = name
    token.scope = scope
    token.created = now ?? 0
    token.end = days > 0 ? token.created + days * 86_400 : 0
    return nil
  }

  private static func days(_ typed: Text<48>) -> Int64? {
    var lines = Lines(lifetimes.octets)
    while let days = lines.next(), lines.next() != nil {
      if days.equals(typed.span) { return Decimals.number(days) }
    }
    return nil
  }
}

extension Body where Site == Panel {
  @_lifetime(self: copy self)
  fileprivate mutating func writeTokens(_ tokens: borrowing Tokens, _ clock: SystemClock) {
    if tokens.count == 0 { write(.none, "There are no tokens.") }
    for i in 0..<tokens.count { writeToken(tokens[i], clock) }
  }

  @inline(never)
  @_lifetime(self: copy self)
  private mutating func writeToken(_ token: Token, _ clock: SystemClock) {
    write("<div class=\"token\"><h3>\(token.name) \(begin: .state)\(token.scope.word)\(end: .state)")
    switch token.refusal(at: clock.timeOfDay) {
    case nil: break
    case .ended: write(" \(begin: .badState)ended\(end: .badState)")
    case .clockUnknown: write(" \(begin: .badState)waits for the clock\(end: .badState)")
    }
    write("</h3>\n\(begin: .line)Made by \(token.maker)")
    writeDay(", ", token.created, isMinute: false)
    write("\(begin: .gap)")
    if token.end == 0 { write("no end") } else { writeDay("ends ", token.end, isMinute: false) }
    write("\(end: .line)\(begin: .line)")
    switch token.used {
    case 0: write("Never used")
    case 1: write("Used while the clock was not set")
    default: writeDay("Last used ", token.used, isMinute: true)
    }
    write(
      """
      \(end: .line)<details><summary>Revoke</summary>\(begin: .form)\
      <input type="hidden" name="revoke" value="\(token.id)" hidden>\
      \(begin: .buttons)<button class="quiet" type="submit">Revoke \(token.name)</button>\(end: .buttons)\
      \(end: .form)</details></div>

      """)
  }

  /// Writes a day, or a day and a time of it, in UTC; nothing for 0.
  @_lifetime(self: copy self)
  private mutating func writeDay(_ before: StaticString, _ seconds: Int64, isMinute: Bool) {
    guard seconds > 0 else { return }
    let date = HTTPDate(seconds)
    write(
      "\(markup: before)\(date.span.extracting(5..<(isMinute ? 22 : 16)))\(markup: isMinute ? " UTC" : "")")
  }
}
