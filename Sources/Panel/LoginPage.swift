// A name and a password → a login, and its end.

import Martlet

extension Panel {
  /// Shows the form. Whoever is logged in has come for a page that asks for the password anew.
  func loginPage(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>
  ) -> Answer {
    loginForm(response, .ok, username: request.user?.name ?? Text(), user: request.user)
  }

  /// Logs in. A wrong name takes as long, and is answered the same, as a wrong password. The form
  /// is sent to the page's own address, so `next` stays in its query.
  mutating func logIn(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>
  ) -> Answer {
    let form = request.form
    let username = AccountRules.typedName(form["username"]) ?? Text()
    // The log says what was typed, or its start.
    var typed = Text<32>()
    if var decoder = form["username"]?.decoder {
      while let octet = decoder.next(), typed.append(octet) {}
    }
    let account = accounts.account(named: username)
    var password = TypedPassword(form["password"])
    defer { password.wipe() }
    if let refusal = password.refusal {
      return loginForm(
        response, .unprocessableContent, username: username, user: request.user, problem: refusal)
    }
    // As many iterations as a real one: they are the time that it takes.
    let hash =
      account?.password
      ?? .decoy(iterations: accounts[0]?.password.iterations ?? Calibration.iterationCountMin)
    var client = request.client(trusting: proxies)
    if let user = request.user, let account { client.isRecognized = user.name == account.name }
    var isRight = false
    switch password.check(
      of: username, against: hash, from: client, &throttle, &response)
    {
    case .later: return response.later()
    case .wait(let seconds):
      response.setRetryAfter(seconds: seconds)
      Log.refused("login_throttled", client, name: typed.span, wait: seconds)
      return loginForm(
        response, .tooManyRequests, username: username, user: request.user,
        problem: "Too many failed attempts.", wait: seconds)
    case .wrong: break
    case .right: isRight = true
    }
    guard isRight, var account else {
      Log.refused(
        "login_failed", client, name: typed.span,
        reason: account == nil ? "name" : "password")
      return loginForm(
        response, .unprocessableContent, username: username, user: request.user,
        problem: "Wrong name or password.")
    }
    // Hashed by a machine that was much faster or slower, it takes too long here or is too weak.
    if case .good = condition,
      let iterations = calibration.wanted(insteadOf: account.password.iterations)
    {
      guard let hash = password.hash(iterations: iterations, &response) else {
        return response.later()
      }
      account.password = hash
      // Where the disk does not take it, the old one goes on.
      do throws(SystemError) { try store(account) } catch {}
    }
    passwordHasVariants = false
    let isRemembered = form.has("remember_me")
    // Whoever enters the password again goes on with the same session.
    if let user = request.user, user.name == account.name {
      account.epoch = user.epoch
      if isRemembered { rememberSession(account, at: request.clock) }
    } else {
      beginSession(&account, isRemembered: isRemembered, at: request.clock)
    }
    return response.login(account, remember: Remember(isRemembered))
  }

  /// Ends the session, so that its cookie is worth nothing to whoever has a copy.
  mutating func logOut(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>
  ) -> Answer {
    if let account = request.user { endSession(account, at: request.clock) }
    return response.logout(to: "/login")
  }

  @inline(never)
  private func loginForm(
    _ response: consuming Response<Panel>, _ status: Status, username: Text<32>, user: Account?,
    problem: StaticString? = nil, wait: Int? = nil
  ) -> Answer {
    var body = response.body(status)
    body.begin(title: "Log in", .door)
    body.write("<div class=\"brand large\">")
    body.writeMark()
    body.write("Martlet</div>\n<section class=\"card\">\n<h1>Log in</h1>\n")
    if user != nil {
      body.write("<p class=\"lead\">Enter your password again to go on.</p>\n")
    }
    writeCondition(to: &body)
    body.writeProblem(problem, wait: wait)
    // The field that is still to be filled in has the focus.
    let hasName = !username.isEmpty
    body.write(
      """
      <form method="post" class="fields">
      <label for="username">Name</label>
      <input id="username" name="username" value="\(username)" autocomplete="username" \
      autocapitalize="none" spellcheck="false" required\
      \(markup: hasName ? "" : " autofocus")>
      <label for="password">Password</label>
      <input id="password" name="password" type="password" autocomplete="current-password" \
      required\(markup: hasName ? " autofocus" : "")>
      <label class="check"><input name="remember_me" type="checkbox" value="yes">
      <span>Stay logged in for 30 days</span></label>
      <button type="submit">Log in</button>
      </form>
      </section>

      """)
    return body.finish()
  }
}
